//! The server: event loops, connections, signals, logging, start-up.
//!
//! - [`serve`]: from a command line to an exit status
//! - `start`, `questions`: the command line and the way to a serving process; `end`: the way out
//! - `accept`, `listen`: the main thread accepts and hands connections to workers
//! - `worker`, `group`, `connection`, `mailbox`, `inbox`: the event loop of a worker
//! - `host`, `config_file`: what the process does for the engine
//! - `report`, `running`: what a crash report says of the server
//! - [`process`]: what surrounds any server process

mod accept;
mod config_file;
mod connection;
mod control;
mod end;
mod group;
mod held;
mod host;
mod inbox;
mod large;
mod limits;
mod listen;
mod load;
mod mailbox;
mod options;
pub mod process;
mod questions;
mod rehearsal;
mod report;
mod rest;
mod running;
mod socket;
mod start;
mod sync;
mod unloaded;
mod users;
mod violation;
mod worker;

pub use start::{arguments, serve};

/// An error as C's `strerror` words it.
fn process_error_text(error: &std::io::Error) -> String {
    process::error_text(error)
}

/// A client, for a line of the log.
fn describe(client: &ochre_engine::ClientShared) -> String {
    format!("id={} addr={}", client.id, client.address)
}
