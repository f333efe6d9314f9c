//! A part of a table: up to 64 cache lines of eight slots, for the keys of one range of the hash.
//!
//! The range is cut evenly into as many pieces as there are lines; a key's *home* is the line of its piece. So lines
//! are in hash order, whatever their number. A slot's *tag* is the first 19 bits of the key's position within the range: it
//! tells keys of a line apart (they share some six bits), and it tells the home. So a segment grows without a look at its
//! items; only a split, which gives every tag a further bit, hashes them. A key whose home is full goes to the next line with room (around the
//! end); every line it passes counts it (four bits per line, sticky at 15), and a search goes on past a line only if
//! that line was passed. Removal just empties a slot: nothing else moves, no other item is touched.
//!
//! A segment grows by eight lines at a time (by less while it is small) and splits at 64, so it is 73-90 % full whatever
//! the number of keys: a doubling table is 45-90 % full. Moving its at most 460 items is all that ever happens at once.
//!
//! Rejected: "stop at a line with an empty slot" instead of counting (a removal from a full line must then fetch the
//! items of the next line to see which could come back).

use crate::hash::{Hasher, Key, Seen};
use crate::item::Item;
use crate::lines::{LINE_SLOTS, Line, Lines};
use crate::pins::{Access, Pins};
use crate::prefetch::prefetch;
use crate::slot::{Slot, TAG_BITS, Tag};

/// Lines in the largest segment.
pub const LINES_MAX: usize = 64;
const SIZES: [u8; 14] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 56, 64];
const PASSED_STICKY: u8 = 15;

/// Where an item is within a segment.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub(crate) line: u8,
    pub(crate) slot: u8,
    home: u8,
}

/// A part of a table.
pub struct Segment<I: Item> {
    lines: Lines<I>,
    passed: [u8; 32],
    count: u16,
    free_bits: u8,
}

impl<I: Item> Segment<I> {
    /// An empty segment with one line, for positions whose low `free_bits` bits vary.
    pub fn new(free_bits: u32) -> Segment<I> {
        Segment::with_lines(free_bits, SIZES[0])
    }

    /// An empty segment with room for `keys` keys, or as large as a segment gets.
    pub fn with_capacity(free_bits: u32, keys: usize) -> Segment<I> {
        Segment::with_lines(free_bits, Segment::<I>::size_for(keys))
    }

    fn with_lines(free_bits: u32, lines: u8) -> Segment<I> {
        Segment { lines: Lines::new(lines), passed: [0; 32], count: 0, free_bits: free_bits as u8 }
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// The low bits of a position that differ within this segment.
    pub fn free_bits(&self) -> u32 {
        u32::from(self.free_bits)
    }

    /// The number of lines.
    pub fn line_count(&self) -> usize {
        self.lines().len()
    }

    #[inline]
    pub(crate) fn lines(&self) -> &[Line<I>] {
        self.lines.all()
    }

    /// The lines, to be changed: pins that have them keep them as they are.
    #[inline]
    fn lines_mut(&mut self, pins: &mut Pins<I>) -> &mut [Line<I>] {
        if self.lines.is_shared() {
            pins.part(&mut self.lines);
        }
        self.lines.all_mut()
    }

    /// The lines as a whole, to be shared or let go.
    pub(crate) fn whole(&mut self) -> &mut Lines<I> {
        &mut self.lines
    }

    /// The same segment with what `share` makes of its lines.
    pub(crate) fn share(&mut self, share: &mut impl FnMut(&mut Lines<I>) -> Lines<I>) -> Segment<I> {
        Segment { lines: share(&mut self.lines), ..*self }
    }

    pub(crate) fn line(&self, index: usize) -> Option<&[Slot<I>; LINE_SLOTS]> {
        self.lines().get(index).map(|line| &line.0)
    }

    /// Bytes of the slots.
    pub fn memory_bytes(&self) -> usize {
        self.line_count() * size_of::<Line<I>>()
    }

    /// The tag of a position: its first bits within the segment's range.
    #[inline]
    fn tag(&self, position: u64) -> Tag {
        Tag::of(position << (u64::BITS - self.free_bits()) >> (u64::BITS - TAG_BITS))
    }

    #[inline]
    fn home(&self, tag: Tag) -> usize {
        ((tag.bits() * self.line_count() as u64) >> TAG_BITS) as usize
    }

    /// The first position (within the segment's range) whose home is not before `line`.
    fn line_start(&self, line: usize) -> u64 {
        let tag = ((line as u64) << TAG_BITS).div_ceil(self.line_count() as u64);
        match self.free_bits().checked_sub(TAG_BITS) {
            Some(rest) => tag << rest,
            None => tag.div_ceil(1 << (TAG_BITS - self.free_bits())),
        }
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

    /// Asks the processor for the line where a key of this position is at home.
    #[inline]
    pub fn prefetch_line(&self, position: u64) {
        if let Some(line) = self.lines().get(self.home(self.tag(position))) {
            prefetch(std::ptr::from_ref(line).cast());
        }
    }

    /// Asks the processor for the items in the line of this position that may be the key's; if there are none, but some
    /// keys have passed that line, for the line after it. Returns where the key is to be looked for (line and slot).
    #[inline]
    pub fn prefetch_item(&self, position: u64) -> Option<(u8, u8)> {
        let tag = self.tag(position);
        let at = self.home(tag);
        let line = self.lines().get(at)?;
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
            prefetch(std::ptr::from_ref(&self.lines()[next]).cast());
            (next as u8, Seen::ANY_SLOT)
        })
    }

    /// Where a key is, if that is still where it was seen.
    #[inline(always)]
    pub fn find_seen(&self, key: Key<'_>) -> Option<Place> {
        let Seen { line, slot, .. } = key.seen;
        let item = self.lines().get(usize::from(line))?.0[usize::from(slot) % LINE_SLOTS].item()?;
        I::has_key(item, key.bytes).then(|| Place {
            line,
            slot,
            home: self.home(self.tag(key.hash.position())) as u8,
        })
    }

    /// Where a key is.
    #[inline]
    pub fn find(&self, key: Key<'_>) -> Option<Place> {
        let tag = self.tag(key.hash.position());
        let home = self.home(tag);
        let mut line = home;
        loop {
            let slots = &self.lines()[line];
            let mut mask = slots.matches(tag);
            while mask != 0 {
                let slot = mask.trailing_zeros() as usize % LINE_SLOTS;
                if slots.0[slot].item().is_some_and(|item| I::has_key(item, key.bytes)) {
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
        if line + 1 == self.line_count() { 0 } else { line + 1 }
    }

    /// The slot at a place that `find` returned and that nothing has changed since.
    #[inline]
    pub fn slot(&self, place: Place) -> &Slot<I> {
        &self.lines()[usize::from(place.line)].0[usize::from(place.slot) % LINE_SLOTS]
    }

    #[inline]
    fn slot_mut(&mut self, place: Place, pins: &mut Pins<I>) -> &mut Slot<I> {
        &mut self.lines_mut(pins)[usize::from(place.line)].0[usize::from(place.slot) % LINE_SLOTS]
    }

    /// The item at such a place, to be changed.
    #[inline]
    pub fn access(&mut self, place: Place, pins: &mut Pins<I>) -> Option<Access<'_, I>> {
        let slot = self.slot_mut(place, pins);
        pins.access(slot)
    }

    /// Puts another item of the same key in place of one, which is let go.
    pub fn replace(&mut self, place: Place, item: I, pins: &mut Pins<I>) {
        let slot = self.slot_mut(place, pins);
        let new = Slot::new(item, slot.tag(), pins.may_exist());
        let mut old = std::mem::replace(slot, new);
        let is_young = old.is_young();
        if let Some(item) = old.take() {
            pins.let_go(item, is_young);
        }
    }

    /// Whether one more key needs a larger segment first.
    #[inline]
    pub fn is_full(&self) -> bool {
        let slots = self.line_count() * LINE_SLOTS;
        self.len() >= slots - slots / 10
    }

    /// Whether a larger segment must be two.
    pub fn is_largest(&self) -> bool {
        self.line_count() == LINES_MAX
    }

    /// Whether so few keys are left that a smaller segment would do.
    #[inline]
    pub fn is_sparse(&self) -> bool {
        self.line_count() > 1 && self.len() * 4 < self.line_count() * LINE_SLOTS
    }

    /// Puts in an item whose key has this position; the segment must not be full and must not have the key.
    #[inline]
    pub fn insert(&mut self, position: u64, item: I, pins: &mut Pins<I>) {
        self.put(Slot::new(item, self.tag(position), pins.may_exist()), pins);
    }

    /// Puts a slot into an empty one.
    #[inline]
    fn put(&mut self, mut slot: Slot<I>, pins: &mut Pins<I>) {
        let place = self.free_place(self.home(slot.tag()));
        std::mem::swap(self.slot_mut(place, pins), &mut slot);
        self.count += 1;
    }

    #[inline]
    fn free_place(&mut self, home: usize) -> Place {
        let mut line = home;
        loop {
            if let Some(slot) = self.lines()[line].0.iter().position(Slot::is_empty) {
                return Place { line: line as u8, slot: slot as u8, home: home as u8 };
            }
            self.set_passed(line, (self.passed(line) + 1).min(PASSED_STICKY));
            line = self.after(line);
            assert!(line != home, "a segment that is not full has an empty slot");
        }
    }

    /// Takes an item out and lets it go, after `visit` has seen it; whether there was one.
    pub fn remove(&mut self, place: Place, pins: &mut Pins<I>, visit: impl FnOnce(I::Ref<'_>)) -> bool {
        let slot = self.slot_mut(place, pins);
        let Some(item) = slot.item() else { return false };
        visit(item);
        let is_young = slot.is_young();
        if let Some(item) = slot.take() {
            pins.let_go(item, is_young);
        }
        self.count -= 1;
        let mut line = usize::from(place.home);
        while line != usize::from(place.line) {
            let passed = self.passed(line);
            if passed < PASSED_STICKY {
                self.set_passed(line, passed - 1);
            }
            line = self.after(line);
        }
        true
    }

    /// The place of the item in one of the slots, counted through all lines.
    pub fn place_at(&self, index: usize) -> Option<Place> {
        let slot = &self.lines().get(index / LINE_SLOTS)?.0[index % LINE_SLOTS];
        let home = (!slot.is_empty()).then(|| self.home(slot.tag()))?;
        Some(Place { line: (index / LINE_SLOTS) as u8, slot: (index % LINE_SLOTS) as u8, home: home as u8 })
    }

    fn take_all(&mut self, pins: &mut Pins<I>) -> Vec<Slot<I>> {
        let mut slots = Vec::with_capacity(self.len());
        for slot in self.lines_mut(pins).iter_mut().flat_map(|line| &mut line.0) {
            if !slot.is_empty() {
                slots.push(std::mem::replace(slot, Slot::EMPTY));
            }
        }
        slots
    }

    /// The smallest size that keeps `keys` under four fifths full.
    fn size_for(keys: usize) -> u8 {
        let fits = |lines: &&u8| usize::from(**lines) * LINE_SLOTS * 4 / 5 >= keys;
        *SIZES.iter().find(fits).unwrap_or(&SIZES[SIZES.len() - 1])
    }

    fn rebuild(&mut self, lines: u8, pins: &mut Pins<I>) {
        let slots = self.take_all(pins);
        *self = Segment::with_lines(self.free_bits(), lines);
        slots.into_iter().for_each(|slot| self.put(slot, pins));
    }

    /// Rebuilds the segment with room for `keys` keys (and all it has).
    pub fn resize(&mut self, keys: usize, pins: &mut Pins<I>) {
        self.rebuild(Segment::<I>::size_for(keys.max(self.len())), pins);
    }

    /// Grows by one step.
    pub fn grow(&mut self, pins: &mut Pins<I>) {
        let now = self.line_count();
        let next = SIZES.iter().find(|lines| usize::from(**lines) > now);
        self.rebuild(next.copied().unwrap_or(now as u8), pins);
    }

    /// Cuts the range in two: this segment keeps the lower half, the upper one is returned.
    pub fn split(&mut self, hasher: &Hasher, pins: &mut Pins<I>) -> Segment<I> {
        let bits = self.free_bits() - 1;
        let is_upper = |slot: &Slot<I>| slot.tag().bits() >> (TAG_BITS - 1) == 1;
        let (upper, lower): (Vec<Slot<I>>, Vec<Slot<I>>) =
            self.take_all(pins).into_iter().partition(is_upper);
        *self = Segment::build(bits, lower, hasher, pins);
        Segment::build(bits, upper, hasher, pins)
    }

    /// A segment of slots that come from one of another range.
    fn build(free_bits: u32, mut slots: Vec<Slot<I>>, hasher: &Hasher, pins: &mut Pins<I>) -> Segment<I> {
        let mut segment = Segment::with_capacity(free_bits, slots.len() + 1);
        slots.iter().for_each(Slot::prefetch);
        for slot in &mut slots {
            let position = slot.item().map_or(0, |item| hasher.hash(I::key(item)).position());
            slot.set_tag(segment.tag(position));
        }
        slots.into_iter().for_each(|slot| segment.put(slot, pins));
        segment
    }

    /// Takes in all keys of the segment that serves the other half of the doubled range.
    pub fn merge(&mut self, mut other: Segment<I>, hasher: &Hasher, pins: &mut Pins<I>) {
        let mut slots = self.take_all(pins);
        slots.append(&mut other.take_all(pins));
        *self = Segment::build(self.free_bits() + 1, slots, hasher, pins);
    }

    /// The same segment with a copy of every item.
    pub fn clone_with<'a>(&'a self, clone: &mut impl FnMut(I::Ref<'a>) -> I) -> Segment<I> {
        let mut copy: Segment<I> = Segment::with_lines(self.free_bits(), self.line_count() as u8);
        copy.passed = self.passed;
        copy.count = self.count;
        for (from, to) in self.lines().iter().zip(copy.lines.all_mut()) {
            for (from, to) in from.0.iter().zip(&mut to.0) {
                if let Some(item) = from.item() {
                    *to = Slot::new(clone(item), from.tag(), false);
                }
            }
        }
        copy
    }

    /// Calls `visit` for every key whose home is the line of `position`, and returns the first position that belongs
    /// to the next line, or `None` at the end of the segment. Positions are relative to the segment's range.
    pub fn visit_line<'a>(&'a self, position: u64, visit: &mut dyn FnMut(I::Ref<'a>)) -> Option<u64> {
        let home = self.home(self.tag(position));
        let is_at_home = |slot: &&Slot<I>| self.home(slot.tag()) == home;
        let mut line = home;
        loop {
            self.lines()[line].0.iter().for_each(Slot::prefetch);
            self.lines()[line].0.iter().filter(is_at_home).filter_map(Slot::item).for_each(&mut *visit);
            let passed = self.passed(line);
            line = self.after(line);
            if passed == 0 || line == home {
                break;
            }
        }
        (home + 1 < self.line_count()).then(|| self.line_start(home + 1))
    }
}
