//! The load generator behind `ochre-benchmark`.
//!
//! It keeps the command line and the formats of redis-benchmark and valkey-benchmark, and adds an open loop (`--rate`),
//! fixed durations, sequential keys and JSON. The one thing that it must never be is the bottleneck, so:
//! - requests are bytes made once; only twelve digits per placeholder are rewritten in place (`template`);
//! - a pipeline is one write, and replies are stepped over, not decoded (`skipper`);
//! - readiness is edge-triggered and registered once (`worker`); the other tools change it twice per request;
//! - measuring is one look at the clock per read and one addition (`histogram`).
//!
//! Its own CPU per request beside valkey-benchmark 9.1.2 in the same run (microseconds, median of 3 interleaved, 50
//! connections, one million keys, 64-byte values; Zen 5, kernel 6.18, server and generator on a core each):
//!
//! | test | pipeline 1 | 16 | 64 |
//! |---|---|---|---|
//! | GET | 5.95 / 10.03 (0.59) | 0.40 / 0.72 (0.56) | 0.12 / 0.24 (0.52) |
//! | SET | 5.34 / 9.52 (0.56) | 0.40 / 0.71 (0.56) | 0.17 / 0.26 (0.62) |
//! | MSET of 10 | 5.99 / 10.75 (0.56) | 0.71 / 1.22 (0.58) | 0.65 / 0.90 (0.72) |
//!
//! What is left at pipeline 1 is the kernel's: one read and one write.

mod connection;
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

#[cfg(test)]
mod loopback;

pub use program::main;
