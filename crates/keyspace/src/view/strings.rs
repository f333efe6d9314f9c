//! Strings that are changed in place: growing and appending.

use ochre_types::Object;

use super::View;
use crate::entry::{Entry, EntryRef, INLINE_BYTES_MAX, NewValue, ValueRef};
use crate::hash::Key;
use crate::table::{Location, Table};

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
                    true => NewValue::Object(Object::String(Box::new(bytes.into()))),
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

    fn created_string(&mut self, db: u32, key: Key<'_>, value: NewValue<'_>) -> Option<&mut [u8]> {
        let location = self.create(db, key, value, None);
        string_bytes(self.table(db, key), location)
    }

    /// Turns a string into one of at least `len` bytes that can be changed in place.
    fn make_growable(&mut self, db: u32, key: Key<'_>, location: Location, len: usize) -> Option<()> {
        let table = self.table(db, key);
        let mut entry = table.entry_mut(location)?;
        if let Some(object) = entry.object() {
            let Object::String(string) = object else { return None };
            let bytes = string.as_mut_vec();
            if bytes.len() < len {
                reserve_like_strings(bytes, len);
                bytes.resize(len, 0);
            }
            return Some(());
        }
        let mut digits = itoa::Buffer::new();
        let bytes = match entry.as_ref().value() {
            ValueRef::Int(number) => digits.format(number).as_bytes(),
            ValueRef::Bytes { bytes, .. } if bytes.len() >= len => return Some(()),
            ValueRef::Bytes { bytes, .. } => bytes,
            ValueRef::Object(_) => return None,
        };
        let mut grown = Vec::with_capacity(len.max(bytes.len()));
        grown.extend_from_slice(bytes);
        grown.resize(len.max(bytes.len()), 0);
        let (expire_ms, access) = (entry.as_ref().expire_ms(), entry.as_ref().access());
        let value = match grown.len() > INLINE_BYTES_MAX {
            true => NewValue::Object(Object::String(Box::new(grown.into()))),
            false => NewValue::Bytes { bytes: &grown, raw: true },
        };
        let entry = Entry::new(key.bytes, value, expire_ms, access);
        drop(table.replace(location, key, entry));
        Some(())
    }
}

fn string_bytes(table: &mut Table, location: Location) -> Option<&mut [u8]> {
    // Asked twice because the borrow of the first answer would otherwise last.
    let is_object = matches!(table.entry(location)?.value(), ValueRef::Object(_));
    let entry = table.entry_mut(location)?;
    match is_object {
        true => match entry.into_object()? {
            Object::String(string) => Some(&mut string.as_mut_vec()[..]),
            _ => None,
        },
        false => entry.into_inline_bytes(),
    }
}

/// Appends to a string; `None` if the value is none.
fn append_at(table: &mut Table, location: Location, key: Key<'_>, suffix: &[u8]) -> Option<usize> {
    let mut entry = table.entry_mut(location)?;
    if let Some(Object::String(string)) = entry.object() {
        let bytes = string.as_mut_vec();
        reserve_like_strings(bytes, bytes.len() + suffix.len());
        bytes.extend_from_slice(suffix);
        return Some(bytes.len());
    }
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
        true => NewValue::Object(Object::String(Box::new(grown.into()))),
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
