//! XREADGROUP: reading as a consumer of a group.
//!
//! All streams are looked at before anything is done, so that an error has changed nothing. Then stream after stream is
//! served: with what was pending for the consumer before, or with what nobody has had too long and what is new.

use ochre_keyspace::{Edit, Key, event_class};
use ochre_resp::ReplyWriter;
use ochre_types::stream::{Claim, Entry, IdleClaim, NoGroup, Stream, StreamId};
use smallvec::SmallVec;

use super::arguments::id;
use super::budget::Budget;
use super::propagation::{Progress, Reader};
use super::read::{BLOCK, MAXCOUNT, MAXSIZE, Request, STREAMS, stream_keys};
use super::reply::{Replies, reply_entry, reply_id, reply_parts};
use super::*;
use crate::command::flags;

pub(super) const XREADGROUP: Command = Command {
    name: "xreadgroup",
    summary: "Returns entries that a group has not read yet, or those pending for a consumer; waits for some if there are none and that is asked for.",
    complexity: "O(N) for each stream, N being the number of entries returned.",
    arity: -7,
    flags: flags::WRITE | flags::BLOCKING | flags::MOVABLE_KEYS,
    keys: &[stream_keys(4)],
    args: &[
        Arg::block("group-block", &[GROUP, CONSUMER]).token("GROUP"),
        COUNT,
        MAXCOUNT,
        MAXSIZE,
        BLOCK,
        Arg::new("min-idle-time", ArgKind::Integer).token("CLAIM").optional(),
        Arg::word("noack", "NOACK").optional(),
        STREAMS,
    ],
    handler: xreadgroup,
    ..BASE
};

fn xreadgroup(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let request = Request::of(call, true)?;
    let missing = Error::new("ERR Missing GROUP option for XREADGROUP");
    let (group, consumer) = request.group.ok_or(missing)?;
    let wanted = wanted_of_all(call, &request, group)?;
    call.propagate_nothing();
    let mut serving =
        Serving { request: &request, replies: Replies::of(request.streams), budget: request.budget() };
    for (key, wanted) in call.keys.iter().zip(&wanted) {
        let reader = Reader { key: key.bytes, group, consumer };
        let done = serving.serve(call, *key, reader, *wanted)?;
        propagate(call, reader, &done);
    }
    let Serving { replies, .. } = serving;
    if !replies.end(&mut call.reply) {
        request.wait(call, true, None);
        set_alarms(call, &request, group)?;
    }
    Ok(())
}

/// Has a client that waits for what has been pending too long look again when that may be.
fn set_alarms(call: &mut Call<'_, '_>, request: &Request<'_>, group: &[u8]) -> Result<(), Error> {
    let Some(min_idle_ms) = request.claim_ms.filter(|_| call.client.blocked.is_some()) else { return Ok(()) };
    let (db, now_ms) = (call.db(), call.now_ms());
    for key in call.keys {
        let next = |stream: &mut Stream, _: &mut Edit| stream.next_idle_ms(group, min_idle_ms);
        let Some((Ok(Some(at_ms)), _)) = call.view.edit(db, *key, next)? else { continue };
        // What is idle already has just been claimed, so this cannot be; but it must not be tried for ever.
        call.engine.alarms.set(at_ms.max(now_ms.saturating_add(1)), db, key.bytes);
    }
    Ok(())
}

/// What is wanted of a stream.
#[derive(Clone, Copy)]
enum Wanted {
    /// What is new to the group.
    New,
    /// What is pending for the consumer, after an ID.
    Pending(StreamId),
}

fn wanted_of_all(
    call: &mut Call<'_, '_>,
    request: &Request<'_>,
    group: &[u8],
) -> Result<SmallVec<[Wanted; 4]>, Error> {
    let mut wanted = SmallVec::new();
    for (index, key) in call.keys.iter().enumerate() {
        let stream = call.view.read_as::<Stream>(call.client.db, *key)?;
        if stream.and_then(|stream| stream.group(group)).is_none() {
            return Err(no_group(key.bytes, group, " in XREADGROUP with GROUP option"));
        }
        wanted.push(match request.id(call, index) {
            b">" => Wanted::New,
            b"$" => return Err(meaningless("$")),
            b"+" => return Err(meaningless("+")),
            text => match id(text)? {
                // That is what `>` is to Redis.
                StreamId::MAX => Wanted::New,
                after => Wanted::Pending(after),
            },
        });
    }
    Ok(wanted)
}

#[cold]
fn meaningless(id: &str) -> Error {
    Error::owned(format!(
        "ERR The {id} ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The {id} ID would just return an empty result set."
    ))
}

/// The reply in the making.
struct Serving<'a> {
    request: &'a Request<'a>,
    replies: Replies,
    budget: Budget,
}

/// What was done to a stream, for the journal.
#[derive(Default)]
struct Done {
    created: bool,
    /// What is pending for the consumer now, if anybody wants to know.
    claims: Vec<Claim>,
    /// How far the group had read before.
    before: Option<Progress>,
    /// How far it has read now, if that is further.
    after: Option<Progress>,
}

impl Serving<'_> {
    fn serve(
        &mut self,
        call: &mut Call<'_, '_>,
        key: Key<'_>,
        reader: Reader<'_>,
        wanted: Wanted,
    ) -> Result<Done, Error> {
        let (db, now_ms, in_transaction) = (call.db(), call.now_ms(), call.in_transaction);
        let is_recorded = call.engine.keyspace.journal.is_active();
        // Redis looks at every key once more, and counts that.
        call.view.read(db, key);
        let reply = &mut call.reply;
        let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
            let created = stream.see_consumer(reader.group, reader.consumer, now_ms)?;
            if created {
                edit.counted(1);
                edit.notify(event_class::STREAM, CONSUMER_CREATED);
            }
            let mut done = Done { created, ..Done::default() };
            let mut step = Step { serving: self, stream, reader, reply, now_ms, in_transaction, is_recorded };
            match wanted {
                Wanted::Pending(after) => step.reply_pending(after)?,
                Wanted::New => step.reply_new(edit, &mut done)?,
            }
            Ok::<Done, NoGroup>(done)
        })?;
        Ok(done.and_then(|(done, _)| done.ok()).unwrap_or_default())
    }
}

/// The serving of one stream.
struct Step<'s, 'a, 'r, 'w> {
    serving: &'s mut Serving<'a>,
    stream: &'s mut Stream,
    reader: Reader<'s>,
    reply: &'r mut ReplyWriter<'w>,
    now_ms: i64,
    in_transaction: bool,
    is_recorded: bool,
}

impl Step<'_, '_, '_, '_> {
    /// What is pending for the consumer. The stream is in the reply even if that is nothing.
    fn reply_pending(&mut self, mut after: StreamId) -> Result<(), NoGroup> {
        let Reader { key, group, consumer } = self.reader;
        let mut left = self.serving.request.count() as u64;
        let mut ids: Vec<StreamId> = Vec::new();
        loop {
            let count = self.serving.budget.at_once(left);
            if count == 0 {
                break;
            }
            let more = self.stream.deliver_again(group, consumer, after, Some(count), self.now_ms)?;
            for id in &more {
                self.serving.budget.charge(self.stream.get(*id).as_ref());
            }
            left -= more.len() as u64;
            let Some(last) = more.last() else { break };
            after = *last;
            ids.extend(more);
        }
        self.serving.replies.begin(self.reply, key);
        self.reply.array(ids.len());
        for id in ids {
            match self.stream.get(id) {
                Some(entry) => reply_entry(self.reply, &entry),
                None => {
                    self.reply.array(2);
                    reply_id(self.reply, id);
                    self.reply.null_array();
                }
            }
        }
        Ok(())
    }

    /// What has been pending too long, if that is asked for, and what is new. The stream is in the reply if that is
    /// anything.
    fn reply_new(&mut self, edit: &mut Edit, done: &mut Done) -> Result<(), NoGroup> {
        let Reader { key, group, consumer } = self.reader;
        let before = Progress::of(self.stream, group);
        let claims = self.claim_idle(done)?;
        let count = self.count_new(before.id(), self.serving.request.count() as u64 - claims.len() as u64);
        let no_ack = self.serving.request.no_ack;
        let delivery = match count {
            0 => None,
            count => self.stream.deliver(group, consumer, Some(count), no_ack, self.now_ms)?,
        };
        if claims.is_empty() && delivery.is_none() {
            return Ok(());
        }
        edit.counted(1);
        if self.in_transaction {
            // Others may wait for what is pending now to have been so for too long. Outside of transactions, who waits would
            // have been given it.
            edit.wake();
        }
        self.serving.replies.begin(self.reply, key);
        self.reply.array(claims.len() + delivery.map_or(0, |delivery| delivery.count as usize));
        for claim in claims {
            if let Some(entry) = self.stream.get(claim.id) {
                self.reply.array(4);
                reply_parts(self.reply, &entry);
                self.reply.integer(claim.idle_ms);
                self.reply.integer(claim.deliveries as i64);
            }
        }
        if let Some(delivery) = delivery {
            self.reply_delivered(delivery.first, delivery.last, done);
            done.after = Some(Progress::of(self.stream, group));
        }
        done.before = Some(before);
        Ok(())
    }

    /// Claims what has been idle for long enough, if that is asked for.
    fn claim_idle(&mut self, done: &mut Done) -> Result<Vec<IdleClaim>, NoGroup> {
        let Reader { group, consumer, .. } = self.reader;
        let Some(min_idle_ms) = self.serving.request.claim_ms else { return Ok(Vec::new()) };
        let (mut left, budget) = (self.serving.request.count(), &mut self.serving.budget);
        let allows = |entry: &Entry<'_>| {
            let allowed = left > 0 && budget.allows(entry);
            left -= usize::from(allowed);
            allowed
        };
        let claims = self.stream.claim_idle(group, consumer, min_idle_ms, allows, self.now_ms)?;
        if self.is_recorded {
            done.claims.extend(claims.iter().map(|claim| Claim {
                id: claim.id,
                delivered_ms: self.now_ms,
                deliveries: claim.deliveries.saturating_add(1),
            }));
        }
        Ok(claims)
    }

    /// How many entries after `last` are to be delivered, of up to `wanted`.
    fn count_new(&mut self, last: StreamId, wanted: u64) -> u64 {
        let Some(start) = last.next().filter(|start| *start <= self.stream.last_id()) else { return 0 };
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        if !self.serving.budget.is_limited() {
            return wanted as u64;
        }
        let budget = &mut self.serving.budget;
        let entries = self.stream.range(start, StreamId::MAX).take(wanted);
        entries.take_while(|entry| budget.allows(entry)).count() as u64
    }

    fn reply_delivered(&mut self, first: StreamId, last: StreamId, done: &mut Done) {
        let with_history = self.serving.request.claim_ms.is_some();
        for entry in self.stream.range(first, last) {
            self.reply.array(if with_history { 4 } else { 2 });
            reply_parts(self.reply, &entry);
            if with_history {
                self.reply.integer(0);
                self.reply.integer(0);
            }
            if self.is_recorded && !self.serving.request.no_ack {
                done.claims.push(Claim { id: entry.id(), delivered_ms: self.now_ms, deliveries: 1 });
            }
        }
    }
}

/// Has the journal contain what was done to a stream.
fn propagate(call: &mut Call<'_, '_>, reader: Reader<'_>, done: &Done) {
    if !call.engine.keyspace.journal.is_active() {
        return;
    }
    if done.created && done.claims.is_empty() {
        reader.propagate_creation(call);
    }
    if let Some(before) = done.before {
        done.claims.iter().for_each(|claim| reader.propagate_claim(call, claim, before.id()));
    }
    if let Some(after) = done.after {
        reader.propagate_progress(call, after);
    }
}
