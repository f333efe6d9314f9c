//! Elements of a list in one allocation, encoded as in a listpack but without backlens, and a sparse index instead.
//!
//! ```text
//! 0      start                                         end              len - 2 * groups              len
//! +------+----------+----------+--- ... ---+-----------+----------------+-----------+--- ... ---+-----+
//! | free | element  | element  |           | element   |      free      | last group|           | 1st |
//! +------+----------+----------+--- ... ---+-----------+----------------+-----------+--- ... ---+-----+
//!                                                                         u16 offsets of groups' starts
//! ```
//!
//! - Eight elements are a group, and the index has the offset of each group's first element. The first group lacks
//!   `phase` elements at its beginning, the last some at its end, so both ends grow and shrink without touching the
//!   groups between; the n-th element is in group `(phase + n) / 8`.
//! - Offsets are from the start of the allocation: pushing at the head changes none but the first.
//! - The index stands at the end and grows downwards. A group more at the tail is one entry below, at the head the
//!   entries move by two bytes.
//! - Free room may be at both ends of the elements. Which one gets it when elements have to move is up to the list: the
//!   first node grows at its head, the last at its tail.
//!
//! An element of ten bytes takes 11.25, where a listpack takes 12. Seeking passes seven elements at most, where in a
//! listpack it is half of all. The listpack that RDB wants is written from this by adding the backlens.
//!
//! Rejected: listpacks at both ends of the list and packed nodes between them: every node would be translated twice on
//! its way through a queue.

use super::super::chain::End;
use crate::listpack::{Encoded, encoded_len};

/// Elements between two entries of the index.
pub(super) const GROUP: usize = 8;
const ENTRY: usize = 2;
/// Offsets are 16 bits.
const BYTES_MAX: usize = 1 << 16;

/// An element's encoding, in two parts: what stands before its text, and the text.
#[derive(Clone, Copy)]
pub(in crate::list) struct Element<'a> {
    pub(super) head: &'a [u8],
    pub(super) body: &'a [u8],
}

impl<'a> Element<'a> {
    #[inline]
    pub(in crate::list) fn of(encoded: &'a Encoded<'a>) -> Element<'a> {
        Element { head: encoded.head(), body: encoded.body() }
    }

    /// An element as it is stored somewhere else.
    #[inline]
    pub(in crate::list) fn stored(bytes: &'a [u8]) -> Element<'a> {
        Element { head: bytes, body: &[] }
    }

    #[inline]
    pub(in crate::list) fn len(self) -> usize {
        self.head.len() + self.body.len()
    }
}

/// Where a node gets its free room when its elements have to move.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::list) enum Room {
    Head,
    Tail,
    /// Both ends alike: the node is the only one.
    Both,
    /// The tail, but little: the node is changed in the middle, and grows by chance.
    Snug,
}

/// Several elements of a list.
#[derive(Clone)]
pub(in crate::list) struct Packed {
    pub(super) bytes: Box<[u8]>,
    pub(super) start: u16,
    pub(super) end: u16,
    pub(super) count: u16,
    /// How many elements the first group lacks, below [`GROUP`].
    pub(super) phase: u8,
}

impl Packed {
    /// An empty node with room for `bytes`.
    pub(in crate::list) fn with_room(bytes: usize) -> Packed {
        Packed { bytes: vec![0; bytes].into_boxed_slice(), start: 0, end: 0, count: 0, phase: 0 }
    }

    /// A node of `count` elements whose encodings are `elements`, 64 KiB with their index at most.
    pub(in crate::list) fn of_elements(elements: &[u8], count: usize) -> Packed {
        let mut node = Packed::with_room(elements.len() + ENTRY * count.div_ceil(GROUP));
        node.bytes[..elements.len()].copy_from_slice(elements);
        node.end = elements.len() as u16;
        node.count = count as u16;
        node.index_from(0);
        node
    }

    /// Number of elements.
    #[inline]
    pub(in crate::list) fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Bytes of the elements.
    #[inline]
    pub(in crate::list) fn elements_len(&self) -> usize {
        usize::from(self.end - self.start)
    }

    /// Bytes of the elements and their index.
    #[inline]
    pub(in crate::list) fn used_bytes(&self) -> usize {
        self.elements_len() + self.index_len()
    }

    /// Bytes of the allocation.
    #[inline]
    pub(in crate::list) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(super) fn groups(&self) -> usize {
        (usize::from(self.phase) + self.len()).div_ceil(GROUP)
    }

    #[inline]
    fn index_len(&self) -> usize {
        ENTRY * self.groups()
    }

    /// Where the index begins: elements end before.
    #[inline]
    pub(super) fn index_start(&self) -> usize {
        self.bytes.len() - self.index_len()
    }

    /// Offset of a group's first element.
    #[inline]
    pub(super) fn group_start(&self, group: usize) -> usize {
        let at = self.bytes.len() - ENTRY * (group + 1);
        usize::from(u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]))
    }

    #[inline]
    pub(super) fn set_group_start(&mut self, group: usize, offset: usize) {
        let at = self.bytes.len() - ENTRY * (group + 1);
        self.bytes[at..at + ENTRY].copy_from_slice(&(offset as u16).to_le_bytes());
    }

    /// Makes or drops entries at the front of the index, which has `groups` now.
    pub(super) fn shift_index(&mut self, groups: usize, added: usize, dropped: usize) {
        let (from, len) = (self.bytes.len() - ENTRY * groups, self.bytes.len());
        self.bytes.copy_within(from..len - ENTRY * dropped, from + ENTRY * dropped - ENTRY * added);
    }

    /// Writes the entries of the index from the group of element `from` on; those before are right.
    pub(super) fn index_from(&mut self, from: usize) {
        let phase = usize::from(self.phase);
        let group = (phase + from) / GROUP;
        let (mut at, mut number) = match group {
            0 => (usize::from(self.start), phase),
            group => (self.group_start(group), group * GROUP),
        };
        if group == 0 && self.count > 0 {
            self.set_group_start(0, at);
        }
        let last = phase + self.len();
        while number < last {
            if number.is_multiple_of(GROUP) {
                self.set_group_start(number / GROUP, at);
            }
            at += encoded_len(&self.bytes, at);
            number += 1;
        }
    }

    #[inline]
    pub(super) fn write(&mut self, at: usize, element: Element<'_>) {
        let text_at = at + element.head.len();
        match *element.head {
            [lead] => self.bytes[at] = lead,
            ref head => self.bytes[at..text_at].copy_from_slice(head),
        }
        self.bytes[text_at..text_at + element.body.len()].copy_from_slice(element.body);
    }

    /// Moves the elements, or the whole node into a larger allocation of at most `bytes_max`, so that `more` bytes fit
    /// at an end, and the rest of what is free is where `room` says. False if that cannot be, or would leave too little free to be worth it.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&mut self, more: usize, end: End, room: Room, bytes_max: usize) -> bool {
        let (used, capacity) = (self.used_bytes(), self.bytes.len());
        let bytes_max = bytes_max.min(BYTES_MAX);
        if used + more + capacity / 8 <= capacity {
            let start = self.start_for(capacity, more, end, room);
            self.slide(start);
            return true;
        }
        let grown = if room == Room::Snug { used + used / 8 } else { 2 * capacity };
        let wanted = grown.max(used + more).next_multiple_of(64).min(bytes_max);
        if wanted <= capacity || used + more > wanted {
            return false;
        }
        let start = self.start_for(wanted, more, end, room);
        self.resize(wanted, start);
        true
    }

    /// Where the elements are to begin in an allocation of `capacity`, where `more` bytes are needed at an end.
    fn start_for(&self, capacity: usize, more: usize, end: End, room: Room) -> usize {
        let free = capacity - self.used_bytes();
        let start = match room {
            Room::Tail | Room::Snug => 0,
            Room::Both => free / 2,
            // What remains is for the index of the elements to come, by the size of those that are there.
            Room::Head => free - (free * self.index_len() / (self.used_bytes() + 1)).min(free),
        };
        match end {
            End::Head => start.max(more).min(free.saturating_sub(ENTRY)),
            End::Tail => start.min(free.saturating_sub(more)),
        }
    }

    /// Moves the elements so that they begin at `start`.
    fn slide(&mut self, start: usize) {
        let (from, end) = (usize::from(self.start), usize::from(self.end));
        self.bytes.copy_within(from..end, start);
        self.moved_to(start);
    }

    /// After the elements have moved to `start`: the index, and where they end.
    fn moved_to(&mut self, start: usize) {
        let by = (start as u16).wrapping_sub(self.start);
        for entry in self.index_mut() {
            *entry = u16::from_le_bytes(*entry).wrapping_add(by).to_le_bytes();
        }
        self.start = start as u16;
        self.end = self.end.wrapping_add(by);
    }

    fn index_mut(&mut self) -> &mut [[u8; ENTRY]] {
        let from = self.index_start();
        self.bytes[from..].as_chunks_mut().0
    }

    /// Moves everything to an allocation of `capacity`, where the elements begin at `start`.
    pub(super) fn resize(&mut self, capacity: usize, start: usize) {
        let mut bytes = vec![0; capacity].into_boxed_slice();
        let (index, old) = (self.index_len(), &self.bytes);
        bytes[start..start + self.elements_len()]
            .copy_from_slice(&old[usize::from(self.start)..usize::from(self.end)]);
        bytes[capacity - index..].copy_from_slice(&old[old.len() - index..]);
        self.bytes = bytes;
        self.moved_to(start);
    }

    /// Gives memory back if more than an eighth lies idle: the node is not expected to grow.
    pub(in crate::list) fn trim(&mut self) {
        let used = self.used_bytes().next_multiple_of(16);
        if used + self.bytes.len() / 8 < self.bytes.len() {
            self.resize(used, 0);
        }
    }
}
