//! The number that INCRBYFLOAT and HINCRBYFLOAT compute with: C's `long double` on x86-64, which is the x87's 80-bit
//! extended format. Rust has no such type, and with doubles (or decimals) the stored results would differ, so this is
//! a software version of the few operations needed: read, add, write.
//!
//! Layout as in the hardware: a sign, a 15-bit exponent with bias 16383, a 64-bit significand whose leading bit is
//! explicit. Every operation rounds to nearest, ties to even, as the C library and the processor do.
//!
//! ```text
//!   biased   significand          value
//!   0        below 2^63           significand * 2^-16445          (zero and subnormal numbers)
//!   1..7ffe  2^63 and above       significand * 2^(biased - 16446)
//!   7fff     2^63                 infinity
//!   7fff     anything else        not a number
//! ```
//!
//! Texts can have thousands of digits and numbers thousands of digits before the point. Both are done with exact
//! integers (`natural.rs`); the short numbers that everybody uses stay within 128 bits.

mod add;
mod human;
mod natural;
mod order;
mod parse;

use crate::number::{Format, Rounded};

const EXTENDED: Format = Format { precision_bits: 64, exponent_min: -16445, exponent_max: 0x7ffe - 16446 };
const BIASED_SPECIAL: u16 = 0x7fff;
const LEADING_BIT: u64 = 1 << 63;

/// An 80-bit extended floating point number.
#[derive(Clone, Copy, Debug)]
pub struct LongDouble {
    negative: bool,
    biased: u16,
    significand: u64,
}

impl LongDouble {
    /// Zero.
    pub const ZERO: LongDouble = LongDouble { negative: false, biased: 0, significand: 0 };

    /// Whether it is not a number: the sum of opposite infinities.
    pub fn is_nan(&self) -> bool {
        self.biased == BIASED_SPECIAL && self.significand != LEADING_BIT
    }

    /// Whether it is positive or negative infinity.
    pub fn is_infinite(&self) -> bool {
        self.biased == BIASED_SPECIAL && self.significand == LEADING_BIT
    }

    const fn infinity(negative: bool) -> LongDouble {
        LongDouble { negative, biased: BIASED_SPECIAL, significand: LEADING_BIT }
    }

    const fn zero(negative: bool) -> LongDouble {
        LongDouble { negative, ..LongDouble::ZERO }
    }

    const NAN: LongDouble =
        LongDouble { negative: false, biased: BIASED_SPECIAL, significand: LEADING_BIT | LEADING_BIT >> 1 };

    fn from_rounded(negative: bool, rounded: Rounded) -> LongDouble {
        match rounded {
            Rounded::Zero => LongDouble::zero(negative),
            Rounded::Overflow => LongDouble::infinity(negative),
            Rounded::Finite { significand, exponent } => {
                let biased =
                    if significand & LEADING_BIT == 0 { 0 } else { exponent - EXTENDED.exponent_min + 1 };
                match u16::try_from(biased) {
                    Ok(biased) => LongDouble { negative, biased, significand },
                    Err(_) => LongDouble::infinity(negative),
                }
            }
        }
    }

    /// The power of two that one unit of the significand stands for.
    fn exponent(&self) -> i64 {
        i64::from(self.biased.max(1)) - 1 + EXTENDED.exponent_min
    }
}
