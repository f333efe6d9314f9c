//! Replies to values, for the command line tools, the load generator and tests.

mod error;
mod parser;
mod request;
mod skip;
mod token;
mod value;

pub use error::DecodeError;
pub use parser::{ReplyLimits, ReplyParser};
pub use request::encode_request;
pub use skip::skip_reply;
pub use value::Value;
