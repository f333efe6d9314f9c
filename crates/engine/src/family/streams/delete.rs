//! XDEL, XDELEX.

use ochre_keyspace::event_class;
use ochre_types::stream::{Deletion, Stream};
use smallvec::SmallVec;

use super::arguments::{CONDITION, Deletions, ID_BLOCK, ids};
use super::*;
use crate::command::flags;

pub(super) const XDEL: Command = Command {
    name: "xdel",
    summary: "Deletes entries from a stream and returns how many there were.",
    complexity: "O(1) for each entry.",
    arity: -3,
    flags: flags::WRITE | flags::FAST,
    keys: DELETES,
    args: &[KEY, IDS],
    handler: xdel,
    ..BASE
};

fn xdel(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, args) = (call.db(), call.key(), call.args.from(2));
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let deleted = stream.delete(&ids(args)?);
        if deleted > 0 {
            edit.notify(event_class::STREAM, "xdel");
        }
        edit.changed(deleted as usize);
        Ok::<u64, Error>(deleted)
    })?;
    let deleted = done.map_or(Ok(0), |(deleted, _)| deleted)?;
    call.reply.integer(deleted as i64);
    Ok(())
}

pub(super) const XDELEX: Command = Command {
    name: "xdelex",
    summary: "Deletes entries from a stream with regard to the groups that have them pending.",
    since: "8.2.0",
    arity: -5,
    args: &[KEY, CONDITION, ID_BLOCK],
    handler: xdelex,
    ..XDEL
};

fn xdelex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    call.view.peek_as::<Stream>(db, key)?;
    let Deletions { references, ids: texts } = Deletions::next(&mut call.args.cursor(2))?;
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let ids = ids(texts.iter().copied())?;
        let outcomes: Outcomes = ids.iter().map(|id| stream.delete_with(*id, references)).collect();
        let deleted = outcomes.iter().filter(|outcome| **outcome == Deletion::Deleted).count();
        if deleted > 0 {
            edit.notify(event_class::STREAM, "xdel");
        }
        edit.changed(deleted);
        Ok::<Outcomes, Error>(outcomes)
    })?;
    match done {
        Some((outcomes, _)) => reply_outcomes(call, &outcomes?),
        None => reply_outcomes(call, &not_found(texts.len())),
    }
    Ok(())
}

/// What became of several entries.
pub(super) type Outcomes = SmallVec<[Deletion; 8]>;

/// The outcome where there is nothing to delete from.
pub(super) fn not_found(entries: usize) -> Outcomes {
    std::iter::repeat_n(Deletion::NotFound, entries).collect()
}

/// Replies outcomes.
pub(super) fn reply_outcomes(call: &mut Call<'_, '_>, outcomes: &[Deletion]) {
    call.reply.array(outcomes.len());
    for outcome in outcomes {
        call.reply.integer(match outcome {
            Deletion::NotFound => -1,
            Deletion::Deleted => 1,
            Deletion::Referenced => 2,
        });
    }
}
