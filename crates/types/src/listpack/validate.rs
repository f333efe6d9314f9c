//! Bytes from outside: a listpack is taken only when all of it is well-formed.
//!
//! What is checked is what Redis checks with `sanitize-dump-payload yes`: the length, the end marker, that every
//! element and its backlen lie within and agree, and the count. What is well-formed but not canonical (a text that
//! should have been an integer, a length or an integer in a longer form than it needs, a backlen with a bit too many) is written anew, because
//! finding elements compares their bytes.

use super::encoding::{Encoded, backlen_len, decode, read_backlen, write_backlen};
use super::form::{Bidirectional, Form};
use super::item::Item;
use super::pack::Listpack;

const HEADER_LEN: usize = Bidirectional::HEADER_LEN;

/// Bytes that are no listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl std::fmt::Display for Corrupt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("corrupt listpack")
    }
}

impl std::error::Error for Corrupt {}

impl Listpack {
    /// Takes a copy of a listpack from outside. O(n).
    ///
    /// # Errors
    /// When anything about it is not well-formed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Listpack, Corrupt> {
        if check(bytes)? {
            return Ok(Listpack::copy_of(bytes));
        }
        let mut canonical = Listpack::with_capacity(bytes.len());
        let (mut at, mut left) = (HEADER_LEN, bytes.len() - 1 - HEADER_LEN);
        while left > 0 {
            let (item, len) = entry(bytes, at)?;
            canonical.push_back_item(item);
            at += len;
            left -= len;
        }
        Ok(canonical)
    }
}

/// Whether a well-formed listpack is canonical as well.
fn check(bytes: &[u8]) -> Result<bool, Corrupt> {
    let [a, b, c, d, low, high, .., 0xff] = *bytes else { return Err(Corrupt) };
    if u32::from_le_bytes([a, b, c, d]) as usize != bytes.len() || bytes.len() > Listpack::BYTES_MAX {
        return Err(Corrupt);
    }
    let (mut at, mut count, mut canonical) = (HEADER_LEN, 0usize, true);
    while at < bytes.len() - 1 {
        let (item, len) = entry(bytes, at)?;
        canonical = canonical && is_canonical(item, &bytes[at..at + len]);
        at += len;
        count += 1;
    }
    let header = usize::from(u16::from_le_bytes([low, high]));
    if header != count && header != usize::from(u16::MAX) {
        return Err(Corrupt);
    }
    Ok(canonical && header == count.min(usize::from(u16::MAX)))
}

/// The element at `at` and its bytes with the backlen, which end before the end marker.
fn entry(bytes: &[u8], at: usize) -> Result<(Item<'_>, usize), Corrupt> {
    let (item, len) = decode(bytes, at).ok_or(Corrupt)?;
    let end = at + len + backlen_len(len);
    if end > bytes.len() - 1 || read_backlen(bytes, end) != len {
        return Err(Corrupt);
    }
    Ok((item, len + backlen_len(len)))
}

/// Whether we would have written an element like this: its backlen can have a bit set that reading does not mind.
fn is_canonical(item: Item<'_>, entry: &[u8]) -> bool {
    let encoded = match item {
        Item::Int(int) => Encoded::int(int),
        Item::Bytes(text) => Encoded::of(text),
    };
    let mut backlen = [0; 5];
    let backlen = &mut backlen[..backlen_len(encoded.len())];
    write_backlen(backlen, encoded.len());
    encoded.len() + backlen.len() == entry.len() && entry.ends_with(backlen)
}
