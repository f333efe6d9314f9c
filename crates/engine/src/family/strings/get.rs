//! Reading a string whole, and GETEX, which also says when it expires.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Expiry, event_class};
use ochre_types::Digest;

use super::long::StringReply;
use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;

pub(super) const GET: Command = Command {
    name: "get",
    summary: "Returns the string of a key.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY],
    handler: get,
    ..BASE
};

fn get(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.view.read(call.client.db, call.keys[0]).map(StringReply::of).transpose()? {
        Some(StringReply::AtOnce(value)) => value.reply(&mut call.reply),
        Some(StringReply::Later(string)) => call.promise_string(string),
        None => call.reply.null(),
    }
    Ok(())
}

pub(super) const STRLEN: Command = Command {
    name: "strlen",
    summary: "Returns the length of a string in bytes.",
    since: "2.2.0",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::first(key_flags::RO)],
    args: &[KEY],
    handler: strlen,
    ..BASE
};

fn strlen(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let value = call.view.read(call.client.db, call.keys[0]).map(StringRef::of).transpose()?;
    call.reply.integer(value.map_or(0, StringRef::len) as i64);
    Ok(())
}

pub(super) const DIGEST: Command = Command {
    name: "digest",
    summary: "Returns the XXH3 digest of a string in hexadecimal digits.",
    since: "8.4.0",
    complexity: "O(N), N being the length of the string.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY],
    handler: digest,
    ..BASE
};

fn digest(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.view.read(call.client.db, call.keys[0]) {
        Some(entry) => call.reply.bulk(StringRef::of(entry)?.with(Digest::of).as_bytes()),
        None => call.reply.null(),
    }
    Ok(())
}

pub(super) const GETEX: Command = Command {
    name: "getex",
    summary: "Returns the string of a key and changes when the key expires.",
    since: "6.2.0",
    arity: -2,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec { notes: "Changing the expiry makes it RW and UPDATE", ..UPDATES[0] }],
    args: &[KEY, Arg::one_of("expiration", &[EX, PX, EXAT, PXAT, PERSIST]).optional()],
    handler: getex,
    ..BASE
};

fn getex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut option = ExpiryOption::default();
    let mut cursor = call.args.cursor(2);
    while option.eat(&mut cursor, ExpiryWord::Persist)? {}
    cursor.finish()?;
    let now_ms = call.now_ms();
    let Some(entry) = call.view.read(call.client.db, call.keys[0]) else {
        call.reply.null();
        return Ok(());
    };
    let (value, expires) = (StringReply::of(entry)?, entry.expire_ms().is_some());
    let expiry = option.resolve(now_ms, "getex")?;
    match value {
        StringReply::AtOnce(value) => value.reply(&mut call.reply),
        StringReply::Later(string) => call.promise_string(string),
    }
    match expiry {
        Expiry::At(at_ms) if option.word.is_absolute() && call.has_passed(at_ms) => remove_expired(call),
        Expiry::At(at_ms) => expire_at(call, at_ms),
        _ if option.word == ExpiryWord::Persist && expires => persist(call),
        _ => {}
    }
    Ok(())
}

/// Removes the first key because the time that it was given has passed already.
pub(super) fn remove_expired(call: &mut Call<'_, '_>) {
    let (db, key) = (call.db(), call.key());
    if call.view.remove(db, key) {
        let lazily = call.engine.keyspace.settings.lazyfree_expire.load(Relaxed);
        call.propagate(&[if lazily { b"UNLINK" } else { b"DEL" }, key.bytes]);
        call.notify(event_class::GENERIC, "del", key);
    }
}

fn expire_at(call: &mut Call<'_, '_>, at_ms: i64) {
    let (db, key) = (call.db(), call.key());
    call.view.set_expire(db, key, Some(at_ms));
    call.propagate(&[b"PEXPIREAT", key.bytes, itoa::Buffer::new().format(at_ms).as_bytes()]);
    call.notify(event_class::GENERIC, "expire", key);
}

fn persist(call: &mut Call<'_, '_>) {
    let (db, key) = (call.db(), call.key());
    call.view.set_expire(db, key, None);
    call.propagate(&[b"PERSIST", key.bytes]);
    call.notify(event_class::GENERIC, "persist", key);
}
