//! A table that is small when it has few items: what a set, a hash or a sorted set has in a box of its own.
//!
//! Up to 460 items are one segment, without directory: 10 items take 80 + 128 bytes beside the items. With more it
//! becomes a [`Table`] over the whole range of positions; when that has only one segment left, it is one segment again.
//!
//! Rejected: a box inside the map. Owners have a word that is either a small encoding or a box of this; two addresses to
//! follow would be one too many.
//!
//! Every method that looks for a key takes the hasher, always the same for one map.

use crate::hash::{Hasher, Key, KeyHash, POSITION_BITS, Seen};
use crate::item::Item;
use crate::segment::{LINE_SLOTS, Place, Segment};
use crate::slot::Tag;
use crate::table::{Location, Table};

enum Root<I: Item> {
    One(Segment<I>),
    Many(Table<I>),
}

/// Items by key. It is some 80 bytes, to be boxed by its owner.
pub struct Map<I: Item>(Root<I>);

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
        Map(if keys <= segment_keys_max {
            Root::One(Segment::with_capacity(POSITION_BITS, keys))
        } else {
            Root::Many(Table::with_capacity(keys))
        })
    }

    /// The number of keys.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Root::One(segment) => segment.len(),
            Root::Many(table) => table.len(),
        }
    }

    /// Whether there is no key.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is kept about all items.
    pub fn tally(&self) -> &I::Tally {
        match &self.0 {
            Root::One(segment) => segment.tally(),
            Root::Many(table) => table.tally(),
        }
    }

    /// The number of slots, full or empty.
    pub fn slots(&self) -> usize {
        self.segments().iter().map(|segment| segment.lines() * LINE_SLOTS).sum()
    }

    /// Bytes that the map has allocated, without its items and without this struct.
    pub fn memory_bytes(&self) -> usize {
        match &self.0 {
            Root::One(segment) => segment.memory_bytes(),
            Root::Many(table) => table.memory_bytes(),
        }
    }

    #[inline]
    pub(crate) fn segments(&self) -> &[Segment<I>] {
        match &self.0 {
            Root::One(segment) => std::slice::from_ref(segment),
            Root::Many(table) => table.segments(),
        }
    }

    /// Asks the processor for the line where a key is at home: the first step of looking for several keys at a time.
    #[inline]
    pub fn prefetch_line(&self, key: Key<'_>) {
        let position = key.hash.position();
        match &self.0 {
            Root::One(segment) => segment.prefetch_line(position),
            Root::Many(table) => {
                table.segment_of(position).into_iter().for_each(|s| s.prefetch_line(position))
            }
        }
    }

    /// Asks the processor for the items that may be the key's, and notes in it where it seems to be: the second step.
    #[inline]
    pub fn prefetch_item(&self, key: &mut Key<'_>) {
        key.seen = match &self.0 {
            Root::One(segment) => {
                let place = segment.prefetch_item(key.hash.position(), Tag::of(key.hash));
                place.map_or(Seen::NOWHERE, |(line, slot)| Seen { segment: 0, line, slot })
            }
            Root::Many(table) => table.prefetch_item(*key),
        }
    }

    #[inline]
    fn find(&self, key: Key<'_>) -> Option<Location> {
        match &self.0 {
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

    /// The item of a key, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: &[u8], hasher: &Hasher) -> Option<I::Mut<'_>> {
        let location = self.find(hasher.key(key))?;
        match &mut self.0 {
            Root::One(segment) => segment.slot_mut(location.place).item_mut(),
            Root::Many(table) => table.item_mut(location),
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

    /// Puts an item in. Returns the one of the same key that was there before.
    pub fn insert(&mut self, item: I, hasher: &Hasher) -> Option<I> {
        let key = hasher.key(I::key(item.look()));
        let hash = key.hash;
        match (self.find(key), &mut self.0) {
            (Some(location), Root::One(segment)) => segment.replace(location.place, item),
            (Some(location), Root::Many(table)) => table.replace(location, item),
            (None, _) => {
                self.insert_new(hash, item, hasher);
                None
            }
        }
    }

    /// Puts in the item that `make` returns unless the key is there already; whether it was put in. `make` must
    /// return an item with that key.
    #[inline]
    pub fn insert_with(&mut self, key: &[u8], hasher: &Hasher, make: impl FnOnce() -> I) -> bool {
        let key = hasher.key(key);
        let is_new = self.find(key).is_none();
        if is_new {
            self.insert_new(key.hash, make(), hasher);
        }
        is_new
    }

    /// Puts in an item whose key the map does not have.
    fn insert_new(&mut self, hash: KeyHash, item: I, hasher: &Hasher) {
        while let Root::One(segment) = &mut self.0 {
            if !segment.is_full() {
                segment.insert(hash, item);
                return;
            }
            if segment.is_largest() {
                self.become_many();
                break;
            }
            segment.grow(hasher);
        }
        if let Root::Many(table) = &mut self.0 {
            table.insert(hash, item, hasher);
        }
    }

    fn become_many(&mut self) {
        if let Root::One(segment) = &mut self.0 {
            let segment = std::mem::replace(segment, Segment::new(POSITION_BITS));
            let tally = segment.tally_anew();
            self.0 = Root::Many(Table::of_segment(segment, tally));
        }
    }

    /// Takes the item of a key out.
    pub fn remove(&mut self, key: &[u8], hasher: &Hasher) -> Option<I> {
        let key = hasher.key(key);
        let location = self.find(key)?;
        let item = self.take(location);
        self.settle(key.hash.position(), hasher);
        item
    }

    /// Takes an item out without moving any other; [`Map::settle`] is to follow.
    pub(crate) fn take(&mut self, location: Location) -> Option<I> {
        match &mut self.0 {
            Root::One(segment) => segment.remove(location.place),
            Root::Many(table) => table.take(location),
        }
    }

    /// Gives memory back after items at a position were taken out.
    #[inline]
    pub(crate) fn settle(&mut self, position: u64, hasher: &Hasher) {
        match &mut self.0 {
            Root::One(segment) if segment.is_sparse() => segment.resize(segment.len(), hasher),
            Root::One(_) => {}
            Root::Many(table) => {
                table.settle(position, hasher);
                if table.is_empty() {
                    self.clear();
                } else if let Some(segment) = table.take_only_segment() {
                    self.0 = Root::One(segment);
                }
            }
        }
    }

    /// Takes out some of the marked items, a part of the map at a time, from a position on (0 at the beginning): those
    /// that `is_chosen` says. Returns how many marked ones there were in that part, and the position of the next part
    /// (`None` at the end). At most 460 items are looked at, some again where parts merge.
    pub fn extract_marked(
        &mut self,
        position: u64,
        hasher: &Hasher,
        is_chosen: &mut dyn FnMut(I::Ref<'_>) -> bool,
        gone: &mut Vec<I>,
    ) -> (usize, Option<u64>) {
        let result = match &mut self.0 {
            Root::One(segment) => (segment.extract_marked(hasher, is_chosen, gone), None),
            Root::Many(table) => table.extract_marked(position, hasher, is_chosen, gone),
        };
        self.settle(position, hasher);
        result
    }

    /// Changes the item of a key into another of the same key, which may be marked or not; whether there is one.
    pub fn remake(&mut self, key: &[u8], hasher: &Hasher, change: impl FnOnce(I) -> I) -> bool {
        let Some(location) = self.find(hasher.key(key)) else { return false };
        match &mut self.0 {
            Root::One(segment) => segment.remake(location.place, change),
            Root::Many(table) => table.remake(location, change),
        }
        true
    }

    pub(crate) fn place_at(&self, segment: usize, slot: usize, hasher: &Hasher) -> Option<Place> {
        self.segments().get(segment)?.place_at(slot, hasher)
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0 = Root::One(Segment::new(POSITION_BITS));
    }

    /// All items, to be owned; dropping the iterator half-way drops the rest.
    pub fn into_items(self) -> impl Iterator<Item = I> + use<I> {
        let segments = match self.0 {
            Root::One(segment) => vec![segment],
            Root::Many(table) => table.into_segments(),
        };
        segments.into_iter().flat_map(Segment::into_items)
    }

    /// A map with a copy of every item, as `clone` makes it.
    pub fn clone_with<'a>(&'a self, mut clone: impl FnMut(I::Ref<'a>) -> I) -> Map<I> {
        Map(match &self.0 {
            Root::One(segment) => Root::One(segment.clone_with(&mut clone)),
            Root::Many(table) => Root::Many(table.clone_with(&mut clone)),
        })
    }

    /// Calls `visit` for the items of the next lines, in hash order, from a cursor on (0 at the beginning): until `count`
    /// items were visited or as many lines. Returns the next cursor, 0 at the end. What is in the map from the first call
    /// to the last is visited at least once, whatever is put in and taken out meanwhile.
    pub fn scan<'a>(
        &'a self,
        cursor: u64,
        count: usize,
        hasher: &Hasher,
        visit: &mut dyn FnMut(I::Ref<'a>),
    ) -> u64 {
        let (mut cursor, mut visited) = (cursor, 0);
        for _ in 0..count.max(1) {
            cursor = self.visit_line(cursor, hasher, &mut |item| {
                visited += 1;
                visit(item);
            });
            if cursor == 0 || visited >= count {
                break;
            }
        }
        cursor
    }

    fn visit_line<'a>(&'a self, cursor: u64, hasher: &Hasher, visit: &mut dyn FnMut(I::Ref<'a>)) -> u64 {
        if cursor >> POSITION_BITS != 0 {
            return 0;
        }
        let next = match &self.0 {
            Root::One(segment) => segment.visit_line(cursor, hasher, visit),
            Root::Many(table) => table.visit_line(cursor, hasher, visit),
        };
        next.unwrap_or(0)
    }
}
