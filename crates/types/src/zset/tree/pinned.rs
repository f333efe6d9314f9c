//! A tree as it was when it was pinned, and how trees end. Unsafe leaf module.
//!
//! What a pin of a tree reads is kept by a pin of the table that owns the members: whatever the sorted set lets go of,
//! nodes as well as members, is buried with that table's pins.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::ops::Deref;

use ochre_table::{Map, Pin};

use super::super::member::Member;
use super::Tree;
use super::inner::Child;
use super::upkeep::Upkeep;

/// A tree as it was, to be read on any thread.
#[derive(Debug)]
pub(in crate::zset) struct PinnedTree<const LEAF: usize = 62, const INNER: usize = 63> {
    /// Its nodes are owned by another tree, or buried.
    tree: ManuallyDrop<Tree<LEAF, INNER>>,
    pin: Pin<Member>,
}

impl PinnedTree {
    /// The table of its members.
    pub(in crate::zset) fn members(&self) -> &Map<Member> {
        self.pin.map()
    }

    /// How many allocations have been kept for this pin and others of its time alone, roughly.
    pub(in crate::zset) fn free_effort(&self) -> usize {
        self.pin.free_effort()
    }
}

impl<const LEAF: usize, const INNER: usize> Deref for PinnedTree<LEAF, INNER> {
    type Target = Tree<LEAF, INNER>;

    fn deref(&self) -> &Tree<LEAF, INNER> {
        &self.tree
    }
}

impl<const LEAF: usize, const INNER: usize> Tree<LEAF, INNER> {
    /// The tree as it is now. O(1). `pin` is of the table that owns the members, and of this moment; with it all that the
    /// tree's owner fetches from limbo is kept.
    pub(in crate::zset) fn pin(&mut self, pin: Pin<Member>) -> PinnedTree<LEAF, INNER> {
        self.upkeep.expect_pins();
        // SAFETY: the pin keeps nodes and members for as long as what is returned can be looked at.
        let root = self.root.as_mut().map(|root| unsafe {
            match root {
                Child::Leaf(leaf) => Child::Leaf(leaf.freeze()),
                Child::Inner(inner) => Child::Inner(inner.freeze()),
            }
        });
        let tree = Tree { root, len: self.len, upkeep: Upkeep::of(self.upkeep.census) };
        PinnedTree { tree: ManuallyDrop::new(tree), pin }
    }
}

impl<const LEAF: usize, const INNER: usize> Drop for Tree<LEAF, INNER> {
    fn drop(&mut self) {
        // A tree that has pins is buried with them, so when it is dropped there are none; but its nodes may not know yet.
        self.root.iter_mut().for_each(reclaim);
    }
}

/// Makes all nodes from here on their owners' own.
fn reclaim<const LEAF: usize, const INNER: usize>(child: &mut Child<LEAF, INNER>) {
    match child {
        Child::Leaf(leaf) => {
            // SAFETY: the tree is dropped, see above.
            unsafe { leaf.reclaim() };
        }
        // SAFETY: likewise.
        Child::Inner(inner) => unsafe { inner.reclaim() }.children.iter_mut().flatten().for_each(reclaim),
    }
}
