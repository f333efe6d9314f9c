//! The slots of a segment, which pins may go on reading while their owner changes a copy. Unsafe leaf module.
//!
//! Lines are the segment's own, or shared with pins. Own lines are changed in place. Once they are frozen
//! ([`Lines::freeze`]) nobody changes them; their owner first puts a copy in their place ([`Lines::part`]), which
//! has the same items. Items belong to the lines that the segment has at last, never to what it parted with: that is
//! [`Memory`] and nothing else, freed when no pin is left to read it.
//!
//! Whether lines are shared is a byte beside their address: in the line that every search reads, at no cost in memory.
//! Rejected: reference counts in the allocation (lines are aligned to 64, so 64 bytes more, and a segment of 4 KiB would
//! become one of 5).
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::item::Item;
use crate::slot::{Slot, Tag};

/// Slots in a line.
pub(crate) const LINE_SLOTS: usize = 8;

/// Eight slots that are looked at at once.
#[repr(align(64))]
pub struct Line<I: Item>(pub(crate) [Slot<I>; LINE_SLOTS]);

impl<I: Item> Line<I> {
    /// A bit for every slot that may hold a key of this tag.
    #[inline]
    pub(crate) fn matches(&self, tag: Tag) -> u32 {
        Slot::matching(&self.0, tag)
    }
}

/// An allocation that nobody owns any part of, to be freed.
#[derive(Debug)]
pub struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it is an address that is good for nothing but freeing what is there.
unsafe impl Send for Memory {}
// SAFETY: likewise.
unsafe impl Sync for Memory {}

impl Memory {
    /// Takes an allocation over.
    ///
    /// # Safety
    ///
    /// It was allocated with this layout by the global allocator, is freed by nobody else, and may be freed once this is
    /// dropped.
    pub unsafe fn new(start: NonNull<u8>, layout: Layout) -> Memory {
        Memory { start, layout }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: by the contract of `new`.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// Some lines, at least one.
pub struct Lines<I: Item> {
    start: NonNull<Line<I>>,
    count: u8,
    is_shared: bool,
    items: PhantomData<I>,
}

// SAFETY: lines own their items, or share them with those who own them.
unsafe impl<I: Item + Send + Sync> Send for Lines<I> {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl<I: Item + Sync> Sync for Lines<I> {}

impl<I: Item> Lines<I> {
    /// Empty ones.
    pub(crate) fn new(count: u8) -> Lines<I> {
        assert!(count > 0, "a segment has lines");
        let layout = Lines::<I>::layout(count);
        // SAFETY: the layout is that of one line at least. Zeros are empty slots.
        let Some(start) = NonNull::new(unsafe { alloc_zeroed(layout) }) else { handle_alloc_error(layout) };
        Lines { start: start.cast(), count, is_shared: false, items: PhantomData }
    }

    fn layout(count: u8) -> Layout {
        // `from_size_align` fails only beyond `isize::MAX`.
        Layout::from_size_align(usize::from(count) * size_of::<Line<I>>(), align_of::<Line<I>>())
            .unwrap_or(Layout::new::<Line<I>>())
    }

    /// The lines.
    #[inline]
    pub(crate) fn all(&self) -> &[Line<I>] {
        // SAFETY: the allocation has so many lines; nobody changes them as long as this is borrowed: own ones are changed
        // through an exclusive borrow, shared ones not at all.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), usize::from(self.count)) }
    }

    /// The lines, to be changed. Panics if they are shared.
    #[inline]
    pub(crate) fn all_mut(&mut self) -> &mut [Line<I>] {
        assert!(!self.is_shared, "shared lines are not changed");
        // SAFETY: as for `all`; nobody else has the address of own lines.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), usize::from(self.count)) }
    }

    /// Whether pins may read the lines.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The same lines once more, for pins. From now on they are shared.
    ///
    /// # Safety
    ///
    /// Nobody looks at what is returned once the lines, or an item in them, were freed.
    pub(crate) unsafe fn freeze(&mut self) -> Lines<I> {
        self.is_shared = true;
        Lines { start: self.start, count: self.count, is_shared: true, items: PhantomData }
    }

    /// Puts a copy, whose items are all in a pin, in place of shared lines. What is returned is to be kept as long as the
    /// lines' pins.
    pub(crate) fn part(&mut self) -> Memory {
        assert!(self.is_shared, "own lines are changed in place");
        let copy = Lines::<I>::new(self.count);
        // SAFETY: both have as many lines and are different allocations. Of the two owners that each item then has, the
        // old lines are one no more: they become plain memory.
        unsafe { copy.start.copy_from_nonoverlapping(self.start, usize::from(self.count)) };
        let layout = Lines::<I>::layout(self.count);
        let start = std::mem::replace(self, copy).start;
        self.all_mut().iter_mut().flat_map(|line| &mut line.0).for_each(Slot::age);
        // SAFETY: the lines were allocated like this, and `self` knew them last but for pins, as long as which the caller
        // keeps them. What was replaced was shared, so dropping it did not free them.
        unsafe { Memory::new(start.cast(), layout) }
    }

    /// Makes shared lines own ones again.
    ///
    /// # Safety
    ///
    /// There are no pins any more that could read them.
    pub(crate) unsafe fn reclaim(&mut self) {
        self.is_shared = false;
    }
}

impl<I: Item> Drop for Lines<I> {
    fn drop(&mut self) {
        // Who made them shared sees to it that they are freed: memory that is lost is better than memory that is read.
        if self.is_shared {
            return;
        }
        // SAFETY: the slots and the allocation are ours, and nobody looks at them after this.
        unsafe {
            std::ptr::from_mut(self.all_mut()).drop_in_place();
            dealloc(self.start.as_ptr().cast(), Lines::<I>::layout(self.count));
        }
    }
}
