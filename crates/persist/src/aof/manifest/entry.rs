//! A line of the manifest.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use ochre_resp::append_quoted;

/// What a file is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The data set at one moment.
    Base,
    /// What changed since, or since the file before.
    Incremental,
    /// No longer needed; to be removed.
    History,
}

impl Role {
    pub(super) fn letter(self) -> char {
        match self {
            Role::Base => 'b',
            Role::Incremental => 'i',
            Role::History => 'h',
        }
    }

    pub(super) fn from_letter(letter: u8) -> Option<Role> {
        [Role::Base, Role::Incremental, Role::History]
            .into_iter()
            .find(|role| role.letter() == letter as char)
    }
}

/// A file of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name, without a directory.
    pub name: OsString,
    /// Its number among those of its role, from 1 on.
    pub seq: i64,
    /// What it is for.
    pub role: Role,
    /// The replication offset at its start, where it is known (Redis 8 writes it, others skip it).
    pub start_offset: Option<i64>,
    /// The replication offset at its end, which only a log that was closed knows.
    pub end_offset: Option<i64>,
}

impl Entry {
    /// An entry without offsets.
    pub fn new(name: impl Into<OsString>, seq: i64, role: Role) -> Entry {
        Entry { name: name.into(), seq, role, start_offset: None, end_offset: None }
    }

    /// Its line, with the line's end.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = b"file ".to_vec();
        push_name(&mut line, &self.name);
        line.extend(format!(" seq {} type {}", self.seq, self.role.letter()).bytes());
        for (key, offset) in [("startoffset", self.start_offset), ("endoffset", self.end_offset)] {
            if let Some(offset) = offset {
                line.extend(format!(" {key} {offset}").bytes());
            }
        }
        line.push(b'\n');
        line
    }
}

/// Writes a name, in quotes where it would not be read as one word.
fn push_name(line: &mut Vec<u8>, name: &OsStr) {
    let bytes = name.as_bytes();
    if !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_graphic() && !b"\"\\'".contains(byte)) {
        line.extend_from_slice(bytes);
        return;
    }
    append_quoted(line, bytes);
}
