//! Redis serialization protocol: bytes to requests and replies to bytes; no I/O.
//!
//! | direction | server | client |
//! |---|---|---|
//! | requests | [`RequestParser`], [`Limits`], [`ProtocolError`] | [`encode_request`] |
//! | replies | [`ReplyWriter`] | [`ReplyParser`], [`skip_reply`], [`Value`] |
//!
//! The rest is grammar that other parts of a server share: [`split_args`], [`parse_integer`] and
//! [`append_double`]. Nothing here reads a socket, a clock or a configuration; every function is
//! total over its input bytes.

mod decode;
mod double;
mod number;
mod reply;
mod request;

pub use decode::{DecodeError, ReplyLimits, ReplyParser, Value, encode_request, skip_reply};
pub use double::append_double;
pub use number::parse_integer;
pub use reply::{Deferred, Protocol, ReplyWriter};
pub use request::{Head, Limits, Progress, ProtocolError, RequestParser, Span, split_args};
