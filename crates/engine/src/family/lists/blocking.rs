//! The forms of pops and moves that wait until there is something to take.

use ochre_types::DataType;
use ochre_types::list::{End, List};

use super::ends::{WHERE, WHERE_FROM, WHERE_TO};
use super::moves::{DESTINATION, Ends, HOW_MANY, MOVE, Moves, SOURCE, move_many, move_one, reply_elements};
use super::pop::{COUNT, NUMKEYS, Take, counted_keys, pop_arguments, take_first};
use super::*;
use crate::blocking::{Await, deadline};
use crate::command::{Find, flags};
use crate::error::Error;

const TIMEOUT: Arg = Arg::new("timeout", ArgKind::Double);
const TIMEOUT_HISTORY: &[(&str, &str)] = &[("6.0.0", "`timeout` may be a fraction.")];

const BLOCKING_POP: Command = Command {
    since: "2.0.0",
    complexity: "O(N), N being the number of keys.",
    arity: -3,
    flags: flags::WRITE | flags::BLOCKING,
    keys: &[KeySpec { find: Find::Range { last: -2, step: 1, limit: 0 }, ..KeySpec::first(POPPED) }],
    args: &[KEY.multiple(), TIMEOUT],
    history: TIMEOUT_HISTORY,
    ..BASE
};

pub(super) const BLPOP: Command = Command {
    name: "blpop",
    summary: "Removes the first element of the first list that has any and returns it; waits for one if there is none.",
    handler: |call| pop_or_wait(call, End::Head),
    ..BLOCKING_POP
};

pub(super) const BRPOP: Command = Command {
    name: "brpop",
    summary: "Removes the last element of the first list that has any and returns it; waits for one if there is none.",
    handler: |call| pop_or_wait(call, End::Tail),
    ..BLOCKING_POP
};

fn pop_or_wait(call: &mut Call<'_, '_>, end: End) -> Result<(), Error> {
    let deadline_ms = deadline(call.args.at(call.args.len() - 1), call.now_ms())?;
    if !take_first(call, end, Take::OneNamed)? {
        wait_for_lists(call, call.keys.len(), deadline_ms);
    }
    Ok(())
}

/// Has the client wait until one of its first `keys` keys is a list. What cannot wait is told that there is none.
fn wait_for_lists(call: &mut Call<'_, '_>, keys: usize, deadline_ms: i64) {
    if call.in_transaction {
        call.reply.null_array();
    } else {
        call.block_on_keys(Await::value(keys, List::NAME, deadline_ms));
    }
}

pub(super) const BLMPOP: Command = Command {
    name: "blmpop",
    summary: "Removes elements from the first of several lists that has any and returns them; waits for one if there is none.",
    since: "7.0.0",
    complexity: "O(N+M), N being the number of keys and M the number of elements returned.",
    arity: -5,
    flags: flags::WRITE | flags::BLOCKING,
    keys: &[counted_keys(2)],
    args: &[TIMEOUT, NUMKEYS, KEY.multiple(), WHERE, COUNT],
    handler: blmpop,
    ..BASE
};

fn blmpop(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let deadline_ms = deadline(call.args.at(1), call.now_ms());
    // The timeout is looked at last.
    let (end, count) = pop_arguments(call.args.cursor(2))?;
    let deadline_ms = deadline_ms?;
    if !take_first(call, end, Take::UpToNamed(count))? {
        wait_for_lists(call, call.keys.len(), deadline_ms);
    }
    Ok(())
}

const BLOCKING_MOVE: Command = Command { flags: MOVE.flags | flags::BLOCKING, ..MOVE };

pub(super) const BLMOVE: Command = Command {
    name: "blmove",
    summary: "Moves an element from an end of a list to an end of a list and returns it; waits for one if there is none.",
    since: "6.2.0",
    arity: 6,
    args: &[SOURCE, DESTINATION, WHERE_FROM, WHERE_TO, TIMEOUT],
    handler: blmove,
    ..BLOCKING_MOVE
};

fn blmove(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let ends = Ends::next(&mut call.args.cursor(3))?;
    let deadline_ms = deadline(call.args.at(5), call.now_ms())?;
    if move_or_wait(call, ends, deadline_ms)? {
        let [source, destination, from, to] = [1, 2, 3, 4].map(|index| call.args.at(index));
        call.propagate(&[b"LMOVE", source, destination, from, to]);
    }
    Ok(())
}

pub(super) const BRPOPLPUSH: Command = Command {
    name: "brpoplpush",
    summary: "Moves the last element of a list to the head of a list and returns it; waits for one if there is none.",
    since: "2.2.0",
    arity: 4,
    args: &[SOURCE, DESTINATION, TIMEOUT],
    history: TIMEOUT_HISTORY,
    deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
    handler: brpoplpush,
    ..BLOCKING_MOVE
};

fn brpoplpush(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let deadline_ms = deadline(call.args.at(3), call.now_ms())?;
    if move_or_wait(call, Ends::TAIL_TO_HEAD, deadline_ms)? {
        call.propagate(&[b"RPOPLPUSH", call.args.at(1), call.args.at(2)]);
    }
    Ok(())
}

/// Moves an element and replies it, if there is one; whether there was.
fn move_or_wait(call: &mut Call<'_, '_>, ends: Ends, deadline_ms: i64) -> Result<bool, Error> {
    let moved = move_one(call, ends)?;
    match &moved {
        Some(element) => call.reply.bulk(element),
        None if call.in_transaction => call.reply.null(),
        None => wait_for_lists(call, 1, deadline_ms),
    }
    Ok(moved.is_some())
}

pub(super) const BLMOVEM: Command = Command {
    name: "blmovem",
    summary: "Moves several elements from an end of a list to an end of a list and returns them; waits until there are enough.",
    since: "8.10.0",
    complexity: "O(N), N being the number of elements moved.",
    arity: -6,
    args: &[SOURCE, DESTINATION, WHERE_FROM, WHERE_TO, TIMEOUT, HOW_MANY],
    handler: blmovem,
    ..BLOCKING_MOVE
};

fn blmovem(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let ends = Ends::next(&mut call.args.cursor(3))?;
    let deadline_ms = deadline(call.args.at(5), call.now_ms())?;
    let moves = Moves::next(ends, &mut call.args.cursor(6))?;
    let Some(elements) = move_many(call, moves)? else {
        wait_for_lists(call, 1, deadline_ms);
        return Ok(());
    };
    let args: Vec<&[u8]> = call.args.from(1).collect();
    let (ends, how) = (args.get(..4).unwrap_or_default(), args.get(5..).unwrap_or_default());
    call.propagate(&[&[&b"LMOVEM"[..]], ends, how].concat());
    reply_elements(call, &elements);
    Ok(())
}
