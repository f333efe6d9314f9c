//! How full nodes are: neighbours share before one splits, and become one when one is sparse.
//!
//! A full leaf first gives half of what it has too much to a neighbour with room, so that leaves are four fifths full with
//! members in random order instead of two thirds. A node that is less than a quarter full becomes one with a neighbour if
//! they are three quarters full together at most; if not, the neighbour has enough for both. So there is always a gap
//! between what splits and what merges.

use super::inner::{Child, Inner};
use super::leaf::Leaf;
use super::remove::Removed;
use super::upkeep::Upkeep;

impl<const LEAF: usize, const INNER: usize> Inner<LEAF, INNER> {
    /// Two neighbouring leaves.
    fn leaves(&mut self, left: usize, upkeep: &mut Upkeep) -> Option<(&mut Leaf<LEAF>, &mut Leaf<LEAF>)> {
        match self.children.get_mut(left..left + 2)? {
            [Some(Child::Leaf(a)), Some(Child::Leaf(b))] => Some((a.make_mut(upkeep), b.make_mut(upkeep))),
            _ => None,
        }
    }

    /// Makes room in a full leaf by moving members to a neighbour that has room, so that leaves are fuller than if each
    /// only split. Whether members were moved.
    pub(super) fn relieve(&mut self, at: usize, upkeep: &mut Upkeep) -> bool {
        if !matches!(self.child(at), Some(Child::Leaf(leaf)) if leaf.is_full()) {
            return false;
        }
        let room = |at: usize| LEAF - self.child(at).map_or(LEAF, Child::width);
        let (before, after) =
            (at.checked_sub(1).map_or(0, room), if at + 1 < self.len { room(at + 1) } else { 0 });
        let enough = LEAF / 8 + 1;
        if before.max(after) < enough {
            return false;
        }
        let left = if before >= after { at - 1 } else { at };
        self.level(left, upkeep)
    }

    /// Makes two neighbouring leaves equally full.
    fn level(&mut self, left: usize, upkeep: &mut Upkeep) -> bool {
        let Some((a, b)) = self.leaves(left, upkeep) else { return false };
        let total = a.len() + b.len();
        a.level(b, total / 2);
        let first = b.slots().first().map(|slot| slot.member());
        (self.counts[left], self.counts[left + 1]) = (total / 2, total - total / 2);
        if let Some(first) = first {
            self.set_first(left + 1, first);
        }
        true
    }

    /// Sees to a child from which `removed` members were taken out: its count, where it begins, whether it should go on
    /// alone. Returns whether this node begins with another member now.
    pub(super) fn settle(&mut self, at: usize, removed: Removed, upkeep: &mut Upkeep) -> bool {
        self.counts[at] -= removed.count;
        let mut begins_anew = removed.begins_anew && at == 0;
        if self.counts[at] == 0 {
            upkeep.forget(self.take_child(at).as_ref());
            begins_anew = at == 0;
        } else {
            if removed.begins_anew
                && let Some(first) = self.children[at].as_ref().and_then(Child::first_member)
            {
                self.set_first(at, first);
            }
            self.merge_if_sparse(at, upkeep);
        }
        begins_anew
    }

    /// A quarter full is sparse; two that become one are three quarters full at most, so that not every change of one
    /// member splits and merges.
    fn merge_if_sparse(&mut self, at: usize, upkeep: &mut Upkeep) {
        let Some(child) = self.child(at) else { return };
        let (width, capacity) = (child.width(), child.capacity());
        if width >= capacity / 4 {
            return;
        }
        let fits = |other: &Self, at: usize| {
            other.child(at).is_some_and(|sibling| (sibling.width() + width) * 4 <= capacity * 3)
        };
        if at > 0 && fits(self, at - 1) {
            self.merge(at - 1, upkeep);
        } else if fits(self, at + 1) {
            self.merge(at, upkeep);
        }
    }

    fn merge(&mut self, left: usize, upkeep: &mut Upkeep) {
        let (count, first) = (self.counts[left + 1], self.firsts[left + 1]);
        if let (Some(right), Some(first)) = (self.take_child(left + 1), first) {
            self.counts[left] += count;
            if let Some(child) = self.child_mut(left) {
                child.append(right, first, upkeep);
            }
        }
    }
}
