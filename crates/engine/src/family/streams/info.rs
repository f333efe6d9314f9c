//! XINFO: how streams, groups and consumers are doing.

use ochre_resp::ReplyWriter;
use ochre_types::stream::{Consumer, Group as StreamGroup, Stream, StreamId};

use super::group::subcommand_error;
use super::reply::{reply_entries, reply_entry, reply_id};
use super::*;
use crate::call::{integer, unknown_subcommand};
use crate::command::flags;
use crate::error::NO_SUCH_KEY;
use crate::family::server::reply_help;

pub(super) const XINFO: Command = Command {
    name: "xinfo",
    summary: "Tells about streams, their groups and consumers.",
    complexity: "Depends on subcommand.",
    arity: -2,
    acl: 0,
    subcommands: &[CONSUMERS, GROUPS, HELP, STREAM],
    handler: unknown_subcommand,
    ..BASE
};

const CONSUMERS: Command = Command {
    name: "consumers",
    summary: "Tells about the consumers of a group.",
    arity: 4,
    flags: flags::READONLY,
    keys: &[KeySpec::at(2, key_flags::RO | key_flags::ACCESS)],
    tips: &["nondeterministic_output"],
    args: &[KEY, GROUP],
    history: &[("7.2.0", "Added the `inactive` field, and changed the meaning of `idle`.")],
    handler: consumers,
    ..BASE
};

fn consumers(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (key, name, now_ms) = (call.key(), call.args.at(3), call.now_ms());
    let stream = call.view.read_as::<Stream>(call.client.db, key)?.ok_or(NO_SUCH_KEY)?;
    let group = stream.group(name).ok_or_else(|| no_such_group(name, key.bytes))?;
    let reply = &mut call.reply;
    reply.array(group.consumers_len());
    for consumer in group.consumers() {
        reply.map(4);
        field(reply, "name").bulk(consumer.name());
        field(reply, "pending").integer(consumer.pending_len() as i64);
        field(reply, "idle").integer(now_ms.saturating_sub(consumer.seen_ms()).max(0));
        let inactive_ms = consumer.active_ms().map_or(-1, |active_ms| now_ms.saturating_sub(active_ms));
        field(reply, "inactive").integer(inactive_ms);
    }
    Ok(())
}

const GROUPS: Command = Command {
    name: "groups",
    summary: "Tells about the groups of a stream.",
    arity: 3,
    tips: &[],
    args: &[KEY],
    history: &[("7.0.0", "Added the `entries-read` and `lag` fields")],
    handler: groups,
    ..CONSUMERS
};

fn groups(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let stream = call.view.read_as::<Stream>(call.client.db, call.keys[0])?.ok_or(NO_SUCH_KEY)?;
    let reply = &mut call.reply;
    reply.array(stream.groups_len());
    for (name, group) in stream.groups() {
        reply.map(6);
        field(reply, "name").bulk(name);
        field(reply, "consumers").integer(group.consumers_len() as i64);
        field(reply, "pending").integer(group.pending_len() as i64);
        reply_progress(reply, stream, group);
    }
    Ok(())
}

/// How far a group has read: three fields.
fn reply_progress(reply: &mut ReplyWriter<'_>, stream: &Stream, group: &StreamGroup) {
    reply_id(field(reply, "last-delivered-id"), group.last_delivered_id());
    number_if_known(field(reply, "entries-read"), group.entries_read().map(|read| read as i64));
    number_if_known(field(reply, "lag"), stream.lag(group));
}

fn number_if_known(reply: &mut ReplyWriter<'_>, number: Option<i64>) {
    match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    }
}

/// Writes the name of a field; its value has to follow.
fn field<'r, 'a>(reply: &'r mut ReplyWriter<'a>, name: &str) -> &'r mut ReplyWriter<'a> {
    reply.bulk(name.as_bytes());
    reply
}

const STREAM: Command = Command {
    name: "stream",
    summary: "Tells about a stream.",
    arity: -3,
    args: &[KEY, Arg::block("full-block", &[Arg::word("full", "FULL"), COUNT]).optional()],
    history: &[
        ("6.0.0", "Added the `FULL` modifier."),
        (
            "7.0.0",
            "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag` fields",
        ),
        ("7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."),
        (
            "8.6.0",
            "Added the `idmp-duration`, `idmp-maxsize`, `pids-tracked`, `iids-tracked`, `iids-added` and `iids-duplicates` fields for IDMP tracking.",
        ),
    ],
    handler: stream,
    ..GROUPS
};

/// So many entries of each kind are shown in full.
const FULL_COUNT: usize = 10;
/// Fields about the stream as such.
const FIGURES: usize = 13;

fn stream(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let key = call.keys[0];
    call.view.read_as::<Stream>(call.client.db, key)?.ok_or(NO_SUCH_KEY)?;
    let full = full_count(call)?;
    let Some(stream) = call.view.peek_as::<Stream>(call.client.db, key)? else { return Err(NO_SUCH_KEY) };
    let reply = &mut call.reply;
    match full {
        None => {
            reply.map(FIGURES + 3);
            reply_figures(reply, stream);
            reply_edges(reply, stream);
        }
        Some(count) => {
            reply.map(FIGURES + 2);
            reply_figures(reply, stream);
            reply_in_full(reply, stream, count);
        }
    }
    Ok(())
}

/// How much is to be shown of what is in the stream, if that is asked for.
fn full_count(call: &Call<'_, '_>) -> Result<Option<usize>, Error> {
    let args = call.args;
    match args.len() {
        3 => Ok(None),
        4 if args.is(3, "FULL") => Ok(Some(FULL_COUNT)),
        6 if args.is(3, "FULL") && args.is(4, "COUNT") => match integer(args.at(5))? {
            0 => Ok(Some(usize::MAX)),
            count => Ok(Some(usize::try_from(count).unwrap_or(FULL_COUNT))),
        },
        _ => Err(subcommand_error(call)),
    }
}

fn reply_figures(reply: &mut ReplyWriter<'_>, stream: &Stream) {
    field(reply, "length").integer(stream.len() as i64);
    field(reply, "radix-tree-keys").integer(stream.node_count() as i64);
    field(reply, "radix-tree-nodes").integer(stream.radix_tree_nodes() as i64);
    reply_id(field(reply, "last-generated-id"), stream.last_id());
    reply_id(field(reply, "max-deleted-entry-id"), stream.max_deleted_id());
    field(reply, "entries-added").integer(stream.entries_added() as i64);
    reply_id(field(reply, "recorded-first-entry-id"), stream.first_entry_id().unwrap_or_default());
    let (limits, figures) = (stream.idempotency_limits().unwrap_or_default(), stream.idempotency_figures());
    field(reply, "idmp-duration").integer(i64::from(limits.duration_s));
    field(reply, "idmp-maxsize").integer(i64::from(limits.ids_max));
    field(reply, "pids-tracked").integer(figures.producers as i64);
    field(reply, "iids-tracked").integer(figures.tracked as i64);
    field(reply, "iids-added").integer(figures.added as i64);
    field(reply, "iids-duplicates").integer(figures.duplicates as i64);
}

/// How many groups there are, and the first and the last entry.
fn reply_edges(reply: &mut ReplyWriter<'_>, stream: &Stream) {
    field(reply, "groups").integer(stream.groups_len() as i64);
    let first = stream.range(StreamId::MIN, StreamId::MAX).next();
    let last = stream.range_back(StreamId::MIN, StreamId::MAX).next();
    for (name, entry) in [("first-entry", first), ("last-entry", last)] {
        match (field(reply, name), entry) {
            (reply, Some(entry)) => reply_entry(reply, &entry),
            (reply, None) => reply.null(),
        }
    }
}

fn reply_in_full(reply: &mut ReplyWriter<'_>, stream: &Stream, count: usize) {
    reply_entries(field(reply, "entries"), stream.range(StreamId::MIN, StreamId::MAX).take(count));
    field(reply, "groups").array(stream.groups_len());
    for (name, group) in stream.groups() {
        reply.map(7);
        field(reply, "name").bulk(name);
        reply_progress(reply, stream, group);
        field(reply, "pel-count").integer(group.pending_len() as i64);
        field(reply, "pending").array(group.pending_len().min(count));
        for entry in group.pending(StreamId::MIN, StreamId::MAX).take(count) {
            reply.array(4);
            reply_id(reply, entry.id);
            reply.bulk(entry.consumer.unwrap_or_default());
            reply.integer(entry.delivered_ms);
            reply.integer(entry.deliveries as i64);
        }
        field(reply, "consumers").array(group.consumers_len());
        group.consumers().for_each(|consumer| reply_consumer(reply, group, consumer, count));
    }
}

fn reply_consumer(reply: &mut ReplyWriter<'_>, group: &StreamGroup, consumer: &Consumer, count: usize) {
    reply.map(5);
    field(reply, "name").bulk(consumer.name());
    field(reply, "seen-time").integer(consumer.seen_ms());
    field(reply, "active-time").integer(consumer.active_ms().unwrap_or(-1));
    field(reply, "pel-count").integer(consumer.pending_len() as i64);
    field(reply, "pending").array(consumer.pending_len().min(count));
    for entry in group.pending_of(consumer, StreamId::MIN, StreamId::MAX).take(count) {
        reply.array(3);
        reply_id(reply, entry.id);
        reply.integer(entry.delivered_ms);
        reply.integer(entry.deliveries as i64);
    }
}

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands of XINFO.",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: help,
    ..BASE
};

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    reply_help(
        call,
        "XINFO",
        &[
            "CONSUMERS <key> <groupname>",
            "    Show consumers of <groupname>.",
            "GROUPS <key>",
            "    Show the stream consumer groups.",
            "STREAM <key> [FULL [COUNT <count>]",
            "    Show information about the stream.",
        ],
    )
}
