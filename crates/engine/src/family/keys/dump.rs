//! DUMP: a value as bytes that RESTORE takes, here and in the peers.
//!
//! The payload has the oldest version that holds the value, 11 at least: servers from Redis 7.2 and Valkey 7.2 on take it,
//! newer ones only where the value needs it (times of fields, what streams remember of producers). Redis names its own
//! version in every payload, so that nothing older takes any.
//!
//! Payloads of big values are made aside (see [`crate::aside`]), and replied in parts.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::ValueRef;
use ochre_persist::rdb::{self, CannotHold, EncodeOptions, Target};
use ochre_types::zset::{Direction, ZSet};
use ochre_types::{LongString, ObjectRef, Pinned};

use super::BASE;
use crate::aside::Compute;
use crate::call::Call;
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::Error;
use crate::persistence::as_written;
use crate::sequel::{BYTES_AT_ONCE, ELEMENTS_AT_ONCE};

pub(super) const DUMP: Command = Command {
    name: "dump",
    summary: "Returns the value of a key as bytes that RESTORE takes.",
    since: "2.6.0",
    complexity: "O(N), N being the bytes of the value.",
    arity: 2,
    flags: flags::READONLY,
    keys: &[KeySpec::first(key_flags::RO | key_flags::ACCESS)],
    tips: &["nondeterministic_output"],
    args: &[Arg::key("key", 0)],
    handler: dump,
    ..BASE
};

fn dump(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let compresses = call.engine.settings.rdb_compression.load(Relaxed);
    let options = EncodeOptions { target: Target::default(), compresses };
    let Some(entry) = call.view.read(call.client.db, call.key()) else {
        call.reply.null();
        return Ok(());
    };
    if takes_long(entry.value()) {
        return dump_big(call, options);
    }
    let payload = rdb::dump(as_written(entry.value()), options).map_err(|error| refusal(&error))?;
    call.reply.bulk(&payload);
    Ok(())
}

/// The target is as new as the value needs, so it can hold all.
fn refusal(error: &CannotHold) -> Error {
    Error::owned(format!("ERR {error}"))
}

/// Elements of a big value that are looked at to know how large they are.
const SAMPLES: usize = 16;

/// Whether a value is better not written in one go. One that is a single run of bytes is copied as it is.
fn takes_long(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Object(ObjectRef::String(string)) => string.len() >= BYTES_AT_ONCE,
        ValueRef::Object(object) if object.free_effort() > 1 => {
            object.size() > ELEMENTS_AT_ONCE || object.heap_bytes_estimate(SAMPLES) >= BYTES_AT_ONCE
        }
        _ => false,
    }
}

/// A payload, or why there is none.
type Dumped = Result<LongString, CannotHold>;

#[cold]
fn dump_big(call: &mut Call<'_, '_>, options: EncodeOptions) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let made = call.make(
        &[],
        |call| {
            let pinned = pinned(call)?;
            Some(Box::new(move || dump_pinned(pinned, options)) as Compute<Dumped>)
        },
        |call| {
            let payload = call.view.peek(db, key).map(|entry| rdb::dump(as_written(entry.value()), options));
            Ok(payload.unwrap_or_else(|| Ok(Vec::new())).map(LongString::from))
        },
    )?;
    let Some(payload) = made.transpose().map_err(|error| refusal(&error))? else { return Ok(()) };
    if payload.len() < BYTES_AT_ONCE {
        call.reply.bulk(&payload);
    } else {
        call.promise_string(payload);
    }
    Ok(())
}

/// The value as it is now. Payloads have the members of a sorted set from the highest down.
fn pinned(call: &mut Call<'_, '_>) -> Option<Pinned> {
    let (db, key) = (call.db(), call.key());
    let from_above = |zset: &mut ZSet| zset.pin_range(0..usize::MAX, Direction::Descending);
    match call.view.pin(db, key, from_above) {
        Some(zset) => Some(Pinned::ZSet(zset)),
        None => call.view.pin_any(db, key),
    }
}

fn dump_pinned(mut pinned: Pinned, options: EncodeOptions) -> Dumped {
    let payload = match &pinned {
        // A snapshot would not compress a long one.
        Pinned::String(string) => rdb::dump(rdb::ValueRef::Object(ObjectRef::String(string)), options),
        _ => rdb::dump_pinned(&mut pinned, options),
    };
    payload.map(LongString::from)
}
