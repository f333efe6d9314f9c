//! The header lines `*N\r\n` and `$L\r\n`.
//!
//! Nearly every header of real traffic has one to four digits, so those are read from a fixed
//! window of eight bytes with one comparison per byte and no search. Whatever does not look like
//! that (longer, malformed, cut off) goes to the complete rules, which also decide the error.
//! Finding the line end with a vectorised search was rejected: its set-up costs more than the
//! four to seven bytes it would look at.

use ochre_types::parse_i64;

use super::ProtocolError;
use super::limits::Limits;

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
    /// The number of the line (not negative, for an argument), and the length of the line.
    Line { value: i64, next: usize },
    /// The line is not complete; no `\r` before this position.
    Cut { scanned: usize },
}

/// Reads the `*` line at the start of `rest`; no `\r` is expected before `scanned`.
#[cold]
pub(super) fn multibulk_header(
    rest: &[u8],
    scanned: usize,
    limits: &Limits,
) -> Result<Header, ProtocolError> {
    let Some(end) = find_line_end(rest, scanned) else {
        return cut(rest, limits, ProtocolError::MultibulkHeaderTooBig);
    };
    match rest.get(end + 1) {
        None => Ok(Header::Cut { scanned: end }),
        Some(b'\n') => number(rest, end).ok_or(ProtocolError::InvalidMultibulkLength),
        Some(_) => Err(ProtocolError::InvalidCrlf),
    }
}

/// Reads the `$` line at the start of `rest`; no `\r` is expected before `scanned`. The marker is
/// judged only when the line has ended, and before what follows its `\r`, as peers do.
#[cold]
pub(super) fn bulk_header(rest: &[u8], scanned: usize, limits: &Limits) -> Result<Header, ProtocolError> {
    let Some(end) = find_line_end(rest, scanned) else {
        return cut(rest, limits, ProtocolError::BulkHeaderTooBig);
    };
    match (rest.first(), rest.get(end + 1)) {
        (_, None) => Ok(Header::Cut { scanned: end }),
        (Some(&mark), _) if mark != b'$' => Err(ProtocolError::ExpectedDollar(mark)),
        (_, Some(b'\n')) => match number(rest, end) {
            Some(header @ Header::Line { value: 0.., .. }) => Ok(header),
            _ => Err(ProtocolError::InvalidBulkLength),
        },
        (_, Some(_)) => Err(ProtocolError::InvalidCrlf),
    }
}

/// Position of the first `\r`.
fn find_line_end(rest: &[u8], scanned: usize) -> Option<usize> {
    let from = scanned.min(rest.len());
    rest[from..].iter().position(|&byte| byte == b'\r').map(|offset| from + offset)
}

/// A line without its end: too long, or to be continued.
fn cut(rest: &[u8], limits: &Limits, too_big: ProtocolError) -> Result<Header, ProtocolError> {
    if rest.len() > limits.inline_len_max { Err(too_big) } else { Ok(Header::Cut { scanned: rest.len() }) }
}

/// The number between the marker and the line end at `end`.
fn number(rest: &[u8], end: usize) -> Option<Header> {
    let value = rest.get(1..end).and_then(parse_i64)?;
    Some(Header::Line { value, next: end + 2 })
}
