//! Members of one set: to add, to remove, to ask for, to move.

use ochre_keyspace::{Edit, event_class};
use ochre_types::set::{Set, SetLimits};

use super::*;
use crate::call::Args;
use crate::command::flags;
use crate::sequel::ELEMENTS_AT_ONCE;

pub(super) const SADD: Command = Command {
    name: "sadd",
    summary: "Adds members to a set; a missing key is created.",
    complexity: "O(1) for each member that is added, so O(N) to add N members.",
    arity: -3,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::INSERT)],
    args: &[KEY, MEMBER.multiple()],
    history: &[("2.4.0", "Takes several `member` arguments.")],
    handler: sadd,
    ..BASE
};

fn sadd(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (args, limits) = (call.args, call.engine.settings.set_limits());
    let (added, _) = call.view.edit_or_create(call.client.db, call.keys[0], |set: &mut Set, edit| {
        let added = add_all(set, args, &limits);
        if added > 0 {
            edit.changed(added);
            edit.notify(event_class::SET, "sadd");
        }
        added
    })?;
    call.reply.integer(added as i64);
    Ok(())
}

/// Adds the members that a request names; how many were not there.
#[inline]
fn add_all(set: &mut Set, args: Args<'_>, limits: &SetLimits) -> usize {
    let count = args.len() - 2;
    if set.is_empty() {
        *set = Set::for_members(args.at(2), count, limits);
    } else {
        set.expect(count, limits);
    }
    args.from(2).filter(|member| set.add(member, limits)).count()
}

pub(super) const SREM: Command = Command {
    name: "srem",
    summary: "Removes members from a set; the key goes with the last of them.",
    complexity: "O(N), N being the number of members to remove.",
    arity: -3,
    flags: flags::WRITE | flags::FAST,
    keys: &[KeySpec::first(key_flags::RW | key_flags::DELETE)],
    args: &[KEY, MEMBER.multiple()],
    history: &[("2.4.0", "Takes several `member` arguments.")],
    handler: srem,
    ..BASE
};

fn srem(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let members = call.args.from(2);
    let edited = call.view.edit(call.client.db, call.keys[0], |set: &mut Set, edit| {
        let removed = members.filter(|member| set.remove(member)).count();
        if removed > 0 {
            edit.changed(removed);
            edit.notify(event_class::SET, "srem");
        }
        removed
    })?;
    call.reply.integer(edited.map_or(0, |(removed, _)| removed) as i64);
    Ok(())
}

pub(super) const SISMEMBER: Command = Command {
    name: "sismember",
    summary: "Tells whether a set has a member.",
    arity: 3,
    flags: flags::READONLY | flags::FAST,
    keys: ASKS,
    args: &[KEY, MEMBER],
    handler: sismember,
    ..BASE
};

fn sismember(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let set = call.view.read_as::<Set>(call.client.db, call.keys[0])?;
    let is_member = set.is_some_and(|set| set.contains(call.args.at(2)));
    call.reply.integer(i64::from(is_member));
    Ok(())
}

pub(super) const SMISMEMBER: Command = Command {
    name: "smismember",
    summary: "Tells of each of several members whether a set has it.",
    since: "6.2.0",
    complexity: "O(N), N being the number of members that are asked for.",
    arity: -3,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY, MEMBER.multiple()],
    handler: smismember,
    ..BASE
};

fn smismember(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let members = call.args.from(2);
    let set = call.view.read_as::<Set>(call.client.db, call.keys[0])?;
    call.reply.array(members.len());
    match set {
        Some(set) => set.contains_each(members, |is_member| call.reply.integer(i64::from(is_member))),
        None => members.for_each(|_| call.reply.integer(0)),
    }
    Ok(())
}

pub(super) const SCARD: Command = Command {
    name: "scard",
    summary: "Returns the number of members of a set.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: ASKS,
    args: &[KEY],
    handler: scard,
    ..BASE
};

fn scard(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let set = call.view.read_as::<Set>(call.client.db, call.keys[0])?;
    call.reply.integer(set.map_or(0, Set::len) as i64);
    Ok(())
}

pub(super) const SMEMBERS: Command = Command {
    name: "smembers",
    summary: "Returns all members of a set.",
    complexity: "O(N), N being the number of members.",
    arity: 2,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output_order"],
    args: &[KEY],
    handler: smembers,
    ..BASE
};

fn smembers(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.view.read_as::<Set>(call.client.db, call.keys[0])? {
        Some(set) => {
            call.reply.set(set.len());
            if (set.len() > ELEMENTS_AT_ONCE || !show(&mut call.reply, set))
                && let Some(pinned) = call.view.pin(call.client.db, call.keys[0], Set::pin)
            {
                call.promise(Box::new(pinned));
            }
        }
        None => call.reply.set(0),
    }
    Ok(())
}

/// Shows members, unless that gets too long: then none. Whether they are shown.
#[inline]
fn show(reply: &mut ReplyWriter<'_>, set: &Set) -> bool {
    let room = Room::behind(reply);
    for member in set.iter() {
        if !room.has(reply, member) {
            room.take_back(reply);
            return false;
        }
        reply_item(reply, member);
    }
    true
}

pub(super) const SMOVE: Command = Command {
    name: "smove",
    summary: "Moves a member from one set to another.",
    arity: 4,
    flags: flags::WRITE | flags::FAST,
    keys: &[
        KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::DELETE),
        KeySpec::at(2, key_flags::RW | key_flags::INSERT),
    ],
    args: &[Arg::key("source", 0), Arg::key("destination", 1), MEMBER],
    handler: smove,
    ..BASE
};

fn smove(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, from, to, member) = (call.db(), call.keys[0], call.keys[1], call.args.at(3));
    let is_member = match call.view.peek_as::<Set>(db, from)? {
        Some(set) => set.contains(member),
        None => {
            call.reply.integer(0);
            return Ok(());
        }
    };
    call.view.peek_as::<Set>(db, to)?;
    if is_member && from.bytes != to.bytes {
        move_member(call)?;
    }
    call.reply.integer(i64::from(is_member));
    Ok(())
}

/// Moves the member, which is there, between two keys, which hold nothing but sets.
fn move_member(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, member, limits) = (call.db(), call.args.at(3), call.engine.settings.set_limits());
    call.view.edit(db, call.keys[0], |set: &mut Set, edit: &mut Edit| {
        set.remove(member);
        edit.changed(1);
        edit.notify(event_class::SET, "srem");
    })?;
    call.view.edit_or_create(db, call.keys[1], |set: &mut Set, edit: &mut Edit| {
        if set.is_empty() {
            *set = Set::for_members(member, 1, &limits);
        }
        if set.add(member, &limits) {
            edit.changed(1);
            edit.notify(event_class::SET, "sadd");
        }
    })?;
    Ok(())
}
