//! A leaf: up to `LEAF` members in order, a word each.
//!
//! ```text
//!  0      8       9     16
//! +------+-------+-----+--------------------------------------+
//! | base | shift | len | slots: hint and address, 8 bytes each |
//! +------+-------+-----+--------------------------------------+
//! ```
//!
//! 62 slots are 512 bytes. The base and the shift are the leaf's [`Frame`]. A word with the whole score beside it would
//! take 16 bytes (a third of what a member may cost altogether); addresses alone would need a member touched at every step
//! of a search.

use std::cmp::Ordering;

use super::super::member::{MemberRef, Slot};
use super::frame::{Cut, Frame};
use super::own::Node;
use super::probe::Probe;
use super::tied::search_tied;

#[derive(Debug)]
pub(super) struct Leaf<const LEAF: usize> {
    base: u64,
    shift: u8,
    len: u8,
    slots: [Slot; LEAF],
}

impl<const LEAF: usize> Node for Leaf<LEAF> {
    fn share_children(&mut self) {}
}

impl<const LEAF: usize> Leaf<LEAF> {
    pub(super) fn new() -> Box<Self> {
        const { assert!(LEAF >= 4 && LEAF <= u8::MAX as usize) };
        let Frame { base, shift } = Frame::EVERYTHING;
        Box::new(Leaf { base, shift, len: 0, slots: [Slot::EMPTY; LEAF] })
    }

    /// A leaf of members that are in order, at most `LEAF` of them.
    pub(super) fn from_sorted(members: &[MemberRef]) -> Box<Self> {
        let mut leaf = Self::new();
        leaf.len = members.len() as u8;
        for (slot, member) in leaf.slots.iter_mut().zip(members) {
            *slot = Slot::new(0, *member);
        }
        if let Some((low, high)) = leaf.exact_scores() {
            leaf.frame_anew(low, high);
        }
        leaf
    }

    #[inline]
    pub(super) fn frame(&self) -> Frame {
        Frame { base: self.base, shift: self.shift }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() == LEAF
    }

    #[inline]
    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots[..self.len()]
    }

    /// How many members are before a place.
    #[inline]
    pub(super) fn search(&self, probe: &Probe<'_>) -> usize {
        let (low, high) = match probe.key {
            Some(key) => self.may_equal(self.frame().hint(key)),
            None => (0, self.len()),
        };
        let is_before = |at: usize| probe.order(self.slots[at].member()) == Ordering::Less;
        search_tied(low, high, |at| self.slots[at].prefetch(), is_before)
    }

    /// The slots whose scores may be one with this hint: those before are lower, those after are higher.
    #[inline]
    fn may_equal(&self, cut: Cut) -> (usize, usize) {
        let hint = match cut {
            Cut::Hint(hint) => hint,
            Cut::Below => return (0, 0),
            Cut::Above => return (self.len(), self.len()),
        };
        // All slots are looked at: eight lines side by side come faster than three one after the other.
        let low = self.slots().iter().filter(|slot| slot.hint() < hint).count();
        let equal = self.slots()[low..].iter().take_while(|slot| slot.hint() == hint).count();
        (low, low + equal)
    }

    /// Puts a member in at its place; the leaf must not be full.
    pub(super) fn insert(&mut self, at: usize, key: u64, member: MemberRef) {
        let hint = self.hint_with_room(key);
        let len = self.len();
        self.slots.copy_within(at..len, at + 1);
        self.slots[at] = Slot::new(hint, member);
        self.len += 1;
    }

    /// The hint for a score; widens the frame if it has none.
    fn hint_with_room(&mut self, key: u64) -> u64 {
        if let Cut::Hint(hint) = self.frame().hint(key) {
            return hint;
        }
        let (low, high) = self.scores().map_or((key, key), |(low, high)| (low.min(key), high.max(key)));
        self.widen(Frame::around(low, high, self.shift));
        match self.frame().hint(key) {
            Cut::Hint(hint) => hint,
            Cut::Below | Cut::Above => unreachable!("the frame was made for this score"),
        }
    }

    /// Bounds of the scores, by the hints.
    fn scores(&self) -> Option<(u64, u64)> {
        let (first, last) = (self.slots().first()?, self.slots().last()?);
        Some(self.frame().scores(first.hint(), last.hint()))
    }

    fn widen(&mut self, wider: Frame) {
        let (before, len) = (self.frame(), self.len());
        for slot in &mut self.slots[..len] {
            *slot = slot.with_hint(before.widen(slot.hint(), wider));
        }
        (self.base, self.shift) = (wider.base, wider.shift);
    }

    /// Makes the frame as narrow as the scores allow. Members whose scores are all the same need not be touched for that.
    fn frame_anew(&mut self, low: u64, high: u64) {
        let frame = Frame::around(low, high, 0);
        (self.base, self.shift) = (frame.base, frame.shift);
        let len = self.len();
        if low != high {
            self.slots[..len].iter().for_each(|slot| slot.prefetch());
        }
        for slot in &mut self.slots[..len] {
            let key = if low == high { low } else { slot.member().key() };
            if let Cut::Hint(hint) = frame.hint(key) {
                *slot = slot.with_hint(hint);
            }
        }
    }

    /// The lowest and the highest score, exactly.
    fn exact_scores(&self) -> Option<(u64, u64)> {
        let (first, last) = (self.slots().first()?, self.slots().last()?);
        Some((first.member().key(), last.member().key()))
    }

    fn frame_anew_if_coarse(&mut self) {
        if let (Some(first), Some(last)) = (self.slots().first(), self.slots().last())
            && self.frame().is_coarse_for(first.hint(), last.hint())
            && let Some((low, high)) = self.exact_scores()
        {
            self.frame_anew(low, high);
        }
    }

    /// Takes out the members from `at` on, into a leaf of their own.
    pub(super) fn split_off(&mut self, at: usize) -> Box<Self> {
        let mut upper = Self::new();
        (upper.base, upper.shift) = (self.base, self.shift);
        let moved = self.len() - at;
        upper.slots[..moved].copy_from_slice(&self.slots[at..at + moved]);
        (upper.len, self.len) = (moved as u8, at as u8);
        upper.frame_anew_if_coarse();
        self.frame_anew_if_coarse();
        upper
    }

    /// Takes in the members of the next leaf; there must be room for them.
    pub(super) fn append(&mut self, next: &mut Self) {
        self.unite_frames(next);
        let (len, more) = (self.len(), next.len());
        self.slots[len..len + more].copy_from_slice(next.slots());
        self.len += next.len;
        self.frame_anew_if_coarse();
    }

    /// Gives two neighbours the same frame.
    fn unite_frames(&mut self, next: &mut Self) {
        if self.frame() == next.frame() {
            return;
        }
        if let (Some((low, _)), Some((_, high))) = (self.scores(), next.scores()) {
            let frame = Frame::around(low, high, self.shift.max(next.shift));
            self.widen(frame);
            next.widen(frame);
        }
    }

    /// Moves members from the end of this leaf to the beginning of the next, or back, so that this one has `keep`. What
    /// gets them must have room.
    pub(super) fn level(&mut self, next: &mut Self, keep: usize) {
        self.unite_frames(next);
        let (len, next_len) = (self.len(), next.len());
        if keep < len {
            let moved = len - keep;
            next.slots.copy_within(..next_len, moved);
            next.slots[..moved].copy_from_slice(&self.slots[keep..len]);
            next.len += moved as u8;
        } else {
            let moved = keep - len;
            self.slots[len..keep].copy_from_slice(&next.slots[..moved]);
            next.slots.copy_within(moved..next_len, 0);
            next.len -= moved as u8;
        }
        self.len = keep as u8;
        self.frame_anew_if_coarse();
        next.frame_anew_if_coarse();
    }

    /// Takes out a run of members.
    pub(super) fn remove(&mut self, at: usize, count: usize, visit: &mut dyn FnMut(MemberRef)) {
        self.slots[at..at + count].iter().for_each(|slot| visit(slot.member()));
        let len = self.len();
        self.slots.copy_within(at + count..len, at);
        self.len -= count as u8;
    }

    /// Moves a member that is about to get another score (`new` is its place then), if that place is surely in this leaf
    /// and the first member stays the first. Whether it was moved.
    pub(super) fn nudge(&mut self, old: &Probe<'_>, new: &Probe<'_>, member: MemberRef) -> bool {
        let Some(Cut::Hint(hint)) = new.key.map(|key| self.frame().hint(key)) else { return false };
        let (from, to) = (self.search(old), self.search(new));
        if from == 0 || to == 0 || to >= self.len() {
            return false;
        }
        let at = if to > from {
            self.slots.copy_within(from + 1..to, from);
            to - 1
        } else {
            self.slots.copy_within(to..from, to + 1);
            to
        };
        self.slots[at] = Slot::new(hint, member);
        true
    }

    /// Says what is wrong with the leaf, if anything is.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self) {
        let in_order = |pair: &[Slot]| {
            let [a, b] = [pair[0].member(), pair[1].member()];
            (a.key(), a.bytes()) < (b.key(), b.bytes())
        };
        assert!(self.slots().windows(2).all(in_order), "a leaf is in order");
        assert!(self.len() > 0, "no leaf is empty");
        for slot in self.slots() {
            assert_eq!(self.frame().hint(slot.member().key()), Cut::Hint(slot.hint()), "hints are exact");
        }
    }
}
