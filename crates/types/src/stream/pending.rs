//! What a group has delivered and nobody has acknowledged: by ID, and by time of delivery for who asks for that.
//!
//! A record has 32 bytes: the ID, when it was delivered last, how often, and to whom, as an index into the group's
//! consumers. Counts beyond 32 bits (XCLAIM RETRYCOUNT and XNACK FATAL set them) are kept aside. The order by time serves
//! XREADGROUP CLAIM only. It is not kept: runs of records know the oldest time in them, and the next record in that order
//! is found by looking into as few runs as possible (`lowest`).
//!
//! Rejected: all records in a second collection, by time. It takes 24 bytes for each, an insertion for each change, and
//! either is kept for groups that are never read so, or has to be sorted at the first such read: 50 ms for two million.

use super::consumer::ConsumerIndex;
use super::id::StreamId;
use super::ordered::Keyed;
use super::runs::Runs;

/// Stands for "kept aside" in place of a count.
const COUNT_ASIDE: u32 = u32::MAX;
/// Stands for nobody in place of a consumer.
const NOBODY: u32 = u32::MAX;

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) id: StreamId,
    /// When it was last delivered.
    pub(super) delivered_ms: i64,
    /// How often it was.
    pub(super) deliveries: u64,
    /// To whom; nobody after XNACK.
    pub(super) consumer: Option<ConsumerIndex>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    id: StreamId,
    delivered_ms: i64,
    deliveries: u32,
    consumer: u32,
}

impl Keyed for Record {
    type Key = StreamId;
    type Low = i64;
    const HIGHEST: i64 = i64::MAX;

    fn key(&self) -> StreamId {
        self.id
    }

    fn low(&self) -> i64 {
        self.delivered_ms
    }
}

/// A count that a record has no room for.
#[derive(Clone, Copy, Debug)]
struct LargeCount {
    id: StreamId,
    deliveries: u64,
}

impl Keyed for LargeCount {
    type Key = StreamId;
    type Low = ();
    const HIGHEST: () = ();

    fn key(&self) -> StreamId {
        self.id
    }

    fn low(&self) {}
}

impl Keyed for StreamId {
    type Key = StreamId;
    type Low = ();
    const HIGHEST: () = ();

    fn key(&self) -> StreamId {
        *self
    }

    fn low(&self) {}
}

/// The pending entries of a group.
#[derive(Clone, Debug)]
pub(super) struct PendingList {
    records: Runs<Record>,
    large_counts: Runs<LargeCount>,
}

impl PendingList {
    pub(super) fn new() -> PendingList {
        PendingList { records: Runs::new(), large_counts: Runs::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn get(&self, id: StreamId) -> Option<Pending> {
        self.records.get(id).map(|record| self.unpack(record))
    }

    /// The records from `start` on, by ID.
    pub(super) fn iter_from(&self, start: StreamId) -> impl Iterator<Item = Pending> + '_ {
        self.records.iter_from(start).map(|record| self.unpack(record))
    }

    /// The records by ID, the greatest first.
    pub(super) fn iter_back(&self) -> impl Iterator<Item = Pending> + '_ {
        self.records.iter_back().map(|record| self.unpack(record))
    }

    /// Adds a record or replaces the one with this ID, which is returned.
    pub(super) fn put(&mut self, pending: Pending) -> Option<Pending> {
        let record = self.pack(&pending);
        let old = if self.records.insert(record) { None } else { self.records.replace(record) };
        let old = old.map(|old| self.unpack(&old));
        self.set_large_count(&pending, old.as_ref());
        old
    }

    /// Takes the record with this ID out.
    pub(super) fn remove(&mut self, id: StreamId) -> Option<Pending> {
        let record = self.records.remove(id)?;
        let pending = self.unpack(&record);
        if record.deliveries == COUNT_ASIDE {
            self.large_counts.remove(id);
        }
        Some(pending)
    }

    /// The records by time of delivery, oldest first, and of the same time by ID; but for those whose owner is hidden, as
    /// it will be for as long as they are there.
    pub(super) fn oldest_first(
        &mut self,
        is_visible: impl Fn(Option<ConsumerIndex>) -> bool,
    ) -> impl Iterator<Item = (i64, StreamId)> {
        self.records.lowest_first(move |record| is_visible(owner(record)))
    }

    /// All of it as it is now, for somebody else.
    pub(super) fn share(&mut self) -> PendingList {
        let (records, large_counts) = (self.records.share(), self.large_counts.share());
        PendingList { records, large_counts }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.records.heap_bytes() + self.large_counts.heap_bytes()
    }

    pub(super) fn allocations(&self) -> usize {
        self.records.allocations() + self.large_counts.allocations()
    }

    fn pack(&self, pending: &Pending) -> Record {
        Record {
            id: pending.id,
            delivered_ms: pending.delivered_ms,
            deliveries: u32::try_from(pending.deliveries).unwrap_or(COUNT_ASIDE),
            consumer: pending.consumer.map_or(NOBODY, ConsumerIndex::number),
        }
    }

    fn unpack(&self, record: &Record) -> Pending {
        let deliveries = match record.deliveries {
            COUNT_ASIDE => {
                self.large_counts.get(record.id).map_or(u64::from(COUNT_ASIDE), |it| it.deliveries)
            }
            count => u64::from(count),
        };
        Pending { id: record.id, delivered_ms: record.delivered_ms, deliveries, consumer: owner(record) }
    }

    fn set_large_count(&mut self, pending: &Pending, old: Option<&Pending>) {
        let large = u64::from(COUNT_ASIDE);
        if pending.deliveries >= large {
            self.large_counts.remove(pending.id);
            self.large_counts.insert(LargeCount { id: pending.id, deliveries: pending.deliveries });
        } else if old.is_some_and(|old| old.deliveries >= large) {
            self.large_counts.remove(pending.id);
        }
    }
}

fn owner(record: &Record) -> Option<ConsumerIndex> {
    (record.consumer != NOBODY).then(|| ConsumerIndex::from_number(record.consumer))
}
