//! Several sets at once: intersections, unions, differences, replied or stored.

use ochre_keyspace::event_class;
use ochre_types::listpack::Item;
use ochre_types::set::{self, Set, SetLimits};

use super::*;
use crate::command::flags;

const MANY_READS: &[KeySpec] = &[KeySpec::from(1, 1, key_flags::RO | key_flags::ACCESS)];
const STORES: &[KeySpec] = &[
    KeySpec::first(key_flags::OW | key_flags::UPDATE),
    KeySpec::from(2, 1, key_flags::RO | key_flags::ACCESS),
];
const DESTINATION: Arg = Arg::key("destination", 0);
const SOURCES: Arg = Arg::key("key", 1).multiple();
const INTERSECTING: &str =
    "O(N*M) at worst, N being the number of members of the smallest set and M the number of sets.";
const ALL_MEMBERS: &str = "O(N), N being the number of members of all sets together.";

const REPLIES: Command = Command {
    arity: -2,
    flags: flags::READONLY,
    keys: MANY_READS,
    tips: &["nondeterministic_output_order"],
    args: &[KEY.multiple()],
    ..BASE
};

const STORING: Command = Command {
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM,
    keys: STORES,
    args: &[DESTINATION, SOURCES],
    ..BASE
};

pub(super) const SINTER: Command = Command {
    name: "sinter",
    summary: "Returns the members that all of several sets have.",
    complexity: INTERSECTING,
    handler: |call| reply(call, all_or_none, |sets, visit| set::intersection(sets, 0, visit)),
    ..REPLIES
};

pub(super) const SINTERSTORE: Command = Command {
    name: "sinterstore",
    summary: "Stores the members that all of several sets have in a key.",
    complexity: INTERSECTING,
    handler: |call| store(call, all_or_none, set::store_intersection, "sinterstore"),
    ..STORING
};

pub(super) const SUNION: Command = Command {
    name: "sunion",
    summary: "Returns the members that any of several sets has.",
    complexity: ALL_MEMBERS,
    handler: |call| reply(call, those_there, |sets, visit| set::union(sets, 0, visit)),
    ..REPLIES
};

pub(super) const SUNIONSTORE: Command = Command {
    name: "sunionstore",
    summary: "Stores the members that any of several sets has in a key.",
    complexity: ALL_MEMBERS,
    handler: |call| store(call, those_there, set::store_union, "sunionstore"),
    ..STORING
};

pub(super) const SDIFF: Command = Command {
    name: "sdiff",
    summary: "Returns the members of a set that none of several others has.",
    complexity: ALL_MEMBERS,
    handler: |call| reply(call, if_first_is_there, |sets, visit| set::difference(sets, 0, visit)),
    ..REPLIES
};

pub(super) const SDIFFSTORE: Command = Command {
    name: "sdiffstore",
    summary: "Stores the members of a set that none of several others has in a key.",
    complexity: ALL_MEMBERS,
    handler: |call| store(call, if_first_is_there, set::store_difference, "sdiffstore"),
    ..STORING
};

/// What of several keys, some of which may not be there, is left to be combined.
pub(super) type Choose = for<'a> fn(Vec<Option<&'a Set>>) -> Vec<&'a Set>;

/// For an intersection: a set that is not there leaves nothing.
pub(super) fn all_or_none(sets: Vec<Option<&Set>>) -> Vec<&Set> {
    sets.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// For a union: those that are there.
pub(super) fn those_there(sets: Vec<Option<&Set>>) -> Vec<&Set> {
    sets.into_iter().flatten().collect()
}

/// For a difference: if the first is not there, there is nothing that others could take away from.
pub(super) fn if_first_is_there(sets: Vec<Option<&Set>>) -> Vec<&Set> {
    if let Some(None) = sets.first() { Vec::new() } else { those_there(sets) }
}

type Combine = for<'a> fn(&[&'a Set], &mut dyn FnMut(Item<'a>)) -> usize;

fn reply(call: &mut Call<'_, '_>, choose: Choose, combine: Combine) -> Result<(), Error> {
    let keys = call.keys;
    // The reply is written while the sets are borrowed from the view.
    let mut found = Vec::new();
    let mut members = ReplyWriter::new(&mut found, call.reply.protocol());
    let count = combine(&choose(sets_of(call, keys)?), &mut |item| reply_item(&mut members, item));
    call.reply.set(count);
    call.reply.raw(&found);
    Ok(())
}

type Store = fn(&[&Set], &SetLimits) -> Set;

fn store(call: &mut Call<'_, '_>, choose: Choose, make: Store, event: &'static str) -> Result<(), Error> {
    let (db, to, limits) = (call.db(), call.keys[0], call.engine.settings.set_limits());
    let keys = &call.keys[1..];
    let result = make(&choose(sets_of(call, keys)?), &limits);
    let len = result.len();
    call.view.store(db, to, result, (event_class::SET, event));
    call.reply.integer(len as i64);
    Ok(())
}
