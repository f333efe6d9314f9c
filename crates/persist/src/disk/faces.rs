//! What persistence needs of a file system, and nothing else.
//!
//! The contract is the one that power loss leaves: what a file holds is durable once [`DiskFile::sync_data`] has returned
//! without an error, under the name that [`Disk::sync_dir`] made durable; nothing else is. A rename is atomic, also across a
//! loss of power: either name, never none. Paths are those of the process: relative ones mean its working directory.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;

use super::{DirLock, DiskFile};

/// How a file that exists is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// To be read.
    Read,
    /// To be read and written.
    Write,
}

/// What there is under a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A file of so many bytes.
    File {
        /// Its length in bytes.
        len: u64,
    },
    /// A directory.
    Directory,
}

/// A file system.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Opens a file that exists.
    ///
    /// # Errors
    /// Those of the system; `NotFound` where there is none.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Makes a file, or empties the one that is there, to read and write it.
    ///
    /// # Errors
    /// Those of the system.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Makes a directory, unless there is one.
    ///
    /// # Errors
    /// Those of the system; `AlreadyExists` where there is a file of that name.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of what has that name.
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Those of the system; `NotFound` where there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// Those of the system. Then it is not known which names are durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Takes the exclusive use of a directory, if nobody else has it. Nothing in the directory tells of that.
    ///
    /// # Errors
    /// `WouldBlock` where somebody has it, `Unsupported` where the file system knows no locks; else those of the system.
    fn lock_dir(&self, path: &Path) -> io::Result<DirLock>;

    /// The names in a directory, in no order.
    ///
    /// # Errors
    /// Those of the system.
    fn list(&self, path: &Path) -> io::Result<Vec<OsString>>;

    /// What there is under a name, `None` for nothing.
    ///
    /// # Errors
    /// Those of the system, but for `NotFound`.
    fn kind(&self, path: &Path) -> io::Result<Option<Kind>>;
}
