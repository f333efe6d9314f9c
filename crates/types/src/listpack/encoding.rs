//! The bytes of one element, as antirez's specification (listpack.md) has them.
//!
//! ```text
//! 0xxxxxxx                       integer 0..=127
//! 10xxxxxx  text                 text of up to 63 bytes
//! 110xxxxx  xxxxxxxx             13-bit signed integer, upper bits first
//! 1110xxxx  xxxxxxxx  text       text of up to 4095 bytes, upper bits first
//! 11110000  4 bytes   text       text of up to 2^32-1 bytes, little-endian length
//! 11110001 / 0010 / 0011 / 0100  signed integer of 16, 24, 32, 64 bits, little-endian
//! 11111111                       end of the listpack
//! ```
//!
//! In a listpack, but not in the other form of a pack, a *backlen* follows: the bytes of the element so far, in groups of seven bits, the most significant
//! group first, all but that with their top bit set; so that it can be read from its last byte backwards.
//!
//! What is written here is canonical: the smallest form of an integer or length, and every text that spells an
//! integer stored as one. Bytes from outside are made canonical when they are taken in. So two elements are equal
//! exactly when their bytes are, and looking for a text never formats or parses what it passes.

use super::item::Item;
use crate::parse_i64;

/// The byte that ends a listpack.
pub(crate) const END: u8 = 0xff;

const TEXT_6: u8 = 0x80;
const INT_13: u8 = 0xc0;
const TEXT_12: u8 = 0xe0;
const TEXT_32: u8 = 0xf0;
const INT_16: u8 = 0xf1;
const INT_24: u8 = 0xf2;
const INT_32: u8 = 0xf3;
const INT_64: u8 = 0xf4;

/// Bytes of an element without its backlen, by its first byte; 0 where more bytes decide or none is right.
static LENS: [u8; 256] = lens();

const fn lens() -> [u8; 256] {
    let mut lens = [0; 256];
    let mut lead = 0;
    while lead < 256 {
        lens[lead] = match lead as u8 {
            0..TEXT_6 => 1,
            lead @ TEXT_6..INT_13 => 1 + (lead & 0x3f),
            INT_13..TEXT_12 => 2,
            INT_16 => 3,
            INT_24 => 4,
            INT_32 => 5,
            INT_64 => 9,
            _ => 0,
        };
        lead += 1;
    }
    lens
}

/// An element about to be written: what stands before its text, and the text (none for an integer).
pub(crate) struct Encoded<'a> {
    head: [u8; 9],
    head_len: usize,
    body: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The canonical form of a text. Texts are shorter than 4 GiB: whoever stores them bounds them well below.
    #[inline]
    pub(crate) fn of(value: &'a [u8]) -> Encoded<'a> {
        match parse_i64(value) {
            Some(int) => Encoded::int(int),
            None => Encoded::text(value),
        }
    }

    /// The canonical form of an integer.
    pub(crate) fn int(int: i64) -> Encoded<'a> {
        let (lead, len) = match int {
            0..=127 => (int as u8, 0),
            -4096..=4095 => return Encoded::int_13(int),
            -32_768..=32_767 => (INT_16, 2),
            -8_388_608..=8_388_607 => (INT_24, 3),
            -2_147_483_648..=2_147_483_647 => (INT_32, 4),
            _ => (INT_64, 8),
        };
        let mut head = [0; 9];
        head[0] = lead;
        head[1..].copy_from_slice(&int.to_le_bytes());
        Encoded { head, head_len: 1 + len, body: &[] }
    }

    fn int_13(int: i64) -> Encoded<'a> {
        let bits = int as u16 & 0x1fff;
        let mut head = [0; 9];
        head[..2].copy_from_slice(&(bits | u16::from(INT_13) << 8).to_be_bytes());
        Encoded { head, head_len: 2, body: &[] }
    }

    #[inline]
    fn text(body: &'a [u8]) -> Encoded<'a> {
        let mut head = [0; 9];
        let head_len = match body.len() {
            len @ 0..64 => {
                head[0] = TEXT_6 | len as u8;
                1
            }
            len @ 64..4096 => {
                head[..2].copy_from_slice(&(len as u16 | u16::from(TEXT_12) << 8).to_be_bytes());
                2
            }
            len => {
                head[0] = TEXT_32;
                head[1..5].copy_from_slice(&(len as u32).to_le_bytes());
                5
            }
        };
        Encoded { head, head_len, body }
    }

    /// Bytes without the backlen.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.head_len + self.body.len()
    }

    /// What stands before the text.
    #[inline]
    pub(crate) fn head(&self) -> &[u8] {
        &self.head[..self.head_len]
    }

    /// The text; none for an integer.
    #[inline]
    pub(crate) fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Whether the element at `at` of `bytes` is this one. The first byte tells kind and length of most, so nearly all
    /// that differ are passed after one comparison. Always inlined, as the loops that look for elements consist of it.
    #[inline(always)]
    pub(crate) fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        bytes.get(at) == Some(&self.head[0]) && self.rest_is_at(&bytes[at..])
    }

    #[inline(always)]
    fn rest_is_at(&self, bytes: &[u8]) -> bool {
        let Some((head, rest)) = bytes.split_at_checked(self.head_len) else { return false };
        if self.head_len > 1 && head[1..] != self.head[1..self.head_len] {
            return false;
        }
        rest.get(..self.body.len()).is_some_and(|body| same(body, self.body))
    }
}

/// Whether two texts of the same length are equal. Fields of a hash and members of a set often have one length and
/// differ at the end only, so that is what is looked at first, and without a call for short ones.
#[inline]
fn same(one: &[u8], other: &[u8]) -> bool {
    match (one.last_chunk::<8>(), other.last_chunk::<8>()) {
        (Some(one_end), Some(other_end)) => {
            u64::from_le_bytes(*one_end) == u64::from_le_bytes(*other_end)
                && (one.len() == 8 || same_start(one, other))
        }
        _ => same_short(one, other),
    }
}

/// Whether texts of more than 8 bytes, equal in their last 8, are equal.
#[inline]
fn same_start(one: &[u8], other: &[u8]) -> bool {
    match (one.first_chunk::<8>(), other.first_chunk::<8>()) {
        (Some(one_start), Some(other_start)) if one.len() <= 16 => {
            u64::from_le_bytes(*one_start) == u64::from_le_bytes(*other_start)
        }
        _ => one == other,
    }
}

/// Whether texts of fewer than 8 bytes are equal.
#[inline]
fn same_short(one: &[u8], other: &[u8]) -> bool {
    match (one.last_chunk::<4>(), other.last_chunk::<4>(), one.first_chunk::<4>(), other.first_chunk::<4>()) {
        (Some(a), Some(b), Some(c), Some(d)) => a == b && c == d,
        _ => one.iter().eq(other),
    }
}

/// Bytes of the backlen of an element of `len` bytes.
#[inline]
pub(crate) fn backlen_len(len: usize) -> usize {
    match len {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        0x20_0000..0x1000_0000 => 4,
        _ => 5,
    }
}

/// Writes the backlen of an element of `len` bytes over `out`, which has exactly that many bytes.
#[inline]
pub(crate) fn write_backlen(out: &mut [u8], len: usize) {
    if let [only] = out {
        *only = len as u8;
        return;
    }
    let mut rest = len;
    for byte in out.iter_mut().rev() {
        *byte = (rest & 0x7f) as u8 | 0x80;
        rest >>= 7;
    }
    out[0] &= 0x7f;
}

/// Reads the backlen that ends just before `end`. 0 if there is none.
#[inline]
pub(crate) fn read_backlen(bytes: &[u8], end: usize) -> usize {
    let mut value = 0;
    let read = bytes.get(..end).unwrap_or_default();
    for (index, byte) in read.iter().rev().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return value;
        }
    }
    0
}

/// Bytes of the element at `pos` without its backlen; 0 at the end of the listpack and where no element can begin.
///
/// A short text, which most elements are, is told by a branch: the processor foresees it and goes on to the next element,
/// where a look at the table would have to be waited for (a fifth of the time to find a field among twenty). So are the
/// smallest integers, which scores often are.
#[inline]
pub(crate) fn encoded_len(bytes: &[u8], pos: usize) -> usize {
    let Some(lead) = bytes.get(pos) else { return 0 };
    if let TEXT_6..INT_13 = lead {
        return usize::from(lead & 0x3f) + 1;
    }
    match lead {
        0..TEXT_6 => return 1,
        INT_13..TEXT_12 => return 2,
        _ => {}
    }
    match LENS[usize::from(*lead)] {
        0 => long_len(bytes, pos),
        len => usize::from(len),
    }
}

/// Bytes of the element at `pos` with its backlen; 0 at the end of the listpack and where no element can begin.
#[inline]
pub(crate) fn entry_len(bytes: &[u8], pos: usize) -> usize {
    let Some(lead) = bytes.get(pos) else { return 0 };
    if let TEXT_6..INT_13 = lead {
        return usize::from(lead & 0x3f) + 2;
    }
    match LENS[usize::from(*lead)] {
        0 => long_entry_len(bytes, pos),
        // All of these are short enough for a backlen of one byte.
        len => usize::from(len) + 1,
    }
}

#[cold]
#[inline(never)]
fn long_entry_len(bytes: &[u8], pos: usize) -> usize {
    match long_len(bytes, pos) {
        0 => 0,
        len => len + backlen_len(len),
    }
}

#[cold]
#[inline(never)]
fn long_len(bytes: &[u8], pos: usize) -> usize {
    match bytes[pos..] {
        [lead @ TEXT_12..TEXT_32, low, ..] => 2 + usize::from(u16::from_be_bytes([lead & 0x0f, low])),
        [TEXT_32, a, b, c, d, ..] => 5 + u32::from_le_bytes([a, b, c, d]) as usize,
        _ => 0,
    }
}

/// The element at `pos` and its bytes without the backlen; `None` at the end and where no element can begin.
#[inline]
pub(crate) fn decode(bytes: &[u8], pos: usize) -> Option<(Item<'_>, usize)> {
    let lead = *bytes.get(pos)?;
    if let TEXT_6..INT_13 = lead {
        let end = pos + 1 + usize::from(lead & 0x3f);
        return Some((Item::Bytes(bytes.get(pos + 1..end)?), end - pos));
    }
    decode_other(bytes, pos)
}

/// The element at `pos` and its bytes with the backlen; `None` at the end and where no element can begin.
#[inline]
pub(super) fn decode_entry(bytes: &[u8], pos: usize) -> Option<(Item<'_>, usize)> {
    let lead = *bytes.get(pos)?;
    if let TEXT_6..INT_13 = lead {
        let end = pos + 1 + usize::from(lead & 0x3f);
        return Some((Item::Bytes(bytes.get(pos + 1..end)?), end + 1 - pos));
    }
    decode_other(bytes, pos).map(|(item, len)| (item, len + backlen_len(len)))
}

/// [`decode`] for what is not a short text.
fn decode_other(bytes: &[u8], pos: usize) -> Option<(Item<'_>, usize)> {
    let len = encoded_len(bytes, pos);
    let item = match *bytes.get(pos..pos + len)? {
        [] => return None,
        [int @ 0..TEXT_6, ..] => Item::Int(i64::from(int)),
        [lead @ INT_13..TEXT_12, low, ..] => {
            let bits = u16::from_be_bytes([lead << 3 | low >> 5, low << 3]);
            Item::Int(i64::from(bits as i16 >> 3))
        }
        [TEXT_12..TEXT_32, _, ref text @ ..] | [TEXT_32, _, _, _, _, ref text @ ..] => Item::Bytes(text),
        [_, ref int @ ..] => Item::Int(little_endian(int)),
    };
    Some((item, len))
}

/// A signed integer of up to 8 bytes.
fn little_endian(bytes: &[u8]) -> i64 {
    let mut wide = [0; 8];
    let len = bytes.len().min(8);
    wide[8 - len..].copy_from_slice(&bytes[..len]);
    i64::from_le_bytes(wide) >> (64 - 8 * len.max(1))
}
