//! The debugger of scripts: a script that runs line by line, and a client who says how it goes on.
//!
//! - `input`: from the bytes of a client to the words of a command
//! - `order`: from words to what the debugger is asked for
//! - `listing`: the lines of the script, and at which of them it stops
//! - `log`: the lines that the client is shown, until they are sent
//! - `reply`, `value`: replies of commands and values of Lua as such lines show them
//! - `debugger`: the state of a session, and what its orders do; `stop`: the part of them that looks into Lua;
//!   `run`: a run with one
//!
//! A [`Debugger`] is made for one script. While that runs, the interpreter calls it at every line; it stops where it is to,
//! and asks the host for what the client says ([`Host::listen`](crate::Host::listen)). All that is read or kept is
//! bounded: a command by its words, breakpoints by their number, what is shown by [`SHOWN_BYTES_MAX`].

mod debugger;
mod input;
mod listing;
mod log;
mod order;
mod reply;
mod run;
mod stop;
mod value;

pub use debugger::Debugger;
pub use log::SHOWN_BYTES_MAX;

pub(crate) use stop::{call_stop, note_debug, note_error, note_reply, note_request, visit};
