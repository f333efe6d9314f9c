//! Reading a text as a number, correctly rounded whatever its length.
//!
//! Accepted is what C's `strtold` accepts in the C locale, without white space in front and up to the end of the text,
//! in less than 5 KiB: decimal and hexadecimal numbers and infinity, but nothing that overflows or becomes zero
//! without being zero, and not NaN.

use super::natural::{LIMB_DIGITS, Natural, small_from_digits};
use super::{EXTENDED, LongDouble};
use crate::number::{Rounded, is_hex_float, parse_exponent, parse_hex, round};

/// Texts are shorter than this.
const TEXT_LEN_LIMIT: usize = 5 * 1024;
/// The position of the leading digit (10^n) from which on every number overflows.
const MAGNITUDE_OVERFLOWS: i64 = 4934;
/// The position of the leading digit up to which every number rounds to zero.
const MAGNITUDE_VANISHES: i64 = -4953;

impl LongDouble {
    /// Reads a text; `None` where the command answers that the value is not a valid float. Infinities are read.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        if text.len() >= TEXT_LEN_LIMIT {
            return None;
        }
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
            return Some(LongDouble::infinity(negative));
        }
        let rounded = if is_hex_float(unsigned) {
            parse_hex_rounded(unsigned)?
        } else {
            Decimal::parse(unsigned)?.round()
        };
        Some(LongDouble::from_rounded(negative, rounded?))
    }
}

/// A number read: zero, or what it was rounded to unless it left the range.
type InRange = Option<Rounded>;

fn in_range(rounded: Rounded) -> InRange {
    matches!(rounded, Rounded::Finite { .. }).then_some(rounded)
}

fn parse_hex_rounded(unsigned: &[u8]) -> Option<InRange> {
    let hex = parse_hex(unsigned)?;
    if hex.significand == 0 {
        return Some(Some(Rounded::Zero));
    }
    Some(in_range(round(hex.significand, hex.exponent, hex.sticky, &EXTENDED)))
}

/// `digits * 10^exponent`; the digits (ASCII) neither begin nor end with a zero, and zero has none.
struct Decimal {
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn parse(unsigned: &[u8]) -> Option<Decimal> {
        let end = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(unsigned.len());
        let (mantissa, rest) = unsigned.split_at(end);
        let mut exponent = if rest.is_empty() { 0 } else { parse_exponent(&rest[1..])? };
        let point = mantissa.iter().position(|&byte| byte == b'.');
        let (whole, fraction) = match point {
            Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
            None => (mantissa, &mantissa[..0]),
        };
        let mut digits: Vec<u8> = [whole, fraction].concat();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        exponent -= fraction.len() as i64;
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent += 1;
        }
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
        digits.drain(..zeros);
        Some(Decimal { digits, exponent })
    }

    fn round(&self) -> InRange {
        if self.digits.is_empty() {
            return Some(Rounded::Zero);
        }
        let magnitude = self.exponent + self.digits.len() as i64;
        if magnitude >= MAGNITUDE_OVERFLOWS || magnitude <= MAGNITUDE_VANISHES {
            return None;
        }
        // Within these bounds the power fits: at most 5 KiB of digits, the leading one within 10^5000 either way.
        let power = u32::try_from(self.exponent.unsigned_abs()).ok()?;
        let (significand, exponent, sticky) = match (self.exponent >= 0, self.is_short()) {
            (true, true) => (u128::from(self.small()) * u128::from(10u64.pow(power)), 0, false),
            (true, false) => self.multiply(power),
            (false, true) => divide_short(self.small(), 10u64.pow(power)),
            (false, false) => self.divide(power),
        };
        in_range(round(significand, exponent, sticky, &EXTENDED))
    }

    /// Whether the digits and the power of ten each fit 64 bits.
    fn is_short(&self) -> bool {
        self.digits.len() <= LIMB_DIGITS && self.exponent.unsigned_abs() <= LIMB_DIGITS as u64
    }

    fn small(&self) -> u64 {
        small_from_digits(&self.digits)
    }

    fn multiply(&self, power: u32) -> (u128, i64, bool) {
        let product = Natural::from_digits(&self.digits).times_power_of_five(power);
        let (significand, exponent, sticky) = product.leading_bits();
        (significand, exponent + i64::from(power), sticky)
    }

    fn divide(&self, power: u32) -> (u128, i64, bool) {
        let digits = Natural::from_digits(&self.digits);
        let (quotient, exponent, sticky) = digits.divide_leading(Natural::power_of_five(power));
        (quotient, exponent - i64::from(power), sticky)
    }
}

/// `dividend / divisor` to 95 bits or more: the quotient, the power of two it is to be multiplied with, and whether
/// something is left below. The dividend is not zero.
fn divide_short(dividend: u64, divisor: u64) -> (u128, i64, bool) {
    let zeros = dividend.leading_zeros();
    let dividend = u128::from(dividend << zeros) << 64;
    let divisor = u128::from(divisor);
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let exponent = -64 - i64::from(zeros);
    if quotient >> 96 != 0 {
        return (quotient, exponent, rest != 0);
    }
    let rest = rest << 32;
    ((quotient << 32) | (rest / divisor), exponent - 32, rest % divisor != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sign, biased exponent, significand.
    type Parts = (bool, u16, u64);

    fn parts(text: &str) -> Option<Parts> {
        LongDouble::parse(text.as_bytes()).map(|number| (number.negative, number.biased, number.significand))
    }

    #[test]
    fn bit_patterns() {
        let one = 1u64 << 63;
        let cases: &[(&str, Option<Parts>)] = &[
            ("0", Some((false, 0, 0))),
            ("-0.0e99999999999999999999", Some((true, 0, 0))),
            ("1", Some((false, 16383, one))),
            ("-2", Some((true, 16384, one))),
            ("0.1", Some((false, 16379, 0xcccc_cccc_cccc_cccd))),
            (
                "3.14159265358979323846264338327950288419716939937510",
                Some((false, 16384, 0xc90f_daa2_2168_c235)),
            ),
            ("1e4932", Some((false, 32766, 0xd72c_b2a9_5c7e_f6cd))),
            ("18446744073709551617", Some((false, 16447, one))), // a tie, to even
            ("18446744073709551617.00000000000000000000000000001", Some((false, 16447, one | 1))),
            ("3.64519953188247460253e-4951", Some((false, 0, 1))),
            ("1.82259976594123730127e-4951", Some((false, 0, 1))),
            ("1.82259976594123730126e-4951", None),
            ("3.36210314311209350626e-4932", Some((false, 1, one))),
            ("1.18973149535723176502e4932", Some((false, 32766, u64::MAX))),
            ("1.18973149535723176509e4932", None),
            ("0x1p-16445", Some((false, 0, 1))),
            ("0x1p-16446", None),
            ("0x1p16383", Some((false, 32766, one))),
            ("0x1p16384", None),
            ("0x0p16384", Some((false, 0, 0))),
            ("0xffffffffffffffff8", Some((false, 16451, one))),
            ("0xffffffffffffffff7.fffffffffffffffffffffffffff", Some((false, 16450, u64::MAX))),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), *expected, "{text}");
        }
    }

    #[test]
    fn texts_that_are_not_numbers() {
        let texts = [
            "",
            "+",
            "-",
            ".",
            "e5",
            ".e5",
            "1e",
            "1e+",
            "1e5.5",
            " 1",
            "1 ",
            "1\0",
            "+-1",
            "--1",
            "1_0",
            "1,5",
            "nan",
            "-nan",
            "nan(1)",
            "infin",
            "infinityy",
            "0x",
            "0x.",
            "0x1p",
            "0b1",
            "1f",
            "1..2",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "1e5000",
            "1e-5000",
        ];
        for text in texts {
            assert_eq!(parts(text), None, "{text:?}");
        }
        let longest = format!("0.{}", "1".repeat(TEXT_LEN_LIMIT - 3));
        assert!(LongDouble::parse(longest.as_bytes()).is_some());
        assert!(LongDouble::parse(format!("{longest}1").as_bytes()).is_none());
    }

    #[test]
    fn infinities() {
        for text in ["inf", "+INF", "Infinity"] {
            assert!(
                LongDouble::parse(text.as_bytes())
                    .is_some_and(|n| n.is_infinite() && !n.negative && !n.is_nan())
            );
        }
        assert!(LongDouble::parse(b"-iNf").is_some_and(|number| number.is_infinite() && number.negative));
    }

    #[test]
    fn the_short_way_and_the_long_way_agree() {
        let mut rng = crate::Rng::new(4);
        for _ in 0..3_000 {
            let digits = (rng.next_u64() >> rng.below(60)) % 10u64.pow(19) | 1;
            let exponent = rng.below(39) as i64 - 19;
            let decimal = Decimal { digits: digits.to_string().into_bytes(), exponent };
            assert!(decimal.is_short());
            let power = exponent.unsigned_abs() as u32;
            let (significand, exponent, sticky) =
                if exponent >= 0 { decimal.multiply(power) } else { decimal.divide(power) };
            assert_eq!(
                decimal.round(),
                Some(round(significand, exponent, sticky, &EXTENDED)),
                "{digits}e{exponent}"
            );
        }
    }
}
