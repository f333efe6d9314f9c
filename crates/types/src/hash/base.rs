//! Making, measuring and converting hashes.

use std::fmt;

use super::read::Fields;
use super::table::Table;
use super::value::HashLimits;
use super::word::{Look, Owned, Word};
use super::{expiring, packed, shape, shaped};
use crate::listpack::ForwardPack;

/// Fields with names and values. Eight bytes.
pub struct Hash(pub(super) Word);

impl Hash {
    /// A hash without fields. Nothing is allocated.
    pub fn new() -> Hash {
        Hash(Word::empty())
    }

    /// Number of fields, with those that expired and are still there. O(1), but for more than a thousand in one run of bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match self.0.look() {
            Look::Empty => 0,
            Look::Packed(pack) => packed::len(pack),
            Look::Expiring(pack) => expiring::len(pack),
            Look::Shaped(record) => record.shape().len(),
            Look::Table(table) => table.len(),
        }
    }

    /// Whether there is no field.
    #[inline]
    pub fn is_empty(&self) -> bool {
        match self.0.look() {
            Look::Packed(pack) | Look::Expiring(pack) => pack.is_empty(),
            _ => self.len() == 0,
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        match self.0.look() {
            Look::Empty | Look::Packed(_) | Look::Shaped(_) => "listpack",
            Look::Expiring(_) => "listpackex",
            Look::Table(_) => "hashtable",
        }
    }

    /// Whether the names are shared with other hashes.
    pub fn is_shaped(&self) -> bool {
        matches!(self.0.look(), Look::Shaped(_))
    }

    /// How many allocations freeing it takes, roughly.
    pub fn free_effort(&self) -> usize {
        match self.0.look() {
            Look::Table(table) => table.len(),
            _ => 1,
        }
    }

    /// Bytes allocated for it alone; names that it shares are in [`shapes_heap_bytes`]. O(1) for one run of bytes, else
    /// O(fields).
    pub fn heap_bytes(&self) -> usize {
        self.heap_bytes_estimate(usize::MAX)
    }

    /// The same, estimated by no more than so many fields.
    pub fn heap_bytes_estimate(&self, samples: usize) -> usize {
        match self.0.look() {
            Look::Empty => 0,
            Look::Packed(pack) => pack.heap_bytes(),
            Look::Expiring(pack) => size_of::<ForwardPack>() + pack.heap_bytes(),
            Look::Shaped(record) => record.block_bytes(),
            Look::Table(table) => table.heap_bytes_estimate(samples),
        }
    }

    /// The slots of its hash table, if it has one.
    pub fn table_slots(&self) -> Option<usize> {
        if let Look::Table(table) = self.0.look() { Some(table.slots()) } else { None }
    }

    /// The pack, where that is how the hash is kept: the elements that RDB writes for `listpack` and `listpackex` (`true`).
    pub fn as_pack(&self) -> Option<(&ForwardPack, bool)> {
        match self.0.look() {
            Look::Packed(pack) => Some((pack, false)),
            Look::Expiring(pack) => Some((pack, true)),
            _ => None,
        }
    }

    /// All fields, with those that expired, in their order.
    pub fn iter(&self) -> Fields<'_> {
        Fields::of(self.0.look())
    }

    /// Puts the hash into a table with room for `fields` fields, whatever it was.
    #[cold]
    pub(super) fn make_table(&mut self, fields: usize) {
        if matches!(self.0.look(), Look::Table(_)) {
            return;
        }
        let table = Table::of_entries(fields.max(self.len()), self.iter());
        self.0 = Word::from(Owned::Table(Box::new(table)));
    }

    /// Gives a hash in one run of bytes room for times, which shows in its encoding; makes it a table where they would not fit.
    /// What sets times does so by itself.
    pub fn make_expiring(&mut self) {
        let pack = match self.0.look() {
            Look::Empty => ForwardPack::new(),
            Look::Packed(pack) if !pack.fits(packed::len(pack)) => return self.make_table(0),
            Look::Packed(pack) => expiring::of_packed(pack),
            Look::Shaped(record) => expiring::of_packed(&shaped::to_packed(record)),
            Look::Expiring(_) | Look::Table(_) => return,
        };
        self.0 = Word::from(Owned::Expiring(Box::new(pack)));
    }

    /// Puts the hash into a table if it is too big for one run of bytes.
    #[inline]
    pub(super) fn enforce(&mut self, limits: &HashLimits) {
        if self.len() > limits.entries_max && !matches!(self.0.look(), Look::Table(_)) {
            self.make_table(0);
        }
    }
}

impl Default for Hash {
    fn default() -> Hash {
        Hash::new()
    }
}

impl Clone for Hash {
    fn clone(&self) -> Hash {
        Hash(Word::from(match self.0.look() {
            Look::Empty => Owned::Empty,
            Look::Packed(pack) => Owned::Packed(pack.clone()),
            Look::Expiring(pack) => Owned::Expiring(Box::new(pack.clone())),
            Look::Shaped(record) => Owned::Shaped(record.to_owned()),
            Look::Table(table) => Owned::Table(Box::new(table.clone())),
        }))
    }
}

/// Equal when they have the same fields with the same values and times, in whatever order and encoding.
impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        self.len() == other.len()
            && self.iter().all(|entry| {
                let found = entry.name.with_bytes(|name| other.find(name));
                found.is_some_and(|found| {
                    found.expire_ms == entry.expire_ms
                        && entry.value.with_bytes(|value| found.value.eq_bytes(value))
                })
            })
    }
}

impl Eq for Hash {}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

/// Lets the names go that no hash shares any more. For a quiet moment: it holds up threads that make hashes for a few
/// microseconds.
pub fn release_unused_shapes() {
    shape::release_unused();
}

/// Bytes of the names that hashes share.
pub fn shapes_heap_bytes() -> usize {
    shape::heap_bytes()
}
