//! The door to values of data types: lists, sets, hashes and what else is no string.
//!
//! A handler says what it does to a value and gets at it nowhere else. All that a change entails is done here: the key is
//! made when there is something to put in, and removed when nothing is left, with the events that go with it, in the
//! order in which Redis tells them: that the key is new, what the change says of itself, that the key is gone.

use std::sync::atomic::Ordering::Relaxed;

use ochre_types::{DataType, ObjectMut, ObjectRef, Pinned};

use super::{Expiry, View, stripe_of};
use crate::effects::event_class;
use crate::entry::EntryRef;
use crate::hash::Key;
use crate::table::Location;
use crate::value::{NewValue, ValueRef};

/// A key holds a value of another type than the one that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrongType;

/// The event of fields whose time had come; which they are is known once the change is made.
const EXPIRED_FIELDS: &str = "hexpired";

/// What a change says of itself while it is made.
#[derive(Debug)]
pub struct Edit {
    dirty: u64,
    /// Changes that are counted and not told to those who watch the key.
    counted: u64,
    /// Whether it counts as a change although nothing has changed.
    is_touched: bool,
    /// Whether those who wait for the key are to look again.
    wakes: bool,
    /// The classes of events that somebody listens to.
    wanted: u32,
    events: Vec<(u32, &'static str, Vec<Vec<u8>>)>,
    /// Fields of a hash that were removed because their time had come.
    expired_fields: Vec<Vec<u8>>,
    /// How many fields of a hash the command removed by giving them a time that has passed.
    removed_as_expired: u64,
}

impl Edit {
    fn new(wanted: u32) -> Edit {
        Edit {
            dirty: 0,
            counted: 0,
            is_touched: false,
            wakes: false,
            wanted,
            events: Vec::new(),
            expired_fields: Vec::new(),
            removed_as_expired: 0,
        }
    }

    /// So many things have changed (elements added, fields removed, ...), as `rdb_changes_since_last_save` counts them. A
    /// change that says neither this, nor [`Edit::touched`], nor [`Edit::counted`] is none.
    #[inline]
    pub fn changed(&mut self, things: usize) {
        self.dirty += things as u64;
    }

    /// A field of a hash was removed because its time had come. That is no change of the command that does it; the journal
    /// hears of it before the command, and an event tells it, one for all fields.
    pub fn field_expired(&mut self, name: &[u8]) {
        if self.expired_fields.is_empty() {
            self.notify(event_class::HASH, EXPIRED_FIELDS);
        }
        self.expired_fields.push(name.to_vec());
    }

    /// So many fields of a hash were removed since the command gave them a time that has passed: a change of the command like
    /// others, but they count as expired.
    #[inline]
    pub fn removed_as_expired(&mut self, fields: usize) {
        self.removed_as_expired += fields as u64;
    }

    /// The change is to be told as one, even if nothing has changed that is counted.
    #[inline]
    pub fn touched(&mut self) {
        self.is_touched = true;
    }

    /// So many things have changed beside what the key is watched for (what readers of a stream have done with it): counted,
    /// but not told to those who watch the key or wait for it.
    #[inline]
    pub fn counted(&mut self, things: usize) {
        self.counted += things as u64;
    }

    /// Has those who wait for the key look again, whatever has changed.
    pub fn wake(&mut self) {
        self.wakes = true;
    }

    fn total(&self) -> u64 {
        self.dirty + self.counted
    }

    /// Adds an event about the key, for those who listen to its class.
    #[inline]
    pub fn notify(&mut self, class: u32, name: &'static str) {
        if self.wanted & class != 0 {
            self.events.push((class, name, Vec::new()));
        }
    }

    /// Adds an event about some fields of the key's hash.
    #[inline]
    pub fn notify_of_fields<'n>(&mut self, name: &'static str, fields: impl IntoIterator<Item = &'n [u8]>) {
        if self.wanted & event_class::HASH != 0 {
            let is_wanted = self.wanted & event_class::SUBKEYS != 0;
            let subkeys = fields.into_iter().filter(|_| is_wanted).map(<[u8]>::to_vec).collect();
            self.events.push((event_class::HASH, name, subkeys));
        }
    }
}

/// What became of a key whose value was edited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edited {
    /// It is still there, or still not there.
    Kept,
    /// It was not there before.
    Created,
    /// It was there, and nothing was left in it.
    Removed,
}

impl View<'_> {
    /// A key's value for a command that reads it: counted as a hit or a miss, its access clock moved.
    ///
    /// # Errors
    /// The key holds another type.
    #[inline]
    pub fn read_as<T: DataType>(&mut self, db: u32, key: Key<'_>) -> Result<Option<&T>, WrongType> {
        self.read(db, key).map(typed).transpose()
    }

    /// A key's value without a trace: not counted, its access clock left alone.
    ///
    /// # Errors
    /// The key holds another type.
    pub fn peek_as<T: DataType>(&mut self, db: u32, key: Key<'_>) -> Result<Option<&T>, WrongType> {
        self.peek(db, key).map(typed).transpose()
    }

    /// What `pin` makes of a key's value: to be read later, without its lock, as it is now. Without a trace; a command that
    /// reads has read the value before. `None` if there is no such key, or it holds another type.
    pub fn pin<T: DataType, P>(&mut self, db: u32, key: Key<'_>, pin: impl FnOnce(&mut T) -> P) -> Option<P> {
        self.object_mut(db, key).and_then(T::of_mut).map(pin)
    }

    /// The same for a value of whatever type.
    pub fn pin_any(&mut self, db: u32, key: Key<'_>) -> Option<Pinned> {
        self.object_mut(db, key).map(ObjectMut::pin)
    }

    /// Not to be changed, only pinned.
    fn object_mut(&mut self, db: u32, key: Key<'_>) -> Option<ObjectMut<'_>> {
        let location = self.locate(db, key)?;
        self.table(db, key).entry_in_place(location)?.into_object()
    }

    /// A key's entry as it is at this moment, without a trace and without removing it if its time has come; `None` then,
    /// too. Several can be looked at together, unlike with the methods that may remove a key: for commands that compare values.
    pub fn glance(&self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let table = &stripe_of(&self.held, self.keyspace.stripe_of(key.hash.position())).tables[db as usize];
        let entry = table.entry(table.find(key)?)?;
        let has_passed = entry.expire_ms().is_some_and(|expire_ms| expire_ms <= self.now_ms);
        (!has_passed || self.sees_expired()).then_some(entry)
    }

    /// A key's entry as the table has it, whether or not its time has come: for who looks for bugs.
    pub fn stored(&self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let table = &stripe_of(&self.held, self.keyspace.stripe_of(key.hash.position())).tables[db as usize];
        table.entry(table.find(key)?)
    }

    /// [`View::glance`] at a value.
    ///
    /// # Errors
    /// The key holds another type.
    pub fn glance_as<T: DataType>(&self, db: u32, key: Key<'_>) -> Result<Option<&T>, WrongType> {
        self.glance(db, key).map(typed).transpose()
    }

    /// Changes a key's value, if the key is there; its access clock moves. `change` gets the value and an [`Edit`] to tell
    /// what it did. A value in which nothing is left goes, with its key. `None` if there is no such key.
    ///
    /// # Errors
    /// The key holds another type; nothing was changed.
    #[inline]
    pub fn edit<T: DataType, R>(
        &mut self,
        db: u32,
        key: Key<'_>,
        change: impl FnOnce(&mut T, &mut Edit) -> R,
    ) -> Result<Option<(R, Edited)>, WrongType> {
        match self.locate_to_write(db, key) {
            Some(location) => self.edit_at(db, key, location, change).map(Some),
            None => Ok(None),
        }
    }

    /// Changes a key's value, which is an empty one to begin with if the key is not there. The key is made if something is
    /// in it then. Otherwise as [`View::edit`].
    ///
    /// # Errors
    /// The key holds another type; nothing was changed.
    #[inline]
    pub fn edit_or_create<T: DataType, R>(
        &mut self,
        db: u32,
        key: Key<'_>,
        change: impl FnOnce(&mut T, &mut Edit) -> R,
    ) -> Result<(R, Edited), WrongType> {
        match self.locate_to_write(db, key) {
            Some(location) => self.edit_at(db, key, location, change),
            None => Ok(self.create_edited(db, key, change)),
        }
    }

    #[inline]
    fn edit_at<T: DataType, R>(
        &mut self,
        db: u32,
        key: Key<'_>,
        location: Location,
        change: impl FnOnce(&mut T, &mut Edit) -> R,
    ) -> Result<(R, Edited), WrongType> {
        let mut edit = Edit::new(self.keyspace.settings.notify_classes.load(Relaxed));
        let entry = self.table(db, key).entry_mut(location).ok_or(WrongType)?;
        let value = entry.into_object().and_then(T::of_mut).ok_or(WrongType)?;
        let before_ms = value.next_expiry_ms();
        let result = change(value, &mut edit);
        let (is_vain, after_ms) = (value.is_vain(), value.next_expiry_ms());
        if before_ms != after_ms {
            self.table(db, key).fields_moved(location, before_ms.is_some(), after_ms.is_some());
        }
        if !self.no_touch {
            self.touch(db, key, location, self.keyspace.settings.policy());
        }
        let edited = if is_vain { Edited::Removed } else { Edited::Kept };
        self.finish_edit(db, key, edit, edited);
        Ok((result, edited))
    }

    fn create_edited<T: DataType, R>(
        &mut self,
        db: u32,
        key: Key<'_>,
        change: impl FnOnce(&mut T, &mut Edit) -> R,
    ) -> (R, Edited) {
        let mut edit = Edit::new(self.keyspace.settings.notify_classes.load(Relaxed));
        let mut value = T::default();
        let result = change(&mut value, &mut edit);
        if value.is_vain() {
            if edit.dirty > 0 {
                self.note_passing(db, key, &edit);
            }
            return (result, Edited::Kept);
        }
        let counts = self.counts(key);
        self.create(db, key, NewValue::Object(value.into_object()), None);
        self.set_counts(key, counts, &edit);
        self.notify_all(db, key, &edit);
        (result, Edited::Created)
    }

    /// All that is told of a key that was made and gone at once, since nothing stayed in it.
    fn note_passing(&mut self, db: u32, key: Key<'_>, edit: &Edit) {
        let counts = self.counts(key);
        self.set_counts(key, counts, edit);
        self.notify(event_class::NEW, "new", db, key.bytes);
        self.notify_all(db, key, edit);
        self.notify(event_class::GENERIC, "del", db, key.bytes);
    }

    /// All that an edit of a key that was there entails.
    #[inline]
    fn finish_edit(&mut self, db: u32, key: Key<'_>, edit: Edit, edited: Edited) {
        let is_shown = edit.dirty > 0 || edit.is_touched || !edit.expired_fields.is_empty();
        if !is_shown && edit.counted == 0 && edited == Edited::Kept {
            return;
        }
        let counts = self.counts(key);
        if !edit.expired_fields.is_empty() {
            self.note_expired_fields(db, key, &edit.expired_fields);
        }
        self.notify_all(db, key, &edit);
        if edited == Edited::Removed {
            let gone = self.take_entry(db, key);
            self.discard(gone);
            self.notify(event_class::GENERIC, "del", db, key.bytes);
        } else if is_shown {
            self.changed(db, key);
        } else if edit.wakes {
            self.tell_waiters(db, key);
        }
        self.set_counts(key, counts, &edit);
    }

    /// The number of changes of this step, and of those in the key's stripe.
    fn counts(&mut self, key: Key<'_>) -> (u64, u64) {
        (self.effects.dirty, self.stripe(key).counters.changes)
    }

    /// Whatever an edit consists of counts as it says.
    fn set_counts(&mut self, key: Key<'_>, (dirty, changes): (u64, u64), edit: &Edit) {
        self.effects.dirty = dirty + edit.total();
        let counters = &mut self.stripe(key).counters;
        counters.changes = changes + edit.total();
        counters.expired_fields += edit.removed_as_expired;
    }

    fn notify_all(&mut self, db: u32, key: Key<'_>, edit: &Edit) {
        for (class, name, subkeys) in &edit.events {
            match *name {
                EXPIRED_FIELDS => self.notify_of_fields(name, db, key.bytes, &edit.expired_fields),
                _ if subkeys.is_empty() => self.notify(*class, name, db, key.bytes),
                _ => self.notify_of_fields(name, db, key.bytes, subkeys),
            }
        }
    }

    /// Gives a key the result of a command that stores it (SINTERSTORE, SORT, ...), whatever the key held, and takes its
    /// expiry away. A result in which nothing is only removes what was there, which listeners hear of as `del`; otherwise
    /// they hear that the key is new or overwritten, and then `event`. Counts as one change, or none if nothing was there
    /// to be removed.
    pub fn store<T: DataType>(&mut self, db: u32, key: Key<'_>, value: T, event: (u32, &'static str)) {
        if value.is_vain() {
            if self.remove(db, key) {
                self.notify(event_class::GENERIC, "del", db, key.bytes);
            }
            return;
        }
        self.set(db, key, NewValue::Object(value.into_object()), Expiry::Clear);
        self.notify(event.0, event.1, db, key.bytes);
    }

    /// Counts further changes of a key than those that a store counted by itself.
    pub fn changed_more(&mut self, key: Key<'_>, things: usize) {
        self.effects.dirty += things as u64;
        self.stripe(key).counters.changes += things as u64;
    }
}

/// The value of an entry as one of a type.
fn typed<T: DataType>(entry: EntryRef<'_>) -> Result<&T, WrongType> {
    match entry.value() {
        ValueRef::Object(object) => T::of(object).ok_or(WrongType),
        _ => Err(WrongType),
    }
}

/// The object of an entry, if its value is one.
pub fn object_of(entry: EntryRef<'_>) -> Option<ObjectRef<'_>> {
    if let ValueRef::Object(object) = entry.value() { Some(object) } else { None }
}
