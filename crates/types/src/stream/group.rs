//! A consumer group: how far it has read, what is pending, and for whom.
//!
//! A pending entry stands in the group's list and, if it has an owner, in that consumer's; the two change together,
//! here and nowhere else.

use super::consumer::{Consumer, ConsumerIndex, Consumers};
use super::id::StreamId;
use super::pending::{Pending, PendingList};

/// A consumer group.
#[derive(Clone, Debug)]
pub struct Group {
    pub(super) last_delivered: StreamId,
    pub(super) entries_read: Option<u64>,
    pending: PendingList,
    pub(super) consumers: Consumers,
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
        Group { last_delivered, entries_read, pending: PendingList::new(), consumers: Consumers::new() }
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
        self.pending.len()
    }

    /// The smallest and the greatest pending ID.
    pub fn pending_bounds(&self) -> Option<(StreamId, StreamId)> {
        Some((self.pending.first_id()?, self.pending.last_id()?))
    }

    /// How many consumers there are.
    pub fn consumers_len(&self) -> usize {
        self.consumers.len()
    }

    /// The consumers, by name.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter()
    }

    /// The consumer with this name.
    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(self.consumers.index(name)?)
    }

    /// The pending entries from `start` to `end`, both included, by ID.
    pub fn pending(&self, start: StreamId, end: StreamId) -> impl Iterator<Item = PendingEntry<'_>> {
        self.pending.iter_from(start).take_while(move |pending| pending.id <= end).map(|it| self.show(it))
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
        self.pending.get(id)
    }

    pub(super) fn is_pending(&self, id: StreamId) -> bool {
        self.pending.contains(id)
    }

    pub(super) fn pending_from(&self, start: StreamId) -> impl Iterator<Item = Pending> + '_ {
        self.pending.iter_from(start)
    }

    pub(super) fn oldest_first(&mut self) -> impl Iterator<Item = (i64, StreamId)> + '_ {
        self.pending.oldest_first()
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
        if let Some(consumer) = old_owner.and_then(|index| self.consumers.get_mut(index)) {
            consumer.pending.remove(pending.id);
        }
        if let Some(consumer) = pending.consumer.and_then(|index| self.consumers.get_mut(index)) {
            consumer.pending.insert(pending.id);
        }
    }

    /// Takes an entry off the list.
    pub(super) fn remove_pending(&mut self, id: StreamId) -> Option<Pending> {
        let pending = self.pending.remove(id)?;
        if let Some(consumer) = pending.consumer.and_then(|index| self.consumers.get_mut(index)) {
            consumer.pending.remove(id);
        }
        Some(pending)
    }

    /// Deletes a consumer with all that is pending for it; returns how much that was.
    pub(super) fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let consumer = self.consumers.remove(name)?;
        for id in consumer.pending.iter() {
            self.pending.remove(*id);
        }
        Some(consumer.pending.len())
    }

    /// The consumer with this name, made if needed and marked as seen; and whether it was made.
    pub(super) fn see(&mut self, name: &[u8], now_ms: i64) -> (ConsumerIndex, bool) {
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
        Group { pending: self.pending.share(), consumers: self.consumers.share(), ..*self }
    }

    /// Bytes allocated for the group, itself included.
    pub fn heap_bytes(&self) -> usize {
        size_of::<Group>() + self.pending.heap_bytes() + self.consumers.heap_bytes()
    }

    /// How many allocations freeing the group takes, roughly.
    pub fn free_effort(&self) -> usize {
        1 + self.pending.allocations() + self.consumers.allocations()
    }
}
