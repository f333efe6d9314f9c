//! Rules for every text file: what is unfinished, and what an editor left behind.

use crate::tree::SourceFile;

/// Written apart, so that this file does not break its own rule.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

pub(crate) fn check(file: &SourceFile, found: &mut Vec<String>) {
    // Written by cargo.
    if file.path.ends_with("Cargo.lock") {
        return;
    }
    for (number, line) in (1..).zip(file.text.split('\n')) {
        let mut say = |what: &str| found.push(format!("{}:{number}: {what}", file.path));
        if line.contains('\t') && !file.path.ends_with("Makefile") {
            say("a tab");
        }
        if line.ends_with([' ', '\t', '\r']) {
            say("white space at the end of the line");
        }
        if let Some(word) = UNFINISHED.iter().find(|word| line.contains(*word)) {
            say(&format!("{word}: finish it, or write an issue"));
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        found.push(format!("{}: the last line has no end", file.path));
    }
}
