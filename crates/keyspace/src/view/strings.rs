//! Strings that are changed in place: growing and appending.

use ochre_types::{LongString, Object, ObjectMut, ObjectRef};

use super::View;
use crate::entry::{Entry, EntryRef, INLINE_BYTES_MAX};
use crate::hash::Key;
use crate::table::{Location, Table};
use crate::value::{NewValue, ValueRef};

/// A string that is appended to leaves its entry beyond this length: what grows step by step would be copied at each
/// step in there.
const APPENDED_INLINE_BYTES_MAX: usize = 512;

impl View<'_> {
    /// The bytes of a string of at least `len` bytes, to be changed in place: the key is created or its value
    /// extended with zeros as needed. `None`, and nothing changed, if the key holds another type.
    pub fn grow_string(&mut self, db: u32, key: Key<'_>, len: usize) -> Option<&mut [u8]> {
        let location = match self.locate_to_write(db, key) {
            None => {
                let bytes = vec![0; len];
                let value = match len > INLINE_BYTES_MAX {
                    true => NewValue::Object(Object::String(bytes.into())),
                    false => NewValue::Bytes { bytes: &bytes, raw: true },
                };
                return self.created_string(db, key, value);
            }
            Some(location) => location,
        };
        self.make_growable(db, key, location, len)?;
        self.changed(db, key);
        if !self.no_touch {
            self.touch(db, key, location, self.keyspace.settings.policy());
        }
        string_bytes(self.table(db, key), location)
    }

    /// Appends to the string of a key in one look-up; it becomes `raw`, even if nothing is appended. The new length, or
    /// `None` if there is no such key. `admit` sees the entry first and refuses what is no string or would get too long.
    ///
    /// # Errors
    /// Those of `admit`; nothing is changed then.
    pub fn append_string<E>(
        &mut self,
        db: u32,
        key: Key<'_>,
        suffix: &[u8],
        admit: impl FnOnce(EntryRef<'_>) -> Result<(), E>,
    ) -> Result<Option<usize>, E> {
        let Some(location) = self.locate_to_write(db, key) else { return Ok(None) };
        if let Some(entry) = self.table(db, key).entry(location) {
            admit(entry)?;
        }
        let Some(len) = append_at(self.table(db, key), location, key, suffix) else { return Ok(None) };
        self.changed(db, key);
        if !self.no_touch {
            self.touch(db, key, location, self.keyspace.settings.policy());
        }
        Ok(Some(len))
    }

    /// Edits a string of at least `len` bytes in place: the key is created or its value extended with zeros as needed,
    /// and it becomes `raw`. `edit` also learns whether that made the string longer, and says as how many changes it
    /// counts; growth alone counts as one. `None`, and nothing done, if the key holds another type; otherwise what `edit`
    /// said.
    pub fn edit_string(
        &mut self,
        db: u32,
        key: Key<'_>,
        len: usize,
        edit: impl FnOnce(&mut [u8], bool) -> u64,
    ) -> Option<u64> {
        let Some(location) = self.locate_to_write(db, key) else {
            let changes = edit(self.grow_string(db, key, len)?, true);
            self.count_changes(key, changes.saturating_sub(1));
            return Some(changes);
        };
        let is_longer = self.table(db, key).entry(location).is_some_and(|entry| string_len(entry) < len);
        self.make_growable(db, key, location, len)?;
        if !self.no_touch {
            self.touch(db, key, location, self.keyspace.settings.policy());
        }
        let changes = edit(string_bytes(self.table(db, key), location)?, is_longer);
        self.count_edit(db, key, changes.max(u64::from(is_longer)));
        Some(changes)
    }

    /// Edits a string that changes in length as it is edited; it becomes `raw`. One that lives in its entry is edited beside
    /// it, and gets a buffer of its own once it is long. `admit` sees the entry first and refuses what it does not like; `edit` says as how many changes it counts, none
    /// only if it left the string as it was. `None` if there is no such key; otherwise what `edit` said.
    ///
    /// # Errors
    /// Those of `admit`; nothing is changed then.
    pub fn edit_string_buffer<E>(
        &mut self,
        db: u32,
        key: Key<'_>,
        admit: impl FnOnce(EntryRef<'_>) -> Result<(), E>,
        edit: impl FnOnce(&mut Vec<u8>) -> u64,
    ) -> Result<Option<u64>, E> {
        let Some(location) = self.locate_to_write(db, key) else { return Ok(None) };
        if let Some(entry) = self.table(db, key).entry(location) {
            admit(entry)?;
        }
        if !self.no_touch {
            self.touch(db, key, location, self.keyspace.settings.policy());
        }
        let Some(changes) = edit_at(self.table(db, key), location, key, edit) else { return Ok(None) };
        self.count_edit(db, key, changes);
        Ok(Some(changes))
    }

    fn count_edit(&mut self, db: u32, key: Key<'_>, changes: u64) {
        if changes > 0 {
            self.changed(db, key);
            self.count_changes(key, changes - 1);
        }
    }

    /// Counts further changes of a key that has been changed: of several elements that were added at once, say.
    pub fn count_changes(&mut self, key: Key<'_>, changes: u64) {
        self.effects.dirty += changes;
        self.stripe(key).counters.changes += changes;
    }

    fn created_string(&mut self, db: u32, key: Key<'_>, value: NewValue<'_>) -> Option<&mut [u8]> {
        let location = self.create(db, key, value, None);
        string_bytes(self.table(db, key), location)
    }

    /// Turns a string into one of at least `len` bytes that can be changed in place.
    fn make_growable(&mut self, db: u32, key: Key<'_>, location: Location, len: usize) -> Option<()> {
        let table = self.table(db, key);
        if table.entry(location)?.is_object() {
            let bytes = long_string(table, location)?.as_mut_vec();
            if bytes.len() < len {
                reserve_like_strings(bytes, len);
                bytes.resize(len, 0);
            }
            return Some(());
        }
        let entry = table.entry(location)?;
        let mut digits = itoa::Buffer::new();
        let bytes = match entry.value() {
            ValueRef::Int(number) => digits.format(number).as_bytes(),
            ValueRef::Bytes { bytes, .. } if bytes.len() >= len => return Some(()),
            ValueRef::Bytes { bytes, .. } => bytes,
            ValueRef::Object(_) => return None,
        };
        let mut grown = Vec::with_capacity(len.max(bytes.len()));
        grown.extend_from_slice(bytes);
        grown.resize(len.max(bytes.len()), 0);
        let (expire_ms, access) = (entry.expire_ms(), entry.access());
        let value = match grown.len() > INLINE_BYTES_MAX {
            true => NewValue::Object(Object::String(grown.into())),
            false => NewValue::Bytes { bytes: &grown, raw: true },
        };
        let entry = Entry::new(key.bytes, value, expire_ms, access);
        drop(table.replace(location, key, entry));
        Some(())
    }
}

fn string_bytes(table: &mut Table, location: Location) -> Option<&mut [u8]> {
    match table.entry(location)?.is_object() {
        true => Some(&mut long_string(table, location)?.as_mut_vec()[..]),
        false => table.entry_mut(location)?.into_inline_bytes(),
    }
}

/// The string of an entry that holds an object, if that is one.
fn long_string(table: &mut Table, location: Location) -> Option<&mut LongString> {
    if let ObjectMut::String(string) = table.entry_mut(location)?.into_object()? {
        Some(string)
    } else {
        None
    }
}

/// The length of a string; 0 for another type.
fn string_len(entry: EntryRef<'_>) -> usize {
    match entry.value() {
        ValueRef::Int(number) => itoa::Buffer::new().format(number).len(),
        ValueRef::Bytes { bytes, .. } => bytes.len(),
        ValueRef::Object(ObjectRef::String(bytes)) => bytes.len(),
        ValueRef::Object(_) => 0,
    }
}

/// Edits a string in whichever way it is stored; what `edit` said, or `None` if the value is no string.
fn edit_at(
    table: &mut Table,
    location: Location,
    key: Key<'_>,
    edit: impl FnOnce(&mut Vec<u8>) -> u64,
) -> Option<u64> {
    if table.entry(location)?.is_object() {
        return Some(edit(long_string(table, location)?.as_mut_vec()));
    }
    let mut entry = table.entry_mut(location)?;
    let (mut bytes, is_raw) = match entry.as_ref().value() {
        ValueRef::Int(number) => (itoa::Buffer::new().format(number).as_bytes().to_vec(), false),
        ValueRef::Bytes { bytes, raw } => {
            // Room for a small change.
            let mut copy = Vec::with_capacity(bytes.len() + 16);
            copy.extend_from_slice(bytes);
            (copy, raw)
        }
        ValueRef::Object(_) => return None,
    };
    let changes = edit(&mut bytes);
    if changes == 0 && is_raw {
        return Some(0);
    }
    let (expire_ms, access) = (entry.as_ref().expire_ms(), entry.as_ref().access());
    let inline = NewValue::Bytes { bytes: &bytes, raw: true };
    let is_long = bytes.len() > APPENDED_INLINE_BYTES_MAX;
    if !is_long && entry.overwrite(&inline) {
        return Some(changes);
    }
    let entry = match is_long {
        true => Entry::new(key.bytes, NewValue::Object(Object::String(bytes.into())), expire_ms, access),
        false => Entry::new(key.bytes, inline, expire_ms, access),
    };
    drop(table.replace(location, key, entry));
    Some(changes)
}

/// Appends to a string; `None` if the value is none.
fn append_at(table: &mut Table, location: Location, key: Key<'_>, suffix: &[u8]) -> Option<usize> {
    if table.entry(location)?.is_object() {
        let bytes = long_string(table, location)?.as_mut_vec();
        reserve_like_strings(bytes, bytes.len() + suffix.len());
        bytes.extend_from_slice(suffix);
        return Some(bytes.len());
    }
    let mut entry = table.entry_mut(location)?;
    if let Some(len) = entry.append(suffix) {
        return Some(len);
    }
    let mut digits = itoa::Buffer::new();
    let old = match entry.as_ref().value() {
        ValueRef::Int(number) => digits.format(number).as_bytes(),
        ValueRef::Bytes { bytes, .. } => bytes,
        ValueRef::Object(_) => return None,
    };
    let len = old.len() + suffix.len();
    let mut grown = Vec::new();
    if len > APPENDED_INLINE_BYTES_MAX {
        reserve_like_strings(&mut grown, len);
    } else {
        grown.reserve_exact(len);
    }
    grown.extend_from_slice(old);
    grown.extend_from_slice(suffix);
    let (expire_ms, access) = (entry.as_ref().expire_ms(), entry.as_ref().access());
    let value = match len > APPENDED_INLINE_BYTES_MAX {
        true => NewValue::Object(Object::String(grown.into())),
        false => NewValue::Bytes { bytes: &grown, raw: true },
    };
    let entry = Entry::new(key.bytes, value, expire_ms, access);
    drop(table.replace(location, key, entry));
    Some(len)
}

/// Grows ahead as strings do in Redis: doubling below 1 MiB, by 1 MiB above.
fn reserve_like_strings(bytes: &mut Vec<u8>, len: usize) {
    const STEP: usize = 1024 * 1024;
    if len > bytes.capacity() {
        let wanted = if len < STEP { len * 2 } else { len + STEP };
        bytes.reserve_exact(wanted - bytes.len());
    }
}
