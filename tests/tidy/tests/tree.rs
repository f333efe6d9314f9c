//! The rules, applied to this tree.

use std::path::Path;

use ochre_tidy::{Exceptions, findings, tracked};

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = tracked(&root).unwrap();
    assert!(files.iter().any(|file| file.path == "tests/tidy/src/lib.rs"), "git lists another tree");
    let exceptions = Exceptions::parse(include_str!("../exceptions.txt")).unwrap();
    let found = findings(&files, &exceptions);
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}
