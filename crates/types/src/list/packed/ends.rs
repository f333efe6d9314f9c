//! Pushing and popping at both ends of a packed node: constant time, but for an element's own bytes.

use super::super::chain::End;
use super::node::{Element, GROUP, Packed, Room};
use crate::listpack::{Item, decode, encoded_len};

impl Packed {
    /// Adds an element at the tail. False if the node, of at most `bytes_max`, is full.
    #[inline]
    pub(in crate::list) fn push_back(&mut self, element: Element<'_>, room: Room, bytes_max: usize) -> bool {
        let next = usize::from(self.phase) + self.len();
        let more = element.len() + 2 * usize::from(next.is_multiple_of(GROUP));
        if self.count == u16::MAX
            || usize::from(self.end) + more > self.index_start()
                && (!self.make_room(more, End::Tail, room, bytes_max)
                    || usize::from(self.end) + more > self.index_start())
        {
            return false;
        }
        let at = usize::from(self.end);
        self.write(at, element);
        if next.is_multiple_of(GROUP) {
            self.set_group_start(next / GROUP, at);
        }
        self.end += element.len() as u16;
        self.count += 1;
        true
    }

    /// Adds an element at the head. False if the node, of at most `bytes_max`, is full.
    #[inline]
    pub(in crate::list) fn push_front(&mut self, element: Element<'_>, room: Room, bytes_max: usize) -> bool {
        let entry = 2 * usize::from(self.phase == 0);
        if self.count == u16::MAX
            || !self.head_fits(element, entry)
                && (!self.make_room(element.len() + entry, End::Head, room, bytes_max)
                    || !self.head_fits(element, entry))
        {
            return false;
        }
        if self.phase == 0 {
            self.shift_index(self.groups(), 1, 0);
            self.phase = GROUP as u8;
        }
        self.phase -= 1;
        self.count += 1;
        let at = usize::from(self.start) - element.len();
        self.write(at, element);
        self.set_group_start(0, at);
        self.start = at as u16;
        true
    }

    #[inline]
    fn head_fits(&self, element: Element<'_>, entry: usize) -> bool {
        usize::from(self.start) >= element.len() && usize::from(self.end) + entry <= self.index_start()
    }

    /// Removes the first element, after `take` has seen it. Nothing if there is none.
    #[inline]
    pub(in crate::list) fn pop_front(&mut self, take: &mut impl FnMut(Item<'_>)) {
        let at = usize::from(self.start);
        let Some((item, len)) = decode(&self.bytes[..usize::from(self.end)], at) else { return };
        take(item);
        self.count -= 1;
        self.start += len as u16;
        self.phase += 1;
        if usize::from(self.phase) == GROUP {
            self.shift_index((GROUP + self.len()).div_ceil(GROUP), 0, 1);
            self.phase = 0;
        } else {
            self.set_group_start(0, at + len);
        }
        self.forget_phase_if_empty();
    }

    /// An empty node has no group that could lack anything.
    #[inline]
    pub(super) fn forget_phase_if_empty(&mut self) {
        if self.count == 0 {
            self.phase = 0;
        }
    }

    /// Removes the last element, after `take` has seen it. Nothing if there is none.
    #[inline]
    pub(in crate::list) fn pop_back(&mut self, take: &mut impl FnMut(Item<'_>)) {
        let Some(last) = self.len().checked_sub(1) else { return };
        let at = self.offset(last);
        if let Some((item, _)) = decode(&self.bytes[..usize::from(self.end)], at) {
            take(item);
        }
        self.count -= 1;
        self.end = at as u16;
        self.forget_phase_if_empty();
    }

    /// Offset of an element; where the elements end for the number of elements and more.
    #[inline]
    pub(super) fn offset(&self, index: usize) -> usize {
        if index >= self.len() {
            return usize::from(self.end);
        }
        let phase = usize::from(self.phase);
        let group = (phase + index) / GROUP;
        let steps = if group == 0 { index } else { (phase + index) % GROUP };
        (0..steps).fold(self.group_start(group), |at, _| at + encoded_len(&self.bytes, at))
    }
}
