//! HRANDFIELD: fields at random.

use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::Protocol;
use ochre_types::Rng;
use ochre_types::hash::{Hash, HashEntry, PinnedHash};

use super::*;
use crate::call::{Call, integer};
use crate::command::flags;
use crate::error::{Error, OUT_OF_RANGE, SYNTAX};
use crate::family::draws::{self, DRAWN_AT_ONCE, Draw};
use crate::family::pieces::Pieces;

pub(super) const HRANDFIELD: Command = Command {
    name: "hrandfield",
    summary: "Returns random fields of a hash.",
    since: "6.2.0",
    complexity: "O(N), N being the number of fields returned.",
    arity: -2,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        Arg::block("options", &[COUNT, Arg::word("withvalues", "WITHVALUES").optional()]).optional(),
    ],
    handler: hrandfield,
    ..BASE
};

fn hrandfield(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() > 2 {
        return look_at_many(call);
    }
    let (now_ms, mut rng) = (call.view.field_clock_ms(), Rng::new(call.view.seed(call.keys[0])));
    clear_away(call, now_ms)?;
    let hash = call.view.peek_as::<Hash>(call.client.db, call.keys[0])?;
    match hash.and_then(|hash| hash.random(&mut rng, now_ms)) {
        Some(field) => reply_item(&mut call.reply, field.name),
        None => call.reply.null(),
    }
    Ok(())
}

const COUNT_OUT_OF_RANGE: Error =
    Error::new("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");

fn look_at_many(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let count = integer(call.args.at(2))?;
    if count == i64::MIN {
        return Err(COUNT_OUT_OF_RANGE);
    }
    let with_values = call.args.is(3, "WITHVALUES");
    if call.args.len() > 4 || call.args.len() == 4 && !with_values {
        return Err(SYNTAX);
    }
    let replies = count.unsigned_abs().saturating_mul(if with_values { 2 } else { 1 });
    if with_values && (replies > i64::MAX as u64 || count == -(i64::MAX / 2) - 1) {
        return Err(OUT_OF_RANGE);
    }
    let (now_ms, mut rng) = (call.view.field_clock_ms(), Rng::new(call.view.seed(call.keys[0])));
    let bytes_max = call.engine.settings.bulk_len_max.load(Relaxed) as usize;
    clear_away(call, now_ms)?;
    let hash = call.view.peek_as::<Hash>(call.client.db, call.keys[0])?;
    let shape = Shape { with_values, is_nested: with_values && call.reply.protocol() == Protocol::Resp3 };
    let Some(hash) = hash else {
        shape.begin(&mut call.reply, 0);
        return Ok(());
    };
    if Draw::of(count).is_long(hash.len()) {
        return look_at_very_many(call, Draw::of(count), shape, now_ms, rng);
    }
    if count < 0 {
        let count = count.unsigned_abs() as usize;
        return draw(&mut call.reply, hash, count, shape, (&mut rng, now_ms), bytes_max);
    }
    let count = hash.live_len(now_ms).min(count as usize);
    shape.begin(&mut call.reply, count);
    hash.random_distinct(count, &mut rng, now_ms, &mut |field| shape.add(&mut call.reply, field));
    Ok(())
}

fn look_at_very_many(
    call: &mut Call<'_, '_>,
    draw: Draw,
    shape: Shape,
    now_ms: i64,
    rng: Rng,
) -> Result<(), Error> {
    let show = move |hash: &PinnedHash, draw, rng: &mut Rng, pieces: &mut Pieces| {
        let mut add = |field: HashEntry<'_>| pieces.add(|reply| shape.add(reply, field));
        match draw {
            Draw::FromAll(count) => hash.random_many(count, rng, now_ms, &mut add),
            Draw::Distinct(count) => hash.random_distinct(count, rng, now_ms, &mut add),
        }
    };
    let pin = |call: &mut Call<'_, '_>| call.view.pin(call.client.db, call.keys[0], Hash::pin);
    let Some(fields) = draws::make(call, draw, rng, pin, show)? else { return Ok(()) };
    shape.begin(&mut call.reply, fields.count());
    fields.reply(call);
    Ok(())
}

/// Does what reading entails, and removes fields that have expired.
fn clear_away(call: &mut Call<'_, '_>, now_ms: i64) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    if call.view.read_as::<Hash>(db, key)?.is_some_and(|hash| hash.may_have_expired(now_ms)) {
        call.view.expire_all_fields(db, key);
    }
    Ok(())
}

/// What is replied of each field.
#[derive(Clone, Copy)]
struct Shape {
    with_values: bool,
    /// Whether it is an array of both.
    is_nested: bool,
}

impl Shape {
    /// Writes the header of an array of so many fields.
    fn begin(self, reply: &mut ReplyWriter<'_>, fields: usize) {
        let is_flat_pairs = self.with_values && !self.is_nested;
        reply.array(if is_flat_pairs { fields.saturating_mul(2) } else { fields });
    }

    /// Writes one of them.
    #[inline]
    fn add(self, reply: &mut ReplyWriter<'_>, field: HashEntry<'_>) {
        if self.is_nested {
            reply.array(2);
        }
        reply_item(reply, field.name);
        if self.with_values {
            reply_item(reply, field.value);
        }
    }
}

/// `count` fields, each drawn from all; none if there is none. A count that is not bound by the size of the hash could
/// make a reply of any size: what is larger than `bytes_max` is refused.
fn draw(
    reply: &mut ReplyWriter<'_>,
    hash: &Hash,
    count: usize,
    shape: Shape,
    (rng, now_ms): (&mut Rng, i64),
    bytes_max: usize,
) -> Result<(), Error> {
    let before = reply.len();
    let mut left = if hash.live_len(now_ms) == 0 { 0 } else { count };
    shape.begin(reply, left);
    while left > 0 {
        let part = left.min(DRAWN_AT_ONCE);
        hash.random_many(part, rng, now_ms, &mut |field| shape.add(reply, field));
        left -= part;
        if reply.len() - before > bytes_max {
            reply.truncate(before);
            return Err(OUT_OF_RANGE);
        }
    }
    Ok(())
}
