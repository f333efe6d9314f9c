//! Doubles in arguments: scores, timeouts, coordinates.
//!
//! The accepted texts are those of C's `strtod` in the C locale, without leading white space, used up to the end:
//! decimal with an optional exponent, hexadecimal, `inf` and `infinity` in any case; never NaN, and nothing that is
//! too large for a double or becomes zero in one. (Valkey 9 refuses hexadecimal, Redis takes it; Redis wins.)

use super::{Format, Rounded, is_hex_float, parse_hex, round};

const DOUBLE: Format = Format { precision_bits: 53, exponent_min: -1074, exponent_max: 971 };

/// Reads a double argument. Correctly rounded; `None` for a text that is not one.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if is_hex_float(unsigned) {
        let magnitude = parse_hex_f64(unsigned)?;
        return Some(if negative { -magnitude } else { magnitude });
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let finite_text = unsigned.first().is_some_and(|byte| !byte.is_ascii_alphabetic());
    let overflowed = value.is_infinite() && finite_text;
    let underflowed = value == 0.0 && !is_zero(unsigned);
    (!value.is_nan() && !overflowed && !underflowed).then_some(value)
}

fn parse_hex_f64(unsigned: &[u8]) -> Option<f64> {
    let hex = parse_hex(unsigned)?;
    if hex.significand == 0 {
        return Some(0.0);
    }
    match round(hex.significand, hex.exponent, hex.sticky, &DOUBLE) {
        Rounded::Finite { significand, exponent } => Some(compose(significand, exponent)),
        Rounded::Zero | Rounded::Overflow => None,
    }
}

/// The double `significand * 2^exponent`, already rounded to [`DOUBLE`].
fn compose(significand: u64, exponent: i64) -> f64 {
    let implicit_bit = 1u64 << 52;
    if significand < implicit_bit {
        return f64::from_bits(significand);
    }
    let biased = (exponent - DOUBLE.exponent_min + 1).cast_unsigned();
    f64::from_bits(biased << 52 | (significand & (implicit_bit - 1)))
}

/// Whether a decimal text has no digit but zeros before its exponent.
fn is_zero(unsigned: &[u8]) -> bool {
    let mantissa = unsigned.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or(unsigned);
    !mantissa.iter().any(|byte| matches!(byte, b'1'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn texts() {
        let cases: &[(&str, Option<f64>)] = &[
            ("1", Some(1.0)),
            ("+1", Some(1.0)),
            ("1.", Some(1.0)),
            (".5", Some(0.5)),
            ("-1e+5", Some(-1e5)),
            ("1.E5", Some(1e5)),
            ("00012", Some(12.0)),
            ("1e0005", Some(1e5)),
            ("0x10", Some(16.0)),
            ("-0X1p4", Some(-16.0)),
            ("0x.8", Some(0.5)),
            ("0x1.8p1", Some(3.0)),
            ("0x0p99999", Some(0.0)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-1075", None),
            ("0x1p1023", Some(8.98846567431158e307)),
            ("0x1p1024", None),
            ("0x1.fffffffffffff8p1023", None),
            ("0x1.fffffffffffff7p1023", Some(f64::MAX)),
            ("0x1.00000000000008p0", Some(1.0)),
            ("0x1.00000000000008000000000000000000000000001p0", Some(1.0 + f64::EPSILON)),
            ("0x", None),
            ("0x1p", None),
            ("inf", Some(f64::INFINITY)),
            ("+inf", Some(f64::INFINITY)),
            ("-INFINITY", Some(f64::NEG_INFINITY)),
            ("iNf", Some(f64::INFINITY)),
            ("infin", None),
            ("nan", None),
            ("-NaN", None),
            ("nan(1)", None),
            ("1e308", Some(1e308)),
            ("1e309", None),
            ("-1e309", None),
            ("1e-320", Some(1e-320)),
            ("3e-324", Some(5e-324)),
            ("1e-324", None),
            ("-1e-400", None),
            ("0e-400", Some(0.0)),
            ("0e99999999999999999999", Some(0.0)),
            ("1e99999999999999999999", None),
            ("", None),
            (".", None),
            ("+", None),
            (" 1", None),
            ("1 ", None),
            ("1\0", None),
            ("1e", None),
            ("1e+", None),
            (".e5", None),
            ("+-1", None),
            ("1_0", None),
            ("1,5", None),
            ("1f", None),
            ("é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_f64(text.as_bytes()), *expected, "{text:?}");
        }
        assert_eq!(parse_f64(b"\xff"), None);
        assert!(parse_f64(b"-0").is_some_and(|zero| zero.is_sign_negative()));
    }

    #[test]
    fn hexadecimal_texts_of_doubles_round_trip() {
        let mut rng = Rng::new(2);
        for _ in 0..10_000 {
            let value = f64::from_bits(rng.next_u64() >> 1);
            if !value.is_finite() || value == 0.0 {
                continue;
            }
            let (bits, biased) = (value.to_bits() & ((1 << 52) - 1), value.to_bits() >> 52);
            let lead = u64::from(biased != 0);
            let text = format!("0x{lead}.{bits:013x}p{}", biased.max(1) as i64 - 1023);
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
        }
    }
}
