//! Adding elements at an end.

use ochre_keyspace::{Edit, event_class};
use ochre_types::list::{End, List};

use super::ends::pushed;
use super::*;
use crate::command::flags;
use crate::error::Error;

const PUSH: Command = Command {
    complexity: "O(1) for each element, so O(N) for N elements.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: INSERTS,
    args: &[KEY, ELEMENT.multiple()],
    history: &[("2.4.0", "Several elements may be given.")],
    ..BASE
};

const PUSH_TO_EXISTING: Command =
    Command { since: "2.2.0", history: &[("4.0.0", "Several elements may be given.")], ..PUSH };

pub(super) const LPUSH: Command = Command {
    name: "lpush",
    summary: "Adds elements at the head of a list; a missing key is created.",
    handler: |call| push(call, End::Head),
    ..PUSH
};

pub(super) const RPUSH: Command = Command {
    name: "rpush",
    summary: "Adds elements at the tail of a list; a missing key is created.",
    handler: |call| push(call, End::Tail),
    ..PUSH
};

pub(super) const LPUSHX: Command = Command {
    name: "lpushx",
    summary: "Adds elements at the head of a list that exists.",
    handler: |call| push_to_existing(call, End::Head),
    ..PUSH_TO_EXISTING
};

pub(super) const RPUSHX: Command = Command {
    name: "rpushx",
    summary: "Adds elements at the tail of a list that exists.",
    handler: |call| push_to_existing(call, End::Tail),
    ..PUSH_TO_EXISTING
};

/// The change that a push of all elements of the request makes; it gives the length of the list then.
fn addition<'c>(call: &Call<'c, '_>, end: End) -> impl FnOnce(&mut List, &mut Edit) -> usize + use<'c> {
    let (values, limits) = (call.args.from(2), limits(call));
    move |list, edit| {
        edit.changed(values.len());
        edit.notify(event_class::LIST, pushed(end));
        list.push(end, values, &limits);
        list.len()
    }
}

fn push(call: &mut Call<'_, '_>, end: End) -> Result<(), Error> {
    let (db, key, addition) = (call.db(), call.key(), addition(call, end));
    let (len, _) = call.view.edit_or_create(db, key, addition)?;
    call.reply.integer(len as i64);
    Ok(())
}

fn push_to_existing(call: &mut Call<'_, '_>, end: End) -> Result<(), Error> {
    let (db, key, addition) = (call.db(), call.key(), addition(call, end));
    let len = call.view.edit(db, key, addition)?.map_or(0, |(len, _)| len);
    call.reply.integer(len as i64);
    Ok(())
}
