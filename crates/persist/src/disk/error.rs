//! An error of the disk, with what was tried and on what: the words that logs and clients get.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What failed.
#[derive(Debug)]
pub struct DiskError {
    /// What was tried, as a clause ("can't open ... for reading" and the like leave the path out).
    pub action: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl DiskError {
    /// An adapter for `map_err`.
    pub fn on(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
        move |source| DiskError { action, path: path.to_owned(), source }
    }

    /// The system's number for the error, 0 where there is none.
    pub fn errno(&self) -> i32 {
        self.source.raw_os_error().unwrap_or(0)
    }

    /// The system's text for the error, as peers print it: without the number that Rust appends.
    pub fn reason(&self) -> String {
        reason(&self.source)
    }
}

/// The text of an error as C's strerror has it.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.action, self.path.display(), self.reason())
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
