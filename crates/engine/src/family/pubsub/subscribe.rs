//! SUBSCRIBE, UNSUBSCRIBE and their forms for patterns and sharded channels.
//!
//! All that one command changes is changed at one moment. A user whose rules are changed at that very moment is looked at
//! again afterwards: who changes them closes the subscribers that it finds, and this one may have come too late to be found.

use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::ReplyWriter;

use super::{BASE, SHARD_CHANNELS};
use crate::call::{Args, Call};
use crate::client::{Client, client_flags};
use crate::command::{Arg, ArgKind, Command, flags};
use crate::engine::Engine;
use crate::error::Error;
use crate::messages::{Kind, Subscriptions};
use crate::worker::WorkerContext;

const KINDS: [Kind; 3] = [Kind::Channel, Kind::ShardChannel, Kind::Pattern];

pub(super) const SUBSCRIBE: Command = Command {
    name: "subscribe",
    summary: "Has messages of channels sent to the connection.",
    complexity: "O(N) where N is the number of channels to subscribe to.",
    arity: -2,
    flags: BASE.flags | flags::NOSCRIPT | flags::DENYOOM,
    args: &[Arg::new("channel", ArgKind::String).multiple()],
    handler: |call| subscribe(call, Kind::Channel),
    ..BASE
};

pub(super) const PSUBSCRIBE: Command = Command {
    name: "psubscribe",
    summary: "Has messages of all channels that match patterns sent to the connection.",
    complexity: "O(N) where N is the number of patterns to subscribe to.",
    args: &[Arg::new("pattern", ArgKind::Pattern).multiple()],
    handler: |call| subscribe(call, Kind::Pattern),
    ..SUBSCRIBE
};

pub(super) const SSUBSCRIBE: Command = Command {
    name: "ssubscribe",
    summary: "Has messages of sharded channels sent to the connection.",
    since: "7.0.0",
    complexity: "O(N) where N is the number of shard channels to subscribe to.",
    keys: SHARD_CHANNELS,
    args: &[Arg::new("shardchannel", ArgKind::String).multiple()],
    handler: |call| {
        if call.in_transaction {
            return Err(Error::new("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
        }
        subscribe(call, Kind::ShardChannel)
    },
    ..SUBSCRIBE
};

pub(super) const UNSUBSCRIBE: Command = Command {
    name: "unsubscribe",
    summary: "Has messages of channels sent no longer.",
    complexity: "O(N) where N is the number of channels to unsubscribe.",
    arity: -1,
    flags: BASE.flags | flags::NOSCRIPT,
    args: &[Arg::new("channel", ArgKind::String).optional().multiple()],
    handler: |call| unsubscribe(call, Kind::Channel),
    ..BASE
};

pub(super) const PUNSUBSCRIBE: Command = Command {
    name: "punsubscribe",
    summary: "Has messages of channels that match patterns sent no longer.",
    complexity: "O(N) where N is the number of patterns to unsubscribe.",
    args: &[Arg::new("pattern", ArgKind::Pattern).optional().multiple()],
    handler: |call| unsubscribe(call, Kind::Pattern),
    ..UNSUBSCRIBE
};

pub(super) const SUNSUBSCRIBE: Command = Command {
    name: "sunsubscribe",
    summary: "Has messages of sharded channels sent no longer.",
    since: "7.0.0",
    complexity: "O(N) where N is the number of shard channels to unsubscribe.",
    keys: SHARD_CHANNELS,
    args: &[Arg::new("shardchannel", ArgKind::String).optional().multiple()],
    handler: |call| unsubscribe(call, Kind::ShardChannel),
    ..UNSUBSCRIBE
};

fn subscribe(call: &mut Call<'_, '_>, kind: Kind) -> Result<(), Error> {
    let (args, worker, receiver) = (call.args, call.worker.index, call.client.receiver());
    let subscriptions = &mut call.client.listen().subscriptions;
    let counts: Vec<usize> = call.engine.messages.subscribe(worker, receiver.client, |topics| {
        let mut add = |name: &[u8]| {
            if subscriptions.add(kind, name) {
                topics.add(kind, name, receiver);
            }
            subscriptions.told_count(kind)
        };
        args.from(1).map(&mut add).collect()
    });
    publish_state(call.client);
    let word = ["subscribe", "psubscribe", "ssubscribe"][kind as usize];
    tell(call, args.from(1).zip(counts).map(|(name, count)| (word, Some(name), count)));
    leave_if_forbidden(call, kind, args);
    Ok(())
}

fn unsubscribe(call: &mut Call<'_, '_>, kind: Kind) -> Result<(), Error> {
    let names: Vec<Box<[u8]>> = match call.args.len() {
        1 => call.client.listening.as_ref().map_or_else(Vec::new, |all| all.subscriptions.names(kind)),
        _ => call.args.from(1).map(Box::from).collect(),
    };
    let counts = remove(call.engine, call.worker, call.client, kind, &names);
    let word = ["unsubscribe", "punsubscribe", "sunsubscribe"][kind as usize];
    if names.is_empty() {
        let count =
            call.client.listening.as_ref().map_or(0, |listening| listening.subscriptions.told_count(kind));
        tell(call, std::iter::once((word, None, count)));
    }
    tell(call, names.iter().zip(counts).map(|(name, count)| (word, Some(&**name), count)));
    Ok(())
}

/// Ends subscriptions of a client; how many it has after each.
fn remove(
    engine: &Engine,
    worker: &WorkerContext,
    client: &mut Client,
    kind: Kind,
    names: &[Box<[u8]>],
) -> Vec<usize> {
    let receiver = client.receiver();
    let subscriptions = &mut client.listen().subscriptions;
    let counts = engine.messages.subscribe(worker.index, receiver.client, |topics| {
        let mut remove = |name: &[u8]| {
            if subscriptions.remove(kind, name) {
                topics.remove(kind, name, receiver);
            }
            subscriptions.told_count(kind)
        };
        names.iter().map(|name| remove(name)).collect()
    });
    publish_state(client);
    counts
}

/// Ends all subscriptions of a client.
pub(crate) fn end_subscriptions(engine: &Engine, worker: &WorkerContext, client: &mut Client) {
    for kind in KINDS {
        let names = client.listening.as_ref().map_or_else(Vec::new, |all| all.subscriptions.names(kind));
        if !names.is_empty() {
            remove(engine, worker, client, kind, &names);
        }
    }
}

/// What RESET does about it.
pub(in crate::family) fn reset(call: &mut Call<'_, '_>) {
    end_subscriptions(call.engine, call.worker, call.client);
}

/// Brings what others see of it up to date.
fn publish_state(client: &mut Client) {
    let shared = &client.shared;
    let none = Subscriptions::default();
    let subscriptions = client.listening.as_ref().map_or(&none, |listening| &listening.subscriptions);
    for (shown, kind) in shared.subscriptions.iter().zip([Kind::Channel, Kind::Pattern, Kind::ShardChannel]) {
        shown.store(subscriptions.count(kind) as u32, Relaxed);
    }
    shared.set_flag(client_flags::PUBSUB, !subscriptions.is_empty());
}

/// Tells what became of each channel.
fn tell<'n>(call: &mut Call<'_, '_>, parts: impl Iterator<Item = (&'static str, Option<&'n [u8]>, usize)>) {
    if !call.client.is_muted() {
        return write(&mut call.reply, parts);
    }
    let protocol = call.client.protocol;
    write(&mut ReplyWriter::new(&mut call.client.listen().regardless, protocol), parts);
}

fn write<'n>(
    reply: &mut ReplyWriter<'_>,
    parts: impl Iterator<Item = (&'static str, Option<&'n [u8]>, usize)>,
) {
    for (word, name, count) in parts {
        reply.push(3);
        reply.bulk(word.as_bytes());
        match name {
            Some(name) => reply.bulk(name),
            None => reply.null(),
        }
        reply.integer(count as i64);
    }
}

/// Closes the connection if its user was forbidden one of the channels meanwhile.
fn leave_if_forbidden(call: &mut Call<'_, '_>, kind: Kind, args: Args<'_>) {
    if !call.client.shared.is_summoned() {
        return;
    }
    let Some(user) = call.engine.access.user(call.client.shared.names.lock().user()) else { return };
    if !args.from(1).all(|name| user.check_channel(name, kind == Kind::Pattern)) {
        call.client.close_after_reply();
    }
}
