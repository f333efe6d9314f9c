//! Connections: PING, ECHO, SELECT, QUIT, ...

use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command, Group, acl, flags};
use crate::error::{DB_OUT_OF_RANGE, Error};

/// The family's commands.
pub const COMMANDS: &[Command] = &[ECHO, PING, SELECT];

const BASE: Command =
    Command { group: Group::Connection, acl: acl::CONNECTION, flags: flags::FAST, ..Command::BASE };

const PING: Command = Command {
    name: "ping",
    summary: "Tells that the server is there.",
    arity: -1,
    args: &[Arg::new("message", ArgKind::String).optional()],
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    handler: ping,
    ..BASE
};

fn ping(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.args.len() {
        1 => call.reply.simple("PONG"),
        2 => call.reply.bulk(call.args.at(1)),
        _ => return Err(call.wrong_arity()),
    }
    Ok(())
}

const ECHO: Command = Command {
    name: "echo",
    summary: "Answers with its argument.",
    arity: 2,
    flags: flags::FAST | flags::LOADING | flags::STALE,
    args: &[Arg::new("message", ArgKind::String)],
    handler: echo,
    ..BASE
};

fn echo(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.bulk(call.args.at(1));
    Ok(())
}

const SELECT: Command = Command {
    name: "select",
    summary: "Changes the database.",
    arity: 2,
    flags: flags::LOADING | flags::STALE | flags::FAST,
    args: &[Arg::new("index", ArgKind::Integer)],
    handler: select,
    ..BASE
};

fn select(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let number =
        integer(call.args.at(1)).map_err(|_| Error::new("ERR value is not an integer or out of range"))?;
    let db = database(call, number)?;
    call.client.select(db);
    call.reply.ok();
    Ok(())
}

/// A database by its number.
pub(super) fn database(call: &Call<'_, '_>, number: i64) -> Result<u32, Error> {
    let count = call.engine.keyspace.databases() as i64;
    if (0..count).contains(&number) { Ok(number as u32) } else { Err(DB_OUT_OF_RANGE) }
}
