//! Members at random: SPOP takes them out, SRANDMEMBER only looks.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Garbage, event_class};
use ochre_types::Rng;
use ochre_types::set::{PinnedSet, Set};

use super::*;
use crate::aside::Compute;
use crate::call::{Propagation, integer};
use crate::command::flags;
use crate::error::{OUT_OF_RANGE, OUT_OF_RANGE_POSITIVE, SYNTAX};
use crate::family::draws::{self, DRAWN_AT_ONCE, Draw};
use crate::family::pieces::Pieces;
use crate::sequel::ELEMENTS_AT_ONCE;

pub(super) const SPOP: Command = Command {
    name: "spop",
    summary: "Removes random members from a set and returns them; the key goes with the last of them.",
    complexity: "O(1) without a count, else O(N), N being the count.",
    arity: -2,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::DELETE)],
    tips: &["nondeterministic_output"],
    args: &[KEY, COUNT.optional().since("3.2.0")],
    history: &[("3.2.0", "The argument `count` came.")],
    handler: spop,
    ..BASE
};

fn spop(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.args.len() {
        2 => pop_one(call),
        3 => pop_many(call),
        _ => Err(SYNTAX),
    }
}

fn pop_one(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if !pop(call, 1, false)? {
        call.reply.null();
    }
    Ok(())
}

fn pop_many(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let count = integer(call.args.at(2)).ok().and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or(OUT_OF_RANGE_POSITIVE)?;
    let len = call.view.peek_as::<Set>(db, key)?.map_or(0, Set::len);
    let count = count.min(len);
    if count == len && count > 0 {
        // Taking out all counts as reading them.
        call.view.read_as::<Set>(db, key)?;
    }
    if count > POPPED_AT_ONCE && (len - count) / LEFT_MAX <= count {
        return pop_very_many(call, count, count == len);
    }
    call.reply.set(count);
    if count > 0 {
        pop(call, count, count == len)?;
    }
    Ok(())
}

/// So many members are taken out in one go: some milliseconds.
const POPPED_AT_ONCE: usize = if cfg!(debug_assertions) { ELEMENTS_AT_ONCE } else { 4 * ELEMENTS_AT_ONCE };
/// Of so many times as many members as are taken out, it takes less to take these out than to copy the others.
const LEFT_MAX: usize = 8;

/// What is made of a set of which very many members are taken out.
struct Popped {
    rest: Set,
    replies: Pieces,
    gone: Removed,
}

/// Has members taken out of a copy of the set aside (see [`crate::aside`]), which then takes its place.
#[cold]
fn pop_very_many(call: &mut Call<'_, '_>, count: usize, whole: bool) -> Result<(), Error> {
    let (db, key, limits) = (call.db(), call.key(), call.engine.settings.set_limits());
    let (mut rng, protocol) = (Rng::new(call.view.seed(key)), call.reply.protocol());
    let is_recorded = call.engine.keyspace.journal.is_active() && !whole;
    let made = call.make(
        &[key],
        |call| {
            let pinned = call.view.pin(db, key, Set::pin)?;
            Some(Box::new(move || {
                let (mut replies, mut gone) = (Pieces::new(protocol), Removed::new(is_recorded));
                let mut take = |item: Item<'_>| {
                    replies.add(|reply| reply_item(reply, item));
                    gone.add(item);
                };
                let rest = match whole {
                    true => {
                        pinned.as_set().iter().for_each(&mut take);
                        Set::new()
                    }
                    false => {
                        let mut copy = (*pinned.as_set()).clone();
                        copy.pop(count, &mut rng, &limits, &mut take);
                        copy
                    }
                };
                Some(Popped { rest, replies, gone })
            }) as Compute<Option<Popped>>)
        },
        |_| Ok(None),
    )?;
    match made {
        None => Ok(()),
        // A log that was begun meanwhile has to know which they are.
        Some(Some(popped)) if popped.gone.wanted || !is_recorded => put_rest(call, popped, count, whole),
        Some(_) => {
            call.reply.set(count);
            pop(call, count, whole).map(drop)
        }
    }
}

/// Puts what is left of a set in its place, and replies what was taken out.
fn put_rest(call: &mut Call<'_, '_>, popped: Popped, count: usize, whole: bool) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let Popped { rest, replies, gone } = popped;
    let edited = call.view.edit(db, key, |set: &mut Set, edit| {
        edit.changed(count);
        edit.notify(event_class::SET, "spop");
        std::mem::replace(set, rest)
    })?;
    if let Some((old, _)) = edited {
        call.engine.keyspace.reclaimer.hand_over(Garbage::Other(Box::new(old)));
    }
    call.reply.set(replies.count());
    replies.reply(call);
    propagate_pop(call, &gone, whole);
    Ok(())
}

/// Removes members, replies them one after the other, and has the journal say which: that the key is gone, if all were
/// asked for. False if there is no such key.
fn pop(call: &mut Call<'_, '_>, count: usize, whole: bool) -> Result<bool, Error> {
    let (db, key, limits) = (call.db(), call.key(), call.engine.settings.set_limits());
    let mut rng = Rng::new(call.view.seed(key));
    let mut gone = Removed::new(call.engine.keyspace.journal.is_active() && !whole);
    let reply = &mut call.reply;
    let edited = call.view.edit(db, key, |set: &mut Set, edit| {
        set.pop(count, &mut rng, &limits, &mut |item| {
            reply_item(reply, item);
            gone.add(item);
        });
        edit.changed(count);
        edit.notify(event_class::SET, "spop");
    })?;
    if edited.is_some() {
        propagate_pop(call, &gone, whole);
    }
    Ok(edited.is_some())
}

/// Members that were removed, for the journal, if it has readers.
struct Removed {
    wanted: bool,
    members: Vec<Vec<u8>>,
}

impl Removed {
    fn new(wanted: bool) -> Removed {
        Removed { wanted, members: Vec::new() }
    }

    fn add(&mut self, item: Item<'_>) {
        if self.wanted {
            self.members.push(item.to_vec());
        }
    }
}

/// So many members are removed by one command of the journal.
const REMOVED_AT_ONCE: usize = 1024;

fn propagate_pop(call: &mut Call<'_, '_>, gone: &Removed, whole: bool) {
    let key = call.key().bytes;
    call.propagation = Propagation::Rewritten;
    if whole {
        let lazily = call.engine.keyspace.settings.lazyfree_server_del.load(Relaxed);
        call.propagate(&[if lazily { b"UNLINK" } else { b"DEL" }, key]);
        return;
    }
    for members in gone.members.chunks(REMOVED_AT_ONCE) {
        let mut args: Vec<&[u8]> = vec![b"SREM", key];
        args.extend(members.iter().map(Vec::as_slice));
        call.propagate(&args);
    }
}

pub(super) const SRANDMEMBER: Command = Command {
    name: "srandmember",
    summary: "Returns random members of a set.",
    complexity: "O(1) without a count, else O(N), N being the count without its sign.",
    arity: -2,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[KEY, COUNT.optional().since("2.6.0")],
    history: &[("2.6.0", "The optional argument `count` came.")],
    handler: srandmember,
    ..BASE
};

fn srandmember(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.args.len() {
        2 => look_at_one(call),
        3 => look_at_many(call),
        _ => Err(SYNTAX),
    }
}

fn look_at_one(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut rng = Rng::new(call.view.seed(call.keys[0]));
    let set = call.view.read_as::<Set>(call.client.db, call.keys[0])?;
    match set.and_then(|set| set.random(&mut rng)) {
        Some(item) => reply_item(&mut call.reply, item),
        None => call.reply.null(),
    }
    Ok(())
}

const COUNT_OUT_OF_RANGE: &str =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

fn look_at_many(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let count = integer(call.args.at(2))?;
    if count == i64::MIN {
        return Err(Error::new(COUNT_OUT_OF_RANGE));
    }
    let mut rng = Rng::new(call.view.seed(call.keys[0]));
    let Some(set) = call.view.read_as::<Set>(call.client.db, call.keys[0])? else {
        call.reply.array(0);
        return Ok(());
    };
    if Draw::of(count).is_long(set.len()) {
        return look_at_very_many(call, Draw::of(count), rng);
    }
    if count < 0 {
        let bytes_max = call.engine.settings.bulk_len_max.load(Relaxed) as usize;
        return draw(&mut call.reply, set, count.unsigned_abs() as usize, &mut rng, bytes_max);
    }
    let count = set.len().min(count as usize);
    call.reply.array(count);
    set.sample(count, &mut rng, &mut |item| reply_item(&mut call.reply, item));
    Ok(())
}

fn look_at_very_many(call: &mut Call<'_, '_>, draw: Draw, rng: Rng) -> Result<(), Error> {
    let show = |set: &PinnedSet, draw, rng: &mut Rng, pieces: &mut Pieces| {
        let mut add = |item: Item<'_>| pieces.add(|reply| reply_item(reply, item));
        match draw {
            Draw::FromAll(count) => set.as_set().draw_many(count, rng, &mut add),
            Draw::Distinct(count) => set.as_set().sample(count, rng, &mut add),
        }
    };
    let pin = |call: &mut Call<'_, '_>| call.view.pin(call.client.db, call.keys[0], Set::pin);
    let Some(members) = draws::make(call, draw, rng, pin, show)? else { return Ok(()) };
    call.reply.array(members.count());
    members.reply(call);
    Ok(())
}

/// Replies `count` members, each drawn from all. A count that is not bound by the size of the set could make a reply of
/// any size: what is larger than `bytes_max` is refused.
fn draw(
    reply: &mut ReplyWriter<'_>,
    set: &Set,
    count: usize,
    rng: &mut Rng,
    bytes_max: usize,
) -> Result<(), Error> {
    let before = reply.len();
    reply.array(count);
    let mut left = count;
    while left > 0 {
        let part = left.min(DRAWN_AT_ONCE);
        set.draw_many(part, rng, &mut |item| reply_item(reply, item));
        left -= part;
        if reply.len() - before > bytes_max {
            reply.truncate(before);
            return Err(OUT_OF_RANGE);
        }
    }
    Ok(())
}
