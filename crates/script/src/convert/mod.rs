//! Values of Lua and replies, into each other.

mod from_reply;
mod to_reply;

pub(crate) use from_reply::{is_error, push_reply};
pub(crate) use to_reply::write_reply;
