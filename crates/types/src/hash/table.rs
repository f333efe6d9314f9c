//! A big hash: a table of fields, and when they are due, once one of them expires.

use ochre_table::{Access, Location, Map, Pin, hasher};

use super::due::Due;
use super::field::{Field, FieldRef};
use super::value::{Entry, NewExpiry, is_expired};
use crate::listpack::Item;
use crate::object::sum_estimate;

/// With more than one of so many ranges due, looking at all fields is cheaper than at ranges.
const WALK_FROM: usize = 4;

/// Fields by name.
pub(super) struct Table {
    fields: Map<Field>,
    due: Option<Box<Due>>,
}

impl Table {
    /// An empty one with room for `fields` fields.
    pub(super) fn with_capacity(fields: usize) -> Table {
        Table { fields: Map::with_capacity(fields), due: None }
    }

    /// One of these fields, with room for so many.
    pub(super) fn of_entries<'a>(fields: usize, entries: impl Iterator<Item = Entry<'a>>) -> Table {
        let mut table = Table::with_capacity(fields);
        for entry in entries {
            let expiry = entry.expire_ms.map_or(NewExpiry::Never, NewExpiry::At);
            entry.name.with_bytes(|name| entry.value.with_bytes(|value| table.put(name, value, expiry)));
        }
        table
    }

    /// One of copies of fields of which none expires.
    pub(super) fn copied(fields: &Map<Field>) -> Table {
        Table { fields: fields.clone_with(FieldRef::to_owned), due: None }
    }

    /// Number of fields.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The fields themselves.
    #[inline]
    pub(super) fn fields(&self) -> &Map<Field> {
        &self.fields
    }

    /// The field of a name.
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<FieldRef<'_>> {
        self.fields.get(name, hasher())
    }

    /// Writes a field; whether it is new.
    pub(super) fn put(&mut self, name: &[u8], value: &[u8], expiry: NewExpiry) -> bool {
        let Err(Anew { is_new, expire_ms }) = self.update(name, value, expiry) else { return false };
        let field = Field::new(name, value, expire_ms);
        if is_new {
            self.fields.add(field, hasher());
        } else {
            self.fields.insert(field, hasher());
        }
        if let Some(at_ms) = expire_ms {
            self.note(name, at_ms);
        }
        is_new
    }

    /// Writes the value into the field's own block if that is possible; else how the field is to be written anew.
    fn update(&mut self, name: &[u8], value: &[u8], expiry: NewExpiry) -> Result<(), Anew> {
        let new = |old: Option<i64>| match expiry {
            NewExpiry::Never => None,
            NewExpiry::Keep => old,
            NewExpiry::At(at_ms) => Some(at_ms),
        };
        match self.fields.access(name, hasher()) {
            None => Err(Anew { is_new: true, expire_ms: new(None) }),
            Some(Access::Pinned(field)) => Err(Anew { is_new: false, expire_ms: new(field.expire_ms()) }),
            Some(Access::Own(mut field)) => {
                let old = field.as_ref().expire_ms();
                match new(old) == old && field.set_value(value) {
                    true => Ok(()),
                    false => Err(Anew { is_new: false, expire_ms: new(old) }),
                }
            }
        }
    }

    /// Changes when a field that is there expires.
    pub(super) fn set_time(&mut self, name: &[u8], expire_ms: Option<i64>) {
        let changed = match self.fields.access(name, hasher()) {
            None => return,
            Some(Access::Pinned(field)) => Some(Field::new(name, field.value(), expire_ms)),
            Some(Access::Own(mut field)) => {
                let moved = expire_ms.is_some_and(|at_ms| field.move_expire(at_ms));
                (!moved).then(|| Field::new(name, field.as_ref().value(), expire_ms))
            }
        };
        if let Some(field) = changed {
            self.fields.insert(field, hasher());
        }
        if let Some(at_ms) = expire_ms {
            self.note(name, at_ms);
        }
    }

    fn note(&mut self, name: &[u8], at_ms: i64) {
        let fields = self.fields.len();
        let due = self.due.get_or_insert_with(|| Box::new(Due::new(fields)));
        due.note(hasher().hash(name).position(), at_ms, fields);
    }

    /// Takes a field out; whether it was there.
    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        self.fields.remove(name, hasher())
    }

    /// A time before which no field expires.
    #[inline]
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.due.as_ref()?.next_ms()
    }

    /// Removes up to `max` fields that expired before `now_ms`, calling `visit` with their names. How many. Looks at
    /// the fields of up to `max` ranges, only of those that are due.
    pub(super) fn expire_due(&mut self, now_ms: i64, max: usize, visit: &mut dyn FnMut(&[u8])) -> usize {
        let (mut removed, mut ranges) = (0, 0);
        while removed < max
            && ranges < max
            && let Some(due) = &self.due
            && let Some(range) = due.first_due(now_ms)
        {
            let found = look_through(&self.fields, due, range, now_ms, max - removed);
            for name in &found.expired {
                self.fields.remove(name, hasher());
                visit(name);
            }
            removed += found.expired.len();
            ranges += 1;
            if found.is_whole {
                self.due.as_mut().into_iter().for_each(|due| due.set(range, found.next_ms));
            }
        }
        if self.next_ms().is_none() {
            self.due = None;
        }
        removed
    }

    /// How many fields have expired at `now_ms` and are still there. O(those that are due), at most O(fields).
    pub(super) fn expired_len(&self, now_ms: i64) -> usize {
        let Some(due) = &self.due else { return 0 };
        match due.all_due(now_ms, WALK_FROM) {
            None => self.fields.iter().filter(|field| has_expired(*field, now_ms)).count(),
            Some(ranges) => {
                let expired =
                    |range| look_through(&self.fields, due, range, now_ms, usize::MAX).expired.len();
                ranges.into_iter().map(expired).sum()
            }
        }
    }

    /// The fields as they are now, to be read anywhere.
    pub(super) fn pin(&mut self) -> Pin<Field> {
        self.fields.pin()
    }

    /// Where a field is that has not expired at `now_ms`, in pins made before the hash changes.
    pub(super) fn locate(&self, name: &[u8], now_ms: i64) -> Option<Location> {
        let is_live = |field: FieldRef<'_>| !is_expired(field.expire_ms(), now_ms);
        self.find(name).filter(|field| is_live(*field))?;
        self.fields.locate(name, hasher())
    }

    /// The slots of the table, full or empty.
    pub(super) fn slots(&self) -> usize {
        self.fields.slots()
    }

    /// Bytes allocated: table, fields, times; estimated by no more than so many fields.
    pub(super) fn heap_bytes_estimate(&self, samples: usize) -> usize {
        let fields = sum_estimate(self.fields.iter().map(FieldRef::block_bytes), self.len(), samples);
        let due = self.due.as_ref().map_or(0, |due| size_of::<Due>() + due.heap_bytes());
        size_of::<Table>() + self.fields.memory_bytes() + fields + due
    }
}

/// A field that is to be put into the table.
struct Anew {
    /// Whether there is none of its name.
    is_new: bool,
    /// When it expires.
    expire_ms: Option<i64>,
}

/// What is in a range of the table.
struct Found {
    expired: Vec<Vec<u8>>,
    /// When the next field of those that stay expires.
    next_ms: Option<i64>,
    /// Whether all that expired is in `expired`.
    is_whole: bool,
}

fn look_through(fields: &Map<Field>, due: &Due, range: usize, now_ms: i64, max: usize) -> Found {
    let mut found = Found { expired: Vec::new(), next_ms: None, is_whole: true };
    let (mut cursor, end) = (due.start_of(range), due.start_of(range + 1));
    loop {
        cursor = fields.scan(cursor, 1, &mut |field| {
            let Some(at_ms) = field.expire_ms() else { return };
            if due.range_of(hasher().hash(field.name()).position()) != range {
                return;
            }
            if at_ms >= now_ms {
                found.next_ms = Some(found.next_ms.map_or(at_ms, |next| next.min(at_ms)));
            } else if found.expired.len() < max {
                found.expired.push(field.name().to_vec());
            } else {
                found.is_whole = false;
            }
        });
        if cursor == 0 || cursor >= end {
            return found;
        }
    }
}

impl Clone for Table {
    fn clone(&self) -> Table {
        Table { fields: self.fields.clone_with(FieldRef::to_owned), due: self.due.clone() }
    }
}

/// A field as others see it.
#[inline]
pub(super) fn entry(field: FieldRef<'_>) -> Entry<'_> {
    Entry { name: Item::Bytes(field.name()), value: Item::Bytes(field.value()), expire_ms: field.expire_ms() }
}

/// Whether a field has expired, without looking further into those that do not expire.
#[inline]
pub(super) fn has_expired(field: FieldRef<'_>, now_ms: i64) -> bool {
    is_expired(field.expire_ms(), now_ms)
}
