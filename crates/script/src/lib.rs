//! Scripts and function libraries: everything of them that needs no server.
//!
//! An [`Interpreter`] is Lua 5.1 in Redis's sandbox. It runs a [`Script`] or a function of a [`Library`] for a [`Host`],
//! which runs the commands that scripts call. [`ScriptCache`] and [`FunctionRegistry`] know what there is to run.
//!
//! # The binding
//! Lua itself is the 5.1.5 that `mlua-sys` builds, without a change. Its functions are called as they are, from
//! `lua` alone; `mlua`, the safe layer above them, was measured and not taken: a function with two strings
//! takes 1160 ns through it and 170 like this, a table of ten strings 6.2 us and 2.1 (the empty loop: 13 ns), as it keeps
//! each value in a stack of its own and looks at memory around every step. Its errors are values that Redis's scripts do not
//! know, besides. A script that does nothing takes 3,080 instructions with a key and an argument, and each `redis.call` 1,470
//! more, without what the host does (`examples/calls.rs`).
//!
//! # What Redis changed in its copy of Lua, and what stands for it here
//! | there | here |
//! |---|---|
//! | tables that are read-only | shields: see `sandbox` |
//! | no compiled code | what begins like it is never given to the loader as such: `lua::Frame::compile` |
//! | the parser anchors the chunk's name (CVE-2025-49844) | nothing is collected, and nothing of Lua's runs, while it parses |
//! | long brackets are counted without overflow (CVE-2025-46819) | texts end well below: [`SOURCE_LEN_MAX`] |
//! | `unpack` counts without overflow (CVE-2025-46817) | it is ours |
//! | cjson, cmsgpack, struct and bit, fixed many times | they are ours, in safe code |
//!
//! # Bounds
//! Memory: the allocator's, see `lua::memory`; what is beyond it is an error that a script can catch, and once it has ended
//! everything is given back. Time: every 10,000 instructions, and every 100,000 steps of functions of ours that may be long,
//! the host is asked; when it says stop, the script ends, whatever it catches. What is left of Lua's own functions takes
//! linear time. Depth: Lua's own 200 calls of C and 20,000 of Lua; for patterns, JSON and the like 1,000 to 2,000.

mod api;
mod cache;
mod convert;
mod debug;
mod flags;
mod functions;
mod host;
mod interpreter;
mod library;
mod lua;
mod registered;
mod sandbox;
mod script;
mod state;
mod version;

pub use cache::{EVALUATED_MAX, ScriptCache};
pub use debug::{Debugger, SHOWN_BYTES_MAX};
pub use flags::ScriptFlags;
pub use functions::{FunctionEntry, FunctionRegistry, Library, LibraryMetadata, RestorePolicy};
pub use host::{Heard, Host, Interrupt, LogLevel, Permission, Replication, Request};
pub use interpreter::{COMPILED_MAX, Finished, Interpreter, InterpreterOptions};
pub use registered::FunctionRecord;
pub use script::{Script, ScriptDigest, Shebang};
pub use version::Versions;

/// The longest text that is compiled. Lua's parser counts brackets of long strings with 32 bits; half of that is safe.
pub const SOURCE_LEN_MAX: usize = (1 << 30) - 1;
