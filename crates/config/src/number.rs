//! Numbers as the configuration writes them.
//!
//! Three readers, because the peers have three: strict decimal (plain directives), the lenient reading of the C library
//! (lists of numbers, permissions), and amounts of memory with a unit.

use crate::record::{Integer, Unit};
use std::borrow::Cow;

/// Why a text is not a value: a fixed text, or one with a range in it.
pub(crate) type Refusal = Cow<'static, str>;

/// Reads a number in its notation and checks its range.
pub(crate) fn parse(integer: &Integer, text: &[u8]) -> Result<i128, Refusal> {
    let value = read(integer.unit, text)?;
    check_range(integer, value)?;
    Ok(match integer.clamp {
        Some((min, max)) => value.clamp(min, max),
        None => value,
    })
}

fn read(unit: Unit, text: &[u8]) -> Result<i128, Refusal> {
    let (value, refusal) = match unit {
        Unit::Plain => (strict(text), "argument couldn't be parsed into an integer"),
        Unit::Octal => (lenient(text, 8), "argument couldn't be parsed as an octal number"),
        Unit::Bytes => (memory(text), "argument must be a memory value"),
        Unit::SignedBytes => (memory(text).or_else(|| strict(text)), "argument must be a memory value"),
        Unit::BytesOrPercent => {
            (memory(text).or_else(|| percent(text)), "argument must be a memory or percent value")
        }
    };
    value.ok_or(Cow::Borrowed(refusal))
}

fn check_range(integer: &Integer, value: i128) -> Result<(), Refusal> {
    let Integer { min, max, unit, .. } = *integer;
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Cow::Owned(match unit {
        Unit::BytesOrPercent if value < min => {
            format!("percentage argument must be less or equal to {}", -min)
        }
        Unit::Octal => format!("argument must be between {min:o} and {max:o} inclusive"),
        _ => format!("argument must be between {min} and {max} inclusive"),
    }))
}

/// The text CONFIG GET shows.
pub(crate) fn print(unit: Unit, value: i128) -> String {
    match unit {
        Unit::Octal => format!("{value:o}"),
        Unit::BytesOrPercent if value < 0 => format!("{}%", -value),
        _ => value.to_string(),
    }
}

/// The text CONFIG REWRITE writes: memory in the largest unit that divides it.
pub(crate) fn print_for_file(unit: Unit, value: i128) -> String {
    match unit {
        Unit::Bytes | Unit::SignedBytes | Unit::BytesOrPercent if value > 0 => print_memory(value),
        _ => print(unit, value),
    }
}

/// An amount of memory in the largest unit that divides it.
pub(crate) fn print_memory(bytes: i128) -> String {
    let units: [(i128, &str); 3] = [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    match units.iter().find(|(size, _)| bytes != 0 && bytes % size == 0) {
        Some((size, unit)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

/// Decimal digits of a 64-bit number in their only spelling: no blanks, no '+', no leading zeros.
fn strict(text: &[u8]) -> Option<i128> {
    ochre_types::parse_i64(text).map(i128::from)
}

/// A number as C's strtoll reads a whole string: blanks and a sign before it, 0 for the empty string, and the nearest
/// 64-bit number for one that is too large.
pub(crate) fn lenient(text: &[u8], radix: u32) -> Option<i128> {
    if text.is_empty() {
        return Some(0);
    }
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let text = &text[text.iter().take_while(is_blank).count()..];
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    for byte in digits {
        let digit = char::from(*byte).to_digit(radix)?;
        value = value.saturating_mul(i128::from(radix)).saturating_add(i128::from(digit)).min(1 << 64);
    }
    let value = if negative { -value } else { value };
    Some(value.clamp(i64::MIN.into(), i64::MAX.into()))
}

fn memory(text: &[u8]) -> Option<i128> {
    parse_memory(text).map(i128::from)
}

/// An amount of memory has at most so many digits, zeros in front of it included, as with the peers.
const MEMORY_DIGITS_MAX: usize = 127;

/// The bytes that an amount of memory is: digits and a unit. No digits at all are 0, as with the peers. An amount beyond 64 bits is refused; the peers take
/// some such amounts modulo 2^64, which can only be an accident.
pub fn parse_memory(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > MEMORY_DIGITS_MAX {
        return None;
    }
    let (digits, unit) = text.split_at(digits);
    let unit: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let add = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    let count = digits.iter().try_fold(0u64, add)?;
    count.checked_mul(unit)
}

/// `N%`, stored as -N.
fn percent(text: &[u8]) -> Option<i128> {
    let number = strict(text.strip_suffix(b"%")?)?;
    (number >= 0).then_some(-number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory_have_so_many_digits() {
        assert_eq!(parse_memory("0".repeat(MEMORY_DIGITS_MAX).as_bytes()), Some(0));
        assert_eq!(parse_memory("0".repeat(MEMORY_DIGITS_MAX + 1).as_bytes()), None);
    }

    #[test]
    fn strict_numbers_have_one_spelling() {
        let cases: &[(&str, Option<i128>)] = &[
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX.into())),
            ("-9223372036854775808", Some(i64::MIN.into())),
            ("9223372036854775808", None),
            ("-0", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("1.0", None),
            ("", None),
            ("-", None),
        ];
        for (text, expected) in cases {
            assert_eq!(strict(text.as_bytes()), *expected, "{text:?}");
        }
    }

    #[test]
    fn lenient_numbers_are_those_of_the_c_library() {
        let cases: &[(&str, u32, Option<i128>)] = &[
            ("", 10, Some(0)),
            (" \t+12", 10, Some(12)),
            ("-3", 10, Some(-3)),
            ("99999999999999999999999999999999999999999999", 10, Some(i64::MAX.into())),
            ("-99999999999999999999", 10, Some(i64::MIN.into())),
            ("1 ", 10, None),
            (" ", 10, None),
            ("-", 10, None),
            ("0x1", 10, None),
            ("0770", 8, Some(0o770)),
            ("8", 8, None),
        ];
        for (text, radix, expected) in cases {
            assert_eq!(lenient(text.as_bytes(), *radix), *expected, "{text:?}");
        }
    }

    #[test]
    fn memory_has_units_and_no_overflow() {
        let cases: &[(&str, Option<i128>)] = &[
            ("", Some(0)),
            ("b", Some(0)),
            ("1B", Some(1)),
            ("1k", Some(1000)),
            ("1Kb", Some(1024)),
            ("3m", Some(3_000_000)),
            ("3mb", Some(3 << 20)),
            ("2g", Some(2_000_000_000)),
            ("2GB", Some(2 << 30)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("18446744073709551616", None),
            ("99999999999gb", None),
            ("-1", None),
            ("+1", None),
            ("1 kb", None),
            ("1kbb", None),
        ];
        for (text, expected) in cases {
            assert_eq!(memory(text.as_bytes()), *expected, "{text:?}");
        }
    }

    #[test]
    fn files_get_the_largest_unit() {
        let cases = [(0, "0"), (1, "1"), (1024, "1kb"), (1536, "1536"), (1 << 20, "1mb"), (3 << 30, "3gb")];
        for (bytes, expected) in cases {
            assert_eq!(print_for_file(Unit::Bytes, bytes), expected);
        }
        assert_eq!(print_for_file(Unit::BytesOrPercent, -5), "5%");
        assert_eq!(print_for_file(Unit::SignedBytes, -1), "-1");
        assert_eq!(print_for_file(Unit::Plain, 1024), "1024");
    }
}
