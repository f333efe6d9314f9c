//! PFADD.

use ochre_keyspace::{Expiry, event_class};

use super::*;
use crate::command::flags;
use crate::family::strings::raw_string;

pub(super) const PFADD: Command = Command {
    name: "pfadd",
    summary: "Adds elements to a HyperLogLog; a missing key is created.",
    complexity: "O(1) for each element.",
    arity: -2,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::INSERT)],
    args: &[KEY, Arg::new("element", ArgKind::String).optional().multiple()],
    handler: pfadd,
    ..BASE
};

fn pfadd(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (elements, len_max) = (call.args.from(2), sparse_len_max(call));
    let changes = edit(call, |string| add_all(string, elements, len_max))?;
    let changes = match changes {
        Some(changes) => changes,
        None => create(call)?,
    };
    if changes > 0 {
        call.notify(event_class::STRING, "pfadd", call.key());
    }
    call.reply.integer(i64::from(changes > 0));
    Ok(())
}

/// Adds elements; how many changed something, until the string turned out to be nonsense.
fn add_all<'a>(
    string: &mut Vec<u8>,
    mut elements: impl Iterator<Item = &'a [u8]>,
    len_max: usize,
) -> (u64, Result<(), Corrupt>) {
    let mut changes = 0;
    let mut add = |element| {
        changes += u64::from(HyperLogLog::add(string, element, len_max)?);
        Ok(())
    };
    let result = elements.try_for_each(&mut add);
    if changes > 0 {
        HyperLogLog::invalidate(string);
    }
    (changes, result)
}

fn create(call: &mut Call<'_, '_>) -> Result<u64, Error> {
    let (db, key) = (call.db(), call.key());
    let mut string = HyperLogLog::empty();
    HyperLogLog::invalidate(&mut string);
    let (changes, result) = add_all(&mut string, call.args.from(2), sparse_len_max(call));
    result?;
    raw_string(string, |value| call.view.set(db, key, value, Expiry::Clear));
    call.view.count_changes(key, changes);
    Ok(changes + 1)
}
