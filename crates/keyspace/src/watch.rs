//! Who wants to know that a key was changed before their EXEC.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Raised when a watched key was changed; shared by a client and the stripes of the keys it watches.
#[derive(Debug, Default)]
pub struct WatchFlag(AtomicBool);

impl WatchFlag {
    /// Raises the flag.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was raised.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The watchers of one stripe's keys.
#[derive(Debug, Default)]
pub struct Watchers {
    keys: HashMap<(u32, Box<[u8]>), Vec<Arc<WatchFlag>>>,
}

impl Watchers {
    /// Whether nobody watches anything here.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of watched keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Adds a watcher.
    pub fn add(&mut self, db: u32, key: &[u8], flag: &Arc<WatchFlag>) {
        self.keys.entry((db, key.into())).or_default().push(Arc::clone(flag));
    }

    /// Removes a watcher.
    pub fn remove(&mut self, db: u32, key: &[u8], flag: &Arc<WatchFlag>) {
        let name = (db, key.into());
        if let Some(flags) = self.keys.get_mut(&name) {
            flags.retain(|other| !Arc::ptr_eq(other, flag));
            if flags.is_empty() {
                self.keys.remove(&name);
            }
        }
    }

    /// Tells the watchers of a key.
    pub fn raise(&self, db: u32, key: &[u8]) {
        if let Some(flags) = self.keys.get(&(db, Box::from(key))) {
            flags.iter().for_each(|flag| flag.raise());
        }
    }

    /// Tells the watchers of all keys of a database for which `concerns` holds.
    pub fn raise_where(&self, db: u32, concerns: impl Fn(&[u8]) -> bool) {
        for ((_, key), flags) in self.keys.iter().filter(|((of, _), _)| *of == db) {
            if concerns(key) {
                flags.iter().for_each(|flag| flag.raise());
            }
        }
    }
}
