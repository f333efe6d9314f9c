//! The load generator behind `ochre-benchmark`.
//!
//! It keeps the command line and the formats of redis-benchmark and valkey-benchmark, and adds an open loop (`--rate`),
//! fixed durations, sequential keys and JSON. The one thing that it must never be is the bottleneck, so:
//! - requests are bytes made once; only twelve digits per placeholder are rewritten in place (`template`);
//! - a pipeline is one write, and replies are stepped over, not decoded (`skipper`);
//! - readiness is edge-triggered and registered once (`worker`); the other tools change it twice per request;
//! - measuring is one look at the clock per read and one addition (`histogram`).
//!
//! @@CPU@@

mod dial;
mod failure;
mod help;
mod histogram;
mod options;
mod pacer;
mod program;
mod random;
mod report;
mod run;
mod skipper;
mod suite;
mod template;
mod uri;
mod worker;

pub use program::main;
