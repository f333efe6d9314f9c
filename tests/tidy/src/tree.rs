//! The tracked files.

use std::path::Path;
use std::process::Command;

/// A text file of the tree.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path from the root, with slashes.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl SourceFile {
    /// Whether the file is only compiled for tests: integration tests, benchmarks and modules named for it.
    pub fn is_test(&self) -> bool {
        let folders: Vec<&str> = self.path.split('/').collect();
        // The folder `tests` at the root holds tools, each with a `src` of its own.
        let inner = folders.iter().skip(1).any(|folder| matches!(*folder, "tests" | "benches" | "fuzz"));
        inner || self.path.ends_with("/tests.rs") || self.path.ends_with("_tests.rs")
    }

    /// The lines before the first test module, numbered from 1.
    pub fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines()).take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }
}

/// The tracked text files of the repository at `root`. Errors when git cannot be asked.
pub fn tracked(root: &Path) -> Result<Vec<SourceFile>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    // A file that is deleted but not yet committed cannot be read, and what is not UTF-8 is no text.
    let read = |path: &str| {
        Some(SourceFile { path: path.to_owned(), text: std::fs::read_to_string(root.join(path)).ok()? })
    };
    Ok(names.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect())
}
