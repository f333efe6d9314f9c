//! Values on their way from one key to another: RENAME, MOVE, COPY, RESTORE.
//!
//! The key that takes a value in counts as new, with a fresh access clock, even where it held something before: that is
//! how clients see it in the events. What was overwritten is returned, because its events come last.

use ochre_types::StrEncoding;

use super::{View, type_name};
use crate::effects::event_class;
use crate::entry::Entry;
use crate::hash::Key;
use crate::value::{NewValue, OwnedValue};

/// A key had a value that another one took the place of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overwritten {
    /// Of the same type.
    SameType,
    /// Of another type.
    OtherType,
}

impl View<'_> {
    /// Puts in a value that came from elsewhere, whatever the key held. Counts as one change.
    pub fn put(
        &mut self,
        db: u32,
        key: Key<'_>,
        value: OwnedValue,
        expire_ms: Option<i64>,
    ) -> Option<Overwritten> {
        value.hand_over(|value| self.put_new(db, key, value, expire_ms))
    }

    /// The same for a value that is not kept anywhere yet.
    pub fn put_new(
        &mut self,
        db: u32,
        key: Key<'_>,
        value: NewValue<'_>,
        expire_ms: Option<i64>,
    ) -> Option<Overwritten> {
        let old_type = self.detach(db, key);
        let new_type = match &value {
            NewValue::Object(object) => object.type_name(),
            _ => "string",
        };
        self.create(db, key, fitted(key.bytes.len(), value), expire_ms);
        old_type.map(|old| if old == new_type { Overwritten::SameType } else { Overwritten::OtherType })
    }

    /// Puts in a key that a file has, if there is none of that name yet; whether there was none.
    pub fn load(&mut self, db: u32, key: Key<'_>, value: NewValue<'_>, expire_ms: Option<i64>) -> bool {
        let is_new = self.table(db, key).find(key).is_none();
        if is_new {
            self.create_quietly(db, key, value, expire_ms);
        }
        is_new
    }

    /// Takes a key out to make room for another value of the same name; the name of its type.
    fn detach(&mut self, db: u32, key: Key<'_>) -> Option<&'static str> {
        let old = self.take_out(db, key)?;
        let name = type_name(old.as_ref());
        self.discard(Some(old));
        Some(name)
    }

    /// Takes a key out, uncounted and unknown to watchers.
    fn take_out(&mut self, db: u32, key: Key<'_>) -> Option<Entry> {
        let location = self.locate_to_write(db, key)?;
        let hasher = self.keyspace.hasher();
        let entry = self.table(db, key).remove(location, hasher);
        self.follow(db, key);
        entry
    }

    /// Moves a key's value and expiry to another key, possibly of another database, whatever that held. Counts as one
    /// change. `None` if the key is not there; otherwise what was overwritten.
    pub fn transfer(&mut self, from: (u32, Key<'_>), to: (u32, Key<'_>)) -> Option<Option<Overwritten>> {
        let entry = self.take_out(from.0, from.1)?;
        self.gone(from.0, from.1, true);
        let expire_ms = entry.as_ref().expire_ms();
        Some(self.put(to.0, to.1, entry.into_value(), expire_ms))
    }

    /// Adds the events of a value that was overwritten by [`View::put`] or [`View::transfer`], if there was one.
    pub fn notify_overwritten(&mut self, db: u32, key: Key<'_>, overwritten: Option<Overwritten>) {
        if overwritten.is_some() {
            self.notify(event_class::OVERWRITTEN, "overwritten", db, key.bytes);
        }
        if overwritten == Some(Overwritten::OtherType) {
            self.notify(event_class::TYPE_CHANGED, "type_changed", db, key.bytes);
        }
    }
}

/// A string that was embedded beside a short key is not embedded beside a long one.
fn fitted(key_len: usize, value: NewValue<'_>) -> NewValue<'_> {
    match value {
        NewValue::Bytes { bytes, raw } => {
            let raw = raw || StrEncoding::of_new_text(key_len, bytes.len()) == StrEncoding::Raw;
            NewValue::Bytes { bytes, raw }
        }
        other => other,
    }
}
