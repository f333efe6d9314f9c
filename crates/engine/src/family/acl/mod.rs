//! ACL: users, what they may do, and what they were refused.
//!
//! What rules mean is in the crate `ochre-acl`, how a change reaches the clients in `access`; here are the commands.

mod categories;
mod describe;
mod dry_run;
mod file;
mod help;
mod log;
mod password;
#[cfg(test)]
mod tests;
mod users;

use std::sync::Arc;

use crate::call::Call;
use crate::client::ClientShared;
use crate::command::{Command, Group, flags};
use crate::error::Error;
use crate::family::connection::kill_one;

/// The family's commands.
pub const COMMANDS: &[Command] = &[ACL];

const ACL: Command = Command {
    name: "acl",
    summary: "Commands about users and what they may do.",
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: flags::SENTINEL,
    subcommands: &[
        categories::CAT,
        users::DELUSER,
        dry_run::DRYRUN,
        password::GENPASS,
        describe::GETUSER,
        help::HELP,
        describe::LIST,
        file::LOAD,
        log::LOG,
        file::SAVE,
        users::SETUSER,
        describe::USERS,
        describe::WHOAMI,
    ],
    ..BASE
};

const BASE: Command = Command { since: "6.0.0", group: Group::Server, flags: PUBLIC, ..Command::BASE };
const PUBLIC: u64 = flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::SENTINEL;
const ADMIN: u64 = PUBLIC | flags::ADMIN;
const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

/// Closes the connections of users who are no more. One's own still takes the reply.
fn kill_all(call: &mut Call<'_, '_>, orphans: &[Arc<ClientShared>]) {
    for client in orphans {
        kill_one(call, client);
    }
}

/// Hides all arguments from an index on from logs.
fn hide_from(call: &mut Call<'_, '_>, index: usize) {
    call.client.redacted.extend(index..call.args.len());
}

/// The error of subcommands that take one argument or none.
fn too_many(call: &Call<'_, '_>) -> Error {
    let before = "ERR unknown subcommand or wrong number of arguments for '";
    Error::quoting(before, call.args.at(1), "'. Try ACL HELP.")
}
