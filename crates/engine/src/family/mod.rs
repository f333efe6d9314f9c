//! The commands, family by family: each record beside its handler.

mod admin;
mod bitmap;
mod command;
mod connection;
mod hyperloglog;
mod keys;
mod lists;
mod reply_map;
mod server;
mod streams;
mod strings;
mod transactions;

use crate::command::Command;

pub use admin::DebugSwitches;

/// The commands of all families.
pub const ALL: &[&[Command]] = &[
    admin::COMMANDS,
    bitmap::COMMANDS,
    command::COMMANDS,
    connection::COMMANDS,
    hyperloglog::COMMANDS,
    keys::COMMANDS,
    lists::COMMANDS,
    server::COMMANDS,
    streams::COMMANDS,
    strings::COMMANDS,
    transactions::COMMANDS,
];
