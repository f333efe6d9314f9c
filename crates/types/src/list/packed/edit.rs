//! Changes in the middle of a packed node: bytes after the place move, and the index from its group on is made anew.
//! Linear in the node, which is a few kibibytes.

use super::super::chain::End;
use super::node::{Element, GROUP, Packed, Room};
use crate::listpack::{Encoded, encoded_len};

impl Packed {
    /// Adds an element before number `index`. False if the node, of at most `bytes_max`, is full.
    pub(in crate::list) fn insert(&mut self, index: usize, element: Element<'_>, bytes_max: usize) -> bool {
        if index == 0 {
            return self.push_front(element, Room::Both, bytes_max);
        }
        if index >= self.len() {
            return self.push_back(element, Room::Snug, bytes_max);
        }
        // An entry more, whether it is needed or not: who counts exactly here counts twice.
        if self.count == u16::MAX || !self.tail_room(element.len() + 2, bytes_max) {
            return false;
        }
        let (at, end) = (self.offset(index), usize::from(self.end));
        self.bytes.copy_within(at..end, at + element.len());
        self.write(at, element);
        self.end += element.len() as u16;
        self.count += 1;
        self.index_from(index);
        true
    }

    /// Whether there are, or could be made, `more` bytes of free room after the last element.
    fn tail_room(&mut self, more: usize, bytes_max: usize) -> bool {
        let fits = |node: &Packed| usize::from(node.end) + more <= node.index_start();
        fits(self) || self.make_room(more, End::Tail, Room::Snug, bytes_max) && fits(self)
    }

    /// Puts an element in the place of number `index`. False if it does not fit into the node, of at most `bytes_max`.
    pub(in crate::list) fn replace(&mut self, index: usize, element: Element<'_>, bytes_max: usize) -> bool {
        let old_len = encoded_len(&self.bytes, self.offset(index));
        if element.len() > old_len && !self.tail_room(element.len() - old_len, bytes_max) {
            return false;
        }
        let (at, end) = (self.offset(index), usize::from(self.end));
        if element.len() != old_len {
            self.bytes.copy_within(at + old_len..end, at + element.len());
            self.end = (end - old_len + element.len()) as u16;
            let by = (element.len() as u16).wrapping_sub(old_len as u16);
            for group in (usize::from(self.phase) + index) / GROUP + 1..self.groups() {
                self.set_group_start(group, usize::from((self.group_start(group) as u16).wrapping_add(by)));
            }
        }
        self.write(at, element);
        true
    }

    /// Removes up to `count` elements from number `index` on.
    pub(in crate::list) fn remove(&mut self, index: usize, count: usize) {
        let count = count.min(self.len().saturating_sub(index));
        if count == 0 {
            return;
        }
        let (from, to, end) = (self.offset(index), self.offset(index + count), usize::from(self.end));
        if index == 0 {
            self.remove_head(to, count);
        } else {
            self.bytes.copy_within(to..end, from);
            self.end = (end - (to - from)) as u16;
            self.count -= count as u16;
            if index < self.len() {
                self.index_from(index);
            }
        }
    }

    /// Drops the first `count` elements, so that the one at offset `start` is the first.
    fn remove_head(&mut self, start: usize, count: usize) {
        let (groups, phase) = (self.groups(), usize::from(self.phase) + count);
        self.shift_index(groups, 0, phase / GROUP);
        self.phase = (phase % GROUP) as u8;
        self.start = start as u16;
        self.count -= count as u16;
        if self.count > 0 {
            self.set_group_start(0, start);
        } else {
            self.phase = 0;
        }
    }

    /// Removes up to `most` elements that are `wanted`, from the head or the tail on; gives how many there were.
    pub(in crate::list) fn remove_matching(
        &mut self,
        wanted: &Encoded<'_>,
        most: usize,
        from_tail: bool,
    ) -> usize {
        let mut found = Vec::new();
        let _ = self.find(wanted, 0, self.len(), &mut |index| {
            found.push(index);
            if found.len() == most && !from_tail {
                return std::ops::ControlFlow::Break(());
            }
            std::ops::ControlFlow::Continue(())
        });
        if from_tail {
            found.drain(..found.len().saturating_sub(most));
        }
        self.compact(&found);
        found.len()
    }

    /// Removes the elements with these numbers, which are in order: moves what is between them, a run at a time.
    fn compact(&mut self, gone: &[usize]) {
        let Some(first) = gone.first() else { return };
        let (mut from, end) = (self.offset(*first), usize::from(self.end));
        let mut to = from;
        for (turn, index) in gone.iter().enumerate() {
            from += encoded_len(&self.bytes, from);
            let run_end = match gone.get(turn + 1) {
                Some(next) => (index + 1..*next).fold(from, |at, _| at + encoded_len(&self.bytes, at)),
                None => end,
            };
            self.bytes.copy_within(from..run_end, to);
            to += run_end - from;
            from = run_end;
        }
        self.end = to as u16;
        self.count -= gone.len() as u16;
        self.forget_phase_if_empty();
        if *first < self.len() {
            self.index_from(*first);
        }
    }

    /// Cuts the node before number `index`; gives what comes after.
    pub(in crate::list) fn split_off(&mut self, index: usize) -> Packed {
        let (at, end) = (self.offset(index), usize::from(self.end));
        let after = Packed::of_elements(&self.bytes[at..end], self.len().saturating_sub(index));
        self.end = at as u16;
        self.count = self.count.min(index as u16);
        self.forget_phase_if_empty();
        self.trim();
        after
    }

    /// Takes in all elements of the node that follows. False, and nothing happens, if they do not fit into `bytes_max`.
    pub(in crate::list) fn append(&mut self, next: &Packed, bytes_max: usize) -> bool {
        let more = next.elements_len() + 2 * next.len().div_ceil(GROUP) + 2;
        let count = self.len();
        if count + next.len() > usize::from(u16::MAX) || !self.tail_room(more, bytes_max) {
            return false;
        }
        let at = usize::from(self.end);
        self.bytes[at..at + next.elements_len()].copy_from_slice(next.elements());
        self.end += next.elements_len() as u16;
        self.count += next.count;
        self.index_appended(count, at);
        true
    }

    /// Indexes the elements from number `from` on, the first of which is at the offset `at`.
    fn index_appended(&mut self, from: usize, mut at: usize) {
        let phase = usize::from(self.phase);
        for number in phase + from..phase + self.len() {
            if number.is_multiple_of(GROUP) {
                self.set_group_start(number / GROUP, at);
            }
            at += encoded_len(&self.bytes, at);
        }
    }
}
