//! Order, sign and difference, as the processor has them: zeros are equal whatever their signs, and what is not a
//! number has no order.

use std::cmp::Ordering;
use std::ops::{Neg, Sub};

use super::{BIASED_SPECIAL, LongDouble};

impl LongDouble {
    /// The largest finite number.
    pub const MAX: LongDouble =
        LongDouble { negative: false, biased: BIASED_SPECIAL - 1, significand: u64::MAX };

    fn magnitude(&self) -> (u16, u64) {
        (self.biased, self.significand)
    }

    fn is_zero(&self) -> bool {
        self.magnitude() == (0, 0)
    }
}

impl PartialOrd for LongDouble {
    fn partial_cmp(&self, other: &LongDouble) -> Option<Ordering> {
        if self.is_nan() || other.is_nan() {
            return None;
        }
        if self.is_zero() && other.is_zero() {
            return Some(Ordering::Equal);
        }
        let by_magnitude = self.magnitude().cmp(&other.magnitude());
        Some(match (self.negative, other.negative) {
            (false, false) => by_magnitude,
            (true, true) => by_magnitude.reverse(),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        })
    }
}

impl PartialEq for LongDouble {
    fn eq(&self, other: &LongDouble) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl Neg for LongDouble {
    type Output = LongDouble;

    fn neg(self) -> LongDouble {
        LongDouble { negative: !self.negative, ..self }
    }
}

impl Sub for LongDouble {
    type Output = LongDouble;

    /// The difference, rounded and bounded as the sum is.
    fn sub(self, other: LongDouble) -> LongDouble {
        self + -other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> LongDouble {
        LongDouble::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn numbers_are_ordered() {
        let ascending =
            ["-inf", "-1e400", "-2", "-1.5", "-1e-4900", "0", "1e-4940", "0.1", "1", "1e4000", "inf"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(read(a).partial_cmp(&read(b)), Some(i.cmp(&j)), "{a} {b}");
            }
        }
        assert!(read("-0") == read("0"));
        assert!(read("inf") + read("-inf") != read("0"));
        assert_eq!(LongDouble::NAN.partial_cmp(&read("0")), None);
        assert!(LongDouble::MAX < read("inf") && read("1e4932") < LongDouble::MAX);
    }

    #[test]
    fn differences() {
        for (a, b, expected) in [("1.5", "0.25", "1.25"), ("0", "0", "0"), ("-1", "-3", "2"), ("1", "1", "0")]
        {
            assert_eq!((read(a) - read(b)).to_human_string(), expected);
        }
        assert!((LongDouble::MAX - -LongDouble::MAX).is_infinite());
    }
}
