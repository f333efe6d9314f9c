//! A node of a tree: owned by what is above it, and read by pins of the tree. Unsafe leaf module.
//!
//! A node is its owner's own, or shared with pins; the owner knows which, by a byte beside the address. Shared nodes
//! are not changed: their owner first puts a copy in their place ([`Own::make_mut`]). A copy's children are the
//! original's, so they are shared from then on, and the original is nothing but memory that pins still read. So a pin of a
//! tree is the address of its root, and a change copies the nodes on its way, each once for every pin.
//!
//! Rejected: `Arc` (16 bytes more for a leaf of 512, atomics on every way down, and sixty of them, each a miss, to copy an
//! inner node).
#![allow(unsafe_code)]

use std::alloc::Layout;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;

use ochre_table::Memory;

use super::upkeep::Upkeep;

/// What can be a node. A copy of its bits is a node, too, once its children are known to be shared.
pub(super) trait Node {
    /// Makes all children shared.
    fn share_children(&mut self);
}

/// Owns a node.
#[derive(Debug)]
pub(super) struct Own<T> {
    node: NonNull<T>,
    is_shared: bool,
    owns: PhantomData<T>,
}

// SAFETY: it owns a node like a box, or shares it with those that only read it.
unsafe impl<T: Send + Sync> Send for Own<T> {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl<T: Sync> Sync for Own<T> {}

impl<T> From<Box<T>> for Own<T> {
    fn from(node: Box<T>) -> Own<T> {
        Own { node: NonNull::from(Box::leak(node)), is_shared: false, owns: PhantomData }
    }
}

impl<T> Deref for Own<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the node lives as long as its owner; nobody changes it while this is borrowed: own nodes are changed
        // through an exclusive borrow, shared ones not at all.
        unsafe { self.node.as_ref() }
    }
}

impl<T> Own<T> {
    /// Says that pins may read the node.
    pub(super) fn share(&mut self) {
        self.is_shared = true;
    }

    /// The same node once more, for a pin; it is shared from then on.
    ///
    /// # Safety
    ///
    /// Nobody looks at what is returned once the node, one below it or a member was freed.
    pub(super) unsafe fn freeze(&mut self) -> Own<T> {
        self.share();
        Own { node: self.node, is_shared: true, owns: PhantomData }
    }

    /// The node itself, to be dropped or to have its children reclaimed.
    ///
    /// # Safety
    ///
    /// No pin reads it.
    pub(super) unsafe fn reclaim(&mut self) -> &mut T {
        self.is_shared = false;
        // SAFETY: by the caller it is this owner's alone.
        unsafe { self.node.as_mut() }
    }
}

impl<T: Node> Own<T> {
    /// The node, to be changed. What pins have of it goes to limbo.
    #[inline]
    pub(super) fn make_mut(&mut self, upkeep: &mut Upkeep) -> &mut T {
        if self.is_shared {
            self.part(upkeep);
        }
        // SAFETY: an own node has no other address but this, which is borrowed exclusively.
        unsafe { self.node.as_mut() }
    }

    #[cold]
    #[inline(never)]
    fn part(&mut self, upkeep: &mut Upkeep) {
        self.is_shared = false;
        // Without a limbo there are no pins left, and so none of what is below.
        let Some(limbo) = upkeep.limbo() else { return };
        let mut copy = Box::<T>::new_uninit();
        // SAFETY: both are nodes, different ones, and the copy is whole with this. What is below has two owners for a moment;
        // the original is one no more when it becomes memory, as which it is kept until no pin reads it.
        let copy = unsafe {
            copy.as_mut_ptr().copy_from_nonoverlapping(self.node.as_ptr(), 1);
            limbo.push(Memory::new(self.node.cast(), Layout::new::<T>()));
            copy.assume_init()
        };
        // What it replaces is not dropped: that is in limbo.
        self.node = NonNull::from(Box::leak(copy));
        // SAFETY: it is new, and nobody else has its address.
        unsafe { self.node.as_mut() }.share_children();
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        // Who made it shared sees to it that it is freed: memory that is lost is better than memory that is read.
        if !self.is_shared {
            // SAFETY: it was in a box, and nobody looks at it after this.
            drop(unsafe { Box::from_raw(self.node.as_ptr()) });
        }
    }
}
