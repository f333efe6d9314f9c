//! The slot that owns an item, and the comparison of eight at once. Unsafe leaf module.
//!
//! A slot is the item's address with a tag of 19 bits around it (16 above, 3 below; items are aligned to 16) and one bit
//! that says that no pin has the item (see `pins`):
//!
//! ```text
//! | tag bits 3..19 | address (bits 4..48) | tag bits 0..3 | young |
//! ```
//!
//! Which bits of the hash a tag has is the segment's business.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::item::Item;
use crate::prefetch::prefetch;

/// An item's address with a tag around it, or nothing.
#[repr(transparent)]
pub struct Slot<I: Item>(u64, PhantomData<I>);

const YOUNG_BIT: u64 = 1;
const TAG_MASK: u64 = 0xffff_0000_0000_000e;
/// Those of its bits that stand below the address.
const LOW_MASK: u64 = 0xe;
const ADDRESS_MASK: u64 = 0x0000_ffff_ffff_fff0;

/// Bits of a tag.
pub(crate) const TAG_BITS: u32 = 19;
const LOW_BITS: u32 = 3;
const LOW_SHIFT: u32 = 1;
const HIGH_SHIFT: u32 = 48;

/// What a slot's tag must be to hold a key.
#[derive(Clone, Copy)]
pub struct Tag(u64);

impl Tag {
    /// The tag of these bits, [`TAG_BITS`] of them.
    #[inline]
    pub fn of(bits: u64) -> Tag {
        Tag((bits >> LOW_BITS) << HIGH_SHIFT | (bits << LOW_SHIFT & LOW_MASK))
    }

    /// Its bits.
    #[inline]
    pub fn bits(self) -> u64 {
        self.0 >> HIGH_SHIFT << LOW_BITS | (self.0 & LOW_MASK) >> LOW_SHIFT
    }
}

impl<I: Item> Slot<I> {
    /// Holds nothing.
    pub const EMPTY: Slot<I> = Slot(0, PhantomData);

    /// Takes an item in, of which `is_young` says that no pin has it.
    #[inline]
    pub fn new(item: I, tag: Tag, is_young: bool) -> Slot<I> {
        let address = item.into_raw().as_ptr() as u64;
        assert!(address & !ADDRESS_MASK == 0, "items are aligned to 16 and user addresses fit into 48 bits");
        Slot(address | tag.0 | (u64::from(is_young) * YOUNG_BIT), PhantomData)
    }

    /// Whether nothing is here.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Whether the item came after the newest pin. Means something in lines of the segment's own only.
    #[inline]
    pub fn is_young(&self) -> bool {
        self.0 & YOUNG_BIT != 0
    }

    /// Says that a pin has the item.
    #[inline]
    pub fn age(&mut self) {
        self.0 &= !YOUNG_BIT;
    }

    /// Whether the key of this slot may have the tag. An empty slot may, too: whoever looks at its item finds none.
    #[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse4.1"))))]
    #[inline]
    pub fn matches(&self, tag: Tag) -> bool {
        (self.0 ^ tag.0) & TAG_MASK == 0
    }

    /// A bit for each of eight slots whose key may have the tag.
    #[cfg(all(target_arch = "x86_64", target_feature = "sse4.1"))]
    #[inline]
    pub fn matching(slots: &[Slot<I>; 8], tag: Tag) -> u32 {
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
    pub fn matching(slots: &[Slot<I>; 8], tag: Tag) -> u32 {
        slots.iter().enumerate().fold(0, |mask, (index, slot)| mask | u32::from(slot.matches(tag)) << index)
    }

    #[inline]
    fn address(&self) -> Option<NonNull<u8>> {
        NonNull::new((self.0 & ADDRESS_MASK) as *mut u8)
    }

    /// The item.
    #[inline]
    pub fn item(&self) -> Option<I::Ref<'_>> {
        // SAFETY: the slot owns the item whose address it holds, and is borrowed as long as the look lasts.
        self.address().map(|raw| unsafe { I::shared(raw) })
    }

    /// The item, to be changed.
    ///
    /// # Safety
    ///
    /// No pin has the item.
    #[inline]
    pub unsafe fn item_mut(&mut self) -> Option<I::Mut<'_>> {
        // SAFETY: the slot owns the item whose address it holds, and is borrowed exclusively as long as the look lasts; by
        // the caller nothing else leads to it.
        self.address().map(|raw| unsafe { I::exclusive(raw) })
    }

    /// Takes the item out; the slot is empty afterwards. As long as a pin has the item, it may neither be dropped nor changed.
    #[inline]
    pub fn take(&mut self) -> Option<I> {
        let address = self.address();
        self.0 = 0;
        // SAFETY: the slot owned the item and has just forgotten it.
        address.map(|raw| unsafe { I::from_raw(raw) })
    }

    /// The tag of the item.
    #[inline]
    pub fn tag(&self) -> Tag {
        Tag(self.0 & TAG_MASK)
    }

    /// Gives the item, if there is one, another tag.
    #[inline]
    pub fn set_tag(&mut self, tag: Tag) {
        if !self.is_empty() {
            self.0 = self.0 & !TAG_MASK | tag.0;
        }
    }

    /// Asks the processor to bring the item's first lines.
    #[inline]
    pub fn prefetch(&self) {
        let address = (self.0 & ADDRESS_MASK) as *const u8;
        (0..I::PREFETCH_LINES).for_each(|line| prefetch(address.wrapping_add(line * 64)));
    }
}

impl<I: Item> Drop for Slot<I> {
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

    #[repr(align(16))]
    struct Number([u8; 4]);

    // SAFETY: a box of 16-byte alignment; nothing outside this module changes what is in it.
    unsafe impl Item for Box<Number> {
        type Ref<'a> = &'a Number;
        type Mut<'a> = &'a mut Number;

        fn into_raw(self) -> NonNull<u8> {
            NonNull::from(Box::leak(self)).cast()
        }

        // SAFETY: by the caller.
        unsafe fn from_raw(raw: NonNull<u8>) -> Self {
            // SAFETY: the address is of a box that was leaked.
            unsafe { Box::from_raw(raw.cast().as_ptr()) }
        }

        // SAFETY: by the caller.
        unsafe fn shared<'a>(raw: NonNull<u8>) -> &'a Number {
            // SAFETY: the address is of a box that lives for 'a.
            unsafe { raw.cast().as_ref() }
        }

        // SAFETY: by the caller.
        unsafe fn exclusive<'a>(raw: NonNull<u8>) -> &'a mut Number {
            // SAFETY: the address is of a box that lives for 'a and that nobody else looks at.
            unsafe { raw.cast().as_mut() }
        }

        fn look(&self) -> &Number {
            self
        }

        fn key<'a>(item: Self::Ref<'a>) -> &'a [u8] {
            &item.0
        }
    }

    #[test]
    fn eight_slots_are_compared_at_once() {
        let tag = |bit: u64| Tag::of(0x5_a5a4 ^ bit);
        for wanted in 0..=255u32 {
            let slots = std::array::from_fn(|index| match (wanted >> index) & 1 {
                1 => Slot::new(Box::new(Number([7; 4])), tag(0), true),
                _ if index % 2 == 0 => Slot::EMPTY,
                _ => Slot::new(Box::new(Number([7; 4])), tag(1), false),
            });
            assert_eq!(Slot::matching(&slots, tag(0)), wanted);
            let each = slots.iter().rev().fold(0, |mask, slot| mask << 1 | u32::from(slot.matches(tag(0))));
            assert_eq!(each, wanted);
        }
    }

    #[test]
    fn a_slot_gives_back_what_it_took() {
        let tag = Tag::of(0x5_a5a5);
        let mut slot = Slot::new(Box::new(Number([1, 2, 3, 4])), tag, true);
        assert!(slot.matches(tag) && slot.is_young());
        slot.age();
        assert!(slot.matches(tag) && !slot.is_young());
        assert_eq!(slot.tag().bits(), 0x5_a5a5);
        (0..TAG_BITS).for_each(|bit| assert!(!slot.matches(Tag::of(0x5_a5a5 ^ 1 << bit))));
        assert_eq!(slot.item().map(|item| item.0), Some([1, 2, 3, 4]));
        assert!(slot.take().is_some() && slot.is_empty() && slot.item().is_none());
    }
}
