//! What a group has delivered and nobody has acknowledged: by ID, and by time of delivery once somebody asks for that.
//!
//! A record has 32 bytes: the ID, when it was delivered last, how often, and to whom, as an index into the group's
//! consumers. Counts beyond 32 bits (XCLAIM RETRYCOUNT and XNACK FATAL set them) are kept aside. The order by time
//! serves XREADGROUP CLAIM only, so it is built when a group is first read that way, and kept up from then on; groups
//! that are never read so do not pay the 24 bytes per record.

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

    fn key(&self) -> StreamId {
        self.id
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

    fn key(&self) -> StreamId {
        self.id
    }
}

impl Keyed for StreamId {
    type Key = StreamId;

    fn key(&self) -> StreamId {
        *self
    }
}

impl Keyed for (i64, StreamId) {
    type Key = (i64, StreamId);

    fn key(&self) -> (i64, StreamId) {
        *self
    }
}

/// The pending entries of a group.
#[derive(Clone, Debug)]
pub(super) struct PendingList {
    records: Runs<Record>,
    large_counts: Runs<LargeCount>,
    by_time: Option<Runs<(i64, StreamId)>>,
}

impl PendingList {
    pub(super) fn new() -> PendingList {
        PendingList { records: Runs::new(), large_counts: Runs::new(), by_time: None }
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn first_id(&self) -> Option<StreamId> {
        self.records.first().map(|record| record.id)
    }

    pub(super) fn last_id(&self) -> Option<StreamId> {
        self.records.last().map(|record| record.id)
    }

    pub(super) fn get(&self, id: StreamId) -> Option<Pending> {
        self.records.get(id).map(|record| self.unpack(record))
    }

    pub(super) fn contains(&self, id: StreamId) -> bool {
        self.records.get(id).is_some()
    }

    /// The records from `start` on, by ID.
    pub(super) fn iter_from(&self, start: StreamId) -> impl Iterator<Item = Pending> + '_ {
        self.records.iter_from(start).map(|record| self.unpack(record))
    }

    /// Adds a record or replaces the one with this ID, which is returned.
    pub(super) fn put(&mut self, pending: Pending) -> Option<Pending> {
        let record = self.pack(&pending);
        let mut old = None;
        if !self.records.insert(record) {
            old = self.get(pending.id);
            if let Some(slot) = self.records.get_mut(pending.id) {
                *slot = record;
            }
        }
        self.set_large_count(&pending, old.as_ref());
        if let Some(by_time) = &mut self.by_time {
            if let Some(old) = &old {
                by_time.remove((old.delivered_ms, old.id));
            }
            by_time.insert((pending.delivered_ms, pending.id));
        }
        old
    }

    /// Takes the record with this ID out.
    pub(super) fn remove(&mut self, id: StreamId) -> Option<Pending> {
        let record = self.records.remove(id)?;
        let pending = self.unpack(&record);
        if record.deliveries == COUNT_ASIDE {
            self.large_counts.remove(id);
        }
        if let Some(by_time) = &mut self.by_time {
            by_time.remove((pending.delivered_ms, id));
        }
        Some(pending)
    }

    /// The records by time of delivery, oldest first. Builds that order if it is not there: O(n log n) once.
    pub(super) fn oldest_first(&mut self) -> impl Iterator<Item = (i64, StreamId)> + '_ {
        let records = &self.records;
        let by_time = self.by_time.get_or_insert_with(|| {
            let mut times: Vec<_> = records.iter().map(|record| (record.delivered_ms, record.id)).collect();
            times.sort_unstable();
            times.into_iter().collect()
        });
        by_time.iter().copied()
    }

    /// All of it as it is now, for somebody else, who has to order it by time anew.
    pub(super) fn share(&mut self) -> PendingList {
        let (records, large_counts) = (self.records.share(), self.large_counts.share());
        PendingList { records, large_counts, by_time: None }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.records.heap_bytes()
            + self.by_time.as_ref().map_or(0, Runs::heap_bytes)
            + self.large_counts.heap_bytes()
    }

    pub(super) fn allocations(&self) -> usize {
        self.records.allocations()
            + self.large_counts.allocations()
            + self.by_time.as_ref().map_or(0, Runs::allocations)
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
        let consumer = (record.consumer != NOBODY).then(|| ConsumerIndex::from_number(record.consumer));
        Pending { id: record.id, delivered_ms: record.delivered_ms, deliveries, consumer }
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
