//! An inner node: up to `INNER` children, how many members each has below it, and where each begins.
//!
//! ```text
//! +-----+------------------+--------------------+-------------------+----------------------+
//! | len | keys: first score| counts: members of | firsts: the first | children: leaves or  |
//! |     | of each child    | each child         | member's address  | inner nodes          |
//! +-----+------------------+--------------------+-------------------+----------------------+
//! ```
//!
//! The columns lie one after the other, so a search reads the keys only, and the counts to know a rank. 63 children are 2,528
//! bytes, which fill a size class of the allocator, about one byte for a member.
//!
//! Invariant: for every child but the first, key and first are those of its first member, exactly. Nothing is known
//! about those of the first child; what was put in below the smallest member would have to change them on all levels.

use std::cmp::Ordering;

use super::super::member::MemberRef;
use super::leaf::Leaf;
use super::own::{Node, Own};
use super::probe::Probe;
use super::tied::search_tied;
use super::upkeep::Upkeep;

/// A node below another one, or the root.
#[derive(Debug)]
pub(super) enum Child<const LEAF: usize, const INNER: usize> {
    Leaf(Own<Leaf<LEAF>>),
    Inner(Own<Inner<LEAF, INNER>>),
}

#[derive(Debug)]
pub(super) struct Inner<const LEAF: usize, const INNER: usize> {
    pub(super) len: usize,
    keys: [u64; INNER],
    pub(super) counts: [usize; INNER],
    pub(super) firsts: [Option<MemberRef>; INNER],
    pub(super) children: [Option<Child<LEAF, INNER>>; INNER],
}

impl<const LEAF: usize, const INNER: usize> Child<LEAF, INNER> {
    /// Members below.
    pub(super) fn count(&self) -> usize {
        match self {
            Child::Leaf(leaf) => leaf.len(),
            Child::Inner(inner) => inner.counts[..inner.len].iter().sum(),
        }
    }

    /// Slots or children in use.
    pub(super) fn width(&self) -> usize {
        match self {
            Child::Leaf(leaf) => leaf.len(),
            Child::Inner(inner) => inner.len,
        }
    }

    /// Slots or children there are.
    pub(super) fn capacity(&self) -> usize {
        match self {
            Child::Leaf(_) => LEAF,
            Child::Inner(_) => INNER,
        }
    }

    pub(super) fn first_member(&self) -> Option<MemberRef> {
        let mut node = self;
        loop {
            match node {
                Child::Leaf(leaf) => return leaf.slots().first().map(|slot| slot.member()),
                Child::Inner(inner) => node = inner.child(0)?,
            }
        }
    }

    /// Puts a member in at its place. Returns the upper half, if the node had to become two.
    pub(super) fn insert(
        &mut self,
        probe: &Probe<'_>,
        key: u64,
        member: MemberRef,
        upkeep: &mut Upkeep,
    ) -> Option<Self> {
        match self {
            Child::Leaf(leaf) => {
                let leaf = leaf.make_mut(upkeep);
                insert_in_leaf(leaf, probe, key, member, upkeep).map(|upper| Child::Leaf(upper.into()))
            }
            Child::Inner(inner) => {
                let inner = inner.make_mut(upkeep);
                inner.insert(probe, key, member, upkeep).map(|upper| Child::Inner(upper.into()))
            }
        }
    }

    /// Takes in all of the next node of the same kind, whose first member is `first`; there must be room.
    pub(super) fn append(&mut self, next: Self, first: MemberRef, upkeep: &mut Upkeep) {
        match (self, next) {
            (Child::Leaf(leaf), Child::Leaf(mut next)) => {
                leaf.make_mut(upkeep).append(next.make_mut(upkeep));
                upkeep.census.leaves -= 1;
            }
            (Child::Inner(inner), Child::Inner(mut next)) => {
                inner.make_mut(upkeep).append(next.make_mut(upkeep), first);
                upkeep.census.inners -= 1;
            }
            _ => unreachable!("siblings are on the same level"),
        }
    }
}

/// Members that come in order leave full leaves behind; others leave two halves.
fn insert_in_leaf<const LEAF: usize>(
    leaf: &mut Leaf<LEAF>,
    probe: &Probe<'_>,
    key: u64,
    member: MemberRef,
    upkeep: &mut Upkeep,
) -> Option<Box<Leaf<LEAF>>> {
    let at = leaf.search(probe);
    if !leaf.is_full() {
        leaf.insert(at, key, member);
        return None;
    }
    let half = if at == 0 || at == LEAF { at } else { LEAF / 2 };
    let mut upper = leaf.split_off(half);
    upkeep.census.leaves += 1;
    if at > half || half == LEAF {
        upper.insert(at - half, key, member);
    } else {
        leaf.insert(at, key, member);
    }
    Some(upper)
}

impl<const LEAF: usize, const INNER: usize> Inner<LEAF, INNER> {
    pub(super) fn new() -> Box<Self> {
        const { assert!(INNER >= 4) };
        Box::new(Inner {
            len: 0,
            keys: [0; INNER],
            counts: [0; INNER],
            firsts: [None; INNER],
            children: [const { None }; INNER],
        })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Children with the members below each.
    #[cfg(test)]
    pub(super) fn children(&self) -> impl Iterator<Item = (&Child<LEAF, INNER>, usize)> {
        self.children.iter().flatten().zip(self.counts)
    }

    pub(super) fn child(&self, at: usize) -> Option<&Child<LEAF, INNER>> {
        self.children.get(at)?.as_ref()
    }

    /// A child, to be changed. What is in it is not own yet.
    pub(super) fn child_mut(&mut self, at: usize) -> Option<&mut Child<LEAF, INNER>> {
        self.children.get_mut(at)?.as_mut()
    }

    /// Members before a child.
    #[inline]
    pub(super) fn count_before(&self, at: usize) -> usize {
        self.counts[..at].iter().sum()
    }

    /// The child in which a place is: the last one that begins at or before it.
    #[inline]
    pub(super) fn route(&self, probe: &Probe<'_>) -> usize {
        let (low, high) = match probe.key {
            Some(key) => self.may_equal(key),
            None => (1, self.len),
        };
        let begins_before = |at: usize| {
            self.firsts[at].is_some_and(|first| match probe.key {
                Some(_) => probe.order_of_bytes(first) != Ordering::Greater,
                None => probe.order(first) != Ordering::Greater,
            })
        };
        let fetch = |at: usize| self.firsts[at].into_iter().for_each(MemberRef::prefetch);
        search_tied(low, high, fetch, begins_before) - 1
    }

    /// The children that begin with a score, but for the first child.
    #[inline]
    fn may_equal(&self, key: u64) -> (usize, usize) {
        let keys = &self.keys[1..self.len];
        let low = 1 + keys.iter().filter(|first| **first < key).count();
        let equal = keys[low - 1..].iter().take_while(|first| **first == key).count();
        (low, low + equal)
    }

    /// The child in which a rank is, and its rank there.
    #[inline]
    pub(super) fn route_rank(&self, mut rank: usize) -> (usize, usize) {
        let mut at = 0;
        while at + 1 < self.len && rank >= self.counts[at] {
            rank -= self.counts[at];
            at += 1;
        }
        (at, rank)
    }

    fn insert(
        &mut self,
        probe: &Probe<'_>,
        key: u64,
        member: MemberRef,
        upkeep: &mut Upkeep,
    ) -> Option<Box<Self>> {
        let mut at = self.route(probe);
        if self.relieve(at, upkeep) {
            at = self.route(probe);
        }
        self.counts[at] += 1;
        let upper = self.child_mut(at)?.insert(probe, key, member, upkeep)?;
        self.counts[at] -= upper.count();
        self.add_child(at + 1, upper, upkeep)
    }

    /// Puts a child in. Returns the upper half, if the node had to become two.
    fn add_child(&mut self, at: usize, child: Child<LEAF, INNER>, upkeep: &mut Upkeep) -> Option<Box<Self>> {
        if self.len < INNER {
            self.put_child(at, child);
            return None;
        }
        let half = if at == INNER { INNER } else { INNER / 2 };
        let mut upper = self.split_off(half);
        upkeep.census.inners += 1;
        if at > half || half == INNER {
            upper.put_child(at - half, child);
        } else {
            self.put_child(at, child);
        }
        Some(upper)
    }

    /// Puts a child in where there is room.
    pub(super) fn put_child(&mut self, at: usize, child: Child<LEAF, INNER>) {
        let len = self.len;
        self.keys.copy_within(at..len, at + 1);
        self.counts.copy_within(at..len, at + 1);
        self.firsts.copy_within(at..len, at + 1);
        self.children[at..=len].rotate_right(1);
        self.counts[at] = child.count();
        self.firsts[at] = child.first_member();
        self.keys[at] = self.firsts[at].map_or(0, MemberRef::key);
        self.children[at] = Some(child);
        self.len += 1;
    }

    pub(super) fn take_child(&mut self, at: usize) -> Option<Child<LEAF, INNER>> {
        let len = self.len;
        let child = self.children[at].take();
        self.keys.copy_within(at + 1..len, at);
        self.counts.copy_within(at + 1..len, at);
        self.firsts.copy_within(at + 1..len, at);
        self.children[at..len].rotate_left(1);
        self.len -= 1;
        child
    }

    fn split_off(&mut self, at: usize) -> Box<Self> {
        let mut upper = Self::new();
        upper.take_from(self, at..self.len);
        upper
    }

    /// Moves a run of children from another node to the end of this one.
    fn take_from(&mut self, other: &mut Self, run: std::ops::Range<usize>) {
        let to = self.len..self.len + run.len();
        self.keys[to.clone()].copy_from_slice(&other.keys[run.clone()]);
        self.counts[to.clone()].copy_from_slice(&other.counts[run.clone()]);
        self.firsts[to.clone()].copy_from_slice(&other.firsts[run.clone()]);
        self.children[to.clone()].swap_with_slice(&mut other.children[run.clone()]);
        self.len = to.end;
        other.len -= run.len();
    }

    fn append(&mut self, next: &mut Self, first: MemberRef) {
        let (at, len) = (self.len, next.len);
        self.take_from(next, 0..len);
        self.set_first(at, first);
    }

    pub(super) fn set_first(&mut self, at: usize, first: MemberRef) {
        (self.keys[at], self.firsts[at]) = (first.key(), Some(first));
    }

    /// Panics if an invariant of this node does not hold; those below are looked at too. Returns members and height.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self) -> (usize, usize) {
        assert!(self.len > 0 && self.len <= INNER, "an inner node has children");
        assert!(self.children[..self.len].iter().all(Option::is_some), "children are side by side");
        assert!(self.children[self.len..].iter().all(Option::is_none), "nothing comes after them");
        let mut height = None;
        for (at, (child, count)) in self.children().enumerate() {
            let (members, height_below) = child.validate();
            assert_eq!(members, count, "counts are exact");
            assert_eq!(*height.get_or_insert(height_below), height_below, "leaves are on one level");
            if at > 0 {
                assert_eq!(self.firsts[at], child.first_member(), "firsts are exact");
                assert_eq!(Some(self.keys[at]), self.firsts[at].map(MemberRef::key), "keys are exact");
            }
        }
        (self.counts[..self.len].iter().sum(), height.unwrap_or(0) + 1)
    }
}

impl<const LEAF: usize, const INNER: usize> Node for Inner<LEAF, INNER> {
    fn share_children(&mut self) {
        for child in self.children.iter_mut().flatten() {
            match child {
                Child::Leaf(leaf) => leaf.share(),
                Child::Inner(inner) => inner.share(),
            }
        }
    }
}

#[cfg(any(test, fuzzing))]
impl<const LEAF: usize, const INNER: usize> Child<LEAF, INNER> {
    pub(super) fn validate(&self) -> (usize, usize) {
        match self {
            Child::Leaf(leaf) => {
                leaf.validate();
                (leaf.len(), 1)
            }
            Child::Inner(inner) => inner.validate(),
        }
    }
}
