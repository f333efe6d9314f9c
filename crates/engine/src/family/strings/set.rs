//! SET and its older relatives.

use ochre_keyspace::{Expiry, Key, event_class};

use super::condition::Condition;
use super::expiry::expire_ms;
use super::long::StringReply;
use super::value::given_string;
use super::*;
use crate::call::{Call, Cursor, integer};
use crate::command::flags;
use crate::error::{Error, SYNTAX, invalid_expire};

pub(super) const SET: Command = Command {
    name: "set",
    summary: "Sets a key to a string, whatever it held; on conditions and with an expiry if so asked.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec {
        notes: "The optional `GET` makes it RW and ACCESS",
        ..KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE | key_flags::VARIABLE_FLAGS)
    }],
    args: &[
        KEY,
        VALUE,
        Arg::one_of(
            "condition",
            &[NX, XX, IFEQ.since("8.4.0"), IFNE.since("8.4.0"), IFDEQ.since("8.4.0"), IFDNE.since("8.4.0")],
        )
        .since("2.6.12")
        .optional(),
        Arg::word("get", "GET").since("6.2.0").optional(),
        Arg::one_of(
            "expiration",
            &[
                EX.since("2.6.12"),
                PX.since("2.6.12"),
                EXAT.since("6.2.0"),
                PXAT.since("6.2.0"),
                KEEPTTL.since("6.0.0"),
            ],
        )
        .optional(),
    ],
    history: &[
        ("2.6.12", "The options `EX`, `PX`, `NX` and `XX`."),
        ("6.0.0", "The option `KEEPTTL`."),
        ("6.2.0", "The options `GET`, `EXAT` and `PXAT`."),
        ("7.0.0", "`NX` and `GET` may stand together."),
        ("8.4.0", "The options `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE`."),
    ],
    handler: set,
    ..BASE
};

fn set(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() > 3 {
        return set_with_options(call);
    }
    let (key, value) = (call.key(), call.args.at(2));
    store(call, key, value, Expiry::Clear);
    call.reply.ok();
    Ok(())
}

/// What all setting comes down to.
#[inline]
pub(super) fn store(call: &mut Call<'_, '_>, key: Key<'_>, value: &[u8], expiry: Expiry) {
    let new = given_string(call.args, key.bytes.len(), value);
    call.view.set(call.client.db, key, new, expiry);
    call.notify(event_class::STRING, "set", key);
    if matches!(expiry, Expiry::At(_)) {
        call.notify(event_class::GENERIC, "expire", key);
    }
}

#[derive(Default)]
struct Options<'a> {
    condition: Condition<'a>,
    get: bool,
    expiry: ExpiryOption<'a>,
}

impl<'a> Options<'a> {
    fn parse(mut cursor: Cursor<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        while !cursor.is_at_end() {
            let known = options.expiry.eat(&mut cursor, ExpiryWord::KeepTtl)?
                || options.condition.eat_existence(&mut cursor)?
                || options.condition.eat_comparison(&mut cursor)?;
            if !known && !cursor.eat("GET") {
                return Err(SYNTAX);
            }
            options.get |= !known;
        }
        Ok(options)
    }

    /// Whether the journal may have the request as it came: GET is no part of the change, and a relative time would be
    /// another one when it is read.
    fn is_repeatable(&self) -> bool {
        !self.get && (!self.expiry.word.is_time() || self.expiry.word == ExpiryWord::PxAt)
    }
}

fn set_with_options(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options::parse(call.args.cursor(3))?;
    let expiry = options.expiry.resolve(call.now_ms(), "set")?;
    let applies = check_and_get(call, &options)?;
    if applies {
        let (key, value) = (call.key(), call.args.at(2));
        store(call, key, value, expiry);
        if !options.is_repeatable() {
            propagate_set(call, value, expiry);
        }
    }
    match (options.get, applies) {
        (true, _) => {}
        (false, true) => call.reply.ok(),
        (false, false) => call.reply.null(),
    }
    Ok(())
}

/// Whether the value is to be set; with GET, the old one is replied.
fn check_and_get(call: &mut Call<'_, '_>, options: &Options<'_>) -> Result<bool, Error> {
    let (db, key) = (call.client.db, call.keys[0]);
    if options.condition.compares() && call.view.peek(db, key).is_some() {
        // As in Redis, where comparing is a reading of its own.
        call.view.count_hit(key);
    }
    if !options.get {
        return match options.condition {
            Condition::Always => Ok(true),
            condition => condition.holds(call.view.read_to_write(db, key)),
        };
    }
    let entry = call.view.read(db, key);
    let old = entry.map(StringReply::of).transpose()?;
    let holds = options.condition.holds(entry)?;
    match old {
        Some(StringReply::AtOnce(old)) => old.reply(&mut call.reply),
        Some(StringReply::Later(old)) => call.promise_string(old),
        None => call.reply.null(),
    }
    Ok(holds)
}

/// Has the journal contain the effect of a SET of the first key.
pub(super) fn propagate_set(call: &mut Call<'_, '_>, value: &[u8], expiry: Expiry) {
    let key = call.key().bytes;
    match expiry {
        Expiry::Clear => call.propagate(&[b"SET", key, value]),
        Expiry::Keep => call.propagate(&[b"SET", key, value, b"KEEPTTL"]),
        Expiry::At(at_ms) => {
            let at_ms = itoa::Buffer::new().format(at_ms).to_owned();
            call.propagate(&[b"SET", key, value, b"PXAT", at_ms.as_bytes()]);
        }
    }
}

pub(super) const SETNX: Command = Command {
    name: "setnx",
    summary: "Sets a key to a string only if the key does not exist.",
    arity: 3,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: &[KeySpec::first(key_flags::OW | key_flags::INSERT)],
    args: &[KEY, VALUE],
    deprecated: Some(("2.6.12", "`SET` with the `NX` argument")),
    handler: setnx,
    ..BASE
};

fn setnx(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (key, value) = (call.key(), call.args.at(2));
    let missing = call.view.read_to_write(call.client.db, key).is_none();
    if missing {
        store(call, key, value, Expiry::Clear);
    }
    call.reply.integer(i64::from(missing));
    Ok(())
}

pub(super) const SETEX: Command = Command {
    name: "setex",
    summary: "Sets a key to a string that expires after some seconds.",
    since: "2.0.0",
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM,
    keys: OVERWRITES,
    args: &[KEY, Arg::new("seconds", ArgKind::Integer), VALUE],
    deprecated: Some(("2.6.12", "`SET` with the `EX` argument")),
    handler: |call| set_expiring(call, ExpiryWord::Ex),
    ..BASE
};

pub(super) const PSETEX: Command = Command {
    name: "psetex",
    summary: "Sets a key to a string that expires after some milliseconds.",
    since: "2.6.0",
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM,
    keys: OVERWRITES,
    args: &[KEY, Arg::new("milliseconds", ArgKind::Integer), VALUE],
    deprecated: Some(("2.6.12", "`SET` with the `PX` argument")),
    handler: |call| set_expiring(call, ExpiryWord::Px),
    ..BASE
};

fn set_expiring(call: &mut Call<'_, '_>, word: ExpiryWord) -> Result<(), Error> {
    let number = integer(call.args.at(2))?;
    let at_ms = expire_ms(word, number, call.now_ms()).ok_or_else(|| invalid_expire(call.command.name))?;
    let (key, value, expiry) = (call.key(), call.args.at(3), Expiry::At(at_ms));
    store(call, key, value, expiry);
    propagate_set(call, value, expiry);
    call.reply.ok();
    Ok(())
}

pub(super) const GETSET: Command = Command {
    name: "getset",
    summary: "Sets a key to a string and returns the one it held.",
    arity: 3,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: UPDATES,
    args: &[KEY, VALUE],
    deprecated: Some(("6.2.0", "`SET` with the `!GET` argument")),
    handler: getset,
    ..BASE
};

fn getset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options { get: true, ..Options::default() };
    check_and_get(call, &options)?;
    let (key, value) = (call.key(), call.args.at(2));
    store(call, key, value, Expiry::Clear);
    propagate_set(call, value, Expiry::Clear);
    Ok(())
}
