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

/// Adds the elements of a key to a union; whether the key is there and dense.
fn merge(call: &mut Call<'_, '_>, key: Key<'_>, union: &mut SketchUnion) -> Result<bool, Error> {
    let Some(entry) = call.view.read(call.client.db, key) else { return Ok(false) };
    let sketch = sketch_of(entry)?;
    sketch.merge_into(union)?;
    Ok(sketch.encoding() == ochre_types::Encoding::Dense)
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
