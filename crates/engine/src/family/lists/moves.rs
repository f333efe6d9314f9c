//! Moving elements from an end of a list to an end of another, or of the same one.
//!
//! The destination is told of before the source: it is pushed to first, which also means that nothing is lost where it
//! turns out to be of another type.

use ochre_keyspace::event_class;
use ochre_types::list::{End, List};

use super::ends::{WHERE_FROM, WHERE_TO, next_end, popped, pushed};
use super::pop::next_count;
use super::*;
use crate::call::Cursor;
use crate::command::flags;
use crate::error::{Error, SYNTAX};

pub(super) const SOURCE: Arg = Arg::key("source", 0);
pub(super) const DESTINATION: Arg = Arg::key("destination", 1);

pub(super) const MOVE: Command = Command {
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::first(POPPED), KeySpec::at(2, key_flags::RW | key_flags::INSERT)],
    ..BASE
};

pub(super) const LMOVE: Command = Command {
    name: "lmove",
    summary: "Moves an element from an end of a list to an end of a list and returns it.",
    since: "6.2.0",
    arity: 5,
    args: &[SOURCE, DESTINATION, WHERE_FROM, WHERE_TO],
    handler: lmove,
    ..MOVE
};

fn lmove(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let ends = Ends::next(&mut call.args.cursor(3))?;
    reply_moved(call, ends)
}

pub(super) const RPOPLPUSH: Command = Command {
    name: "rpoplpush",
    summary: "Moves the last element of a list to the head of a list and returns it.",
    since: "1.2.0",
    arity: 3,
    args: &[SOURCE, DESTINATION],
    deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
    handler: |call| reply_moved(call, Ends::TAIL_TO_HEAD),
    ..MOVE
};

fn reply_moved(call: &mut Call<'_, '_>, ends: Ends) -> Result<(), Error> {
    match move_one(call, ends)? {
        Some(element) => call.reply.bulk(&element),
        None => call.reply.null(),
    }
    Ok(())
}

/// From which end to which.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) from: End,
    pub(super) to: End,
}

impl Ends {
    /// Those of RPOPLPUSH.
    pub(super) const TAIL_TO_HEAD: Ends = Ends { from: End::Tail, to: End::Head };

    /// Reads `LEFT|RIGHT LEFT|RIGHT`.
    pub(super) fn next(cursor: &mut Cursor<'_>) -> Result<Ends, Error> {
        Ok(Ends { from: next_end(cursor)?, to: next_end(cursor)? })
    }
}

/// Moves an element from the first key to the second and returns it; `None` if there is none.
pub(super) fn move_one(call: &mut Call<'_, '_>, ends: Ends) -> Result<Option<Vec<u8>>, Error> {
    let how = Moves { ends, count: 1, is_exact: false, is_bulk: false };
    Ok(move_many(call, how)?.and_then(|mut elements| elements.pop()))
}

/// How many elements are moved, and how.
#[derive(Clone, Copy)]
pub(super) struct Moves {
    pub(super) ends: Ends,
    /// At most so many.
    pub(super) count: usize,
    /// So many or none.
    pub(super) is_exact: bool,
    /// They keep their order; otherwise it is as if they were moved one by one.
    pub(super) is_bulk: bool,
}

impl Moves {
    /// Reads `[COUNT count | EXACTLY count OBO | BULK]`.
    pub(super) fn next(ends: Ends, cursor: &mut Cursor<'_>) -> Result<Moves, Error> {
        let mut moves = Moves { ends, count: 1, is_exact: false, is_bulk: false };
        if cursor.is_at_end() {
            return Ok(moves);
        }
        moves.is_exact = cursor.eat_with_value("exactly");
        if !moves.is_exact && !cursor.eat_with_value("count") {
            return Err(SYNTAX);
        }
        moves.count = next_count(cursor)?;
        moves.is_bulk = cursor.eat("bulk");
        if !moves.is_bulk && !cursor.eat("obo") {
            return Err(SYNTAX);
        }
        cursor.finish()?;
        Ok(moves)
    }

    /// The elements to be moved, in the order in which they will be in the destination; `None` if there are too few.
    fn choose(&self, list: &List) -> Option<Vec<Vec<u8>>> {
        if self.is_exact && list.len() < self.count {
            return None;
        }
        let count = self.count.min(list.len());
        let from = if self.ends.from == End::Head { 0 } else { list.len() - count };
        let mut elements = Vec::with_capacity(count);
        list.range(from, count, |item| elements.push(item.to_vec()));
        // What is moved one by one from an end to the same end of a list is turned round.
        if !self.is_bulk && self.ends.from == self.ends.to {
            elements.reverse();
        }
        Some(elements)
    }

    /// Puts the elements into the destination.
    fn push(&self, list: &mut List, elements: &[Vec<u8>], limits: &ListLimits) {
        let elements = elements.iter().map(Vec::as_slice);
        match self.ends.to {
            End::Head => list.push(End::Head, elements.rev(), limits),
            End::Tail => list.push(End::Tail, elements, limits),
        }
    }
}

/// Moves elements from the first key to the second and returns them, in the order that they have there. `None` if there are
/// too few.
pub(super) fn move_many(call: &mut Call<'_, '_>, moves: Moves) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let (db, source, destination, limits) = (call.db(), call.keys[0], call.keys[1], limits(call));
    let Ends { from, to } = moves.ends;
    let chosen = call.view.peek_as::<List>(db, source)?.map(|list| moves.choose(list));
    if chosen.is_none() {
        return Ok(None);
    }
    call.view.peek_as::<List>(db, destination)?;
    let Some(elements) = chosen.flatten() else { return Ok(None) };
    if source.bytes == destination.bytes {
        call.view.edit(db, source, |list: &mut List, edit| {
            list.pop(from, elements.len(), &limits, |_| {});
            moves.push(list, &elements, &limits);
            edit.changed(elements.len());
            edit.notify(event_class::LIST, pushed(to));
            edit.notify(event_class::LIST, popped(from));
        })?;
        return Ok(Some(elements));
    }
    call.view.edit_or_create(db, destination, |list: &mut List, edit| {
        moves.push(list, &elements, &limits);
        // Counted at the source.
        edit.touched();
        edit.notify(event_class::LIST, pushed(to));
    })?;
    call.view.edit(db, source, |list: &mut List, edit| {
        list.pop(from, elements.len(), &limits, |_| {});
        edit.changed(elements.len());
        edit.notify(event_class::LIST, popped(from));
    })?;
    Ok(Some(elements))
}

pub(super) const HOW_MANY: Arg = Arg::block(
    "how-many",
    &[
        Arg::one_of(
            "selector",
            &[
                Arg::new("count", ArgKind::Integer).token("COUNT"),
                Arg::new("exactly", ArgKind::Integer).token("EXACTLY"),
            ],
        ),
        Arg::one_of("ordering", &[Arg::word("obo", "OBO"), Arg::word("bulk", "BULK")]),
    ],
)
.optional();

pub(super) const LMOVEM: Command = Command {
    name: "lmovem",
    summary: "Moves several elements from an end of a list to an end of a list and returns them.",
    since: "8.10.0",
    complexity: "O(N), N being the number of elements moved.",
    arity: -5,
    args: &[SOURCE, DESTINATION, WHERE_FROM, WHERE_TO, HOW_MANY],
    handler: lmovem,
    ..MOVE
};

fn lmovem(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut cursor = call.args.cursor(3);
    let moves = Moves::next(Ends::next(&mut cursor)?, &mut cursor)?;
    match move_many(call, moves)? {
        Some(elements) => reply_elements(call, &elements),
        None => call.reply.null_array(),
    }
    Ok(())
}

/// Replies with an array of elements.
pub(super) fn reply_elements(call: &mut Call<'_, '_>, elements: &[Vec<u8>]) {
    call.reply.array(elements.len());
    elements.iter().for_each(|element| call.reply.bulk(element));
}
