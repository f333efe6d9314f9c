//! Walking over a range of ranks. Where a walk stopped is a rank, so another one can go on from there.
//!
//! A small sorted set can only be walked upwards. To go down in it, the places of the range's members are noted first.

use std::ops::Range;

use super::flat;
use super::limits::Direction;
use super::member::Slot;
use super::score::read_score;
use super::tree::Tree;
use crate::listpack::{self, Forward, ForwardPack, Item, Pos};

/// Members that are asked for ahead of the one that is shown.
const AHEAD: usize = 8;

/// Members of a range of ranks and their scores, in one direction.
#[derive(Clone, Debug)]
pub struct ZSetIter<'a> {
    source: Walk<'a>,
    direction: Direction,
    /// Members that are still to come.
    left: usize,
}

#[derive(Clone, Debug)]
enum Walk<'a> {
    Flat(listpack::Iter<'a, Forward>),
    FlatDown {
        list: &'a ForwardPack,
        /// The members that are still to come, the next one last.
        positions: Vec<Pos>,
    },
    Sorted {
        tree: &'a Tree,
        /// The ranks that are still to come, those in `slots` included.
        ranks: Range<usize>,
        /// What is still to come of the leaf the walk is in.
        slots: &'a [Slot],
    },
}

impl<'a> ZSetIter<'a> {
    pub(super) fn flat(list: &'a ForwardPack, ranks: Range<usize>, direction: Direction) -> Self {
        let first = if ranks.is_empty() { None } else { flat::seek(list, ranks.start) };
        ZSetIter::flat_from(list, first, ranks.len(), direction)
    }

    /// `len` members from the one at `first`, the lowest, on.
    pub(super) fn flat_from(
        list: &'a ForwardPack,
        first: Option<Pos>,
        len: usize,
        direction: Direction,
    ) -> Self {
        let source = match (direction, first) {
            (Direction::Ascending, Some(first)) => Walk::Flat(list.iter_from(first)),
            (Direction::Descending, Some(first)) => {
                Walk::FlatDown { list, positions: list.positions(first, 2, len) }
            }
            (_, None) => Walk::FlatDown { list, positions: Vec::new() },
        };
        ZSetIter { source, direction, left: len }
    }

    pub(super) fn sorted(tree: &'a Tree, ranks: Range<usize>, direction: Direction) -> Self {
        let left = ranks.len();
        ZSetIter { source: Walk::Sorted { tree, ranks, slots: &[] }, direction, left }
    }
}

/// The part of the leaf with the next rank that lies within the ranks.
fn next_slots<'a>(tree: &'a Tree, ranks: &Range<usize>, direction: Direction) -> Option<&'a [Slot]> {
    let slots = match direction {
        Direction::Ascending => {
            let (slots, at) = tree.leaf_at(ranks.start)?;
            &slots[at..slots.len().min(at.saturating_add(ranks.len()))]
        }
        Direction::Descending => {
            let (slots, at) = tree.leaf_at(ranks.end.checked_sub(1)?)?;
            &slots[(at + 1).saturating_sub(ranks.len())..=at]
        }
    };
    let ahead = |slot: &Slot| slot.prefetch();
    match direction {
        Direction::Ascending => slots.iter().take(AHEAD).for_each(ahead),
        Direction::Descending => slots.iter().rev().take(AHEAD).for_each(ahead),
    }
    Some(slots)
}

/// Takes the next slot and asks for the member of one a few steps on.
fn take<'a>(slots: &mut &'a [Slot], direction: Direction) -> Option<&'a Slot> {
    let (slot, rest) = match direction {
        Direction::Ascending => slots.split_first()?,
        Direction::Descending => slots.split_last()?,
    };
    let ahead = match direction {
        Direction::Ascending => rest.get(AHEAD - 1),
        Direction::Descending => rest.len().checked_sub(AHEAD).map(|at| &rest[at]),
    };
    ahead.into_iter().for_each(|slot| slot.prefetch());
    *slots = rest;
    Some(slot)
}

impl<'a> Iterator for ZSetIter<'a> {
    type Item = (Item<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.source {
            Walk::Flat(items) => {
                let member = items.next()?;
                Some((member, read_score(items.next()?)?))
            }
            Walk::FlatDown { list, positions } => {
                let mut items = list.iter_from(positions.pop()?);
                let member = items.next()?;
                Some((member, read_score(items.next()?)?))
            }
            Walk::Sorted { tree, ranks, slots } => {
                if slots.is_empty() {
                    *slots = next_slots(tree, ranks, self.direction)?;
                }
                let member = take(slots, self.direction)?.member();
                match self.direction {
                    Direction::Ascending => ranks.start += 1,
                    Direction::Descending => ranks.end -= 1,
                }
                Some((Item::Bytes(member.bytes()), member.score()))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for ZSetIter<'_> {}
