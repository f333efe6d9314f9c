//! Names and values in turn in one listpack, bit for bit what files have for a small hash.
//!
//! ```text
//! | name | value | name | value | ...       in the order in which the fields were added
//! ```

use super::value::Entry;
use crate::listpack::{self, Item, Listpack, Pos};

/// Where the value of a name is.
#[inline]
pub(super) fn find(pack: &Listpack, name: &[u8]) -> Option<Pos> {
    pack.next(pack.find(pack.first()?, name, 1)?)
}

/// All fields.
#[inline]
pub(super) fn iter(pack: &Listpack) -> Iter<'_> {
    Iter(pack.iter())
}

/// The fields of a listpack.
pub(super) struct Iter<'a>(listpack::Iter<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        Some(Entry { name: self.0.next()?, value: self.0.next()?, expire_ms: None })
    }
}

/// Number of fields.
#[inline]
pub(super) fn len(pack: &Listpack) -> usize {
    pack.len() / 2
}

/// Adds a field that is not there.
#[inline]
pub(super) fn push(pack: &mut Listpack, name: &[u8], value: &[u8]) {
    pack.push_back(name);
    pack.push_back(value);
}

/// Adds a field, as it is stored elsewhere, that is not there.
pub(super) fn push_items(pack: &mut Listpack, name: Item<'_>, value: Item<'_>) {
    pack.push_back_item(name);
    pack.push_back_item(value);
}

/// Removes the field whose value is at `value`.
pub(super) fn remove(pack: &mut Listpack, value: Pos) {
    if let Some(name) = pack.prev(value) {
        pack.remove_range(name, 2);
    }
}
