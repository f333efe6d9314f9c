//! Taking elements from an end.

use ochre_keyspace::{Key, event_class};
use ochre_types::list::{End, List};

use super::ends::{WHERE, next_end, pop_command, popped};
use super::*;
use crate::call::{Cursor, integer_between};
use crate::command::{Begin, Find, flags};
use crate::error::{Error, SYNTAX};

const POP: Command = Command {
    complexity: "O(N), N being the number of elements returned.",
    arity: -2,
    flags: flags::WRITE | flags::FAST,
    keys: POPS,
    args: &[KEY, Arg::new("count", ArgKind::Integer).optional().since("6.2.0")],
    history: &[("6.2.0", "A `count` may be given.")],
    ..BASE
};

pub(super) const LPOP: Command = Command {
    name: "lpop",
    summary: "Removes elements from the head of a list and returns them.",
    handler: |call| pop(call, End::Head),
    ..POP
};

pub(super) const RPOP: Command = Command {
    name: "rpop",
    summary: "Removes elements from the tail of a list and returns them.",
    handler: |call| pop(call, End::Tail),
    ..POP
};

const POSITIVE: &str = "ERR value is out of range, must be positive";

fn pop(call: &mut Call<'_, '_>, end: End) -> Result<(), Error> {
    let key = call.key();
    if call.args.len() > 3 {
        return Err(call.wrong_arity());
    }
    let Some(arg) = call.args.get(2) else {
        if take(call, key, end, Take::One)?.is_none() {
            call.reply.null();
        }
        return Ok(());
    };
    let count = integer_between(arg, 0, i64::MAX, Some(POSITIVE))?;
    if take(call, key, end, Take::UpTo(count as usize))?.is_none() {
        call.reply.null_array();
    }
    Ok(())
}

/// How much is taken, and how it is replied.
#[derive(Clone, Copy)]
pub(super) enum Take {
    /// One element, as a bulk string.
    One,
    /// One element after the key's name, in an array.
    OneNamed,
    /// So many elements, in an array.
    UpTo(usize),
    /// So many elements, in an array after the key's name in another one.
    UpToNamed(usize),
}

/// Takes elements from an end of a list and replies them; how many. `None`, and nothing is replied, if there is no such key.
pub(super) fn take(
    call: &mut Call<'_, '_>,
    key: Key<'_>,
    end: End,
    take: Take,
) -> Result<Option<usize>, Error> {
    let (db, limits, reply) = (call.client.db, limits(call), &mut call.reply);
    let taken = call.view.edit(db, key, |list: &mut List, edit| {
        let count = match take {
            Take::One | Take::OneNamed => 1,
            Take::UpTo(count) | Take::UpToNamed(count) => count.min(list.len()),
        };
        begin_reply(reply, key, take, count);
        if count > 0 {
            list.pop(end, count, &limits, |item| reply_item(reply, item));
            edit.changed(count);
            edit.notify(event_class::LIST, popped(end));
        }
        count
    })?;
    Ok(taken.map(|(count, _)| count))
}

/// Writes what comes before the elements.
fn begin_reply(reply: &mut ReplyWriter<'_>, key: Key<'_>, take: Take, count: usize) {
    if let Take::OneNamed | Take::UpToNamed(_) = take {
        reply.array(2);
        reply.bulk(key.bytes);
    }
    if let Take::UpTo(_) | Take::UpToNamed(_) = take {
        reply.array(count);
    }
}

/// The keys of LMPOP and BLMPOP, whose number is at an index.
pub(super) const fn counted_keys(index: u16) -> KeySpec {
    KeySpec {
        begin: Begin::Index(index),
        find: Find::KeyNum { number: 0, first: 1, step: 1 },
        flags: POPPED,
        notes: "",
    }
}

pub(super) const NUMKEYS: Arg = Arg::new("numkeys", ArgKind::Integer);
pub(super) const COUNT: Arg = Arg::new("count", ArgKind::Integer).token("COUNT").optional();

pub(super) const LMPOP: Command = Command {
    name: "lmpop",
    summary: "Removes elements from the first of several lists that has any and returns them.",
    since: "7.0.0",
    complexity: "O(N+M), N being the number of keys and M the number of elements returned.",
    arity: -4,
    flags: flags::WRITE,
    keys: &[counted_keys(1)],
    args: &[NUMKEYS, KEY.multiple(), WHERE, COUNT],
    handler: lmpop,
    ..BASE
};

fn lmpop(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (end, count) = pop_arguments(call.args.cursor(1))?;
    if !take_first(call, end, Take::UpToNamed(count))? {
        call.reply.null_array();
    }
    Ok(())
}

/// Reads `numkeys key [key ...] LEFT|RIGHT [COUNT count]`: the end and the count.
pub(super) fn pop_arguments(mut cursor: Cursor<'_>) -> Result<(End, usize), Error> {
    const KEYS_ERROR: &str = "ERR numkeys should be greater than 0";
    let keys = integer_between(cursor.next_arg()?, 1, i64::MAX, Some(KEYS_ERROR))?;
    if usize::try_from(keys).map_or(true, |keys| keys >= cursor.left()) {
        return Err(SYNTAX);
    }
    for _ in 0..keys {
        cursor.next_arg()?;
    }
    let end = next_end(&mut cursor)?;
    let mut count = 1;
    if cursor.eat_with_value("count") {
        count = next_count(&mut cursor)?;
    }
    cursor.finish()?;
    Ok((end, count))
}

/// A number of elements, at least one.
pub(super) fn next_count(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    const COUNT_ERROR: &str = "ERR count should be greater than 0";
    Ok(integer_between(cursor.next_arg()?, 1, i64::MAX, Some(COUNT_ERROR))? as usize)
}

/// Takes elements from the first of the request's keys that has any, and has the journal say from which; whether there was
/// one.
pub(super) fn take_first(call: &mut Call<'_, '_>, end: End, how: Take) -> Result<bool, Error> {
    for key in call.keys {
        if let Some(count) = take(call, *key, end, how)? {
            let number = count.to_string();
            match how {
                Take::One | Take::OneNamed => call.propagate(&[pop_command(end), key.bytes]),
                _ => call.propagate(&[pop_command(end), key.bytes, number.as_bytes()]),
            }
            return Ok(true);
        }
    }
    Ok(false)
}
