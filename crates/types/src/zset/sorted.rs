//! The big encoding: a table that owns the members, and a tree that has them in order.
//!
//! ```text
//!  table: member -> its allocation ──> | score | bytes | <── tree: leaf slots in order
//! ```
//!
//! A score is looked up in the table, a rank by walking down the tree with the score that the table led to. A member of 12
//! bytes takes 32 bytes itself, about 10 in the table and 10 in the tree.
//!
//! Whatever is taken out leaves the tree first, just before the table lets it go: the tree has addresses only.
//!
//! Pins ([`Sorted::pin`]) are of the table and of the tree at once. A member that pins have is not given another score but
//! replaced; nodes of the tree that pins have are in the tree's limbo after a change, and are buried with the table's pins.

use std::ops::{Bound, Range};

use ochre_table::{Access, Key, Map, hasher};

use super::iter::ZSetIter;
use super::limits::Direction;
use super::member::{Member, MemberRef, allocated_bytes};
use super::ranges::{LexBound, LexRange, ScoreRange};
use super::tree::{PinnedTree, Probe, Tree};
use crate::listpack::Item;

#[derive(Debug)]
pub(super) struct Sorted {
    members: Members,
    tree: Tree,
}

/// Members by their bytes, with what they take.
pub(super) struct Members {
    map: Map<Member>,
    bytes: usize,
}

impl std::fmt::Debug for Members {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs = self.map.iter().map(|member| (member.bytes().escape_ascii().to_string(), member.score()));
        formatter.debug_map().entries(pairs).finish()
    }
}

impl Members {
    pub(super) fn with_capacity(len: usize) -> Members {
        Members { map: Map::with_capacity(len), bytes: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    #[inline]
    pub(super) fn get(&self, member: &[u8]) -> Option<MemberRef> {
        self.map.get(member, hasher())
    }

    /// Puts a member in; `None` if it is there already.
    pub(super) fn add(&mut self, member: &[u8], score: f64) -> Option<MemberRef> {
        let mut added = None;
        self.map.insert_with(member, hasher(), || {
            let member = Member::new(score, member);
            added = Some(member.by_ref());
            member
        });
        if added.is_some() {
            self.bytes += allocated_bytes(member.len());
        }
        added
    }

    /// Takes a member out, which `visit` sees just before; whether it was there.
    pub(super) fn take(&mut self, member: &[u8], visit: impl FnOnce(MemberRef)) -> bool {
        let (bytes, mut taken) = (allocated_bytes(member.len()), false);
        // `member` may be that of the member itself, which is gone after this.
        self.map.remove_seen(member, hasher(), |member| {
            taken = true;
            visit(member);
        });
        self.bytes -= if taken { bytes } else { 0 };
        taken
    }

    /// All members in order. O(n log n).
    fn in_order(&self) -> Vec<MemberRef> {
        let mut keyed: Vec<(u64, MemberRef)> = self.map.iter().map(|member| (member.key(), member)).collect();
        keyed.sort_unstable_by(|(a_key, a), (b_key, b)| {
            a_key.cmp(b_key).then_with(|| a.bytes().cmp(b.bytes()))
        });
        keyed.into_iter().map(|(_, member)| member).collect()
    }
}

impl Sorted {
    /// The slots of the table of members.
    pub(super) fn table_slots(&self) -> usize {
        self.members.map.slots()
    }

    pub(super) fn with_capacity(len: usize) -> Sorted {
        Sorted { members: Members::with_capacity(len), tree: Tree::new() }
    }

    /// A sorted set of members that were gathered in any order. O(n log n).
    pub(super) fn from_members(members: Members) -> Sorted {
        let tree = Tree::from_sorted(&members.in_order());
        Sorted { members, tree }
    }

    /// A sorted set of members that come in order.
    pub(super) fn from_ordered<'a>(len: usize, pairs: impl Iterator<Item = (Item<'a>, f64)>) -> Sorted {
        let mut members = Members::with_capacity(len);
        let refs: Vec<MemberRef> = pairs
            .filter_map(|(member, score)| member.with_bytes(|member| members.add(member, score)))
            .collect();
        Sorted { tree: Tree::from_sorted(&refs), members }
    }

    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    /// Bytes allocated, those of this struct not counted.
    pub(super) fn heap_bytes(&self) -> usize {
        self.members.bytes + self.members.map.memory_bytes() + self.tree.heap_bytes()
    }

    pub(super) fn map(&self) -> &Map<Member> {
        &self.members.map
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    #[inline]
    pub(super) fn get(&self, member: &[u8]) -> Option<MemberRef> {
        self.members.get(member)
    }

    /// Puts in a member that is not there.
    pub(super) fn insert(&mut self, member: &[u8], score: f64) {
        if let Some(member) = self.members.add(member, score) {
            self.tree.insert(member);
            self.bury_limbo_if_any();
        }
    }

    /// Gives a member of this sorted set another score.
    pub(super) fn rescore(&mut self, member: MemberRef, score: f64) {
        if self.tree.may_be_pinned() {
            return self.rescore_pinned(member, score);
        }
        self.tree.rescore(member, score);
    }

    /// The same where pins may have the member.
    #[cold]
    fn rescore_pinned(&mut self, member: MemberRef, score: f64) {
        match self.members.map.access(member.bytes(), hasher()) {
            Some(Access::Pinned(old)) => {
                let new = Member::new(score, old.bytes());
                self.tree.remove(old);
                self.tree.insert(new.by_ref());
                self.members.map.insert(new, hasher());
            }
            Some(Access::Own(member)) => self.tree.rescore(member, score),
            None => {}
        }
        self.bury_limbo();
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> bool {
        let tree = &mut self.tree;
        let taken = self.members.take(member, |member| tree.remove(member));
        self.bury_limbo_if_any();
        taken
    }

    /// The sorted set as it is now, to be read anywhere. What [`Map::pin`] takes, which is that for the table.
    pub(super) fn pin(&mut self) -> PinnedTree {
        self.tree.pin(self.members.map.pin())
    }

    #[inline]
    fn bury_limbo_if_any(&mut self) {
        if self.tree.may_be_pinned() {
            self.bury_limbo();
        }
    }

    #[cold]
    fn bury_limbo(&mut self) {
        self.members.map.bury_memory(&mut self.tree.take_limbo());
        if !self.members.map.is_pinned() {
            self.tree.expect_no_pins();
        }
    }

    /// Takes out the members of a range of ranks, and shows them in the direction's order. O(log n + removed).
    pub(super) fn remove_ranks(
        &mut self,
        ranks: Range<usize>,
        direction: Direction,
        visit: &mut dyn FnMut(MemberRef),
    ) {
        let mut left = ranks.end.min(self.len()).saturating_sub(ranks.start);
        if left == 1 {
            self.remove_one(ranks.start, visit);
            return self.fetch_next(ranks.start);
        }
        while left > 0 {
            let (rank, count) = match direction {
                Direction::Ascending => (ranks.start, left),
                Direction::Descending => self.last_run(ranks.start, left),
            };
            let removed = self.remove_run(rank, count, direction, visit);
            if removed == 0 {
                return;
            }
            left -= removed;
        }
    }

    /// The part of `count` ranks from `start` on that is in the last of their leaves.
    fn last_run(&self, start: usize, count: usize) -> (usize, usize) {
        let last = start + count - 1;
        let in_leaf = self.tree.leaf_at(last).map_or(1, |(_, at)| at + 1).min(count);
        (last + 1 - in_leaf, in_leaf)
    }

    /// Takes out the member of a rank: what a run is without a list of what is in it.
    fn remove_one(&mut self, rank: usize, visit: &mut dyn FnMut(MemberRef)) {
        let mut removed = None;
        self.tree.remove_run(rank, 1, &mut |member| removed = Some(member));
        if let Some(member) = removed {
            visit(member);
            self.members.take(member.bytes(), |_| {});
        }
        self.bury_limbo_if_any();
    }

    /// Asks the processor for members that are taken out soon, if a member was taken out at an end and others follow one by
    /// one (ZPOPMIN): first for what is to be hashed, some members later for where the table has it. Half of the time of
    /// taking a member out of a big sorted set is waiting for these.
    #[inline]
    fn fetch_next(&self, rank: usize) {
        const MEMBERS_AHEAD: usize = 12;
        const LINES_AHEAD: usize = 6;
        let is_first = rank == 0;
        if !is_first && rank != self.len() {
            return;
        }
        let Some((slots, _)) = self.tree.leaf_at(if is_first { 0 } else { rank - 1 }) else { return };
        let ahead = |count: usize| if is_first { slots.get(count) } else { slots.iter().nth_back(count) };
        ahead(MEMBERS_AHEAD).into_iter().for_each(|slot| slot.prefetch());
        if let Some(slot) = ahead(LINES_AHEAD) {
            self.members.map.prefetch_line(hasher().key(slot.member().bytes()));
        }
    }

    /// Takes out members that are in one leaf.
    fn remove_run(
        &mut self,
        rank: usize,
        count: usize,
        direction: Direction,
        visit: &mut dyn FnMut(MemberRef),
    ) -> usize {
        let mut run = Vec::with_capacity(count.min(64));
        let removed = self.tree.remove_run(rank, count, &mut |member| run.push(member));
        let hashed = |member: &MemberRef| hasher().key(member.bytes());
        run.iter().for_each(|member| self.members.map.prefetch_line(hashed(member)));
        if direction == Direction::Descending {
            run.reverse();
        }
        for member in run {
            visit(member);
            self.members.take(member.bytes(), |_| {});
        }
        self.bury_limbo_if_any();
        removed
    }

    /// The rank of a member. O(log n).
    pub(super) fn rank(&self, member: MemberRef) -> usize {
        self.tree.rank(&Probe::exact(member.score(), member.bytes()))
    }

    /// The ranks of a range of scores. O(log n).
    pub(super) fn ranks_of_scores(&self, range: &ScoreRange) -> Range<usize> {
        ranks_of_scores(&self.tree, range)
    }

    /// The ranks of a range of members, if all have the same score. O(log n).
    pub(super) fn ranks_of_members(&self, range: &LexRange<'_>) -> Range<usize> {
        let (start, end) = (self.place(range.min, false), self.place(range.max, true));
        start..end.max(start)
    }

    /// How many members are before a bound; a member that is included is to count as `included_before`.
    fn place(&self, bound: LexBound<'_>, included_before: bool) -> usize {
        match bound {
            LexBound::Lowest => 0,
            LexBound::Highest => self.len(),
            LexBound::Included(member) => self.tree.rank(&Probe::lex(member, included_before)),
            LexBound::Excluded(member) => self.tree.rank(&Probe::lex(member, !included_before)),
        }
    }

    /// Asks the processor for what looking for members will need.
    pub(super) fn prefetch(&self, keys: &mut [Key<'_>]) {
        keys.iter().for_each(|key| self.members.map.prefetch_line(*key));
        keys.iter_mut().for_each(|key| {
            self.members.map.prefetch_item(key);
        });
    }

    /// The member of a key that was fetched ahead.
    pub(super) fn get_hashed(&self, key: Key<'_>) -> Option<MemberRef> {
        self.members.map.get_hashed(key)
    }

    /// Panics if table and tree do not have the same members.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self) {
        self.tree.validate();
        assert_eq!(self.members.len(), self.tree.len());
        for member in self.members.map.iter() {
            assert_eq!(self.tree.at(self.rank(member)), Some(member));
        }
        let bytes: usize = self.members.map.iter().map(|member| allocated_bytes(member.bytes().len())).sum();
        assert_eq!(self.members.bytes, bytes);
    }
}

/// The ranks of a range of scores in a tree. O(log n).
pub(super) fn ranks_of_scores(tree: &Tree, range: &ScoreRange) -> Range<usize> {
    let start = match range.min {
        Bound::Included(min) => tree.rank(&Probe::score(min, false)),
        Bound::Excluded(min) => tree.rank(&Probe::score(min, true)),
        Bound::Unbounded => 0,
    };
    let end = match range.max {
        Bound::Included(max) => tree.rank(&Probe::score(max, true)),
        Bound::Excluded(max) => tree.rank(&Probe::score(max, false)),
        Bound::Unbounded => tree.len(),
    };
    start..end.max(start)
}

impl Drop for Sorted {
    fn drop(&mut self) {
        if self.members.map.is_pinned() {
            self.members.map.bury(Box::new(std::mem::replace(&mut self.tree, Tree::new())));
        }
    }
}

/// Copies in order: then the copy's members lie in order, and nothing is to be sorted.
impl Clone for Sorted {
    fn clone(&self) -> Sorted {
        Sorted::from_ordered(self.len(), ZSetIter::sorted(&self.tree, 0..self.len(), Direction::Ascending))
    }
}
