//! PING, ECHO, SELECT, QUIT.

use ochre_resp::Protocol;

use super::{BASE, HANDSHAKE, database};
use crate::call::{Call, integer};
use crate::client::client_flags;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;

pub(super) const PING: Command = Command {
    name: "ping",
    summary: "Tells that the server is there.",
    arity: -1,
    flags: flags::FAST | flags::SENTINEL,
    args: &[Arg::new("message", ArgKind::String).optional()],
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    handler: ping,
    ..BASE
};

fn ping(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() > 2 {
        return Err(call.wrong_arity());
    }
    let message = call.args.get(1);
    // Between messages of channels, RESP2 can tell the reply apart only by its shape.
    let is_subscriber = call.client.shared.has(client_flags::PUBSUB) && !call.client.in_script;
    if is_subscriber && call.client.protocol == Protocol::Resp2 {
        call.reply.array(2);
        call.reply.bulk(b"pong");
        call.reply.bulk(message.unwrap_or_default());
        return Ok(());
    }
    match message {
        None => call.reply.simple("PONG"),
        Some(message) => call.reply.bulk(message),
    }
    Ok(())
}

pub(super) const ECHO: Command = Command {
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

pub(super) const SELECT: Command = Command {
    name: "select",
    summary: "Changes the database.",
    arity: 2,
    flags: flags::LOADING | flags::STALE | flags::FAST,
    args: &[Arg::new("index", ArgKind::Integer)],
    handler: select,
    ..BASE
};

fn select(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let number = integer(call.args.at(1))?;
    if i32::try_from(number).is_err() {
        return Err(Error::new("ERR value is out of range, value must between -2147483648 and 2147483647"));
    }
    let db = database(call, number)?;
    call.client.select(db);
    call.reply.ok();
    Ok(())
}

pub(super) const QUIT: Command = Command {
    name: "quit",
    summary: "Closes the connection.",
    arity: -1,
    flags: HANDSHAKE | flags::NOT_QUEUED,
    deprecated: Some(("7.2.0", "just closing the connection")),
    handler: quit,
    ..BASE
};

fn quit(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.ok();
    call.client.close_after_reply();
    Ok(())
}
