//! The table of one stripe and one database: extendible hashing over [`Segment`]s.
//!
//! A directory of 2^d numbers says which segment serves each 2^d-th of the table's range of positions; segments that
//! are not split as deeply appear several times. Growing is local: a full segment gets larger or splits; the directory
//! doubles when one splits beyond its depth (4 bytes per 400 keys, so copying it never shows). Shrinking is the same
//! backwards. Because directory, segments and lines are all in hash order, a position is a cursor that stays valid
//! whatever happens to the table: SCAN and the snapshot walker rest on this.

use crate::entry::{Entry, EntryMut, EntryRef};
use crate::harvest::Harvest;
use crate::hash::{Hasher, Key, POSITION_BITS, Seen};
use crate::random::Random;
use crate::segment::{Hint, LINE_SLOTS, LINES_MAX, Place, Segment};
use crate::slot::Tag;
use crate::snapshot::Walks;

/// A position below which a segment is not split further; a hash that good never gets there.
const FREE_BITS_MIN: u32 = 8;
/// Two neighbours with fewer keys than this together become one segment.
const MERGE_KEYS_MAX: usize = 160;

/// Where an entry is; valid until the table changes.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    segment: u32,
    place: Place,
}

/// Which entries of a directory no longer say where their segments are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// None.
    Nothing,
    /// From one index up to, but not including, another.
    Range(usize, usize),
    /// All.
    Everything,
}

/// Keys and values of one database in one stripe.
pub struct Table {
    directory: Vec<u32>,
    segments: Vec<Segment>,
    width: u32,
    depth: u32,
    len: usize,
    expiring: usize,
    timed_hashes: usize,
    next_expire_ms: i64,
    moved: Moved,
    pub(crate) walks: Walks,
}

/// 1 for an entry that is a hash of which fields expire.
#[inline]
fn is_timed_hash(entry: &Entry) -> usize {
    usize::from(entry.as_ref().next_field_expiry_ms().is_some())
}

impl Table {
    /// An empty table for the keys of one of 2^`stripe_bits` stripes.
    pub fn new(stripe_bits: u32) -> Table {
        Table {
            directory: Vec::new(),
            segments: Vec::new(),
            width: POSITION_BITS - stripe_bits,
            depth: 0,
            len: 0,
            expiring: 0,
            timed_hashes: 0,
            next_expire_ms: i64::MAX,
            moved: Moved::Everything,
            walks: Walks::default(),
        }
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of keys that expire.
    pub fn expiring(&self) -> usize {
        self.expiring
    }

    /// The number of hashes of which fields expire.
    pub fn timed_hashes(&self) -> usize {
        self.timed_hashes
    }

    /// No key, and no field of a key's hash, has expired before this (unix time in ms).
    pub fn next_expire_ms(&self) -> i64 {
        self.next_expire_ms
    }

    /// The number of slots, full or empty.
    pub fn slots(&self) -> usize {
        self.segments.iter().map(|segment| segment.lines() * LINE_SLOTS).sum()
    }

    /// Bytes of the table itself, without its entries.
    pub fn memory_bytes(&self) -> usize {
        let lines: usize = self.segments.iter().map(Segment::memory_bytes).sum();
        lines + self.segments.capacity() * size_of::<Segment>() + self.directory.capacity() * size_of::<u32>()
    }

    #[inline]
    fn relative(&self, position: u64) -> u64 {
        position & ((1u64 << self.width) - 1)
    }

    #[inline]
    fn segment_index(&self, position: u64) -> Option<u32> {
        let index = self.relative(position) >> (self.width - self.depth);
        self.directory.get(index as usize).copied()
    }

    /// The part of the directory that was changed since the last call, if any: what hints have to follow.
    #[inline]
    pub fn take_moved(&mut self) -> Moved {
        std::mem::replace(&mut self.moved, Moved::Nothing)
    }

    /// Says that the whole table is somewhere else now.
    pub fn move_everything(&mut self) {
        self.moved = Moved::Everything;
    }

    /// Logarithm of the directory's size.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Bits of a position that vary within this table.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The hint for an entry of the directory.
    pub fn hint(&self, index: usize) -> Option<Hint> {
        self.directory.get(index).map(|number| self.segments[*number as usize].hint())
    }

    fn note_moved(&mut self, position: u64) {
        if self.moved != Moved::Everything
            && let Some(number) = self.segment_index(position)
        {
            let bits = self.segments[number as usize].free_bits();
            let span = 1usize << (self.depth + bits - self.width);
            let first = (self.relative(position) >> bits) as usize * span;
            self.moved = match self.moved {
                Moved::Nothing => Moved::Range(first, first + span),
                Moved::Range(start, end) => Moved::Range(start.min(first), end.max(first + span)),
                Moved::Everything => Moved::Everything,
            };
        }
    }

    /// Asks the processor for the entries that may be a key's; its line should be there by now. Returns where the key
    /// seems to be.
    #[inline]
    pub(crate) fn prefetch_entry(&self, key: Key<'_>) -> Seen {
        let position = key.hash.position();
        let place = self.segment_index(position).and_then(|segment| {
            let (line, slot) = self.segments[segment as usize].prefetch_entry(position, Tag::of(key.hash))?;
            Some(Seen { segment, line, slot })
        });
        place.unwrap_or(Seen::NOWHERE)
    }

    /// The same for a key that was not in the line where it is at home.
    pub(crate) fn prefetch_displaced(&self, key: Key<'_>) -> Seen {
        let Seen { segment, line, .. } = key.seen;
        let place = self
            .segments
            .get(segment as usize)
            .and_then(|segment| segment.prefetch_in_line(usize::from(line), Tag::of(key.hash)));
        place.map_or(Seen::NOWHERE, |(line, slot)| Seen { segment, line, slot })
    }

    /// Where a key is.
    #[inline(always)]
    pub fn find(&self, key: Key<'_>) -> Option<Location> {
        match self.segments.get(key.seen.segment as usize).and_then(|segment| segment.find_seen(key)) {
            Some(place) => Some(Location { segment: key.seen.segment, place }),
            None => self.find_anew(key),
        }
    }

    /// The entry of a key, to be changed, if it is still where it was seen when it was fetched ahead.
    #[inline(always)]
    pub fn seen_mut(&mut self, key: Key<'_>) -> Option<EntryMut<'_>> {
        if self.walks.are_active() {
            return None;
        }
        self.segments.get_mut(key.seen.segment as usize)?.seen_mut(key)
    }

    #[inline(never)]
    fn find_anew(&self, key: Key<'_>) -> Option<Location> {
        let segment = self.segment_index(key.hash.position())?;
        let place = self.segments[segment as usize].find(key)?;
        Some(Location { segment, place })
    }

    /// The entry at a location.
    #[inline]
    pub fn entry(&self, location: Location) -> Option<EntryRef<'_>> {
        self.segments[location.segment as usize].slot(location.place).entry()
    }

    /// Moves the access clock of the entry at a location, unless its time has come; whether it has not.
    #[inline]
    pub fn use_entry(&mut self, location: Location, now_ms: i64, clock: u32) -> bool {
        let slot = self.segments[location.segment as usize].slot_mut(location.place);
        let is_timed = slot.is_timed();
        let Some(mut entry) = slot.entry_mut() else { return false };
        if is_timed && entry.as_ref().expire_ms().is_some_and(|expire_ms| expire_ms <= now_ms) {
            return false;
        }
        if entry.as_ref().access() != clock {
            entry.set_access(clock);
        }
        true
    }

    /// The entry at a location, to be changed; its expiry changes through [`Table::set_expire`], and when fields of its hash
    /// expire has to be told to [`Table::fields_moved`].
    #[inline]
    pub fn entry_mut(&mut self, location: Location) -> Option<EntryMut<'_>> {
        self.keep_for_snapshots(location);
        self.entry_in_place(location)
    }

    /// The same for what no snapshot tells: where a key is pinned, or used.
    #[inline]
    pub(crate) fn entry_in_place(&mut self, location: Location) -> Option<EntryMut<'_>> {
        self.segments[location.segment as usize].slot_mut(location.place).entry_mut()
    }

    /// Keeps an entry that is about to be changed for the snapshots that have still to come to it.
    #[inline]
    fn keep_for_snapshots(&mut self, location: Location) {
        if self.walks.are_active() {
            self.keep(location);
        }
    }

    #[cold]
    fn keep(&mut self, location: Location) {
        let segment = &mut self.segments[location.segment as usize];
        segment.slot_mut(location.place).entry_mut().into_iter().for_each(|entry| self.walks.keep(entry));
    }

    /// Puts another entry of the same key in place of one, which is returned.
    pub fn replace(&mut self, location: Location, key: Key<'_>, entry: Entry) -> Option<Entry> {
        self.keep_for_snapshots(location);
        let entry = entry.with_marks(self.walks.marks());
        let segment = &mut self.segments[location.segment as usize];
        let before = segment.expiring();
        self.timed_hashes += is_timed_hash(&entry);
        let old = segment.replace(location.place, Tag::of(key.hash), entry);
        self.timed_hashes -= old.as_ref().map_or(0, is_timed_hash);
        self.expiring = self.expiring + segment.expiring() - before;
        self.next_expire_ms = self.next_expire_ms.min(segment.min_expire_ms());
        old
    }

    /// Changes when a key expires, or whether.
    pub fn set_expire(&mut self, location: Location, key: Key<'_>, expire_ms: Option<i64>) {
        self.keep_for_snapshots(location);
        let segment = &mut self.segments[location.segment as usize];
        let slot = segment.slot_mut(location.place);
        let expires = slot.is_timed() && slot.entry().is_some_and(|entry| entry.expire_ms().is_some());
        if let (true, Some(expire_ms)) = (expires, expire_ms) {
            if let Some(mut entry) = slot.entry_mut() {
                entry.move_expire(expire_ms);
            }
            segment.expire_moved(expire_ms);
        } else if expires != expire_ms.is_some() {
            let before = segment.expiring();
            segment.re_expire(location.place, Tag::of(key.hash), expire_ms);
            self.expiring = self.expiring + segment.expiring() - before;
        }
        self.next_expire_ms = self.next_expire_ms.min(segment.min_expire_ms());
    }

    /// Takes note that the times at which fields of a hash expire have changed: whether there were any, and whether there are.
    pub fn fields_moved(&mut self, location: Location, were_timed: bool, are_timed: bool) {
        self.timed_hashes = self.timed_hashes + usize::from(are_timed) - usize::from(were_timed);
        let segment = &mut self.segments[location.segment as usize];
        segment.fields_moved(location.place);
        self.next_expire_ms = self.next_expire_ms.min(segment.min_expire_ms());
    }

    /// Puts in a key that the table does not have.
    pub fn insert(&mut self, key: Key<'_>, entry: Entry, hasher: &Hasher) -> Location {
        let entry = entry.with_marks(self.walks.marks());
        let position = key.hash.position();
        if self.directory.is_empty() {
            // Without room for more: there are very many small tables, most of which stay small.
            (self.directory, self.segments) = (vec![0], vec![Segment::new(self.width)]);
            self.moved = Moved::Everything;
        }
        let mut index = self.segment_index(position).unwrap_or(0);
        while self.segments[index as usize].is_full() {
            self.make_room(index, position, hasher);
            index = self.segment_index(position).unwrap_or(0);
        }
        let segment = &mut self.segments[index as usize];
        self.len += 1;
        self.expiring += usize::from(entry.as_ref().expire_ms().is_some());
        self.timed_hashes += is_timed_hash(&entry);
        let place = segment.insert(key, entry);
        self.next_expire_ms = self.next_expire_ms.min(segment.min_expire_ms());
        Location { segment: index, place }
    }

    fn make_room(&mut self, index: u32, position: u64, hasher: &Hasher) {
        let segment = &mut self.segments[index as usize];
        if !segment.is_largest() {
            segment.grow(hasher);
            return self.note_moved(position);
        }
        assert!(
            segment.free_bits() > FREE_BITS_MIN,
            "a seeded hash spreads keys over far more bits than this"
        );
        let depth = self.width - segment.free_bits();
        if depth == self.depth {
            self.directory = self.directory.iter().flat_map(|number| [*number, *number]).collect();
            self.depth += 1;
            self.moved = Moved::Everything;
        }
        let upper = self.segments[index as usize].split(hasher);
        let span = 1usize << (self.depth - depth - 1);
        let first = (self.relative(position) >> (self.width - depth)) as usize * span * 2;
        let number = self.segments.len() as u32;
        if self.segments.len() == self.segments.capacity() {
            self.moved = Moved::Everything;
        }
        self.segments.push(upper);
        self.directory[first + span..first + 2 * span].fill(number);
        self.note_moved(position);
        self.note_moved(position ^ (1 << (self.width - depth - 1)));
    }

    /// Takes a key out.
    pub fn remove(&mut self, location: Location, hasher: &Hasher) -> Option<Entry> {
        self.keep_for_snapshots(location);
        let segment = &mut self.segments[location.segment as usize];
        let entry = segment.remove(location.place)?;
        self.len -= 1;
        self.expiring -= usize::from(entry.as_ref().expire_ms().is_some());
        self.timed_hashes -= is_timed_hash(&entry);
        if segment.is_sparse() {
            let position = hasher.hash(entry.as_ref().key()).position();
            self.shrink(position, hasher);
        }
        if self.len == 0 && self.segments.len() > 1 {
            let walks = std::mem::take(&mut self.walks);
            *self = Table { walks, ..Table::new(POSITION_BITS - self.width) };
        }
        Some(entry)
    }

    /// Makes the segment of a position smaller, together with its neighbour if both are nearly empty.
    fn shrink(&mut self, position: u64, hasher: &Hasher) {
        let Some(index) = self.segment_index(position) else { return };
        let keys = self.segments[index as usize].len();
        self.segments[index as usize].resize(keys, hasher);
        self.note_moved(position);
        while self.merge_with_neighbour(position, hasher) {}
    }

    fn merge_with_neighbour(&mut self, position: u64, hasher: &Hasher) -> bool {
        let Some(index) = self.segment_index(position) else { return false };
        let bits = self.segments[index as usize].free_bits();
        if bits == self.width {
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
        self.segments[lower as usize].merge(taken, hasher);
        let span = 1usize << (bits + 1 + self.depth - self.width);
        let first = (self.relative(position) >> (bits + 1)) as usize * span;
        self.directory[first..first + span].fill(lower);
        self.drop_segment(upper);
        self.halve_directory();
        self.moved = Moved::Everything;
        true
    }

    /// Removes a segment nobody points to, moving the last one into its number.
    fn drop_segment(&mut self, index: u32) {
        self.segments.swap_remove(index as usize);
        let moved = self.segments.len() as u32;
        if moved != index {
            self.directory.iter_mut().filter(|number| **number == moved).for_each(|number| *number = index);
        }
        if self.segments.len() * 4 < self.segments.capacity() {
            self.segments.shrink_to(self.segments.len() * 2);
        }
    }

    fn halve_directory(&mut self) {
        while self.depth > 0 && self.directory.chunks(2).all(|pair| pair[0] == pair[1]) {
            self.directory = self.directory.iter().step_by(2).copied().collect();
            self.depth -= 1;
        }
    }

    /// Calls `visit` for every key at home in the line of `position` (relative to the table). Returns the position at
    /// which the next line begins, or `None` at the end.
    pub fn visit_line(
        &self,
        position: u64,
        hasher: &Hasher,
        visit: &mut dyn FnMut(EntryRef<'_>),
    ) -> Option<u64> {
        let segment = &self.segments[self.segment_index(position)? as usize];
        let free = (1u64 << segment.free_bits()) - 1;
        let first = self.relative(position) & !free;
        let next = match segment.visit_line(position & free, hasher, visit) {
            Some(next) => first + next,
            None => first + free + 1,
        };
        (next < 1u64 << self.width).then_some(next)
    }

    /// Calls `visit` for every key of the segment of `position` (relative to the table). Returns the position at which the next
    /// segment begins, or `None` at the end.
    pub(crate) fn visit_segment_mut(
        &mut self,
        position: u64,
        visit: &mut dyn FnMut(EntryMut<'_>),
    ) -> Option<u64> {
        let index = self.segment_index(position)?;
        let segment = &mut self.segments[index as usize];
        segment.visit_all_mut(visit);
        let next = (position | ((1u64 << segment.free_bits()) - 1)) + 1;
        (next < 1u64 << self.width).then_some(next)
    }

    /// Calls `visit` for every key, in no order.
    pub fn visit_all(&self, visit: &mut dyn FnMut(EntryRef<'_>)) {
        self.segments.iter().for_each(|segment| segment.visit_all(visit));
    }

    /// A key at random, each as likely as any other; with `expiring` among those that expire. Gives up after
    /// `attempts` empty slots.
    pub fn random_entry(&self, random: &mut Random, expiring: bool, attempts: usize) -> Option<EntryRef<'_>> {
        if self.segments.is_empty() {
            return None;
        }
        for _ in 0..attempts {
            let segment = &self.segments[random.below(self.segments.len())];
            // As many slots for every segment, whatever its size: a small one is missed more often.
            let slots = if self.segments.len() == 1 { segment.lines() } else { LINES_MAX } * LINE_SLOTS;
            if let Some(entry) = segment.entry_at(random.below(slots), expiring) {
                return Some(entry);
            }
        }
        None
    }

    /// Takes expired keys, and fields of hashes, out of one segment: that of `position`, a part of the table's range. Returns
    /// how many keys with times it looked at and the position of the next segment (`None` at the end); that of the same one
    /// if `harvest` had no room for all.
    pub fn sweep(
        &mut self,
        position: u64,
        now_ms: i64,
        hasher: &Hasher,
        harvest: &mut Harvest,
    ) -> (usize, Option<u64>) {
        let Some(index) = self.segment_index(position) else { return (0, None) };
        let relative = self.relative(position);
        let segment = &mut self.segments[index as usize];
        let free = (1u64 << segment.free_bits()) - 1;
        let next = (relative | free) + 1;
        let mut looked_at = 0;
        if segment.min_expire_ms() <= now_ms {
            if self.walks.are_active() {
                segment.visit_due(now_ms, &mut |entry| self.walks.keep(entry));
            }
            let before = (segment.len(), segment.expiring(), harvest.untimed);
            looked_at = segment.sweep(now_ms, hasher, harvest);
            self.len -= before.0 - segment.len();
            self.expiring -= before.1 - segment.expiring();
            self.timed_hashes -= harvest.untimed - before.2;
            if segment.min_expire_ms() <= now_ms && harvest.is_full() {
                return (looked_at, Some(relative));
            }
            if segment.is_sparse() {
                self.shrink(position, hasher);
            }
        }
        (looked_at, (next < 1u64 << self.width && !self.directory.is_empty()).then_some(next))
    }

    /// Learns anew when the next key expires, from what the segments know. To be called after a full sweep.
    pub fn refresh_next_expire(&mut self) {
        self.next_expire_ms = self.segments.iter().map(Segment::min_expire_ms).min().unwrap_or(i64::MAX);
    }

    /// Takes the table apart into pieces that can be freed one at a time.
    pub fn into_segments(self) -> Vec<Segment> {
        self.segments
    }
}
