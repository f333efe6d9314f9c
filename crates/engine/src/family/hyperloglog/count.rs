//! PFCOUNT.
//!
//! It is a read that may write: what was counted for a single key is noted in its string, so that the next count is a
//! look at the header. The journal hears of that, since replicas have the same bytes.

use super::*;
use crate::call::Propagation;
use crate::command::flags;
use crate::error::WRONG_TYPE;

pub(super) const PFCOUNT: Command = Command {
    name: "pfcount",
    summary: "Estimates how many different elements HyperLogLogs have, together if there are several.",
    complexity: "O(1), quick for a single key nothing was added to; O(N) for N keys.",
    arity: -2,
    flags: flags::READONLY | flags::MAY_REPLICATE,
    keys: &[KeySpec {
        notes: "RW because the count is noted in the key, which replicas hear of",
        ..KeySpec::from(1, 1, key_flags::RW | key_flags::ACCESS)
    }],
    args: &[KEY.multiple()],
    handler: pfcount,
    ..BASE
};

fn pfcount(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let count = match call.keys {
        [key] => count_one(call, *key)?,
        keys => union_of(call, keys)?.finish().count(),
    };
    call.reply.integer(count as i64);
    Ok(())
}

fn count_one(call: &mut Call<'_, '_>, key: Key<'_>) -> Result<u64, Error> {
    let db = call.db();
    let Some(entry) = call.view.read(db, key) else { return Ok(0) };
    let sketch = sketch_of(entry)?;
    if let Some(count) = sketch.known_count() {
        return Ok(count);
    }
    let count = sketch.count()?;
    let note = |string: &mut [u8], _| {
        HyperLogLog::set_count(string, count);
        1
    };
    call.view.edit_string(db, key, 0, note).ok_or(WRONG_TYPE)?;
    call.propagation = Propagation::Forced;
    Ok(count)
}
