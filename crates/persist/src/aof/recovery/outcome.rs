//! How loading ended.

use std::fmt;

use super::super::report::Report;

/// What was loaded.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Loaded {
    /// Whether the manifest names files: if not, there is no log.
    pub exists: bool,
    /// Bytes of all live files, after a cut.
    pub size: u64,
    /// Bytes of the base.
    pub base_size: u64,
    /// Bytes that were cut off the last file.
    pub discarded_bytes: u64,
    /// Units that were applied.
    pub units: u64,
}

/// Why there is no data set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadError {
    /// What to log; the last line says what is fatal.
    pub reports: Vec<Report>,
}

impl LoadError {
    pub(super) fn new(text: String) -> LoadError {
        LoadError { reports: vec![Report::Warning(text)] }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.reports.iter().map(Report::text).collect();
        f.write_str(&texts.join("; "))
    }
}

impl std::error::Error for LoadError {}
