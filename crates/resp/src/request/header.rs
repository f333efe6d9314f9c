//! The header lines `*N\r\n` and `$L\r\n`.
//!
//! Nearly every header of real traffic has one to four digits, so those are read from a fixed
//! window of eight bytes with one comparison per byte and no search. Whatever does not look like
//! that (longer, malformed, cut off) goes to the complete rules, which also decide the error.
//! Finding the line end with a vectorised search was rejected: its set-up costs more than the
//! four to seven bytes it would look at.

use super::ProtocolError;
use super::limits::Limits;
use crate::number::parse_integer;

/// A header of one to four digits at the start of `rest`: the number and the header's length in
/// bytes. `None` means "look closer", not "malformed".
#[inline(always)]
pub(super) fn short_header<const MARK: u8>(rest: &[u8]) -> Option<(u64, usize)> {
    let window = rest.first_chunk::<8>()?;
    if window[0] != MARK {
        return None;
    }
    let digit = |index: usize| window[index].wrapping_sub(b'0');
    let ends = |index: usize| window[index] == b'\r' && window[index + 1] == b'\n';
    let mut value = u64::from(digit(1));
    if value > 9 {
        return None;
    }
    if ends(2) {
        return Some((value, 4));
    }
    if value == 0 {
        return None;
    }
    for index in 2..5 {
        let next = u64::from(digit(index));
        if next > 9 {
            return None;
        }
        value = value * 10 + next;
        if ends(index + 1) {
            return Some((value, index + 3));
        }
    }
    None
}

/// A header by the complete rules.
pub(super) enum Header {
    /// The number as the line spells it, and the position after the line.
    Line { value: Option<i64>, next: usize },
    /// The line is not complete; no `\r` before this position.
    Cut { scanned: usize },
}

/// Reads the `*` line that starts at `pos`; no `\r` is expected before `scanned`.
#[cold]
pub(super) fn multibulk_header(
    input: &[u8],
    pos: usize,
    scanned: usize,
    limits: &Limits,
) -> Result<Header, ProtocolError> {
    match find_line_end(input, pos, scanned) {
        LineEnd::At(cr) if ends_with_newline(input, cr) => Ok(line(input, pos, cr)),
        LineEnd::At(_) => Err(ProtocolError::InvalidCrlf),
        LineEnd::Missing { seen, .. } if seen > limits.inline_len_max => {
            Err(ProtocolError::MultibulkHeaderTooBig)
        }
        LineEnd::Missing { scanned, .. } | LineEnd::Half { scanned } => Ok(Header::Cut { scanned }),
    }
}

/// Reads the `$` line that starts at `pos`. The marker is judged only once the line end is there,
/// and before it is known whether a `\n` follows, as peers do.
#[cold]
pub(super) fn bulk_header(
    input: &[u8],
    pos: usize,
    scanned: usize,
    limits: &Limits,
) -> Result<Header, ProtocolError> {
    match find_line_end(input, pos, scanned) {
        LineEnd::At(cr) => match input.get(pos) {
            Some(&mark) if mark != b'$' => Err(ProtocolError::ExpectedDollar(mark)),
            _ if !ends_with_newline(input, cr) => Err(ProtocolError::InvalidCrlf),
            _ => Ok(line(input, pos, cr)),
        },
        LineEnd::Missing { seen, .. } if seen > limits.inline_len_max => Err(ProtocolError::BulkHeaderTooBig),
        LineEnd::Missing { scanned, .. } | LineEnd::Half { scanned } => Ok(Header::Cut { scanned }),
    }
}

enum LineEnd {
    /// Position of the `\r`; one more byte follows it.
    At(usize),
    /// The `\r` is the last byte.
    Half { scanned: usize },
    /// No `\r` in the `seen` bytes from the start of the line.
    Missing { seen: usize, scanned: usize },
}

fn find_line_end(input: &[u8], pos: usize, scanned: usize) -> LineEnd {
    let from = pos.max(scanned).min(input.len());
    match input[from..].iter().position(|&byte| byte == b'\r') {
        Some(offset) if from + offset + 1 < input.len() => LineEnd::At(from + offset),
        Some(offset) => LineEnd::Half { scanned: from + offset },
        None => LineEnd::Missing { seen: input.len().saturating_sub(pos), scanned: input.len() },
    }
}

fn ends_with_newline(input: &[u8], cr: usize) -> bool {
    input.get(cr + 1) == Some(&b'\n')
}

fn line(input: &[u8], pos: usize, cr: usize) -> Header {
    Header::Line { value: input.get(pos + 1..cr).and_then(parse_integer), next: cr + 2 }
}
