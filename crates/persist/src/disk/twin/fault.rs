//! Which calls fail, and how.

use std::io;
use std::ops::Range;

/// A kind of call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// Opening what exists.
    Open,
    /// Making a file or a directory.
    Create,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Making data durable.
    Sync,
    /// Making names durable.
    SyncDir,
    /// Cutting off.
    Truncate,
    /// Giving another name.
    Rename,
    /// Removing.
    Remove,
    /// Taking the exclusive use of a directory.
    Lock,
}

/// Calls that fail.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The numbers of the calls; each call on the disk has the next number, from 0 on.
    pub calls: Range<u64>,
    /// Of which kind, or all.
    pub kind: Option<Call>,
    /// The system's number of the error (5 is EIO, 28 ENOSPC, 30 EROFS).
    pub errno: i32,
    /// How many bytes a write that fails leaves behind.
    pub written: usize,
}

impl Fault {
    /// The system's number for a disk that does not do what it is asked.
    pub const EIO: i32 = 5;
    /// The system's number for a full disk.
    pub const ENOSPC: i32 = 28;
    /// The system's number for a disk that may not be written.
    pub const EROFS: i32 = 30;

    /// The system's number for what a file system cannot do.
    pub const EOPNOTSUPP: i32 = 95;

    /// One call fails, whatever it is.
    pub fn at(call: u64) -> Fault {
        Fault { calls: call..call + 1, kind: None, errno: Fault::EIO, written: 0 }
    }

    /// All calls of a kind fail from now on.
    pub fn all(kind: Call) -> Fault {
        Fault { calls: 0..u64::MAX, kind: Some(kind), errno: Fault::EIO, written: 0 }
    }

    /// The same with another error.
    #[must_use]
    pub fn errno(self, errno: i32) -> Fault {
        Fault { errno, ..self }
    }

    /// The same where a write leaves a part behind.
    #[must_use]
    pub fn torn(self, written: usize) -> Fault {
        Fault { written, ..self }
    }

    pub(super) fn hits(&self, number: u64, kind: Call) -> bool {
        self.calls.contains(&number) && self.kind.is_none_or(|own| own == kind)
    }

    pub(super) fn error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.errno)
    }
}
