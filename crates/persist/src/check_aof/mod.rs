//! `ochre-check-aof`: checking a log and cutting off what is damaged, with the options, words and exit codes of
//! redis-check-aof, which people's scripts call under that name.
//!
//! It reads by rules of its own (`scan.rs`), since it says more about what is wrong than loading does, and accepts a little
//! more. Sums of frames are compared as well.

mod check;
mod files;
mod options;
mod program;
mod scan;
mod truncate;

#[cfg(test)]
mod tests;

pub use program::{CheckBegin, CheckRdb, Terminal, main, run};
