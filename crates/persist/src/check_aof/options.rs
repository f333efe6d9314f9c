//! The command line.

use std::ffi::{OsStr, OsString};

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Options {
    /// The version.
    Version,
    /// A check.
    Check {
        /// The file or the manifest.
        path: OsString,
        /// Whether what is damaged at the end is to be cut off.
        fix: bool,
        /// A time in seconds: what comes later is to be cut off. 0 for none.
        until_s: i64,
    },
}

/// What is wrong with the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Misuse {
    Usage,
    Timestamp,
}

impl Options {
    pub(super) fn parse(arguments: &[OsString]) -> Result<Options, Misuse> {
        let is = |argument: &OsStr, word: &str| argument == word;
        match arguments {
            [only] if is(only, "-v") || is(only, "--version") => Ok(Options::Version),
            [path] => Ok(Options::Check { path: path.clone(), fix: false, until_s: 0 }),
            [option, path] if is(option, "--fix") => {
                Ok(Options::Check { path: path.clone(), fix: true, until_s: 0 })
            }
            [option, time, path] if is(option, "--truncate-to-timestamp") => {
                let until_s = time.to_str().and_then(|time| time.trim_start().parse().ok());
                let until_s = until_s.ok_or(Misuse::Timestamp)?;
                Ok(Options::Check { path: path.clone(), fix: false, until_s })
            }
            _ => Err(Misuse::Usage),
        }
    }
}
