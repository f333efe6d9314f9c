//! Fields that are numbers.

use ochre_types::LongDouble;
use ochre_types::hash::{Hash, IncrementError};

use super::*;
use crate::call::{Call, integer};
use crate::command::flags;
use crate::error::{Error, INCR_OVERFLOW, NOT_A_FLOAT};

const COUNTER: Command = Command {
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE)],
    ..BASE
};

pub(super) const HINCRBY: Command = Command {
    name: "hincrby",
    summary: "Adds to the integer in a field of a hash; a missing field counts as 0.",
    args: &[KEY, FIELD, Arg::new("increment", ArgKind::Integer)],
    handler: hincrby,
    ..COUNTER
};

fn hincrby(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (name, by) = (call.args.at(2), integer(call.args.at(3))?);
    let (now_ms, limits) = (call.view.field_clock_ms(), call.engine.settings.hash_limits());
    let (sum, _) = call.view.edit_or_create(call.client.db, call.keys[0], |hash: &mut Hash, edit| {
        edit.expire_field(hash, name, now_ms);
        let sum = hash.increment(name, by, now_ms, &limits)?;
        edit.changed(1);
        edit.notify_of_fields("hincrby", [name]);
        Ok(sum)
    })?;
    call.reply.integer(sum.map_err(error)?);
    Ok(())
}

pub(super) const HINCRBYFLOAT: Command = Command {
    name: "hincrbyfloat",
    summary: "Adds to the floating point number in a field of a hash; a missing field counts as 0.",
    since: "2.6.0",
    args: &[KEY, FIELD, Arg::new("increment", ArgKind::Double)],
    handler: hincrbyfloat,
    ..COUNTER
};

fn hincrbyfloat(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, name) = (call.db(), call.key(), call.args.at(2));
    let by = LongDouble::parse(call.args.at(3)).ok_or(NOT_A_FLOAT)?;
    if by.is_nan() || by.is_infinite() {
        return Err(Error::new("ERR value is NaN or Infinity"));
    }
    let (now_ms, limits) = (call.view.field_clock_ms(), call.engine.settings.hash_limits());
    let (sum, _) = call.view.edit_or_create(db, key, |hash: &mut Hash, edit| {
        edit.expire_field(hash, name, now_ms);
        let sum = hash.increment_float(name, by, now_ms, &limits)?;
        edit.changed(1);
        edit.notify_of_fields("hincrbyfloat", [name]);
        Ok(sum)
    })?;
    let sum = sum.map_err(error)?;
    // Another machine's arithmetic might round in another way.
    call.propagate(&[b"HSETEX", key.bytes, b"KEEPTTL", b"FIELDS", b"1", name, sum.as_bytes()]);
    call.reply.bulk(sum.as_bytes());
    Ok(())
}

fn error(error: IncrementError) -> Error {
    match error {
        IncrementError::NotAnInteger => Error::new("ERR hash value is not an integer"),
        IncrementError::NotANumber => Error::new("ERR hash value is not a float"),
        IncrementError::Overflow => INCR_OVERFLOW,
        IncrementError::NotFinite => Error::new("ERR increment would produce NaN or Infinity"),
    }
}
