//! The slot that owns an entry, and the comparison of eight at once. Unsafe leaf module.
//!
//! A slot is the entry's address with 18 bits of the hash around it (16 above, 2 below; entries are aligned to 16) and
//! two bits: whether the entry goes on in the next cache line, so that who fetches it fetches no more than there is; and
//! whether time does anything to it (the key expires, or fields of its hash do), so that sampling and sweeping can pass over
//! keys without touching them:
//!
//! ```text
//! | hash bits 0..16 | address (bits 4..48) | long | hash bits 16..18 | timed |
//! ```
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::entry::{Entry, EntryMut, EntryRef, Header};
use crate::hash::KeyHash;

/// An entry's address with a tag around it, or nothing.
#[repr(transparent)]
pub struct Slot(u64);

const TIMED_BIT: u64 = 1;
const LONG_BIT: u64 = 8;
const TAG_MASK: u64 = 0xffff_0000_0000_0006;
const LINE_BYTES: u64 = 64;
const ADDRESS_MASK: u64 = 0x0000_ffff_ffff_fff0;

/// What a slot's tag must be to hold a key of some hash.
#[derive(Clone, Copy)]
pub struct Tag(u64);

impl Tag {
    /// The tag of a hash.
    #[inline]
    pub fn of(hash: KeyHash) -> Tag {
        Tag((hash.0 << 48) | ((hash.0 >> 15) & 0x6))
    }
}

impl Slot {
    /// Holds nothing.
    pub const EMPTY: Slot = Slot(0);

    /// Takes an entry in.
    #[inline]
    pub fn new(entry: Entry, tag: Tag) -> Slot {
        let is_timed = u64::from(entry.as_ref().due_ms().is_some());
        let address = entry.0.as_ptr() as u64;
        let is_long = u64::from(address % LINE_BYTES + entry.as_ref().own_bytes() as u64 > LINE_BYTES);
        std::mem::forget(entry);
        Slot(address | tag.0 | (is_timed * TIMED_BIT) | (is_long * LONG_BIT))
    }

    /// Whether nothing is here.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Whether the key expires or fields of its hash do, without touching the entry.
    #[inline]
    pub fn is_timed(&self) -> bool {
        self.0 & TIMED_BIT != 0
    }

    /// Takes note of whether there is anything in the entry that expires. There must be an entry.
    #[inline]
    pub fn set_timed(&mut self, is_timed: bool) {
        self.0 = (self.0 & !TIMED_BIT) | (u64::from(is_timed) * TIMED_BIT);
    }

    /// Whether the key of this slot may have the tag. An empty slot may, too: whoever looks at its entry finds none.
    #[inline]
    pub fn matches(&self, tag: Tag) -> bool {
        (self.0 ^ tag.0) & TAG_MASK == 0
    }

    /// A bit for each of eight slots whose key may have the tag (see [`Slot::matches`]).
    #[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
    #[inline]
    pub fn matching(slots: &[Slot; 8], tag: Tag) -> u32 {
        use std::arch::x86_64::*;
        // SAFETY: the loads are unaligned ones of 16 bytes each at offsets up to 48 of 64 bytes that `slots` borrows, and
        // slots are plain words; the target has the instructions.
        unsafe {
            let (mask, tag) = (_mm_set1_epi64x(TAG_MASK as i64), _mm_set1_epi64x(tag.0 as i64));
            let pairs = slots.as_ptr().cast::<__m128i>();
            let equal =
                |pair: usize| _mm_cmpeq_epi64(_mm_and_si128(_mm_loadu_si128(pairs.add(pair)), mask), tag);
            // All ones or all zeros, narrowed three times: from eight bytes for a slot to one.
            let (low, high) = (_mm_packs_epi32(equal(0), equal(1)), _mm_packs_epi32(equal(2), equal(3)));
            let words = _mm_packs_epi16(low, high);
            _mm_movemask_epi8(_mm_packs_epi16(words, _mm_setzero_si128())) as u32
        }
    }

    /// A bit for each of eight slots whose key may have the tag (see [`Slot::matches`]).
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse4.1")))]
    #[inline]
    pub fn matching(slots: &[Slot; 8], tag: Tag) -> u32 {
        slots.iter().enumerate().fold(0, |mask, (index, slot)| mask | u32::from(slot.matches(tag)) << index)
    }

    #[inline]
    fn address(&self) -> Option<NonNull<Header>> {
        NonNull::new((self.0 & ADDRESS_MASK) as *mut Header)
    }

    /// The entry.
    #[inline]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        self.address().map(|address| EntryRef(address, PhantomData))
    }

    /// The entry, to be changed.
    #[inline]
    pub fn entry_mut(&mut self) -> Option<EntryMut<'_>> {
        self.address().map(|address| EntryMut(address, PhantomData))
    }

    /// Takes the entry out; the slot is empty afterwards.
    #[inline]
    pub fn take(&mut self) -> Option<Entry> {
        let address = self.address();
        self.0 = 0;
        address.map(Entry)
    }

    /// Asks the processor to bring the entry's first two lines, if it has two.
    #[inline]
    pub fn prefetch(&self) {
        let address = (self.0 & ADDRESS_MASK) as *const u8;
        ochre_table::prefetch(address);
        // The same line again, without a branch, if there is no other.
        let more_bytes = (self.0 & LONG_BIT) * (LINE_BYTES / LONG_BIT);
        ochre_table::prefetch(address.wrapping_add(more_bytes as usize));
    }
}

impl Drop for Slot {
    #[inline]
    fn drop(&mut self) {
        if self.0 != 0 {
            drop(self.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NewValue;

    #[test]
    fn eight_slots_are_compared_at_once() {
        let hash = |bits: u32| KeyHash(0x1234_5678_9abc_def0 ^ u64::from(bits & 1));
        for wanted in 0..=255u32 {
            let slots = std::array::from_fn(|index| match (wanted >> index) & 1 {
                1 => Slot::new(Entry::new(b"key", NewValue::Int(7), Some(1), 0), Tag::of(hash(0))),
                _ if index % 2 == 0 => Slot::EMPTY,
                _ => Slot::new(Entry::new(b"key", NewValue::Int(7), None, 0), Tag::of(hash(1))),
            });
            assert_eq!(Slot::matching(&slots, Tag::of(hash(0))), wanted);
            let each = slots
                .iter()
                .rev()
                .fold(0, |mask, slot| mask << 1 | u32::from(slot.matches(Tag::of(hash(0)))));
            assert_eq!(each, wanted);
        }
    }

    #[test]
    fn a_slot_knows_whether_its_entry_has_two_lines() {
        for len in 0..120 {
            let value = NewValue::Bytes { bytes: &vec![b'x'; len], raw: true };
            let entry = Entry::new(b"key", value, None, 0);
            let (first, end) =
                (entry.0.as_ptr() as u64, entry.0.as_ptr() as u64 + entry.as_ref().own_bytes() as u64);
            let slot = Slot::new(entry, Tag::of(KeyHash(0)));
            assert_eq!(slot.0 & LONG_BIT != 0, first / LINE_BYTES != (end - 1) / LINE_BYTES, "{len} bytes");
        }
    }

    #[test]
    fn a_slot_gives_back_what_it_took() {
        let hash = KeyHash(0x1234_5678_9abc_def0);
        let mut slot = Slot::new(Entry::new(b"key", NewValue::Int(7), Some(1), 0), Tag::of(hash));
        assert!(slot.matches(Tag::of(hash)) && slot.is_timed());
        assert!(!slot.matches(Tag::of(KeyHash(0x1234_5678_9abc_def1))));
        assert_eq!(slot.entry().map(|entry| entry.key().to_vec()), Some(b"key".to_vec()));
        assert!(slot.take().is_some() && slot.is_empty() && slot.entry().is_none());
    }
}
