//! The allocation of a pack: one word that knows where the bytes begin, how much is free before and after them.
//!
//! ```text
//!              gap              len, as the pack's own header says               room
//!          |<------->|<--------------------------------------------->|<------------------->|
//!          +---------+--------------------+--------- ... ------------+---------------------+
//!          |         | header: len, count | elements                 |                     |
//!          +---------+--------------------+--------- ... ------------+---------------------+
//!          ^ 16-byte aligned, of a size class                                              ^ capacity
//!
//! the word: | 0 | class: 7 | gap / 16: 8 | address of the pack: 48 |
//! ```
//!
//! - The capacity is always one of the allocator's size classes, so its number (7 bits) is enough to know it, and
//!   nothing is asked of the allocator, nor lost, until a class is left. Growing goes to the next class that fits
//!   (a fifth more, for all but the smallest), shrinking waits until more than a quarter lies idle.
//! - The allocation begins at a multiple of 16, so the address and the gap in units of 16 tell where.
//! - The gap makes pushing and removing at the head as cheap as at the tail: only the header's few bytes move.
//!   Whatever is inserted or removed, the shorter side moves.
//! - The top bit is always clear: whoever holds either a pack or something else can tell them apart by it.
//!
//! Rejected: a header with capacity and gap before the bytes. It costs small packs eight bytes of up to fifty.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::form::{Bidirectional, Form, Forward};

const ALIGN: usize = 16;
const ADDRESS_MASK: usize = (1 << 48) - 1;
const GAP_SHIFT: u32 = 48;
const GAP_UNITS_MAX: usize = 0xff;
const GAP_MAX: usize = GAP_UNITS_MAX * ALIGN;
const CLASS_SHIFT: u32 = 56;
/// Slack that is never worth an allocation to get rid of.
const SLACK_KEPT: usize = 32;

const _: () = assert!(usize::BITS == 64, "the word needs 64 bits");
const _: () = check_form::<Bidirectional>();
const _: () = check_form::<Forward>();

/// What the code below takes for granted of a form.
const fn check_form<F: Form>() {
    assert!(class_of(2 * F::LEN_MAX) < 0x80, "classes are numbered in seven bits");
    assert!(F::LEN_BITS <= 32 && F::LEN_MAX <= len_mask::<F>() as usize, "four bytes hold the length");
    assert!(count_bits::<F>() > 0 && count_bits::<F>() < 32, "four bytes hold the count");
    assert!(F::EMPTY.len() >= F::HEADER_LEN && F::HEADER_LEN >= 4);
}

/// The bits of the header's first four bytes that are the length.
const fn len_mask<F: Form>() -> u32 {
    u32::MAX >> (32 - F::LEN_BITS)
}

/// How many bits of the header's last four bytes are the count: the upper ones.
const fn count_bits<F: Form>() -> u32 {
    8 * F::HEADER_LEN as u32 - F::LEN_BITS
}

/// The count that means that it is not known.
pub(super) const fn count_unknown<F: Form>() -> usize {
    (1 << count_bits::<F>()) - 1
}

/// The number of the smallest size class with `size` bytes.
const fn class_of(size: usize) -> usize {
    if size <= 128 {
        return if size == 0 { 0 } else { (size - 1) / 16 };
    }
    let log = (size - 1).ilog2() as usize;
    8 + 4 * (log - 7) + ((size - 1 - (1 << log)) >> (log - 2))
}

/// Bytes of a class.
#[inline]
const fn class_bytes(class: usize) -> usize {
    if class < 8 {
        return 16 * (class + 1);
    }
    let (doubling, step) = ((class - 8) / 4, (class - 8) % 4 + 1);
    (128 << doubling) + step * (32 << doubling)
}

/// What an allocation of `size` bytes takes of memory: nothing for none, else its size class.
pub const fn allocated_bytes(size: usize) -> usize {
    match size {
        0 => 0,
        1..=8 => 8,
        _ => class_bytes(class_of(size)),
    }
}

/// Owned bytes that begin with their own length, in an allocation with room before and after.
#[repr(transparent)]
pub(super) struct Buffer<F>(NonNull<u8>, PhantomData<F>);

// SAFETY: a buffer owns its memory, like a `Vec<u8>`; a form is no value.
unsafe impl<F> Send for Buffer<F> {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl<F> Sync for Buffer<F> {}

/// What a splice keeps, in bytes from the start of the pack: a part before it and a part after it.
#[derive(Clone, Copy)]
struct Kept {
    front: usize,
    back_at: usize,
    back: usize,
}

impl<F> Buffer<F> {
    #[inline]
    fn address(&self) -> NonNull<u8> {
        // SAFETY: what `word` put there is an address within an allocation, which is not null.
        unsafe { NonNull::new_unchecked(self.0.as_ptr().map_addr(|word| word & ADDRESS_MASK)) }
    }

    #[inline]
    fn class(&self) -> usize {
        self.0.addr().get() >> CLASS_SHIFT
    }

    #[inline]
    fn gap(&self) -> usize {
        let word = self.0.addr().get();
        (word >> GAP_SHIFT & GAP_UNITS_MAX) * ALIGN + word % ALIGN
    }

    /// Where the allocation begins.
    #[inline]
    fn start(&self) -> NonNull<u8> {
        // SAFETY: the gap is how far the bytes are from the start of their allocation.
        unsafe { self.address().sub(self.gap()) }
    }

    /// Bytes of the allocation.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        class_bytes(self.class())
    }
}

impl<F: Form> Buffer<F> {
    /// A copy of `bytes`, with their length written into their header, and room for `capacity` in all.
    pub(super) fn copy_of(bytes: &[u8], capacity: usize) -> Buffer<F> {
        assert!(bytes.len() >= F::HEADER_LEN && bytes.len() <= F::LEN_MAX && capacity <= F::LEN_MAX);
        let class = class_of(capacity.max(bytes.len()));
        let start = allocate(class);
        // SAFETY: the allocation is new and has a class of at least `bytes.len()` bytes.
        unsafe { start.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
        let mut buffer = Buffer(word(start, 0, class), PhantomData);
        buffer.set_len(bytes.len());
        buffer
    }

    /// Four bytes of the header, as a number.
    #[inline]
    fn header_word(&self, at: usize) -> u32 {
        const { assert!(F::HEADER_LEN >= 4) };
        let at = at.min(F::HEADER_LEN - 4);
        // SAFETY: there is always a header, initialised, and these four bytes are within it.
        u32::from_le_bytes(unsafe { self.address().add(at).cast::<[u8; 4]>().read() })
    }

    #[inline]
    fn set_header_word(&mut self, at: usize, word: u32) {
        let at = at.min(F::HEADER_LEN - 4);
        // SAFETY: as for `header_word`, and borrowed mutably.
        unsafe { self.address().add(at).cast::<[u8; 4]>().write(word.to_le_bytes()) };
    }

    /// Bytes of the pack.
    #[inline]
    pub(super) fn len(&self) -> usize {
        (self.header_word(0) & len_mask::<F>()) as usize
    }

    #[inline]
    fn set_len(&mut self, len: usize) {
        let above = if F::LEN_BITS < 32 { self.header_word(0) & !len_mask::<F>() } else { 0 };
        self.set_header_word(0, above | len as u32);
    }

    /// Number of elements as the header has it: all ones if it is not known.
    #[inline]
    pub(super) fn count(&self) -> usize {
        (self.header_word(F::HEADER_LEN - 4) >> (32 - count_bits::<F>())) as usize
    }

    /// Sets the number of elements; what is too much for the header is not known any more.
    #[inline]
    pub(super) fn set_count(&mut self, count: usize) {
        let (at, shift) = (F::HEADER_LEN - 4, 32 - count_bits::<F>());
        let below = self.header_word(at) & ((1 << shift) - 1);
        self.set_header_word(at, below | (count.min(count_unknown::<F>()) as u32) << shift);
    }

    /// The pack.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes from here on are ours and initialised: each was copied from a slice.
        unsafe { NonNull::slice_from_raw_parts(self.address(), self.len()).as_ref() }
    }

    /// Replaces `removed` bytes at `at`, which is past the header, by those of `parts`. The shorter side moves, and
    /// now and then everything.
    #[inline]
    pub(super) fn splice(&mut self, at: usize, removed: usize, parts: [&[u8]; 3]) {
        let len = self.len();
        assert!(at >= F::HEADER_LEN && at <= len && removed <= len - at, "a splice lies within its pack");
        let inserted = parts[0].len() + parts[1].len() + parts[2].len();
        let new_len = len - removed + inserted;
        assert!(new_len <= F::LEN_MAX, "whoever adds to a pack asks whether it fits");
        let kept = Kept { front: at, back_at: at + removed, back: len - at - removed };
        if inserted > removed {
            self.widen(kept, at + inserted, inserted - removed);
        } else if inserted < removed {
            self.narrow(kept, at + inserted, removed - inserted);
        }
        self.set_len(new_len);
        // SAFETY: the kept parts leave exactly `inserted` bytes at `at`, and the parts are not ours: we are borrowed
        // mutably.
        unsafe {
            let mut to = self.address().add(at);
            for part in parts {
                put(to, part);
                to = to.add(part.len());
            }
        }
    }

    /// Moves the back part to `back_at`, further away from the front part by `more`.
    #[inline]
    fn widen(&mut self, kept: Kept, back_at: usize, more: usize) {
        let gap = self.gap();
        let room = self.capacity() - gap - (kept.back_at + kept.back);
        if kept.front < kept.back && gap >= more {
            self.rearrange(kept, gap - more, back_at);
        } else if room >= more && (kept.front >= kept.back || kept.front > F::HEADER_LEN) {
            self.rearrange(kept, gap, back_at);
        } else {
            self.make_room(kept, back_at);
        }
    }

    /// Moves everything, within the allocation where enough of it is free, so that there is room where the next
    /// element is likely to come.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, kept: Kept, back_at: usize) {
        let (capacity, need) = (self.capacity(), back_at + kept.back);
        let at_head = kept.front == F::HEADER_LEN && kept.back > kept.front;
        if capacity >= need && capacity - need >= capacity / 8 {
            let slack = capacity - need;
            let gap = if at_head { slack - slack / 4 } else { slack / 4 };
            self.rearrange(kept, gap.min(GAP_MAX), back_at);
        } else {
            let class = if capacity >= need { self.class() + 1 } else { class_of(need) };
            let slack = class_bytes(class) - need;
            let gap = if at_head { slack - slack / 4 } else { 0 };
            self.reallocate(class, kept, gap.min(GAP_MAX), back_at);
        }
    }

    /// Moves the back part to `back_at`, closer to the front part by `less`.
    #[inline]
    fn narrow(&mut self, kept: Kept, back_at: usize, less: usize) {
        let (gap, capacity, need) = (self.gap(), self.capacity(), back_at + kept.back);
        if capacity - need > capacity / 4 + SLACK_KEPT && class_of(need) < self.class() {
            self.reallocate(class_of(need), kept, 0, back_at);
        } else if kept.front >= kept.back {
            self.rearrange(kept, gap, back_at);
        } else if gap + less <= GAP_MAX {
            self.rearrange(kept, gap + less, back_at);
        } else {
            self.rearrange(kept, 0, back_at);
        }
    }

    /// Moves the front part to `gap` and the back part to `back_at` after it, within the allocation.
    #[inline]
    fn rearrange(&mut self, kept: Kept, gap: usize, back_at: usize) {
        let (start, class, old_gap) = (self.start(), self.class(), self.gap());
        assert!(back_at >= kept.front && gap + back_at + kept.back <= class_bytes(class));
        let move_front = || {
            if gap != old_gap {
                // SAFETY: both places are within the allocation: the assertion above, and the pack's own.
                unsafe { start.add(old_gap).copy_to(start.add(gap), kept.front) }
            }
        };
        let (from, to) = (old_gap + kept.back_at, gap + back_at);
        if gap <= old_gap {
            // The front part moves towards the start: it cannot reach the back part.
            move_front();
        }
        if from != to {
            // SAFETY: as above. Where the front part moves the other way it comes second, and the place of the back
            // part begins after its end.
            unsafe { start.add(from).copy_to(start.add(to), kept.back) };
        }
        if gap > old_gap {
            move_front();
        }
        self.0 = word(start, gap, class);
    }

    /// Moves both parts into an allocation of `class`.
    fn reallocate(&mut self, class: usize, kept: Kept, gap: usize, back_at: usize) {
        assert!(back_at >= kept.front && gap + back_at + kept.back <= class_bytes(class));
        if self.gap() == 0 && gap == 0 && class > self.class() {
            self.0 = word(resize(self.start(), self.class(), class), 0, class);
            return self.rearrange(kept, 0, back_at);
        }
        let (old, new) = (self.address(), allocate(class));
        // SAFETY: the new allocation holds both parts where they are put, by the assertion, and the old one, which is
        // freed with its class, holds them where they were.
        unsafe {
            old.copy_to_nonoverlapping(new.add(gap), kept.front);
            old.add(kept.back_at).copy_to_nonoverlapping(new.add(gap + back_at), kept.back);
            dealloc(self.start().as_ptr(), layout(self.class()));
        }
        self.0 = word(new, gap, class);
    }
}

impl<F: Form> Clone for Buffer<F> {
    fn clone(&self) -> Buffer<F> {
        Buffer::copy_of(self.bytes(), 0)
    }
}

impl<F> Drop for Buffer<F> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the allocation came from `allocate` or `resize` with this class, and nobody uses it any more.
        unsafe { dealloc(self.start().as_ptr(), layout(self.class())) };
    }
}

/// The word for an allocation of `class` that begins at `start`.
#[inline]
fn word(start: NonNull<u8>, gap: usize, class: usize) -> NonNull<u8> {
    // SAFETY: a gap lies within its allocation.
    let bytes = unsafe { start.add(gap) };
    let tag = class << CLASS_SHIFT | (gap / ALIGN) << GAP_SHIFT;
    bytes.map_addr(|address| address | tag)
}

#[inline]
fn layout(class: usize) -> Layout {
    const { assert!(ALIGN.is_power_of_two()) };
    // SAFETY: the alignment is a power of two, and no class comes near the largest size.
    unsafe { Layout::from_size_align_unchecked(class_bytes(class), ALIGN) }
}

#[inline]
fn allocate(class: usize) -> NonNull<u8> {
    // SAFETY: no class is of zero bytes.
    usable(unsafe { alloc(layout(class)) }, class)
}

fn resize(start: NonNull<u8>, from: usize, to: usize) -> NonNull<u8> {
    // SAFETY: `start` came from here with the class `from`.
    usable(unsafe { realloc(start.as_ptr(), layout(from), class_bytes(to)) }, to)
}

#[inline]
fn usable(allocated: *mut u8, class: usize) -> NonNull<u8> {
    let Some(start) = NonNull::new(allocated) else { handle_alloc_error(layout(class)) };
    assert!(start.addr().get() <= ADDRESS_MASK - class_bytes(class), "addresses have 48 bits");
    start
}

/// Copies `part` to `to`.
///
/// # Safety
/// `to` has room for it, and they do not overlap.
#[inline]
unsafe fn put(to: NonNull<u8>, part: &[u8]) {
    // SAFETY: the caller's promise.
    unsafe {
        match part {
            [] => {}
            [only] => to.write(*only),
            _ => to.copy_from_nonoverlapping(NonNull::from(part).cast(), part.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_the_smallest_that_fit() {
        assert_eq!((class_bytes(0), class_bytes(7), class_bytes(8), class_bytes(12)), (16, 128, 160, 320));
        for size in (1..10_000).chain([1 << 20, (1 << 20) + 1, 1 << 30, (1 << 30) + 1]) {
            let class = class_of(size);
            assert!(class_bytes(class) >= size, "size {size}");
            assert!(class == 0 || class_bytes(class - 1) < size, "size {size}");
        }
    }
}
