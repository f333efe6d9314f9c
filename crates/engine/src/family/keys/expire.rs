//! When keys expire: EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, PERSIST.
//!
//! All four end as an absolute time in milliseconds, and that is what the journal says, so that it means the same
//! whenever it is read. A time that has passed removes the key at once, and the journal says that.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::event_class;

use super::BASE;
use crate::call::{Args, Call, integer};
use crate::command::{Arg, ArgKind, Command, KeySpec, flags, key_flags};
use crate::error::{Error, invalid_expire};

const KEY: Arg = Arg::key("key", 0);
const CONDITION: Arg = Arg::one_of(
    "condition",
    &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
)
.optional()
.since("7.0.0");

pub(super) const EXPIRE: Command = Command {
    name: "expire",
    summary: "Has a key expire after some seconds.",
    arity: -3,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::UPDATE)],
    args: &[KEY, Arg::new("seconds", ArgKind::Integer), CONDITION],
    history: &[("7.0.0", "The options `NX`, `XX`, `GT` and `LT` came.")],
    handler: |call| expire(call, call.now_ms(), 1000),
    ..BASE
};

pub(super) const PEXPIRE: Command = Command {
    name: "pexpire",
    summary: "Has a key expire after some milliseconds.",
    since: "2.6.0",
    args: &[KEY, Arg::new("milliseconds", ArgKind::Integer), CONDITION],
    handler: |call| expire(call, call.now_ms(), 1),
    ..EXPIRE
};

pub(super) const EXPIREAT: Command = Command {
    name: "expireat",
    summary: "Has a key expire at a Unix time in seconds.",
    since: "1.2.0",
    args: &[KEY, Arg::new("unix-time-seconds", ArgKind::UnixTime), CONDITION],
    handler: |call| expire(call, 0, 1000),
    ..EXPIRE
};

pub(super) const PEXPIREAT: Command = Command {
    name: "pexpireat",
    summary: "Has a key expire at a Unix time in milliseconds.",
    since: "2.6.0",
    args: &[KEY, Arg::new("unix-time-milliseconds", ArgKind::UnixTime), CONDITION],
    handler: |call| expire(call, 0, 1),
    ..EXPIRE
};

/// The time given counts from `base_ms` and in units of `unit_ms`.
fn expire(call: &mut Call<'_, '_>, base_ms: i64, unit_ms: i64) -> Result<(), Error> {
    let conditions = Conditions::parse(call.args)?;
    let at_ms = integer(call.args.at(2))?.checked_mul(unit_ms).and_then(|time| time.checked_add(base_ms));
    let at_ms = at_ms.ok_or_else(|| invalid_expire(call.command.name))?;
    let entry = call.view.read_to_write(call.client.db, call.key());
    let applies = entry.is_some_and(|entry| conditions.allow(entry.expire_ms(), at_ms));
    if applies {
        match call.has_passed(at_ms) {
            true => remove_expired(call),
            false => expire_at(call, at_ms),
        }
    }
    call.reply.integer(i64::from(applies));
    Ok(())
}

fn remove_expired(call: &mut Call<'_, '_>) {
    let (db, key) = (call.db(), call.key());
    call.view.remove(db, key);
    call.notify(event_class::GENERIC, "del", key);
    let lazy = call.engine.keyspace.settings.lazyfree_expire.load(Relaxed);
    call.propagate(&[if lazy { b"UNLINK" } else { b"DEL" }, key.bytes]);
}

fn expire_at(call: &mut Call<'_, '_>, at_ms: i64) {
    let (db, key) = (call.db(), call.key());
    call.view.set_expire(db, key, Some(at_ms));
    call.notify(event_class::GENERIC, "expire", key);
    if call.command.name == PEXPIREAT.name {
        return;
    }
    let mut digits = itoa::Buffer::new();
    let mut request: Vec<&[u8]> = vec![b"PEXPIREAT", key.bytes, digits.format(at_ms).as_bytes()];
    request.extend(call.args.from(3));
    call.propagate(&request);
}

/// What must hold of a key's present expiry.
#[derive(Clone, Copy, Default)]
struct Conditions {
    none: bool,
    some: bool,
    greater: bool,
    less: bool,
}

impl Conditions {
    fn parse(args: Args<'_>) -> Result<Conditions, Error> {
        let mut conditions = Conditions::default();
        for word in args.from(3) {
            let flag = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut conditions.none,
                b"xx" => &mut conditions.some,
                b"gt" => &mut conditions.greater,
                b"lt" => &mut conditions.less,
                _ => return Err(Error::quoting("ERR Unsupported option ", word, "")),
            };
            *flag = true;
        }
        let Conditions { none, some, greater, less } = conditions;
        if none && (some || greater || less) {
            return Err(Error::new("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if greater && less {
            return Err(Error::new("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(conditions)
    }

    /// A key without an expiry counts as one that expires last.
    fn allow(self, present_ms: Option<i64>, at_ms: i64) -> bool {
        (!self.none || present_ms.is_none())
            && (!self.some || present_ms.is_some())
            && (!self.greater || present_ms.is_some_and(|present_ms| at_ms > present_ms))
            && (!self.less || present_ms.is_none_or(|present_ms| at_ms < present_ms))
    }
}

pub(super) const PERSIST: Command = Command {
    name: "persist",
    summary: "Has a key no longer expire.",
    since: "2.2.0",
    arity: 2,
    args: &[KEY],
    history: &[],
    handler: persist,
    ..EXPIRE
};

fn persist(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let expires = call.view.read_to_write(db, key).is_some_and(|entry| entry.expire_ms().is_some());
    if expires {
        call.view.set_expire(db, key, None);
        call.notify(event_class::GENERIC, "persist", key);
    }
    call.reply.integer(i64::from(expires));
    Ok(())
}
