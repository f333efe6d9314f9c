//! Transcripts: files of requests, each with what followed from it on lines that begin with a blank, as Redis told it.

use std::path::{Path, PathBuf};

use crate::binary::ochre;

/// Panics unless Ochre tells what the file has, with one worker and with several. `told_by` says what a program tells, started
/// with so many workers if it is Ochre. The environment's `OCHRE_PEER`, if it is a Redis, is asked before; with
/// `OCHRE_RECORD` the file becomes what that tells.
pub fn follow_transcript(path: &Path, told_by: impl Fn(&Path, Option<usize>, &str) -> String) {
    let expected = std::fs::read_to_string(path).expect("a transcript");
    if let Some(peer) = std::env::var_os("OCHRE_PEER").map(PathBuf::from)
        && peer.file_name().is_some_and(|name| name.to_string_lossy().starts_with("redis"))
    {
        let told = told_by(&peer, None, &expected);
        if std::env::var_os("OCHRE_RECORD").is_some() {
            return std::fs::write(path, told).expect("a transcript that can be written");
        }
        compare(&told, &expected, "redis");
    }
    for workers in [1, 3] {
        compare(&told_by(ochre(), Some(workers), &expected), &expected, &format!("{workers} workers"));
    }
}

/// Compares line by line, so that the first difference is shown with its request.
fn compare(told: &str, expected: &str, who: &str) {
    let mut request = "";
    for (is, should) in told.lines().zip(expected.lines()) {
        if !should.starts_with(' ') {
            request = should;
        }
        assert_eq!(is, should, "{who}: after {request}");
    }
    assert_eq!(told.lines().count(), expected.lines().count(), "{who}");
}
