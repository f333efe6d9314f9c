//! The two error surfaces: a configuration that cannot be loaded, and a CONFIG SET that is refused.

use std::fmt;
use std::io;

/// Why a configuration could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// A line is wrong. Lines are counted from 1 over the file, the standard input and the command line together.
    Line {
        /// Number of the line.
        number: usize,
        /// The line without surrounding blanks.
        text: Vec<u8>,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration as a whole is wrong.
    Whole {
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be read.
    Open {
        /// Its path as it is named to the operator.
        path: String,
        /// The operating system's words.
        reason: String,
    },
}

impl ConfigError {
    /// The block that is printed before the process exits, without a line end after its last line.
    pub fn report<'a>(&'a self, product: &'a str, version: &'a str) -> impl fmt::Display + 'a {
        Report { error: self, product, version }
    }
}

struct Report<'a> {
    error: &'a ConfigError,
    product: &'a str,
    version: &'a str,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.error, ConfigError::Open { .. }) {
            writeln!(out, "\n*** FATAL CONFIG FILE ERROR ({} {}) ***", self.product, self.version)?;
        }
        write!(out, "{}", self.error)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Line { number, text, reason } => {
                writeln!(out, "Reading the configuration file, at line {number}")?;
                writeln!(out, ">>> '{}'", String::from_utf8_lossy(text))?;
                out.write_str(reason)
            }
            ConfigError::Whole { reason } => out.write_str(reason),
            ConfigError::Open { path, reason } => {
                write!(out, "Fatal error, can't open config file '{path}': {reason}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Why CONFIG SET was refused. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetError {
    /// A directive that does not exist; the name as it was given, up to the first NUL.
    Unknown(Vec<u8>),
    /// A directive that must not change while a data set is being loaded.
    Loading,
    /// A directive that refused, or failed to be applied.
    Failed {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
}

impl SetError {
    /// The error for a directive that was valid and could not be applied.
    pub fn failed(name: impl Into<String>, reason: impl Into<String>) -> SetError {
        SetError::Failed { name: name.into(), reason: reason.into() }
    }

    /// The error code that goes before the text in a reply.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SetError::Loading => "LOADING",
            SetError::Unknown(_) | SetError::Failed { .. } => "ERR",
        }
    }
}

impl fmt::Display for SetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetError::Unknown(name) => {
                let name = String::from_utf8_lossy(name);
                write!(out, "Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            SetError::Loading => out.write_str("Redis is loading the dataset in memory"),
            SetError::Failed { name, reason } => {
                write!(out, "CONFIG SET failed (possibly related to argument '{name}') - {reason}")
            }
        }
    }
}

impl std::error::Error for SetError {}

/// An operating system's error in the words of the C library, as the peers print it.
#[must_use]
pub fn os_reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) if error.raw_os_error().is_some() => text[..at].to_owned(),
        _ => text,
    }
}
