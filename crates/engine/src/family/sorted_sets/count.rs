//! How many members there are, of all or of a range.

use ochre_types::zset::{Direction, ZSet};

use super::range::{lex_range, score_range};
use super::*;
use crate::call::Call;
use crate::command::flags;

pub(super) const ZCARD: Command = Command {
    name: "zcard",
    summary: "Returns the number of members of a sorted set.",
    since: "1.2.0",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::first(key_flags::RO)],
    args: &[KEY],
    handler: |call| count(call, ZSet::len),
    ..BASE
};

const RANGE_COUNT: Command = Command {
    complexity: "O(log(N)), N being the number of members of the sorted set.",
    arity: 4,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    ..BASE
};

pub(super) const ZCOUNT: Command = Command {
    name: "zcount",
    summary: "Returns the number of members of a sorted set between two scores.",
    since: "2.0.0",
    args: &[KEY, MIN_SCORE, MAX_SCORE],
    handler: zcount,
    ..RANGE_COUNT
};

fn zcount(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let range = score_range(call.args.at(2), call.args.at(3))?;
    count(call, |zset| zset.ranks_of_scores(&range).len())
}

pub(super) const ZLEXCOUNT: Command = Command {
    name: "zlexcount",
    summary: "Returns the number of members of a sorted set between two others in the order of their bytes.",
    since: "2.8.9",
    args: &[KEY, MIN_MEMBER, MAX_MEMBER],
    handler: zlexcount,
    ..RANGE_COUNT
};

fn zlexcount(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let range = lex_range(call.args.at(2), call.args.at(3))?;
    count(call, |zset| zset.ranks_of_members(&range, Direction::Ascending).len())
}

/// Replies what is counted in the sorted set, 0 without one.
fn count(call: &mut Call<'_, '_>, count: impl FnOnce(&ZSet) -> usize) -> Result<(), Error> {
    let counted = call.view.read_as::<ZSet>(call.client.db, call.keys[0])?.map_or(0, count);
    call.reply.integer(counted as i64);
    Ok(())
}
