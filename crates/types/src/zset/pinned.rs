//! A range of a sorted set as it was at an instant, read in parts on any thread while the sorted set goes on.

use std::ops::{ControlFlow, Range};

use ochre_table::{Map, hasher};

use super::algebra::ZSource;
use super::iter::ZSetIter;
use super::limits::Direction;
use super::member::Member;
use super::ranges::ScoreRange;
use super::sorted::{self, Sorted};
use super::tree::PinnedTree;
use super::zset::{ZSet, clamp};
use crate::listpack::{CompactMut, Item};
use crate::portion::Portion;
use crate::set::PinnedSet;

/// A range of ranks of a sorted set as it was when it was pinned, and how far it has been read. A big one shares tree and members
/// with the sorted set, a small one is copied.
///
/// Dropping the last pin of a sorted set frees what that has let go of meanwhile; [`PinnedZSet::free_effort`] says how much
/// that is.
#[derive(Debug)]
pub struct PinnedZSet {
    source: Source,
    /// Those not read yet.
    ranks: Range<usize>,
    direction: Direction,
    len: usize,
}

#[derive(Debug)]
enum Source {
    Flat(ZSet),
    Sorted(PinnedTree),
}

const _: () = {
    const fn check<T: Send + Sync + 'static>() {}
    check::<PinnedZSet>();
};

impl ZSet {
    /// All members as they are now, in ascending order. Some 50 us for a million members; O(bytes) for a small sorted set.
    pub fn pin(&mut self) -> PinnedZSet {
        self.pin_range(0..usize::MAX, Direction::Ascending)
    }

    /// The members of a range of ranks as they are now, in a direction's order. What lies outside the sorted set is ignored. The
    /// cost is that of [`ZSet::pin`], whatever the range.
    pub fn pin_range(&mut self, ranks: Range<usize>, direction: Direction) -> PinnedZSet {
        let ranks = clamp(ranks, self.len());
        let source = match self.0.get_mut() {
            CompactMut::Pack(_) => Source::Flat(self.clone()),
            CompactMut::Boxed(sorted) => Source::Sorted(sorted.pin()),
        };
        PinnedZSet { source, len: ranks.len(), ranks, direction }
    }
}

impl PinnedZSet {
    /// Number of members of the range, read or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A copy of the whole sorted set.
    pub fn to_zset(&self) -> ZSet {
        match &self.source {
            Source::Flat(set) => set.clone(),
            Source::Sorted(tree) => {
                let all = ZSetIter::sorted(tree, 0..tree.len(), Direction::Ascending);
                ZSet::from_sorted(Sorted::from_ordered(tree.len(), all))
            }
        }
    }

    /// A copy of the whole sorted set without the members of a range of ranks. O(those that are left), unless it was small.
    pub fn to_zset_without(&self, ranks: Range<usize>) -> ZSet {
        match &self.source {
            Source::Flat(set) => {
                let mut rest = set.clone();
                rest.remove_ranks(ranks, Direction::Ascending, &mut |_, _| {});
                rest
            }
            Source::Sorted(tree) => {
                let ranks = clamp(ranks, tree.len());
                let walk = |ranks| ZSetIter::sorted(tree, ranks, Direction::Ascending);
                let left = walk(0..ranks.start).chain(walk(ranks.end..tree.len()));
                ZSet::from_sorted(Sorted::from_ordered(tree.len() - ranks.len(), left))
            }
        }
    }

    /// The whole sorted set, if it was small and so is a copy.
    pub fn as_flat(&self) -> Option<&ZSet> {
        match &self.source {
            Source::Flat(set) => Some(set),
            Source::Sorted(_) => None,
        }
    }

    /// The members by name, whatever range was pinned, or the sorted set itself if it was small.
    pub(super) fn members(&self) -> Result<&Map<Member>, &ZSet> {
        match &self.source {
            Source::Flat(set) => Err(set),
            Source::Sorted(tree) => Ok(tree.members()),
        }
    }

    /// The members with scores in a range, from the lowest up, whatever range was pinned.
    pub fn range_of_scores(&self, range: &ScoreRange) -> ZSetIter<'_> {
        match &self.source {
            Source::Flat(set) => set.range(set.ranks_of_scores(range), Direction::Ascending),
            Source::Sorted(tree) => {
                ZSetIter::sorted(tree, sorted::ranks_of_scores(tree, range), Direction::Ascending)
            }
        }
    }

    /// Calls `visit` for the next members and their scores; whether there are more.
    pub fn read(&mut self, mut portion: Portion, visit: &mut dyn FnMut(Item<'_>, f64)) -> bool {
        // No more than will be read: going down in a small one, the places of all that are asked for are noted.
        let ranks = self.next_ranks(portion.elements);
        let mut walk = match &self.source {
            Source::Flat(set) => set.range(ranks.clone(), self.direction),
            Source::Sorted(tree) => ZSetIter::sorted(tree, ranks.clone(), self.direction),
        };
        while !portion.is_used_up()
            && let Some((member, score)) = walk.next()
        {
            portion.use_for(member.len());
            visit(member, score);
        }
        let read = ranks.len() - walk.len();
        match self.direction {
            Direction::Ascending => self.ranks.start += read,
            Direction::Descending => self.ranks.end -= read,
        }
        !self.ranks.is_empty()
    }

    /// The ranks of the next so many members.
    fn next_ranks(&self, count: usize) -> Range<usize> {
        let Range { start, end } = self.ranks;
        match self.direction {
            Direction::Ascending => start..end.min(start.saturating_add(count)),
            Direction::Descending => start.max(end.saturating_sub(count))..end,
        }
    }

    /// How many allocations dropping this may free.
    pub fn free_effort(&self) -> usize {
        match &self.source {
            Source::Flat(_) => 1,
            Source::Sorted(tree) => 1 + tree.free_effort(),
        }
    }
}

/// All members, whatever range was pinned, in the order of their scores.
impl ZSource for PinnedZSet {
    fn member_count(&self) -> usize {
        match &self.source {
            Source::Flat(set) => set.len(),
            Source::Sorted(tree) => tree.len(),
        }
    }

    fn score_of(&self, member: &[u8]) -> Option<f64> {
        match &self.source {
            Source::Flat(set) => set.score(member),
            Source::Sorted(tree) => tree.members().get(member, hasher()).map(|member| member.score()),
        }
    }

    fn visit_members(&self, visit: &mut dyn FnMut(&[u8], f64) -> ControlFlow<()>) {
        let mut all = match &self.source {
            Source::Flat(set) => set.iter(),
            Source::Sorted(tree) => ZSetIter::sorted(tree, 0..tree.len(), Direction::Ascending),
        };
        let _ = all.try_for_each(|(member, score)| member.with_bytes(|bytes| visit(bytes, score)));
    }
}

/// Members of a set have the score 1.
impl ZSource for PinnedSet {
    fn member_count(&self) -> usize {
        self.len()
    }

    fn score_of(&self, member: &[u8]) -> Option<f64> {
        self.as_set().score_of(member)
    }

    fn visit_members(&self, visit: &mut dyn FnMut(&[u8], f64) -> ControlFlow<()>) {
        self.as_set().visit_members(visit);
    }
}
