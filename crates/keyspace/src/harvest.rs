//! What a sweep takes out of a table under its lock: keys whose time has come, and fields of hashes.
//!
//! A key is quickly taken out, and a segment has a few hundred. A single hash may have millions of fields that are due at
//! once, so there is room for a limited number of them; what does not fit stays for the next step of the sweep, which takes
//! the lock anew.

use ochre_types::ObjectMut;

use crate::entry::{Entry, EntryMut};

/// Fields that one step of a sweep takes out at most: a tenth of a millisecond or so.
const FIELDS_MAX: usize = 500;

/// A hash of which fields have expired.
pub struct Withered {
    /// Its key.
    pub key: Box<[u8]>,
    /// The names of the fields.
    pub fields: Vec<Vec<u8>>,
    /// Whether none is left, so that the key is gone, too.
    pub is_gone: bool,
}

/// What a step of a sweep has taken out.
pub struct Harvest {
    /// Entries that are gone, for whatever reason.
    pub gone: Vec<Entry>,
    /// Those of them whose own time had come, by their place in `gone`.
    pub expired: Vec<usize>,
    /// Hashes of which fields have expired.
    pub withered: Vec<Withered>,
    /// Hashes of which no field expires any more, those that are gone among them.
    pub untimed: usize,
    room: usize,
}

impl Harvest {
    /// Nothing yet.
    pub fn new() -> Harvest {
        Harvest { gone: Vec::new(), expired: Vec::new(), withered: Vec::new(), untimed: 0, room: FIELDS_MAX }
    }

    /// Whether there is no room for more fields.
    pub fn is_full(&self) -> bool {
        self.room == 0
    }

    /// The number of fields.
    pub fn fields(&self) -> usize {
        FIELDS_MAX - self.room
    }

    /// Takes the fields that expired before `now_ms` out of a hash; whether none is left.
    pub(crate) fn reap(&mut self, entry: EntryMut<'_>, now_ms: i64) -> bool {
        let is_due = entry.as_ref().next_field_expiry_ms().is_some_and(|next_ms| next_ms < now_ms);
        if !is_due || self.is_full() {
            return false;
        }
        let key = Box::from(entry.as_ref().key());
        let Some(ObjectMut::Hash(hash)) = entry.into_object() else { return false };
        let mut fields = Vec::new();
        hash.expire_due(now_ms, self.room, &mut |name| fields.push(name.to_vec()));
        let is_gone = hash.is_empty();
        self.room -= fields.len();
        // What is gone is counted when it is put in, and has no times any more by then.
        self.untimed += usize::from(hash.next_expiry_ms().is_none());
        if !fields.is_empty() {
            self.withered.push(Withered { key, fields, is_gone });
        }
        is_gone
    }

    /// Takes an entry in, which `has_passed` if its own time had come.
    pub(crate) fn put(&mut self, entry: Entry, has_passed: bool) {
        self.untimed += usize::from(entry.as_ref().next_field_expiry_ms().is_some());
        if has_passed {
            self.expired.push(self.gone.len());
        }
        self.gone.push(entry);
    }
}

impl Default for Harvest {
    fn default() -> Harvest {
        Harvest::new()
    }
}
