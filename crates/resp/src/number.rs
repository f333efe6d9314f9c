//! Integers as the protocol writes them: decimal, one spelling per value.
//!
//! A canonical spelling has no plus sign, no leading zero, no space and no minus zero, so that an
//! integer and its text stand for each other. Headers of requests are read by this rule, and so
//! are the arguments of commands and the values that are kept as integers.

/// Longest canonical text of an `i64` (`-9223372036854775808`).
const TEXT_LEN_MAX: usize = 20;

/// The integer that `text` spells, or `None` unless the spelling is canonical and in range.
///
/// ```
/// assert_eq!(ochre_resp::parse_integer(b"-12"), Some(-12));
/// assert_eq!(ochre_resp::parse_integer(b"012"), None);
/// assert_eq!(ochre_resp::parse_integer(b"-0"), None);
/// ```
#[inline]
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    if text.len() > TEXT_LEN_MAX {
        return None;
    }
    match text {
        [b'0'] => Some(0),
        [b'-', digits @ ..] => 0i64.checked_sub_unsigned(parse_positive(digits)?),
        digits => i64::try_from(parse_positive(digits)?).ok(),
    }
}

/// Digits of which the first is not zero.
#[inline]
fn parse_positive(digits: &[u8]) -> Option<u64> {
    if !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { value.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_spellings_are_integers() {
        let cases: &[(&str, Option<i64>)] = &[
            ("0", Some(0)),
            ("7", Some(7)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("18446744073709551616", None),
            ("99999999999999999999", None),
            ("111111111111111111111", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("00", None),
            ("01", None),
            ("-01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("1a", None),
            ("1\0", None),
        ];
        for &(text, expected) in cases {
            assert_eq!(parse_integer(text.as_bytes()), expected, "{text:?}");
        }
    }
}
