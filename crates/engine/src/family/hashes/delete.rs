//! Removing fields.

use ochre_types::hash::Hash;
use smallvec::SmallVec;

use super::fields::fields_at;
use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;

pub(super) const HDEL: Command = Command {
    name: "hdel",
    summary: "Removes fields from a hash; the key goes with the last of them.",
    complexity: "O(N), N being the number of fields to be removed.",
    arity: -3,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::DELETE)],
    args: &[KEY, FIELD.multiple()],
    history: &[("2.4.0", "Several `field` arguments can be given.")],
    handler: hdel,
    ..BASE
};

fn hdel(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let names = call.args.from(2);
    let edited = call.view.edit(call.client.db, call.keys[0], |hash: &mut Hash, edit| {
        let removed: SmallVec<[&[u8]; 4]> = names.filter(|name| hash.remove(name)).collect();
        if !removed.is_empty() {
            edit.changed(removed.len());
            edit.notify_of_fields("hdel", removed.iter().copied());
        }
        removed.len()
    })?;
    call.reply.integer(edited.map_or(0, |(removed, _)| removed) as i64);
    Ok(())
}

pub(super) const HGETDEL: Command = Command {
    name: "hgetdel",
    summary: "Returns the values of fields of a hash and removes the fields.",
    since: "8.0.0",
    complexity: "O(N), N being the number of fields given.",
    arity: -5,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::DELETE)],
    args: &[KEY, FIELDS],
    handler: hgetdel,
    ..BASE
};

fn hgetdel(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, now_ms) = (call.db(), call.key(), call.view.field_clock_ms());
    let is_there = call.view.peek_as::<Hash>(db, key)?.is_some();
    let names = fields_at(call.args, 2)?;
    let reply = &mut call.reply;
    reply.array(names.len());
    if !is_there {
        names.for_each(|_| reply.null());
        return Ok(());
    }
    call.view.edit(db, key, |hash: &mut Hash, edit| {
        let mut removed: SmallVec<[&[u8]; 4]> = SmallVec::new();
        for name in names {
            edit.expire_field(hash, name, now_ms);
            match hash.take(name, now_ms, |value| reply_item(reply, value)) {
                true => removed.push(name),
                false => reply.null(),
            }
        }
        if !removed.is_empty() {
            edit.changed(removed.len());
            edit.notify_of_fields("hdel", removed);
        }
    })?;
    Ok(())
}
