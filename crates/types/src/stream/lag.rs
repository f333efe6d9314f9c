//! How far a group is behind, told from a few figures instead of by counting.
//!
//! The logical position of an entry is how many were added up to it. It is known for the last ID, for the first entry
//! and what comes before it, and by counting on from there, as long as no entry was deleted in between; where one may
//! have been, the answer is that nobody knows. These are the rules of Redis 7, and clients see their results.

use super::group::Group;
use super::id::StreamId;

/// The figures of a stream that positions follow from.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    pub(super) len: u64,
    /// `0-0` if there is no entry.
    pub(super) first_id: StreamId,
    pub(super) last_id: StreamId,
    pub(super) max_deleted_id: StreamId,
    pub(super) entries_added: u64,
}

impl History {
    /// How many entries `group` has yet to read. Negative if a client set the counts so.
    pub(super) fn lag(&self, group: &Group) -> Option<i64> {
        if self.entries_added == 0 || self.len == 0 {
            return Some(0);
        }
        if group.last_delivered < self.first_id && self.max_deleted_id < self.first_id {
            return Some(self.len as i64);
        }
        let counted = group.entries_read.filter(|_| !self.may_have_deleted_from(group.last_delivered));
        let read = counted.or_else(|| self.position(group.last_delivered))?;
        Some(self.entries_added.wrapping_sub(read) as i64)
    }

    /// The count of entries read, after `group` was given the entry `id`, the next one for it.
    pub(super) fn entries_read_with(&self, group: &Group, id: StreamId) -> Option<u64> {
        let last = group.last_delivered;
        match group.entries_read {
            Some(read) if last >= self.first_id && !self.may_have_deleted_from(last) => {
                Some(read.saturating_add(1))
            }
            _ if self.entries_added > 0 => self.position(id),
            read => read,
        }
    }

    /// Whether an entry from `id` on may have been deleted.
    fn may_have_deleted_from(&self, id: StreamId) -> bool {
        self.len > 0 && self.max_deleted_id != StreamId::MIN && id <= self.max_deleted_id
    }

    /// How many entries were added up to `id`.
    pub(super) fn position(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.len == 0 && id <= self.last_id {
            return Some(self.entries_added);
        }
        if id != StreamId::MIN && id < self.max_deleted_id {
            return None;
        }
        if id == self.last_id {
            return Some(self.entries_added);
        }
        if id > self.last_id {
            return None;
        }
        if self.max_deleted_id != StreamId::MIN && self.max_deleted_id >= self.first_id {
            return None;
        }
        let before_first = self.entries_added.saturating_sub(self.len);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less => Some(before_first),
            std::cmp::Ordering::Equal => Some(before_first.saturating_add(1)),
            std::cmp::Ordering::Greater => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{IdRequest, NodeLimits, References, Stream, Trim, TrimTo};
    use super::*;

    fn stream(entries: u64) -> Stream {
        let mut stream = Stream::new();
        for ms in 1..=entries {
            let request = IdRequest::Exact(StreamId::new(ms, 0));
            stream.add(request, &[b"a", b"b"], NodeLimits::default(), 0).unwrap();
        }
        stream
    }

    /// Entries read and lag of a group, as XINFO GROUPS shows them.
    fn figures(stream: &Stream) -> (Option<u64>, Option<i64>) {
        let group = stream.group(b"g").unwrap();
        (group.entries_read(), stream.lag(group))
    }

    // The expected figures of these tests are what Redis answers.

    #[test]
    fn counts_follow_from_reading_from_the_start() {
        let mut stream = stream(4);
        stream.create_group(b"g", StreamId::MIN, None).unwrap();
        assert_eq!(figures(&stream), (None, Some(4)));
        stream.deliver(b"g", b"c", Some(1), false, 0).unwrap();
        assert_eq!(figures(&stream), (Some(1), Some(3)));
        stream.deliver(b"g", b"c", None, false, 0).unwrap();
        assert_eq!(figures(&stream), (Some(4), Some(0)));
    }

    #[test]
    fn the_middle_is_unknown_and_the_end_is_known() {
        let mut stream = stream(4);
        stream.create_group(b"g", StreamId::new(3, 0), None).unwrap();
        assert_eq!(figures(&stream), (None, None));
        stream.deliver(b"g", b"c", Some(1), false, 0).unwrap();
        assert_eq!(figures(&stream), (Some(4), Some(0)));
        stream.set_group_id(b"g", StreamId::new(2, 0), Some(77)).unwrap();
        assert_eq!(figures(&stream), (Some(4), Some(0)));
    }

    #[test]
    fn a_deletion_ahead_makes_it_unknown() {
        let mut stream = stream(5);
        stream.create_group(b"g", StreamId::MIN, None).unwrap();
        stream.deliver(b"g", b"c", Some(2), false, 0).unwrap();
        stream.delete(&[StreamId::new(4, 0)]);
        assert_eq!(figures(&stream), (Some(2), None));
        stream.deliver(b"g", b"c", None, false, 0).unwrap();
        assert_eq!(figures(&stream), (Some(5), Some(0)));
    }

    #[test]
    fn trimming_past_a_group_leaves_what_is_there() {
        let mut stream = stream(5);
        stream.create_group(b"g", StreamId::MIN, None).unwrap();
        stream.deliver(b"g", b"c", Some(1), false, 0).unwrap();
        let trim = Trim { to: TrimTo::Len(2), approximate: false, limit: 0, references: References::Keep };
        stream.trim(&trim);
        assert_eq!(figures(&stream), (Some(1), Some(2)));
        stream.trim(&Trim { to: TrimTo::Len(0), ..trim });
        assert_eq!(figures(&stream), (Some(1), Some(0)));
    }
}
