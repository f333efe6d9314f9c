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
    let missed = with_value(call, |value, reply| match value {
        Some(value) => reply_item(reply, value),
        None => reply.null(),
    })?;
    clear_away(call, missed);
    Ok(())
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
    call.reply.array(call.args.len() - 2);
    for name in call.args.from(2) {
        match hash.and_then(|hash| hash.get(name, now_ms)) {
            Some(value) => reply_item(&mut call.reply, value),
            None => call.reply.null(),
        }
    }
    let may_have = hash.is_some_and(|hash| hash.may_have_expired(now_ms));
    clear_away(call, may_have);
    Ok(())
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
