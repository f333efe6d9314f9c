//! ZRANGE and its relatives, and ZRANGESTORE.

use std::ops::Range;

use ochre_keyspace::event_class;
use ochre_types::Portion;
use ochre_types::zset::{Direction, ZSet, ZSetGatherer, ZSetLimits};

use super::range::{By, Form, Query};
use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::family::sequels::MembersSequel;
use crate::sequel::ELEMENTS_AT_ONCE;

const LIMIT: Arg =
    Arg::block("limit", &[Arg::new("offset", ArgKind::Integer), COUNT]).token("LIMIT").optional();
const SORT_BY: Arg =
    Arg::one_of("sortby", &[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")]).optional();
const REV: Arg = Arg::word("rev", "REV").optional();

const RANGE: Command = Command {
    complexity: "O(log(N)+M), N being the number of members of the sorted set and M that of those returned.",
    arity: -4,
    flags: flags::READONLY,
    keys: READS,
    ..BASE
};

const LIMITED: Command = Command {
    complexity: "O(log(N)+M), N being the number of members of the sorted set and M that of those returned: with a \
                 LIMIT that stays the same, O(log(N)).",
    ..RANGE
};

pub(super) const ZRANGE: Command = Command {
    name: "zrange",
    summary: "Returns the members of a sorted set between two indexes, scores or members.",
    since: "1.2.0",
    args: &[
        KEY,
        Arg::new("start", ArgKind::String),
        Arg::new("stop", ArgKind::String),
        SORT_BY.since("6.2.0"),
        REV.since("6.2.0"),
        LIMIT.since("6.2.0"),
        WITHSCORES,
    ],
    history: &[("6.2.0", "The options `REV`, `BYSCORE`, `BYLEX` and `LIMIT` came.")],
    handler: |call| reply(call, None, None),
    ..RANGE
};

pub(super) const ZREVRANGE: Command = Command {
    name: "zrevrange",
    summary: "Returns the members of a sorted set between two indexes, from the highest score down.",
    since: "1.2.0",
    args: &[KEY, START, STOP, WITHSCORES],
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
    handler: |call| reply(call, Some(By::Index), Some(Direction::Descending)),
    ..RANGE
};

pub(super) const ZRANGEBYSCORE: Command = Command {
    name: "zrangebyscore",
    summary: "Returns the members of a sorted set between two scores.",
    since: "1.0.5",
    args: &[KEY, MIN_SCORE, MAX_SCORE, WITHSCORES.since("2.0.0"), LIMIT],
    history: &[("2.0.0", "The option `WITHSCORES` came.")],
    deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
    handler: |call| reply(call, Some(By::Score), Some(Direction::Ascending)),
    ..LIMITED
};

pub(super) const ZREVRANGEBYSCORE: Command = Command {
    name: "zrevrangebyscore",
    summary: "Returns the members of a sorted set between two scores, from the highest down.",
    since: "2.2.0",
    args: &[KEY, MAX_SCORE, MIN_SCORE, WITHSCORES, LIMIT],
    history: &[("2.1.6", "`min` and `max` may be excluded.")],
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")),
    handler: |call| reply(call, Some(By::Score), Some(Direction::Descending)),
    ..LIMITED
};

pub(super) const ZRANGEBYLEX: Command = Command {
    name: "zrangebylex",
    summary: "Returns the members of a sorted set between two others in the order of their bytes.",
    since: "2.8.9",
    args: &[KEY, MIN_MEMBER, MAX_MEMBER, LIMIT],
    deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
    handler: |call| reply(call, Some(By::Lex), Some(Direction::Ascending)),
    ..LIMITED
};

pub(super) const ZREVRANGEBYLEX: Command = Command {
    name: "zrevrangebylex",
    summary: "Returns the members of a sorted set between two others in the order of their bytes, the last one first.",
    since: "2.8.9",
    args: &[KEY, MAX_MEMBER, MIN_MEMBER, LIMIT],
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")),
    handler: |call| reply(call, Some(By::Lex), Some(Direction::Descending)),
    ..LIMITED
};

fn reply(call: &mut Call<'_, '_>, by: Option<By>, direction: Option<Direction>) -> Result<(), Error> {
    let query = Query::parse(call.args, 2, Form { by, direction, may_have_scores: true })?;
    match call.view.read_as::<ZSet>(call.client.db, call.keys[0])? {
        Some(zset) => {
            let (ranks, direction) = (query.ranks(zset), query.direction);
            let shape = Shape::of(query.with_scores, call.reply.protocol());
            shape.begin(&mut call.reply, ranks.len());
            if ranks.len() > ELEMENTS_AT_ONCE
                || !show(&mut call.reply, zset.range(ranks.clone(), direction), shape)
            {
                promise_members(call, ranks, &query, shape);
            }
        }
        None => call.reply.array(0),
    }
    Ok(())
}

/// Shows members, unless that gets too long: then none. Whether they are shown.
#[inline]
fn show<'a>(
    reply: &mut ReplyWriter<'_>,
    members: impl Iterator<Item = (Item<'a>, f64)>,
    shape: Shape,
) -> bool {
    let room = Room::behind(reply);
    for (member, score) in members {
        if !room.has(reply, member) {
            room.take_back(reply);
            return false;
        }
        shape.add(reply, member, score);
    }
    true
}

/// Leaves members to be replied in parts.
#[cold]
fn promise_members(call: &mut Call<'_, '_>, ranks: Range<usize>, query: &Query<'_>, shape: Shape) {
    let pin = |zset: &mut ZSet| zset.pin_range(ranks, query.direction);
    if let Some(members) = call.view.pin(call.client.db, call.keys[0], pin) {
        let show =
            move |reply: &mut ReplyWriter<'_>, member: Item<'_>, score| shape.add(reply, member, score);
        call.promise(Box::new(MembersSequel { members, show }));
    }
}

pub(super) const ZRANGESTORE: Command = Command {
    name: "zrangestore",
    summary: "Stores the members of a sorted set between two indexes, scores or members in another key.",
    since: "6.2.0",
    complexity: "O(log(N)+M), N being the number of members of the sorted set and M that of those stored.",
    arity: -5,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[
        KeySpec::first(key_flags::OW | key_flags::UPDATE),
        KeySpec::at(2, key_flags::RO | key_flags::ACCESS),
    ],
    args: &[Arg::key("dst", 0), Arg::key("src", 1), MIN_MEMBER, MAX_MEMBER, SORT_BY, REV, LIMIT],
    handler: zrangestore,
    ..BASE
};

fn zrangestore(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let query = Query::parse(call.args, 3, Form { by: None, direction: None, may_have_scores: false })?;
    let (db, destination, source) = (call.db(), call.keys[0], call.keys[1]);
    let limits = call.engine.settings.zset_limits();
    let is_len_known = query.is_by_index();
    call.view.read_as::<ZSet>(db, source)?;
    let made = call.make(
        &[source],
        |call| {
            let ranks = call.view.peek_as::<ZSet>(db, source).ok()?.map(|zset| query.ranks(zset))?;
            if ranks.len() <= ELEMENTS_AT_ONCE {
                return None;
            }
            let pin = |zset: &mut ZSet| zset.pin_range(ranks, query.direction);
            let mut pinned = call.view.pin(db, source, pin)?;
            let len = pinned.len();
            let show = move |visit: &mut Visit<'_>| {
                pinned.read(Portion::of_elements(usize::MAX), visit);
            };
            Some(Box::new(move || gathered((len, is_len_known), show, &limits)))
        },
        |call| {
            let Some(zset) = call.view.peek_as::<ZSet>(db, source)? else { return Ok(ZSet::new()) };
            let members = zset.range(query.ranks(zset), query.direction);
            let len = members.len();
            let show = |visit: &mut Visit<'_>| members.for_each(|(member, score)| visit(member, score));
            Ok(gathered((len, is_len_known), show, &limits))
        },
    )?;
    let Some(result) = made else { return Ok(()) };
    call.reply.integer(result.len() as i64);
    call.view.store(db, destination, result, (event_class::ZSET, "zrangestore"));
    Ok(())
}

type Visit<'v> = dyn FnMut(Item<'_>, f64) + 'v;

/// A sorted set of `len` members that are shown. A listpack has no minus zero; and where peers do not know the number of members
/// before, what they store is one for as long as it may be.
fn gathered(
    (len, is_len_known): (usize, bool),
    show: impl FnOnce(&mut Visit<'_>),
    limits: &ZSetLimits,
) -> ZSet {
    let mut gathered = ZSetGatherer::new(len);
    let (mut is_pack, mut count) = (!is_len_known || len <= limits.listpack_entries_max, 0);
    show(&mut |member, score| {
        count += 1;
        is_pack &= count <= limits.listpack_entries_max && member.len() <= limits.listpack_value_bytes_max;
        let score = if is_pack && score == 0.0 { 0.0 } else { score };
        member.with_bytes(|member| gathered.add(member, score));
    });
    let mut result = gathered.finish();
    result.make_small(limits);
    result
}
