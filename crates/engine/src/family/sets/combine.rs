//! Several sets at once: intersections, unions, differences, replied or stored. Large ones are combined aside (see
//! [`crate::aside`]), from what is pinned of them.

use ochre_keyspace::event_class;
use ochre_types::listpack::Item;
use ochre_types::set::{self, PinnedSet, Set, SetLimits};

use super::*;
use crate::command::flags;
use crate::family::pieces::Pieces;
use crate::sequel::ELEMENTS_AT_ONCE;

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
    handler: |call| reply(call, Choice::AllOrNone, |sets, visit| set::intersection(sets, 0, visit)),
    ..REPLIES
};

pub(super) const SINTERSTORE: Command = Command {
    name: "sinterstore",
    summary: "Stores the members that all of several sets have in a key.",
    complexity: INTERSECTING,
    handler: |call| store(call, Choice::AllOrNone, set::store_intersection, "sinterstore"),
    ..STORING
};

pub(super) const SUNION: Command = Command {
    name: "sunion",
    summary: "Returns the members that any of several sets has.",
    complexity: ALL_MEMBERS,
    handler: |call| reply(call, Choice::ThoseThere, |sets, visit| set::union(sets, 0, visit)),
    ..REPLIES
};

pub(super) const SUNIONSTORE: Command = Command {
    name: "sunionstore",
    summary: "Stores the members that any of several sets has in a key.",
    complexity: ALL_MEMBERS,
    handler: |call| store(call, Choice::ThoseThere, set::store_union, "sunionstore"),
    ..STORING
};

pub(super) const SDIFF: Command = Command {
    name: "sdiff",
    summary: "Returns the members of a set that none of several others has.",
    complexity: ALL_MEMBERS,
    handler: |call| reply(call, Choice::IfFirstIsThere, |sets, visit| set::difference(sets, 0, visit)),
    ..REPLIES
};

pub(super) const SDIFFSTORE: Command = Command {
    name: "sdiffstore",
    summary: "Stores the members of a set that none of several others has in a key.",
    complexity: ALL_MEMBERS,
    handler: |call| store(call, Choice::IfFirstIsThere, set::store_difference, "sdiffstore"),
    ..STORING
};

/// Members that are combined where they are, in one go: some milliseconds.
const MEMBERS_AT_ONCE: usize = if cfg!(debug_assertions) { ELEMENTS_AT_ONCE } else { 4 * ELEMENTS_AT_ONCE };

/// What of several keys, some of which may not be there, is left to be combined.
#[derive(Clone, Copy)]
pub(super) enum Choice {
    /// For an intersection: a set that is not there leaves nothing.
    AllOrNone,
    /// For a union: those that are there.
    ThoseThere,
    /// For a difference: if the first is not there, there is nothing that others could take away from.
    IfFirstIsThere,
}

impl Choice {
    fn of<T>(self, sets: impl Iterator<Item = Option<T>>) -> Vec<T> {
        let mut sets = sets.peekable();
        match self {
            Choice::AllOrNone => sets.collect::<Option<Vec<T>>>().unwrap_or_default(),
            Choice::IfFirstIsThere if matches!(sets.peek(), Some(None)) => Vec::new(),
            _ => sets.flatten().collect(),
        }
    }

    /// How many members are looked at, or asked for, at least.
    fn effort(self, lens: &[usize]) -> usize {
        match self {
            Choice::AllOrNone => lens.iter().min().map_or(0, |least| least.saturating_mul(lens.len())),
            _ => lens.iter().fold(0, |sum, len| sum.saturating_add(*len)),
        }
    }
}

/// What `combine` makes of sets: aside, if they are large. `None` if it is not known yet. They are watched if what is made is stored.
///
/// # Errors
/// One of the keys holds another type.
pub(super) fn make<T: Send + 'static>(
    call: &mut Call<'_, '_>,
    (keys, is_stored): (&[Key<'_>], bool),
    choice: Choice,
    combine: impl Fn(&[&Set]) -> T + Clone + Send + 'static,
) -> Result<Option<T>, Error> {
    let watched = if is_stored { keys } else { &[] };
    let elsewhere = combine.clone();
    call.make(
        watched,
        |call| {
            let sets = pinned_if_large(call, keys, choice)?;
            Some(Box::new(move || {
                let looks: Vec<_> = sets.iter().map(|set| set.as_ref().map(PinnedSet::as_set)).collect();
                elsewhere(&choice.of(looks.iter().map(|look| look.as_deref())))
            }))
        },
        |call| Ok(combine(&choice.of(sets_of(call, keys)?.into_iter()))),
    )
}

/// The sets as they are now, read as by any command, if combining them takes long.
fn pinned_if_large(
    call: &mut Call<'_, '_>,
    keys: &[Key<'_>],
    choice: Choice,
) -> Option<Vec<Option<PinnedSet>>> {
    let db = call.db();
    let len = |key: &Key<'_>| call.view.glance_as::<Set>(db, *key).map(|set| set.map(Set::len));
    let lens: Vec<Option<usize>> = keys.iter().map(len).collect::<Result<_, _>>().ok()?;
    if choice.effort(&choice.of(lens.into_iter())) <= MEMBERS_AT_ONCE {
        return None;
    }
    sets_of(call, keys).ok()?;
    Some(keys.iter().map(|key| call.view.pin(db, *key, Set::pin)).collect())
}

type Combine = for<'a> fn(&[&'a Set], &mut dyn FnMut(Item<'a>)) -> usize;

fn reply(call: &mut Call<'_, '_>, choice: Choice, combine: Combine) -> Result<(), Error> {
    let protocol = call.reply.protocol();
    let made = make(call, (call.keys, false), choice, move |sets| {
        let mut members = Pieces::new(protocol);
        combine(sets, &mut |item| members.add(|reply| reply_item(reply, item)));
        members
    })?;
    let Some(members) = made else { return Ok(()) };
    call.reply.set(members.count());
    members.reply(call);
    Ok(())
}

type Store = fn(&[&Set], &SetLimits) -> Set;

fn store(call: &mut Call<'_, '_>, choice: Choice, store: Store, event: &'static str) -> Result<(), Error> {
    let (db, to, limits) = (call.db(), call.keys[0], call.engine.settings.set_limits());
    let made = make(call, (&call.keys[1..], true), choice, move |sets| store(sets, &limits))?;
    let Some(result) = made else { return Ok(()) };
    let len = result.len();
    call.view.store(db, to, result, (event_class::SET, event));
    call.reply.integer(len as i64);
    Ok(())
}
