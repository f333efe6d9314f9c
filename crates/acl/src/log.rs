//! What was refused lately.
//!
//! A refusal like one of the ten newest entries, within a minute of it, is counted there instead of making a new entry. What
//! entries quote of a client is cut to [`QUOTED_MAX`] bytes: names of keys may be as long as values.

use std::collections::VecDeque;

use crate::request::Reason;

/// Entries among which alike ones are looked for.
const LOOKED_AT: usize = 10;
/// Alike refusals this far apart are told apart, ms.
const ALIKE_MS: i64 = 60_000;
/// So much of a name is kept, bytes.
const QUOTED_MAX: usize = 16 * 1024;

/// Where a command was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Context {
    /// By itself.
    TopLevel,
    /// In a transaction.
    Multi,
    /// In a script.
    Lua,
    /// In a script of another language.
    Script,
}

impl Context {
    /// The word of ACL LOG.
    pub fn word(self) -> &'static str {
        match self {
            Context::TopLevel => "toplevel",
            Context::Multi => "multi",
            Context::Lua => "lua",
            Context::Script => "script",
        }
    }
}

/// A refusal.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// What was missing.
    pub reason: Reason,
    /// Where.
    pub context: Context,
    /// The command, key, channel or database that it is about.
    pub object: &'a [u8],
    /// Whose command it was, or who was to be authenticated.
    pub user: &'a [u8],
    /// The client, as CLIENT LIST shows it.
    pub client: Vec<u8>,
}

/// One or several refusals that are alike.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// How many.
    pub count: u64,
    /// What was missing.
    pub reason: Reason,
    /// Where.
    pub context: Context,
    /// The command, key, channel or database that it is about.
    pub object: Vec<u8>,
    /// The user.
    pub user: Vec<u8>,
    /// The client, as CLIENT LIST showed it at the last refusal.
    pub client: Vec<u8>,
    /// The entry's number.
    pub id: u64,
    /// When it was made, unix time in ms.
    pub created_ms: i64,
    /// When the last refusal was, unix time in ms.
    pub updated_ms: i64,
}

impl LogEntry {
    fn is_alike(&self, event: &Event<'_>, now_ms: i64) -> bool {
        self.reason == event.reason
            && self.context == event.context
            && (now_ms - self.updated_ms).abs() <= ALIKE_MS
            && self.object == cut(event.object)
            && self.user == cut(event.user)
    }
}

fn cut(name: &[u8]) -> &[u8] {
    &name[..name.len().min(QUOTED_MAX)]
}

/// The log, newest entry first.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<LogEntry>,
    next_id: u64,
}

impl Log {
    /// Adds a refusal; the log has at most `len_max` entries afterwards.
    pub fn add(&mut self, event: Event<'_>, now_ms: i64, len_max: usize) {
        if len_max > 0 {
            let alike = self.entries.iter().take(LOOKED_AT).position(|entry| entry.is_alike(&event, now_ms));
            let entry = match alike.and_then(|index| self.entries.remove(index)) {
                Some(entry) => {
                    LogEntry { count: entry.count + 1, client: event.client, updated_ms: now_ms, ..entry }
                }
                None => self.new_entry(event, now_ms),
            };
            self.entries.push_front(entry);
        }
        self.entries.truncate(len_max);
    }

    fn new_entry(&mut self, event: Event<'_>, now_ms: i64) -> LogEntry {
        let id = self.next_id;
        self.next_id += 1;
        LogEntry {
            count: 1,
            reason: event.reason,
            context: event.context,
            object: cut(event.object).to_vec(),
            user: cut(event.user).to_vec(),
            client: event.client,
            id,
            created_ms: now_ms,
            updated_ms: now_ms,
        }
    }

    /// Forgets all entries; their numbers are not given again.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// All entries, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &LogEntry> {
        self.entries.iter()
    }
}
