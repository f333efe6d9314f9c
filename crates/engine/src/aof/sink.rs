//! From the journal to the log.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use ochre_keyspace::JournalSink;
use ochre_persist::aof::{AppendLog, LogSink};

use crate::engine::{Engine, clock_ms};

/// Hands the journal's units over.
pub(super) struct Sink {
    pub(super) engine: Weak<Engine>,
    pub(super) log: Arc<AppendLog>,
    pub(super) sink: LogSink,
}

impl JournalSink for Sink {
    fn append(&mut self, offset: u64, bytes: &[u8]) {
        let now_s = if self.log.settings().has_timestamps() { clock_ms() / 1000 } else { 0 };
        self.sink.append(offset, bytes, now_s as u64);
        if self.log.admission().is_err()
            && let Some(engine) = self.engine.upgrade()
        {
            // Nobody else tells when too much waits for the disk.
            engine.restricted.store(true, Relaxed);
        }
    }
}
