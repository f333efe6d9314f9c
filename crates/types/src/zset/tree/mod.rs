//! The order of a big sorted set: an order-statistics B+tree over addresses of members.
//!
//! ```text
//!                      inner: first scores, counts, children
//!                     /                |                 \
//!             inner                  inner               inner
//!            /  |  \                /  |  \              ...
//!        leaf leaf leaf          leaf leaf leaf
//!         62 slots of 8 bytes: | hint of the score | address | ──> member: score, bytes
//! ```
//!
//! A million members are four levels; the upper two stay in the cache. Counts in the inner nodes make ranks O(log n) in
//! both directions, so every range (by rank, score or bytes) is a range of ranks, and its end, its length and where
//! to go on reading it are known without walking it. Leaves have no links to each other: whoever reads a range asks for the
//! next leaf by rank, which costs one walk down for some fifty members.
//!
//! The tree does not own members (the table of the sorted set does) and knows them only while they live.
//!
//! Rejected: a skip list (a cache miss for every step, 24 bytes a member and more); scores in the leaves (8 bytes more a member
//! without being faster, as hints decide nearly always); the member's address only (a cache miss for every step within
//! a leaf); parent links (every split would have to change them).
//!
//! - `probe`: a place in the order
//! - `frame`: how a leaf cuts scores to hints
//! - `leaf`, `inner`: the nodes
//! - `balance`: how full nodes are
//! - `tied`: searching among equal scores
//! - `remove`: taking members out
//! - `own`: who owns a node, and how pins share it (unsafe)
//! - `pinned`: a tree as it was when it was pinned (unsafe)
//! - `upkeep`: what is known of all nodes

mod balance;
mod frame;
mod inner;
mod leaf;
mod own;
mod pinned;
mod probe;
mod remove;
#[cfg(test)]
mod tests;
mod tied;
mod upkeep;
#[cfg(any(test, fuzzing))]
mod validate;

pub(super) use pinned::PinnedTree;
pub(super) use probe::Probe;

use ochre_table::Memory;

use super::member::{MemberRef, Slot};
use inner::{Child, Inner};
use leaf::Leaf;
use remove::{Exactly, Run};
use upkeep::{Census, Upkeep};

/// Members in order. `LEAF` and `INNER` are the most slots and children of a node.
#[derive(Debug)]
pub(super) struct Tree<const LEAF: usize = 62, const INNER: usize = 63> {
    root: Option<Child<LEAF, INNER>>,
    len: usize,
    upkeep: Upkeep,
}

impl<const LEAF: usize, const INNER: usize> Tree<LEAF, INNER> {
    pub(super) fn new() -> Self {
        Tree { root: None, len: 0, upkeep: Upkeep::default() }
    }

    /// A tree of members that are in order.
    pub(super) fn from_sorted(members: &[MemberRef]) -> Self {
        let mut tree = Self::new();
        tree.len = members.len();
        let mut level: Vec<Child<LEAF, INNER>> = even_runs(members.len(), LEAF)
            .map(|run| Child::Leaf(Leaf::from_sorted(&members[run]).into()))
            .collect();
        tree.upkeep.census.leaves = level.len();
        while level.len() > 1 {
            let mut nodes = level.into_iter();
            level = even_runs(nodes.len(), INNER)
                .map(|run| {
                    let mut inner = Inner::new();
                    nodes.by_ref().take(run.len()).for_each(|child| inner.put_child(inner.len(), child));
                    Child::Inner(inner.into())
                })
                .collect();
            tree.upkeep.census.inners += level.len();
        }
        tree.root = level.pop();
        tree
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes allocated for nodes.
    pub(super) fn heap_bytes(&self) -> usize {
        let census = &self.upkeep.census;
        census.leaves * size_of::<Leaf<LEAF>>() + census.inners * size_of::<Inner<LEAF, INNER>>()
    }

    /// Puts a member in that is not in the tree. O(log n).
    pub(super) fn insert(&mut self, member: MemberRef) {
        let probe = Probe::exact(member.score(), member.bytes());
        self.len += 1;
        let upkeep = &mut self.upkeep;
        let root = self.root.get_or_insert_with(|| {
            upkeep.census.leaves += 1;
            Child::Leaf(Leaf::new().into())
        });
        if let Some(upper) = root.insert(&probe, member.key(), member, upkeep)
            && let Some(lower) = self.root.take()
        {
            let mut inner = Inner::new();
            inner.put_child(0, lower);
            inner.put_child(1, upper);
            self.root = Some(Child::Inner(inner.into()));
            self.upkeep.census.inners += 1;
        }
    }

    /// Takes a member out. O(log n).
    pub(super) fn remove(&mut self, member: MemberRef) {
        let mut route = Exactly(Probe::exact(member.score(), member.bytes()));
        if let Some(root) = &mut self.root {
            let removed = root.remove(&mut route, &mut self.upkeep, &mut |_| {});
            self.len -= removed.count;
            self.lower_root();
        }
    }

    /// Takes out the members of `count` ranks from `rank` on, or the first few of them (those in one leaf), and says how many.
    /// O(log n).
    pub(super) fn remove_run(
        &mut self,
        rank: usize,
        count: usize,
        visit: &mut dyn FnMut(MemberRef),
    ) -> usize {
        let Some(root) = &mut self.root else { return 0 };
        if rank >= self.len {
            return 0;
        }
        let removed = root.remove(&mut Run { rank, count }, &mut self.upkeep, visit);
        self.len -= removed.count;
        self.lower_root();
        removed.count
    }

    /// Takes away a root that has nothing to decide.
    fn lower_root(&mut self) {
        if self.len == 0 {
            self.root = None;
            self.upkeep.census = Census::default();
        }
        while let Some(Child::Inner(inner)) = &mut self.root
            && inner.len() == 1
            && let Some(child) = inner.make_mut(&mut self.upkeep).take_child(0)
        {
            self.root = Some(child);
            self.upkeep.census.inners -= 1;
        }
    }

    /// Gives a member of the tree another score. O(log n), one walk down when it stays in its leaf.
    pub(super) fn rescore(&mut self, member: MemberRef, score: f64) {
        let old = Probe::exact(member.score(), member.bytes());
        let new = Probe::exact(score, member.bytes());
        if !self.leaf_mut(&old).is_some_and(|leaf| leaf.nudge(&old, &new, member)) {
            self.remove(member);
            member.set_score(score);
            self.insert(member);
        }
        member.set_score(score);
    }

    fn leaf_mut(&mut self, probe: &Probe<'_>) -> Option<&mut Leaf<LEAF>> {
        let (mut node, upkeep) = (self.root.as_mut()?, &mut self.upkeep);
        loop {
            match node {
                Child::Leaf(leaf) => return Some(leaf.make_mut(upkeep)),
                Child::Inner(inner) => {
                    let inner = inner.make_mut(upkeep);
                    let at = inner.route(probe);
                    node = inner.child_mut(at)?;
                }
            }
        }
    }

    /// Whether there may be pins, so that [`Tree::take_limbo`] has something to tell.
    #[inline]
    pub(super) fn may_be_pinned(&self) -> bool {
        self.upkeep.may_be_pinned()
    }

    /// What pins still read and the tree has no more, to be kept as long as they.
    pub(super) fn take_limbo(&mut self) -> Vec<Memory> {
        self.upkeep.limbo().map(std::mem::take).unwrap_or_default()
    }

    /// Says that there are no pins any more.
    pub(super) fn expect_no_pins(&mut self) {
        self.upkeep.expect_no_pins();
    }

    /// How many members are before a place. O(log n).
    pub(super) fn rank(&self, probe: &Probe<'_>) -> usize {
        let (mut node, mut rank) = (self.root.as_ref(), 0);
        loop {
            match node {
                Some(Child::Leaf(leaf)) => return rank + leaf.search(probe),
                Some(Child::Inner(inner)) => {
                    let at = inner.route(probe);
                    rank += inner.count_before(at);
                    node = inner.child(at);
                }
                None => return rank,
            }
        }
    }

    /// The slots of the leaf that has a rank, and the slot of that rank. O(log n).
    pub(super) fn leaf_at(&self, rank: usize) -> Option<(&[Slot], usize)> {
        if rank >= self.len {
            return None;
        }
        let (mut node, mut rank) = (self.root.as_ref()?, rank);
        loop {
            match node {
                Child::Leaf(leaf) => return Some((leaf.slots(), rank)),
                Child::Inner(inner) => {
                    let (at, rank_below) = inner.route_rank(rank);
                    rank = rank_below;
                    node = inner.child(at)?;
                }
            }
        }
    }

    /// The member of a rank. O(log n).
    pub(super) fn at(&self, rank: usize) -> Option<MemberRef> {
        self.leaf_at(rank).map(|(slots, at)| slots[at].member())
    }
}

/// Cuts `len` into runs of nearly the same length, of at most seven eighths of `capacity`, so that there is room.
fn even_runs(len: usize, capacity: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let runs = len.div_ceil(capacity - capacity / 8);
    let start = move |run: usize| (len as u128 * run as u128 / runs as u128) as usize;
    (0..runs).map(move |run| start(run)..start(run + 1))
}
