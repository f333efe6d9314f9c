//! A member of a big sorted set: its score and its bytes in one allocation. Unsafe leaf module.
//!
//! ```text
//!  0        8     9
//! +--------+-----+----------------+
//! | score  | len | bytes          |   up to 254 bytes
//! | score  | 255 | len64 | bytes  |   more (the length is not aligned)
//! +--------+-----+----------------+
//! ```
//!
//! A member of up to 7 bytes takes 16 bytes, one of up to 23 takes 32. The table of the sorted set owns its members; its
//! tree has their addresses ([`MemberRef`]), in words with a hint about the score ([`Slot`]):
//!
//! ```text
//! | hint (20 bits) | address / 16 (44 bits) |
//! ```
//!
//! What makes the looks through an address sound: a `MemberRef` never leaves the sorted set, or its pins. A sorted set takes a
//! member out of its tree before its table lets it go; pins keep what the table has let go of. A score changes only
//! through an exclusively borrowed sorted set, and only if no pin has the member.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use ochre_table::Item;

use super::score::order_key;

const ALIGN: usize = 16;
const LEN_AT: usize = 8;
const BYTES_AT: usize = 9;
const WIDE: u8 = u8::MAX;
const WIDE_BYTES_AT: usize = BYTES_AT + 8;

/// An owned member.
#[derive(Debug)]
pub(super) struct Member(NonNull<u8>);

// SAFETY: a member is plain memory; nothing in it is tied to a thread.
unsafe impl Send for Member {}
// SAFETY: nothing in a member changes through a shared look.
unsafe impl Sync for Member {}

/// The address of a member that a sorted set owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MemberRef(NonNull<u8>);

// SAFETY: as for `Member`, which it is the address of.
unsafe impl Send for MemberRef {}
// SAFETY: as for `Member`, which it is the address of.
unsafe impl Sync for MemberRef {}

/// Bytes allocated for a member of this length.
pub(super) fn allocated_bytes(len: usize) -> usize {
    layout(len).size()
}

fn bytes_at(len: usize) -> usize {
    if len < usize::from(WIDE) { BYTES_AT } else { WIDE_BYTES_AT }
}

fn layout(len: usize) -> Layout {
    let size = (bytes_at(len) + len + ALIGN - 1) & !(ALIGN - 1);
    // SAFETY: ALIGN is a power of two, and the size is that of a slice that exists, plus a few bytes: below isize::MAX,
    // because address spaces are smaller than that.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}

impl Member {
    /// A member with its score.
    pub(super) fn new(score: f64, bytes: &[u8]) -> Member {
        let layout = layout(bytes.len());
        // SAFETY: the layout has a size above zero.
        let Some(raw) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: all is written within the new allocation, which has room for the head and the bytes; the score is
        // aligned because the allocation is, the wide length is written unaligned.
        unsafe {
            raw.cast::<f64>().write(score);
            let at = bytes_at(bytes.len());
            if at == BYTES_AT {
                raw.add(LEN_AT).write(bytes.len() as u8);
            } else {
                raw.add(LEN_AT).write(WIDE);
                raw.add(BYTES_AT).cast::<u64>().write_unaligned(bytes.len() as u64);
            }
            raw.add(at).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
        }
        Member(raw)
    }

    /// Its address.
    #[inline]
    pub(super) fn by_ref(&self) -> MemberRef {
        MemberRef(self.0)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let layout = layout(self.by_ref().bytes().len());
        // SAFETY: the allocation was made with this layout, which follows from the length, and its owner is dropped.
        unsafe { dealloc(self.0.as_ptr(), layout) }
    }
}

// SAFETY: `into_raw` gives the address of an allocation aligned to 16 away, and `from_raw` takes it back. Addresses are below
// 2^48: allocators do not get memory above without asking for it. The bytes never change once they are written.
unsafe impl Item for Member {
    type Ref<'a> = MemberRef;
    type Mut<'a> = MemberRef;

    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).0
    }

    #[inline]
    fn look(&self) -> MemberRef {
        self.by_ref()
    }

    // SAFETY: the address is that of a member that was given away, and is now this one's.
    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Member {
        Member(raw)
    }

    // SAFETY: nothing is touched here; the address is that of a member in the table.
    #[inline]
    unsafe fn shared<'a>(raw: NonNull<u8>) -> Self::Ref<'a> {
        MemberRef(raw)
    }

    // SAFETY: nothing is touched here; the address is that of a member in the table.
    #[inline]
    unsafe fn exclusive<'a>(raw: NonNull<u8>) -> Self::Mut<'a> {
        MemberRef(raw)
    }

    #[inline]
    fn key<'a>(member: MemberRef) -> &'a [u8] {
        member.bytes()
    }
}

impl MemberRef {
    /// The score.
    #[inline]
    pub(super) fn score(self) -> f64 {
        // SAFETY: the member lives (see the head of this file) and begins with its score.
        unsafe { self.0.cast::<f64>().read() }
    }

    /// The place of the score in the order of all scores.
    #[inline]
    pub(super) fn key(self) -> u64 {
        order_key(self.score())
    }

    /// Changes the score. Whoever calls this has the sorted set exclusively, and no pin has the member.
    #[inline]
    pub(super) fn set_score(self, score: f64) {
        // SAFETY: the member lives, and nobody else looks at it (see the head of this file).
        unsafe { self.0.cast::<f64>().write(score) }
    }

    /// Asks the processor for the member.
    #[inline]
    pub(super) fn prefetch(self) {
        ochre_table::prefetch(self.0.as_ptr());
    }

    /// The bytes. They may be used for as long as the sorted set is borrowed.
    #[inline]
    pub(super) fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the member lives (see the head of this file); length and bytes were written when it was made and never
        // change.
        unsafe {
            let short = self.0.add(LEN_AT).read();
            let (at, len) = if short == WIDE {
                (WIDE_BYTES_AT, self.0.add(BYTES_AT).cast::<u64>().read_unaligned() as usize)
            } else {
                (BYTES_AT, usize::from(short))
            };
            std::slice::from_raw_parts(self.0.add(at).as_ptr(), len)
        }
    }
}

/// Bits of a hint.
pub(super) const HINT_BITS: u32 = 20;
const ADDRESS_BITS: u32 = 64 - HINT_BITS;

/// A member's address with a hint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot(u64);

impl Slot {
    /// What stands where no member is.
    pub(super) const EMPTY: Slot = Slot(0);

    /// A member with a hint below 2^20.
    #[inline]
    pub(super) fn new(hint: u64, member: MemberRef) -> Slot {
        Slot(hint << ADDRESS_BITS | member.0.as_ptr() as u64 >> ALIGN.trailing_zeros())
    }

    /// The hint.
    #[inline]
    pub(super) fn hint(self) -> u64 {
        self.0 >> ADDRESS_BITS
    }

    /// The same member with another hint.
    #[inline]
    pub(super) fn with_hint(self, hint: u64) -> Slot {
        Slot(self.0 & ((1 << ADDRESS_BITS) - 1) | hint << ADDRESS_BITS)
    }

    #[inline]
    fn address(self) -> *mut u8 {
        (self.0 << HINT_BITS >> (HINT_BITS - ALIGN.trailing_zeros())) as *mut u8
    }

    /// The member. The slot must not be the empty one.
    #[inline]
    pub(super) fn member(self) -> MemberRef {
        debug_assert!(!self.address().is_null(), "a slot in use has a member");
        // SAFETY: a tree looks only at the slots it has filled, and those have an address that was not null.
        MemberRef(unsafe { NonNull::new_unchecked(self.address()) })
    }

    /// Asks the processor for the member.
    #[inline]
    pub(super) fn prefetch(self) {
        ochre_table::prefetch(self.address());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_every_length() {
        for len in (0..600).chain([70_000]) {
            let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let member = Member::new(len as f64 - 0.5, &bytes);
            assert_eq!(member.by_ref().bytes(), bytes);
            assert_eq!(member.by_ref().score(), len as f64 - 0.5);
            member.by_ref().set_score(-1.0);
            assert_eq!((member.by_ref().score(), member.by_ref().bytes()), (-1.0, &bytes[..]));
        }
        assert_eq!([0, 7, 8, 23, 24, 254, 255].map(allocated_bytes), [16, 16, 32, 32, 48, 272, 272]);
    }

    #[test]
    fn slots_keep_address_and_hint() {
        let member = Member::new(1.0, b"member");
        for hint in [0, 1, 0xabcde, (1 << HINT_BITS) - 1] {
            let slot = Slot::new(hint, member.by_ref());
            assert_eq!((slot.hint(), slot.member()), (hint, member.by_ref()));
            let other = slot.with_hint(hint ^ 1);
            assert_eq!((other.hint(), other.member()), (hint ^ 1, member.by_ref()));
        }
    }
}
