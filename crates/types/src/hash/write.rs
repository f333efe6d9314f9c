//! Writing and removing fields.

use super::record::VALUES_BYTES_MAX;
use super::value::{HashLimits, NewExpiry, SetOutcome, is_expired};
use super::word::{Look, LookMut, Owned, Word};
use super::{Hash, expiring, packed, shape, shaped};
use crate::listpack::{Encoded, ForwardPack, Item};

/// What an element of a pack takes besides its text, at most.
const ELEMENT_OVERHEAD: usize = 10;
/// What a record and its names would take as a pack, at most.
const SHAPED_BYTES_MAX: usize = 1 << 15;
/// What is added to a hash that is no pack yet, and may become one, has no more bytes.
const ROOM_MAX: usize = ForwardPack::BYTES_MAX - SHAPED_BYTES_MAX;

const _: () = assert!(shape::FIELDS_MAX * (shape::NAME_BYTES_MAX + 2) + VALUES_BYTES_MAX < SHAPED_BYTES_MAX);

impl Hash {
    /// Writes a field, which then does not expire; whether it is new. A field that expired and is still there is not.
    #[inline]
    pub fn set(&mut self, name: &[u8], value: &[u8], limits: &HashLimits) -> bool {
        self.put(name, value, NewExpiry::Never, limits)
    }

    /// Writes several fields, as [`Hash::set`] does, the later of two with one name; how many of them are new. For a new hash
    /// this is much cheaper than one field at a time, and it is how names come to be shared.
    pub fn set_all<'a>(
        &mut self,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        limits: &HashLimits,
    ) -> usize {
        if self.is_empty() && self.fill(fields.clone(), limits) {
            return self.len();
        }
        fields.filter(|(name, value)| self.set(name, value, limits)).count()
    }

    /// Makes an empty hash, whatever its encoding, of fields that fit one run of bytes and whose names are shared;
    /// whether that is how they are. Else prepares it for them.
    fn fill<'a>(
        &mut self,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        limits: &HashLimits,
    ) -> bool {
        let (mut count, mut bytes, mut is_small) = (0, 0usize, true);
        for (name, value) in fields.clone() {
            count += 1;
            bytes = bytes.saturating_add(Encoded::of(name).len() + Encoded::of(value).len());
            is_small &= limits.allow(name, value);
        }
        if !is_small || count > limits.entries_max || bytes > ROOM_MAX {
            self.make_table(count);
        } else if matches!(self.0.look(), Look::Empty) {
            if let Some(record) = shaped::of(fields) {
                self.0 = Word::from(Owned::Shaped(record));
                return true;
            }
            self.0 = Word::from(Owned::Packed(ForwardPack::with_capacity(bytes + ForwardPack::EMPTY_BYTES)));
        }
        false
    }

    /// Writes a field unless it is there; whether it was written. One that expired is not there, and is replaced.
    pub fn set_new(&mut self, name: &[u8], value: &[u8], now_ms: i64, limits: &HashLimits) -> bool {
        let is_new = !self.contains(name, now_ms);
        if is_new {
            self.set(name, value, limits);
        }
        is_new
    }

    /// Writes a field with what is to become of its time. A time that is not after `now_ms` removes the field. As in
    /// Redis, a hash that was once given a time has the encoding for that.
    pub fn set_expiring(
        &mut self,
        name: &[u8],
        value: &[u8],
        expiry: NewExpiry,
        now_ms: i64,
        limits: &HashLimits,
    ) -> SetOutcome {
        if let NewExpiry::At(at_ms) = expiry
            && at_ms <= now_ms
        {
            // As in Redis it is there for a moment, which may be too much for one run of bytes.
            self.put(name, value, NewExpiry::Keep, limits);
            self.make_expiring();
            self.remove(name);
            return SetOutcome::Expired;
        }
        if self.put(name, value, expiry, limits) { SetOutcome::Created } else { SetOutcome::Updated }
    }

    /// Removes a field; whether it was there, expired or not. Whoever removes the last field drops the hash.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let place = match self.0.look_mut() {
            LookMut::Empty => return false,
            LookMut::Table(table) => return table.remove(name),
            LookMut::Packed(pack) => {
                let place = packed::find(pack, name);
                place.into_iter().for_each(|place| packed::remove(pack, place));
                return place.is_some();
            }
            LookMut::Expiring(pack) => {
                let place = expiring::find(pack, name);
                place.into_iter().for_each(|place| expiring::remove(pack, place));
                return place.is_some();
            }
            LookMut::Shaped(record) => shaped::find(record, name),
        };
        place.into_iter().for_each(|place| self.remove_shaped(name, place));
        place.is_some()
    }

    fn remove_shaped(&mut self, name: &[u8], place: shaped::Place) {
        let Owned::Shaped(mut record) = self.0.take() else { return };
        if record.as_ref().shape().len() == 1 {
            return;
        }
        self.0 = Word::from(if shaped::remove(&mut record, name, place) {
            Owned::Shaped(record)
        } else {
            let mut pack = shaped::to_packed(record.as_ref());
            packed::find(&pack, name).into_iter().for_each(|place| packed::remove(&mut pack, place));
            Owned::Packed(pack)
        });
    }

    /// Removes a field after showing its value to `visit`. One that expired is removed and not shown; whether it
    /// was shown.
    pub fn take(&mut self, name: &[u8], now_ms: i64, visit: impl FnOnce(Item<'_>)) -> bool {
        let Some(found) = self.find(name) else { return false };
        let is_live = !is_expired(found.expire_ms, now_ms);
        if is_live {
            visit(found.value);
        }
        self.remove(name);
        is_live
    }

    /// Writes a field; whether it is new.
    #[inline]
    pub(super) fn put(&mut self, name: &[u8], value: &[u8], expiry: NewExpiry, limits: &HashLimits) -> bool {
        if let NewExpiry::At(_) = expiry {
            self.make_expiring();
        }
        if !limits.allow(name, value) || !self.has_room(name.len() + value.len()) {
            self.make_table(0);
        }
        let is_new = match self.0.look_mut() {
            LookMut::Table(table) => return table.put(name, value, expiry),
            LookMut::Packed(pack) => put_packed(pack, name, value),
            LookMut::Expiring(pack) => expiring::put(pack, name, value, expiry),
            LookMut::Shaped(record) => {
                let place = shaped::find(record, name);
                self.put_shaped(name, value, place)
            }
            LookMut::Empty => self.put_first(name, value),
        };
        // Not only for a new one: the limits may be others than before.
        self.enforce(limits);
        is_new
    }

    /// Whether some more bytes fit one run of bytes.
    #[inline]
    fn has_room(&self, bytes: usize) -> bool {
        match self.0.look() {
            Look::Packed(pack) | Look::Expiring(pack) => pack.fits(bytes + 3 * ELEMENT_OVERHEAD),
            Look::Empty | Look::Shaped(_) => bytes <= ROOM_MAX,
            Look::Table(_) => true,
        }
    }

    fn put_first(&mut self, name: &[u8], value: &[u8]) -> bool {
        self.0 = Word::from(match shaped::of([(name, value)].into_iter()) {
            Some(record) => Owned::Shaped(record),
            None => {
                let mut pack = ForwardPack::new();
                packed::push(&mut pack, name, value);
                Owned::Packed(pack)
            }
        });
        true
    }

    /// Writes a field of a shaped hash, at its place if it has one.
    fn put_shaped(&mut self, name: &[u8], value: &[u8], place: Option<shaped::Place>) -> bool {
        let Owned::Shaped(mut record) = self.0.take() else { return false };
        let fits = match place {
            Some(place) => shaped::replace(&mut record, place, value),
            None => shaped::push(&mut record, name, value),
        };
        self.0 = Word::from(if fits {
            Owned::Shaped(record)
        } else {
            let mut pack = shaped::to_packed(record.as_ref());
            put_packed(&mut pack, name, value);
            Owned::Packed(pack)
        });
        place.is_none()
    }
}

#[inline]
fn put_packed(pack: &mut ForwardPack, name: &[u8], value: &[u8]) -> bool {
    match packed::find(pack, name) {
        Some(old) => {
            pack.replace(old.value, value);
            false
        }
        None => {
            packed::push(pack, name, value);
            true
        }
    }
}
