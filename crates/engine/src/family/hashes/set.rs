//! HSET and its older relatives.

use ochre_types::hash::Hash;

use super::*;
use crate::call::{Args, Call};
use crate::command::flags;
use crate::error::Error;

pub(super) const HSET: Command = Command {
    name: "hset",
    summary: "Sets fields of a hash; the hash is made if there is none.",
    complexity: "O(N), N being the number of fields that are set.",
    arity: -4,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: UPDATES,
    args: &[KEY, DATA],
    history: &[("4.0.0", "Several pairs of `field` and `value` can be given.")],
    handler: |call| {
        let new = set_all(call)?;
        call.reply.integer(new as i64);
        Ok(())
    },
    ..BASE
};

pub(super) const HMSET: Command = Command {
    name: "hmset",
    summary: "Sets fields of a hash; the hash is made if there is none.",
    deprecated: Some(("4.0.0", "`HSET` with multiple field-value pairs")),
    history: &[],
    handler: |call| {
        set_all(call)?;
        call.reply.ok();
        Ok(())
    },
    ..HSET
};

/// Sets the fields that are the arguments from the third on; how many are new.
fn set_all(call: &mut Call<'_, '_>) -> Result<usize, Error> {
    let (args, limits) = (call.args, call.engine.settings.hash_limits());
    if !args.len().is_multiple_of(2) {
        return Err(call.wrong_arity());
    }
    let (new, _) = call.view.edit_or_create(call.client.db, call.keys[0], |hash: &mut Hash, edit| {
        edit.changed(args.len() / 2 - 1);
        edit.notify_of_fields("hset", pairs(args, 2).map(|(name, _)| name));
        hash.set_all(pairs(args, 2), &limits)
    })?;
    Ok(new)
}

/// Names with values, from an index to the end.
pub(super) fn pairs<'a>(
    args: Args<'a>,
    first: usize,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone + use<'a> {
    (first..args.len()).step_by(2).map(move |index| (args.at(index), args.at(index + 1)))
}

pub(super) const HSETNX: Command = Command {
    name: "hsetnx",
    summary: "Sets a field of a hash only if the field does not exist.",
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::INSERT)],
    args: &[KEY, FIELD, VALUE],
    handler: hsetnx,
    ..BASE
};

fn hsetnx(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (name, value) = (call.args.at(2), call.args.at(3));
    let (now_ms, limits) = (call.view.field_clock_ms(), call.engine.settings.hash_limits());
    let (is_set, _) = call.view.edit_or_create(call.client.db, call.keys[0], |hash: &mut Hash, edit| {
        edit.expire_field(hash, name, now_ms);
        let is_set = hash.set_new(name, value, now_ms, &limits);
        if is_set {
            edit.changed(1);
            edit.notify_of_fields("hset", [name]);
        }
        is_set
    })?;
    call.reply.integer(i64::from(is_set));
    Ok(())
}
