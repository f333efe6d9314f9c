//! What a server promised is there after `kill -9`: several clients write and remember, the server is killed at a random
//! instant and started again on its files, and what it then holds is compared with what it said.
//!
//! The check needs no search. A client writes to keys of its own, so its history is a line, and what is there must be the state
//! after some number of its operations: replaying them finds the numbers that fit (*cuts*). Three things tie the clients'
//! lines together:
//!
//! - what was acknowledged before the promise takes hold must be within the cut (`always`: everything; `everysec`: all but the
//!   last seconds; snapshots: what was acknowledged before the last SAVE that succeeded was asked for);
//! - what is there is a prefix of one history: if a write is lost, everything that was sent after its acknowledgement is
//!   lost, too, whichever client sent it;
//! - keys that all clients share (a counter, a queue that is moved into another one, in their orders) hold exactly what the cuts say.
//!
//! What was refused (MISCONF) must not be there; what was in flight may be. Transactions write to several keys with one
//! token, so half of one fits no cut. The files of a round are where the next one begins: they go through many deaths, rewrites and
//! loads.
//!
//! - `operation`: what clients do, as requests and as a model
//! - `state`: what keys hold, in the model and in a server
//! - `recorder`: a client that writes and remembers
//! - `disturber`: who asks for rewrites and snapshots meanwhile
//! - `process`: a server that is started on a folder and killed
//! - `verify`: whether what is there is what was promised
//! - `campaign`: rounds
//! - `faults`: full disks and folders that let nothing in

mod campaign;
mod disturber;
mod faults;
mod operation;
mod process;
mod recorder;
mod state;
mod verify;

pub use campaign::{Campaign, Report, run};
pub use faults::{FAULTS, Fault};
pub use operation::{Draw, Operation, Span};
pub use process::{Instance, Launch};
pub use recorder::{Event, Outcome};
pub use state::{Content, Entry, Keys, Shared};
pub use verify::{Before, Promise, Round, verify};
