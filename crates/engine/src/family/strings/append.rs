//! Changing a string in place: APPEND and SETRANGE.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{EntryRef, Expiry, NewValue, event_class};
use ochre_types::{Object, set_range_len};

use super::value::given_string;
use super::*;
use crate::call::{Call, integer};
use crate::command::flags;
use crate::error::{Error, OFFSET_OUT_OF_RANGE, STRING_TOO_LONG, WRONG_TYPE};

pub(super) const APPEND: Command = Command {
    name: "append",
    summary: "Adds bytes to the end of a string; a missing key is created.",
    since: "2.0.0",
    complexity: "O(1) on average for short additions, since strings grow ahead of their use.",
    arity: 3,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST | flags::UNEVEN,
    keys: &[KeySpec::first(key_flags::RW | key_flags::INSERT)],
    args: &[KEY, VALUE],
    handler: append,
    ..BASE
};

fn append(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, suffix) = (call.client.db, call.key(), call.args.at(2));
    let len_max = len_max(call);
    let admit = |entry: EntryRef<'_>| {
        let len = (StringRef::of(entry)?.len() as u64).saturating_add(suffix.len() as u64);
        if len <= len_max { Ok(()) } else { Err(STRING_TOO_LONG) }
    };
    let len = match call.view.append_string(db, key, suffix, admit)? {
        Some(len) => len,
        None => {
            call.view.set(db, key, given_string(call.args, key.bytes.len(), suffix), Expiry::Clear);
            suffix.len()
        }
    };
    call.notify(event_class::STRING, "append", key);
    call.reply.integer(len as i64);
    Ok(())
}

/// The longest string that a change may lead to, bytes (`proto-max-bulk-len`).
pub(super) fn len_max(call: &Call<'_, '_>) -> u64 {
    call.engine.settings.bulk_len_max.load(Relaxed)
}

pub(super) const SETRANGE: Command = Command {
    name: "setrange",
    summary: "Writes bytes over a part of a string; a missing key is created.",
    since: "2.2.0",
    complexity: "O(1) for short bytes in place, else O(M), M being the length of the bytes.",
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::first(key_flags::RW | key_flags::UPDATE)],
    args: &[KEY, Arg::new("offset", ArgKind::Integer), VALUE],
    handler: setrange,
    ..BASE
};

fn setrange(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, bytes) = (call.client.db, call.key(), call.args.at(3));
    let offset = u64::try_from(integer(call.args.at(2))?).map_err(|_| OFFSET_OUT_OF_RANGE)?;
    let old = call.view.peek(db, key).map(StringRef::of).transpose()?;
    let (old_len, is_new) = (old.map_or(0, StringRef::len), old.is_none());
    let len = set_range_len(old_len, offset, bytes.len(), len_max(call)).map_err(|_| STRING_TOO_LONG)?;
    let part = call.args.part(bytes).filter(|_| offset == 0 && is_new);
    if let Some(part) = part {
        call.view.set(db, key, NewValue::Object(Object::String(part.share())), Expiry::Clear);
        call.notify(event_class::STRING, "setrange", key);
    } else if !bytes.is_empty() {
        let string = call.view.grow_string(db, key, len).ok_or(WRONG_TYPE)?;
        let start = offset as usize;
        string[start..start + bytes.len()].copy_from_slice(bytes);
        call.notify(event_class::STRING, "setrange", key);
    }
    call.reply.integer(len as i64);
    Ok(())
}
