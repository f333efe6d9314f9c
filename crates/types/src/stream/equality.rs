//! Whether two streams are the same to whoever reads them.

use super::group::Group;
use super::id::StreamId;
use super::state::Stream;

/// Streams are equal if no reader of entries could tell them apart; how they came about does not matter.
impl PartialEq for Stream {
    fn eq(&self, other: &Stream) -> bool {
        let (all, others) =
            (self.range(StreamId::MIN, StreamId::MAX), other.range(StreamId::MIN, StreamId::MAX));
        self.0.last_id == other.0.last_id
            && self.0.max_deleted_id == other.0.max_deleted_id
            && self.0.entries_added == other.0.entries_added
            && self.len() == other.len()
            && all.zip(others).all(|(one, two)| one.id() == two.id() && one.fields().eq(two.fields()))
            && self.groups().eq(other.groups())
    }
}

impl Eq for Stream {}

/// Groups are equal if their commands would answer the same.
impl PartialEq for Group {
    fn eq(&self, other: &Group) -> bool {
        let pending = |group: &Group| group.pending_len();
        self.last_delivered == other.last_delivered
            && self.entries_read == other.entries_read
            && pending(self) == pending(other)
            && self.pending(StreamId::MIN, StreamId::MAX).eq(other.pending(StreamId::MIN, StreamId::MAX))
            && self
                .consumers()
                .map(|it| (it.name(), it.seen_ms, it.active_ms))
                .eq(other.consumers().map(|it| (it.name(), it.seen_ms, it.active_ms)))
    }
}
