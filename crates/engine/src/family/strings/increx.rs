//! INCREX: a counter with bounds and an expiry, in one step.
//!
//! The sum is computed exactly (integers) or as INCRBYFLOAT does (floats), then held against the bounds: those given, and
//! always those of the type. A sum out of bounds changes nothing, neither value nor expiry, and answers with the present
//! value and 0; with SATURATE it becomes the bound. Only the sum counts: a value out of bounds may come back in, but
//! not move about outside. The journal gets the outcome as a SET.

use ochre_keyspace::{EntryRef, Expiry, event_class};
use ochre_resp::Protocol;
use ochre_types::LongDouble;

use super::counters::{float, float_of, integer_of};
use super::get::remove_expired;
use super::set::propagate_set;
use super::value::new_text;
use super::*;
use crate::call::{Call, Cursor, integer};
use crate::command::flags;
use crate::error::{Error, INCR_OVERFLOW, SYNTAX};
use ochre_keyspace::NewValue;

/// A number, a bound or a difference is infinite.
const INFINITE: Error = Error::new("ERR value or increment would produce Infinity");
/// No sum can be within the bounds.
const BOUNDS_CROSSED: Error = Error::new("ERR LBOUND can't be greater than UBOUND");

pub(super) const INCREX: Command = Command {
    name: "increx",
    summary: "Adds to the number of a key within bounds and sets when the key expires.",
    since: "8.8.0",
    arity: -2,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: UPDATES,
    args: &[
        KEY,
        Arg::one_of(
            "increment",
            &[
                Arg::new("float", ArgKind::Double).token("BYFLOAT"),
                Arg::new("integer", ArgKind::Integer).token("BYINT"),
            ],
        )
        .optional(),
        Arg::word("saturate", "SATURATE").optional(),
        Arg::new("lowerbound", ArgKind::String).token("LBOUND").optional(),
        Arg::new("upperbound", ArgKind::String).token("UBOUND").optional(),
        Arg::one_of("expiration", &[EX, PX, EXAT, PXAT, PERSIST]).optional(),
        Arg::word("enx", "ENX").optional(),
    ],
    handler: increx,
    ..BASE
};

#[derive(Default)]
struct Options<'a> {
    by_int: Option<&'a [u8]>,
    by_float: Option<&'a [u8]>,
    lower: Option<&'a [u8]>,
    upper: Option<&'a [u8]>,
    saturate: bool,
    expiry: ExpiryOption<'a>,
    only_unless_expiring: bool,
}

impl<'a> Options<'a> {
    fn parse(mut cursor: Cursor<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options::default();
        while !cursor.is_at_end() {
            if !options.expiry.eat(&mut cursor, ExpiryWord::Persist)? {
                options.parse_one(&mut cursor)?;
            }
        }
        let persists = options.expiry.word == ExpiryWord::Persist;
        if options.by_int.is_some() && options.by_float.is_some() || options.only_unless_expiring && persists
        {
            return Err(SYNTAX);
        }
        match options.only_unless_expiring && !options.expiry.word.is_time() {
            true => Err(Error::new("ERR ENX flag requires an expiration")),
            false => Ok(options),
        }
    }

    fn parse_one(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Error> {
        if cursor.eat("SATURATE") {
            self.saturate = true;
        } else if cursor.eat("ENX") {
            self.only_unless_expiring = true;
        } else if cursor.eat("BYINT") {
            self.by_int = Some(cursor.next_arg()?);
        } else if cursor.eat("BYFLOAT") {
            self.by_float = Some(cursor.next_arg()?);
        } else if cursor.eat("LBOUND") {
            self.lower = Some(cursor.next_arg()?);
        } else if cursor.eat("UBOUND") {
            self.upper = Some(cursor.next_arg()?);
        } else {
            return Err(SYNTAX);
        }
        Ok(())
    }

    /// The sum if it is within the bounds, or the bound with SATURATE; `None` if nothing is to change.
    fn bounded<N: PartialOrd>(&self, sum: N, lower: N, upper: N) -> Option<N> {
        let bound = match () {
            () if sum < lower => lower,
            () if sum > upper => upper,
            () => return Some(sum),
        };
        self.saturate.then_some(bound)
    }
}

fn increx(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options::parse(call.args.cursor(2))?;
    match options.by_float {
        Some(by) => add_float(call, &options, by),
        None => add_int(call, &options),
    }
}

fn add_int(call: &mut Call<'_, '_>, options: &Options<'_>) -> Result<(), Error> {
    let by = options.by_int.map_or(Ok(1), integer)?;
    let lower = options.lower.map_or(Ok(i64::MIN), integer)?;
    let upper = options.upper.map_or(Ok(i64::MAX), integer)?;
    if lower > upper {
        return Err(BOUNDS_CROSSED);
    }
    let expiry = options.expiry.resolve(call.now_ms(), "increx")?;
    let old = integer_of(call.view.peek(call.client.db, call.keys[0]).map(EntryRef::value))?;
    // Two 64-bit numbers never overflow 128 bits; the bounds bring the sum back to 64.
    let sum = options.bounded(i128::from(old) + i128::from(by), i128::from(lower), i128::from(upper));
    let sum = sum.and_then(|sum| i64::try_from(sum).ok());
    let applied = sum.unwrap_or(old).checked_sub(old).ok_or(INCR_OVERFLOW)?;
    if let Some(sum) = sum {
        let text = itoa::Buffer::new().format(sum).to_owned();
        finish(call, options, expiry, NewValue::Int(sum), text.as_bytes());
    }
    call.reply.array(2);
    call.reply.integer(sum.unwrap_or(old));
    call.reply.integer(applied);
    Ok(())
}

fn add_float(call: &mut Call<'_, '_>, options: &Options<'_>, by: &[u8]) -> Result<(), Error> {
    let by = finite(by)?;
    let lower = options.lower.map_or(Ok(-LongDouble::MAX), finite)?;
    let upper = options.upper.map_or(Ok(LongDouble::MAX), finite)?;
    if lower > upper {
        return Err(BOUNDS_CROSSED);
    }
    let expiry = options.expiry.resolve(call.now_ms(), "increx")?;
    let key = call.key();
    let old = float_of(call.view.peek(call.client.db, key))?;
    if old.is_infinite() {
        return Err(INFINITE);
    }
    let sum = options.bounded(old + by, lower, upper);
    let applied = sum.unwrap_or(old) - old;
    if applied.is_infinite() {
        return Err(INFINITE);
    }
    let text = sum.unwrap_or(old).to_human_string().into_bytes();
    if sum.is_some() {
        finish(call, options, expiry, new_text(key.bytes.len(), &text), &text);
    }
    call.reply.array(2);
    reply_float(call, &text);
    reply_float(call, applied.to_human_string().as_bytes());
    Ok(())
}

fn finite(text: &[u8]) -> Result<LongDouble, Error> {
    let number = float(text)?;
    if number.is_infinite() { Err(INFINITE) } else { Ok(number) }
}

/// Stores the new number and does what was asked about the expiry.
fn finish(call: &mut Call<'_, '_>, options: &Options<'_>, expiry: Expiry, value: NewValue<'_>, text: &[u8]) {
    let (db, key) = (call.db(), call.key());
    let expires = call.view.peek(db, key).is_some_and(|entry| entry.expire_ms().is_some());
    let keeps = options.expiry.word == ExpiryWord::Unsaid || options.only_unless_expiring && expires;
    let expiry = if keeps { Expiry::Keep } else { expiry };
    if matches!(expiry, Expiry::At(at_ms) if options.expiry.word.is_absolute() && call.has_passed(at_ms)) {
        return remove_expired(call);
    }
    call.view.update(db, key, value, expiry);
    let event = if options.by_float.is_some() { "incrbyfloat" } else { "incrby" };
    call.notify(event_class::STRING, event, key);
    match expiry {
        Expiry::At(_) => call.notify(event_class::GENERIC, "expire", key),
        Expiry::Clear if expires => call.notify(event_class::GENERIC, "persist", key),
        _ => {}
    }
    propagate_set(call, text, expiry);
}

/// A number that RESP3 has a type for, but with more digits than a double would be given.
fn reply_float(call: &mut Call<'_, '_>, text: &[u8]) {
    if call.reply.protocol() == Protocol::Resp2 {
        return call.reply.bulk(text);
    }
    call.reply.raw(b",");
    call.reply.raw(text);
    call.reply.raw(b"\r\n");
}
