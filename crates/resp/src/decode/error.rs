//! Bytes that are not a reply, or too much of one.

use std::fmt;

/// Why bytes of a server are not a reply that this client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// No reply starts with this byte.
    UnknownType(u8),
    /// The number, boolean or null of a line is malformed.
    InvalidLine,
    /// A length is not a canonical integer, or negative where no null is allowed.
    InvalidLength,
    /// A string is not followed by `\r\n`, or a `\r` of a line not by `\n`.
    InvalidCrlf,
    /// More nested aggregates than [`ReplyLimits::depth_max`](super::ReplyLimits).
    TooDeep,
    /// A longer string than [`ReplyLimits::bulk_len_max`](super::ReplyLimits).
    BulkTooLong,
    /// A longer reply than [`ReplyLimits::reply_len_max`](super::ReplyLimits).
    ReplyTooLong,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(byte) => write!(f, "unknown reply type '{}'", byte.escape_ascii()),
            Self::InvalidLine => f.write_str("malformed line in reply"),
            Self::InvalidLength => f.write_str("invalid length in reply"),
            Self::InvalidCrlf => f.write_str("missing line end in reply"),
            Self::TooDeep => f.write_str("reply is nested too deeply"),
            Self::BulkTooLong => f.write_str("string in reply is too long"),
            Self::ReplyTooLong => f.write_str("reply is too long"),
        }
    }
}

impl std::error::Error for DecodeError {}
