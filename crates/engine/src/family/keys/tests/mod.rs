//! Tests of the family through whole requests.

mod expire;
mod import;
mod journal;
mod object;
mod replies;
mod restore;
mod scan;
mod transfer;
mod wait;
mod watch;

use std::sync::Arc;

use ochre_keyspace::{Effects, JournalSink, Locks};
use parking_lot::Mutex;

use crate::testing::Harness;

/// Makes the time of a key come, without removing the key.
fn make_stale(harness: &Harness, db: u32, name: &str) {
    let keyspace = &harness.executor.engine.keyspace;
    let (keys, mut effects) = ([keyspace.key(name.as_bytes())], Effects::default());
    assert!(keyspace.view(Locks::Keys(&keys), 0, &mut effects).set_expire(db, keys[0], Some(1)), "{name}");
}

/// Keeps the journal.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<u8>>>);

impl JournalSink for Recorder {
    fn append(&mut self, _offset: u64, bytes: &[u8]) {
        self.0.lock().extend_from_slice(bytes);
    }
}

impl Recorder {
    fn attach(harness: &Harness) -> Recorder {
        let recorder = Recorder::default();
        harness.executor.engine.keyspace.journal.attach(Box::new(recorder.clone()));
        recorder
    }

    /// The commands since the last time, as words, with a semicolon between two.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let commands = text
            .split('*')
            .skip(1)
            .map(|command| command.split("\r\n").skip(2).step_by(2).collect::<Vec<_>>().join(" "));
        commands.collect::<Vec<_>>().join("; ")
    }
}
