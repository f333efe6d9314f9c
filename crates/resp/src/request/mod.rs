//! Bytes of a client to the arguments of its requests.

mod error;
mod header;
mod limits;
mod parser;
mod span;
mod split_args;

pub use error::ProtocolError;
pub use limits::Limits;
pub use parser::{Head, Progress, RequestParser};
pub use span::{PART_BYTES_MIN, PARTS_MAX, Span};
pub use split_args::{append_quoted, split_args};
