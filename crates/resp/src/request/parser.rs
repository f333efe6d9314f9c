//! The resumable request parser, the first thing every received byte meets.
//!
//! A request is parsed in place: the result is a list of [`Span`]s into the caller's buffer, in an
//! arena that the caller owns and reuses. A request that is complete in the buffer, which is nearly
//! every one, is read in one pass without touching the parser's own state and without allocating.
//!
//! When the buffer ends too early, the parser keeps the spans found so far and the position of the
//! first argument that is not complete. The next call starts there, so a request that arrives in
//! many pieces costs time linear in its length; only a header of at most 24 bytes is read again.
//!
//! Invariants: positions count from the first byte of the request, which stays the first byte of
//! `input` until the request is complete. The parser is idle exactly when it has not seen a byte of
//! the current request. What it keeps is bounded by the bytes received (8 bytes for at least 6),
//! never by a number that a client announced.
//!
//! Rejected: an iterator over arguments (each command looks at its arguments in its own order, and
//! all of them are needed before the command can run), and copying arguments out (a pass over the
//! data that nothing needs).

use super::header::{Header, bulk_header, multibulk_header, short_header};
use super::span::{PART_BYTES_MIN, PARTS_MAX, Span};
use super::{Limits, ProtocolError, split_args};

/// Kept spans beyond this are freed with the request that needed them.
const SPANS_KEPT_MAX: usize = 64;
/// No header of an argument is longer than this.
const HEADER_LEN_MAX: usize = 24;
/// Positions are kept in 32 bits, so no request may be longer.
const REQUEST_LEN_MAX: usize = u32::MAX as usize;

/// What a call of [`RequestParser::parse`] found at the start of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A request; its arguments (at least one) were appended to `spans`.
    Complete {
        /// Length of the request: the next one starts here.
        consumed: usize,
    },
    /// A request in the inline form, a line.
    Inline {
        /// Length of the line with its end.
        consumed: usize,
        /// The arguments, unquoted; none for a blank line, which is to be skipped.
        args: Vec<Vec<u8>>,
    },
    /// A request without arguments (`*0` or negative): nothing to execute.
    Empty {
        /// Length of the request.
        consumed: usize,
    },
    /// The request is not complete: call again with the same bytes and more.
    Incomplete {
        /// Bytes that are missing at least, for the argument at hand. A hint for sizing a buffer,
        /// bounded by `Limits::bulk_len_max`; the client has not sent them yet, so it is not to be
        /// trusted with an allocation of that size.
        missing: usize,
    },
}

/// How far a multibulk request was read.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// Start of the next header.
    pos: usize,
    /// Arguments still to come; 0 while the `*` header has not been read.
    remaining: u32,
    /// No line end before this position.
    scanned: usize,
}

/// What a multibulk request came to; small, so that it stays in registers where [`Progress`], which
/// has room for a list of arguments, would be built in memory and copied.
#[derive(Clone, Copy)]
enum Step {
    /// All arguments up to the cursor.
    Complete,
    /// Nothing up to the cursor.
    Empty,
    /// This many bytes are missing at least.
    Incomplete(usize),
}

/// The state of a half-received request of one connection.
#[derive(Debug, Default)]
pub struct RequestParser {
    cursor: Cursor,
    /// Arguments of the half-received request that are complete.
    spans: Vec<Span>,
    /// How many of them the caller has elsewhere.
    parts: usize,
    /// Length of the argument at hand if the caller has its bytes elsewhere.
    supplied: Option<u32>,
}

impl RequestParser {
    /// Parses the request at the start of `input`.
    ///
    /// On [`Progress::Complete`] exactly the request's spans were appended to `spans`; otherwise
    /// `spans` is as it was. After an error the parser is idle again, but where the next request
    /// starts is unknown: the connection has to be closed.
    ///
    /// # Errors
    /// [`ProtocolError`] when the bytes cannot become a request within `limits`.
    #[inline]
    pub fn parse(
        &mut self,
        input: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Progress, ProtocolError> {
        match input.first() {
            Some(b'*') if self.is_idle() => self.start(input, limits, spans),
            _ => self.resume(input, limits, spans),
        }
    }

    /// The quick way for what nearly every request is: whole, in the multibulk form, its headers of up to four digits. Its
    /// length, if it is that and the parser is idle; then its spans were appended to `spans`. `head` is that of any request
    /// before; where this one has the same, there is less to read. `None` says nothing but that
    /// [`RequestParser::parse`] has to look closer; nothing was changed then.
    #[inline]
    pub fn parse_whole(
        &self,
        input: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
        head: &mut Head,
    ) -> Option<usize> {
        let base = spans.len();
        let whole = if self.is_idle() { read_whole(input, limits, spans, head) } else { None };
        if whole.is_none() {
            spans.truncate(base);
        }
        whole
    }

    /// Forgets the half-received request.
    pub fn reset(&mut self) {
        self.cursor = Cursor::default();
        (self.parts, self.supplied) = (0, None);
        if self.spans.capacity() > SPANS_KEPT_MAX {
            self.spans = Vec::new();
        } else {
            self.spans.clear();
        }
    }

    /// True when no byte of a request has been seen that is not part of a complete one.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.cursor.pos == 0 && self.cursor.scanned == 0
    }

    /// Arguments that the half-received request still lacks, 0 if not known.
    pub fn arguments_missing(&self) -> usize {
        self.cursor.remaining as usize
    }

    /// Arguments of the half-received request that are complete.
    pub fn arguments_received(&self) -> usize {
        self.spans.len()
    }

    /// Bytes at the start of `input` that are arguments received completely and headers, if `input` is that of the last
    /// call and its request is half received: what follows is a part of one argument.
    pub fn understood_bytes(&self, input: &[u8]) -> usize {
        if self.cursor.remaining == 0 {
            return 0;
        }
        self.cursor.pos + self.header_at_hand(input).map_or(0, <[u8]>::len)
    }

    /// The header of the argument at hand, if it is whole.
    fn header_at_hand<'i>(&self, input: &'i [u8]) -> Option<&'i [u8]> {
        let rest = input.get(self.cursor.pos..)?;
        let end = rest.iter().take(HEADER_LEN_MAX).position(|byte| *byte == b'\n')?;
        rest.get(..=end)
    }

    /// The argument at hand, if `input` is that of the last call, whose request is half received, and the argument is large
    /// enough to have memory of its own: where its bytes begin in the input, and how many there will be. The caller may take
    /// out those that are there, receive the others elsewhere, and then say [`supplied`](Self::supply).
    pub fn large_argument_at_hand(&self, input: &[u8]) -> Option<(usize, usize)> {
        if self.cursor.remaining == 0 || self.supplied.is_some() || self.parts >= PARTS_MAX {
            return None;
        }
        let header = self.header_at_hand(input)?;
        let digits = header.get(1..)?.strip_suffix(b"\r\n")?;
        let len = usize::try_from(ochre_types::parse_i64(digits)?).ok()?;
        (len >= PART_BYTES_MIN).then_some((self.cursor.pos + header.len(), len))
    }

    /// The bytes of the large argument at hand, of that length, are elsewhere: what follows its header in the input is its
    /// line end.
    pub fn supply(&mut self, len: usize) {
        self.supplied = u32::try_from(len).ok();
    }

    /// Bytes of the argument at hand, if they are elsewhere and only its line end is missing.
    pub fn supplied_bytes(&self) -> usize {
        self.supplied.map_or(0, |len| len as usize)
    }

    /// Heap memory held for the half-received request, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<Span>()
    }

    /// A multibulk request of which nothing was seen before: spans go straight to the caller.
    #[inline]
    fn start(
        &mut self,
        input: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Progress, ProtocolError> {
        let base = spans.len();
        let mut cursor = Cursor::default();
        match read_multibulk(input, limits, &mut cursor, spans) {
            Ok(Step::Complete) => Ok(Progress::Complete { consumed: cursor.pos }),
            Ok(Step::Empty) => Ok(Progress::Empty { consumed: cursor.pos }),
            Ok(Step::Incomplete(missing)) => {
                self.keep(cursor, spans, base);
                Ok(Progress::Incomplete { missing })
            }
            Err(error) => {
                spans.truncate(base);
                Err(error)
            }
        }
    }

    /// Takes over a request that is not complete, with its spans from `base` on.
    #[cold]
    fn keep(&mut self, cursor: Cursor, spans: &mut Vec<Span>, base: usize) {
        self.spans.extend_from_slice(spans.get(base..).unwrap_or_default());
        spans.truncate(base);
        self.cursor = cursor;
    }

    /// Anything but a fresh multibulk request.
    #[cold]
    fn resume(
        &mut self,
        input: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Progress, ProtocolError> {
        let progress = match input.first() {
            None => Ok(Progress::Incomplete { missing: 1 }),
            Some(b'*') => self.resume_multibulk(input, limits, spans),
            Some(_) => read_inline(input, limits, &mut self.cursor),
        };
        if !matches!(progress, Ok(Progress::Incomplete { .. })) {
            self.reset();
        }
        progress
    }

    /// Goes past the argument at hand if its bytes are elsewhere. How many bytes its line end lacks, if it is not whole.
    fn pass_supplied(&mut self, input: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let Some(len) = self.supplied else { return Ok(None) };
        let end = self.cursor.pos + self.header_at_hand(input).map_or(0, <[u8]>::len);
        match input.get(end..).unwrap_or_default() {
            [b'\r', b'\n', ..] => {}
            [_, _, ..] => return Err(ProtocolError::InvalidCrlf),
            cut => return Ok(Some(2 - cut.len())),
        }
        self.spans.push(Span::part(self.parts, len as usize));
        self.cursor = Cursor { pos: end + 2, remaining: self.cursor.remaining - 1, ..self.cursor };
        (self.parts, self.supplied) = (self.parts + 1, None);
        Ok(None)
    }

    fn resume_multibulk(
        &mut self,
        input: &[u8],
        limits: &Limits,
        spans: &mut Vec<Span>,
    ) -> Result<Progress, ProtocolError> {
        if let Some(missing) = self.pass_supplied(input)? {
            return Ok(Progress::Incomplete { missing });
        }
        if self.cursor.remaining == 0 && !self.spans.is_empty() {
            spans.extend_from_slice(&self.spans);
            return Ok(Progress::Complete { consumed: self.cursor.pos });
        }
        match read_multibulk(input, limits, &mut self.cursor, &mut self.spans)? {
            Step::Complete => {
                spans.extend_from_slice(&self.spans);
                Ok(Progress::Complete { consumed: self.cursor.pos })
            }
            Step::Empty => Ok(Progress::Empty { consumed: self.cursor.pos }),
            Step::Incomplete(missing) => Ok(Progress::Incomplete { missing }),
        }
    }
}

/// How a request began, up to the end of its first argument: requests of one pipeline mostly begin in the same way. Two
/// words that overlap cover beginnings of 8 to 16 bytes, which are those of commands with short names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    first: u64,
    last: u64,
    /// How many bytes it has; 0 for none.
    len: usize,
    count: u32,
    /// Of the heads that were read so far.
    number: u32,
    name: Span,
}

const WORD: usize = size_of::<u64>();

impl Head {
    /// A number that the head of the last request which was read whole had in common with those, and only those, before it
    /// that began with the same bytes; never 0.
    #[inline]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Reads the head of a request, if it is of the usual form and whole.
    #[inline]
    fn read(&mut self, window: &[u8], limits: &Limits) -> Option<(u32, Span, usize)> {
        if let Some(bytes) = window.first_chunk::<{ 2 * WORD }>()
            && self.len != 0
            && word_at(bytes, 0) == Some(self.first)
            && word_at(bytes, self.len - WORD) == Some(self.last)
        {
            return Some((self.count, self.name, self.len));
        }
        self.read_anew(window, limits)
    }

    fn read_anew(&mut self, window: &[u8], limits: &Limits) -> Option<(u32, Span, usize)> {
        let (count, pos) = short_header::<b'*'>(window).filter(|(count, _)| *count > 0)?;
        let (name, len) = whole_argument(window, pos, limits.bulk_len_allowed())?;
        let count = count as u32;
        self.len = 0;
        self.number = self.number.wrapping_add(1).max(1);
        if len <= 2 * WORD
            && let (Some(first), Some(last)) = (word_at(window, 0), word_at(window, len - WORD))
        {
            *self = Head { first, last, len, count, name, ..*self };
        }
        Some((count, name, len))
    }
}

#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// The length of the request at the start of `input`, if it is of the usual form and whole. May leave spans behind if it
/// is not.
#[inline]
fn read_whole(input: &[u8], limits: &Limits, spans: &mut Vec<Span>, head: &mut Head) -> Option<usize> {
    let window = input.get(..REQUEST_LEN_MAX).unwrap_or(input);
    let len_max = limits.bulk_len_allowed();
    let (count, name, mut pos) = head.read(window, limits)?;
    // Another client's limits may have let the head pass.
    if limits.check_multibulk_len(i64::from(count)).is_err() || u64::from(name.len) > len_max {
        return None;
    }
    spans.push(name);
    for _ in 1..count {
        let (span, end) = whole_argument(window, pos, len_max)?;
        spans.push(span);
        pos = end;
    }
    Some(pos)
}

/// The argument at `pos` and where it ends, if it is of the usual form and whole.
#[inline]
fn whole_argument(window: &[u8], pos: usize, len_max: u64) -> Option<(Span, usize)> {
    let rest = window.get(pos..)?;
    let (len, header_len) = short_header::<b'$'>(rest)?;
    let end = header_len + len as usize;
    let line_end = rest.get(end..end + 2)?;
    // Within the window no position is cut.
    let span = Span { start: (pos + header_len) as u32, len: len as u32 };
    (len <= len_max && line_end == b"\r\n").then_some((span, pos + end + 2))
}

/// Reads on from `cursor`, appending the arguments that are complete to `spans`.
#[inline]
fn read_multibulk(
    input: &[u8],
    limits: &Limits,
    cursor: &mut Cursor,
    spans: &mut Vec<Span>,
) -> Result<Step, ProtocolError> {
    // Within this window every position fits a span.
    let window = input.get(..REQUEST_LEN_MAX).unwrap_or(input);
    if cursor.remaining == 0 {
        let (len, next) = match short_header::<b'*'>(window) {
            Some((len, next)) => (len as i64, next),
            None => match multibulk_header(window, cursor.scanned, limits)? {
                Header::Line { value, next } => (value, next),
                Header::Cut { scanned } => {
                    cursor.scanned = scanned;
                    return Ok(Step::Incomplete(1));
                }
            },
        };
        limits.check_multibulk_len(len)?;
        cursor.pos = next;
        if len <= 0 {
            return Ok(Step::Empty);
        }
        cursor.remaining = u32::try_from(len).map_err(|_| ProtocolError::InvalidMultibulkLength)?;
    }
    let (reached, missing) = read_arguments(window, limits, *cursor, spans)?;
    *cursor = reached;
    if missing == 0 {
        return Ok(Step::Complete);
    }
    if window.len().saturating_add(missing) > REQUEST_LEN_MAX {
        return Err(ProtocolError::InvalidBulkLength);
    }
    Ok(Step::Incomplete(missing))
}

/// Reads arguments until none remains (then the second result is 0) or the input ends (then it is
/// the number of bytes that the argument at hand lacks). The cursor goes in and out by value, so
/// that it stays in registers.
#[inline]
fn read_arguments(
    input: &[u8],
    limits: &Limits,
    mut cursor: Cursor,
    spans: &mut Vec<Span>,
) -> Result<(Cursor, usize), ProtocolError> {
    let len_max = limits.bulk_len_allowed();
    while cursor.remaining > 0 {
        let rest = input.get(cursor.pos..).unwrap_or_default();
        let (len, header_len) = match short_header::<b'$'>(rest) {
            Some(header) => header,
            None => match bulk_header(rest, cursor.scanned.saturating_sub(cursor.pos), limits)? {
                Header::Line { value, next } => (value.unsigned_abs(), next),
                Header::Cut { scanned } => {
                    cursor.scanned = cursor.pos + scanned;
                    return Ok((cursor, 1));
                }
            },
        };
        if len > len_max {
            return Err(limits.bulk_len_error(len));
        }
        let len = usize::try_from(len).map_err(|_| ProtocolError::InvalidBulkLength)?;
        let body = rest.get(header_len..).unwrap_or_default();
        let Some((_, after)) = body.split_at_checked(len) else {
            return Ok((cursor, (len - body.len()).saturating_add(2)));
        };
        match after {
            [b'\r', b'\n', ..] => {}
            [_, _, ..] => return Err(ProtocolError::InvalidCrlf),
            _ => return Ok((cursor, 2 - after.len())),
        }
        let start = cursor.pos + header_len;
        // The input is a window of `REQUEST_LEN_MAX` bytes, so neither number is cut.
        spans.push(Span { start: start as u32, len: len as u32 });
        cursor.pos = start + len + 2;
        cursor.remaining -= 1;
    }
    Ok((cursor, 0))
}

/// A request in the inline form. A NUL before the line end hides the rest, as for peers, which
/// look for the end with a C string function: the line stays incomplete until it is too long.
fn read_inline(input: &[u8], limits: &Limits, cursor: &mut Cursor) -> Result<Progress, ProtocolError> {
    let from = cursor.scanned.min(input.len());
    let stop = input[from..].iter().position(|byte| matches!(byte, b'\n' | 0));
    let end = stop.map_or(input.len(), |offset| from + offset);
    if input.get(end) != Some(&b'\n') {
        cursor.scanned = end;
        // A leading NUL is scanned again and again, at no cost, but must count as seen.
        cursor.pos = 1;
        return if input.len() > limits.inline_len_max {
            Err(ProtocolError::InlineTooBig)
        } else {
            Ok(Progress::Incomplete { missing: 1 })
        };
    }
    let line = input.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let args = split_args(line).ok_or(ProtocolError::UnbalancedQuotes)?;
    Ok(Progress::Inline { consumed: end + 1, args })
}
