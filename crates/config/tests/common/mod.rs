//! A file system in memory, and the shortest way to load a text from it.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ochre_config::{Config, ConfigError, FileSource, Loaded};

/// Files by absolute path. Patterns know a `*` in the last component only.
pub struct MemoryFiles {
    files: BTreeMap<PathBuf, Vec<u8>>,
    dirs: Vec<PathBuf>,
    current: RefCell<PathBuf>,
}

impl MemoryFiles {
    pub fn new(files: &[(&str, &str)]) -> MemoryFiles {
        let files: BTreeMap<PathBuf, Vec<u8>> =
            files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect();
        let mut dirs: Vec<PathBuf> =
            files.keys().flat_map(|path| path.ancestors().skip(1).map(Path::to_path_buf)).collect();
        dirs.push("/".into());
        dirs.push("/start".into());
        MemoryFiles { files, dirs, current: RefCell::new("/start".into()) }
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.current.borrow().join(path)
    }
}

impl FileSource for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(&self.resolve(path)).cloned().ok_or_else(not_found)
    }

    fn expand(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let pattern = self.resolve(pattern);
        let (dir, name) = (pattern.parent().unwrap(), pattern.file_name().unwrap().to_str().unwrap());
        let (before, after) = name.split_once('*').unwrap();
        let matches = |path: &&PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            path.parent() == Some(dir) && name.starts_with(before) && name.ends_with(after)
        };
        Ok(self.files.keys().filter(matches).cloned().collect())
    }

    fn absolute(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.resolve(path))
    }

    fn enter(&self, dir: &Path) -> io::Result<PathBuf> {
        let dir = self.resolve(dir);
        if !self.dirs.contains(&dir) {
            return Err(not_found());
        }
        self.current.replace(dir.clone());
        Ok(dir)
    }

    fn probe_append(&self, path: &Path) -> io::Result<()> {
        let path = self.resolve(path);
        if self.dirs.iter().any(|dir| path.parent() == Some(dir)) { Ok(()) } else { Err(not_found()) }
    }
}

fn not_found() -> io::Error {
    io::Error::from_raw_os_error(2)
}

/// Loads a text into a fresh configuration, without any files.
pub fn load(text: &str) -> Result<(Config, Loaded), ConfigError> {
    load_with(text, &MemoryFiles::new(&[]))
}

/// Loads a text into a fresh configuration.
pub fn load_with(text: &str, files: &MemoryFiles) -> Result<(Config, Loaded), ConfigError> {
    let mut config = Config::new();
    let loaded = config.load_text(text.as_bytes(), false, files)?;
    Ok((config, loaded))
}

/// What CONFIG GET answers for one name.
pub fn get(config: &Config, name: &str) -> String {
    let found = config.get(&[name]);
    assert_eq!(found.len(), 1, "{name}");
    String::from_utf8(found[0].1.clone()).unwrap()
}
