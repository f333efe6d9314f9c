//! Rounding to a binary floating point format, and hexadecimal floating point texts.
//!
//! Two formats are needed, double and the 80-bit extended one; both round a wide significand to nearest, ties to even,
//! with gradual underflow. What is cut off below the wide significand is remembered as one bit ("sticky"): for
//! rounding it only matters whether it is zero.

/// A binary format: `significand * 2^exponent`, the significand an integer of at most `precision_bits`.
pub(crate) struct Format {
    /// Bits of the significand, the leading one included.
    pub(crate) precision_bits: u32,
    /// Smallest exponent; numbers that would need a smaller one are subnormal.
    pub(crate) exponent_min: i64,
    /// Largest exponent; numbers that would need a larger one overflow.
    pub(crate) exponent_max: i64,
}

/// A number rounded to a [`Format`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rounded {
    /// Too small for the smallest subnormal, or zero to begin with.
    Zero,
    /// `significand * 2^exponent`; the significand has all its bits, or the exponent is the smallest one.
    Finite { significand: u64, exponent: i64 },
    /// Too large for the format.
    Overflow,
}

/// Rounds `significand * 2^exponent`, to nearest and ties to even. `sticky`: the true number is a little larger than
/// that, by less than one unit; then the significand must be wider than the format's by two bits or more.
pub(crate) fn round(significand: u128, exponent: i64, sticky: bool, format: &Format) -> Rounded {
    if significand == 0 {
        return Rounded::Zero;
    }
    let leading_zeros = significand.leading_zeros();
    let significand = significand << leading_zeros;
    let exponent = exponent - i64::from(leading_zeros);
    let normal_shift = i64::from(128 - format.precision_bits);
    let shift = normal_shift.max(format.exponent_min - exponent);
    let mut kept = shift_right_to_even(significand, shift, sticky);
    let mut exponent = exponent + shift;
    if kept >> format.precision_bits != 0 {
        kept >>= 1;
        exponent += 1;
    }
    match u64::try_from(kept) {
        Ok(0) => Rounded::Zero,
        Ok(significand) if exponent <= format.exponent_max => Rounded::Finite { significand, exponent },
        _ => Rounded::Overflow,
    }
}

/// `value / 2^shift` to nearest, ties to even; `shift` is at least one.
pub(crate) fn shift_right_to_even(value: u128, shift: i64, sticky: bool) -> u128 {
    if shift > 128 {
        return 0;
    }
    let half = 1u128 << (shift - 1);
    let (kept, rest) = if shift == 128 { (0, value) } else { (value >> shift, value & ((half << 1) - 1)) };
    let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
    kept + u128::from(up)
}

/// A hexadecimal floating point text: `significand * 2^exponent`, a little more when `sticky`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HexFloat {
    pub(crate) significand: u128,
    pub(crate) exponent: i64,
    pub(crate) sticky: bool,
}

/// Whether a text without its sign starts as a hexadecimal number.
pub(crate) fn is_hex_float(unsigned: &[u8]) -> bool {
    matches!(unsigned, [b'0', b'x' | b'X', ..])
}

/// Reads `0x`, digits with an optional point, and an optional binary exponent (`p` and a decimal integer). The whole
/// text must be used up.
pub(crate) fn parse_hex(unsigned: &[u8]) -> Option<HexFloat> {
    let digits = if is_hex_float(unsigned) { &unsigned[2..] } else { return None };
    let end = digits.iter().position(|byte| matches!(byte, b'p' | b'P')).unwrap_or(digits.len());
    let (mantissa, rest) = digits.split_at(end);
    let binary_exponent = if rest.is_empty() { 0 } else { parse_exponent(&rest[1..])? };
    let mut hex = HexFloat { significand: 0, exponent: 0, sticky: false };
    let (mut any, mut after_point) = (false, false);
    for &byte in mantissa {
        if byte == b'.' && !after_point {
            after_point = true;
            continue;
        }
        any = true;
        hex.push((byte as char).to_digit(16)?);
        hex.exponent -= i64::from(after_point) * 4;
    }
    hex.exponent = hex.exponent.saturating_add(binary_exponent);
    any.then_some(hex)
}

impl HexFloat {
    fn push(&mut self, digit: u32) {
        if self.significand >> 124 == 0 {
            self.significand = self.significand << 4 | u128::from(digit);
        } else {
            self.sticky |= digit != 0;
            self.exponent += 4;
        }
    }
}

/// Larger exponents are cut to this: whatever digits stand before them, the number is then zero or too large.
const EXPONENT_MAX: i64 = 1 << 40;

/// Reads the exponent of a decimal or hexadecimal number (what follows its letter): an optional sign and digits.
pub(crate) fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut exponent = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        exponent = (exponent * 10 + i64::from(digit)).min(EXPONENT_MAX);
    }
    Some(if negative { -exponent } else { exponent })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: Format = Format { precision_bits: 4, exponent_min: -6, exponent_max: 3 };

    #[test]
    fn rounding_to_a_tiny_format() {
        let finite = |significand, exponent| Rounded::Finite { significand, exponent };
        let cases: &[(u128, i64, bool, Rounded)] = &[
            (0, 0, false, Rounded::Zero),
            (1, 0, false, finite(8, -3)),
            (0b1_0001, 0, false, finite(8, 1)),  // tie, even below
            (0b1_0001, 0, true, finite(9, 1)),   // just above the tie
            (0b1_0011, 0, false, finite(10, 1)), // tie, even above
            (0b1_1111, 0, false, finite(8, 2)),  // carries into the next exponent
            (0b1_1111, 2, false, Rounded::Overflow),
            (15, 3, false, finite(15, 3)),
            (15, 4, false, Rounded::Overflow),
            (1, -6, false, finite(1, -6)),
            (1, -7, false, Rounded::Zero), // half of the smallest: a tie with zero
            (3, -8, false, finite(1, -6)),
            (3, -7, false, finite(2, -6)),
            (1, -200, false, Rounded::Zero),
            (u128::MAX, -131, false, finite(8, -6)),
            (1 << 127, -134, true, finite(1, -6)), // above half of the smallest
            (1 << 127, -134, false, Rounded::Zero),
        ];
        for (significand, exponent, sticky, expected) in cases {
            assert_eq!(round(*significand, *exponent, *sticky, &TINY), *expected, "{significand}e{exponent}");
        }
    }

    #[test]
    fn hexadecimal_texts() {
        let hex = |significand, exponent, sticky| Some(HexFloat { significand, exponent, sticky });
        let cases: &[(&str, Option<HexFloat>)] = &[
            ("0x10", hex(16, 0, false)),
            ("0X1p4", hex(1, 4, false)),
            ("0x.8", hex(8, -4, false)),
            ("0x1.8p-1", hex(0x18, -5, false)),
            ("0x00000000000000000000000000000000001", hex(1, 0, false)),
            ("0x8000000000000000000000000000000000", hex(1 << 127, 8, false)),
            ("0x80000000000000000000000000000000.01", hex(1 << 127, 0, true)),
            ("0x1p99999999999999999999", hex(1, EXPONENT_MAX, false)),
            ("0x", None),
            ("0x.", None),
            ("0x1p", None),
            ("0x1p+", None),
            ("0x1.2.3", None),
            ("0x1g", None),
            ("0x1p1p1", None),
            ("10", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_hex(text.as_bytes()), *expected, "{text}");
        }
    }
}
