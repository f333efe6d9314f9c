//! HyperLogLogs: strings that estimate how many different elements a set has.
//!
//! What is in such a string is the business of `ochre_types`. Any string may be one or pretend to, so every command
//! begins by asking.

mod add;
mod count;
mod debug;
mod merge;
mod self_test;
#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{EntryRef, Key};
use ochre_types::{Corrupt, HyperLogLog, Registers, SketchUnion};

use super::strings::StringRef;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};
use crate::error::Error;

/// The family's commands.
pub const COMMANDS: &[Command] =
    &[add::PFADD, count::PFCOUNT, debug::PFDEBUG, merge::PFMERGE, self_test::PFSELFTEST];

const BASE: Command =
    Command { group: Group::Hyperloglog, acl: acl::HYPERLOGLOG, since: "2.8.9", ..Command::BASE };

const KEY: Arg = Arg::key("key", 0);

const NOT_ONE: Error = Error::new("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT: Error = Error::new("INVALIDOBJ Corrupted HLL object detected");

impl From<Corrupt> for Error {
    fn from(Corrupt: Corrupt) -> Error {
        CORRUPT
    }
}

/// The HyperLogLog of an entry.
///
/// # Errors
/// The entry holds another type, or a string that is none.
fn sketch_of(entry: EntryRef<'_>) -> Result<HyperLogLog<'_>, Error> {
    match StringRef::of(entry)? {
        StringRef::Bytes(bytes) => HyperLogLog::new(bytes).map_err(|_| NOT_ONE),
        StringRef::Int(_) => Err(NOT_ONE),
    }
}

/// The union of the HyperLogLogs of several keys; those that are not there have no elements.
///
/// # Errors
/// One of the keys, the first such, holds something else.
fn union_of<'v>(call: &'v mut Call<'_, '_>, keys: &[Key<'_>]) -> Result<SketchUnion<'v>, Error> {
    let db = call.db();
    let mut is_other =
        |key: &Key<'_>| call.view.read(db, *key).is_some_and(|entry| sketch_of(entry).is_err());
    let other = keys.iter().position(&mut is_other);
    // What an earlier one holds may make no sense, which is to be said first.
    let looked_at = &keys[..other.map_or(keys.len(), |index| index + 1)];
    let (view, mut union) = (&*call.view, SketchUnion::new());
    for entry in looked_at.iter().filter_map(|key| view.glance(db, *key)) {
        sketch_of(entry)?.merge_into(&mut union)?;
    }
    Ok(union)
}

/// The longest that a sparse one may be, bytes.
fn sparse_len_max(call: &Call<'_, '_>) -> usize {
    usize::try_from(call.engine.settings.hll_sparse_len_max.load(Relaxed)).unwrap_or(usize::MAX)
}

/// Edits the HyperLogLog of the first key with `edit`, which says as how many changes it counts; `None` if the key is not
/// there.
///
/// # Errors
/// The key holds something else, or what `edit` says; what it had done by then stays.
fn edit(
    call: &mut Call<'_, '_>,
    edit: impl FnOnce(&mut Vec<u8>) -> (u64, Result<(), Corrupt>),
) -> Result<Option<u64>, Error> {
    let (db, key) = (call.db(), call.key());
    let mut outcome = Ok(());
    let changes = call.view.edit_string_buffer(
        db,
        key,
        |entry| sketch_of(entry).map(drop),
        |string| {
            let (changes, result) = edit(string);
            outcome = result;
            changes
        },
    )?;
    outcome?;
    Ok(changes)
}
