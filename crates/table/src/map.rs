//! A table that is small when it has few items: what a set, a hash or a sorted set has in a box of its own.
//!
//! Up to 460 items are one segment, without directory: 10 items take 80 + 128 bytes beside the items. With more it
//! becomes a [`Table`] over the whole range of positions; when that has only one segment left, it is one segment again.
//!
//! Rejected: a box inside the map. Owners have a word that is either a small encoding or a box of this; two addresses to
//! follow would be one too many.
//!
//! Every method that looks for a key takes the hasher, always the same for one map.
//!
//! Items are let go inside the map, never handed out: pins may still have them (see `pins`). Who wants to know what went sees
//! it just before.

use crate::hash::{Hasher, Key, POSITION_BITS, Seen};
use crate::item::Item;
use crate::lines::{LINE_SLOTS, Lines, Memory};
use crate::pins::{Access, Pin, Pins};
use crate::segment::{Place, Segment};
use crate::table::{Location, Table};

/// All that a map has.
pub(crate) enum Root<I: Item> {
    One(Segment<I>),
    Many(Table<I>),
}

impl<I: Item> Root<I> {
    pub(crate) fn empty() -> Root<I> {
        Root::One(Segment::new(POSITION_BITS))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Root::One(segment) => segment.len(),
            Root::Many(table) => table.len(),
        }
    }

    /// The lines of each segment, in the order of segments.
    pub(crate) fn lines_mut(&mut self) -> impl Iterator<Item = &mut Lines<I>> {
        let segments = match self {
            Root::One(segment) => std::slice::from_mut(segment),
            Root::Many(table) => table.segments_mut(),
        };
        segments.iter_mut().map(Segment::whole)
    }

    /// The same, with what `share` makes of the lines of each segment.
    pub(crate) fn share(&mut self, share: &mut impl FnMut(&mut Lines<I>) -> Lines<I>) -> Root<I> {
        match self {
            Root::One(segment) => Root::One(segment.share(share)),
            Root::Many(table) => Root::Many(table.share(share)),
        }
    }
}

/// Items by key. It is some 80 bytes, to be boxed by its owner.
pub struct Map<I: Item> {
    root: Root<I>,
    pins: Pins<I>,
}

impl<I: Item> Default for Map<I> {
    fn default() -> Map<I> {
        Map::new()
    }
}

impl<I: Item> Map<I> {
    /// An empty map.
    pub fn new() -> Map<I> {
        Map::with_capacity(0)
    }

    /// An empty map that takes `keys` keys without much growing.
    pub fn with_capacity(keys: usize) -> Map<I> {
        let segment_keys_max = 64 * LINE_SLOTS * 4 / 5;
        Map::of(if keys <= segment_keys_max {
            Root::One(Segment::with_capacity(POSITION_BITS, keys))
        } else {
            Root::Many(Table::with_capacity(keys))
        })
    }

    pub(crate) fn of(root: Root<I>) -> Map<I> {
        Map { root, pins: Pins::NONE }
    }

    /// All that it has, and it is empty.
    pub(crate) fn take_root(&mut self) -> Root<I> {
        std::mem::replace(&mut self.root, Root::empty())
    }

    /// The number of keys.
    #[inline]
    pub fn len(&self) -> usize {
        self.root.len()
    }

    /// Whether there is no key.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of slots, full or empty.
    pub fn slots(&self) -> usize {
        self.segments().iter().map(|segment| segment.line_count() * LINE_SLOTS).sum()
    }

    /// Bytes that the map has allocated, without its items and without this struct.
    pub fn memory_bytes(&self) -> usize {
        match &self.root {
            Root::One(segment) => segment.memory_bytes(),
            Root::Many(table) => table.memory_bytes(),
        }
    }

    #[inline]
    pub(crate) fn segments(&self) -> &[Segment<I>] {
        match &self.root {
            Root::One(segment) => std::slice::from_ref(segment),
            Root::Many(table) => table.segments(),
        }
    }

    /// Asks the processor for the line where a key is at home: the first step of looking for several keys at a time.
    #[inline]
    pub fn prefetch_line(&self, key: Key<'_>) {
        let position = key.hash.position();
        match &self.root {
            Root::One(segment) => segment.prefetch_line(position),
            Root::Many(table) => {
                table.segment_of(position).into_iter().for_each(|s| s.prefetch_line(position))
            }
        }
    }

    /// Asks the processor for the items that may be the key's, and notes in it where it seems to be: the second step. Whether
    /// it may be there: otherwise it is not, as long as the map does not change.
    #[inline]
    pub fn prefetch_item(&self, key: &mut Key<'_>) -> bool {
        key.seen = match &self.root {
            Root::One(segment) => {
                let place = segment.prefetch_item(key.hash.position());
                place.map_or(Seen::NOWHERE, |(line, slot)| Seen { segment: 0, line, slot })
            }
            Root::Many(table) => table.prefetch_item(*key),
        };
        !key.seen.is_nowhere()
    }

    /// Where the item of a key is, to be looked up in a pin that is made before the map changes ([`Pin::get`]).
    pub fn locate(&self, key: &[u8], hasher: &Hasher) -> Option<Location> {
        self.find(hasher.key(key))
    }

    #[inline(always)]
    fn find(&self, key: Key<'_>) -> Option<Location> {
        match &self.root {
            Root::One(segment) => {
                let seen = if key.seen.segment == 0 { segment.find_seen(key) } else { None };
                let place = seen.or_else(|| segment.find(key))?;
                Some(Location { segment: 0, place })
            }
            Root::Many(table) => table.find(key),
        }
    }

    /// The item of a key.
    #[inline]
    pub fn get(&self, key: &[u8], hasher: &Hasher) -> Option<I::Ref<'_>> {
        self.get_hashed(hasher.key(key))
    }

    /// The item of a key whose hash is known: the last step of looking for several keys at a time.
    #[inline]
    pub fn get_hashed(&self, key: Key<'_>) -> Option<I::Ref<'_>> {
        let location = self.find(key)?;
        self.item(location)
    }

    /// The item of a key, to be changed; to be replaced, if pins have it.
    #[inline]
    pub fn access(&mut self, key: &[u8], hasher: &Hasher) -> Option<Access<'_, I>> {
        let location = self.find(hasher.key(key))?;
        match &mut self.root {
            Root::One(segment) => segment.access(location.place, &mut self.pins),
            Root::Many(table) => table.access(location, &mut self.pins),
        }
    }

    /// Whether there is a key.
    #[inline]
    pub fn contains(&self, key: &[u8], hasher: &Hasher) -> bool {
        self.find(hasher.key(key)).is_some()
    }

    #[inline]
    pub(crate) fn item(&self, location: Location) -> Option<I::Ref<'_>> {
        self.segments().get(location.segment as usize)?.slot(location.place).item()
    }

    /// Puts an item in, in place of one of the same key, if there is one; whether the key is new.
    pub fn insert(&mut self, item: I, hasher: &Hasher) -> bool {
        let key = hasher.key(I::key(item.look()));
        let position = key.hash.position();
        match (self.find(key), &mut self.root) {
            (Some(location), Root::One(segment)) => segment.replace(location.place, item, &mut self.pins),
            (Some(location), Root::Many(table)) => table.replace(location, item, &mut self.pins),
            (None, _) => {
                self.insert_new(position, item, hasher);
                return true;
            }
        }
        false
    }

    /// Puts in an item whose key the map does not have.
    #[inline]
    pub fn add(&mut self, item: I, hasher: &Hasher) {
        let position = hasher.hash(I::key(item.look())).position();
        self.insert_new(position, item, hasher);
    }

    /// Puts in the item that `make` returns unless the key is there already; whether it was put in. `make` must
    /// return an item with that key.
    #[inline]
    pub fn insert_with(&mut self, key: &[u8], hasher: &Hasher, make: impl FnOnce() -> I) -> bool {
        let key = hasher.key(key);
        let is_new = self.find(key).is_none();
        if is_new {
            self.insert_new(key.hash.position(), make(), hasher);
        }
        is_new
    }

    /// The same for an item whose position is known.
    fn insert_new(&mut self, position: u64, item: I, hasher: &Hasher) {
        while let Root::One(segment) = &mut self.root {
            if !segment.is_full() {
                segment.insert(position, item, &mut self.pins);
                return;
            }
            if segment.is_largest() {
                self.become_many();
                break;
            }
            segment.grow(&mut self.pins);
        }
        if let Root::Many(table) = &mut self.root {
            table.insert(position, item, hasher, &mut self.pins);
        }
    }

    fn become_many(&mut self) {
        if let Root::One(segment) = &mut self.root {
            let segment = std::mem::replace(segment, Segment::new(POSITION_BITS));
            self.root = Root::Many(Table::of_segment(segment));
        }
    }

    /// Takes the item of a key out; whether there was one.
    #[inline]
    pub fn remove(&mut self, key: &[u8], hasher: &Hasher) -> bool {
        self.remove_seen(key, hasher, |_| {})
    }

    /// Takes the item of a key out, which `visit` sees just before; whether there was one.
    #[inline]
    pub fn remove_seen(&mut self, key: &[u8], hasher: &Hasher, visit: impl FnOnce(I::Ref<'_>)) -> bool {
        let key = hasher.key(key);
        let Some(location) = self.find(key) else { return false };
        let position = key.hash.position();
        self.take(location, visit);
        self.settle(position, hasher);
        true
    }

    /// Takes an item out without moving any other; [`Map::settle`] is to follow. Whether there was one.
    pub(crate) fn take(&mut self, location: Location, visit: impl FnOnce(I::Ref<'_>)) -> bool {
        match &mut self.root {
            Root::One(segment) => segment.remove(location.place, &mut self.pins, visit),
            Root::Many(table) => table.take(location, &mut self.pins, visit),
        }
    }

    /// Gives memory back after items at a position were taken out.
    #[inline]
    pub(crate) fn settle(&mut self, position: u64, hasher: &Hasher) {
        match &mut self.root {
            Root::One(segment) if segment.is_sparse() => {
                segment.resize(segment.len(), &mut self.pins);
            }
            Root::One(_) => {}
            Root::Many(table) => {
                table.settle(position, hasher, &mut self.pins);
                if table.is_empty() {
                    self.clear();
                } else if let Some(segment) = table.take_only_segment() {
                    self.root = Root::One(segment);
                }
            }
        }
    }

    pub(crate) fn place_at(&self, segment: usize, slot: usize) -> Option<Place> {
        self.segments().get(segment)?.place_at(slot)
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        let root = self.take_root();
        self.pins.let_go_of_all(root);
    }

    /// The map as it is now, to be read anywhere whatever becomes of the map. A walk over the segments: some 50 us for a
    /// million items, nothing if the map has not changed since the last pin.
    pub fn pin(&mut self) -> Pin<I> {
        self.pins.again().unwrap_or_else(|| self.pins.pin(&mut self.root))
    }

    /// Whether there may be pins: what an owner of more than a map asks before it does what only pins need.
    #[inline]
    pub fn may_be_pinned(&self) -> bool {
        self.pins.may_exist()
    }

    /// Whether there are pins.
    pub fn is_pinned(&mut self) -> bool {
        self.pins.exist()
    }

    /// Frees memory as soon as no pin is left that was made until now.
    pub fn bury_memory(&mut self, memory: &mut Vec<Memory>) {
        self.pins.bury_memory(memory);
    }

    /// Drops something as soon as no pin is left that was made until now.
    pub fn bury(&mut self, other: Box<dyn Send>) {
        self.pins.bury_other(other);
    }

    /// A map with a copy of every item, as `clone` makes it.
    pub fn clone_with<'a>(&'a self, mut clone: impl FnMut(I::Ref<'a>) -> I) -> Map<I> {
        Map::of(match &self.root {
            Root::One(segment) => Root::One(segment.clone_with(&mut clone)),
            Root::Many(table) => Root::Many(table.clone_with(&mut clone)),
        })
    }

    /// Calls `visit` for the items of the next lines, in hash order, from a cursor on (0 at the beginning): until `count`
    /// items were visited or as many lines. Returns the next cursor, 0 at the end. What is in the map from the first call
    /// to the last is visited at least once, whatever is put in and taken out meanwhile.
    pub fn scan<'a>(&'a self, cursor: u64, count: usize, visit: &mut dyn FnMut(I::Ref<'a>)) -> u64 {
        let (mut cursor, mut visited) = (cursor, 0);
        for _ in 0..count.max(1) {
            cursor = self.visit_line(cursor, &mut |item| {
                visited += 1;
                visit(item);
            });
            if cursor == 0 || visited >= count {
                break;
            }
        }
        cursor
    }

    fn visit_line<'a>(&'a self, cursor: u64, visit: &mut dyn FnMut(I::Ref<'a>)) -> u64 {
        if cursor >> POSITION_BITS != 0 {
            return 0;
        }
        let next = match &self.root {
            Root::One(segment) => segment.visit_line(cursor, visit),
            Root::Many(table) => table.visit_line(cursor, visit),
        };
        next.unwrap_or(0)
    }
}

impl<I: Item> Drop for Map<I> {
    fn drop(&mut self) {
        self.pins.end(&mut self.root);
    }
}
