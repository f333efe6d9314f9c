//! The logs of remarkable commands: slow ones, large requests, large replies (SLOWLOG and COMMANDLOG).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

/// At most so many arguments of a command are kept.
const ARGS_MAX: usize = 32;
/// At most so many bytes of each.
const ARG_BYTES_MAX: usize = 128;

/// What made a command remarkable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogKind {
    /// It took long.
    Slow,
    /// Its arguments were large.
    LargeRequest,
    /// Its reply was large.
    LargeReply,
}

/// A remarkable command.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its number in this log.
    pub id: u64,
    /// When, unix time in s.
    pub time_s: i64,
    /// How long (us) or how large (bytes).
    pub value: i64,
    /// Its arguments, shortened.
    pub args: Vec<Vec<u8>>,
    /// The client's address.
    pub address: String,
    /// The client's name.
    pub name: Vec<u8>,
}

#[derive(Debug, Default)]
struct Log {
    entries: Mutex<VecDeque<LogEntry>>,
    next_id: AtomicU64,
}

/// All three logs.
#[derive(Debug, Default)]
pub struct CommandLogs {
    logs: [Log; 3],
}

impl CommandLogs {
    /// Adds an entry at the front (its number is given here) and keeps the newest `max_len`. A log of length 0 is
    /// switched off: it gives no numbers either.
    pub fn add(&self, kind: LogKind, mut entry: LogEntry, max_len: usize) {
        if max_len == 0 {
            return;
        }
        let log = &self.logs[kind as usize];
        let mut entries = log.entries.lock();
        entry.id = log.next_id.fetch_add(1, Relaxed);
        entries.push_front(entry);
        entries.truncate(max_len);
    }

    /// The newest entries, at most `count` of them.
    pub fn newest(&self, kind: LogKind, count: usize) -> Vec<LogEntry> {
        self.logs[kind as usize].entries.lock().iter().take(count).cloned().collect()
    }

    /// The number of entries.
    pub fn len(&self, kind: LogKind) -> usize {
        self.logs[kind as usize].entries.lock().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self, kind: LogKind) -> bool {
        self.len(kind) == 0
    }

    /// Forgets all entries of a log.
    pub fn reset(&self, kind: LogKind) {
        self.logs[kind as usize].entries.lock().clear();
    }
}

/// Arguments as a log keeps them: the first ones, each shortened, with a note of what is missing.
pub fn shorten<'a>(args: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let count = args.len();
    let kept = if count > ARGS_MAX { ARGS_MAX - 1 } else { count };
    let mut short: Vec<Vec<u8>> = args.take(kept).map(shorten_one).collect();
    if kept < count {
        short.push(format!("... ({} more arguments)", count - kept).into_bytes());
    }
    short
}

fn shorten_one(arg: &[u8]) -> Vec<u8> {
    if arg.len() <= ARG_BYTES_MAX {
        return arg.to_vec();
    }
    let mut short = arg[..ARG_BYTES_MAX].to_vec();
    short.extend_from_slice(format!("... ({} more bytes)", arg.len() - ARG_BYTES_MAX).as_bytes());
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LogEntry {
        LogEntry { id: 0, time_s: 0, value: 0, args: Vec::new(), address: String::new(), name: Vec::new() }
    }

    #[test]
    fn a_log_that_is_off_gives_no_numbers() {
        let logs = CommandLogs::default();
        for max_len in [2, 0, 0, 2, 2] {
            logs.add(LogKind::Slow, entry(), max_len);
        }
        let numbers: Vec<u64> = logs.newest(LogKind::Slow, 9).iter().map(|entry| entry.id).collect();
        assert_eq!(numbers, [2, 1]);
        assert!(logs.is_empty(LogKind::LargeReply));
    }
}
