//! The engine: commands, transactions, statistics. It knows bytes and time, but no sockets.
//!
//! A worker of the server owns an [`Executor`] and feeds it requests; [`Engine`] is what all of them share. Commands
//! are records beside their handlers, in [`family`]; the path of a request is in `execute`.

mod access;
mod alarms;
mod aof;
mod aside;
mod blocking;
mod call;
mod client;
mod command;
mod counter;
mod engine;
mod error;
mod execute;
pub mod family;
mod held_back;
mod histogram;
pub mod latency;
mod left_behind;
mod log;
pub mod messages;
mod migration;
mod missing;
mod monitor;
mod notice;
mod persistence;
mod scripting;
mod sequel;
mod settings;
mod stats;
mod sync;
#[cfg(test)]
mod testing;
mod thread;
pub mod tick;
mod worker;

pub use access::AccessControl;
pub use aof::AppendOnly;
pub use call::{Args, Call, Cursor, Handler, Propagation, integer, integer_between};
pub use client::*;
pub use command::*;
pub use counter::Counter;
pub use engine::{
    Engine, Host, Message, OCHRE_VERSION, Pause, PauseMode, REDIS_VERSION, ShutdownRequest, VALKEY_VERSION,
    clock_ms, clock_us,
};
pub use error::*;
pub use execute::{Clock, Executor, Outcome, Prepared, Requests};
pub use family::{NO_LOG, reply_to_wait_for_logs};
pub use histogram::{Histogram, Snapshot};
pub use log::{CommandLogs, LogEntry, LogKind};
pub use missing::warn_of_missing;
pub use notice::Notice;
pub use persistence::{LoadFailure, Loaded, Persistence, Saved};
pub use scripting::{Attendant, Rehearsal, Said, ScriptStage, Scripting};
pub use sequel::{BYTES_AT_ONCE, ELEMENTS_AT_ONCE, Promise, Sequel};
pub use settings::Settings;
pub use stats::{ErrorStats, Rate, Rates, ServerStats};
pub use thread::spawn_or_run;
pub use worker::{CommandStats, WorkerContext, WorkerStats};
