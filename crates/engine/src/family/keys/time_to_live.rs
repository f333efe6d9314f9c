//! How long keys still live: TTL, PTTL, EXPIRETIME, PEXPIRETIME.

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::Error;

pub(super) const TTL: Command = Command {
    name: "ttl",
    summary: "Tells in how many seconds a key expires.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::first(key_flags::RO | key_flags::ACCESS)],
    tips: &["nondeterministic_output"],
    args: &[Arg::key("key", 0)],
    history: &[("2.8.0", "A key that does not exist is answered with -2.")],
    handler: |call| answer(call, |at_ms, now_ms| seconds(left(at_ms, now_ms))),
    ..BASE
};

pub(super) const PTTL: Command = Command {
    name: "pttl",
    summary: "Tells in how many milliseconds a key expires.",
    since: "2.6.0",
    handler: |call| answer(call, left),
    ..TTL
};

pub(super) const EXPIRETIME: Command = Command {
    name: "expiretime",
    summary: "Tells at which Unix time in seconds a key expires.",
    since: "7.0.0",
    tips: &[],
    history: &[],
    handler: |call| answer(call, |at_ms, _| seconds(at_ms)),
    ..TTL
};

pub(super) const PEXPIRETIME: Command = Command {
    name: "pexpiretime",
    summary: "Tells at which Unix time in milliseconds a key expires.",
    handler: |call| answer(call, |at_ms, _| at_ms),
    ..EXPIRETIME
};

/// Answers what `shown` makes of the time of expiry and the present time; -1 for a key that does not expire, -2 for one
/// that does not exist.
fn answer(call: &mut Call<'_, '_>, shown: fn(i64, i64) -> i64) -> Result<(), Error> {
    let now_ms = call.now_ms();
    let entry = call.view.look(call.client.db, call.key());
    let number = match entry.map(|entry| entry.expire_ms()) {
        None => -2,
        Some(None) => -1,
        Some(Some(at_ms)) => shown(at_ms, now_ms),
    };
    call.reply.integer(number);
    Ok(())
}

fn left(at_ms: i64, now_ms: i64) -> i64 {
    at_ms.saturating_sub(now_ms).max(0)
}

/// To the nearest second.
fn seconds(ms: i64) -> i64 {
    ms / 1000 + i64::from(ms % 1000 >= 500)
}
