//! Taking members out: by name, or all of a range.

use std::ops::Range;

use ochre_keyspace::{Edit, Garbage, event_class};
use ochre_types::zset::{Direction, LexRange, ScoreRange, ZSet, ranks_of_indices};

use super::range::{lex_range, score_range};
use super::*;
use crate::aside::Compute;
use crate::call::{Call, integer};
use crate::command::flags;
use crate::sequel::ELEMENTS_AT_ONCE;

pub(super) const ZREM: Command = Command {
    name: "zrem",
    summary: "Removes members from a sorted set; the key goes with the last of them.",
    since: "1.2.0",
    complexity: "O(M*log(N)), N being the number of members of the sorted set and M that of those removed.",
    arity: -3,
    flags: flags::WRITE | flags::FAST,
    keys: DELETES,
    args: &[KEY, MEMBER.multiple()],
    history: &[("2.4.0", "Takes several members.")],
    handler: zrem,
    ..BASE
};

fn zrem(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, members) = (call.db(), call.key(), call.args.from(2));
    let removed = call.view.edit(db, key, |zset: &mut ZSet, edit| {
        let removed = members.filter(|member| zset.remove(member)).count();
        if removed > 0 {
            edit.changed(removed);
            edit.notify(event_class::ZSET, "zrem");
        }
        removed
    })?;
    call.reply.integer(removed.map_or(0, |(removed, _)| removed as i64));
    Ok(())
}

const RANGE_REMOVAL: Command = Command {
    complexity: "O(log(N)+M), N being the number of members of the sorted set and M that of those removed.",
    arity: 4,
    flags: flags::WRITE,
    keys: DELETES,
    ..BASE
};

pub(super) const ZREMRANGEBYRANK: Command = Command {
    name: "zremrangebyrank",
    summary: "Removes the members of a sorted set between two indexes; the key goes with the last member.",
    since: "2.0.0",
    args: &[KEY, START, STOP],
    handler: zremrangebyrank,
    ..RANGE_REMOVAL
};

fn zremrangebyrank(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (start, stop) = (integer(call.args.at(2))?, integer(call.args.at(3))?);
    remove(call, "zremrangebyrank", |zset| ranks_of_indices(start, stop, zset.len(), Direction::Ascending))
}

pub(super) const ZREMRANGEBYSCORE: Command = Command {
    name: "zremrangebyscore",
    summary: "Removes the members of a sorted set between two scores; the key goes with the last member.",
    since: "1.2.0",
    args: &[KEY, MIN_SCORE, MAX_SCORE],
    handler: zremrangebyscore,
    ..RANGE_REMOVAL
};

fn zremrangebyscore(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let range: ScoreRange = score_range(call.args.at(2), call.args.at(3))?;
    remove(call, "zremrangebyscore", |zset| zset.ranks_of_scores(&range))
}

pub(super) const ZREMRANGEBYLEX: Command = Command {
    name: "zremrangebylex",
    summary: "Removes the members of a sorted set between two others in the order of their bytes; the key goes with \
              the last member.",
    since: "2.8.9",
    args: &[KEY, MIN_MEMBER, MAX_MEMBER],
    handler: zremrangebylex,
    ..RANGE_REMOVAL
};

fn zremrangebylex(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let range: LexRange<'_> = lex_range(call.args.at(2), call.args.at(3))?;
    remove(call, "zremrangebylex", |zset| zset.ranks_of_members(&range, Direction::Ascending))
}

/// So many members are removed in one go: some milliseconds.
const REMOVED_AT_ONCE: usize = if cfg!(debug_assertions) { ELEMENTS_AT_ONCE } else { 4 * ELEMENTS_AT_ONCE };
/// Of so many times as many members as are removed, it takes less to remove these than to copy the others.
const LEFT_MAX: usize = 8;

fn remove(
    call: &mut Call<'_, '_>,
    event: &'static str,
    ranks: impl Fn(&ZSet) -> Range<usize>,
) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let edited = call.view.edit(db, key, |zset: &mut ZSet, edit| {
        let ranks = ranks(zset);
        let removed = ranks.len();
        if removed > REMOVED_AT_ONCE && (zset.len() - removed) / LEFT_MAX <= removed {
            return Err(ranks);
        }
        remove_ranks(zset, edit, event, ranks);
        Ok(removed)
    })?;
    let removed = match edited {
        None => 0,
        Some((Ok(removed), _)) => removed,
        Some((Err(ranks), _)) => match remove_very_many(call, event, ranks)? {
            Some(removed) => removed,
            None => return Ok(()),
        },
    };
    call.reply.integer(removed as i64);
    Ok(())
}

fn remove_ranks(zset: &mut ZSet, edit: &mut Edit, event: &'static str, ranks: Range<usize>) {
    if !ranks.is_empty() {
        edit.changed(ranks.len());
        edit.notify(event_class::ZSET, event);
        zset.remove_ranks(ranks, Direction::Ascending, &mut |_, _| {});
    }
}

/// Has a copy without the members of a range of ranks made aside (see [`crate::aside`]), which then takes the place of the sorted set;
/// how many were removed, `None` if they are not yet.
#[cold]
fn remove_very_many(
    call: &mut Call<'_, '_>,
    event: &'static str,
    ranks: Range<usize>,
) -> Result<Option<usize>, Error> {
    let (db, key, theirs) = (call.db(), call.key(), ranks.clone());
    let made = call.make(
        &[key],
        |call| {
            let pinned = call.view.pin(db, key, ZSet::pin)?;
            Some(Box::new(move || Some(pinned.to_zset_without(theirs))) as Compute<Option<ZSet>>)
        },
        |_| Ok(None),
    )?;
    let Some(rest) = made else { return Ok(None) };
    let removed = ranks.len();
    let edited = call.view.edit(db, key, |zset: &mut ZSet, edit| match rest {
        None => {
            remove_ranks(zset, edit, event, ranks);
            None
        }
        Some(rest) => {
            edit.changed(removed);
            edit.notify(event_class::ZSET, event);
            Some(std::mem::replace(zset, rest))
        }
    })?;
    if let Some((Some(old), _)) = edited {
        call.engine.keyspace.reclaimer.hand_over(Garbage::Other(Box::new(old)));
    }
    Ok(Some(removed))
}
