//! Where the lines of a database's tables are, readable without their locks: for prefetches only. Unsafe leaf module.
//!
//! A prefetch never faults, so a stale address does no harm. What must not happen is a read of memory that is gone:
//! so the copy of the directories that is kept here never moves. There is one array per directory depth, for all stripes
//! together and in hash order, made when the first table gets that deep, and it stays; together they are twice the largest
//! at most (16 bytes per 400 keys). A word's place follows from the key's position and the depth of its stripe alone: one
//! small array says how deep each stripe is, so that nothing on the way to a word misses the cache.
//!
//! Locking for this would not only cost the lock: an atomic instruction between two misses makes the second wait for the
//! first, and it is the overlapping of misses that makes batches fast.
//!
//! Rejected: an array per stripe and depth (two more dependent loads for each key).
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

use ochre_table::prefetch;

use crate::hash::{Key, POSITION_BITS, Seen};
use crate::segment::Hint;
use crate::table::{Moved, Table};

/// Deeper directories are not followed: their tables have a billion keys.
const DEPTH_MAX: usize = 22;
/// The depth of a stripe that nothing is known of.
const UNKNOWN: u8 = u8::MAX;

/// Up to so many words stay in the second-level cache, where asking for them ahead costs more than waiting for them. Fewer
/// in debug builds, so that tests with few keys take both ways.
const NEAR_WORDS_MAX: usize = if cfg!(debug_assertions) { 1 << 7 } else { 1 << 14 };

/// The hints of one database.
pub(crate) struct Hints {
    stripe_bits: u32,
    /// Whether there are more words than are near.
    are_far: AtomicBool,
    /// By stripe.
    depths: Box<[AtomicU8]>,
    levels: [OnceLock<Box<[Words]>>; DEPTH_MAX + 1],
}

struct Words {
    lines: AtomicU64,
    segment: AtomicU64,
}

impl Hints {
    pub(crate) fn new(stripe_bits: u32) -> Hints {
        Hints {
            stripe_bits,
            are_far: AtomicBool::new(false),
            depths: (0..1u32 << stripe_bits).map(|_| AtomicU8::new(UNKNOWN)).collect(),
            levels: [const { OnceLock::new() }; DEPTH_MAX + 1],
        }
    }

    /// Whether words are to be asked for ahead.
    #[inline]
    pub(crate) fn are_far(&self) -> bool {
        self.are_far.load(Relaxed)
    }

    /// Where the words of a key are, in the form of where a key was seen.
    #[inline]
    fn place_of_words(&self, position: u64) -> Seen {
        let stripe = (position >> (POSITION_BITS - self.stripe_bits)) as usize;
        let depth = self.depths[stripe].load(Relaxed);
        let index =
            (position >> ((POSITION_BITS - self.stripe_bits).wrapping_sub(u32::from(depth)) & 63)) as u32;
        Seen { segment: index, line: depth, slot: 0 }
    }

    /// Asks the processor for what [`Hints::prefetch_line`] will read, and notes in the key where that is.
    #[inline(always)]
    pub(crate) fn prefetch_words(&self, key: &mut Key<'_>) {
        // For now, not where the key is but where it is told where that is.
        key.seen = self.place_of_words(key.hash.position());
        if let Some(words) = self.words(key.seen) {
            prefetch(std::ptr::from_ref(words).cast());
        }
    }

    /// The words that were found for a key.
    #[inline]
    fn words(&self, at: Seen) -> Option<&Words> {
        self.levels.get(usize::from(at.line))?.get()?.get(at.segment as usize)
    }

    /// Asks the processor for the line of a key, whose words were asked for before.
    #[inline(always)]
    pub(crate) fn prefetch_line(&self, key: Key<'_>) {
        self.prefetch_line_of(key.hash.position(), key.seen);
    }

    /// The same for one whose words are near.
    #[inline(always)]
    pub(crate) fn prefetch_near_line(&self, key: Key<'_>) {
        let position = key.hash.position();
        self.prefetch_line_of(position, self.place_of_words(position));
    }

    #[inline]
    fn prefetch_line_of(&self, position: u64, words: Seen) {
        if let Some(words) = self.words(words) {
            let hint = Hint { lines: words.lines.load(Relaxed), segment: words.segment.load(Relaxed) };
            hint.prefetch(position);
        }
    }

    /// Follows what the table of a stripe has moved. The caller holds the table's lock.
    #[cold]
    pub(crate) fn follow(&self, stripe: usize, table: &Table, moved: Moved) {
        let depth = table.depth() as usize;
        let (Some(level), Some(of_stripe)) = (self.levels.get(depth), self.depths.get(stripe)) else {
            return;
        };
        let words = level.get_or_init(|| empty(1 << (self.stripe_bits as usize + depth)));
        if words.len() > NEAR_WORDS_MAX {
            self.are_far.store(true, Relaxed);
        }
        let Some(words) = words.get(stripe << depth..(stripe + 1) << depth) else { return };
        let range = match moved {
            Moved::Nothing => 0..0,
            Moved::Range(start, end) => start..end,
            Moved::Everything => 0..words.len(),
        };
        for index in range {
            let hint = table.hint(index).unwrap_or(Hint { lines: 0, segment: 0 });
            words[index].lines.store(hint.lines, Relaxed);
            words[index].segment.store(hint.segment, Relaxed);
        }
        of_stripe.store(depth as u8, Relaxed);
    }
}

/// Words that hint at nothing; the memory is not touched, however many they are.
fn empty(count: usize) -> Box<[Words]> {
    // SAFETY: words are two plain integers, for which all bits zero is a value.
    unsafe { Box::new_zeroed_slice(count).assume_init() }
}
