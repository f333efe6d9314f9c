//! XACK, XACKDEL.

use ochre_keyspace::event_class;
use ochre_types::stream::{Deletion, NoGroup, Stream};

use super::arguments::{CONDITION, Deletions, ID_BLOCK, ids};
use super::delete::{Outcomes, not_found, reply_outcomes};
use super::*;
use crate::command::flags;

pub(super) const XACK: Command = Command {
    name: "xack",
    summary: "Takes entries that were processed off the list of a group and returns how many were on it.",
    complexity: "O(1) for each entry.",
    arity: -4,
    flags: flags::WRITE | flags::FAST,
    keys: UPDATES,
    args: &[KEY, GROUP, IDS],
    handler: xack,
    ..BASE
};

fn xack(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, group) = (call.db(), call.key(), call.args.at(2));
    if !has_group(call, group)? {
        call.reply.integer(0);
        return Ok(());
    }
    let ids = ids(call.args.from(3))?;
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let acknowledged = stream.acknowledge(group, &ids).unwrap_or(0);
        edit.counted(acknowledged as usize);
        acknowledged
    })?;
    call.reply.integer(done.map_or(0, |(acknowledged, _)| acknowledged as i64));
    Ok(())
}

/// Whether the key is a stream with this group; a look at it as for reading.
pub(super) fn has_group(call: &mut Call<'_, '_>, group: &[u8]) -> Result<bool, Error> {
    let stream = call.view.read_as::<Stream>(call.client.db, call.keys[0])?;
    Ok(stream.is_some_and(|stream| stream.group(group).is_some()))
}

pub(super) const XACKDEL: Command = Command {
    name: "xackdel",
    summary: "Takes entries that were processed off the list of a group and deletes them with regard to other groups.",
    since: "8.2.0",
    arity: -6,
    keys: &[KeySpec::first(key_flags::RW | key_flags::UPDATE | key_flags::DELETE)],
    args: &[KEY, GROUP, CONDITION, ID_BLOCK],
    handler: xackdel,
    ..XACK
};

fn xackdel(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, group) = (call.db(), call.key(), call.args.at(2));
    let has_group = has_group(call, group)?;
    let Deletions { references, ids: texts } = Deletions::next(&mut call.args.cursor(3))?;
    if !has_group {
        reply_outcomes(call, &not_found(texts.len()));
        return Ok(());
    }
    let ids = ids(texts.iter().copied())?;
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let len = stream.len();
        let outcomes = ids.iter().map(|id| stream.acknowledge_and_delete(group, *id, references));
        let outcomes: Result<Outcomes, NoGroup> = outcomes.collect();
        let outcomes = outcomes.unwrap_or_else(|NoGroup| not_found(ids.len()));
        let acknowledged = outcomes.iter().filter(|outcome| **outcome != Deletion::NotFound).count();
        if stream.len() < len {
            edit.notify(event_class::STREAM, "xdel");
            edit.changed(acknowledged);
        } else {
            edit.counted(acknowledged);
        }
        outcomes
    })?;
    reply_outcomes(call, &done.map_or_else(|| not_found(ids.len()), |(outcomes, _)| outcomes));
    Ok(())
}
