//! The commands, family by family: each record beside its handler.

mod admin;
mod connection;
mod strings;
mod transactions;

use crate::command::Command;

pub use admin::DebugSwitches;

/// The commands of all families.
pub const ALL: &[&[Command]] =
    &[admin::COMMANDS, connection::COMMANDS, strings::COMMANDS, transactions::COMMANDS];
