//! Names, values and times in one pack: but for backlens, what files have for a small hash with times.
//!
//! ```text
//! | name | value | time | name | value | time | ...      times in ms; 0 for a field that does not expire
//! ```
//!
//! Ordered by time, those that do not expire last, in the order in which they came there. A field goes before others of
//! the same time. So what is due is at the front, and the first time is the next one.

use super::value::{Entry, NewExpiry};
use crate::listpack::{self, Form, Forward, ForwardPack, Item, Pack, Pos};

/// Bytes of a time, at most.
pub(super) const TIME_BYTES_MAX: usize = 9;

/// Where a field is: its name, its value and its time.
#[derive(Clone, Copy)]
pub(super) struct Place {
    name: Pos,
    pub(super) value: Pos,
    time: Pos,
}

/// The same fields, of which none expires.
pub(super) fn of_packed(packed: &ForwardPack) -> ForwardPack {
    let fields = super::packed::len(packed);
    let mut pack = ForwardPack::with_capacity(packed.bytes().saturating_add(fields));
    for entry in super::packed::iter(packed) {
        super::packed::push_items(&mut pack, entry.name, entry.value);
        pack.push_back_int(0);
    }
    pack
}

/// Where the field of a name is.
#[inline]
pub(super) fn find(pack: &ForwardPack, name: &[u8]) -> Option<Place> {
    let name = pack.find(pack.first()?, name, 2)?;
    let value = pack.next(name)?;
    Some(Place { name, value, time: pack.next(value)? })
}

/// When the field at a place expires.
#[inline]
pub(super) fn expire_ms(pack: &ForwardPack, place: Place) -> Option<i64> {
    time(pack.get(place.time))
}

#[inline]
fn time(item: Item<'_>) -> Option<i64> {
    item.as_int().filter(|&ms| ms != 0)
}

/// All fields.
#[inline]
pub(super) fn iter<F: Form>(pack: &Pack<F>) -> Iter<'_, F> {
    Iter(pack.iter())
}

/// The fields of a pack with times.
pub(super) struct Iter<'a, F = Forward>(listpack::Iter<'a, F>);

impl<'a, F: Form> Iterator for Iter<'a, F> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let (name, value) = (self.0.next()?, self.0.next()?);
        Some(Entry { name, value, expire_ms: time(self.0.next()?) })
    }
}

/// Number of fields.
#[inline]
pub(super) fn len(pack: &ForwardPack) -> usize {
    pack.len() / 3
}

/// When the first field expires.
#[inline]
pub(super) fn next_ms(pack: &ForwardPack) -> Option<i64> {
    time(pack.get(pack.next(pack.next(pack.first()?)?)?))
}

/// Writes a field; whether it is new.
pub(super) fn put(pack: &mut ForwardPack, name: &[u8], value: &[u8], expiry: NewExpiry) -> bool {
    let Some(place) = find(pack, name) else {
        insert(pack, name, value, time_of(expiry, None));
        return true;
    };
    let old = expire_ms(pack, place);
    let new = time_of(expiry, old);
    if new == old {
        pack.replace(place.value, value);
    } else {
        remove(pack, place);
        insert(pack, name, value, new);
    }
    false
}

fn time_of(expiry: NewExpiry, old: Option<i64>) -> Option<i64> {
    match expiry {
        NewExpiry::Never => None,
        NewExpiry::Keep => old,
        NewExpiry::At(ms) => Some(ms),
    }
}

/// Adds a field that is not there.
fn insert(pack: &mut ForwardPack, name: &[u8], value: &[u8], expire_ms: Option<i64>) {
    let later = expire_ms.and_then(|ms| first_not_before(pack, ms));
    let mut number = itoa::Buffer::new();
    // Zero stands for never, and a time that is past anyway.
    let time = number.format(expire_ms.map_or(0, |ms| if ms == 0 { -1 } else { ms })).as_bytes();
    match later {
        None => [name, value, time].into_iter().for_each(|part| pack.push_back(part)),
        Some(pos) => {
            let pos = pack.insert_before(pos, name);
            let pos = pack.insert_after(pos, value);
            pack.insert_after(pos, time);
        }
    }
}

/// The first field that expires at `ms`, later, or never.
fn first_not_before(pack: &ForwardPack, ms: i64) -> Option<Pos> {
    let mut items = pack.iter();
    loop {
        let name = items.pos()?;
        let at = items.nth(2)?;
        if time(at).is_none_or(|at| at >= ms) {
            return Some(name);
        }
    }
}

/// Changes when the field at a place expires.
pub(super) fn set_time(pack: &mut ForwardPack, place: Place, name: &[u8], expire_ms: Option<i64>) {
    let value = pack.get(place.value).to_vec();
    remove(pack, place);
    insert(pack, name, &value, expire_ms);
}

/// Removes the field at a place.
pub(super) fn remove(pack: &mut ForwardPack, place: Place) {
    pack.remove_range(place.name, 3);
}

/// Removes up to `max` fields that expired before `now_ms`, calling `visit` with their names. How many.
pub(super) fn expire_due(
    pack: &mut ForwardPack,
    now_ms: i64,
    max: usize,
    visit: &mut dyn FnMut(&[u8]),
) -> usize {
    let due = iter(pack).take(max).take_while(|entry| entry.is_expired(now_ms));
    let count = due.inspect(|entry| entry.name.with_bytes(&mut *visit)).count();
    if let Some(first) = pack.first() {
        pack.remove_range(first, 3 * count);
    }
    count
}
