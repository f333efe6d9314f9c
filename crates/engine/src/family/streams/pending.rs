//! XPENDING: what a group has delivered and nobody has acknowledged. Where very many entries are to be looked at, that is done aside
//! (see [`crate::aside`]).

use ochre_resp::ReplyWriter;
use ochre_types::stream::{Group as StreamGroup, PendingEntry, Stream, StreamId};

use super::arguments::{end, start};
use super::reply::reply_id;
use super::*;
use crate::aside::Compute;
use crate::call::integer;
use crate::command::flags;
use crate::error::SYNTAX;
use crate::family::pieces::Pieces;
use crate::sequel::ELEMENTS_AT_ONCE;

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
    let Some(filter) = filter else {
        reply_summary(&mut call.reply, group);
        return Ok(());
    };
    // When it comes back, they are there.
    let looks = if call.client.aside.is_some() { 0 } else { ELEMENTS_AT_ONCE };
    match reply_list(&mut call.reply, group, &filter, now_ms, looks) {
        true => Ok(()),
        false => list_many(call, &filter),
    }
}

/// Replies a list of very many entries, or of those that are found among very many.
#[cold]
fn list_many(call: &mut Call<'_, '_>, filter: &Filter<'_>) -> Result<(), Error> {
    let (db, key, now_ms, protocol) = (call.db(), call.key(), call.now_ms(), call.reply.protocol());
    let (name, consumer) = (call.args.at(2), filter.consumer);
    let list = move |group: &StreamGroup, filter: &Filter<'_>| {
        let mut listed = Pieces::new(protocol);
        let mut show = |entry: &PendingEntry<'_>| listed.add(|reply| reply_pending(reply, entry, now_ms));
        filter.visit(group, now_ms, usize::MAX, &mut show);
        listed
    };
    let (filter, bounds) = (*filter, Filter { consumer: None, ..*filter });
    let made = call.make(
        &[],
        |call| {
            let stream = call.view.pin(db, key, Stream::pin)?;
            let (name, consumer) = (name.to_vec(), consumer.map(<[u8]>::to_vec));
            Some(Box::new(move || {
                let filter = Filter { consumer: consumer.as_deref(), ..bounds };
                stream.group(&name).map_or(Pieces::new(protocol), |group| list(group, &filter))
            }) as Compute<Pieces>)
        },
        |call| {
            let group = call.view.peek_as::<Stream>(db, key)?.and_then(|stream| stream.group(name));
            Ok(group.map_or(Pieces::new(protocol), |group| list(group, &filter)))
        },
    )?;
    if let Some(listed) = made {
        call.reply.array(listed.count());
        listed.reply(call);
    }
    Ok(())
}

/// Which pending entries are asked for.
#[derive(Clone, Copy)]
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

    /// Calls `visit` for the entries of a group that are asked for, after a look at no more than so many; whether that was
    /// enough to find all of them.
    fn visit(
        &self,
        group: &StreamGroup,
        now_ms: i64,
        looks: usize,
        visit: &mut dyn FnMut(&PendingEntry<'_>),
    ) -> bool {
        match self.consumer.map(|name| group.consumer(name)) {
            None => self.visit_of(group.pending(self.start, self.end), now_ms, looks, visit),
            Some(None) => true,
            Some(Some(consumer)) => {
                self.visit_of(group.pending_of(consumer, self.start, self.end), now_ms, looks, visit)
            }
        }
    }

    #[inline]
    fn visit_of<'g>(
        &self,
        entries: impl Iterator<Item = PendingEntry<'g>>,
        now_ms: i64,
        looks: usize,
        visit: &mut dyn FnMut(&PendingEntry<'_>),
    ) -> bool {
        let mut left = self.count;
        for (look, entry) in entries.enumerate() {
            if left == 0 {
                break;
            }
            if look == looks {
                return false;
            }
            let is_idle =
                self.min_idle_ms == 0 || now_ms.saturating_sub(entry.delivered_ms) >= self.min_idle_ms;
            if is_idle {
                visit(&entry);
                left -= 1;
            }
        }
        true
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

/// Replies entries unless that takes a look at more than so many: then nothing. Whether they are replied.
fn reply_list(
    reply: &mut ReplyWriter<'_>,
    group: &StreamGroup,
    filter: &Filter<'_>,
    now_ms: i64,
    looks: usize,
) -> bool {
    let (begin, place, mut replied) = (reply.len(), reply.defer_array(), 0);
    let are_all = filter.visit(group, now_ms, looks, &mut |entry| {
        reply_pending(reply, entry, now_ms);
        replied += 1;
    });
    match are_all {
        true => reply.finish_array(place, replied),
        false => reply.truncate(begin),
    }
    are_all
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
