//! The load generator behind `ochre-benchmark`.
//!
//! It keeps the command line and the formats of redis-benchmark and valkey-benchmark, and adds an open
//! loop (`--rate`), fixed durations, sequential keys and JSON. The one thing that it must never be is the
//! bottleneck, so:
//! - requests are bytes made once; only twelve digits per placeholder are rewritten in place (`template`);
//! - a pipeline is one write, and replies are stepped over, not decoded (`skipper`), those like the last by one
//!   comparison (`alike`);
//! - readiness is edge-triggered and registered once (`worker`); the other tools change it twice per request;
//! - measuring is one look at the clock per read and one addition (`histogram`).
//!
//! Its own CPU per request beside valkey-benchmark 9.1.2 in the same run (microseconds, median of 3
//! interleaved, 50 connections, one million keys, 64-byte values; Zen 5, kernel 6.18, server and
//! generator on a core each, which other programs used as well):
//!
//! | test | pipeline 1 | 16 | 64 |
//! |---|---|---|---|
//! | GET | 5.33 / 10.39 (0.51) | 0.40 / 0.76 (0.52) | 0.12 / 0.26 (0.45) |
//! | SET | 5.14 / 10.09 (0.51) | 0.41 / 0.73 (0.56) | 0.14 / 0.25 (0.54) |
//! | INCR | 5.57 / 10.54 (0.53) | 0.46 / 0.79 (0.58) | 0.14 / 0.25 (0.55) |
//!
//! What is left is the kernel's, four to six microseconds for one write and one read: nine tenths of a request even at
//! pipeline 64, where 0.01 is our own. Tried without gain: receiving from a group of connections before sending to
//! them, another congestion control than the system's, a loop of its own for requests with one placeholder.

mod alike;
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
mod tests;

pub use program::main;
