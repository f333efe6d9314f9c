//! The files a configuration reads, behind a trait, so that tests own them and the parser opens nothing.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use ochre_types::{Case, glob_match};

/// What loading needs of a file system. Relative paths are relative to the current directory, which a `dir` directive
/// changes while the configuration is being read.
pub trait FileSource {
    /// The content of a file.
    ///
    /// # Errors
    /// The operating system's.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The existing paths that a pattern with `*`, `?` or `[` matches, in order; none if it matches nothing.
    ///
    /// # Errors
    /// The operating system's, other than that a directory does not exist.
    fn expand(&self, pattern: &Path) -> io::Result<Vec<PathBuf>>;

    /// The path from the root of the file system.
    ///
    /// # Errors
    /// The operating system's.
    fn absolute(&self, path: &Path) -> io::Result<PathBuf>;

    /// Makes a directory the current one and returns its absolute path.
    ///
    /// # Errors
    /// The operating system's.
    fn enter(&self, dir: &Path) -> io::Result<PathBuf>;

    /// Makes sure that a file can be appended to, creating it if need be.
    ///
    /// # Errors
    /// The operating system's.
    fn probe_append(&self, path: &Path) -> io::Result<()>;
}

/// The real file system. [`FileSource::enter`] changes the process's working directory, as `dir` is meant to.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemFiles;

impl FileSource for SystemFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn expand(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = vec![PathBuf::new()];
        for component in pattern.components() {
            found = descend(&found, component)?;
        }
        Ok(found)
    }

    fn absolute(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(std::env::current_dir()?.join(path))
    }

    fn enter(&self, dir: &Path) -> io::Result<PathBuf> {
        std::env::set_current_dir(dir)?;
        std::env::current_dir()
    }

    fn probe_append(&self, path: &Path) -> io::Result<()> {
        std::fs::OpenOptions::new().append(true).create(true).open(path).map(drop)
    }
}

/// A file system without files, for checking a text by itself: tools, tests, fuzzing. Any directory can be entered and
/// any log file appended to.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl FileSource for NoFiles {
    fn read(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn expand(&self, _pattern: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }

    fn absolute(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(Path::new("/").join(path))
    }

    fn enter(&self, dir: &Path) -> io::Result<PathBuf> {
        self.absolute(dir)
    }

    fn probe_append(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The paths below `parents` that one component of a pattern matches, in order.
fn descend(parents: &[PathBuf], component: Component<'_>) -> io::Result<Vec<PathBuf>> {
    let name = component.as_os_str();
    let pattern = name.as_encoded_bytes();
    let mut found = Vec::new();
    for parent in parents {
        if has_wildcard(pattern) {
            let mut names = list(parent)?;
            names.retain(|name| component_matches(pattern, name.as_encoded_bytes()));
            names.sort();
            found.extend(names.iter().map(|name| parent.join(name)));
        } else {
            let path = parent.join(name);
            if path.try_exists().unwrap_or(false) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// Whether a path is a pattern.
pub(crate) fn has_wildcard(path: &[u8]) -> bool {
    path.iter().any(|byte| b"*?[".contains(byte))
}

/// A name that begins with a dot is matched by a pattern that does too. Shells negate a class with `!`.
fn component_matches(pattern: &[u8], name: &[u8]) -> bool {
    let mut pattern = pattern.to_vec();
    for at in 1..pattern.len() {
        if pattern[at - 1] == b'[' && pattern[at] == b'!' {
            pattern[at] = b'^';
        }
    }
    name.starts_with(b".") == pattern.starts_with(b".") && glob_match(&pattern, name, Case::Sensitive)
}

fn list(dir: &Path) -> io::Result<Vec<OsString>> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    match std::fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name())).collect(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}
