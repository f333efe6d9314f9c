//! A consumer group: how far it has read, what is pending, and for whom.
//!
//! A pending entry stands in the group's list and, if it has an owner, in that consumer's; the two change together,
//! here and nowhere else.
//!
//! What was pending for a consumer that is deleted may be a million entries. They stay in the group's list, with an owner
//! that is not there, and nobody gets to see them; every later use of the group takes some of them out.

use super::consumer::{Consumer, ConsumerIndex, Consumers};
use super::id::StreamId;
use super::pending::{Pending, PendingList};
use super::runs::Runs;

/// How many entries of deleted consumers a use of the group takes out: a tenth of a millisecond. Tests must see what is
/// left.
const SWEPT: usize = if cfg!(test) { 2 } else { 1000 };

/// A consumer group.
#[derive(Clone, Debug)]
pub struct Group {
    pub(super) last_delivered: StreamId,
    pub(super) entries_read: Option<u64>,
    pending: PendingList,
    pub(super) consumers: Consumers,
    departed: Vec<Departed>,
}

/// A consumer that was deleted, and what of its entries is still in the list.
#[derive(Clone, Debug)]
struct Departed {
    index: ConsumerIndex,
    pending: Runs<StreamId>,
}

/// What a client may know of a pending entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingEntry<'a> {
    /// The entry, which may have been deleted meanwhile.
    pub id: StreamId,
    /// Its owner; none after it was given back.
    pub consumer: Option<&'a [u8]>,
    /// When it was last delivered.
    pub delivered_ms: i64,
    /// How often it was delivered.
    pub deliveries: u64,
}

impl PendingEntry<'_> {
    /// Milliseconds since it was delivered, at least 0.
    pub fn idle_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.delivered_ms).max(0)
    }
}

impl Group {
    pub(super) fn new(last_delivered: StreamId, entries_read: Option<u64>) -> Group {
        let (pending, consumers) = (PendingList::new(), Consumers::new());
        Group { last_delivered, entries_read, pending, consumers, departed: Vec::new() }
    }

    /// The last ID that was delivered to anybody of the group.
    pub fn last_delivered_id(&self) -> StreamId {
        self.last_delivered
    }

    /// How many entries of the stream the group has read, if that is known.
    pub fn entries_read(&self) -> Option<u64> {
        self.entries_read
    }

    /// How many entries are pending.
    pub fn pending_len(&self) -> usize {
        self.pending.len() - self.departed.iter().map(|it| it.pending.len()).sum::<usize>()
    }

    /// The smallest and the greatest pending ID.
    pub fn pending_bounds(&self) -> Option<(StreamId, StreamId)> {
        let first = self.pending_from(StreamId::MIN).next()?;
        let last = self.pending.iter_back().find(|pending| self.is_visible(pending))?;
        Some((first.id, last.id))
    }

    /// How many consumers there are.
    pub fn consumers_len(&self) -> usize {
        self.consumers.len()
    }

    /// The consumers, by name.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter()
    }

    /// The consumers whose names come after this one, by name: for who goes on another time.
    pub fn consumers_after(&self, name: &[u8]) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter_after(name)
    }

    /// The consumer with this name.
    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(self.consumers.index(name)?)
    }

    /// The pending entries from `start` to `end`, both included, by ID.
    pub fn pending(&self, start: StreamId, end: StreamId) -> impl Iterator<Item = PendingEntry<'_>> {
        self.pending_from(start).take_while(move |pending| pending.id <= end).map(|it| self.show(it))
    }

    /// Those of them that are pending for this consumer, of this group. Each takes a search.
    pub fn pending_of<'a>(
        &'a self,
        consumer: &'a Consumer,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = PendingEntry<'a>> {
        let ids = consumer.ids_from(start).take_while(move |id| *id <= end);
        ids.filter_map(|id| self.pending.get(id)).map(|it| self.show(it))
    }

    fn show(&self, pending: Pending) -> PendingEntry<'_> {
        let consumer = pending.consumer.and_then(|index| self.consumers.get(index));
        PendingEntry {
            id: pending.id,
            consumer: consumer.map(Consumer::name),
            delivered_ms: pending.delivered_ms,
            deliveries: pending.deliveries,
        }
    }

    pub(super) fn get_pending(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(id).filter(|pending| self.is_visible(pending))
    }

    pub(super) fn is_pending(&self, id: StreamId) -> bool {
        self.get_pending(id).is_some()
    }

    pub(super) fn pending_from(&self, start: StreamId) -> impl Iterator<Item = Pending> + '_ {
        self.pending.iter_from(start).filter(|pending| self.is_visible(pending))
    }

    pub(super) fn oldest_first(&mut self) -> impl Iterator<Item = (i64, StreamId)> + '_ {
        let (consumers, none_departed) = (&self.consumers, self.departed.is_empty());
        self.pending.oldest_first(move |owner| none_departed || consumers.has(owner))
    }

    /// Whether a record is not one of a consumer that was deleted.
    #[inline]
    fn is_visible(&self, pending: &Pending) -> bool {
        self.departed.is_empty() || self.consumers.has(pending.consumer)
    }

    /// Whether nobody of the group needs this entry any more: it was delivered, and is not pending.
    pub(super) fn is_done_with(&self, id: StreamId) -> bool {
        id <= self.last_delivered && !self.is_pending(id)
    }

    /// Puts an entry on the list, or changes it there, its owner included.
    pub(super) fn put_pending(&mut self, pending: Pending) {
        let old = self.pending.put(pending);
        let old_owner = old.and_then(|old| old.consumer);
        if old_owner == pending.consumer {
            return;
        }
        self.remove_from_owner(old_owner, pending.id);
        if let Some(consumer) = pending.consumer.and_then(|index| self.consumers.get_mut(index)) {
            consumer.pending.insert(pending.id);
        }
    }

    /// Takes an entry off the list.
    pub(super) fn remove_pending(&mut self, id: StreamId) -> Option<Pending> {
        let pending = self.pending.remove(id)?;
        self.remove_from_owner(pending.consumer, id).then_some(pending)
    }

    /// Takes an entry that is not in the group's list off its owner's; false if that was deleted.
    fn remove_from_owner(&mut self, owner: Option<ConsumerIndex>, id: StreamId) -> bool {
        let Some(index) = owner else { return true };
        if let Some(consumer) = self.consumers.get_mut(index) {
            consumer.pending.remove(id);
            return true;
        }
        if let Some(departed) = self.departed.iter_mut().find(|departed| departed.index == index) {
            departed.pending.remove(id);
        }
        false
    }

    /// Deletes a consumer with all that is pending for it; returns how much that was. O(1): see [`Group::sweep`].
    pub(super) fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let (index, consumer) = self.consumers.remove(name)?;
        let len = consumer.pending.len();
        self.departed.push(Departed { index, pending: consumer.pending });
        self.sweep();
        Some(len)
    }

    /// Takes some of the entries of deleted consumers out.
    #[inline]
    pub(super) fn sweep(&mut self) {
        if !self.departed.is_empty() {
            self.sweep_departed();
        }
    }

    #[cold]
    fn sweep_departed(&mut self) {
        let Some(departed) = self.departed.last_mut() else { return };
        for _ in 0..SWEPT {
            let Some(id) = departed.pending.first().copied() else { break };
            departed.pending.remove(id);
            self.pending.remove(id);
        }
        if departed.pending.len() == 0
            && let Some(departed) = self.departed.pop()
        {
            self.consumers.release(departed.index);
        }
    }

    /// The consumer with this name, made if needed and marked as seen; and whether it was made.
    pub(super) fn see(&mut self, name: &[u8], now_ms: i64) -> (ConsumerIndex, bool) {
        self.sweep();
        let (index, created) = self.consumers.get_or_create(name, now_ms);
        if let Some(consumer) = self.consumers.get_mut(index) {
            consumer.seen_ms = now_ms;
        }
        (index, created)
    }

    /// Takes note that a consumer got something.
    pub(super) fn mark_active(&mut self, index: ConsumerIndex, now_ms: i64) {
        if let Some(consumer) = self.consumers.get_mut(index) {
            consumer.active_ms = Some(now_ms);
        }
    }

    /// The group as it is now, for somebody else.
    pub(super) fn share(&mut self) -> Group {
        let share = |it: &mut Departed| Departed { pending: it.pending.share(), ..*it };
        let departed = self.departed.iter_mut().map(share).collect();
        Group { pending: self.pending.share(), consumers: self.consumers.share(), departed, ..*self }
    }

    /// Bytes allocated for the group, itself included.
    pub fn heap_bytes(&self) -> usize {
        let departed = self.departed.capacity() * size_of::<Departed>()
            + self.departed.iter().map(|it| it.pending.heap_bytes()).sum::<usize>();
        size_of::<Group>() + self.pending.heap_bytes() + self.consumers.heap_bytes() + departed
    }

    /// How many allocations freeing the group takes, roughly.
    pub fn free_effort(&self) -> usize {
        let departed: usize = self.departed.iter().map(|it| 1 + it.pending.allocations()).sum();
        1 + self.pending.allocations() + self.consumers.allocations() + departed
    }
}
