//! Event loops, connections, signals, logging, start-up.

pub mod process;
