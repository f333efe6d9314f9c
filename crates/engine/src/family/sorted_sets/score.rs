//! What is known of a member: its score and its rank.

use ochre_types::zset::{Direction, ZSet};
use smallvec::SmallVec;

use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::SYNTAX;

pub(super) const ZSCORE: Command = Command {
    name: "zscore",
    summary: "Returns the score of a member of a sorted set.",
    since: "1.2.0",
    arity: 3,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY, MEMBER],
    handler: zscore,
    ..BASE
};

fn zscore(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let zset = call.view.read_as::<ZSet>(call.client.db, call.keys[0])?;
    match zset.and_then(|zset| zset.score(call.args.at(2))) {
        Some(score) => call.reply.double(score),
        None => call.reply.null(),
    }
    Ok(())
}

pub(super) const ZMSCORE: Command = Command {
    name: "zmscore",
    summary: "Returns the scores of several members of a sorted set.",
    since: "6.2.0",
    complexity: "O(N), N being the number of members asked for.",
    arity: -3,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY, MEMBER.multiple()],
    handler: zmscore,
    ..BASE
};

fn zmscore(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let zset = call.view.read_as::<ZSet>(call.client.db, call.keys[0])?;
    let members: SmallVec<[&[u8]; 16]> = call.args.from(2).collect();
    call.reply.array(members.len());
    let mut reply = |score: Option<f64>| match score {
        Some(score) => call.reply.double(score),
        None => call.reply.null(),
    };
    match zset {
        Some(zset) => zset.scores(&members, &mut reply),
        None => members.iter().for_each(|_| reply(None)),
    }
    Ok(())
}

const RANK: Command = Command {
    since: "2.0.0",
    complexity: "O(log(N)), N being the number of members of the sorted set.",
    arity: -3,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY, MEMBER, Arg::word("withscore", "WITHSCORE").optional()],
    history: &[("7.2.0", "The option `WITHSCORE` came.")],
    ..BASE
};

pub(super) const ZRANK: Command = Command {
    name: "zrank",
    summary: "Returns the index of a member of a sorted set, counted from the lowest score.",
    handler: |call| rank(call, Direction::Ascending),
    ..RANK
};

pub(super) const ZREVRANK: Command = Command {
    name: "zrevrank",
    summary: "Returns the index of a member of a sorted set, counted from the highest score.",
    handler: |call| rank(call, Direction::Descending),
    ..RANK
};

fn rank(call: &mut Call<'_, '_>, direction: Direction) -> Result<(), Error> {
    let with_score = match call.args.len() {
        3 => false,
        4 if call.args.is(3, "WITHSCORE") => true,
        4 => return Err(SYNTAX),
        _ => return Err(call.wrong_arity()),
    };
    let zset = call.view.read_as::<ZSet>(call.client.db, call.keys[0])?;
    match zset.and_then(|zset| zset.rank(call.args.at(2), direction)) {
        Some((rank, score)) if with_score => {
            call.reply.array(2);
            call.reply.integer(rank as i64);
            call.reply.double(score);
        }
        Some((rank, _)) => call.reply.integer(rank as i64),
        None if with_score => call.reply.null_array(),
        None => call.reply.null(),
    }
    Ok(())
}
