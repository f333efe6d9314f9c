//! BITOP. Long strings are combined aside (see [`crate::aside`]).

use std::borrow::Cow;

use ochre_keyspace::{EntryRef, Expiry, Key, ValueRef, event_class};
use ochre_types::{BitOperation, LongString, ObjectRef, combine};
use smallvec::SmallVec;

use super::*;
use crate::command::flags;
use crate::family::strings::{StringRef, raw_string};
use crate::sequel::BYTES_AT_ONCE;

pub(super) const BITOP: Command = Command {
    name: "bitop",
    summary: "Combines the bits of several strings and stores what comes of it.",
    since: "2.6.0",
    complexity: "O(N), N being the length of all strings together.",
    arity: -4,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[
        KeySpec::at(2, key_flags::OW | key_flags::UPDATE),
        KeySpec::from(3, 1, key_flags::RO | key_flags::ACCESS),
    ],
    args: &[
        Arg::one_of(
            "operation",
            &[
                Arg::word("and", "AND"),
                Arg::word("or", "OR"),
                Arg::word("xor", "XOR"),
                Arg::word("not", "NOT"),
                Arg::word("diff", "DIFF"),
                Arg::word("diff1", "DIFF1"),
                Arg::word("andor", "ANDOR"),
                Arg::word("one", "ONE"),
            ],
        ),
        Arg::key("destkey", 0),
        Arg::key("key", 1).multiple(),
    ],
    history: &[("8.2.0", "The operations `DIFF`, `DIFF1`, `ANDOR` and `ONE`.")],
    handler: bitop,
    ..BASE
};

fn bitop(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let operation = parse_operation(call)?;
    let (destination, sources) = (call.keys[0], &call.keys[1..]);
    let (is_there, bytes) = look_up(call, sources)?;
    let result = match bytes > BYTES_COMBINED_AT_ONCE {
        false => combine_sources(call, operation, sources, &is_there),
        true => match combine_long(call, operation, sources, &is_there)? {
            Some(result) => result,
            None => return Ok(()),
        },
    };
    let len = result.len();
    store(call, destination, result);
    call.reply.integer(len as i64);
    Ok(())
}

fn parse_operation(call: &Call<'_, '_>) -> Result<BitOperation, Error> {
    let operation = BitOperation::from_name(call.args.at(1)).ok_or(SYNTAX)?;
    let sources = call.args.len() - 3;
    if operation == BitOperation::Not && sources != 1 {
        return Err(Error::new("ERR BITOP NOT must be called with a single source key."));
    }
    if operation.needs_two() && sources < 2 {
        let name = operation.name();
        return Err(Error::owned(format!("ERR BITOP {name} must be called with at least two source keys.")));
    }
    Ok(operation)
}

/// Which sources are there, and how many bytes those have that are long.
///
/// # Errors
/// One of them is no string.
fn look_up(call: &mut Call<'_, '_>, sources: &[Key<'_>]) -> Result<(SmallVec<[bool; 16]>, usize), Error> {
    let (db, mut bytes) = (call.db(), 0);
    let mut is_there = |source: &Key<'_>| {
        let value = call.view.read(db, *source).map(StringRef::of).transpose()?;
        if let Some(StringRef::Bytes(string)) = value {
            bytes += string.len();
        }
        Ok::<bool, Error>(value.is_some())
    };
    let are_there = sources.iter().map(&mut is_there).collect::<Result<_, _>>()?;
    Ok((are_there, bytes))
}

/// Strings of more bytes together are combined aside: less is a matter of a millisecond.
const BYTES_COMBINED_AT_ONCE: usize = if cfg!(debug_assertions) { BYTES_AT_ONCE } else { 8 * BYTES_AT_ONCE };

/// What comes of long strings; `None` if that is not known yet.
#[cold]
fn combine_long(
    call: &mut Call<'_, '_>,
    operation: BitOperation,
    sources: &[Key<'_>],
    is_there: &[bool],
) -> Result<Option<Vec<u8>>, Error> {
    call.make(
        sources,
        |call| {
            let inputs: Vec<LongString> = sources
                .iter()
                .zip(is_there)
                .map(|(source, is_there)| shared(call, source, *is_there))
                .collect();
            Some(Box::new(move || {
                let slices: Vec<&[u8]> = inputs.iter().map(|input| &**input).collect();
                combine(operation, &slices)
            }))
        },
        |call| Ok(combine_sources(call, operation, sources, is_there)),
    )
}

/// The string of a source: a share of a long one, a copy of any other, nothing if it is not there.
fn shared(call: &Call<'_, '_>, source: &Key<'_>, is_there: bool) -> LongString {
    let entry = is_there.then(|| call.view.glance(call.client.db, *source)).flatten();
    match entry.map(EntryRef::value) {
        Some(ValueRef::Object(ObjectRef::String(string))) => string.share(),
        Some(value) => {
            let bytes = StringRef::of_value(value).map(|string| string.with(<[u8]>::to_vec));
            bytes.unwrap_or_default().into()
        }
        None => LongString::default(),
    }
}

fn combine_sources(
    call: &Call<'_, '_>,
    operation: BitOperation,
    sources: &[Key<'_>],
    is_there: &[bool],
) -> Vec<u8> {
    let bytes_of = |(source, is_there): (&Key<'_>, &bool)| {
        let entry = is_there.then(|| call.view.glance(call.client.db, *source)).flatten();
        match entry.map(StringRef::of) {
            Some(Ok(StringRef::Bytes(bytes))) => Cow::Borrowed(bytes),
            Some(Ok(StringRef::Int(number))) => Cow::Owned(number.to_string().into_bytes()),
            Some(Err(_)) | None => Cow::Borrowed(&[][..]),
        }
    };
    let inputs: SmallVec<[Cow<'_, [u8]>; 16]> = sources.iter().zip(is_there).map(bytes_of).collect();
    let slices: SmallVec<[&[u8]; 16]> = inputs.iter().map(|input| &**input).collect();
    combine(operation, &slices)
}

/// An empty result is no string: the key is removed.
fn store(call: &mut Call<'_, '_>, key: Key<'_>, result: Vec<u8>) {
    let db = call.db();
    if result.is_empty() {
        if call.view.remove(db, key) {
            call.notify(event_class::GENERIC, "del", key);
        }
        return;
    }
    raw_string(result, |value| call.view.set(db, key, value, Expiry::Clear));
    call.notify(event_class::STRING, "set", key);
}
