//! Writing replies in the protocol version that a connection speaks.
//!
//! A handler says what it replies (a map, a double, null) and the writer spells it in RESP2 or
//! RESP3. Everything is appended to a byte vector of the caller, with one capacity check per
//! reply in the common case: headers below 1000 are arrays of a length known at compile time, so
//! appending one is a store and not a call. Precomputed tables of headers were rejected: they
//! cost a cache line per lookup and are no shorter.
//!
//! Aggregates whose length is known only at the end are deferred: a header of the commonest length
//! is left blank and filled in later, and only a longer header moves the bytes behind it.

use ochre_types::push_f64;

use crate::request::ProtocolError;

/// Room for any header or integer reply: a marker, 20 digits, `\r\n`.
const HEADER_LEN_MAX: usize = 24;
/// Bytes left blank for a deferred header: enough for a length of one digit.
const DEFERRED_LEN: usize = 4;

/// Version of the protocol a connection speaks; `HELLO 3` switches to RESP3.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protocol {
    /// What every connection starts with.
    #[default]
    Resp2,
    /// Adds maps, sets, doubles, booleans, nulls, pushes and attributes.
    Resp3,
}

/// Appends replies to a byte vector.
#[derive(Debug)]
pub struct ReplyWriter<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
    full_at: usize,
}

/// The place of an aggregate whose length is not known yet. Has to be finished, inner ones before
/// outer ones, and before the bytes from its place on leave the writer's vector.
#[derive(Debug)]
#[must_use = "the reply has no header until the aggregate is finished"]
pub struct Deferred {
    at: usize,
}

impl<'a> ReplyWriter<'a> {
    /// A writer that appends to `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol, full_at: usize::MAX }
    }

    /// Has strings left out once about `bytes` more are there: what follows is no reply any more, but nobody wants that much.
    #[inline]
    #[must_use]
    pub fn limited(self, bytes: usize) -> Self {
        Self { full_at: self.out.len().saturating_add(bytes), ..self }
    }

    /// The version replies are written in.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Writes what follows in another version (after HELLO).
    #[inline]
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Bytes in the vector, those that were there before included.
    #[inline]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// True when the vector is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// What was written behind the first `len` bytes.
    pub fn written_since(&self, len: usize) -> &[u8] {
        self.out.get(len..).unwrap_or_default()
    }

    /// Removes everything after the first `len` bytes, for a reply that turns into an error.
    pub fn truncate(&mut self, len: usize) {
        self.out.truncate(len);
    }

    /// A status. Line ends inside become spaces.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// `+QUEUED`, the reply to a command inside MULTI.
    #[inline]
    pub fn queued(&mut self) {
        self.out.extend_from_slice(b"+QUEUED\r\n");
    }

    /// An error: its code and text, without the leading `-`. Line ends at either side are
    /// dropped, those inside become spaces.
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// [`Self::error`] for a text that quotes bytes of a client.
    pub fn error_bytes(&mut self, text: &[u8]) {
        let start = text.iter().position(|&byte| !is_line_end(byte)).unwrap_or(text.len());
        let end = text.iter().rposition(|&byte| !is_line_end(byte)).map_or(start, |last| last + 1);
        self.line(b'-', text.get(start..end).unwrap_or_default());
    }

    /// The reply to a request that breaks the protocol.
    pub fn protocol_error(&mut self, error: &ProtocolError) {
        self.out.extend_from_slice(b"-ERR ");
        error.append_to(self.out);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.header::<b':'>(value),
            Err(_) => self.negative_integer(value),
        }
    }

    /// A string of bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        if self.out.len() >= self.full_at {
            return;
        }
        self.out.reserve(bytes.len().saturating_add(HEADER_LEN_MAX + 2));
        self.header::<b'$'>(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer as a string.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// No value.
    #[inline]
    pub fn null(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.out.extend_from_slice(b"$-1\r\n"),
            Protocol::Resp3 => self.out.extend_from_slice(b"_\r\n"),
        }
    }

    /// No value, where an array would stand.
    #[inline]
    pub fn null_array(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.out.extend_from_slice(b"*-1\r\n"),
            Protocol::Resp3 => self.out.extend_from_slice(b"_\r\n"),
        }
    }

    /// The header of an array; `len` replies have to follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header::<b'*'>(len as u64);
    }

    /// The header of a map; `pairs` keys, each with its value, have to follow.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header::<b'*'>((pairs as u64).saturating_mul(2)),
            Protocol::Resp3 => self.header::<b'%'>(pairs as u64),
        }
    }

    /// The header of a set; `len` replies have to follow.
    #[inline]
    pub fn set(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header::<b'*'>(len as u64),
            Protocol::Resp3 => self.header::<b'~'>(len as u64),
        }
    }

    /// The header of a message that answers no command; `len` replies have to follow.
    #[inline]
    pub fn push(&mut self, len: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header::<b'*'>(len as u64),
            Protocol::Resp3 => self.header::<b'>'>(len as u64),
        }
    }

    /// The header of attributes of the next reply; `pairs` keys and values have to follow, and
    /// then that reply. RESP2 has none: the result is false, and no pairs may be written.
    #[must_use = "without attributes in the protocol, their pairs must not be written"]
    pub fn attribute(&mut self, pairs: usize) -> bool {
        let supported = self.protocol == Protocol::Resp3;
        if supported {
            self.header::<b'|'>(pairs as u64);
        }
        supported
    }

    /// A floating point number, printed as Redis prints a double.
    pub fn double(&mut self, value: f64) {
        match self.protocol {
            Protocol::Resp2 => self.bulk_double(value),
            Protocol::Resp3 => {
                self.out.push(b',');
                push_f64(self.out, value);
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A floating point number as a string in either version.
    pub fn bulk_double(&mut self, value: f64) {
        let whole = value as i64;
        // Most scores are small whole numbers; zero may be a negative one.
        if whole as f64 == value
            && whole.unsigned_abs() <= 1 << 53
            && (whole != 0 || value.is_sign_positive())
        {
            return self.bulk_int(whole);
        }
        let mut text = Vec::with_capacity(HEADER_LEN_MAX);
        push_f64(&mut text, value);
        self.bulk(&text);
    }

    /// An integer of any size, given as decimal text.
    pub fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits.as_bytes()),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// True or false (RESP2: 1 or 0).
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(match (self.protocol, value) {
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp2, false) => b":0\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
        });
    }

    /// A text with its format, `txt` or `mkd`: three bytes, cut or filled with spaces.
    pub fn verbatim(&mut self, format: &str, bytes: &[u8]) {
        if self.protocol == Protocol::Resp2 {
            return self.bulk(bytes);
        }
        if self.out.len() >= self.full_at {
            return;
        }
        let mut prefix = *b"   :";
        prefix.iter_mut().take(3).zip(format.bytes()).for_each(|(place, byte)| *place = byte);
        self.out.reserve(bytes.len().saturating_add(HEADER_LEN_MAX + 6));
        self.header::<b'='>((bytes.len() as u64).saturating_add(4));
        self.out.extend_from_slice(&prefix);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// Bytes that are replies already.
    #[inline]
    pub fn raw(&mut self, replies: &[u8]) {
        self.out.extend_from_slice(replies);
    }

    /// An array whose length is told to [`Self::finish_array`].
    pub fn defer_array(&mut self) -> Deferred {
        self.defer()
    }

    /// A map whose length is told to [`Self::finish_map`].
    pub fn defer_map(&mut self) -> Deferred {
        self.defer()
    }

    /// A set whose length is told to [`Self::finish_set`].
    pub fn defer_set(&mut self) -> Deferred {
        self.defer()
    }

    /// Fills in the header of an array of `len` replies.
    pub fn finish_array(&mut self, deferred: Deferred, len: usize) {
        self.finish(deferred, |writer| writer.array(len));
    }

    /// Fills in the header of a map of `pairs` keys and values.
    pub fn finish_map(&mut self, deferred: Deferred, pairs: usize) {
        self.finish(deferred, |writer| writer.map(pairs));
    }

    /// Fills in the header of a set of `len` replies.
    pub fn finish_set(&mut self, deferred: Deferred, len: usize) {
        self.finish(deferred, |writer| writer.set(len));
    }

    fn defer(&mut self) -> Deferred {
        let at = self.out.len();
        self.out.extend_from_slice(&[0; DEFERRED_LEN]);
        Deferred { at }
    }

    /// Puts what `write` writes in place of the blank header.
    fn finish(&mut self, deferred: Deferred, write: impl FnOnce(&mut ReplyWriter<'_>)) {
        let mut header = Vec::with_capacity(HEADER_LEN_MAX);
        write(&mut ReplyWriter::new(&mut header, self.protocol));
        let end = deferred.at.saturating_add(DEFERRED_LEN);
        match self.out.get_mut(deferred.at..end) {
            Some(blank) if blank.len() == header.len() => blank.copy_from_slice(&header),
            Some(_) => drop(self.out.splice(deferred.at..end, header)),
            None => debug_assert!(false, "a deferred header was removed before it was finished"),
        }
    }

    /// `MARK`, `value`, `\r\n`.
    #[inline(always)]
    fn header<const MARK: u8>(&mut self, value: u64) {
        match value {
            0..10 => self.digits::<4>(MARK, value),
            10..100 => self.digits::<5>(MARK, value),
            100..1000 => self.digits::<6>(MARK, value),
            _ => self.long_header(MARK, value),
        }
    }

    #[inline(never)]
    fn long_header(&mut self, mark: u8, value: u64) {
        match value {
            1_000..10_000 => self.digits::<7>(mark, value),
            10_000..100_000 => self.digits::<8>(mark, value),
            100_000..1_000_000 => self.digits::<9>(mark, value),
            1_000_000..10_000_000 => self.digits::<10>(mark, value),
            10_000_000..100_000_000 => self.digits::<11>(mark, value),
            _ => self.number_line(mark, itoa::Buffer::new().format(value)),
        }
    }

    /// A line of a mark and a number that takes `LEN` bytes. Short enough that copying costs less than finding out how
    /// much: so the length is the compiler's to know.
    #[inline(always)]
    fn digits<const LEN: usize>(&mut self, mark: u8, value: u64) {
        let digit = |place: usize| b'0' + (value / 10_u64.pow(place as u32) % 10) as u8;
        let line: [u8; LEN] = std::array::from_fn(|at| match LEN - 1 - at {
            0 => b'\n',
            1 => b'\r',
            _ if at == 0 => mark,
            behind => digit(behind - 2),
        });
        self.out.extend_from_slice(&line);
    }

    #[inline(never)]
    fn negative_integer(&mut self, value: i64) {
        self.number_line(b':', itoa::Buffer::new().format(value));
    }

    fn number_line(&mut self, mark: u8, digits: &str) {
        self.out.reserve(HEADER_LEN_MAX);
        self.out.push(mark);
        self.out.extend_from_slice(digits.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// A line of text that must not end early.
    fn line(&mut self, mark: u8, text: &[u8]) {
        self.out.reserve(text.len().saturating_add(3));
        self.out.push(mark);
        let start = self.out.len();
        self.out.extend_from_slice(text);
        let written = self.out.get_mut(start..).unwrap_or_default();
        written.iter_mut().filter(|byte| is_line_end(**byte)).for_each(|byte| *byte = b' ');
        self.out.extend_from_slice(b"\r\n");
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}
