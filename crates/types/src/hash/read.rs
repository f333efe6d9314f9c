//! Looking at fields.

use super::field::Field;
use super::table;
use super::value::{Entry, FieldExpiry, is_expired};
use super::word::Look;
use super::{Hash, expiring, packed, shaped};
use crate::listpack::Item;

/// The value of a field and when it expires.
pub(super) struct Found<'a> {
    pub(super) value: Item<'a>,
    pub(super) expire_ms: Option<i64>,
}

impl Hash {
    /// The field of a name, expired or not.
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<Found<'_>> {
        let (value, expire_ms) = match self.0.look() {
            Look::Empty => return None,
            Look::Packed(pack) => (pack.get(packed::find(pack, name)?.value), None),
            Look::Shaped(record) => (shaped::get(record, shaped::find(record, name)?), None),
            Look::Expiring(pack) => {
                let place = expiring::find(pack, name)?;
                (pack.get(place.value), expiring::expire_ms(pack, place))
            }
            Look::Table(table) => {
                let field = table.find(name)?;
                (Item::Bytes(field.value()), field.expire_ms())
            }
        };
        Some(Found { value, expire_ms })
    }

    /// The value of a field. O(1) in a table and a shaped hash, else O(fields).
    #[inline]
    pub fn get(&self, name: &[u8], now_ms: i64) -> Option<Item<'_>> {
        let found = self.find(name)?;
        (!is_expired(found.expire_ms, now_ms)).then_some(found.value)
    }

    /// Whether there is a field.
    #[inline]
    pub fn contains(&self, name: &[u8], now_ms: i64) -> bool {
        self.get(name, now_ms).is_some()
    }

    /// When a field expires.
    pub fn expiry(&self, name: &[u8], now_ms: i64) -> FieldExpiry {
        match self.find(name) {
            Some(Found { expire_ms: None, .. }) => FieldExpiry::Never,
            Some(Found { expire_ms: Some(at_ms), .. }) if at_ms >= now_ms => FieldExpiry::At(at_ms),
            _ => FieldExpiry::NoField,
        }
    }

    /// A time before which no field expires, unix time in ms; `None` when none ever does. O(1).
    #[inline]
    pub fn next_expiry_ms(&self) -> Option<i64> {
        match self.0.look() {
            Look::Empty | Look::Packed(_) | Look::Shaped(_) => None,
            Look::Expiring(pack) => expiring::next_ms(pack),
            Look::Table(table) => table.next_ms(),
        }
    }

    /// Whether a field has expired at `now_ms` and is still there.
    pub fn has_expired(&self, name: &[u8], now_ms: i64) -> bool {
        self.may_have_expired(now_ms)
            && self.find(name).is_some_and(|found| is_expired(found.expire_ms, now_ms))
    }

    /// Whether a field may have expired at `now_ms` and still be there.
    #[inline]
    pub fn may_have_expired(&self, now_ms: i64) -> bool {
        self.next_expiry_ms().is_some_and(|next_ms| next_ms < now_ms)
    }

    /// Number of fields that have not expired: how many [`Hash::live`] gives. O(1) unless some have expired; in a table
    /// O(those that have), else O(fields).
    pub fn live_len(&self, now_ms: i64) -> usize {
        match self.0.look() {
            _ if !self.may_have_expired(now_ms) => self.len(),
            Look::Table(table) => table.len() - table.expired_len(now_ms),
            _ => self.live(now_ms).count(),
        }
    }

    /// The fields that have not expired, in their order.
    pub fn live(&self, now_ms: i64) -> impl Iterator<Item = Entry<'_>> {
        self.iter().filter(move |entry| !entry.is_expired(now_ms))
    }
}

/// All fields of a hash.
pub struct Fields<'a>(Kind<'a>);

enum Kind<'a> {
    Empty,
    Packed(packed::Iter<'a>),
    Expiring(expiring::Iter<'a>),
    Shaped(shaped::Iter<'a>),
    Table(ochre_table::Iter<'a, Field>),
}

impl<'a> Fields<'a> {
    pub(super) fn of(look: Look<'a>) -> Fields<'a> {
        Fields(match look {
            Look::Empty => Kind::Empty,
            Look::Packed(pack) => Kind::Packed(packed::iter(pack)),
            Look::Expiring(pack) => Kind::Expiring(expiring::iter(pack)),
            Look::Shaped(record) => Kind::Shaped(shaped::iter(record)),
            Look::Table(table) => Kind::Table(table.fields().iter()),
        })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        match &mut self.0 {
            Kind::Empty => None,
            Kind::Packed(fields) => fields.next(),
            Kind::Expiring(fields) => fields.next(),
            Kind::Shaped(fields) => fields.next(),
            Kind::Table(fields) => fields.next().map(table::entry),
        }
    }
}
