//! Taking members out of a tree: one by its place, or a run by rank.
//!
//! Both walk down one path and mend it on the way back; only how the path is chosen differs ([`Route`]). A run ends with
//! its leaf, so removing many takes a walk for each leaf: O(log n + removed), in parts of any size.

use std::cmp::Ordering;
use std::ops::Range;

use super::super::member::MemberRef;
use super::inner::{Child, Inner};
use super::leaf::Leaf;
use super::probe::Probe;
use super::upkeep::Upkeep;

/// What was done below.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removed {
    /// Members taken out.
    pub(super) count: usize,
    /// Whether the node begins with another member now.
    pub(super) begins_anew: bool,
}

/// The way to what is to be removed.
pub(super) trait Route<const LEAF: usize, const INNER: usize> {
    /// The child to go on with.
    fn child(&mut self, inner: &Inner<LEAF, INNER>) -> usize;
    /// The slots of the leaf at the end.
    fn slots(&mut self, leaf: &Leaf<LEAF>) -> Range<usize>;
    /// Asks the processor for what is likely to be removed soon, now that these slots are.
    fn fetch_ahead(&self, _leaf: &Leaf<LEAF>, _at: usize) {}
}

/// Who takes members from one end comes to the next ones soon: so many before it is their turn, a member is asked for.
const AHEAD: usize = 3;

/// The member at a place, if there is one.
pub(super) struct Exactly<'a>(pub(super) Probe<'a>);

impl<const LEAF: usize, const INNER: usize> Route<LEAF, INNER> for Exactly<'_> {
    fn child(&mut self, inner: &Inner<LEAF, INNER>) -> usize {
        inner.route(&self.0)
    }

    fn slots(&mut self, leaf: &Leaf<LEAF>) -> Range<usize> {
        let at = leaf.search(&self.0);
        let found = leaf.slots().get(at).is_some_and(|slot| self.0.order(slot.member()) == Ordering::Equal);
        at..at + usize::from(found)
    }
}

/// Up to `count` members from a rank on, as far as they are in one leaf.
pub(super) struct Run {
    pub(super) rank: usize,
    pub(super) count: usize,
}

impl<const LEAF: usize, const INNER: usize> Route<LEAF, INNER> for Run {
    fn child(&mut self, inner: &Inner<LEAF, INNER>) -> usize {
        let (at, rank) = inner.route_rank(self.rank);
        self.rank = rank;
        at
    }

    fn slots(&mut self, leaf: &Leaf<LEAF>) -> Range<usize> {
        let from = self.rank.min(leaf.len());
        from..from.saturating_add(self.count).min(leaf.len())
    }

    fn fetch_ahead(&self, leaf: &Leaf<LEAF>, at: usize) {
        let (after, before) = (at + AHEAD, at.checked_sub(AHEAD + 1));
        leaf.slots().get(after).into_iter().for_each(|slot| slot.prefetch());
        before.and_then(|at| leaf.slots().get(at)).into_iter().for_each(|slot| slot.prefetch());
    }
}

impl<const LEAF: usize, const INNER: usize> Child<LEAF, INNER> {
    pub(super) fn remove(
        &mut self,
        route: &mut impl Route<LEAF, INNER>,
        upkeep: &mut Upkeep,
        visit: &mut dyn FnMut(MemberRef),
    ) -> Removed {
        match self {
            Child::Leaf(leaf) => {
                let slots = route.slots(leaf);
                let leaf = leaf.make_mut(upkeep);
                leaf.remove(slots.start, slots.len(), visit);
                route.fetch_ahead(leaf, slots.start);
                Removed { count: slots.len(), begins_anew: slots.start == 0 && !slots.is_empty() }
            }
            Child::Inner(inner) => {
                let inner = inner.make_mut(upkeep);
                let at = route.child(inner);
                let Some(child) = inner.child_mut(at) else {
                    return Removed { count: 0, begins_anew: false };
                };
                let removed = child.remove(route, upkeep, visit);
                Removed { count: removed.count, begins_anew: inner.settle(at, removed, upkeep) }
            }
        }
    }
}
