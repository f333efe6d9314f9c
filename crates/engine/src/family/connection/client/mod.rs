//! CLIENT and its subcommands.

mod describe;
mod filter;
mod help;
mod kill;
mod list;
mod modes;
pub(super) mod names;
mod pause;
mod tracking;
mod unblock;

pub(in crate::family) use kill::kill_one;
pub(crate) use tracking::end_tracking;
pub(in crate::family::connection) use tracking::reset_tracking;

use crate::call::Call;
use crate::command::{Arg, Command, Group, acl, flags};
use crate::error::{Error, SYNTAX};

pub(super) const CLIENT: Command = Command {
    name: "client",
    summary: "Commands about connections.",
    since: "2.4.0",
    group: Group::Connection,
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: flags::SENTINEL,
    subcommands: &[
        tracking::CACHING,
        modes::CAPA,
        names::GETNAME,
        tracking::GETREDIR,
        help::HELP,
        list::ID,
        modes::IMPORT_SOURCE,
        list::INFO,
        kill::KILL,
        list::LIST,
        modes::NO_EVICT,
        modes::NO_TOUCH,
        pause::PAUSE,
        modes::REPLY,
        names::SETINFO,
        names::SETNAME,
        tracking::TRACKING,
        tracking::TRACKINGINFO,
        unblock::UNBLOCK,
        pause::UNPAUSE,
    ],
    ..Command::BASE
};

const BASE: Command = Command {
    group: Group::Connection,
    acl: acl::CONNECTION,
    flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::SENTINEL,
    ..Command::BASE
};

/// A subcommand for administrators.
const ADMIN: Command = Command { flags: BASE.flags | flags::ADMIN, ..BASE };

/// `ON` or `OFF`, as an argument.
const ON_OFF: &[Arg] = &[Arg::word("on", "ON"), Arg::word("off", "OFF")];

fn on_or_off(call: &Call<'_, '_>) -> Result<bool, Error> {
    match (call.args.is(2, "ON"), call.args.is(2, "OFF")) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(SYNTAX),
    }
}

/// More arguments than a subcommand with an open arity knows.
fn too_many(call: &Call<'_, '_>) -> Error {
    let word = call.args.at(1);
    let before = "ERR unknown subcommand or wrong number of arguments for '";
    Error::quoting(before, &word[..word.len().min(128)], "'. Try CLIENT HELP.")
}
