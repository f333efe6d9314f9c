//! Where the log's files are, and how they are called. The names are Redis's; its tools and people's scripts rely on them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What a base is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BaseFormat {
    /// A snapshot.
    Rdb,
    /// Commands.
    Aof,
}

/// The directory and the names of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// `dir`; empty for the working directory.
    pub dir: PathBuf,
    /// `appenddirname`.
    pub dirname: OsString,
    /// `appendfilename`.
    pub filename: OsString,
}

impl Layout {
    /// The names of a log in the working directory.
    pub fn new(dirname: impl Into<OsString>, filename: impl Into<OsString>) -> Layout {
        Layout { dir: PathBuf::new(), dirname: dirname.into(), filename: filename.into() }
    }

    /// The directory of the log.
    pub fn directory(&self) -> PathBuf {
        self.dir.join(&self.dirname)
    }

    /// A file in the directory.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory().join(name)
    }

    /// The manifest's name.
    pub fn manifest_name(&self) -> OsString {
        self.named("", ".manifest")
    }

    /// The name of a manifest that is being written.
    pub fn temporary_manifest_name(&self) -> OsString {
        self.named("temp-", ".manifest")
    }

    /// The name of a base.
    pub fn base_name(&self, seq: i64, format: BaseFormat) -> OsString {
        let suffix = match format {
            BaseFormat::Rdb => "rdb",
            BaseFormat::Aof => "aof",
        };
        self.named("", &format!(".{seq}.base.{suffix}"))
    }

    /// The name of an incremental file.
    pub fn incremental_name(&self, seq: i64) -> OsString {
        self.named("", &format!(".{seq}.incr.aof"))
    }

    /// The name of the incremental file that is filled while the first base is written.
    pub fn temporary_incremental_name(&self) -> OsString {
        self.named("temp-", ".incr")
    }

    /// The name of a base that the process of this number is writing.
    pub fn temporary_base_name(&self, pid: u32) -> OsString {
        format!("temp-rewriteaof-bg-{pid}.aof").into()
    }

    /// The one file that versions before 7.0 kept, outside the directory.
    pub fn old_file(&self) -> PathBuf {
        self.dir.join(&self.filename)
    }

    /// Whether a file is one that was being written when the process ended, and is nothing without it.
    pub fn is_temporary(&self, name: &OsStr) -> bool {
        let is_base = name
            .to_str()
            .is_some_and(|name| name.starts_with("temp-rewriteaof-bg-") && name.ends_with(".aof"));
        is_base || name == self.temporary_manifest_name() || name == self.temporary_incremental_name()
    }

    fn named(&self, before: &str, behind: &str) -> OsString {
        let mut name = OsString::from(before);
        name.push(&self.filename);
        name.push(behind);
        name
    }
}
