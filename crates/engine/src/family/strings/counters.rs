//! INCR and its relatives: strings that are numbers.

use ochre_keyspace::{EntryRef, Expiry, ValueRef, event_class};
use ochre_types::LongDouble;

use super::value::new_text;
use super::*;
use crate::call::{Call, integer};
use crate::command::flags;
use crate::error::{Error, INCR_OVERFLOW, NOT_A_FLOAT};

const COUNTER: Command =
    Command { flags: flags::WRITE | flags::DENYOOM | flags::FAST, keys: UPDATES, ..BASE };

pub(super) const INCR: Command = Command {
    name: "incr",
    summary: "Adds one to the integer of a key; a missing key counts as 0.",
    arity: 2,
    args: &[KEY],
    handler: |call| add(call, 1),
    ..COUNTER
};

pub(super) const DECR: Command = Command {
    name: "decr",
    summary: "Takes one from the integer of a key; a missing key counts as 0.",
    arity: 2,
    args: &[KEY],
    handler: |call| add(call, -1),
    ..COUNTER
};

pub(super) const INCRBY: Command = Command {
    name: "incrby",
    summary: "Adds to the integer of a key; a missing key counts as 0.",
    arity: 3,
    args: &[KEY, Arg::new("increment", ArgKind::Integer)],
    handler: |call| {
        let by = integer(call.args.at(2))?;
        add(call, by)
    },
    ..COUNTER
};

pub(super) const DECRBY: Command = Command {
    name: "decrby",
    summary: "Takes from the integer of a key; a missing key counts as 0.",
    arity: 3,
    args: &[KEY, Arg::new("decrement", ArgKind::Integer)],
    handler: |call| {
        let by = integer(call.args.at(2))?;
        // The one number whose negative is none.
        let by = by.checked_neg().ok_or(Error::new("ERR decrement would overflow"))?;
        add(call, by)
    },
    ..COUNTER
};

fn add(call: &mut Call<'_, '_>, by: i64) -> Result<(), Error> {
    let sum = |number| ochre_types::increment(number, by).ok_or(INCR_OVERFLOW);
    let number = call.view.update_int(call.client.db, call.keys[0], integer_of, sum)?;
    call.notify(event_class::STRING, "incrby", call.key());
    call.reply.integer(number);
    Ok(())
}

/// The integer that a key holds; 0 if there is no such key.
pub(super) fn integer_of(value: Option<ValueRef<'_>>) -> Result<i64, Error> {
    value.map_or(Ok(0), |value| StringRef::of_value(value)?.integer())
}

/// The number that a key holds; 0 if there is no such key.
pub(super) fn float_of(entry: Option<EntryRef<'_>>) -> Result<LongDouble, Error> {
    entry.map_or(Ok(LongDouble::ZERO), |entry| StringRef::of(entry)?.with(float))
}

/// An argument or a value as a number.
pub(super) fn float(text: &[u8]) -> Result<LongDouble, Error> {
    LongDouble::parse(text).ok_or(NOT_A_FLOAT)
}

pub(super) const INCRBYFLOAT: Command = Command {
    name: "incrbyfloat",
    summary: "Adds to the floating point number of a key; a missing key counts as 0.",
    since: "2.6.0",
    arity: 3,
    args: &[KEY, Arg::new("increment", ArgKind::Double)],
    handler: incrbyfloat,
    ..COUNTER
};

fn incrbyfloat(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let sum = float_of(call.view.peek(db, key))? + float(call.args.at(2))?;
    if sum.is_nan() || sum.is_infinite() {
        return Err(Error::new("ERR increment would produce NaN or Infinity"));
    }
    let text = sum.to_human_string().into_bytes();
    call.view.update(db, key, new_text(key.bytes.len(), &text), Expiry::Keep);
    call.notify(event_class::STRING, "incrbyfloat", key);
    // Another machine's arithmetic might round in another way.
    call.propagate(&[b"SET", key.bytes, &text, b"KEEPTTL"]);
    call.reply.bulk(&text);
    Ok(())
}
