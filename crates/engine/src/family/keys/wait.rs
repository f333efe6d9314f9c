//! Waiting for replicas and logs: WAIT, WAITAOF. There are no replicas yet, so none ever acknowledges anything: who asks for
//! one waits until the timeout.

use ochre_resp::ReplyWriter;

use crate::call::{Call, integer, integer_between};
use crate::client::BlockedOn;
use crate::command::{Arg, ArgKind, Command, Group, acl, flags};
use crate::error::{Error, OUT_OF_RANGE_POSITIVE};

pub(super) const WAIT: Command = Command {
    name: "wait",
    summary: "Waits until replicas have acknowledged what this connection wrote.",
    since: "3.0.0",
    group: Group::Generic,
    arity: 3,
    flags: flags::BLOCKING,
    acl: acl::CONNECTION,
    tips: &["request_policy:all_shards", "response_policy:agg_min"],
    args: &[Arg::new("numreplicas", ArgKind::Integer), Arg::new("timeout", ArgKind::Integer)],
    handler: wait,
    ..Command::BASE
};

fn wait(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let replicas = integer(call.args.at(1))?;
    let deadline_ms = deadline(call, call.args.at(2))?;
    if replicas <= 0 || call.in_transaction {
        call.reply.integer(0);
    } else {
        call.client.block(BlockedOn::Replicas, deadline_ms);
    }
    Ok(())
}

pub(super) const WAITAOF: Command = Command {
    name: "waitaof",
    summary: "Waits until what this connection wrote is in the append-only files here and at replicas.",
    since: "7.2.0",
    arity: 4,
    args: &[
        Arg::new("numlocal", ArgKind::Integer),
        Arg::new("numreplicas", ArgKind::Integer),
        Arg::new("timeout", ArgKind::Integer),
    ],
    handler: wait_for_logs,
    ..WAIT
};

fn wait_for_logs(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let local = integer(call.args.at(1))?;
    if !(0..=1).contains(&local) {
        return Err(Error::new("ERR value is out of range, value must between 0 and 1"));
    }
    let text = OUT_OF_RANGE_POSITIVE;
    let replicas = integer_between(call.args.at(2), 0, i64::MAX, None).map_err(|_| text)?;
    let deadline_ms = deadline(call, call.args.at(3))?;
    let aof = &call.engine.aof;
    if local > 0 && !aof.is_on() {
        return Err(NO_LOG);
    }
    let is_local = aof.is_durable(call.client.changed_offset);
    if replicas == 0 && (local == 0 || is_local) || call.in_transaction {
        reply_to_wait_for_logs(&mut call.reply, is_local);
    } else {
        call.client.block(BlockedOn::Logs { local: local > 0, replicas: replicas > 0 }, deadline_ms);
    }
    Ok(())
}

/// The reply to WAITAOF where there is no append-only file to wait for.
pub const NO_LOG: Error =
    Error::new("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");

/// The reply to WAITAOF, `is_local` telling whether what the client wrote is durable here.
pub fn reply_to_wait_for_logs(reply: &mut ReplyWriter<'_>, is_local: bool) {
    reply.array(2);
    reply.integer(i64::from(is_local));
    reply.integer(0);
}

/// The end of a timeout in milliseconds, 0 for none.
fn deadline(call: &Call<'_, '_>, arg: &[u8]) -> Result<i64, Error> {
    let text = "ERR timeout is not an integer or out of range";
    match ochre_types::parse_i64(arg).ok_or(Error::new(text))? {
        ..0 => Err(Error::new("ERR timeout is negative")),
        0 => Ok(i64::MAX),
        timeout => timeout.checked_add(call.now_ms()).ok_or(Error::new("ERR timeout is out of range")),
    }
}
