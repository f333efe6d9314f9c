//! What is wrong with a manifest, in the words that Redis uses.

use std::fmt;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ManifestFault {
    /// It has no bytes.
    Empty,
    /// A line is longer than 1024 bytes, or has no end.
    LongLine,
    /// A line is blank, is not made of pairs, or lacks a name, a number or a type.
    Format,
    /// A name leads out of the directory.
    Path,
    /// There are two bases.
    DuplicateBase,
    /// An incremental file's number is not above the one before.
    Sequence,
    /// A type that nobody knows.
    Type,
}

impl ManifestFault {
    /// The fault as Redis names it.
    pub fn text(self) -> &'static str {
        match self {
            ManifestFault::Empty => "Found an empty AOF manifest",
            ManifestFault::LongLine => "The AOF manifest file contains too long line",
            ManifestFault::Format => "Invalid AOF manifest file format",
            ManifestFault::Path => "File can't be a path, just a filename",
            ManifestFault::DuplicateBase => "Found duplicate base file information",
            ManifestFault::Sequence => "Found a non-monotonic sequence number",
            ManifestFault::Type => "Unknown AOF file type",
        }
    }
}

/// What is wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestError {
    /// What is wrong.
    pub fault: ManifestFault,
    /// The number of the line, from 1 on, and the line, where it could be read.
    pub line: Option<(usize, String)>,
}

impl ManifestError {
    /// The lines that Redis logs, each as a warning; some end with a line break of their own.
    pub fn log_lines(&self) -> Vec<String> {
        let mut lines = vec!["\n*** FATAL AOF MANIFEST FILE ERROR ***\n".to_owned()];
        if let Some((number, line)) = &self.line {
            lines.push(format!("Reading the manifest file, at line {number}\n"));
            lines.push(format!(">>> '{line}'\n"));
        }
        lines.push(format!("{}\n", self.fault.text()));
        lines
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fault.text())?;
        match &self.line {
            Some((number, line)) => write!(f, " (line {number}: '{line}')"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ManifestError {}
