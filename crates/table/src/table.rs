//! Extendible hashing over [`Segment`]s.
//!
//! A directory of 2^d numbers says which segment serves each 2^d-th of the table's range of positions; segments that
//! are not split as deeply appear several times. Growing is local: a full segment gets larger or splits; the directory
//! doubles when one splits beyond its depth (4 bytes per 400 keys, so copying it never shows). Shrinking is the same
//! backwards. Because directory, segments and lines are all in hash order, a position is a cursor that stays valid
//! whatever happens to the table.

use crate::hash::{Hasher, Key, POSITION_BITS, Seen};
use crate::item::Item;
use crate::lines::Lines;
use crate::pins::{Access, Pins};
use crate::segment::{Place, Segment};

/// A position below which a segment is not split further; a hash that good never gets there.
const FREE_BITS_MIN: u32 = 8;
/// Two neighbours with fewer keys than this together become one segment.
const MERGE_KEYS_MAX: usize = 160;
/// Keys of a segment in a table that is made for a number of keys: between what a split leaves and what causes one.
const PLANNED_KEYS: usize = 360;

/// Where an item is; valid until the table changes, and for ever in pins made before.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    pub(crate) segment: u32,
    pub(crate) place: Place,
}

/// Items by key, for one range of positions.
pub struct Table<I: Item> {
    directory: Vec<u32>,
    segments: Vec<Segment<I>>,
    len: usize,
    width: u8,
    depth: u8,
}

impl<I: Item> Table<I> {
    /// An empty table for keys whose positions share all but their low `width` bits.
    pub fn new(width: u32) -> Table<I> {
        Table { directory: Vec::new(), segments: Vec::new(), len: 0, width: width as u8, depth: 0 }
    }

    /// An empty table over the whole range of positions that takes `keys` keys without much growing.
    pub fn with_capacity(keys: usize) -> Table<I> {
        let depth = (keys / PLANNED_KEYS + 1).next_power_of_two().ilog2().min(24);
        let mut table = Table::new(POSITION_BITS);
        table.depth = depth as u8;
        table.directory = (0..1 << depth).collect();
        let segment = |_: &u32| Segment::with_capacity(POSITION_BITS - depth, keys >> depth);
        table.segments = table.directory.iter().map(segment).collect();
        table
    }

    /// A table of one segment.
    pub(crate) fn of_segment(segment: Segment<I>) -> Table<I> {
        let mut table = Table::new(segment.free_bits());
        table.len = segment.len();
        table.directory = vec![0];
        table.segments = vec![segment];
        table
    }

    /// The only segment, if there is no other.
    pub(crate) fn take_only_segment(&mut self) -> Option<Segment<I>> {
        if self.segments.len() != 1 {
            return None;
        }
        self.segments.pop()
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the table itself, without its items.
    pub fn memory_bytes(&self) -> usize {
        let lines: usize = self.segments.iter().map(Segment::memory_bytes).sum();
        lines
            + self.segments.capacity() * size_of::<Segment<I>>()
            + self.directory.capacity() * size_of::<u32>()
    }

    pub(crate) fn segments(&self) -> &[Segment<I>] {
        &self.segments
    }

    pub(crate) fn segments_mut(&mut self) -> &mut [Segment<I>] {
        &mut self.segments
    }

    #[inline]
    fn relative(&self, position: u64) -> u64 {
        position & ((1u64 << self.width) - 1)
    }

    #[inline]
    pub(crate) fn segment_index(&self, position: u64) -> Option<u32> {
        let index = self.relative(position) >> (self.width - self.depth);
        self.directory.get(index as usize).copied()
    }

    /// The segment that serves a position, if the table has any.
    #[inline]
    pub fn segment_of(&self, position: u64) -> Option<&Segment<I>> {
        self.segments.get(self.segment_index(position)? as usize)
    }

    /// Logarithm of the directory's size.
    pub fn depth(&self) -> u32 {
        u32::from(self.depth)
    }

    /// Bits of a position that vary within this table.
    pub fn width(&self) -> u32 {
        u32::from(self.width)
    }

    /// Asks the processor for the items that may be a key's; its line should be there by now. Returns where the key
    /// seems to be.
    #[inline]
    pub fn prefetch_item(&self, key: Key<'_>) -> Seen {
        let position = key.hash.position();
        let place = self.segment_index(position).and_then(|segment| {
            let (line, slot) = self.segments[segment as usize].prefetch_item(position)?;
            Some(Seen { segment, line, slot })
        });
        place.unwrap_or(Seen::NOWHERE)
    }

    /// Where a key is.
    #[inline(always)]
    pub fn find(&self, key: Key<'_>) -> Option<Location> {
        match self.segments.get(key.seen.segment as usize).and_then(|segment| segment.find_seen(key)) {
            Some(place) => Some(Location { segment: key.seen.segment, place }),
            None => self.find_anew(key),
        }
    }

    #[inline(never)]
    fn find_anew(&self, key: Key<'_>) -> Option<Location> {
        let segment = self.segment_index(key.hash.position())?;
        let place = self.segments[segment as usize].find(key)?;
        Some(Location { segment, place })
    }

    /// The item at a location, to be changed.
    #[inline]
    pub fn access(&mut self, location: Location, pins: &mut Pins<I>) -> Option<Access<'_, I>> {
        self.segments[location.segment as usize].access(location.place, pins)
    }

    /// Puts another item of the same key in place of one, which is let go.
    pub fn replace(&mut self, location: Location, item: I, pins: &mut Pins<I>) {
        self.segments[location.segment as usize].replace(location.place, item, pins);
    }

    /// Puts in an item whose key, of this position, the table does not have.
    pub fn insert(&mut self, position: u64, item: I, hasher: &Hasher, pins: &mut Pins<I>) {
        let mut segment = self.segment_index(position).unwrap_or(0);
        while self.segments[segment as usize].is_full() {
            self.make_room(segment, position, hasher, pins);
            segment = self.segment_index(position).unwrap_or(0);
        }
        self.len += 1;
        self.segments[segment as usize].insert(position, item, pins);
    }

    fn make_room(&mut self, index: u32, position: u64, hasher: &Hasher, pins: &mut Pins<I>) {
        let segment = &mut self.segments[index as usize];
        if !segment.is_largest() {
            return segment.grow(pins);
        }
        let bits = segment.free_bits();
        assert!(bits > FREE_BITS_MIN, "a seeded hash spreads keys over far more bits than this");
        let depth = self.width() - bits;
        if depth == self.depth() {
            self.directory = self.directory.iter().flat_map(|number| [*number, *number]).collect();
            self.depth += 1;
        }
        let upper = self.segments[index as usize].split(hasher, pins);
        let span = 1usize << (self.depth() - depth - 1);
        let first = (self.relative(position) >> bits) as usize * span * 2;
        let number = self.segments.len() as u32;
        self.segments.push(upper);
        self.directory[first + span..first + 2 * span].fill(number);
    }

    /// Takes a key out without making the table smaller, so that other locations stay valid. `visit` sees the item just
    /// before; whether there was one. To be followed by [`Table::settle`].
    pub(crate) fn take(
        &mut self,
        location: Location,
        pins: &mut Pins<I>,
        visit: impl FnOnce(I::Ref<'_>),
    ) -> bool {
        let taken = self.segments[location.segment as usize].remove(location.place, pins, visit);
        self.len -= usize::from(taken);
        taken
    }

    /// Makes the segment of a position smaller if it has become sparse.
    pub(crate) fn settle(&mut self, position: u64, hasher: &Hasher, pins: &mut Pins<I>) {
        if self.segment_of(position).is_some_and(Segment::is_sparse) {
            self.shrink(position, hasher, pins);
        }
    }

    /// Makes the segment of a position smaller, together with its neighbour if both are nearly empty.
    fn shrink(&mut self, position: u64, hasher: &Hasher, pins: &mut Pins<I>) {
        let Some(index) = self.segment_index(position) else { return };
        let keys = self.segments[index as usize].len();
        self.segments[index as usize].resize(keys, pins);
        while self.merge_with_neighbour(position, hasher, pins) {}
    }

    fn merge_with_neighbour(&mut self, position: u64, hasher: &Hasher, pins: &mut Pins<I>) -> bool {
        let Some(index) = self.segment_index(position) else { return false };
        let bits = self.segments[index as usize].free_bits();
        if bits == self.width() {
            return false;
        }
        let Some(other) = self.segment_index(position ^ (1 << bits)) else { return false };
        let keys = self.segments[index as usize].len() + self.segments[other as usize].len();
        if self.segments[other as usize].free_bits() != bits || keys > MERGE_KEYS_MAX {
            return false;
        }
        let lower = self.segment_index(position & !(1 << bits)).unwrap_or(index);
        let upper = index ^ other ^ lower;
        let taken = std::mem::replace(&mut self.segments[upper as usize], Segment::new(bits));
        self.segments[lower as usize].merge(taken, hasher, pins);
        let span = 1usize << (bits + 1 + self.depth() - self.width());
        let first = (self.relative(position) >> (bits + 1)) as usize * span;
        self.directory[first..first + span].fill(lower);
        self.drop_segment(upper);
        self.halve_directory();
        true
    }

    /// Removes a segment nobody points to, moving the last one into its number.
    fn drop_segment(&mut self, index: u32) {
        self.segments.swap_remove(index as usize);
        let moved = self.segments.len() as u32;
        if moved != index {
            self.renumber(moved, index);
        }
        if self.segments.len() * 4 < self.segments.capacity() {
            self.segments.shrink_to(self.segments.len() * 2);
        }
    }

    /// The segment at index `new` had the number `old` until now.
    fn renumber(&mut self, old: u32, new: u32) {
        self.directory.iter_mut().filter(|number| **number == old).for_each(|number| *number = new);
    }

    fn halve_directory(&mut self) {
        while self.depth > 0 && self.directory.chunks(2).all(|pair| pair[0] == pair[1]) {
            self.directory = self.directory.iter().step_by(2).copied().collect();
            self.depth -= 1;
        }
    }

    /// Calls `visit` for every key at home in the line of `position` (relative to the table). Returns the position at
    /// which the next line begins, or `None` at the end.
    pub fn visit_line<'a>(&'a self, position: u64, visit: &mut dyn FnMut(I::Ref<'a>)) -> Option<u64> {
        let segment = self.segment_of(position)?;
        let free = (1u64 << segment.free_bits()) - 1;
        let first = self.relative(position) & !free;
        let next = match segment.visit_line(position & free, visit) {
            Some(next) => first + next,
            None => first + free + 1,
        };
        (next < 1u64 << self.width).then_some(next)
    }

    /// The same table with what `share` makes of the lines of each segment.
    pub(crate) fn share(&mut self, share: &mut impl FnMut(&mut Lines<I>) -> Lines<I>) -> Table<I> {
        Table {
            directory: self.directory.clone(),
            segments: self.segments.iter_mut().map(|segment| segment.share(share)).collect(),
            ..*self
        }
    }

    /// The same table with a copy of every item.
    pub(crate) fn clone_with<'a>(&'a self, clone: &mut impl FnMut(I::Ref<'a>) -> I) -> Table<I> {
        let mut copy: Table<I> = Table::new(self.width());
        copy.depth = self.depth;
        copy.len = self.len;
        copy.directory = self.directory.clone();
        copy.segments = self.segments.iter().map(|segment| segment.clone_with(clone)).collect();
        copy
    }
}
