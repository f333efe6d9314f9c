//! The interpreter from below: everything that touches Lua's C interface, and nothing else.
//!
//! All `unsafe` of this crate is here. The rest sees a [`Machine`] that compiles and runs, and a [`Frame`] per callback,
//! whose methods check what C only assumes: that an index is on the stack, that there is room, that a table is one.
//!
//! Two rules keep Rust's frames whole although Lua raises errors by jumping over frames:
//! - Nothing that a frame calls can raise. Lua's functions raise for want of memory (the allocator refuses nothing
//!   while the host runs, see [`memory`](self::memory)), for bad operands (only raw access is used, after looking at
//!   types), and from metamethods (never called from here, except by [`Frame::call`], which is protected).
//! - A callback's error is a value ([`Raise`]). The trampoline raises it when all that Rust owned is dropped.
//!
//! Finalizers would run Lua code inside any allocation. There are none: only userdata can have them in Lua 5.1, scripts
//! cannot make any (`newproxy` is gone), and neither do we.

#![allow(unsafe_code)]

mod call;
mod context;
mod debug;
mod frame;
mod function;
mod machine;
mod memory;
mod table;

pub(crate) use context::{Context, Stock};
pub(crate) use frame::{Frame, Kind};
pub(crate) use function::{Outcome, Raise, Returned};
pub(crate) use machine::{Machine, Reference};
