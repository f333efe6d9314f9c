//! Connections: who is there, in which protocol and database, and everything that CLIENT can do to them.
//!
//! What a handler may know of *other* clients is their [`ClientShared`](crate::ClientShared): atomics that each client's own worker
//! keeps up to date. Nobody changes another client; what is ordered (a kill, the end of a wait) is marked there and then
//! posted to the worker that owns it.

mod auth;
mod client;
mod hello;
mod reset;
mod session;
#[cfg(test)]
mod tests;

pub(crate) use client::end_tracking;
pub(in crate::family) use client::kill_one;

use crate::call::Call;
use crate::command::{Command, Group, acl, flags};
use crate::error::{DB_OUT_OF_RANGE, Error};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    auth::AUTH,
    client::CLIENT,
    session::ECHO,
    hello::HELLO,
    session::PING,
    session::QUIT,
    reset::RESET,
    session::SELECT,
];

const BASE: Command =
    Command { group: Group::Connection, acl: acl::CONNECTION, flags: flags::FAST, ..Command::BASE };

/// The flags of commands that get a client in or out whatever state it is in.
const HANDSHAKE: u64 =
    flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST | flags::NO_AUTH | flags::ALLOW_BUSY;

/// A database by its number.
pub(super) fn database(call: &Call<'_, '_>, number: i64) -> Result<u32, Error> {
    let count = call.engine.keyspace.databases() as i64;
    if (0..count).contains(&number) { Ok(number as u32) } else { Err(DB_OUT_OF_RANGE) }
}
