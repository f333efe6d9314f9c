//! An element as it is stored: a text that is the canonical form of an `i64` is kept as the integer.

use crate::parse_i64;

/// An element, borrowed from where it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item<'a> {
    /// A text that was stored as the integer it spells.
    Int(i64),
    /// Any other text.
    Bytes(&'a [u8]),
}

impl Item<'_> {
    /// Whether the element, as text, is `value`.
    #[inline]
    pub fn eq_bytes(&self, value: &[u8]) -> bool {
        match self {
            Item::Int(int) => parse_i64(value) == Some(*int),
            Item::Bytes(bytes) => *bytes == value,
        }
    }

    /// Appends the element's text to `out`.
    #[inline]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Item::Int(int) => out.extend_from_slice(itoa::Buffer::new().format(*int).as_bytes()),
            Item::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// The element's text, in memory of its own.
    pub fn to_vec(&self) -> Vec<u8> {
        match self {
            Item::Int(int) => itoa::Buffer::new().format(*int).as_bytes().to_vec(),
            Item::Bytes(bytes) => bytes.to_vec(),
        }
    }

    /// Calls `take` with the element's text, without an allocation.
    #[inline]
    pub fn with_bytes<R>(&self, take: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Item::Int(int) => take(itoa::Buffer::new().format(*int).as_bytes()),
            Item::Bytes(bytes) => take(bytes),
        }
    }

    /// The integer that the element spells in canonical form, if it does.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Item::Int(int) => Some(*int),
            Item::Bytes(_) => None,
        }
    }

    /// Bytes of the element's text.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Item::Int(int) => decimal_len(*int),
            Item::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether the text is the empty one.
    pub fn is_empty(&self) -> bool {
        matches!(self, Item::Bytes([]))
    }
}

fn decimal_len(int: i64) -> usize {
    let digits = int.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1;
    digits + usize::from(int < 0)
}
