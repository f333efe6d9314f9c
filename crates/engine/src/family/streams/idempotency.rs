//! XCFGSET, XIDMPRECORD: how much a stream remembers of producers that may send a message twice, and what.

use ochre_types::stream::{IdempotencyLimits, Stream};

use super::arguments::id;
use super::*;
use crate::call::{Cursor, integer};
use crate::command::flags;
use crate::error::{NO_SUCH_KEY, SYNTAX};

pub(super) const XCFGSET: Command = Command {
    name: "xcfgset",
    summary: "Sets how much a stream remembers of idempotent producers, which it forgets if that changes.",
    since: "8.6.0",
    arity: -2,
    flags: flags::WRITE | flags::FAST,
    keys: UPDATES,
    args: &[
        KEY,
        Arg::block(
            "idmp-duration-block",
            &[Arg::word("idmp-duration-token", "IDMP-DURATION"), Arg::new("duration", ArgKind::Integer)],
        )
        .optional(),
        Arg::block(
            "idmp-maxsize-block",
            &[Arg::word("idmp-maxsize-token", "IDMP-MAXSIZE"), Arg::new("maxsize", ArgKind::Integer)],
        )
        .optional(),
    ],
    handler: xcfgset,
    ..BASE
};

fn xcfgset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let stream = call.view.peek_as::<Stream>(db, key)?.ok_or(NO_SUCH_KEY)?;
    let before = stream.idempotency_limits().unwrap_or_default();
    let limits = limits_from(call.args.cursor(2), before)?;
    call.view.edit(db, key, |stream: &mut Stream, edit| {
        if limits != before {
            stream.set_idempotency_limits(limits);
            edit.counted(1);
        }
    })?;
    call.reply.ok();
    Ok(())
}

fn limits_from(mut cursor: Cursor<'_>, before: IdempotencyLimits) -> Result<IdempotencyLimits, Error> {
    const DURATION: Setting = Setting {
        max: 86_400,
        outside: "ERR IDMP-DURATION must be between 1 and 86400 seconds",
        twice: "ERR IDMP-DURATION specified multiple times",
    };
    const MAXSIZE: Setting = Setting {
        max: 10_000,
        outside: "ERR IDMP-MAXSIZE must be between 1 and 10000 entries",
        twice: "ERR IDMP-MAXSIZE specified multiple times",
    };
    if cursor.is_at_end() {
        return Err(Error::new("ERR At least one parameter must be specified"));
    }
    let (mut duration_s, mut ids_max) = (None, None);
    while !cursor.is_at_end() {
        if cursor.eat_with_value("IDMP-DURATION") {
            DURATION.read(&mut cursor, &mut duration_s)?;
        } else if cursor.eat_with_value("IDMP-MAXSIZE") {
            MAXSIZE.read(&mut cursor, &mut ids_max)?;
        } else {
            return Err(SYNTAX);
        }
    }
    Ok(IdempotencyLimits {
        duration_s: duration_s.unwrap_or(before.duration_s),
        ids_max: ids_max.unwrap_or(before.ids_max),
    })
}

/// A number from 1 to a maximum that may be given once.
struct Setting {
    max: u32,
    outside: &'static str,
    twice: &'static str,
}

impl Setting {
    fn read(&self, cursor: &mut Cursor<'_>, value: &mut Option<u32>) -> Result<(), Error> {
        if value.is_some() {
            return Err(Error::new(self.twice));
        }
        let number = u32::try_from(integer(cursor.next_arg()?)?).ok();
        let number = number.filter(|number| (1..=self.max).contains(number));
        *value = Some(number.ok_or(Error::new(self.outside))?);
        Ok(())
    }
}

pub(super) const XIDMPRECORD: Command = Command {
    name: "xidmprecord",
    summary: "Has a stream remember which entry a message of a producer became; for files and replicas.",
    since: "8.6.2",
    arity: 5,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: UPDATES,
    args: &[
        KEY,
        Arg::new("pid", ArgKind::String),
        Arg::new("iid", ArgKind::String),
        Arg::new("stream-id", ArgKind::String),
    ],
    handler: xidmprecord,
    ..BASE
};

fn xidmprecord(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let entry = id(call.args.at(4))?;
    let (producer, message, now_ms) = (call.args.at(2), call.args.at(3), call.now_ms());
    if producer.is_empty() {
        return Err(Error::new("ERR producer ID must be non-empty"));
    }
    if message.is_empty() {
        return Err(Error::new("ERR idempotent ID must be non-empty"));
    }
    let (db, key) = (call.db(), call.key());
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        if stream.get(entry).is_none() {
            return Err(Error::new("ERR No such message in stream"));
        }
        let before = stream.idempotency_figures().added;
        let defaults = IdempotencyLimits::default();
        let other = "ERR IID already exists for this producer with a different stream ID";
        let remembered = stream.remember_message(producer, message, entry, defaults, now_ms);
        remembered.map_err(|_| Error::new(other))?;
        edit.counted(usize::from(stream.idempotency_figures().added != before));
        Ok(())
    })?;
    done.ok_or(NO_SUCH_KEY)?.0?;
    call.reply.ok();
    Ok(())
}
