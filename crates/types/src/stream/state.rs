//! The stream: entries, what is remembered of those that are gone, and groups of readers.
//!
//! Everything follows from the arguments: the time is one of them, nothing is random. A method that changes something
//! says what it chose, so that the same can be done elsewhere with nothing left to choose.

use std::collections::BTreeMap;
use std::fmt;

use super::group::Group;
use super::id::{IdRequest, StreamId};
use super::idempotency::Idempotency;
use super::lag::History;
use super::log::{Log, NodeLimits, Range, RangeBack};
use super::node::Entry;
use super::radix;
use super::runs::map_bytes;

/// An append-only log of entries with consumer groups. One word; the rest is on the heap.
#[derive(Clone)]
pub struct Stream(pub(super) Box<Inner>);

#[derive(Clone)]
pub(super) struct Inner {
    pub(super) log: Log,
    pub(super) last_id: StreamId,
    pub(super) max_deleted_id: StreamId,
    pub(super) entries_added: u64,
    pub(super) groups: BTreeMap<Box<[u8]>, Box<Group>>,
    pub(super) idempotency: Option<Box<Idempotency>>,
}

/// Why an entry was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    /// The ID `0-0` cannot be given to an entry.
    ZeroId,
    /// The last ID there is has been used.
    Exhausted,
    /// The ID is not greater than the last one.
    NotGreater,
    /// The names and values together are larger than a gibibyte.
    TooLarge,
}

/// Why the last ID was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetIdError {
    /// It is smaller than the greatest deleted ID that is to be set with it.
    BelowGivenMaxDeleted,
    /// It is smaller than the greatest deleted ID.
    BelowMaxDeleted,
    /// It is smaller than that of the last entry.
    BelowLastEntry,
    /// There are more entries than are to have been added.
    AddedBelowLen,
}

impl Stream {
    /// A stream without entries.
    pub fn new() -> Stream {
        Stream(Box::new(Inner {
            log: Log::new(),
            last_id: StreamId::MIN,
            max_deleted_id: StreamId::MIN,
            entries_added: 0,
            groups: BTreeMap::new(),
            idempotency: None,
        }))
    }

    /// How many entries there are.
    pub fn len(&self) -> u64 {
        self.0.log.len()
    }

    /// Whether there are none. Such a stream stays: it remembers its last ID and its groups.
    pub fn is_empty(&self) -> bool {
        self.0.log.is_empty()
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        "stream"
    }

    /// The ID that was given to the last entry added, or set since. `0-0` if there never was one.
    pub fn last_id(&self) -> StreamId {
        self.0.last_id
    }

    /// The greatest ID that was deleted (trimming does not count), `0-0` if none was.
    pub fn max_deleted_id(&self) -> StreamId {
        self.0.max_deleted_id
    }

    /// How many entries were ever added.
    pub fn entries_added(&self) -> u64 {
        self.0.entries_added
    }

    /// The ID of the first entry.
    pub fn first_entry_id(&self) -> Option<StreamId> {
        self.0.log.first_id()
    }

    /// The ID of the last entry, which may be smaller than the last ID. O(entries of a node).
    pub fn last_entry_id(&self) -> Option<StreamId> {
        self.0.log.last_id()
    }

    /// The entry with this ID. O(log n).
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.0.log.get(id)
    }

    /// The entries from `start` to `end`, both included. To go on later, start at the ID that follows the last one.
    /// O(log n) to begin, O(1) per entry.
    pub fn range(&self, start: StreamId, end: StreamId) -> Range<'_> {
        self.0.log.range(start, end)
    }

    /// How many entries there are from `start` to `end`, both included, counted up to `most`. O(nodes), of which a million entries
    /// have some ten thousand.
    pub fn count_between(&self, start: StreamId, end: StreamId, most: u64) -> u64 {
        let is_all = start == StreamId::MIN && end == StreamId::MAX;
        if is_all { self.len().min(most) } else { self.0.log.count_between(start, end, most) }
    }

    /// The same entries, the last one first.
    pub fn range_back(&self, start: StreamId, end: StreamId) -> RangeBack<'_> {
        self.0.log.range_back(start, end)
    }

    /// Whether an entry of `fields` is small enough to be added to a stream.
    pub fn can_hold(fields: &[&[u8]]) -> bool {
        Log::can_store(fields)
    }

    /// Adds an entry of `fields` (names and values in turn) and returns its ID. O(1).
    pub fn add(
        &mut self,
        request: IdRequest,
        fields: &[&[u8]],
        limits: NodeLimits,
        now_ms: i64,
    ) -> Result<StreamId, AddError> {
        let id = self.choose_id(request, now_ms)?;
        if !Log::can_store(fields) {
            return Err(AddError::TooLarge);
        }
        let inner = &mut *self.0;
        inner.log.append(id, fields, limits);
        inner.last_id = id;
        inner.entries_added = inner.entries_added.saturating_add(1);
        Ok(id)
    }

    /// The ID that [`Stream::add`] would give.
    pub fn choose_id(&self, request: IdRequest, now_ms: i64) -> Result<StreamId, AddError> {
        let last = self.0.last_id;
        if request == IdRequest::Exact(StreamId::MIN) {
            return Err(AddError::ZeroId);
        }
        let following = last.next().ok_or(AddError::Exhausted)?;
        let now = u64::try_from(now_ms).unwrap_or(0);
        match request {
            IdRequest::Auto if now > last.ms => Ok(StreamId::new(now, 0)),
            IdRequest::Auto => Ok(following),
            IdRequest::AutoSeq(ms) if ms == last.ms && following.ms == ms => Ok(following),
            IdRequest::AutoSeq(ms) if ms > last.ms => Ok(StreamId::new(ms, 0)),
            IdRequest::Exact(id) if id > last => Ok(id),
            IdRequest::AutoSeq(_) | IdRequest::Exact(_) => Err(AddError::NotGreater),
        }
    }

    /// Sets what XSETID sets: the last ID, and if given how many entries were ever added and the greatest deleted ID
    /// (where `0-0` says nothing).
    pub fn set_last_id(
        &mut self,
        id: StreamId,
        entries_added: Option<u64>,
        max_deleted_id: Option<StreamId>,
    ) -> Result<(), SetIdError> {
        let inner = &mut *self.0;
        let max_deleted_id = max_deleted_id.filter(|id| *id != StreamId::MIN);
        if max_deleted_id.is_some_and(|deleted| id < deleted) {
            return Err(SetIdError::BelowGivenMaxDeleted);
        }
        if id < inner.max_deleted_id {
            return Err(SetIdError::BelowMaxDeleted);
        }
        if inner.log.last_id().is_some_and(|last| id < last) {
            return Err(SetIdError::BelowLastEntry);
        }
        if entries_added.is_some_and(|added| added < inner.log.len()) {
            return Err(SetIdError::AddedBelowLen);
        }
        inner.last_id = id;
        inner.entries_added = entries_added.unwrap_or(inner.entries_added);
        inner.max_deleted_id = max_deleted_id.unwrap_or(inner.max_deleted_id);
        Ok(())
    }

    /// How many nodes hold the entries: `radix-tree-keys` of XINFO.
    pub fn node_count(&self) -> usize {
        self.0.log.node_count()
    }

    /// How many nodes a radix tree over them would have: `radix-tree-nodes` of XINFO.
    pub fn radix_tree_nodes(&self) -> usize {
        radix::tree_nodes(self.0.log.nodes().map(|node| node.base()), self.node_count())
    }

    /// How many allocations freeing this takes, roughly.
    pub fn free_effort(&self) -> usize {
        let groups: usize = self.0.groups.values().map(|group| group.free_effort()).sum();
        let idempotency = self.0.idempotency.as_ref().map_or(0, |it| it.tracked() as usize);
        1 + self.0.log.allocations() + groups + idempotency
    }

    /// Bytes allocated. Exact but for the nodes of ordered maps, which are taken as mostly full.
    /// O(nodes / 64 + pending / 64 + consumers).
    pub fn heap_bytes(&self) -> usize {
        let inner = &*self.0;
        size_of::<Inner>()
            + inner.log.heap_bytes()
            + map_bytes(inner.groups.len(), size_of::<(Box<[u8]>, Box<Group>)>())
            + self.groups().map(|(name, group)| name.len() + group.heap_bytes()).sum::<usize>()
            + inner.idempotency.as_ref().map_or(0, |it| size_of::<Idempotency>() + it.heap_bytes())
    }

    pub(super) fn history(&self) -> History {
        self.0.history()
    }
}

impl Inner {
    pub(super) fn history(&self) -> History {
        History {
            len: self.log.len(),
            first_id: self.log.first_id().unwrap_or(StreamId::MIN),
            last_id: self.last_id,
            max_deleted_id: self.max_deleted_id,
            entries_added: self.entries_added,
        }
    }

    /// Deletes an entry; false if there is none with this ID.
    pub(super) fn delete(&mut self, id: StreamId) -> bool {
        let deleted = self.log.remove(id);
        if deleted {
            self.max_deleted_id = self.max_deleted_id.max(id);
        }
        deleted
    }
}

impl Default for Stream {
    fn default() -> Stream {
        Stream::new()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Stream")
            .field("len", &self.len())
            .field("last_id", &self.0.last_id)
            .field("groups", &self.0.groups.len())
            .finish_non_exhaustive()
    }
}
