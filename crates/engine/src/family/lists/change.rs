//! Changing a list anywhere: LSET, LINSERT, LREM, LTRIM.

use ochre_keyspace::{Garbage, LAZY_FREE_EFFORT, event_class};
use ochre_types::list::{End, List};

use super::read::{place, window};
use super::*;
use crate::call::integer;
use crate::command::flags;
use crate::error::{Error, NO_SUCH_KEY, SYNTAX};

pub(super) const LSET: Command = Command {
    name: "lset",
    summary: "Puts an element in the place of another one.",
    complexity: "O(N), N being the length of the list; O(1) at the ends.",
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::first(key_flags::RW | key_flags::UPDATE)],
    args: &[KEY, INDEX, ELEMENT],
    handler: lset,
    ..BASE
};

fn lset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, limits) = (call.db(), call.key(), limits(call));
    let (index, element) = (call.args.at(2), call.args.at(3));
    let set = call.view.edit(db, key, |list: &mut List, edit| {
        // Where there is no such element, the list still makes room for a longer one, as OBJECT ENCODING shows.
        // Peers look at the lower 32 bits of an index only, here and in no other command.
        let index = i64::from(integer(index)? as i32);
        let index = place(index, list.len()).unwrap_or(usize::MAX);
        if !list.set(index, element, &limits) {
            return Err(Error::new("ERR index out of range"));
        }
        edit.changed(1);
        edit.notify(event_class::LIST, "lset");
        Ok(())
    })?;
    set.ok_or(NO_SUCH_KEY)?.0?;
    call.reply.ok();
    Ok(())
}

pub(super) const LINSERT: Command = Command {
    name: "linsert",
    summary: "Adds an element before or after another one.",
    since: "2.2.0",
    complexity: "O(N), N being the number of elements to pass on the way to the pivot.",
    arity: 5,
    flags: flags::WRITE | flags::DENYOOM,
    keys: INSERTS,
    args: &[
        KEY,
        Arg::one_of("where", &[Arg::word("before", "BEFORE"), Arg::word("after", "AFTER")]),
        Arg::new("pivot", ArgKind::String),
        ELEMENT,
    ],
    handler: linsert,
    ..BASE
};

fn linsert(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let after = call.args.is(2, "after");
    if !after && !call.args.is(2, "before") {
        return Err(SYNTAX);
    }
    let (db, key, limits) = (call.db(), call.key(), limits(call));
    let (pivot, element) = (call.args.at(3), call.args.at(4));
    let len = call.view.edit(db, key, |list: &mut List, edit| {
        if !list.insert_beside(pivot, after, element, &limits) {
            return -1;
        }
        edit.changed(1);
        edit.notify(event_class::LIST, "linsert");
        list.len() as i64
    })?;
    call.reply.integer(len.map_or(0, |(len, _)| len));
    Ok(())
}

pub(super) const LREM: Command = Command {
    name: "lrem",
    summary: "Removes the elements of a list that have a value.",
    complexity: "O(N+M), N being the length of the list and M the number of elements removed.",
    arity: 4,
    flags: flags::WRITE,
    keys: DELETES,
    args: &[KEY, Arg::new("count", ArgKind::Integer), ELEMENT],
    handler: lrem,
    ..BASE
};

fn lrem(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (most, from) = removal(integer(call.args.at(2))?)?;
    let (db, key, limits, value) = (call.db(), call.key(), limits(call), call.args.at(3));
    let removed = call.view.edit(db, key, |list: &mut List, edit| {
        let removed = list.remove(value, most, from, &limits);
        if removed > 0 {
            edit.changed(removed);
            edit.notify(event_class::LIST, "lrem");
        }
        removed
    })?;
    call.reply.integer(removed.map_or(0, |(removed, _)| removed as i64));
    Ok(())
}

/// How many are removed at most, and from which end on: 0 means all.
fn removal(count: i64) -> Result<(usize, End), Error> {
    const TEXT: &str =
        "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    match count {
        i64::MIN => Err(Error::new(TEXT)),
        0 => Ok((usize::MAX, End::Head)),
        1.. => Ok((count as usize, End::Head)),
        _ => Ok((count.unsigned_abs() as usize, End::Tail)),
    }
}

pub(super) const LTRIM: Command = Command {
    name: "ltrim",
    summary: "Removes all elements of a list but those between two indexes.",
    complexity: "O(N), N being the number of elements removed.",
    arity: 4,
    flags: flags::WRITE,
    keys: DELETES,
    args: &[KEY, START, STOP],
    handler: ltrim,
    ..BASE
};

fn ltrim(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (start, stop) = (integer(call.args.at(2))?, integer(call.args.at(3))?);
    let (db, key, limits) = (call.db(), call.key(), limits(call));
    let trimmed = call.view.edit(db, key, |list: &mut List, edit| {
        let (from, count) = window(start, stop, list.len());
        // It tells of a change even where all elements stay.
        edit.touched();
        edit.changed(list.len() - count);
        edit.notify(event_class::LIST, "ltrim");
        list.trim(from, count, &limits)
    })?;
    if let Some((Some(nodes), _)) = trimmed
        && nodes.free_effort() > LAZY_FREE_EFFORT
    {
        call.view.effects().garbage.push(Garbage::Nodes(nodes));
    }
    call.reply.ok();
    Ok(())
}
