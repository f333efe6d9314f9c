//! The pieces of a reply: a line, a string, or the header of an aggregate.
//!
//! Both the value parser and the skipping of replies are loops over tokens, so neither recurses
//! while it reads and both accept exactly the same bytes. Streamed strings and aggregates of
//! RESP3 (`$?`, `*?`) are refused: no server sends them.

use ochre_types::parse_i64;

use super::DecodeError;

/// Kind of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Simple,
    Error,
    Integer,
    Bulk,
    NullBulk,
    NullArray,
    Null,
    Double,
    Boolean,
    BigNumber,
    BlobError,
    Verbatim,
}

/// Kind of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Array,
    Map,
    Set,
    Push,
    Attribute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// A scalar with its text (its bytes, for a string).
    Scalar(Scalar, &'a [u8]),
    /// An aggregate of `len` elements, or pairs.
    Open(Aggregate, u64),
}

/// One piece and its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) body: Body<'a>,
    pub(super) len: usize,
}

/// Result of looking for a token: it, or how far the search for its line end got.
pub(super) enum Found<'a> {
    Token(Token<'a>),
    Cut {
        /// Bytes without a line end, to be skipped by the next search for the same token.
        scanned: usize,
        /// Length of the string that did not arrive completely, 0 if not known.
        bulk_len: u64,
    },
}

/// The token at the start of `input`; no `\r` is expected in the first `scanned` bytes.
#[inline]
pub(super) fn read_token(input: &[u8], scanned: usize) -> Result<Found<'_>, DecodeError> {
    let Some((&mark, text)) = input.split_first() else {
        return Ok(Found::Cut { scanned: 0, bulk_len: 0 });
    };
    if !b"+-:$*_,#(!=%~>|".contains(&mark) {
        return Err(DecodeError::UnknownType(mark));
    }
    let from = scanned.clamp(1, input.len());
    let Some(offset) = input.get(from..).unwrap_or_default().iter().position(|&byte| byte == b'\r') else {
        return Ok(Found::Cut { scanned: input.len(), bulk_len: 0 });
    };
    let cr = from + offset;
    match input.get(cr + 1) {
        None => return Ok(Found::Cut { scanned: cr, bulk_len: 0 }),
        Some(b'\n') => {}
        Some(_) => return Err(DecodeError::InvalidCrlf),
    }
    let line = text.get(..cr - 1).unwrap_or_default();
    match mark {
        b'$' | b'!' | b'=' => read_string(input, mark, line, cr + 2),
        _ => Ok(Found::Token(Token { body: line_body(mark, line)?, len: cr + 2 })),
    }
}

fn line_body(mark: u8, line: &[u8]) -> Result<Body<'_>, DecodeError> {
    let kind = match mark {
        b'*' => return open(Aggregate::Array, line),
        b'%' => return open(Aggregate::Map, line),
        b'~' => return open(Aggregate::Set, line),
        b'>' => return open(Aggregate::Push, line),
        b'|' => return open(Aggregate::Attribute, line),
        b'+' => Scalar::Simple,
        b'-' => Scalar::Error,
        b':' => Scalar::Integer,
        b'_' => Scalar::Null,
        b',' => Scalar::Double,
        b'#' => Scalar::Boolean,
        _ => Scalar::BigNumber,
    };
    if is_valid(kind, line) { Ok(Body::Scalar(kind, line)) } else { Err(DecodeError::InvalidLine) }
}

fn is_valid(kind: Scalar, line: &[u8]) -> bool {
    match kind {
        Scalar::Integer => parse_i64(line).is_some(),
        Scalar::Null => line.is_empty(),
        Scalar::Boolean => matches!(line, b"t" | b"f"),
        Scalar::Double => str::from_utf8(line).is_ok_and(|text| text.parse::<f64>().is_ok()),
        Scalar::BigNumber => is_big_number(line),
        _ => true,
    }
}

fn is_big_number(line: &[u8]) -> bool {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn open(kind: Aggregate, line: &[u8]) -> Result<Body<'_>, DecodeError> {
    match parse_i64(line) {
        Some(-1) if kind == Aggregate::Array => Ok(Body::Scalar(Scalar::NullArray, &[])),
        Some(len) => Ok(Body::Open(kind, u64::try_from(len).map_err(|_| DecodeError::InvalidLength)?)),
        None => Err(DecodeError::InvalidLength),
    }
}

/// A string of announced length whose bytes start at `start`.
fn read_string<'a>(input: &'a [u8], mark: u8, line: &[u8], start: usize) -> Result<Found<'a>, DecodeError> {
    let kind = match mark {
        b'$' => Scalar::Bulk,
        b'!' => Scalar::BlobError,
        _ => Scalar::Verbatim,
    };
    let announced = match parse_i64(line) {
        Some(-1) if kind == Scalar::Bulk => {
            let body = Body::Scalar(Scalar::NullBulk, &[]);
            return Ok(Found::Token(Token { body, len: start }));
        }
        Some(len) => u64::try_from(len).map_err(|_| DecodeError::InvalidLength)?,
        None => return Err(DecodeError::InvalidLength),
    };
    let len = usize::try_from(announced).map_err(|_| DecodeError::BulkTooLong)?;
    let rest = input.get(start..).unwrap_or_default();
    match rest.split_at_checked(len) {
        Some((bytes, [b'\r', b'\n', ..])) => {
            if kind == Scalar::Verbatim && bytes.get(3) != Some(&b':') {
                return Err(DecodeError::InvalidLine);
            }
            Ok(Found::Token(Token { body: Body::Scalar(kind, bytes), len: start + len + 2 }))
        }
        Some((_, [_, _, ..])) => Err(DecodeError::InvalidCrlf),
        // The header is short and is read again.
        _ => Ok(Found::Cut { scanned: 0, bulk_len: announced }),
    }
}
