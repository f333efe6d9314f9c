//! The load generator behind `ochre-benchmark`.
//!
//! It keeps the command line and the formats of redis-benchmark and valkey-benchmark, and adds an open
//! loop (`--rate`), fixed durations, sequential keys and JSON. The one thing that it must never be is the
//! bottleneck, so:
//! - requests are bytes made once; only twelve digits per placeholder are rewritten in place (`template`);
//! - a pipeline is one write, and replies are stepped over, not decoded (`skipper`);
//! - readiness is edge-triggered and registered once (`worker`); the other tools change it twice per request;
//! - measuring is one look at the clock per read and one addition (`histogram`).
//!
//! Its own CPU per request beside valkey-benchmark 9.1.2 in the same run (microseconds, median of 3
//! interleaved, 50 connections, one million keys, 64-byte values; Zen 5, kernel 6.18, server and
//! generator on a core each):
//!
//! | test | pipeline 1 | 16 | 64 |
//! |---|---|---|---|
//! | GET | 6.67 / 12.67 (0.53) | 0.45 / 0.82 (0.55) | 0.15 / 0.31 (0.49) |
//! | SET | 6.33 / 11.05 (0.57) | 0.55 / 0.94 (0.58) | 0.14 / 0.27 (0.53) |
//! | MSET of 10 | 6.05 / 10.65 (0.57) | 0.65 / 1.17 (0.55) | 0.50 / 0.76 (0.65) |
//!
//! What is left at pipeline 1 is the kernel's: one read and one write.

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
