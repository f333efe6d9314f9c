//! Reading a list: its length, an element, a range.

use std::ops::ControlFlow;

use ochre_types::list::List;
use ochre_types::listpack::Item;

use super::*;
use crate::call::integer;
use crate::command::flags;
use crate::error::Error;
use crate::sequel::ELEMENTS_AT_ONCE;

pub(super) const LLEN: Command = Command {
    name: "llen",
    summary: "Returns the length of a list.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::first(key_flags::RO)],
    args: &[KEY],
    handler: llen,
    ..BASE
};

fn llen(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let len = call.view.read_as::<List>(db, key)?.map_or(0, List::len);
    call.reply.integer(len as i64);
    Ok(())
}

pub(super) const LINDEX: Command = Command {
    name: "lindex",
    summary: "Returns an element of a list by its index.",
    complexity: "O(N), N being the number of elements to pass on the way from the nearer end.",
    arity: 3,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, INDEX],
    handler: lindex,
    ..BASE
};

fn lindex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, arg, reply) = (call.client.db, call.key(), call.args.at(2), &mut call.reply);
    let Some(list) = call.view.read_as::<List>(db, key)? else {
        reply.null();
        return Ok(());
    };
    let Some(index) = place(integer(arg)?, list.len()) else {
        reply.null();
        return Ok(());
    };
    let room = Room::behind(reply);
    let reply_if_short = |item: Item<'_>| {
        let is_short = room.has(reply, item);
        if is_short {
            reply_item(reply, item);
        }
        is_short
    };
    if list.get(index, reply_if_short) == Some(false) {
        promise_elements(call, index, 1);
    }
    Ok(())
}

/// The element that an index means, which counts from the end if it is negative.
pub(super) fn place(index: i64, len: usize) -> Option<usize> {
    let place = if index < 0 { (len as i64).checked_add(index)? } else { index };
    usize::try_from(place).ok().filter(|place| *place < len)
}

/// The elements from one index to another: the first and their number, which may be 0.
pub(super) fn window(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let absolute = |index: i64| if index < 0 { (len as i64).saturating_add(index) } else { index };
    let start = absolute(start).max(0);
    let stop = absolute(stop).min(len as i64 - 1);
    if start > stop { (len, 0) } else { (start as usize, (stop - start) as usize + 1) }
}

pub(super) const LRANGE: Command = Command {
    name: "lrange",
    summary: "Returns the elements of a list between two indexes.",
    complexity: "O(S+N), S being the distance of the start from the nearer end and N the number of elements returned.",
    arity: 4,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, START, STOP],
    handler: lrange,
    ..BASE
};

fn lrange(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (start, stop) = (integer(call.args.at(2))?, integer(call.args.at(3))?);
    let (db, key, reply) = (call.client.db, call.key(), &mut call.reply);
    let Some(list) = call.view.read_as::<List>(db, key)? else {
        reply.array(0);
        return Ok(());
    };
    let (from, count) = window(start, stop, list.len());
    reply.array(count);
    if count > ELEMENTS_AT_ONCE || !show(reply, list, from, count) {
        promise_elements(call, from, count);
    }
    Ok(())
}

/// Shows elements, unless that gets too long: then none. Whether they are shown.
#[inline]
fn show(reply: &mut ReplyWriter<'_>, list: &List, from: usize, count: usize) -> bool {
    let (room, mut left) = (Room::behind(reply), count);
    if left == 0 {
        return true;
    }
    list.walk(from, |item| {
        if !room.has(reply, item) {
            return ControlFlow::Break(());
        }
        reply_item(reply, item);
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if left > 0 {
        room.take_back(reply);
    }
    left == 0
}

/// Leaves elements to be replied in parts.
#[cold]
fn promise_elements(call: &mut Call<'_, '_>, from: usize, count: usize) {
    let pin = |list: &mut List| list.pin_range(from, count);
    if let Some(pinned) = call.view.pin(call.client.db, call.key(), pin) {
        call.promise(Box::new(pinned));
    }
}
