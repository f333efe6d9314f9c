//! Bytes of a client to the arguments of its requests.

mod error;
mod header;
mod limits;
mod parser;
mod split_args;

pub use error::ProtocolError;
pub use limits::Limits;
pub use parser::{Head, Progress, RequestParser, Span};
pub use split_args::split_args;
