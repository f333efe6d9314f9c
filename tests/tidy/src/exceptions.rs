//! What may break a rule, with the reason.
//!
//! One record a line: `unsafe PATH: REASON`, `file PATH LINES: REASON` or `function PATH NAME LINES: REASON`. Lines
//! that begin with `#` are comments. A number is the most that is allowed.

use std::cell::Cell;

#[derive(Debug)]
struct Exception {
    /// The words before the number.
    subject: String,
    /// The most lines allowed.
    lines_max: usize,
    used: Cell<bool>,
}

/// The exceptions of the tree.
#[derive(Debug, Default)]
pub struct Exceptions(Vec<Exception>);

impl Exceptions {
    /// Reads the file. Errors with the first line that is no record.
    pub fn parse(file: &str) -> Result<Self, String> {
        let lines = file.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        lines.map(parse_line).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `subject` may have `lines` lines (0 where no number is meant).
    pub(crate) fn allow(&self, subject: &str, lines: usize) -> bool {
        let found = self.0.iter().find(|exception| exception.subject == subject);
        found.is_some_and(|exception| {
            exception.used.set(true);
            lines <= exception.lines_max
        })
    }

    /// A finding for each exception that nothing needed since it was read.
    pub(crate) fn unused(&self) -> Vec<String> {
        let idle = self.0.iter().filter(|exception| !exception.used.get());
        idle.map(|exception| format!("exceptions.txt: `{}` is no longer needed", exception.subject)).collect()
    }
}

fn parse_line(line: &str) -> Result<Exception, String> {
    let malformed = || format!("not an exception with a reason: {line}");
    let (record, reason) = line.split_once(": ").ok_or_else(malformed)?;
    let words: Vec<&str> = record.split(' ').collect();
    let lines_max = match words[..] {
        ["unsafe", _] => Some(0),
        ["file", _, lines] | ["function", _, _, lines] => lines.parse().ok(),
        _ => None,
    };
    let subject = if words[0] == "unsafe" { record.to_owned() } else { words[..words.len() - 1].join(" ") };
    match lines_max {
        Some(lines_max) if !reason.trim().is_empty() => {
            Ok(Exception { subject, lines_max, used: Cell::new(false) })
        }
        _ => Err(malformed()),
    }
}
