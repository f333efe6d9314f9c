//! House rules of the tree, as tests.
//!
//! Each rule is a function from the tracked files to findings; the test runs them all and shows every finding at once.
//! What may break a rule stands in `exceptions.txt` with its reason, and only as long as it breaks it: an exception
//! that is no longer needed is a finding too, so the tree can only get tidier.

mod exceptions;
mod manifest;
mod rust;
mod text;
mod tree;

pub use exceptions::Exceptions;
pub use tree::{SourceFile, tracked};

/// Every finding in `files`, one line each.
pub fn findings(files: &[SourceFile], exceptions: &Exceptions) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        text::check(file, &mut found);
        rust::check(file, exceptions, &mut found);
    }
    manifest::check(files, &mut found);
    found.extend(exceptions.unused());
    found
}
