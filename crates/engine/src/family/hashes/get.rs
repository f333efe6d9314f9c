//! Questions about single fields.

use ochre_types::hash::Hash;

use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;

const LOOK: Command =
    Command { arity: 3, flags: flags::READONLY | flags::FAST, keys: ASKS, args: &[KEY, FIELD], ..BASE };

pub(super) const HGET: Command = Command {
    name: "hget",
    summary: "Returns the value of a field of a hash.",
    keys: READS,
    handler: hget,
    ..LOOK
};

fn hget(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut is_shown = true;
    let missed = with_value(call, |value, reply| match value {
        Some(value) if !Room::behind(reply).has(reply, value) => is_shown = false,
        Some(value) => reply_item(reply, value),
        None => reply.null(),
    })?;
    if !is_shown {
        promise_values(call);
    }
    clear_away(call, missed);
    Ok(())
}

/// Leaves the values of the fields that are the arguments from the third on to be replied in parts.
#[cold]
fn promise_values(call: &mut Call<'_, '_>) {
    let (names, now_ms) = (call.args.from(2), call.view.field_clock_ms());
    let pin = |hash: &mut Hash| hash.pin_values(names, now_ms);
    if let Some(values) = call.view.pin(call.client.db, call.keys[0], pin) {
        call.promise(Box::new(values));
    }
}

pub(super) const HSTRLEN: Command = Command {
    name: "hstrlen",
    summary: "Returns the length of the value of a field of a hash in bytes.",
    since: "3.2.0",
    handler: hstrlen,
    ..LOOK
};

fn hstrlen(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let missed = with_value(call, |value, reply| reply.integer(value.map_or(0, |value| value.len()) as i64))?;
    clear_away(call, missed);
    Ok(())
}

pub(super) const HEXISTS: Command =
    Command { name: "hexists", summary: "Says whether a hash has a field.", handler: hexists, ..LOOK };

fn hexists(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let missed = with_value(call, |value, reply| reply.integer(i64::from(value.is_some())))?;
    clear_away(call, missed);
    Ok(())
}

/// Has `answer` reply to the value of the field that is the third argument. Whether the field may be there, but expired.
#[inline]
fn with_value(
    call: &mut Call<'_, '_>,
    answer: impl FnOnce(Option<Item<'_>>, &mut ReplyWriter<'_>),
) -> Result<bool, Error> {
    let now_ms = call.view.field_clock_ms();
    let hash = call.view.read_as::<Hash>(call.client.db, call.keys[0])?;
    let value = hash.and_then(|hash| hash.get(call.args.at(2), now_ms));
    answer(value, &mut call.reply);
    Ok(value.is_none() && hash.is_some_and(|hash| hash.may_have_expired(now_ms)))
}

/// Removes those of the fields that are the arguments from the third on that have expired, if some `may_have`.
#[inline]
fn clear_away(call: &mut Call<'_, '_>, may_have: bool) {
    if may_have {
        call.view.expire_fields(call.client.db, call.keys[0], call.args.from(2));
    }
}

pub(super) const HMGET: Command = Command {
    name: "hmget",
    summary: "Returns the values of fields of a hash.",
    complexity: "O(N), N being the number of fields that are asked for.",
    arity: -3,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY, FIELD.multiple()],
    handler: hmget,
    ..BASE
};

fn hmget(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let now_ms = call.view.field_clock_ms();
    let hash = call.view.read_as::<Hash>(call.client.db, call.keys[0])?;
    let may_have = hash.is_some_and(|hash| hash.may_have_expired(now_ms));
    call.reply.array(call.args.len() - 2);
    if !show_values(&mut call.reply, call.args.from(2).map(|name| hash?.get(name, now_ms))) {
        promise_values(call);
    }
    clear_away(call, may_have);
    Ok(())
}

/// Shows values, unless that gets too long: then none. Whether they are shown.
#[inline]
fn show_values<'h>(reply: &mut ReplyWriter<'_>, values: impl Iterator<Item = Option<Item<'h>>>) -> bool {
    let room = Room::behind(reply);
    for value in values {
        match value {
            Some(value) if room.has(reply, value) => reply_item(reply, value),
            Some(_) => {
                room.take_back(reply);
                return false;
            }
            None => reply.null(),
        }
    }
    true
}

pub(super) const HLEN: Command = Command {
    name: "hlen",
    summary: "Returns the number of fields of a hash.",
    arity: 2,
    args: &[KEY],
    handler: hlen,
    ..LOOK
};

/// Fields that have expired and are still there count, as in Redis.
fn hlen(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let len = call.view.read_as::<Hash>(call.client.db, call.keys[0])?.map_or(0, Hash::len);
    call.reply.integer(len as i64);
    Ok(())
}
