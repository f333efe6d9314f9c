//! Entry IDs: 128 bits, a time in milliseconds and a sequence number within it, ordered as one number.
//!
//! Their text is `ms-seq`. Where a command lets a part be left out, what it stands for depends on the command, so the
//! readers take it as an argument. The numbers are read as leniently as Redis reads them (`007-1` is an ID).

use std::fmt;

use crate::parse_u64_lenient;

/// Longer texts are no IDs, whatever they say.
const TEXT_LEN_MAX: usize = 127;
/// Bytes of the longest text that is written: two numbers of twenty digits and a dash.
const ID_TEXT_LEN_MAX: usize = 41;

/// The position of an entry in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Milliseconds, usually since 1970.
    pub ms: u64,
    /// Which one of that millisecond.
    pub seq: u64,
}

/// The ID that XADD asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdRequest {
    /// `*`: the time it is, or what follows the last ID if that is later.
    Auto,
    /// `ms-*`: the next free one of this millisecond.
    AutoSeq(u64),
    /// Exactly this one.
    Exact(StreamId),
}

/// Why a text is no bound of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundError {
    /// It is no ID at all.
    Invalid,
    /// It excludes the greatest ID as a start, or the smallest as an end: nothing could be in the range.
    Empty,
}

impl StreamId {
    /// The smallest ID, `0-0`. No entry has it.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The greatest ID.
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// The ID `ms-seq`.
    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The ID that follows, unless this is the greatest.
    pub fn next(self) -> Option<StreamId> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The ID before, unless this is the smallest.
    pub fn prev(self) -> Option<StreamId> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { seq, ..self }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Reads `ms-seq`, or `ms` alone, which gets `missing_seq`.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        let (ms, seq) = split(text)?;
        let seq = match seq {
            Some(seq) => parse_u64_lenient(seq)?,
            None => missing_seq,
        };
        Some(StreamId { ms: parse_u64_lenient(ms)?, seq })
    }

    /// Reads an ID that may also be `-` or `+`, the smallest and the greatest.
    pub fn parse_or_extreme(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        match text {
            b"-" => Some(StreamId::MIN),
            b"+" => Some(StreamId::MAX),
            _ => StreamId::parse(text, missing_seq),
        }
    }

    /// Reads the start of a range: an ID, `-`, `+`, or an ID after `(` that is itself excluded. A part left out is 0.
    pub fn parse_start(text: &[u8]) -> Result<StreamId, BoundError> {
        match text {
            [b'(', id @ ..] if !id.is_empty() => {
                StreamId::parse(id, 0).ok_or(BoundError::Invalid)?.next().ok_or(BoundError::Empty)
            }
            _ => StreamId::parse_or_extreme(text, 0).ok_or(BoundError::Invalid),
        }
    }

    /// Reads the end of a range, in which a part left out is the greatest.
    pub fn parse_end(text: &[u8]) -> Result<StreamId, BoundError> {
        match text {
            [b'(', id @ ..] if !id.is_empty() => {
                StreamId::parse(id, u64::MAX).ok_or(BoundError::Invalid)?.prev().ok_or(BoundError::Empty)
            }
            _ => StreamId::parse_or_extreme(text, u64::MAX).ok_or(BoundError::Invalid),
        }
    }

    /// Appends the ID's text to `out`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        self.with_bytes(|text| out.extend_from_slice(text));
    }

    /// Calls `take` with the ID's text, without an allocation.
    #[inline]
    pub fn with_bytes<R>(self, take: impl FnOnce(&[u8]) -> R) -> R {
        let mut text = [0; ID_TEXT_LEN_MAX];
        let (mut ms, mut seq) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (ms, seq) = (ms.format(self.ms).as_bytes(), seq.format(self.seq).as_bytes());
        let (dash, len) = (ms.len(), ms.len() + 1 + seq.len());
        text[..dash].copy_from_slice(ms);
        text[dash] = b'-';
        text[dash + 1..len].copy_from_slice(seq);
        take(&text[..len])
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.ms, self.seq)
    }
}

impl IdRequest {
    /// Reads the ID argument of XADD.
    pub fn parse(text: &[u8]) -> Option<IdRequest> {
        if text == b"*" {
            return Some(IdRequest::Auto);
        }
        match split(text)? {
            (ms, Some(b"*")) => Some(IdRequest::AutoSeq(parse_u64_lenient(ms)?)),
            _ => StreamId::parse(text, 0).map(IdRequest::Exact),
        }
    }
}

/// The two numbers of a text, which a NUL ends as it ends a string of C.
fn split(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if text.len() > TEXT_LEN_MAX {
        return None;
    }
    let text = text.split(|&byte| byte == 0).next()?;
    match text.iter().position(|&byte| byte == b'-') {
        Some(at) => Some((&text[..at], Some(&text[at + 1..]))),
        None => Some((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_at_the_edges() {
        assert_eq!(StreamId::new(1, u64::MAX).next(), Some(StreamId::new(2, 0)));
        assert_eq!(StreamId::new(2, 0).prev(), Some(StreamId::new(1, u64::MAX)));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::MIN.prev(), None);
        assert_eq!(StreamId::new(u64::MAX, 0).next(), Some(StreamId::new(u64::MAX, 1)));
    }

    #[test]
    fn texts_that_are_ids_and_texts_that_are_not() {
        let id = |text: &str| StreamId::parse(text.as_bytes(), 7);
        assert_eq!(id("5"), Some(StreamId::new(5, 7)));
        assert_eq!(id("5-3"), Some(StreamId::new(5, 3)));
        assert_eq!(id("007-1"), Some(StreamId::new(7, 1)));
        assert_eq!(id("18446744073709551615-18446744073709551615"), Some(StreamId::MAX));
        for text in ["", "-", "+", "-1", "5-", "5-x", "5-3-1", "18446744073709551616", "5-*", "a-1"] {
            assert_eq!(id(text), None, "{text}");
        }
        assert_eq!(id(&"0".repeat(128)), None);
        assert_eq!(StreamId::parse_or_extreme(b"-", 0), Some(StreamId::MIN));
        assert_eq!(StreamId::parse_or_extreme(b"+", 0), Some(StreamId::MAX));
    }

    #[test]
    fn bounds_include_and_exclude() {
        assert_eq!(StreamId::parse_start(b"5"), Ok(StreamId::new(5, 0)));
        assert_eq!(StreamId::parse_start(b"(5"), Ok(StreamId::new(5, 1)));
        assert_eq!(StreamId::parse_end(b"5"), Ok(StreamId::new(5, u64::MAX)));
        assert_eq!(StreamId::parse_end(b"(5-0"), Ok(StreamId::new(4, u64::MAX)));
        assert_eq!(StreamId::parse_end(b"(0-0"), Err(BoundError::Empty));
        assert_eq!(
            StreamId::parse_start(b"(18446744073709551615-18446744073709551615"),
            Err(BoundError::Empty)
        );
        assert_eq!(StreamId::parse_start(b"("), Err(BoundError::Invalid));
        assert_eq!(StreamId::parse_start(b"(-"), Err(BoundError::Invalid));
    }

    #[test]
    fn what_xadd_accepts() {
        assert_eq!(IdRequest::parse(b"*"), Some(IdRequest::Auto));
        assert_eq!(IdRequest::parse(b"9-*"), Some(IdRequest::AutoSeq(9)));
        assert_eq!(IdRequest::parse(b"9"), Some(IdRequest::Exact(StreamId::new(9, 0))));
        assert_eq!(IdRequest::parse(b"*-9"), None);
        assert_eq!(IdRequest::parse(b"9-**"), None);
    }

    #[test]
    fn texts_written() {
        let mut out = Vec::new();
        StreamId::new(12, u64::MAX).write_to(&mut out);
        assert_eq!(out, b"12-18446744073709551615");
        assert_eq!(StreamId::MAX.with_bytes(<[u8]>::len), ID_TEXT_LEN_MAX);
        assert_eq!(StreamId::new(1, 2).to_string(), "1-2");
    }
}
