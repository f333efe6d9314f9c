//! How a leaf cuts scores to hints.
//!
//! A score as an integer ([`order_key`](super::super::score::order_key)) has 64 bits, a slot has 20 for it. The
//! scores of one leaf are close together, so a leaf drops `shift` bits below and subtracts a base:
//!
//! ```text
//! hint = (key >> shift) - base          0 <= hint < 2^20 for every member of the leaf, exactly
//! ```
//!
//! Hints are in the order of scores, so a search compares hints and touches members only where hints are equal. Because
//! hints of members are exact, a frame can be made wider without touching a member: dropping more bits of a score is
//! dropping bits of its hint. Only a narrower frame, which is worth it after many splits, needs the scores themselves.

use super::super::member::HINT_BITS;

/// Hints that the members of a leaf take up at most, when a frame is made: a quarter, so that on either side is more room
/// than they have.
const SPAN_BITS: u32 = HINT_BITS - 2;
const HINTS: u64 = 1 << HINT_BITS;
/// Members that differ in their scores should have this many hints between them.
const COARSE: u64 = 1 << 10;

/// What is cut off the scores of a leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    pub(super) base: u64,
    pub(super) shift: u8,
}

impl Frame {
    /// The frame that every score fits.
    pub(super) const EVERYTHING: Frame = Frame { base: 0, shift: (64 - HINT_BITS) as u8 };

    /// The finest frame for scores from `low` to `high`, both included, that drops at least `shift_min` bits.
    pub(super) fn around(low: u64, high: u64, shift_min: u8) -> Frame {
        let bits = 64 - (high - low).leading_zeros();
        let shift = (bits.saturating_sub(SPAN_BITS) as u8).max(shift_min);
        let slack = (HINTS - (1 << SPAN_BITS)) / 2;
        Frame { base: (low >> shift).saturating_sub(slack), shift }
    }

    /// The hint of a score, or on which side of the frame it is.
    #[inline]
    pub(super) fn hint(self, key: u64) -> Cut {
        match (key >> self.shift).checked_sub(self.base) {
            Some(hint) if hint < HINTS => Cut::Hint(hint),
            Some(_) => Cut::Above,
            None => Cut::Below,
        }
    }

    /// The lowest and the highest score that have one of two hints or one between them.
    pub(super) fn scores(self, first: u64, last: u64) -> (u64, u64) {
        let low = (self.base + first) << self.shift;
        let high = (self.base + last) << self.shift;
        (low, high | ((1u64 << self.shift) - 1))
    }

    /// A hint of this frame in a wider one that has room for it.
    #[inline]
    pub(super) fn widen(self, hint: u64, wider: Frame) -> u64 {
        ((self.base + hint) >> (wider.shift - self.shift)) - wider.base
    }

    /// Whether scores that lie so close together would gain from a narrower frame.
    pub(super) fn is_coarse_for(self, first: u64, last: u64) -> bool {
        self.shift > 0 && last - first < COARSE
    }
}

/// What a frame makes of a score.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut {
    /// Lower than everything the frame has hints for.
    Below,
    /// Within the frame.
    Hint(u64),
    /// Higher than everything the frame has hints for.
    Above,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn hint(frame: Frame, key: u64) -> u64 {
        match frame.hint(key) {
            Cut::Hint(hint) => hint,
            other => panic!("{key} is {other:?} {frame:?}"),
        }
    }

    #[test]
    fn frames_cover_what_they_are_made_for_and_can_be_widened() {
        let mut rng = Rng::new(3);
        for _ in 0..20_000 {
            let mut keys = [0; 4].map(|_: u64| rng.next_u64() >> rng.below(64));
            keys.sort_unstable();
            let narrow = Frame::around(keys[1], keys[2], 0);
            let hints = [hint(narrow, keys[1]), hint(narrow, keys[2])];
            assert!(hints[0] <= hints[1]);
            let (low, high) = narrow.scores(hints[0], hints[1]);
            assert!(low <= keys[1] && keys[2] <= high);
            let wide = Frame::around(keys[0].min(low), keys[3].max(high), narrow.shift);
            assert!(hint(wide, keys[0]) <= hint(wide, keys[3]));
            for (key, hint_before) in [(keys[1], hints[0]), (keys[2], hints[1])] {
                assert_eq!(narrow.widen(hint_before, wide), hint(wide, key));
            }
        }
        assert_eq!(Frame::EVERYTHING.hint(u64::MAX), Cut::Hint(HINTS - 1));
        assert_eq!(Frame::EVERYTHING.hint(0), Cut::Hint(0));
    }

    #[test]
    fn scores_outside_are_on_a_side() {
        let frame = Frame::around(1 << 40, (1 << 40) + 5, 0);
        assert_eq!((frame.hint(0), frame.hint(u64::MAX)), (Cut::Below, Cut::Above));
    }
}
