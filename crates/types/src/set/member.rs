//! A member of a table: its length and its bytes in one allocation. Unsafe leaf module.
//!
//! ```text
//! | len: u8 | bytes ...                     up to 254 bytes: a member of 15 bytes takes 16
//! | 255 | 0 0 0 | len: u32 | bytes ...      longer ones
//! ```
//!
//! Allocations are multiples of 16, as slots of the table want them.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

use ochre_table::Item;

use super::block::size_class;

const LONG: u8 = u8::MAX;

/// An owned member.
pub(super) struct Member(NonNull<u8>);

// SAFETY: a member owns its memory, like a `Box<[u8]>`.
unsafe impl Send for Member {}
// SAFETY: nothing in a member ever changes.
unsafe impl Sync for Member {}

/// A look at a member.
#[derive(Clone, Copy)]
pub(super) struct MemberRef<'a>(NonNull<u8>, PhantomData<&'a Member>);

#[inline]
fn head_bytes(len: usize) -> usize {
    if len < LONG as usize { 1 } else { 8 }
}

fn layout(len: usize) -> Layout {
    // SAFETY: 16 is a power of two, and a length below 2^32 rounded up to 16 is a size.
    unsafe { Layout::from_size_align_unchecked((head_bytes(len) + len).next_multiple_of(16), 16) }
}

impl Member {
    /// A copy of `bytes`.
    pub(super) fn new(bytes: &[u8]) -> Member {
        assert!(u32::try_from(bytes.len()).is_ok(), "the protocol's limits keep members below 4 GiB");
        let layout = layout(bytes.len());
        // SAFETY: the layout has at least one byte.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let head = head_bytes(bytes.len());
        // SAFETY: the allocation is new, aligned to 16, and has room for the head and the bytes.
        unsafe {
            start.write(bytes.len().min(LONG.into()) as u8);
            if head > 1 {
                start.add(4).cast::<u32>().write(bytes.len() as u32);
            }
            start.add(head).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
        }
        Member(start)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // SAFETY: the allocation is ours and has the layout of its length.
        unsafe { dealloc(self.0.as_ptr(), layout(self.look().bytes().len())) };
    }
}

impl<'a> MemberRef<'a> {
    /// The member itself.
    #[inline]
    pub(super) fn bytes(self) -> &'a [u8] {
        // SAFETY: the head says how many bytes follow it, and all of that stays as it is for 'a.
        unsafe {
            let short = self.0.read();
            let len = if short < LONG { short.into() } else { self.0.add(4).cast::<u32>().read() as usize };
            NonNull::slice_from_raw_parts(self.0.add(head_bytes(len)), len).as_ref()
        }
    }

    /// Bytes of the allocation.
    pub(super) fn heap_bytes(self) -> usize {
        size_class(layout(self.bytes().len()).size())
    }
}

// SAFETY: allocations are aligned to 16, a `Member` is nothing but its address (whose upper bits the slot checks), and
// members do not change.
unsafe impl Item for Member {
    type Ref<'a> = MemberRef<'a>;
    type Mut<'a> = MemberRef<'a>;

    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).0
    }

    // SAFETY: by the caller.
    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Member {
        Member(raw)
    }

    // SAFETY: by the caller.
    #[inline]
    unsafe fn shared<'a>(raw: NonNull<u8>) -> MemberRef<'a> {
        MemberRef(raw, PhantomData)
    }

    // SAFETY: by the caller.
    #[inline]
    unsafe fn exclusive<'a>(raw: NonNull<u8>) -> MemberRef<'a> {
        MemberRef(raw, PhantomData)
    }

    #[inline]
    fn look(&self) -> MemberRef<'_> {
        MemberRef(self.0, PhantomData)
    }

    #[inline]
    fn key<'a>(item: Self::Ref<'a>) -> &'a [u8] {
        item.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_all_lengths_keep_their_bytes() {
        for len in [0, 1, 11, 12, 15, 16, 31, 253, 254, 255, 256, 70_000] {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let member = Member::new(&bytes);
            assert_eq!(member.look().bytes(), bytes);
            assert!(member.look().heap_bytes() >= len + head_bytes(len));
            let raw = member.into_raw();
            // SAFETY: given away just now.
            drop(unsafe { Member::from_raw(raw) });
        }
        assert_eq!(Member::new(b"a dozen long").look().heap_bytes(), 16);
        assert_eq!(Member::new(b"fifteen is good").look().heap_bytes(), 16);
    }
}
