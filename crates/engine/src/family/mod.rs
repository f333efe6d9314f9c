//! The commands, family by family: each record beside its handler.

mod command;
mod connection;
mod reply_map;
mod server;
mod strings;
mod transactions;

use crate::command::Command;

/// The commands of all families.
pub const ALL: &[&[Command]] =
    &[command::COMMANDS, connection::COMMANDS, server::COMMANDS, strings::COMMANDS, transactions::COMMANDS];
