//! What the log's thread is asked to do, at a place in the stream.

use std::ffi::OsString;

use super::super::layout::BaseFormat;
use crate::disk::DiskError;

/// Told how a request went, on the log's thread.
pub(super) type Done<T> = Box<dyn FnOnce(Result<T, DiskError>) + Send>;

/// A base that was written and is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FinishRewrite {
    /// Its name in the log's directory so far.
    pub temporary: OsString,
    /// What it is written in.
    pub format: BaseFormat,
    /// The replication offset that it stands for, where it is known.
    pub offset: Option<i64>,
}

/// A rewrite that is complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RewriteFinished {
    /// Bytes of all live files now, from which growth is measured.
    pub size: u64,
}

/// A request.
pub(super) enum Request {
    /// To go on in a new incremental file.
    Rotate { offset: Option<i64>, done: Done<()> },
    /// To take a base.
    Finish { rewrite: FinishRewrite, done: Done<RewriteFinished> },
    /// To make everything durable and end.
    Close { offset: Option<i64>, done: Done<()> },
}
