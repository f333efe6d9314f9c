//! When fields expire: HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME.

use ochre_types::hash::{FieldExpiry, Hash};

use super::fields::fields_at;
use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;

pub(super) const HTTL: Command = Command {
    name: "httl",
    summary: "Returns in how many seconds fields of a hash expire.",
    since: "7.4.0",
    complexity: "O(N), N being the number of fields given.",
    arity: -5,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[KEY, FIELDS],
    handler: |call| tell(call, call.now_ms(), 1000),
    ..BASE
};

pub(super) const HPTTL: Command = Command {
    name: "hpttl",
    summary: "Returns in how many milliseconds fields of a hash expire.",
    handler: |call| tell(call, call.now_ms(), 1),
    ..HTTL
};

pub(super) const HEXPIRETIME: Command = Command {
    name: "hexpiretime",
    summary: "Returns the Unix times in seconds at which fields of a hash expire.",
    tips: &[],
    handler: |call| tell(call, 0, 1000),
    ..HTTL
};

pub(super) const HPEXPIRETIME: Command = Command {
    name: "hpexpiretime",
    summary: "Returns the Unix times in milliseconds at which fields of a hash expire.",
    handler: |call| tell(call, 0, 1),
    ..HEXPIRETIME
};

/// There is no such field.
pub(super) const NO_FIELD: i64 = -2;
/// The field does not expire.
pub(super) const NO_EXPIRY: i64 = -1;

/// Times count from `base_ms`, in units of `unit_ms`, rounded up.
fn tell(call: &mut Call<'_, '_>, base_ms: i64, unit_ms: i64) -> Result<(), Error> {
    let now_ms = call.view.field_clock_ms();
    let hash = call.view.read_as::<Hash>(call.client.db, call.keys[0])?;
    let names = fields_at(call.args, 2)?;
    call.reply.array(names.len());
    for name in names {
        let expiry = hash.map_or(FieldExpiry::NoField, |hash| hash.expiry(name, now_ms));
        call.reply.integer(match expiry {
            FieldExpiry::NoField => NO_FIELD,
            FieldExpiry::Never => NO_EXPIRY,
            FieldExpiry::At(at_ms) => at_ms.saturating_sub(base_ms).saturating_add(unit_ms - 1) / unit_ms,
        });
    }
    Ok(())
}
