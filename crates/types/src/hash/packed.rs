//! Names and values in turn in one pack: but for backlens, what files have for a small hash.
//!
//! ```text
//! | name | value | name | value | ...       in the order in which the fields were added
//! ```

use super::value::Entry;
use crate::listpack::{self, Form, Forward, ForwardPack, Item, Pack, Pos};

/// Where a field is: its name and its value.
#[derive(Clone, Copy)]
pub(super) struct Place {
    name: Pos,
    pub(super) value: Pos,
}

/// Where the field of a name is.
#[inline]
pub(super) fn find(pack: &ForwardPack, name: &[u8]) -> Option<Place> {
    let name = pack.find(pack.first()?, name, 1)?;
    Some(Place { name, value: pack.next(name)? })
}

/// All fields.
#[inline]
pub(super) fn iter<F: Form>(pack: &Pack<F>) -> Iter<'_, F> {
    Iter(pack.iter())
}

/// The fields of a pack.
pub(super) struct Iter<'a, F = Forward>(listpack::Iter<'a, F>);

impl<'a, F: Form> Iterator for Iter<'a, F> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        Some(Entry { name: self.0.next()?, value: self.0.next()?, expire_ms: None })
    }
}

/// Number of fields.
#[inline]
pub(super) fn len(pack: &ForwardPack) -> usize {
    pack.len() / 2
}

/// Adds a field that is not there.
#[inline]
pub(super) fn push(pack: &mut ForwardPack, name: &[u8], value: &[u8]) {
    pack.push_back(name);
    pack.push_back(value);
}

/// Adds a field, as it is stored elsewhere, that is not there.
pub(super) fn push_items(pack: &mut ForwardPack, name: Item<'_>, value: Item<'_>) {
    pack.push_back_item(name);
    pack.push_back_item(value);
}

/// Removes the field at a place.
pub(super) fn remove(pack: &mut ForwardPack, place: Place) {
    pack.remove_range(place.name, 2);
}
