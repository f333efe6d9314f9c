//! XPENDING: what a group has delivered and nobody has acknowledged.

use ochre_resp::ReplyWriter;
use ochre_types::stream::{Group as StreamGroup, PendingEntry, Stream, StreamId};

use super::arguments::{end, start};
use super::reply::reply_id;
use super::*;
use crate::call::integer;
use crate::command::flags;
use crate::error::SYNTAX;

pub(super) const XPENDING: Command = Command {
    name: "xpending",
    summary: "Tells which entries a group has delivered that nobody has acknowledged.",
    complexity: "O(N), N being the number of entries returned, or looked at with IDLE, or else of consumers.",
    arity: -3,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        GROUP,
        Arg::block(
            "filters",
            &[
                Arg::new("min-idle-time", ArgKind::Integer).token("IDLE").since("6.2.0").optional(),
                Arg::new("start", ArgKind::String),
                Arg::new("end", ArgKind::String),
                Arg::new("count", ArgKind::Integer),
                CONSUMER.optional(),
            ],
        )
        .optional(),
    ],
    history: &[("6.2.0", "Added the `IDLE` option and exclusive range intervals.")],
    handler: xpending,
    ..BASE
};

fn xpending(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let filter = Filter::of(call)?;
    let (key, name, now_ms) = (call.key(), call.args.at(2), call.now_ms());
    let stream = call.view.read_as::<Stream>(call.client.db, key)?;
    let group = stream.and_then(|stream| stream.group(name)).ok_or_else(|| no_group(key.bytes, name, ""))?;
    match filter {
        None => reply_summary(&mut call.reply, group),
        Some(filter) => reply_list(&mut call.reply, group, &filter, now_ms),
    }
    Ok(())
}

/// Which pending entries are asked for.
struct Filter<'a> {
    min_idle_ms: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    /// The filter, if a list is asked for.
    fn of(call: &Call<'a, '_>) -> Result<Option<Filter<'a>>, Error> {
        let args = call.args;
        if args.len() == 3 {
            return Ok(None);
        }
        if !(6..=9).contains(&args.len()) {
            return Err(SYNTAX);
        }
        let (mut at, mut min_idle_ms) = (3, 0);
        if args.is(3, "IDLE") {
            min_idle_ms = integer(args.at(4))?;
            at = 5;
            if args.len() < 8 {
                return Err(SYNTAX);
            }
        }
        let count = usize::try_from(integer(args.at(at + 2))?).unwrap_or(0);
        let (start, end) = (start(args.at(at))?, end(args.at(at + 1))?);
        Ok(Some(Filter { min_idle_ms, start, end, count, consumer: args.get(at + 3) }))
    }
}

/// How many, from where to where, and of whom.
fn reply_summary(reply: &mut ReplyWriter<'_>, group: &StreamGroup) {
    reply.array(4);
    reply.integer(group.pending_len() as i64);
    let Some((first, last)) = group.pending_bounds() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    reply_id(reply, first);
    reply_id(reply, last);
    let owners = || group.consumers().filter(|consumer| consumer.pending_len() > 0);
    reply.array(owners().count());
    for consumer in owners() {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(consumer.pending_len() as i64);
    }
}

fn reply_list(reply: &mut ReplyWriter<'_>, group: &StreamGroup, filter: &Filter<'_>, now_ms: i64) {
    let is_idle = |entry: &PendingEntry<'_>| {
        filter.min_idle_ms == 0 || now_ms.saturating_sub(entry.delivered_ms) >= filter.min_idle_ms
    };
    let place = reply.defer_array();
    let mut replied = 0;
    let mut show = |entry: PendingEntry<'_>| {
        reply_pending(reply, &entry, now_ms);
        replied += 1;
    };
    match filter.consumer.map(|name| group.consumer(name)) {
        None => {
            group.pending(filter.start, filter.end).filter(is_idle).take(filter.count).for_each(&mut show)
        }
        Some(None) => {}
        Some(Some(consumer)) => group
            .pending_of(consumer, filter.start, filter.end)
            .filter(is_idle)
            .take(filter.count)
            .for_each(&mut show),
    }
    reply.finish_array(place, replied);
}

/// The entry, its owner, for how long it has been idle, how often it was delivered. What was given back has no owner, and no
/// time that it has been idle for.
fn reply_pending(reply: &mut ReplyWriter<'_>, entry: &PendingEntry<'_>, now_ms: i64) {
    reply.array(4);
    reply_id(reply, entry.id);
    reply.bulk(entry.consumer.unwrap_or_default());
    reply.integer(if entry.consumer.is_some() { entry.idle_ms(now_ms) } else { -1 });
    reply.integer(entry.deliveries as i64);
}
