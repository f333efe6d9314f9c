//! A text as files have it: bytes, an integer, or compressed bytes.

use std::borrow::Cow;

/// A text that was read, borrowed where it lies in the file as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// As it is.
    Bytes(&'a [u8]),
    /// The text of an integer.
    Int(i64),
    /// Decompressed, or put together from parts.
    Owned(Vec<u8>),
}

impl<'a> Text<'a> {
    /// Calls `take` with the bytes, without an allocation.
    #[inline]
    pub fn with_bytes<R>(&self, take: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Text::Bytes(bytes) => take(bytes),
            Text::Int(int) => take(itoa::Buffer::new().format(*int).as_bytes()),
            Text::Owned(bytes) => take(bytes),
        }
    }

    /// The bytes.
    pub fn into_bytes(self) -> Cow<'a, [u8]> {
        match self {
            Text::Bytes(bytes) => Cow::Borrowed(bytes),
            Text::Int(int) => Cow::Owned(itoa::Buffer::new().format(int).as_bytes().to_vec()),
            Text::Owned(bytes) => Cow::Owned(bytes),
        }
    }

    /// The bytes, in memory of their own.
    pub fn into_vec(self) -> Vec<u8> {
        self.into_bytes().into_owned()
    }

    /// The same text, which does not borrow anything.
    pub fn into_owned(self) -> Text<'static> {
        match self {
            Text::Bytes(bytes) => Text::Owned(bytes.to_vec()),
            Text::Int(int) => Text::Int(int),
            Text::Owned(bytes) => Text::Owned(bytes),
        }
    }
}
