//! A hash with a shape: the address of the shape and the values, in one allocation. Unsafe leaf module.
//!
//! ```text
//! 0                         6
//! | address of the shape    | value | value | ... |      a block of a multiple of 16 bytes
//! ```
//!
//! A value is encoded as an element of a pack without backlens. Their number is the shape's.
//! How many bytes they take is kept outside, in the word that owns the record (`word`): with the names shared, every byte
//! counts. Ten values of eight bytes are 96 bytes, where a pack with names of six takes 192.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use super::shape::Shape;

/// Values of a record take no more bytes: their length has 13 bits in the owner's word.
pub(super) const VALUES_BYTES_MAX: usize = (1 << 13) - 1;

const SHAPE_BYTES: usize = 6;
const ALIGN: usize = 16;

/// An owned record.
pub(super) struct Record {
    block: NonNull<u8>,
    len: u16,
}

/// A shared look at a record.
#[derive(Clone, Copy)]
pub(super) struct RecordRef<'a> {
    block: NonNull<u8>,
    len: u16,
    lives: PhantomData<&'a Shape>,
}

// SAFETY: a record owns its block and, with others, its shape, like a `(Arc<Shape>, Box<[u8]>)`.
unsafe impl Send for Record {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl Sync for Record {}

fn layout(values_len: usize) -> Layout {
    const { assert!(SHAPE_BYTES + VALUES_BYTES_MAX < 1 << 14) };
    let bytes = (SHAPE_BYTES + values_len.min(VALUES_BYTES_MAX)).next_multiple_of(ALIGN);
    // A small size and a power of two are never refused.
    Layout::from_size_align(bytes, ALIGN).unwrap_or(Layout::new::<u128>())
}

impl Record {
    /// A record whose values take `len` bytes, all zero (each of them is a value, zero) until they are written; `None`
    /// if there are too many.
    pub(super) fn with_len(shape: Arc<Shape>, len: usize) -> Option<Record> {
        (len <= VALUES_BYTES_MAX).then(|| Record::zeroed(shape, len as u16))
    }

    fn zeroed(shape: Arc<Shape>, len: u16) -> Record {
        let layout = layout(usize::from(len));
        // SAFETY: the layout has at least 16 bytes.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let mut record = Record { block, len };
        // SAFETY: the block is new and has room for the address and `len` bytes.
        unsafe {
            record.write_shape(shape);
            block.add(SHAPE_BYTES).write_bytes(0, usize::from(len));
        }
        record
    }

    /// Writes the address of a shape whose count the block now owns.
    ///
    /// # Safety
    ///
    /// The block owns no shape, so that none is forgotten.
    unsafe fn write_shape(&mut self, shape: Arc<Shape>) {
        let address = Arc::into_raw(shape).expose_provenance();
        assert!(address >> (8 * SHAPE_BYTES) == 0, "addresses have 48 bits");
        let [a, b, c, d, e, f, ..] = address.to_le_bytes();
        // SAFETY: every block begins with these six bytes.
        unsafe { self.block.cast::<[u8; SHAPE_BYTES]>().write([a, b, c, d, e, f]) };
    }

    /// Takes the shape out of the block, which then owns none.
    ///
    /// # Safety
    ///
    /// The block owns a shape.
    unsafe fn take_shape(&mut self) -> Arc<Shape> {
        // SAFETY: the address is from `Arc::into_raw`, by `write_shape`, and the count that it stands for is the block's.
        unsafe { Arc::from_raw(self.as_ref().shape_address()) }
    }

    /// Replaces the shape; the values must be as many as its names once everything is done.
    pub(super) fn set_shape(&mut self, shape: Arc<Shape>) {
        // SAFETY: between the two calls the block owns no shape, and nothing else happens.
        unsafe {
            drop(self.take_shape());
            self.write_shape(shape);
        }
    }

    /// Makes `inserted` bytes of the `removed` ones at `at` among the values, and gives them to be written; `None`
    /// (nothing is changed) if the values get too long.
    pub(super) fn splice(&mut self, at: usize, removed: usize, inserted: usize) -> Option<&mut [u8]> {
        let old_len = usize::from(self.len);
        assert!(at <= old_len && removed <= old_len - at, "a splice lies within the values");
        let new_len = old_len - removed + inserted;
        if new_len > VALUES_BYTES_MAX {
            return None;
        }
        if new_len > old_len {
            self.resize(new_len);
        }
        let tail = old_len - at - removed;
        // SAFETY: the block has room for the longer of both lengths; what is handed out is within the new one and
        // initialised: as values that were there before, or as zeros. Exclusive by the borrow.
        unsafe {
            let region = self.block.add(SHAPE_BYTES + at);
            region.add(removed).copy_to(region.add(inserted), tail);
            if inserted > removed {
                region.add(removed).write_bytes(0, inserted - removed);
            }
            if new_len < old_len {
                self.resize(new_len);
            }
            self.len = new_len as u16;
            Some(NonNull::slice_from_raw_parts(self.block.add(SHAPE_BYTES + at), inserted).as_mut())
        }
    }

    /// The values, to be changed. Whoever does leaves as many there as the shape has names.
    #[inline]
    pub(super) fn values_mut(&mut self) -> &mut [u8] {
        // SAFETY: `len` bytes of values are there, initialised; exclusive by the borrow.
        unsafe { NonNull::slice_from_raw_parts(self.block.add(SHAPE_BYTES), usize::from(self.len)).as_mut() }
    }

    /// Makes the block fit `new_len` bytes of values; as many of the old ones as fit are kept.
    fn resize(&mut self, new_len: usize) {
        let (old, new) = (layout(usize::from(self.len)), layout(new_len));
        if old != new {
            // SAFETY: the block was allocated with the layout of its length, and the new size is neither zero nor big.
            let block = unsafe { realloc(self.block.as_ptr(), old, new.size()) };
            self.block = NonNull::new(block).unwrap_or_else(|| handle_alloc_error(new));
            self.len = new_len.min(usize::from(self.len)) as u16;
        }
    }

    /// A shared look.
    #[inline]
    pub(super) fn as_ref(&self) -> RecordRef<'_> {
        RecordRef { block: self.block, len: self.len, lives: PhantomData }
    }

    /// Gives up ownership: the block's address and the bytes of its values.
    #[inline]
    pub(super) fn into_parts(self) -> (NonNull<u8>, u16) {
        let parts = (self.block, self.len);
        std::mem::forget(self);
        parts
    }

    /// Takes ownership back.
    ///
    /// # Safety
    ///
    /// The parts are from [`Record::into_parts`], and the record has not been taken back since.
    #[inline]
    pub(super) unsafe fn from_parts(block: NonNull<u8>, len: u16) -> Record {
        Record { block, len }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // SAFETY: the block owns a shape, was allocated with the layout of its length, and is not used any more.
        unsafe {
            drop(self.take_shape());
            dealloc(self.block.as_ptr(), layout(usize::from(self.len)));
        }
    }
}

impl<'a> RecordRef<'a> {
    /// A look at a record by its parts.
    ///
    /// # Safety
    ///
    /// The parts are from [`Record::into_parts`], and for 'a the record is not taken back.
    #[inline]
    pub(super) unsafe fn from_parts(block: NonNull<u8>, len: u16) -> RecordRef<'a> {
        RecordRef { block, len, lives: PhantomData }
    }

    #[inline]
    fn shape_address(self) -> *const Shape {
        // SAFETY: every block begins with these six bytes, and lives for 'a.
        let [a, b, c, d, e, f] = unsafe { self.block.cast::<[u8; SHAPE_BYTES]>().read() };
        std::ptr::with_exposed_provenance(usize::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// The shape.
    #[inline]
    pub(super) fn shape(self) -> &'a Shape {
        // SAFETY: the record owns a count of the shape, and lives for 'a.
        unsafe { &*self.shape_address() }
    }

    /// The shape, owned as well.
    pub(super) fn share_shape(self) -> Arc<Shape> {
        // SAFETY: the address is from `Arc::into_raw`, and the record's own count keeps it alive.
        unsafe {
            Arc::increment_strong_count(self.shape_address());
            Arc::from_raw(self.shape_address())
        }
    }

    /// The values, encoded, one after the other.
    #[inline]
    pub(super) fn values(self) -> &'a [u8] {
        // SAFETY: `len` bytes of values are there, initialised, for 'a.
        unsafe { NonNull::slice_from_raw_parts(self.block.add(SHAPE_BYTES), usize::from(self.len)).as_ref() }
    }

    /// Bytes of its block.
    pub(super) fn block_bytes(self) -> usize {
        layout(usize::from(self.len)).size()
    }

    /// A copy.
    pub(super) fn to_owned(self) -> Record {
        let mut copy = Record::zeroed(self.share_shape(), self.len);
        copy.values_mut().copy_from_slice(self.values());
        copy
    }
}
