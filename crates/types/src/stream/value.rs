//! How a node stores one name or value, and the variable-length numbers around it.
//!
//! ```text
//!   00..7f                the text of an integer 0 to 127
//!   80..bf bytes          a text of 0 to 63 bytes
//!   c0 len1 / c1 len2 / c2 len4, bytes         longer texts
//!   c3 i8, c4 i16, c5 i24, c6 i32, c7 i48, c8 i64     the text of another integer
//! ```
//!
//! All numbers are little-endian. A text is stored as an integer only if it is exactly what the integer is written
//! as. Compared with an element of a listpack this saves the length that is there for walking backwards (a node is
//! small enough to be walked forwards first) and a byte of every small number. Variable-length numbers are LEB128:
//! seven bits a byte, the lowest first, the top bit set on all but the last.

use crate::listpack::Item;
use crate::parse_i64;

const SHORT_TEXT: u8 = 0x80;
const SHORT_TEXT_LEN_MAX: usize = 63;
const TEXT_LEN1: u8 = 0xc0;
const TEXT_LEN2: u8 = 0xc1;
const TEXT_LEN4: u8 = 0xc2;
const INT_TAG: u8 = 0xc3;
/// Bytes of the integer after each tag from `INT_TAG`.
const INT_WIDTHS: [usize; 6] = [1, 2, 3, 4, 6, 8];
/// An integer's text is at most this long ("-9223372036854775808").
const INT_TEXT_LEN_MAX: usize = 20;

/// The integer whose text this is, for texts worth a closer look.
#[inline]
pub(super) fn as_integer(text: &[u8]) -> Option<i64> {
    match text {
        [b'0'..=b'9' | b'-', ..] if text.len() <= INT_TEXT_LEN_MAX => parse_i64(text),
        _ => None,
    }
}

/// Appends `text`, which is no integer's and at most `u32::MAX` bytes long.
#[inline]
pub(super) fn push_bytes(out: &mut Vec<u8>, text: &[u8]) {
    let len = text.len();
    debug_assert!(u32::try_from(len).is_ok());
    if len <= SHORT_TEXT_LEN_MAX {
        out.push(SHORT_TEXT | len as u8);
    } else if let Ok(len) = u8::try_from(len) {
        out.extend_from_slice(&[TEXT_LEN1, len]);
    } else if let Ok(len) = u16::try_from(len) {
        out.push(TEXT_LEN2);
        out.extend_from_slice(&len.to_le_bytes());
    } else {
        out.push(TEXT_LEN4);
        out.extend_from_slice(&(len as u32).to_le_bytes());
    }
    out.extend_from_slice(text);
}

/// Appends the text of an integer.
pub(super) fn push_int(out: &mut Vec<u8>, int: i64) {
    if (0..=0x7f).contains(&int) {
        out.push(int as u8);
        return;
    }
    let bits = 65 - if int < 0 { int.leading_ones() } else { int.leading_zeros() };
    let kind = INT_WIDTHS.iter().position(|width| *width as u32 * 8 >= bits).unwrap_or(INT_WIDTHS.len() - 1);
    out.push(INT_TAG + kind as u8);
    out.extend_from_slice(&int.to_le_bytes()[..INT_WIDTHS[kind]]);
}

/// Takes a value from the front of `bytes`.
#[inline]
pub(super) fn take_value<'a>(bytes: &mut &'a [u8]) -> Item<'a> {
    let tag = take(bytes, 1)[0];
    match tag {
        0..SHORT_TEXT => Item::Int(i64::from(tag)),
        SHORT_TEXT..TEXT_LEN1 => Item::Bytes(take(bytes, usize::from(tag & 0x3f))),
        TEXT_LEN1 => take_text(bytes, 1),
        TEXT_LEN2 => take_text(bytes, 2),
        TEXT_LEN4 => take_text(bytes, 4),
        _ => Item::Int(take_int(bytes, INT_WIDTHS[usize::from(tag - INT_TAG)])),
    }
}

fn take_text<'a>(bytes: &mut &'a [u8], width: usize) -> Item<'a> {
    let mut len = [0; 4];
    len[..width].copy_from_slice(take(bytes, width));
    Item::Bytes(take(bytes, u32::from_le_bytes(len) as usize))
}

fn take_int(bytes: &mut &[u8], width: usize) -> i64 {
    let stored = take(bytes, width);
    let fill = if stored[width - 1] & 0x80 == 0 { 0 } else { 0xff };
    let mut full = [fill; 8];
    full[..width].copy_from_slice(stored);
    i64::from_le_bytes(full)
}

#[inline]
fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (front, rest) = bytes.split_at(len);
    *bytes = rest;
    front
}

/// Appends a variable-length number.
#[inline]
pub(super) fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a variable-length number from the front of `bytes`.
#[inline]
pub(super) fn take_varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    let mut shift = 0;
    loop {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return number;
        }
        shift += 7;
    }
}

/// Reads a variable-length number at an offset, which moves behind it.
#[inline]
pub(super) fn varint_at(bytes: &[u8], at: &mut usize) -> u64 {
    let byte = bytes[*at];
    if byte < 0x80 {
        *at += 1;
        return u64::from(byte);
    }
    let mut rest = &bytes[*at..];
    let number = take_varint(&mut rest);
    *at = bytes.len() - rest.len();
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &[u8]) -> usize {
        let mut out = Vec::new();
        match as_integer(text) {
            Some(int) => push_int(&mut out, int),
            None => push_bytes(&mut out, text),
        }
        let mut bytes = out.as_slice();
        let item = take_value(&mut bytes);
        assert!(item.eq_bytes(text), "{text:?} {item:?}");
        assert!(bytes.is_empty());
        out.len()
    }

    #[test]
    fn texts_of_all_sizes() {
        for len in [0, 1, 62, 63, 64, 255, 256, 65_535, 65_536, 100_000] {
            round_trip(&vec![b'x'; len]);
        }
        assert_eq!(round_trip(b"abc"), 4);
    }

    #[test]
    fn integers_of_all_widths() {
        for bits in 0..64 {
            for near in [-1i64, 0, 1] {
                let int = (1i64 << bits).wrapping_add(near);
                round_trip(int.to_string().as_bytes());
                round_trip(int.wrapping_neg().to_string().as_bytes());
            }
        }
        assert_eq!(round_trip(b"127"), 1);
        assert_eq!(round_trip(b"-128"), 2);
        assert_eq!(round_trip(b"128"), 3);
        assert_eq!(round_trip(b"1700000000000"), 7);
        round_trip(i64::MIN.to_string().as_bytes());
    }

    #[test]
    fn texts_that_only_look_like_integers() {
        for text in ["00", "-0", "+1", "1 ", "9223372036854775808", "-", "1e3", "123456789012345678901"] {
            round_trip(text.as_bytes());
            assert_eq!(as_integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn variable_length_numbers() {
        for number in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            push_varint(&mut out, number);
            let mut bytes = out.as_slice();
            assert_eq!(take_varint(&mut bytes), number);
            let mut at = 0;
            assert_eq!(varint_at(&out, &mut at), number);
            assert_eq!(at, out.len());
            assert!(bytes.is_empty());
        }
    }
}
