//! Redis serialization protocol: bytes to requests and replies to bytes; no I/O.
//!
//! | direction | server | client |
//! |---|---|---|
//! | requests | [`RequestParser`], [`Limits`], [`ProtocolError`] | [`encode_request`] |
//! | replies | [`ReplyWriter`] | [`ReplyParser`], [`skip_reply`], [`Value`] |
//!
//! The rest is grammar that other parts of a server share: [`split_args`] and [`append_quoted`]. Numbers are read and written by
//! `ochre_types`. Nothing here reads a socket, a clock or a configuration; every function is total over its input bytes.

mod decode;
mod reply;
mod request;

pub use decode::{DecodeError, ReplyLimits, ReplyParser, Value, encode_request, skip_reply};
pub use reply::{Deferred, Protocol, ReplyWriter};
pub use request::{
    Head, Limits, PART_BYTES_MIN, PARTS_MAX, Progress, ProtocolError, RequestParser, Span, append_quoted,
    split_args,
};
