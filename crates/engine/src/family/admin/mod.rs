//! Running a server: CONFIG, DEBUG, SAVE and its relatives, SHUTDOWN.
//!
//! What only the process can do (listeners, the log, files, its end) is behind [`Host`](crate::Host).

mod config;
mod debug;
mod save;
mod shutdown;
#[cfg(test)]
mod tests;

pub use debug::DebugSwitches;

use crate::command::{Command, Group, flags};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    config::CONFIG,
    debug::DEBUG,
    save::BGREWRITEAOF,
    save::BGSAVE,
    save::LASTSAVE,
    save::SAVE,
    shutdown::SHUTDOWN,
];

const BASE: Command = Command { group: Group::Server, flags: ADMIN, ..Command::BASE };
const ADMIN: u64 = flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE;
const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];
