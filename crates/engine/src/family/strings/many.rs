//! Several strings at once.

use ochre_keyspace::{Expiry, event_class};
use smallvec::SmallVec;

use super::condition::Condition;
use super::long::StringReply;
use super::set::store;
use super::value::given_string;
use super::*;
use crate::call::{Call, Cursor};
use crate::command::{Begin, Find, flags};
use crate::error::{Error, SYNTAX};

const PAIRS: Arg = Arg::block("data", &[KEY, VALUE]).multiple();

pub(super) const MGET: Command = Command {
    name: "mget",
    summary: "Returns the strings of several keys.",
    complexity: "O(N), N being the number of keys.",
    arity: -2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::from(1, 1, key_flags::RO | key_flags::ACCESS)],
    tips: &["request_policy:multi_shard"],
    args: &[KEY.multiple()],
    handler: mget,
    ..BASE
};

fn mget(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let begin = call.reply.len();
    call.reply.array(call.keys.len());
    for key in call.keys {
        let entry = call.view.read(call.client.db, *key);
        // A key of another type counts as missing here.
        match entry.map(|entry| StringReply::behind(call.reply.len() - begin, entry)) {
            Some(Ok(StringReply::AtOnce(value))) => value.reply(&mut call.reply),
            Some(Ok(StringReply::Later(string))) => call.promise_string(string),
            _ => call.reply.null(),
        }
    }
    Ok(())
}

pub(super) const MSET: Command = Command {
    name: "mset",
    summary: "Sets several keys to strings, whatever they held.",
    since: "1.0.1",
    complexity: "O(N), N being the number of keys.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::from(1, 2, key_flags::OW | key_flags::UPDATE)],
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    args: &[PAIRS],
    handler: mset,
    ..BASE
};

fn mset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    check_pairs(call)?;
    store_all(call);
    call.reply.ok();
    Ok(())
}

fn check_pairs(call: &Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() % 2 == 1 { Ok(()) } else { Err(call.wrong_arity()) }
}

fn store_all(call: &mut Call<'_, '_>) {
    for (index, key) in call.keys.iter().enumerate() {
        let value = call.args.at(2 * index + 2);
        store(call, *key, value, Expiry::Clear);
    }
}

pub(super) const MSETNX: Command = Command {
    name: "msetnx",
    summary: "Sets several keys to strings only if none of them exists.",
    since: "1.0.1",
    complexity: "O(N), N being the number of keys.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::from(1, 2, key_flags::OW | key_flags::INSERT)],
    args: &[PAIRS],
    handler: msetnx,
    ..BASE
};

fn msetnx(call: &mut Call<'_, '_>) -> Result<(), Error> {
    check_pairs(call)?;
    let applies = holds_for_all(call, Condition::Missing)?;
    if applies {
        store_all(call);
    }
    call.reply.integer(i64::from(applies));
    Ok(())
}

fn holds_for_all(call: &mut Call<'_, '_>, condition: Condition<'_>) -> Result<bool, Error> {
    let db = call.db();
    for key in call.keys {
        if !condition.holds(call.view.read_to_write(db, *key))? {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) const MSETEX: Command = Command {
    name: "msetex",
    summary: "Sets several keys to strings with one expiry, on conditions if so asked.",
    since: "8.4.0",
    complexity: "O(N), N being the number of keys.",
    arity: -4,
    flags: flags::WRITE | flags::DENYOOM | flags::MOVABLE_KEYS,
    keys: &[KeySpec {
        begin: Begin::Index(1),
        find: Find::KeyNum { number: 0, first: 1, step: 2 },
        flags: key_flags::OW | key_flags::UPDATE,
        notes: "",
    }],
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    args: &[
        Arg::new("numkeys", ArgKind::Integer),
        PAIRS,
        Arg::one_of("condition", &[NX, XX]).optional(),
        Arg::one_of("expiration", &[EX, PX, EXAT, PXAT, KEEPTTL]).optional(),
    ],
    handler: msetex,
    ..BASE
};

fn msetex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (condition, option) = msetex_options(msetex_tail(call)?)?;
    let expiry = option.resolve(call.now_ms(), "msetex")?;
    let applies = !condition.is_some() || holds_for_all(call, condition)?;
    if applies {
        for (index, key) in call.keys.iter().enumerate() {
            let (db, value) = (call.db(), call.args.at(2 * index + 3));
            call.view.set(db, *key, given_string(call.args, key.bytes.len(), value), expiry);
            if matches!(expiry, Expiry::At(_)) {
                call.notify(event_class::GENERIC, "expire", *key);
            }
            call.notify(event_class::STRING, "set", *key);
        }
        if let Expiry::At(at_ms) = expiry
            && !option.word.is_absolute()
        {
            propagate_msetex(call, condition, at_ms);
        }
    }
    call.reply.integer(i64::from(applies));
    Ok(())
}

/// What follows the keys and values.
fn msetex_tail<'c>(call: &Call<'c, '_>) -> Result<Cursor<'c>, Error> {
    let number = ochre_types::parse_i64(call.args.at(1))
        .filter(|number| (1..=i64::from(i32::MAX)).contains(number))
        .ok_or(Error::new("ERR invalid numkeys value"))? as usize;
    if number > (call.args.len() - 2) / 2 {
        return Err(Error::new("ERR wrong number of key-value pairs"));
    }
    Ok(call.args.cursor(2 + 2 * number))
}

fn msetex_options(mut cursor: Cursor<'_>) -> Result<(Condition<'_>, ExpiryOption<'_>), Error> {
    let (mut condition, mut option) = (Condition::default(), ExpiryOption::default());
    while !cursor.is_at_end() {
        if !option.eat(&mut cursor, ExpiryWord::KeepTtl)? && !condition.eat_existence(&mut cursor)? {
            return Err(SYNTAX);
        }
    }
    Ok((condition, option))
}

/// The request with the time made absolute.
fn propagate_msetex(call: &mut Call<'_, '_>, condition: Condition<'_>, at_ms: i64) {
    if !call.engine.keyspace.journal.is_active() {
        return;
    }
    let mut digits = itoa::Buffer::new();
    let kept = 2 + 2 * call.keys.len();
    let mut args: SmallVec<[&[u8]; 16]> = call.args.iter().take(kept).collect();
    args.extend([b"PXAT", digits.format(at_ms).as_bytes()]);
    match condition {
        Condition::Missing => args.push(b"NX"),
        Condition::Exists => args.push(b"XX"),
        _ => {}
    }
    call.propagate(&args);
}
