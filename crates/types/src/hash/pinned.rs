//! A hash as it was at an instant, read in parts on any thread while the hash goes on.

use ochre_table::{Location, Map, Pin, WalkPosition};

use super::field::Field;
use super::table::Table;
use super::value::Entry;
use super::word::{LookMut, Owned, Word};
use super::{Hash, table};
use crate::listpack::Item;
use crate::portion::Portion;

/// A hash as it was when it was pinned, and how far it has been read. A table is shared with the hash ([`Pin`]), what is one run
/// of bytes copied.
///
/// Dropping the last pin of a hash frees what the hash has let go of meanwhile; [`PinnedHash::free_effort`] says how much
/// that is.
#[derive(Debug)]
pub struct PinnedHash {
    source: Source,
    next_expiry_ms: Option<i64>,
}

#[derive(Debug)]
enum Source {
    /// With whether it was read.
    Flat(Hash, bool),
    Table(Pin<Field>, WalkPosition),
}

const _: () = {
    const fn check<T: Send + Sync + 'static>() {}
    check::<PinnedHash>();
};

impl Hash {
    /// The hash as it is now. Some 50 us for a million fields; O(bytes) for what is one run of bytes.
    pub fn pin(&mut self) -> PinnedHash {
        let next_expiry_ms = self.next_expiry_ms();
        let source = match self.0.look_mut() {
            LookMut::Table(table) => Source::Table(table.pin(), WalkPosition::default()),
            _ => Source::Flat(self.clone(), self.is_empty()),
        };
        PinnedHash { source, next_expiry_ms }
    }
}

impl PinnedHash {
    /// Number of fields, with those that expired and were still there.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Flat(hash, _) => hash.len(),
            Source::Table(pin, _) => pin.len(),
        }
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A time before which no field expires, unix time in ms; `None` when none ever does.
    pub fn next_expiry_ms(&self) -> Option<i64> {
        self.next_expiry_ms
    }

    /// Whether a field may have expired at `now_ms`. If not, [`PinnedHash::len`] is the number of live ones. Otherwise that is
    /// what [`Hash::live_len`] was when the hash was pinned; where that takes too long, a first reading in parts can count,
    /// and [`PinnedHash::rewind`] makes a second one possible.
    pub fn may_have_expired(&self, now_ms: i64) -> bool {
        self.next_expiry_ms.is_some_and(|next_ms| next_ms < now_ms)
    }

    /// A copy of the hash; `None` if fields may expire, of which more would have to be known.
    pub fn to_hash(&self) -> Option<Hash> {
        match &self.source {
            Source::Flat(hash, _) => Some(hash.clone()),
            Source::Table(..) if self.next_expiry_ms.is_some() => None,
            Source::Table(pin, _) => Some(Hash(Word::from(Owned::Table(Box::new(Table::copied(pin.map())))))),
        }
    }

    /// The hash itself, if it was small and so is a copy.
    pub fn as_flat(&self) -> Option<&Hash> {
        match &self.source {
            Source::Flat(hash, _) => Some(hash),
            Source::Table(..) => None,
        }
    }

    /// The fields by name, or the hash itself if it was small.
    pub(super) fn table(&self) -> Result<&Map<Field>, &Hash> {
        match &self.source {
            Source::Flat(hash, _) => Err(hash),
            Source::Table(pin, _) => Ok(pin.map()),
        }
    }

    /// Calls `visit` for those of the next fields that have not expired at `now_ms` ([`i64::MIN`] for all), in the order of
    /// [`Hash::iter`]; whether there are more. Expired ones use up a portion, too. What is one run of bytes is read at once.
    pub fn read(&mut self, mut portion: Portion, now_ms: i64, visit: &mut dyn FnMut(Entry<'_>)) -> bool {
        match &mut self.source {
            Source::Flat(hash, is_read) => {
                if !std::mem::replace(is_read, true) {
                    hash.live(now_ms).for_each(visit);
                }
                false
            }
            Source::Table(pin, position) => {
                let mut walk = pin.iter_from(*position);
                while !portion.is_used_up()
                    && let Some(field) = walk.next()
                {
                    let entry = table::entry(field);
                    portion.use_for(entry.name.len() + entry.value.len());
                    if !entry.is_expired(now_ms) {
                        visit(entry);
                    }
                }
                *position = walk.position();
                walk.len() > 0
            }
        }
    }

    /// Lets the next reading begin anew.
    pub fn rewind(&mut self) {
        match &mut self.source {
            Source::Flat(hash, is_read) => *is_read = hash.is_empty(),
            Source::Table(_, position) => *position = WalkPosition::default(),
        }
    }

    /// How many allocations dropping this may free.
    pub fn free_effort(&self) -> usize {
        match &self.source {
            Source::Flat(..) => 1,
            Source::Table(pin, _) => 1 + pin.free_effort(),
        }
    }
}

/// The values of some fields of a hash as they were when they were pinned, to be read one after the other.
#[derive(Debug)]
pub struct PinnedValues {
    source: ValuesSource,
}

#[derive(Debug)]
enum ValuesSource {
    Copies(std::vec::IntoIter<Option<Vec<u8>>>),
    Table(Pin<Field>, std::vec::IntoIter<Option<Location>>),
}

impl Hash {
    /// The values of these fields at `now_ms`, as they are now. What is one run of bytes is copied, else only how many fields
    /// are asked for matters, not how long their values are.
    pub fn pin_values<'n>(&mut self, names: impl Iterator<Item = &'n [u8]>, now_ms: i64) -> PinnedValues {
        let source = match self.0.look_mut() {
            LookMut::Table(table) => {
                let places: Vec<_> = names.map(|name| table.locate(name, now_ms)).collect();
                ValuesSource::Table(table.pin(), places.into_iter())
            }
            _ => {
                let copy = |value: Item<'_>| value.with_bytes(<[u8]>::to_vec);
                let values: Vec<_> = names.map(|name| self.get(name, now_ms).map(copy)).collect();
                ValuesSource::Copies(values.into_iter())
            }
        };
        PinnedValues { source }
    }
}

impl PinnedValues {
    /// Calls `visit` for the next values, `None` for a field that was not there; whether there are more.
    pub fn read(&mut self, mut portion: Portion, visit: &mut dyn FnMut(Option<Item<'_>>)) -> bool {
        while !portion.is_used_up() {
            let len = match &mut self.source {
                ValuesSource::Copies(values) => {
                    let Some(value) = values.next() else { return false };
                    visit(value.as_deref().map(Item::Bytes));
                    value.map_or(0, |value| value.len())
                }
                ValuesSource::Table(pin, places) => {
                    let Some(place) = places.next() else { return false };
                    let value = place.and_then(|place| pin.get(place)).map(|field| table::entry(field).value);
                    visit(value);
                    value.map_or(0, |value| value.len())
                }
            };
            portion.use_for(len);
        }
        match &self.source {
            ValuesSource::Copies(values) => values.len() > 0,
            ValuesSource::Table(_, places) => places.len() > 0,
        }
    }
}
