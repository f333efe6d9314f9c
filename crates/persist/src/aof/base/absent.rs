//! Entries of a stream that were deleted and are still spoken of: as pending in a group, or as what a message of a producer
//! became.
//!
//! XCLAIM, XNACK and XIDMPRECORD take only entries that exist. So these are put in among the others, and go again when all is
//! said. (Redis forgets them in a rewrite without a preamble.) Those before the first entry were trimmed, which unlike a
//! deletion leaves no trace in the figures: they are trimmed again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

use ochre_types::stream::{Entry, Range, Stream, StreamId};

/// The smallest ID that an entry can have.
pub(super) const FIRST_ID: StreamId = StreamId::new(0, 1);

/// An entry, or the place of one.
pub(super) enum Place<'a> {
    Entry(Entry<'a>),
    Absent(StreamId),
}

type Ids<'a> = Box<dyn Iterator<Item = StreamId> + 'a>;

/// The entries of a stream with those that are absent, by ID.
pub(super) fn places(stream: &Stream) -> Places<'_> {
    let entries = stream.range(StreamId::MIN, StreamId::MAX).peekable();
    Places { entries, mentioned: Mentioned::of(stream).peekable() }
}

/// Those that are absent, by ID.
pub(super) fn absent(stream: &Stream) -> impl Iterator<Item = StreamId> {
    places(stream).filter_map(|place| if let Place::Absent(id) = place { Some(id) } else { None })
}

/// See [`places`].
pub(super) struct Places<'a> {
    entries: Peekable<Range<'a>>,
    mentioned: Peekable<Mentioned<'a>>,
}

impl<'a> Iterator for Places<'a> {
    type Item = Place<'a>;

    fn next(&mut self) -> Option<Place<'a>> {
        let id = self.entries.peek().map(Entry::id);
        while let Some(mentioned) = self.mentioned.next_if(|mentioned| id.is_none_or(|id| *mentioned <= id)) {
            if Some(mentioned) != id {
                return Some(Place::Absent(mentioned));
            }
        }
        self.entries.next().map(Place::Entry)
    }
}

/// The IDs that groups and producers speak of, in order, each once; but for those beyond the stream's last ID, for which
/// there is no place.
struct Mentioned<'a> {
    sources: Vec<Ids<'a>>,
    /// The next ID of each source.
    next: BinaryHeap<Reverse<(StreamId, usize)>>,
    last_id: StreamId,
}

impl<'a> Mentioned<'a> {
    fn of(stream: &'a Stream) -> Mentioned<'a> {
        let mut sources: Vec<Ids<'a>> = Vec::new();
        for (_, group) in stream.groups().filter(|(_, group)| group.pending_len() > 0) {
            sources.push(Box::new(group.pending(FIRST_ID, StreamId::MAX).map(|pending| pending.id)));
        }
        let messages = stream.messages().map(|(_, _, entry, _)| entry);
        let mut messages: Vec<StreamId> =
            messages.filter(|entry| *entry >= FIRST_ID && stream.get(*entry).is_none()).collect();
        messages.sort_unstable();
        sources.push(Box::new(messages.into_iter()));
        let first = sources.iter_mut().enumerate();
        let next = first.filter_map(|(source, ids)| Some(Reverse((ids.next()?, source)))).collect();
        Mentioned { sources, next, last_id: stream.last_id() }
    }

    /// The next ID of any source.
    fn pop(&mut self) -> Option<StreamId> {
        let Reverse((id, source)) = self.next.pop()?;
        let next = self.sources[source].next();
        self.next.extend(next.map(|next| Reverse((next, source))));
        Some(id)
    }
}

impl Iterator for Mentioned<'_> {
    type Item = StreamId;

    fn next(&mut self) -> Option<StreamId> {
        let id = self.pop()?;
        while self.next.peek().is_some_and(|Reverse((next, _))| *next == id) {
            self.pop();
        }
        (id <= self.last_id).then_some(id)
    }
}
