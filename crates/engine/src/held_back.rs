//! Keys that somebody waits for and that became ready while clients were paused.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use parking_lot::Mutex;

/// A key with its database.
type Named = (u32, Box<[u8]>);

/// Such keys, in the order in which they became ready.
#[derive(Debug, Default)]
pub(crate) struct HeldBack {
    keys: Mutex<Vec<Named>>,
    /// Whether there are any, readable without the lock.
    any: AtomicBool,
}

impl HeldBack {
    /// Adds keys, each once.
    pub(crate) fn add(&self, more: Vec<Named>) {
        let mut keys = self.keys.lock();
        for key in more {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        self.any.store(true, Relaxed);
    }

    /// Takes all.
    pub(crate) fn take(&self) -> Vec<Named> {
        if !self.any.load(Relaxed) {
            return Vec::new();
        }
        let mut keys = self.keys.lock();
        self.any.store(false, Relaxed);
        std::mem::take(&mut keys)
    }
}
