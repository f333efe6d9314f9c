//! A stream as it was at one moment, to be read bit by bit, on any thread, while the stream goes on changing.
//!
//! Both kinds of pins share what they cover: the directories of nodes and of runs of pending entries, an entry for 64 of
//! them. A [`PinnedStream`] is the whole stream, and read as one, from whatever ID or name the reader goes on with
//! (`nodes_after`, `groups_after`, `consumers_after`, `messages_after`); names
//! of groups, consumers and producers are copied. A [`PinnedEntries`] is a range of entries, and remembers where it is.
//! Dropping a pin frees what the stream itself has meanwhile replaced.

use std::fmt;
use std::ops::{ControlFlow, Deref};

use super::id::StreamId;
use super::log::Log;
use super::node::Entry;
use super::state::{Inner, Stream};
use crate::portion::Portion;

/// A stream as it was when it was pinned: entries, groups with all that is pending, messages of producers.
pub struct PinnedStream(Stream);

/// Entries of a stream as they were when they were pinned.
pub struct PinnedEntries {
    log: Log,
    /// The range still to be read; nothing if all has been.
    range: Option<(StreamId, StreamId)>,
    reverse: bool,
}

impl Stream {
    /// The whole stream as it is now. O(nodes / 64 + pending / 4096 + groups + consumers + producers).
    pub fn pin(&mut self) -> PinnedStream {
        let inner = &mut *self.0;
        let groups = inner.groups.iter_mut().map(|(name, group)| (name.clone(), Box::new(group.share())));
        PinnedStream(Stream(Box::new(Inner {
            groups: groups.collect(),
            log: inner.log.share(),
            idempotency: inner.idempotency.clone(),
            ..*inner
        })))
    }

    /// The entries from `start` to `end`, both included, as they are now; the last one first if `reverse`.
    /// O(nodes / 64).
    pub fn pin_range(&mut self, start: StreamId, end: StreamId, reverse: bool) -> PinnedEntries {
        let range = (start <= end).then_some((start, end));
        PinnedEntries { log: self.0.log.share_range(start, end.max(start)), range, reverse }
    }
}

impl PinnedStream {
    /// A stream of its own that begins as this one was. Nothing is copied before one of them changes it.
    pub fn into_stream(self) -> Stream {
        self.0
    }
}

impl Deref for PinnedStream {
    type Target = Stream;

    fn deref(&self) -> &Stream {
        &self.0
    }
}

impl PinnedEntries {
    /// Whether there are entries left.
    pub fn is_empty(&self) -> bool {
        match self.range {
            Some((start, end)) => self.log.range(start, end).next().is_none(),
            None => true,
        }
    }

    /// How many allocations dropping the pin may free, roughly.
    pub fn free_effort(&self) -> usize {
        self.log.allocations()
    }

    /// Calls `visit` for the next entries; whether there are more. Bytes are those that the entries are packed in. O(log n) to
    /// begin, O(1) per entry.
    pub fn read(&mut self, mut portion: Portion, visit: &mut dyn FnMut(&Entry<'_>)) -> bool {
        if portion.is_used_up() {
            return !self.is_empty();
        }
        self.read_while(|entry| {
            portion.use_for(entry.packed_bytes());
            visit(entry);
            if portion.is_used_up() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }

    /// Shows further entries until `visit` breaks, which has seen that one. True if there are more.
    fn read_while(&mut self, visit: impl FnMut(&Entry<'_>) -> ControlFlow<()>) -> bool {
        let Some((start, end)) = self.range else { return false };
        let next = if self.reverse {
            next_of(self.log.range_back(start, end), visit)
        } else {
            next_of(self.log.range(start, end), visit)
        };
        self.range = next.map(|next| if self.reverse { (start, next) } else { (next, end) });
        match self.range {
            Some((start, end)) => self.log.drop_outside(start, end),
            None => self.log = Log::new(),
        }
        self.range.is_some()
    }
}

/// Shows entries until `visit` breaks; gives the ID of the one after that.
fn next_of<'a>(
    mut entries: impl Iterator<Item = Entry<'a>>,
    mut visit: impl FnMut(&Entry<'_>) -> ControlFlow<()>,
) -> Option<StreamId> {
    entries.by_ref().find(|entry| visit(entry).is_break())?;
    entries.next().map(|entry| entry.id())
}

impl fmt::Debug for PinnedStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("PinnedStream").field(&self.0).finish()
    }
}

impl fmt::Debug for PinnedEntries {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PinnedEntries")
            .field("range", &self.range)
            .field("reverse", &self.reverse)
            .finish_non_exhaustive()
    }
}
