//! Integers in arguments and in stored strings.
//!
//! The strict readers accept exactly the texts that the integer itself would be written as. So a text that they
//! accept can be stored as the integer and given back later without a difference anybody could see; INCR and the
//! integer encoding of strings rest on that.

/// More digits than these never fit an `i64`, and these always fit a `u64`.
const I64_DIGITS_MAX: usize = 19;

/// Reads a signed integer in canonical form: an optional minus, no plus, no spaces, no leading zeros, not "-0".
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] => return (!negative).then_some(0),
        [b'1'..=b'9', ..] if digits.len() <= I64_DIGITS_MAX => {}
        _ => return None,
    }
    let mut magnitude = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Reads an unsigned integer in canonical form: digits only, no leading zeros, the full range of `u64`.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    match text {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] => parse_digits(text),
        _ => None,
    }
}

/// Reads an unsigned integer the way scan cursors and stream ids are read.
///
/// Canonical integers are taken as they are, negative ones refused. Every other text gets the rules of C's
/// `strtoull`: leading white space, a sign (a minus wraps around) and leading zeros are fine, and a NUL ends the text.
/// Strange, but clients can see it: `SCAN +0` and `XADD key 007-1` work.
pub fn parse_u64_lenient(text: &[u8]) -> Option<u64> {
    if let Some(value) = parse_i64(text) {
        return u64::try_from(value).ok();
    }
    let text = text.split(|&byte| byte == 0).next()?;
    let start = text.iter().position(|&byte| !is_c_space(byte))?;
    let (negative, digits) = match &text[start..] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let magnitude = parse_digits(digits)?;
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

/// The integer as which a string value can be stored, if reading it back gives the same text.
pub fn is_int_encodable(value: &[u8]) -> Option<i64> {
    parse_i64(value)
}

fn parse_digits(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// White space as C's `isspace` has it (one more byte, the vertical tab, than ASCII white space in Rust).
fn is_c_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn strict_signed_texts() {
        let cases: &[(&str, Option<i64>)] = &[
            ("0", Some(0)),
            ("7", Some(7)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("9999999999999999999", None),
            ("10000000000000000000", None),
            ("18446744073709551616", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("+1", None),
            ("01", None),
            ("-01", None),
            ("00", None),
            (" 1", None),
            ("1 ", None),
            ("1\0", None),
            ("1.0", None),
            ("1e3", None),
            ("0x1", None),
            ("/", None),
            (":", None),
            ("1:", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_i64(text.as_bytes()), *expected, "{text:?}");
            assert_eq!(is_int_encodable(text.as_bytes()), *expected, "{text:?}");
        }
    }

    #[test]
    fn accepted_texts_are_what_the_integer_is_written_as() {
        let mut rng = Rng::new(1);
        for _ in 0..20_000 {
            let value = (rng.next_u64() as i64) >> rng.below(64);
            assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
            let alphabet = b"-+0123459 ";
            let text: Vec<u8> = (0..rng.below(22)).map(|_| alphabet[rng.below(10) as usize]).collect();
            if let Some(value) = parse_i64(&text) {
                assert_eq!(value.to_string().as_bytes(), text);
            }
        }
    }

    #[test]
    fn unsigned_texts() {
        // text, strict, lenient
        let cases: &[(&str, Option<u64>, Option<u64>)] = &[
            ("0", Some(0), Some(0)),
            ("5", Some(5), Some(5)),
            ("18446744073709551615", Some(u64::MAX), Some(u64::MAX)),
            ("18446744073709551616", None, None),
            ("99999999999999999999999", None, None),
            ("+5", None, Some(5)),
            ("007", None, Some(7)),
            (" 5", None, Some(5)),
            ("\t\x0b\r5", None, Some(5)),
            ("-1", None, None),
            (" -1", None, Some(u64::MAX)),
            ("-01", None, Some(u64::MAX)),
            ("-0", None, Some(0)),
            ("00000000000000000000000000005", None, Some(5)),
            ("5\0a", None, Some(5)),
            ("\x005", None, None),
            ("5 ", None, None),
            ("+", None, None),
            ("-", None, None),
            ("--1", None, None),
            (" ", None, None),
            ("", None, None),
            ("0x10", None, None),
        ];
        for (text, strict, lenient) in cases {
            assert_eq!(parse_u64(text.as_bytes()), *strict, "strict {text:?}");
            assert_eq!(parse_u64_lenient(text.as_bytes()), *lenient, "lenient {text:?}");
        }
    }
}
