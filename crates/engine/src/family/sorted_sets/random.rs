//! ZRANDMEMBER: members at random, which stay where they are.

use std::sync::atomic::Ordering::Relaxed;

use ochre_types::Rng;
use ochre_types::zset::{PinnedZSet, ZSet};

use super::*;
use crate::call::{Call, integer_between};
use crate::command::flags;
use crate::error::{OUT_OF_RANGE, SYNTAX};
use crate::family::draws::{self, DRAWN_AT_ONCE, Draw};
use crate::family::pieces::Pieces;

pub(super) const ZRANDMEMBER: Command = Command {
    name: "zrandmember",
    summary: "Returns random members of a sorted set.",
    since: "6.2.0",
    complexity: "O(N), N being the number of members returned.",
    arity: -2,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[KEY, Arg::block("options", &[COUNT, WITHSCORES]).optional()],
    handler: zrandmember,
    ..BASE
};

fn zrandmember(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match call.args.len() {
        2 => look_at_one(call),
        _ => look_at_many(call),
    }
}

fn look_at_one(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut rng = Rng::new(call.view.seed(call.keys[0]));
    match call.view.read_as::<ZSet>(call.client.db, call.keys[0])? {
        Some(zset) => zset.draw(1, &mut rng, &mut |member, _| reply_item(&mut call.reply, member)),
        None => call.reply.null(),
    }
    Ok(())
}

const COUNT_OUT_OF_RANGE: &str =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

/// The count, whether scores are wanted too.
fn options(call: &Call<'_, '_>) -> Result<(i64, bool), Error> {
    let count = crate::call::integer(call.args.at(2))?;
    integer_between(call.args.at(2), -i64::MAX, i64::MAX, Some(COUNT_OUT_OF_RANGE))?;
    let with_scores = call.args.is(3, "WITHSCORES");
    if call.args.len() > 4 || call.args.len() == 4 && !with_scores {
        return Err(SYNTAX);
    }
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(OUT_OF_RANGE);
    }
    Ok((count, with_scores))
}

fn look_at_many(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (count, with_scores) = options(call)?;
    let mut rng = Rng::new(call.view.seed(call.keys[0]));
    let Some(zset) = call.view.read_as::<ZSet>(call.client.db, call.keys[0])? else {
        call.reply.array(0);
        return Ok(());
    };
    let shape = Shape::of(with_scores, call.reply.protocol());
    if Draw::of(count).is_long(zset.len()) {
        return look_at_very_many(call, Draw::of(count), shape, rng);
    }
    if count < 0 {
        let bytes_max = call.engine.settings.bulk_len_max.load(Relaxed) as usize;
        return draw(&mut call.reply, zset, count.unsigned_abs() as usize, shape, &mut rng, bytes_max);
    }
    let count = zset.len().min(count as usize);
    shape.begin(&mut call.reply, count);
    zset.sample(count, &mut rng, &mut |member, score| shape.add(&mut call.reply, member, score));
    Ok(())
}

fn look_at_very_many(call: &mut Call<'_, '_>, draw: Draw, shape: Shape, rng: Rng) -> Result<(), Error> {
    let show = move |zset: &PinnedZSet, draw, rng: &mut Rng, pieces: &mut Pieces| {
        let mut add = |member: Item<'_>, score| pieces.add(|reply| shape.add(reply, member, score));
        match draw {
            Draw::FromAll(count) => zset.draw(count, rng, &mut add),
            Draw::Distinct(count) => zset.sample(count, rng, &mut add),
        }
    };
    let pin = |call: &mut Call<'_, '_>| call.view.pin(call.client.db, call.keys[0], ZSet::pin);
    let Some(members) = draws::make(call, draw, rng, pin, show)? else { return Ok(()) };
    shape.begin(&mut call.reply, members.count());
    members.reply(call);
    Ok(())
}

/// Replies `count` members, each drawn from all. A count that is not bound by the size of the sorted set could make a
/// reply of any size: what is larger than `bytes_max` is refused.
fn draw(
    reply: &mut ReplyWriter<'_>,
    zset: &ZSet,
    count: usize,
    shape: Shape,
    rng: &mut Rng,
    bytes_max: usize,
) -> Result<(), Error> {
    let before = reply.len();
    shape.begin(reply, count);
    let mut left = count;
    while left > 0 {
        let part = left.min(DRAWN_AT_ONCE);
        zset.draw(part, rng, &mut |member, score| shape.add(reply, member, score));
        left -= part;
        if reply.len() - before > bytes_max {
            reply.truncate(before);
            return Err(OUT_OF_RANGE);
        }
    }
    Ok(())
}
