//! Fields of hashes whose time has come.
//!
//! A hash hides them from reads, and they stay until somebody removes them: commands that touch one, through here, or a sweep
//! in the background. Their removal is no change of the one who finds them (it does not count as one), but the journal and
//! whoever watches the key or listens to its events are told. With its last field the key goes.

use ochre_types::hash::Hash;

use super::{Edit, View};
use crate::effects::event_class;
use crate::harvest::Withered;
use crate::hash::Key;

/// Fields that a command removes at most when it removes all that it finds.
const FIELDS_MAX: usize = 1000;

impl View<'_> {
    /// The time by which fields are judged, unix time in ms: the step's, or one at which none has expired, for a step that
    /// sees what has expired.
    #[inline]
    pub fn field_clock_ms(&self) -> i64 {
        let shows_all = self.keyspace.settings.keeps_expired() || self.sees_expired();
        if shows_all { i64::MIN } else { self.now_ms }
    }

    /// Whether a step may remove the fields that it finds expired.
    pub fn removes_fields(&self) -> bool {
        !self.keyspace.settings.hides_expired(self.now_ms)
    }

    /// Removes those of these fields of a key's hash that have expired, for a command that only reads it.
    #[cold]
    pub fn expire_fields<'a>(&mut self, db: u32, key: Key<'_>, names: impl Iterator<Item = &'a [u8]>) {
        let now_ms = self.field_clock_ms();
        self.wither(db, key, |hash, edit| names.for_each(|name| edit.expire_field(hash, name, now_ms)));
    }

    /// Removes the fields of a key's hash that have expired, a limited number of them.
    #[cold]
    pub fn expire_all_fields(&mut self, db: u32, key: Key<'_>) {
        let now_ms = self.field_clock_ms();
        self.wither(db, key, |hash, edit| {
            hash.expire_due(now_ms, FIELDS_MAX, &mut |name| edit.field_expired(name));
        });
    }

    fn wither(&mut self, db: u32, key: Key<'_>, remove: impl FnOnce(&mut Hash, &mut Edit)) {
        if !self.removes_fields() {
            return;
        }
        // The command that found them has moved the access clock as it should.
        let no_touch = std::mem::replace(&mut self.no_touch, true);
        // A key of another type has no fields.
        let _ = self.edit(db, key, remove);
        self.no_touch = no_touch;
    }

    /// What the removal of expired fields entails besides the removal, and besides its events.
    pub(super) fn note_expired_fields(&mut self, db: u32, key: Key<'_>, fields: &[Vec<u8>]) {
        self.stripe(key).counters.expired_fields += fields.len() as u64;
        if self.keyspace.journal.is_active() {
            let head: [&[u8]; 2] = [b"HDEL", key.bytes];
            let request: Vec<&[u8]> = head.into_iter().chain(fields.iter().map(Vec::as_slice)).collect();
            self.effects.unit.push(db, request.into_iter());
        }
    }

    /// What the removal of fields by a sweep entails.
    pub(super) fn note_withered(&mut self, db: u32, withered: &Withered) {
        let key = self.keyspace.key(&withered.key);
        self.note_expired_fields(db, key, &withered.fields);
        self.gone(db, key, false);
        self.notify_of_fields("hexpired", db, key.bytes, &withered.fields);
        if withered.is_gone {
            self.notify(event_class::GENERIC, "del", db, key.bytes);
        }
    }
}

impl Edit {
    /// Removes a field if it has expired at `now_ms`, for a command that touches it.
    pub fn expire_field(&mut self, hash: &mut Hash, name: &[u8], now_ms: i64) {
        if hash.has_expired(name, now_ms) {
            hash.remove(name);
            self.field_expired(name);
        }
    }
}
