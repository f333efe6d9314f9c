//! Taking the first or the last members: ZPOPMIN, ZPOPMAX, ZMPOP.

use ochre_keyspace::{Key, event_class};
use ochre_types::zset::{Direction, ZSet};

use super::*;
use crate::call::{Call, Cursor, integer_between};
use crate::command::flags;
use crate::error::SYNTAX;

const POP: Command = Command {
    since: "5.0.0",
    complexity: "O(log(N)*M), N being the number of members of the sorted set and M that of those removed.",
    arity: -2,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(POPS)],
    args: &[KEY, COUNT.optional()],
    ..BASE
};

pub(super) const ZPOPMIN: Command = Command {
    name: "zpopmin",
    summary: "Removes the members with the lowest scores from a sorted set and returns them.",
    handler: |call| pop_one_key(call, Direction::Ascending),
    ..POP
};

pub(super) const ZPOPMAX: Command = Command {
    name: "zpopmax",
    summary: "Removes the members with the highest scores from a sorted set and returns them.",
    handler: |call| pop_one_key(call, Direction::Descending),
    ..POP
};

fn pop_one_key(call: &mut Call<'_, '_>, direction: Direction) -> Result<(), Error> {
    let (count, with_count) = match call.args.len() {
        2 => (1, false),
        3 => (count_of(call.args.at(2), 0, "ERR value is out of range, must be positive")?, true),
        _ => return Err(SYNTAX),
    };
    let is_there = call.view.peek_as::<ZSet>(call.client.db, call.keys[0])?.is_some();
    if !is_there || count == 0 {
        call.reply.array(0);
        return Ok(());
    }
    let shape = if with_count { Shape::of(true, call.reply.protocol()) } else { Shape::Flat };
    pop(call, call.keys[0], direction, count, shape, |reply, count| shape.begin(reply, count))?;
    Ok(())
}

fn count_of(arg: &[u8], min: i64, error: &'static str) -> Result<usize, Error> {
    integer_between(arg, min, i64::MAX, Some(error)).map(|count| count as usize)
}

/// Removes up to `count` members of a sorted set that is there and replies them, behind what `begin` writes once it knows
/// their number. Returns that.
pub(super) fn pop(
    call: &mut Call<'_, '_>,
    key: Key<'_>,
    direction: Direction,
    count: usize,
    shape: Shape,
    begin: impl FnOnce(&mut ReplyWriter<'_>, usize),
) -> Result<usize, Error> {
    let (db, reply) = (call.db(), &mut call.reply);
    let popped = call.view.edit(db, key, |zset: &mut ZSet, edit| {
        let count = count.min(zset.len());
        begin(reply, count);
        zset.pop(direction, count, &mut |member, score| shape.add(reply, member, score));
        edit.changed(count);
        edit.notify(event_class::ZSET, event_of(direction));
        count
    })?;
    Ok(popped.map_or(0, |(count, _)| count))
}

/// The command that pops from one key.
pub(super) fn pop_name(direction: Direction) -> &'static [u8] {
    match direction {
        Direction::Ascending => b"ZPOPMIN",
        Direction::Descending => b"ZPOPMAX",
    }
}

fn event_of(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "zpopmin",
        Direction::Descending => "zpopmax",
    }
}

pub(super) const END: Arg = Arg::one_of("where", &[Arg::word("min", "MIN"), Arg::word("max", "MAX")]);

pub(super) const ZMPOP: Command = Command {
    name: "zmpop",
    summary: "Removes the members with the lowest or highest scores from the first of several sorted sets that is \
              there and returns them.",
    since: "7.0.0",
    complexity: "O(K)+O(M*log(N)), K being the number of keys, N that of the members of the sorted set and M that of \
                 those removed.",
    arity: -4,
    flags: flags::WRITE | flags::MOVABLE_KEYS,
    keys: &[numbered_keys(1, POPS)],
    args: &[NUMKEYS, KEY.multiple(), END, COUNT.token("COUNT").optional()],
    handler: zmpop,
    ..BASE
};

fn zmpop(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (direction, count) = several_keys(call.args.cursor(1))?;
    if !pop_first(call, direction, count)? {
        call.reply.null_array();
    }
    Ok(())
}

/// What follows from the number of keys on: the end to take from, and how many.
pub(super) fn several_keys(mut cursor: Cursor<'_>) -> Result<(Direction, usize), Error> {
    let numkeys = count_of(cursor.next_arg()?, 1, "ERR numkeys should be greater than 0")?;
    if numkeys >= cursor.left() {
        return Err(SYNTAX);
    }
    cursor.skip(numkeys);
    let direction = match () {
        () if cursor.eat("MIN") => Direction::Ascending,
        () if cursor.eat("MAX") => Direction::Descending,
        () => return Err(SYNTAX),
    };
    let mut count = None;
    while !cursor.is_at_end() {
        if count.is_some() || !cursor.eat_with_value("COUNT") {
            return Err(SYNTAX);
        }
        count = Some(count_of(cursor.next_arg()?, 1, "ERR count should be greater than 0")?);
    }
    Ok((direction, count.unwrap_or(1)))
}

/// Pops from the first key that is there and replies its name and the members; false if none is. The journal gets what was
/// taken from which key.
pub(super) fn pop_first(call: &mut Call<'_, '_>, direction: Direction, count: usize) -> Result<bool, Error> {
    let Some(key) = first_there(call)? else { return Ok(false) };
    let popped = pop(call, key, direction, count, Shape::Pairs, |reply, count| {
        reply.array(2);
        reply.bulk(key.bytes);
        reply.array(count);
    })?;
    call.propagate(&[pop_name(direction), key.bytes, itoa::Buffer::new().format(popped).as_bytes()]);
    Ok(true)
}

/// The first key that holds a sorted set.
///
/// # Errors
/// One before it holds another type.
pub(super) fn first_there<'c>(call: &mut Call<'c, '_>) -> Result<Option<Key<'c>>, Error> {
    let db = call.db();
    for key in call.keys {
        if call.view.peek_as::<ZSet>(db, *key)?.is_some() {
            return Ok(Some(*key));
        }
    }
    Ok(None)
}
