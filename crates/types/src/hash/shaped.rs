//! A hash whose names are a shape's: values are found by number, and a new field moves on to another shape.

use super::record::{Record, RecordRef};
use super::shape::{self, Shape};
use super::value::Entry;
use crate::listpack::{Encoded, ForwardPack, Item, decode, encoded_len};

/// Where a value is among the values, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    at: usize,
    len: usize,
}

/// A record of fields whose names make a shape, if there is one for them; every name comes once.
pub(super) fn of<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Option<Record> {
    let shape = shape::follow(None, fields.clone().map(|(name, _)| name))?;
    let len = fields.clone().map(|(_, value)| Encoded::of(value).len()).sum();
    let mut record = Record::with_len(shape, len)?;
    let mut rest = record.values_mut();
    for (_, value) in fields {
        let value = Encoded::of(value);
        let (here, after) = rest.split_at_mut(value.len());
        write(&value, here);
        rest = after;
    }
    Some(record)
}

/// Where the value of a name is.
#[inline]
pub(super) fn find(record: RecordRef<'_>, name: &[u8]) -> Option<Place> {
    let index = record.shape().find(name)?;
    let values = record.values();
    let at = (0..index).fold(0, |at, _| at + encoded_len(values, at));
    Some(Place { at, len: encoded_len(values, at) })
}

/// The value at a place.
#[inline]
pub(super) fn get(record: RecordRef<'_>, place: Place) -> Item<'_> {
    decode(record.values(), place.at).map_or(Item::Bytes(&[]), |(item, _)| item)
}

/// All fields.
#[inline]
pub(super) fn iter(record: RecordRef<'_>) -> Iter<'_> {
    Iter { shape: record.shape(), index: 0, values: record.values() }
}

/// The fields of a record.
pub(super) struct Iter<'a> {
    shape: &'a Shape,
    index: usize,
    values: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let (value, len) = decode(self.values, 0)?;
        let name = Item::Bytes(self.shape.name(self.index));
        self.index += 1;
        self.values = &self.values[len..];
        Some(Entry { name, value, expire_ms: None })
    }
}

/// Replaces the value at a place; whether that is possible, else nothing is changed.
#[inline]
pub(super) fn replace(record: &mut Record, place: Place, value: &[u8]) -> bool {
    let value = Encoded::of(value);
    let Some(region) = record.splice(place.at, place.len, value.len()) else { return false };
    write(&value, region);
    true
}

/// Adds a field that is not there, if there is a shape for that; whether there is, else nothing is changed.
pub(super) fn push(record: &mut Record, name: &[u8], value: &[u8]) -> bool {
    let Some(shape) = shape::follow(Some(record.as_ref().shape()), [name].into_iter()) else { return false };
    let value = Encoded::of(value);
    let end = record.as_ref().values().len();
    let Some(region) = record.splice(end, 0, value.len()) else { return false };
    write(&value, region);
    record.set_shape(shape);
    true
}

/// Takes a field out, if there is a shape of the others; whether there is, else nothing is changed.
pub(super) fn remove(record: &mut Record, name: &[u8], place: Place) -> bool {
    let Some(shape) = shape_without(record.as_ref().shape(), name) else { return false };
    if record.splice(place.at, place.len, 0).is_none() {
        return false;
    }
    record.set_shape(shape);
    true
}

fn shape_without(shape: &Shape, name: &[u8]) -> Option<std::sync::Arc<Shape>> {
    shape::follow(None, shape.iter().filter(|other| *other != name))
}

/// Writes a value over `out`, which has exactly its length.
#[inline]
fn write(value: &Encoded<'_>, out: &mut [u8]) {
    let (head, body) = out.split_at_mut(value.head().len());
    head.copy_from_slice(value.head());
    body.copy_from_slice(value.body());
}

/// The same fields in a pack. Shapes and records are bounded, so they fit.
pub(super) fn to_packed(record: RecordRef<'_>) -> ForwardPack {
    let names: usize = record.shape().iter().map(|name| name.len() + 2).sum();
    let mut pack = ForwardPack::with_capacity(16 + names + record.values().len());
    for entry in iter(record) {
        // A name that spells an integer is stored as one in a pack, but not in a shape.
        entry.name.with_bytes(|name| pack.push_back(name));
        pack.push_back_item(entry.value);
    }
    pack
}
