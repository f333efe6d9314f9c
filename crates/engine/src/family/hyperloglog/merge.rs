//! PFMERGE.

use ochre_keyspace::{Expiry, event_class};

use super::*;
use crate::command::flags;
use crate::family::strings::raw_string;

pub(super) const PFMERGE: Command = Command {
    name: "pfmerge",
    summary: "Adds the elements of HyperLogLogs to another one; a missing key is created.",
    complexity: "O(N), N being the number of keys.",
    arity: -2,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[
        KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::INSERT),
        KeySpec::from(2, 1, key_flags::RO | key_flags::ACCESS),
    ],
    args: &[Arg::key("destkey", 0), Arg::key("sourcekey", 1).optional().multiple()],
    handler: pfmerge,
    ..BASE
};

fn pfmerge(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let len_max = sparse_len_max(call);
    let union = union_of(call, call.keys)?;
    let (any_dense, union) = (union.has_dense(), union.finish());
    let existing = |string: &mut Vec<u8>| (1, raise(string, &union, any_dense, len_max));
    if edit(call, existing)?.is_none() {
        let (db, key) = (call.db(), call.key());
        let mut string = HyperLogLog::empty();
        raise(&mut string, &union, any_dense, len_max)?;
        raw_string(string, |value| call.view.set(db, key, value, Expiry::Clear));
    }
    call.notify(event_class::STRING, "pfadd", call.key());
    call.reply.ok();
    Ok(())
}

/// Raises a HyperLogLog to a union that it is part of. If any part is dense, so is the result.
fn raise(string: &mut Vec<u8>, union: &Registers, dense: bool, len_max: usize) -> Result<(), Corrupt> {
    if dense {
        HyperLogLog::make_dense(string)?;
    }
    HyperLogLog::raise_to(string, union, len_max)?;
    HyperLogLog::invalidate(string);
    Ok(())
}
