//! The server: event loops, connections, signals, logging, start-up.
//!
//! - [`serve`]: from a command line to an exit status
//! - `accept`, `listen`: the main thread accepts and hands connections to workers
//! - `worker`, `group`, `connection`, `mailbox`: the event loop of a worker
//! - `host`: what the process does for the engine
//! - [`process`]: what surrounds any server process

mod accept;
mod connection;
mod control;
mod group;
mod host;
mod limits;
mod listen;
mod mailbox;
mod options;
pub mod process;
mod socket;
mod start;
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
