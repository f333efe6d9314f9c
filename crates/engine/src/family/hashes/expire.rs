//! Setting when fields expire: HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT, HPERSIST.
//!
//! All times end as absolute ones in milliseconds, and that is what the journal says, for the fields that got one. A time
//! that has passed removes the fields at once, and the journal says that.

use std::ops::Range;

use ochre_types::hash::{Condition, ExpireOutcome, Hash, PersistOutcome};
use smallvec::SmallVec;

use super::fields::fields_at;
use super::options::{FIELDS_TWICE, fields_behind, time_ms, unknown_argument};
use super::time_to_live::{NO_EXPIRY, NO_FIELD};
use super::*;
use crate::call::{Args, Call};
use crate::command::flags;
use crate::error::Error;

const CONDITION: Arg = Arg::one_of(
    "condition",
    &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
)
.optional();

pub(super) const HEXPIRE: Command = Command {
    name: "hexpire",
    summary: "Has fields of a hash expire after some seconds.",
    since: "7.4.0",
    complexity: "O(N), N being the number of fields given.",
    arity: -6,
    flags: flags::WRITE | flags::FAST,
    keys: UPDATES,
    args: &[KEY, Arg::new("seconds", ArgKind::Integer), CONDITION, FIELDS],
    handler: |call| expire(call, call.now_ms(), 1000),
    ..BASE
};

pub(super) const HPEXPIRE: Command = Command {
    name: "hpexpire",
    summary: "Has fields of a hash expire after some milliseconds.",
    args: &[KEY, Arg::new("milliseconds", ArgKind::Integer), CONDITION, FIELDS],
    handler: |call| expire(call, call.now_ms(), 1),
    ..HEXPIRE
};

pub(super) const HEXPIREAT: Command = Command {
    name: "hexpireat",
    summary: "Has fields of a hash expire at a Unix time in seconds.",
    args: &[KEY, Arg::new("unix-time-seconds", ArgKind::UnixTime), CONDITION, FIELDS],
    handler: |call| expire(call, 0, 1000),
    ..HEXPIRE
};

pub(super) const HPEXPIREAT: Command = Command {
    name: "hpexpireat",
    summary: "Has fields of a hash expire at a Unix time in milliseconds.",
    args: &[KEY, Arg::new("unix-time-milliseconds", ArgKind::UnixTime), CONDITION, FIELDS],
    handler: |call| expire(call, 0, 1),
    ..HEXPIRE
};

/// The time given counts from `base_ms` and in units of `unit_ms`.
fn expire(call: &mut Call<'_, '_>, base_ms: i64, unit_ms: i64) -> Result<(), Error> {
    let (db, key, now_ms) = (call.db(), call.key(), call.passed_ms());
    let is_there = call.view.peek_as::<Hash>(db, key)?.is_some();
    let at_ms = time_ms(call.args.at(2), base_ms, unit_ms, call.command.name)?;
    let options = Options::parse(call.args)?;
    let names = options.fields.clone().map(|index| call.args.at(index));
    let reply = &mut call.reply;
    reply.array(names.len());
    if !is_there {
        names.for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    }
    let mut done = Done::default();
    call.view.edit(db, key, |hash: &mut Hash, edit| {
        for name in names {
            let outcome = hash.expire(name, at_ms, options.condition.as_condition(), now_ms);
            reply.integer(done.note(name, outcome));
        }
        if !done.names.is_empty() {
            edit.changed(done.names.len());
            edit.removed_as_expired(if done.removes { done.names.len() } else { 0 });
            let event = if done.removes { "hdel" } else { "hexpire" };
            edit.notify_of_fields(event, done.names.iter().copied());
        }
    })?;
    done.propagate(call, at_ms, options.condition);
    Ok(())
}

/// The fields for which there was something to do. All were given the same time, so it is the same for all.
#[derive(Default)]
struct Done<'a> {
    names: Vec<&'a [u8]>,
    removes: bool,
}

impl<'a> Done<'a> {
    /// Takes note of a field; the number that stands for the outcome.
    fn note(&mut self, name: &'a [u8], outcome: ExpireOutcome) -> i64 {
        match outcome {
            ExpireOutcome::NoField => return NO_FIELD,
            ExpireOutcome::ConditionNotMet => return 0,
            ExpireOutcome::Set => {}
            ExpireOutcome::Deleted => self.removes = true,
        }
        self.names.push(name);
        if self.removes { 2 } else { 1 }
    }

    fn propagate(&self, call: &mut Call<'_, '_>, at_ms: i64, word: ConditionWord) {
        if self.names.is_empty() {
            return;
        }
        if self.removes {
            return propagate_removal(call, &self.names);
        }
        let (mut at, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
        let mut request: Vec<&[u8]> = vec![b"HPEXPIREAT", call.key().bytes, at.format(at_ms).as_bytes()];
        request.extend((!word.0.is_empty()).then_some(word.0.as_bytes()));
        request.extend([b"FIELDS", count.format(self.names.len()).as_bytes()]);
        request.extend(&self.names);
        call.propagate(&request);
    }
}

/// Has the journal say that fields are gone.
pub(super) fn propagate_removal(call: &mut Call<'_, '_>, names: &[&[u8]]) {
    let head: [&[u8]; 2] = [b"HDEL", call.key().bytes];
    call.propagate(&[&head, names].concat());
}

/// The word of a condition, in capitals; empty if there is none.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct ConditionWord(&'static str);

const CONDITIONS: [(&str, Condition); 4] = [
    ("NX", Condition::IfNone),
    ("XX", Condition::IfAny),
    ("GT", Condition::IfLater),
    ("LT", Condition::IfEarlier),
];

impl ConditionWord {
    fn as_condition(self) -> Condition {
        let known = CONDITIONS.iter().find(|(word, _)| *word == self.0);
        known.map_or(Condition::Always, |(_, condition)| *condition)
    }
}

/// What stands behind the time, in any order.
#[derive(Default)]
struct Options {
    condition: ConditionWord,
    fields: Range<usize>,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Options, Error> {
        let (mut options, mut index, mut is_ambiguous) = (Options::default(), 3, false);
        while let Some(arg) = args.get(index) {
            let condition = CONDITIONS.iter().find(|(word, _)| arg.eq_ignore_ascii_case(word.as_bytes()));
            index = if let Some((word, _)) = condition {
                is_ambiguous |= !["", *word].contains(&options.condition.0);
                options.condition = ConditionWord(word);
                index + 1
            } else if args.is(index, "FIELDS") {
                options.parse_fields(args, index)?
            } else {
                return Err(unknown_argument(arg));
            };
        }
        match () {
            () if options.fields.is_empty() => Err(Error::new("ERR missing FIELDS argument")),
            () if is_ambiguous => Err(Error::new("ERR Multiple condition flags specified")),
            () => Ok(options),
        }
    }

    fn parse_fields(&mut self, args: Args<'_>, index: usize) -> Result<usize, Error> {
        if !self.fields.is_empty() {
            return Err(FIELDS_TWICE);
        }
        if index + 2 >= args.len() {
            return Err(Error::new("ERR FIELDS requires at least numfields and one field argument"));
        }
        let not_a_number = Error::new("ERR Parameter `numFields` should be greater than 0");
        self.fields = fields_behind(args, index, 1, not_a_number)?;
        Ok(self.fields.end)
    }
}

pub(super) const HPERSIST: Command = Command {
    name: "hpersist",
    summary: "Has fields of a hash no longer expire.",
    arity: -5,
    args: &[KEY, FIELDS],
    handler: hpersist,
    ..HEXPIRE
};

fn hpersist(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, now_ms) = (call.db(), call.key(), call.view.field_clock_ms());
    let is_there = call.view.peek_as::<Hash>(db, key)?.is_some();
    let names = fields_at(call.args, 2)?;
    let reply = &mut call.reply;
    reply.array(names.len());
    if !is_there {
        names.for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    }
    call.view.edit(db, key, |hash: &mut Hash, edit| {
        let mut changed: SmallVec<[&[u8]; 4]> = SmallVec::new();
        for name in names {
            let outcome = hash.persist(name, now_ms);
            if outcome == PersistOutcome::Persisted {
                changed.push(name);
            }
            reply.integer(match outcome {
                PersistOutcome::NoField => NO_FIELD,
                PersistOutcome::NoExpiry => NO_EXPIRY,
                PersistOutcome::Persisted => 1,
            });
        }
        if !changed.is_empty() {
            // Once, whatever the number of fields, as in Redis.
            edit.changed(1);
            edit.notify_of_fields("hpersist", changed);
        }
    })?;
    Ok(())
}
