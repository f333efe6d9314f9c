//! WATCH's side of the keys.

use std::sync::Arc;

use super::View;
use crate::hash::Key;
use crate::watch::WatchFlag;

impl View<'_> {
    /// Watches a key: `flag` is raised when it changes. Whether that is new.
    pub fn watch(&mut self, db: u32, key: Key<'_>, flag: &Arc<WatchFlag>) -> bool {
        let is_stale = self.is_expired(db, key);
        self.stripe(key).watchers.add(db, key.bytes, flag, is_stale)
    }

    /// Whether a watched key's time has come since it was watched; removed keys raise the flag instead.
    pub fn has_watched_expired(&mut self, db: u32, key: Key<'_>, flag: &Arc<WatchFlag>) -> bool {
        self.is_expired(db, key) && !self.stripe(key).watchers.is_stale(db, key.bytes, flag)
    }

    /// No longer watches a key.
    pub fn unwatch(&mut self, db: u32, key: Key<'_>, flag: &Arc<WatchFlag>) {
        self.stripe(key).watchers.remove(db, key.bytes, flag);
    }
}
