//! A client's transaction: the queue of MULTI and what WATCH watches.

use std::sync::Arc;

use ochre_keyspace::WatchFlag;

use super::request::OwnedRequest;
use crate::call::Args;
use crate::command::{CommandEntry, CommandId, flags};

/// A command in the queue.
pub struct Queued {
    /// Which.
    pub command: CommandId,
    /// With what.
    pub request: OwnedRequest,
}

/// A key that is watched.
pub struct Watched {
    /// Its database.
    pub db: u32,
    /// Its name.
    pub key: Vec<u8>,
}

/// What a watched key costs its stripe, apart from its name: an entry of the map of watchers with one watcher.
const WATCHER_BYTES: usize = 96;

/// The state of MULTI and WATCH.
#[derive(Default)]
pub struct Transaction {
    /// Whether MULTI was called.
    pub open: bool,
    /// Whether a command could not be queued: EXEC will refuse.
    pub aborted: bool,
    /// The queue.
    pub queue: Vec<Queued>,
    /// Bytes of the queue.
    pub queue_bytes: usize,
    /// The database that the last SELECT of the queue selects.
    pub selected: Option<u32>,
    /// Union of the flags of the queued commands.
    pub flags: u64,
    /// What is watched.
    pub watched: Vec<Watched>,
    /// Bytes of that, what the keys' stripes remember of it included.
    pub watched_bytes: usize,
    /// Raised when something watched was changed; there is none before something is watched.
    pub flag: Option<Arc<WatchFlag>>,
}

impl Transaction {
    /// Has EXEC refuse; what was queued is not needed any more.
    pub fn abort(&mut self) {
        self.aborted = true;
        self.queue = Vec::new();
        (self.queue_bytes, self.flags) = (0, 0);
    }

    /// Whether something watched was changed.
    pub fn is_broken(&self) -> bool {
        self.flag.as_ref().is_some_and(|flag| flag.is_raised())
    }

    /// Adds a key to those that are watched.
    pub fn watch(&mut self, db: u32, key: &[u8]) {
        // The stripe keeps the name once more, and the flag.
        self.watched_bytes += size_of::<Watched>() + 2 * key.len() + WATCHER_BYTES;
        self.watched.push(Watched { db, key: key.to_vec() });
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.queue_bytes + self.watched_bytes
    }

    /// Adds a command to the queue; its flags are those that it has with these arguments.
    pub fn push(&mut self, entry: &CommandEntry, args: Args<'_>, command_flags: u64) {
        let request = OwnedRequest::copy(args);
        self.queue_bytes += request.memory_bytes() + size_of::<Queued>();
        self.flags |= command_flags;
        if entry.needs_all(args) {
            self.flags |= flags::WHOLE_KEYSPACE;
        }
        self.queue.push(Queued { command: entry.id, request });
    }
}
