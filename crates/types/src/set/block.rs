//! The allocation of an intset: one word, an address with a mark. Unsafe leaf module.
//!
//! The bytes say how many they are (see `intset`), and the allocation is the size class for that many, so nothing else
//! has to be known. Bit 63 of the word is set and bit 62 is clear: that tells an intset from what else a set may be.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::NonNull;

/// Bytes before the first element: number of the elements, and in the lowest bits their width less one.
const HEADER_LEN: usize = 4;
const WIDTH_BITS: u32 = 3;
/// No block has more elements.
pub(super) const LEN_MAX: u32 = u32::MAX >> WIDTH_BITS;
/// The bit of a word that says intset or table.
pub(super) const NOT_PACK: usize = 1 << 63;

/// Width and number of the elements of an intset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    /// Bytes of an element: 1 to 8.
    pub(super) width: u32,
    /// Number of elements.
    pub(super) len: u32,
}

impl Shape {
    /// Bytes with the header.
    #[inline]
    pub(super) fn bytes(self) -> usize {
        HEADER_LEN + self.width as usize * self.len as usize
    }

    /// Bytes of the allocation.
    #[inline]
    pub(super) fn allocated(self) -> usize {
        size_class(self.bytes())
    }

    fn layout(self) -> Layout {
        // SAFETY: 16 is a power of two, and 8 times 2^29 with a header stays far below `isize::MAX`.
        unsafe { Layout::from_size_align_unchecked(self.allocated(), 16) }
    }
}

/// What an allocation of so many bytes takes: multiples of 16, then four classes per doubling.
pub(super) fn size_class(size: usize) -> usize {
    if size <= 128 {
        return size.next_multiple_of(16);
    }
    size.next_multiple_of(1 << ((size - 1).ilog2() - 2))
}

/// A header and its elements.
#[repr(transparent)]
pub(super) struct Block(NonNull<u8>);

// SAFETY: a block owns its memory, like a `Vec<u8>`.
unsafe impl Send for Block {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl Sync for Block {}

fn word(start: *mut u8, layout: Layout) -> NonNull<u8> {
    let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
    assert!(start.addr().get() >> 48 == 0, "user addresses fit into 48 bits on every supported system");
    start.map_addr(|address| address | NOT_PACK)
}

impl Block {
    /// Elements that are all zero.
    pub(super) fn new(shape: Shape) -> Block {
        let layout = shape.layout();
        // SAFETY: the layout has at least the bytes of the header.
        let start = unsafe { alloc(layout) };
        let mut block = Block(word(start, layout));
        // SAFETY: the allocation is new and has this many bytes.
        unsafe { block.start().write_bytes(0, shape.bytes()) };
        block.set_shape(shape);
        block
    }

    #[inline]
    fn start(&self) -> NonNull<u8> {
        // SAFETY: `word` put the mark around an address that is not null.
        unsafe { NonNull::new_unchecked(self.0.as_ptr().map_addr(|word| word & !NOT_PACK)) }
    }

    #[inline]
    pub(super) fn shape(&self) -> Shape {
        // SAFETY: the header is always there, in an allocation aligned to 16.
        let header = unsafe { self.start().cast::<u32>().read() };
        Shape { width: (header & !(u32::MAX << WIDTH_BITS)) + 1, len: header >> WIDTH_BITS }
    }

    fn set_shape(&mut self, shape: Shape) {
        assert!((1..=1 << WIDTH_BITS).contains(&shape.width) && shape.len <= LEN_MAX);
        // SAFETY: as above, and we are borrowed mutably.
        unsafe { self.start().cast::<u32>().write(shape.len << WIDTH_BITS | (shape.width - 1)) };
    }

    /// All bytes.
    #[inline]
    fn bytes(&self) -> &[u8] {
        // SAFETY: the allocation has as many initialised bytes as its shape says.
        unsafe { NonNull::slice_from_raw_parts(self.start(), self.shape().bytes()).as_ref() }
    }

    /// The bytes of the elements.
    #[inline]
    pub(super) fn elements(&self) -> &[u8] {
        &self.bytes()[HEADER_LEN..]
    }

    /// The bytes of the elements, to be changed.
    pub(super) fn elements_mut(&mut self) -> &mut [u8] {
        let len = self.shape().bytes();
        // SAFETY: as in `bytes`, and we are borrowed mutably.
        let bytes = unsafe { NonNull::slice_from_raw_parts(self.start(), len).as_mut() };
        &mut bytes[HEADER_LEN..]
    }

    /// Gives the block another shape: bytes at the end are cut off or added, these as zeros.
    pub(super) fn reshape(&mut self, new: Shape) {
        let old = self.shape();
        if old.allocated() != new.allocated() {
            // SAFETY: the allocation has the old layout, and the new size is not zero.
            let start = unsafe { realloc(self.start().as_ptr(), old.layout(), new.allocated()) };
            self.0 = word(start, new.layout());
        }
        if let Some(added) = new.bytes().checked_sub(old.bytes()) {
            // SAFETY: the allocation has the bytes of the new shape, and the added ones are its last.
            unsafe { self.start().add(old.bytes()).write_bytes(0, added) };
        }
        self.set_shape(new);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the allocation is ours and has the layout of its shape.
        unsafe { dealloc(self.start().as_ptr(), self.shape().layout()) };
    }
}
