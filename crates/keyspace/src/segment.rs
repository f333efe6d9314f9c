//! A part of the table: up to 64 cache lines of eight slots, for the keys of one range of the hash.
//!
//! The range is cut evenly into as many pieces as there are lines; a key's *home* is the line of its piece. So lines
//! are in hash order, whatever their number. A key whose home is full goes to the next line with room (around the
//! end); every line it passes counts it (four bits per line, sticky at 15), and a search goes on past a line only if
//! that line was passed. Removal just empties a slot: nothing else moves, no other entry is touched.
//!
//! A segment grows by eight lines at a time and splits at 64, so it is 73-90 % full whatever the number of keys: a
//! doubling table is 45-90 % full. Moving its at most 460 entries is all that ever happens at once (about 10 us).
//!
//! Rejected: "stop at a line with an empty slot" instead of counting (a removal from a full line must then fetch the
//! entries of the next line to see which could come back).

use ochre_table::prefetch;

use crate::entry::{Entry, EntryMut, EntryRef};
use crate::harvest::Harvest;
use crate::hash::{Hasher, Key, Seen};
use crate::slot::{Slot, Tag};

/// Slots in a line.
pub const LINE_SLOTS: usize = 8;
/// Lines in the largest segment.
pub const LINES_MAX: usize = 64;
const SIZES: [u8; 11] = [1, 2, 4, 8, 16, 24, 32, 40, 48, 56, 64];
const PASSED_STICKY: u8 = 15;

#[repr(align(64))]
struct Line([Slot; LINE_SLOTS]);

impl Line {
    const EMPTY: Line = Line([const { Slot::EMPTY }; LINE_SLOTS]);

    /// A bit for every slot that may hold a key of this tag.
    #[inline]
    fn matches(&self, tag: Tag) -> u32 {
        Slot::matching(&self.0, tag)
    }
}

/// What a prefetch needs to know of a segment: where its lines are, how many, and the bits that choose one. It is
/// read without a lock and may be stale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hint {
    /// Address of the lines (a multiple of 64), their number less one in the low six bits, `free_bits` above bit 48.
    pub lines: u64,
    /// Address of the segment itself.
    pub segment: u64,
}

impl Hint {
    /// Asks the processor for the segment and for the line where a key of this position is at home.
    #[inline]
    pub fn prefetch(self, position: u64) {
        let (count, free_bits) = ((self.lines & 63) + 1, (self.lines >> 48) as u32 & 63);
        let home = ((position & ((1 << free_bits) - 1)) * count) >> free_bits;
        prefetch((self.segment) as *const u8);
        prefetch(((self.lines & 0x0000_ffff_ffff_ffc0) + home * size_of::<Line>() as u64) as *const u8);
    }
}

/// Where an entry is within a segment.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    line: u8,
    slot: u8,
    home: u8,
}

/// A part of the table.
pub struct Segment {
    lines: Box<[Line]>,
    passed: [u8; 32],
    min_expire_ms: i64,
    count: u16,
    expiring: u16,
    free_bits: u8,
}

impl Segment {
    /// An empty segment with one line.
    pub fn new(free_bits: u32) -> Segment {
        Segment::with_lines(free_bits, SIZES[0])
    }

    fn with_lines(free_bits: u32, lines: u8) -> Segment {
        Segment {
            lines: (0..lines).map(|_| Line::EMPTY).collect(),
            passed: [0; 32],
            min_expire_ms: i64::MAX,
            count: 0,
            expiring: 0,
            free_bits: free_bits as u8,
        }
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// The number of keys that expire.
    pub fn expiring(&self) -> usize {
        usize::from(self.expiring)
    }

    /// The low bits of a position that differ within this segment.
    pub fn free_bits(&self) -> u32 {
        u32::from(self.free_bits)
    }

    /// The number of lines.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// No key, and no field of a key's hash, has expired before this (unix time in ms); `i64::MAX` if none ever will.
    pub fn min_expire_ms(&self) -> i64 {
        self.min_expire_ms
    }

    /// Bytes of the slots.
    pub fn memory_bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>()
    }

    #[inline]
    fn home(&self, position: u64) -> usize {
        let inner = position & ((1u64 << self.free_bits) - 1);
        ((inner * self.lines.len() as u64) >> self.free_bits) as usize
    }

    /// The first position (within the segment's range) whose home is not before `line`.
    fn line_start(&self, line: usize) -> u64 {
        ((line as u64) << self.free_bits).div_ceil(self.lines.len() as u64)
    }

    #[inline]
    fn passed(&self, line: usize) -> u8 {
        (self.passed[line / 2] >> (line % 2 * 4)) & 15
    }

    fn set_passed(&mut self, line: usize, count: u8) {
        let shift = line % 2 * 4;
        let pair = &mut self.passed[line / 2];
        *pair = (*pair & !(15 << shift)) | (count << shift);
    }

    /// What a prefetch needs to know.
    pub fn hint(&self) -> Hint {
        let lines =
            self.lines.as_ptr() as u64 | (self.lines.len() as u64 - 1) | u64::from(self.free_bits) << 48;
        Hint { lines, segment: std::ptr::from_ref(self) as u64 }
    }

    /// Asks the processor for the entries in the line of this position that may be the key's; if there are none, but some
    /// keys have passed that line, for the line after it. Returns where the key is to be looked for.
    #[inline]
    pub fn prefetch_entry(&self, position: u64, tag: Tag) -> Option<(u8, u8)> {
        self.prefetch_in_line(self.home(position), tag)
    }

    /// The same for the line in which the key is to be looked for.
    #[inline]
    pub fn prefetch_in_line(&self, at: usize, tag: Tag) -> Option<(u8, u8)> {
        let line = self.lines.get(at)?;
        let mut mask = line.matches(tag);
        if mask == 0 {
            return self.prefetch_next_line(at);
        }
        let first = mask.trailing_zeros();
        while mask != 0 {
            line.0[mask.trailing_zeros() as usize % LINE_SLOTS].prefetch();
            mask &= mask - 1;
        }
        Some((at as u8, first as u8))
    }

    #[inline]
    fn prefetch_next_line(&self, at: usize) -> Option<(u8, u8)> {
        (self.passed(at) != 0).then(|| {
            let next = self.after(at);
            prefetch(std::ptr::from_ref(&self.lines[next]).cast());
            (next as u8, Seen::ANY_SLOT)
        })
    }

    /// Where a key is, if that is still where it was seen.
    #[inline(always)]
    pub fn find_seen(&self, key: Key<'_>) -> Option<Place> {
        let Seen { line, slot, .. } = key.seen;
        let entry = self.lines.get(usize::from(line))?.0[usize::from(slot) % LINE_SLOTS].entry()?;
        entry.has_key(key.bytes).then(|| Place { line, slot, home: self.home(key.hash.position()) as u8 })
    }

    /// The entry of a key, to be changed, if it is still where it was seen.
    #[inline(always)]
    pub fn seen_mut(&mut self, key: Key<'_>) -> Option<EntryMut<'_>> {
        let Seen { line, slot, .. } = key.seen;
        let entry = self.lines.get_mut(usize::from(line))?.0[usize::from(slot) % LINE_SLOTS].entry_mut()?;
        entry.as_ref().has_key(key.bytes).then_some(entry)
    }

    /// Where a key is.
    #[inline]
    pub fn find(&self, key: Key<'_>) -> Option<Place> {
        let home = self.home(key.hash.position());
        let tag = Tag::of(key.hash);
        let mut line = home;
        loop {
            let slots = &self.lines[line];
            let mut mask = slots.matches(tag);
            while mask != 0 {
                let slot = mask.trailing_zeros() as usize;
                if slots.0[slot].entry().is_some_and(|entry| entry.has_key(key.bytes)) {
                    return Some(Place { line: line as u8, slot: slot as u8, home: home as u8 });
                }
                mask &= mask - 1;
            }
            if self.passed(line) == 0 {
                return None;
            }
            line = self.after(line);
            if line == home {
                return None;
            }
        }
    }

    #[inline]
    fn after(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() { 0 } else { line + 1 }
    }

    /// The slot at a place that `find` or `insert` returned and that nothing has changed since.
    #[inline]
    pub fn slot(&self, place: Place) -> &Slot {
        &self.lines[usize::from(place.line)].0[usize::from(place.slot) % LINE_SLOTS]
    }

    /// The same, to be changed. Changes of expiry go through [`Segment::replace`] or [`Segment::expire_moved`].
    #[inline]
    pub fn slot_mut(&mut self, place: Place) -> &mut Slot {
        &mut self.lines[usize::from(place.line)].0[usize::from(place.slot) % LINE_SLOTS]
    }

    /// Notes that the entry's expiry (which it already had) is now this.
    pub fn expire_moved(&mut self, expire_ms: i64) {
        self.min_expire_ms = self.min_expire_ms.min(expire_ms);
    }

    /// Notes that the times at which fields of the entry's hash expire have changed.
    pub fn fields_moved(&mut self, place: Place) {
        let slot = self.slot_mut(place);
        let due_ms = slot.entry().and_then(EntryRef::due_ms);
        slot.set_timed(due_ms.is_some());
        self.min_expire_ms = self.min_expire_ms.min(due_ms.unwrap_or(i64::MAX));
    }

    /// Puts another entry of the same key in place of one, which is returned.
    pub fn replace(&mut self, place: Place, tag: Tag, entry: Entry) -> Option<Entry> {
        self.note_expiry(entry.as_ref());
        let slot = self.slot_mut(place);
        let old = slot.take();
        *slot = Slot::new(entry, tag);
        self.expiring -= u16::from(old.as_ref().is_some_and(|old| old.as_ref().expire_ms().is_some()));
        old
    }

    /// Gives an entry an expiry or takes it away, which moves the entry.
    pub fn re_expire(&mut self, place: Place, tag: Tag, expire_ms: Option<i64>) {
        if let Some(entry) = self.slot_mut(place).take() {
            self.expiring -= u16::from(entry.as_ref().expire_ms().is_some());
            let entry = entry.with_expire(expire_ms);
            self.note_expiry(entry.as_ref());
            *self.slot_mut(place) = Slot::new(entry, tag);
        }
    }

    fn note_expiry(&mut self, entry: EntryRef<'_>) {
        if let Some(due_ms) = entry.due_ms() {
            self.expiring += u16::from(entry.expire_ms().is_some());
            self.min_expire_ms = self.min_expire_ms.min(due_ms);
        }
    }

    /// Whether one more key needs a larger segment first.
    pub fn is_full(&self) -> bool {
        let slots = self.lines.len() * LINE_SLOTS;
        self.len() >= slots - slots / 10
    }

    /// Whether a larger segment must be two.
    pub fn is_largest(&self) -> bool {
        self.lines.len() == LINES_MAX
    }

    /// Whether so few keys are left that a smaller segment would do.
    pub fn is_sparse(&self) -> bool {
        self.lines.len() > 1 && self.len() * 4 < self.lines.len() * LINE_SLOTS
    }

    /// Puts a new key in; the segment must not be full and must not have the key.
    pub fn insert(&mut self, key: Key<'_>, entry: Entry) -> Place {
        self.note_expiry(entry.as_ref());
        let home = self.home(key.hash.position());
        let place = self.free_place(home);
        *self.slot_mut(place) = Slot::new(entry, Tag::of(key.hash));
        self.count += 1;
        place
    }

    fn free_place(&mut self, home: usize) -> Place {
        let mut line = home;
        loop {
            if let Some(slot) = self.lines[line].0.iter().position(Slot::is_empty) {
                return Place { line: line as u8, slot: slot as u8, home: home as u8 };
            }
            self.set_passed(line, (self.passed(line) + 1).min(PASSED_STICKY));
            line = self.after(line);
            assert!(line != home, "a segment that is not full has an empty slot");
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, place: Place) -> Option<Entry> {
        let entry = self.slot_mut(place).take()?;
        self.count -= 1;
        self.expiring -= u16::from(entry.as_ref().expire_ms().is_some());
        let mut line = usize::from(place.home);
        while line != usize::from(place.line) {
            let passed = self.passed(line);
            if passed < PASSED_STICKY {
                self.set_passed(line, passed - 1);
            }
            line = self.after(line);
        }
        Some(entry)
    }

    fn take_all(&mut self) -> Vec<Slot> {
        let mut slots = Vec::with_capacity(self.len());
        for line in &mut self.lines {
            for slot in &mut line.0 {
                if !slot.is_empty() {
                    slot.prefetch();
                    slots.push(std::mem::replace(slot, Slot::EMPTY));
                }
            }
        }
        slots
    }

    fn put_back(&mut self, mut slot: Slot, hasher: &Hasher) {
        if let Some(entry) = slot.take() {
            let hash = hasher.hash(entry.as_ref().key());
            self.note_expiry(entry.as_ref());
            let place = self.free_place(self.home(hash.position()));
            *self.slot_mut(place) = Slot::new(entry, Tag::of(hash));
            self.count += 1;
        }
    }

    /// The smallest size that keeps `keys` under four fifths full.
    fn size_for(keys: usize) -> u8 {
        let fits = |lines: &&u8| usize::from(**lines) * LINE_SLOTS * 4 / 5 >= keys;
        *SIZES.iter().find(fits).unwrap_or(&SIZES[SIZES.len() - 1])
    }

    /// Rebuilds the segment with room for `keys` keys (and all it has).
    pub fn resize(&mut self, keys: usize, hasher: &Hasher) {
        let slots = self.take_all();
        *self = Segment::with_lines(self.free_bits(), Segment::size_for(keys.max(slots.len())));
        for slot in slots {
            self.put_back(slot, hasher);
        }
    }

    /// Grows by one step.
    pub fn grow(&mut self, hasher: &Hasher) {
        let now = self.lines.len();
        let next =
            SIZES.iter().find(|lines| usize::from(**lines) > now).map_or(now, |lines| usize::from(*lines));
        let slots = self.take_all();
        *self = Segment::with_lines(self.free_bits(), next as u8);
        for slot in slots {
            self.put_back(slot, hasher);
        }
    }

    /// Cuts the range in two: this segment keeps the lower half, the upper one is returned.
    pub fn split(&mut self, hasher: &Hasher) -> Segment {
        let half = 1u64 << (self.free_bits - 1);
        let bits = self.free_bits() - 1;
        let slots = self.take_all();
        let is_upper =
            |slot: &Slot| slot.entry().is_some_and(|entry| hasher.hash(entry.key()).position() & half != 0);
        let (upper, lower): (Vec<Slot>, Vec<Slot>) = slots.into_iter().partition(is_upper);
        *self = Segment::build(bits, lower, hasher);
        Segment::build(bits, upper, hasher)
    }

    fn build(free_bits: u32, slots: Vec<Slot>, hasher: &Hasher) -> Segment {
        let mut segment = Segment::with_lines(free_bits, Segment::size_for(slots.len() + 1));
        for slot in slots {
            segment.put_back(slot, hasher);
        }
        segment
    }

    /// Takes in all keys of the segment that serves the other half of the doubled range.
    pub fn merge(&mut self, mut other: Segment, hasher: &Hasher) {
        let mut slots = self.take_all();
        slots.append(&mut other.take_all());
        *self = Segment::build(self.free_bits() + 1, slots, hasher);
    }

    /// Calls `visit` for every key whose home is the line of `position`, and returns the first position that belongs
    /// to the next line, or `None` at the end of the segment. Positions are relative to the segment's range.
    pub fn visit_line(
        &self,
        position: u64,
        hasher: &Hasher,
        visit: &mut dyn FnMut(EntryRef<'_>),
    ) -> Option<u64> {
        let home = self.home(position);
        let mut line = home;
        loop {
            for entry in self.lines[line].0.iter().filter_map(Slot::entry) {
                if self.home(hasher.hash(entry.key()).position()) == home {
                    visit(entry);
                }
            }
            line = self.after(line);
            let before = if line == 0 { self.lines.len() - 1 } else { line - 1 };
            if self.passed(before) == 0 || line == home {
                break;
            }
        }
        (home + 1 < self.lines.len()).then(|| self.line_start(home + 1))
    }

    /// Calls `visit` for every entry, to be changed.
    pub(crate) fn visit_all_mut(&mut self, visit: &mut dyn FnMut(EntryMut<'_>)) {
        self.lines.iter().flat_map(|line| &line.0).for_each(Slot::prefetch);
        let slots = self.lines.iter_mut().flat_map(|line| &mut line.0);
        slots.filter_map(Slot::entry_mut).for_each(visit);
    }

    /// Calls `visit` for every entry of which something may have expired, the key or a field.
    pub(crate) fn visit_due(&mut self, now_ms: i64, visit: &mut dyn FnMut(EntryMut<'_>)) {
        let timed = self.lines.iter_mut().flat_map(|line| &mut line.0).filter(|slot| slot.is_timed());
        let is_due = |entry: &EntryMut<'_>| entry.as_ref().due_ms().is_some_and(|due_ms| due_ms <= now_ms);
        timed.filter_map(Slot::entry_mut).filter(is_due).for_each(visit);
    }

    /// Calls `visit` for every key.
    pub fn visit_all(&self, visit: &mut dyn FnMut(EntryRef<'_>)) {
        self.lines.iter().flat_map(|line| &line.0).filter_map(Slot::entry).for_each(visit);
    }

    /// The entry in one of the slots, counted through all lines; with `expiring` only if it expires.
    pub fn entry_at(&self, index: usize, expiring: bool) -> Option<EntryRef<'_>> {
        let slot = &self.lines.get(index / LINE_SLOTS)?.0[index % LINE_SLOTS];
        if !expiring {
            return slot.entry();
        }
        slot.entry().filter(|entry| slot.is_timed() && entry.expire_ms().is_some())
    }

    /// Takes out the keys that have expired at `now_ms`, and fields of hashes, into `harvest` for as long as that has room,
    /// and learns anew when the next does. Returns how many keys with times were looked at.
    pub fn sweep(&mut self, now_ms: i64, hasher: &Hasher, harvest: &mut Harvest) -> usize {
        for slot in self.lines.iter().flat_map(|line| &line.0).filter(|slot| slot.is_timed()) {
            slot.prefetch();
        }
        self.min_expire_ms = i64::MAX;
        let mut looked_at = 0;
        for line in 0..self.lines.len() {
            for slot in 0..LINE_SLOTS {
                if self.lines[line].0[slot].is_timed() {
                    looked_at += 1;
                    self.sweep_slot(line, slot, now_ms, hasher, harvest);
                }
            }
        }
        looked_at
    }

    fn sweep_slot(&mut self, line: usize, slot: usize, now_ms: i64, hasher: &Hasher, harvest: &mut Harvest) {
        let Some(entry) = self.lines[line].0[slot].entry_mut() else { return };
        let position = hasher.hash(entry.as_ref().key()).position();
        let has_passed = entry.as_ref().expire_ms().is_some_and(|expire_ms| expire_ms <= now_ms);
        let is_gone = has_passed || harvest.reap(entry, now_ms);
        let place = Place { line: line as u8, slot: slot as u8, home: self.home(position) as u8 };
        match is_gone {
            true => self.remove(place).into_iter().for_each(|gone| harvest.put(gone, has_passed)),
            false => self.fields_moved(place),
        }
    }
}
