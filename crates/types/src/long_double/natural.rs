//! Natural numbers of any size: just what exact reading and writing of floating point texts needs.
//!
//! Little-endian limbs of 64 bits without leading zero limbs; zero has no limbs. Simple quadratic algorithms: the
//! texts are limited to 5 KiB, so that the largest number has some 35,000 bits.

/// A natural number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Natural {
    limbs: Vec<u64>,
}

/// The largest power of five that fits a limb.
const FIVE_TO_27: u64 = 5u64.pow(27);
/// Decimal digits that always fit a limb.
pub(super) const LIMB_DIGITS: usize = 19;

impl Natural {
    /// The number whose decimal digits (ASCII, digits only) are given.
    pub(super) fn from_digits(digits: &[u8]) -> Natural {
        let mut number = Natural::default();
        for chunk in digits.chunks(LIMB_DIGITS) {
            number.multiply_add(10u64.pow(chunk.len() as u32), small_from_digits(chunk));
        }
        number
    }

    /// `5^exponent`.
    pub(super) fn power_of_five(exponent: u32) -> Natural {
        let mut power = Natural { limbs: vec![5u64.pow(exponent % 27)] };
        for _ in 0..exponent / 27 {
            power.multiply_add(FIVE_TO_27, 0);
        }
        power
    }

    /// `self * 5^exponent`.
    pub(super) fn times_power_of_five(mut self, exponent: u32) -> Natural {
        for _ in 0..exponent / 27 {
            self.multiply_add(FIVE_TO_27, 0);
        }
        self.multiply_add(5u64.pow(exponent % 27), 0);
        self
    }

    pub(super) fn bits(&self) -> u64 {
        match self.limbs.last() {
            Some(limb) => self.limbs.len() as u64 * 64 - u64::from(limb.leading_zeros()),
            None => 0,
        }
    }

    pub(super) fn shift_left(&mut self, bits: u64) {
        if self.limbs.is_empty() {
            return;
        }
        let (limbs, bits) = ((bits / 64) as usize, bits % 64);
        if bits > 0 {
            self.multiply_add(1 << bits, 0);
        }
        self.limbs.splice(0..0, std::iter::repeat_n(0, limbs));
    }

    /// The leading 128 bits, the power of two they are to be multiplied with, and whether ones were cut off below.
    pub(super) fn leading_bits(&self) -> (u128, i64, bool) {
        let n = self.limbs.len();
        let limb = |i: usize| self.limbs.get(i).map_or(0, |&limb| u128::from(limb));
        if n <= 2 {
            return (limb(1) << 64 | limb(0), 0, false);
        }
        let shift = limb(n - 1).leading_zeros() - 64;
        let top = (limb(n - 1) << 64 | limb(n - 2)) << shift | limb(n - 3) >> (64 - shift);
        let sticky = (limb(n - 3) << shift) as u64 != 0 || self.limbs[..n - 3].iter().any(|&limb| limb != 0);
        (top, (n as i64 - 2) * 64 - i64::from(shift), sticky)
    }

    /// Divides by a number that is not zero: the quotient's leading bits (68, or 67 of them), the power of two they
    /// are to be multiplied with, and whether something is left below.
    pub(super) fn divide_leading(mut self, mut divisor: Natural) -> (u128, i64, bool) {
        const QUOTIENT_BITS: i64 = 68;
        let (bits, divisor_bits) = (self.bits(), divisor.bits());
        self.shift_left(divisor_bits.saturating_sub(bits));
        divisor.shift_left(bits.saturating_sub(divisor_bits));
        let mut quotient = 0u128;
        for _ in 0..QUOTIENT_BITS {
            quotient <<= 1;
            if self.at_least(&divisor) {
                self.subtract(&divisor);
                quotient |= 1;
            }
            self.shift_left(1);
        }
        (quotient, bits as i64 - divisor_bits as i64 - (QUOTIENT_BITS - 1), !self.limbs.is_empty())
    }

    /// Decimal digits, without leading zeros; nothing for zero.
    pub(super) fn to_digits(&self) -> String {
        const BASE: u64 = 1_000_000_000;
        // Limbs of nine decimal digits, little-endian, fed with 32 bits at a time from the top.
        let mut decimal: Vec<u32> = Vec::with_capacity(self.limbs.len() * 64 / 29 + 1);
        for half in self.limbs.iter().rev().flat_map(|limb| [limb >> 32, limb & 0xffff_ffff]) {
            let mut carry = half;
            for digit in &mut decimal {
                carry += u64::from(*digit) << 32;
                *digit = (carry % BASE) as u32;
                carry /= BASE;
            }
            while carry != 0 {
                decimal.push((carry % BASE) as u32);
                carry /= BASE;
            }
        }
        let padded: String = decimal.iter().rev().map(|digit| format!("{digit:09}")).collect();
        padded.trim_start_matches('0').to_owned()
    }

    fn multiply_add(&mut self, factor: u64, summand: u64) {
        let mut carry = u128::from(summand);
        for limb in &mut self.limbs {
            carry += u128::from(*limb) * u128::from(factor);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry != 0 {
            self.limbs.push(carry as u64);
        }
    }

    fn at_least(&self, other: &Natural) -> bool {
        match self.limbs.len().cmp(&other.limbs.len()) {
            std::cmp::Ordering::Equal => self.limbs.iter().rev().cmp(other.limbs.iter().rev()).is_ge(),
            order => order.is_gt(),
        }
    }

    /// Subtracts a number that is not larger.
    fn subtract(&mut self, other: &Natural) {
        let mut borrow = false;
        let others = other.limbs.iter().copied().chain(std::iter::repeat(0));
        for (limb, other) in self.limbs.iter_mut().zip(others) {
            let (difference, first) = limb.overflowing_sub(other);
            let (difference, second) = difference.overflowing_sub(u64::from(borrow));
            *limb = difference;
            borrow = first || second;
        }
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
    }
}

impl From<u128> for Natural {
    fn from(value: u128) -> Natural {
        let mut limbs = vec![value as u64, (value >> 64) as u64];
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Natural { limbs }
    }
}

/// The number that at most [`LIMB_DIGITS`] decimal digits stand for.
pub(super) fn small_from_digits(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn digits_round_trip() {
        let mut rng = Rng::new(3);
        for len in [1usize, 2, 18, 19, 20, 38, 39, 57, 200, 4933] {
            let mut digits: Vec<u8> = (0..len).map(|_| b'0' + rng.below(10) as u8).collect();
            digits[0] = b'1' + rng.below(9) as u8;
            assert_eq!(Natural::from_digits(&digits).to_digits().as_bytes(), digits);
        }
        assert_eq!(Natural::default().to_digits(), "");
    }

    #[test]
    fn powers_and_shifts() {
        let mut number = Natural::power_of_five(100);
        number.shift_left(100);
        assert_eq!(number.to_digits(), format!("1{}", "0".repeat(100)));
        assert_eq!(number, Natural::from(1u128 << 100).times_power_of_five(100));
        assert_eq!(number.bits(), 333);
    }

    #[test]
    fn leading_bits_are_exact_up_to_128_and_sticky_beyond() {
        let cases: &[(u64, bool)] =
            &[(0, false), (1, false), (64, false), (65, false), (127, false), (500, false)];
        for (shift, sticky) in cases {
            let mut number = Natural::from(5u128);
            number.shift_left(*shift);
            let (top, exponent, cut) = number.leading_bits();
            assert_eq!(top.trailing_zeros() as i64 + exponent, *shift as i64);
            assert_eq!((top >> top.trailing_zeros(), cut), (5, *sticky));
        }
        let mut number = Natural::from(1u128);
        number.shift_left(300);
        number.multiply_add(1, 1);
        assert_eq!(number.leading_bits(), (1 << 127, 300 - 127, true));
        let mut wide = Natural::from(u128::MAX);
        wide.shift_left(3);
        assert_eq!(wide.leading_bits(), (u128::MAX, 3, false));
    }

    #[test]
    fn leading_bits_of_quotients() {
        // 1/3 = 0.0101..., 68 bits of which the first is a zero.
        let (quotient, exponent, rest) = Natural::from(1).divide_leading(Natural::from(3));
        assert_eq!((quotient >> 60, exponent, rest), (0b0101_0101, 1 - 2 - 67, true));
        let (quotient, exponent, rest) = Natural::from(7u128 << 90).divide_leading(Natural::from(7));
        assert_eq!((quotient, exponent, rest), (1 << 67, 90 - 67, false));
    }
}
