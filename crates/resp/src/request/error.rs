//! Requests that break the protocol, with the texts clients and their test suites know.
//!
//! After any of them the server answers once and closes the connection: where the next request
//! would start is not known any more.

use std::fmt;

/// Why bytes are not a request. `Display` gives the text that follows `-ERR `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The `*` header has no end within [`Limits::inline_len_max`](super::Limits) bytes.
    MultibulkHeaderTooBig,
    /// The number of arguments is not a canonical integer, or too large.
    InvalidMultibulkLength,
    /// More arguments than a client may send before it authenticates.
    UnauthenticatedMultibulkLength,
    /// A `$` header has no end within [`Limits::inline_len_max`](super::Limits) bytes.
    BulkHeaderTooBig,
    /// This byte stands where the `$` of an argument belongs.
    ExpectedDollar(u8),
    /// The length of an argument is not a canonical integer, negative, or too large.
    InvalidBulkLength,
    /// A longer argument than a client may send before it authenticates.
    UnauthenticatedBulkLength,
    /// An inline request has no end within [`Limits::inline_len_max`](super::Limits) bytes.
    InlineTooBig,
    /// A quote of an inline request is not closed.
    UnbalancedQuotes,
    /// A header's `\r` is not followed by `\n`, or an argument is not followed by `\r\n`.
    InvalidCrlf,
}

impl ProtocolError {
    /// Appends the exact bytes that follow `-ERR `. They differ from `Display` only where the
    /// unexpected byte is not ASCII: peers send that byte as it is, and a line end as a space.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text().as_bytes());
        if let Self::ExpectedDollar(byte) = *self {
            out.extend_from_slice(&[printed(byte), b'\'']);
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::MultibulkHeaderTooBig => "Protocol error: too big mbulk count string",
            Self::InvalidMultibulkLength => "Protocol error: invalid multibulk length",
            Self::UnauthenticatedMultibulkLength => "Protocol error: unauthenticated multibulk length",
            Self::BulkHeaderTooBig => "Protocol error: too big bulk count string",
            Self::ExpectedDollar(_) => "Protocol error: expected '$', got '",
            Self::InvalidBulkLength => "Protocol error: invalid bulk length",
            Self::UnauthenticatedBulkLength => "Protocol error: unauthenticated bulk length",
            Self::InlineTooBig => "Protocol error: too big inline request",
            Self::UnbalancedQuotes => "Protocol error: unbalanced quotes in request",
            Self::InvalidCrlf => "Protocol error: invalid CRLF in request",
        }
    }
}

/// An error line must not end early, so a line end inside it becomes a space.
fn printed(byte: u8) -> u8 {
    if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        match *self {
            Self::ExpectedDollar(byte) => write!(f, "{}'", char::from(printed(byte))),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ProtocolError {}
