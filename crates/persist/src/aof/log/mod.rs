//! Writing the log while the server runs.
//!
//! Workers hand encoded units to [`LogSink`], in the journal's order: a copy into a buffer under a lock that nobody holds for
//! long. A thread of the log's own takes the buffer in exchange for an empty one, writes it with one call and makes it
//! durable with another, so that all who came meanwhile share both. Offsets are the journal's. How far the log is on disk is
//! published in [`Progress`]; who must not answer before its unit is durable asks there, and is told by [`LogListener`].
//!
//! **No worker waits for the disk.** What waits to be written is bounded: beyond the limit, and while the disk fails,
//! [`AppendLog::admission`] admits no writes. While it fails, clients are told so; at the limit they are to wait, and
//! [`LogListener::relieved`] says when they may go on. What commands that were admitted before still append is taken; so the
//! bound is the limit and a unit for each worker.
//!
//! **A failed write** leaves the file as it was: what it left behind is cut off, the batch is kept and written again to the
//! same place, every second. **A failed sync** says nothing about what is durable of the bytes since the last one that
//! succeeded, and asking again proves nothing. So those bytes are kept until they are durable (a sync comes at the latest
//! when there are [`LogSettings::unsynced_bytes_max`] of them): the file is opened anew, and they are written to
//! the same places and synced once more. Under `appendfsync no` nothing is kept; when a sync fails there (at a
//! rotation, at the end, after the policy changed), only a rewrite can tell what is durable again, and the status asks for one.
//!
//! Rejected: waiting in the worker (one slow disk stops everything), a new incremental file after a failed sync (the old one
//! would have to be cut off in the same step, and then it can just as well be used), giving up the process as Redis does.

mod buffer;
mod committer;
mod file;
mod handle;
mod handover;
mod pending;
mod progress;
mod request;
mod service;
mod settings;
mod shared;
mod sink;
mod status;

#[cfg(test)]
mod tests;

pub use buffer::HeldBytes;
pub use handle::{AppendLog, LogOptions};
pub use progress::Progress;
pub use request::{FinishRewrite, RewriteFinished};
pub use settings::{FsyncPolicy, LogSettings};
pub use sink::LogSink;
pub use status::{LogListener, LogOperation, LogStatus, NoListener, Refusal};
