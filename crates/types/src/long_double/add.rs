//! Addition, correctly rounded.
//!
//! The larger significand moves up by 62 bits within 128, the smaller one is aligned to it. What falls off the lower end
//! of the smaller one is remembered as one bit; it can only be something when the exponents are more than 62 apart,
//! and then the sum loses at most one leading bit, so that the bits kept are always more than the result needs.

use std::ops::Add;

use super::{BIASED_SPECIAL, EXTENDED, LongDouble};
use crate::number::round;

const GUARD_BITS: i64 = 62;

impl Add for LongDouble {
    type Output = LongDouble;

    /// The sum: infinite when it is out of range, not a number for infinities of opposite signs.
    fn add(self, other: LongDouble) -> LongDouble {
        if self.biased == BIASED_SPECIAL || other.biased == BIASED_SPECIAL {
            return self.add_special(other);
        }
        let swap = (self.biased, self.significand) < (other.biased, other.significand);
        let (large, small) = if swap { (other, self) } else { (self, other) };
        let distance = large.exponent() - small.exponent();
        let (aligned, sticky) = align(u128::from(small.significand) << GUARD_BITS, distance);
        let base = u128::from(large.significand) << GUARD_BITS;
        let exponent = large.exponent() - GUARD_BITS;
        if large.negative == small.negative {
            let sum = round(base + aligned, exponent, sticky, &EXTENDED);
            return LongDouble::from_rounded(large.negative, sum);
        }
        let difference = base - aligned - u128::from(sticky);
        let negative = large.negative && difference != 0;
        LongDouble::from_rounded(negative, round(difference, exponent, sticky, &EXTENDED))
    }
}

impl LongDouble {
    fn add_special(self, other: LongDouble) -> LongDouble {
        let opposite = self.is_infinite() && other.is_infinite() && self.negative != other.negative;
        if self.is_nan() || other.is_nan() || opposite {
            return LongDouble::NAN;
        }
        if self.is_infinite() { self } else { other }
    }
}

/// `value / 2^distance` rounded down, and whether something was cut off.
fn align(value: u128, distance: i64) -> (u128, bool) {
    if distance >= 128 {
        return (0, value != 0);
    }
    (value >> distance, value & ((1 << distance) - 1) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> LongDouble {
        let read = |text: &str| LongDouble::parse(text.as_bytes()).unwrap();
        let (forth, back) = (read(a) + read(b), read(b) + read(a));
        assert_eq!((forth.biased, forth.significand), (back.biased, back.significand));
        forth
    }

    #[test]
    fn bit_patterns_of_sums() {
        let one = 1u64 << 63;
        let cases: &[(&str, &str, bool, u16, u64)] = &[
            ("1", "1", false, 16384, one),
            ("1", "-1", false, 0, 0),
            ("-0", "-0", true, 0, 0),
            ("0", "-0", false, 0, 0),
            ("0x1p63", "0x1p-1", false, 16446, one), // a tie, to even
            ("0x1p63", "0x1.8p-1", false, 16446, one | 1), // above the tie
            ("0x8000000000000001", "0x.8", false, 16446, one | 2), // a tie, to even
            ("0x1p63", "0x1p-16445", false, 16446, one),
            ("0x1p63", "-0x1p-16445", false, 16446, one), // just below a power of two
            ("0x1p63", "-0x1p-2", false, 16446, one),     // a tie between 2^63 - 1/2 and 2^63
            ("0x1p63", "-0x1.8p-2", false, 16445, u64::MAX),
            ("0x1p-16445", "0x1p-16445", false, 0, 2),
            ("0x1p-16383", "0x1p-16383", false, 1, one), // subnormal numbers become normal
            ("0x1p-16382", "-0x1p-16445", false, 0, one - 1),
            ("0x1p16383", "0x1p16383", false, 0x7fff, one),
            ("0xffffffffffffffffp16320", "0x1p16319", false, 0x7fff, one),
            ("0xffffffffffffffffp16320", "0x1p16318", false, 0x7ffe, u64::MAX),
            ("inf", "-1", false, 0x7fff, one),
            ("-inf", "-inf", true, 0x7fff, one),
        ];
        for (a, b, negative, biased, significand) in cases {
            let sum = sum(a, b);
            assert_eq!(
                (sum.negative, sum.biased, sum.significand),
                (*negative, *biased, *significand),
                "{a} + {b}"
            );
        }
        assert!(sum("inf", "-inf").is_nan() && !sum("inf", "-inf").is_infinite());
    }
}
