//! The commands, family by family: each record beside its handler.

mod connection;
mod keys;
mod strings;
mod transactions;

use crate::command::Command;

/// The commands of all families.
pub const ALL: &[&[Command]] =
    &[connection::COMMANDS, keys::COMMANDS, strings::COMMANDS, transactions::COMMANDS];
