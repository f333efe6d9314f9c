//! Who wants to know that a key was changed before their EXEC.
//!
//! A key whose time has come but that nobody has removed yet is *stale*: to clients it is not there. Its removal is no
//! change for those who began to watch it when it was stale already, but it is one for those who saw it alive.

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

/// What a table has under a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presence {
    /// Nothing.
    Absent,
    /// A key whose time has come.
    Expired,
    /// A key.
    Live,
}

#[derive(Debug)]
struct Watcher {
    flag: Arc<WatchFlag>,
    /// Whether what is watched is a key whose time had come before.
    is_stale: bool,
}

impl Watcher {
    /// The key was set or removed; `is_there` tells which.
    fn changed(&mut self, is_there: bool) {
        match self.is_stale && !is_there {
            true => self.is_stale = false,
            false => self.flag.raise(),
        }
    }

    /// The whole database became another one.
    fn replaced(&mut self, before: Presence, after: Presence) {
        match (self.is_stale, before, after) {
            (_, Presence::Absent, Presence::Absent) | (true, _, Presence::Expired) => {}
            (true, _, Presence::Absent) => self.is_stale = false,
            (false, Presence::Absent, Presence::Expired) => self.is_stale = true,
            _ => self.flag.raise(),
        }
    }
}

/// The watchers of one stripe's keys.
#[derive(Debug, Default)]
pub struct Watchers {
    keys: HashMap<(u32, Box<[u8]>), Vec<Watcher>>,
}

impl Watchers {
    /// The number of watched keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Adds a watcher; whether it does not watch the key already. `is_stale`: the key is there, but its time has come.
    pub fn add(&mut self, db: u32, key: &[u8], flag: &Arc<WatchFlag>, is_stale: bool) -> bool {
        let watchers = self.keys.entry((db, key.into())).or_default();
        let is_new = !watchers.iter().any(|other| Arc::ptr_eq(&other.flag, flag));
        if is_new {
            watchers.push(Watcher { flag: Arc::clone(flag), is_stale });
        }
        is_new
    }

    /// Removes a watcher.
    pub fn remove(&mut self, db: u32, key: &[u8], flag: &Arc<WatchFlag>) {
        let name = (db, key.into());
        if let Some(watchers) = self.keys.get_mut(&name) {
            watchers.retain(|other| !Arc::ptr_eq(&other.flag, flag));
            if watchers.is_empty() {
                self.keys.remove(&name);
            }
        }
    }

    /// Whether what somebody watches is a key whose time had come before.
    pub fn is_stale(&self, db: u32, key: &[u8], flag: &Arc<WatchFlag>) -> bool {
        let watchers = self.keys.get(&(db, Box::from(key)));
        let is_stale = |other: &Watcher| other.is_stale && Arc::ptr_eq(&other.flag, flag);
        watchers.is_some_and(|watchers| watchers.iter().any(is_stale))
    }

    /// Tells the watchers of a key that it was changed. `is_there`: whether there is such a key now.
    pub fn raise(&mut self, db: u32, key: &[u8], is_there: impl FnOnce() -> bool) {
        if let Some(watchers) = self.keys.get_mut(&(db, Box::from(key))) {
            let is_there = is_there();
            watchers.iter_mut().for_each(|watcher| watcher.changed(is_there));
        }
    }

    /// Tells the watchers of a database's keys that it became another one, given by what was there and what is.
    pub(crate) fn replace(
        &mut self,
        db: u32,
        before: impl Fn(&[u8]) -> Presence,
        after: impl Fn(&[u8]) -> Presence,
    ) {
        for ((_, key), watchers) in self.keys.iter_mut().filter(|((of, _), _)| *of == db) {
            let (before, after) = (before(key), after(key));
            watchers.iter_mut().for_each(|watcher| watcher.replaced(before, after));
        }
    }
}
