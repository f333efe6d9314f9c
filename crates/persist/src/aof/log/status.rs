//! What can be seen of the log from outside: whether it takes writes, its figures, who is told.

use std::fmt;

/// Why no write may be executed now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The disk fails, and the system says why. Clients are told.
    Failing(String),
    /// As many bytes wait to be written as may. It will be fewer: clients are to wait.
    Full,
}

impl fmt::Display for Refusal {
    /// As Redis words it to clients, if they are told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Failing(reason) => write!(f, "MISCONF Errors writing to the AOF file: {reason}"),
            Refusal::Full => f.write_str("as much waits to be written to the AOF file as may"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Figures, most of them those of INFO.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LogStatus {
    /// `aof_last_write_status`: whether the last write and sync succeeded; if not, what the system said.
    pub error: Option<String>,
    /// The system's number for that.
    pub errno: i32,
    /// `aof_current_size`: bytes of all live files.
    pub size: u64,
    /// `aof_base_size`: the same after the last rewrite or start.
    pub base_size: u64,
    /// `aof_buffer_length`: bytes that wait to be written.
    pub buffered_bytes: u64,
    /// Bytes that were written and are not durable.
    pub unsynced_bytes: u64,
    /// `aof_delayed_fsync`: syncs that took longer than two seconds.
    pub delayed_syncs: u64,
    /// Syncs.
    pub syncs: u64,
    /// Writes.
    pub writes: u64,
    /// Whether there is no base yet: the log counts for nothing before the first rewrite is complete.
    pub is_waiting: bool,
    /// Whether only a rewrite can make the log durable again.
    pub needs_rewrite: bool,
}

/// What the log's thread waits for the disk for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogOperation {
    /// A write.
    Write,
    /// A sync.
    Sync,
}

/// Told by the log's thread. It must not wait for anything.
pub trait LogListener: Send + Sync {
    /// Somebody waits, and more is durable than before.
    fn advanced(&self) {}

    /// Less waits to be written than may: who wrote too much may go on.
    fn relieved(&self) {}

    /// The disk began to fail, or works again.
    fn health_changed(&self, _is_healthy: bool) {}

    /// The disk took so long.
    fn took(&self, _operation: LogOperation, _duration_us: u64) {}
}

/// A listener that does not listen.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoListener;

impl LogListener for NoListener {}
