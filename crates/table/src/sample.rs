//! Items at random, and all of them.
//!
//! A random slot is drawn until one has an item: every slot of every segment is equally likely, and a segment counts as if
//! it had all the lines it can get, so that every item is equally likely, too, whatever lies around it. At least an eighth
//! of those slots is full in a table that grew and shrank by itself. Several items are drawn sixteen at a time: first
//! their slots are asked for, then looked at.
//!
//! Many distinct items are taken in one walk (selection sampling: Fan, Muller, Rezucha 1962), a few by drawing until they
//! are distinct.

use std::collections::HashSet;

use crate::hash::Hasher;
use crate::item::{Draw, Item};
use crate::lines::{LINE_SLOTS, Line};
use crate::map::Map;
use crate::segment::{LINES_MAX, Segment};
use crate::slot::Slot;
use crate::table::Location;

/// After so many empty slots an item is counted out instead.
const ATTEMPTS_MAX: usize = 256;
/// Items that are asked for at once.
const BATCH: usize = 16;
/// With more than one in so many wanted, a walk is cheaper than draws that must differ.
const WALK_FROM: usize = 8;
/// Lines between the one that is looked at and the one whose items are asked for.
const LINES_AHEAD: usize = 2;

/// A slot by the index of its segment and its own within that.
type SlotIndex = (u32, u32);

impl<I: Item> Map<I> {
    /// All items, in no order that means anything.
    pub fn iter(&self) -> Iter<'_, I> {
        self.iter_from(WalkPosition::default())
    }

    /// The items from a position on, which must be of a walk over just this map.
    pub(crate) fn iter_from(&self, position: WalkPosition) -> Iter<'_, I> {
        Iter::from(self.segments(), position, self.len())
    }

    /// The slot of an item, every item equally likely; `None` for an empty map.
    fn random_slot(&self, draw: &mut impl Draw) -> Option<SlotIndex> {
        let segments = self.segments();
        let slots = LINE_SLOTS as u64
            * match segments {
                [only] => only.line_count() as u64,
                _ => LINES_MAX as u64,
            };
        for _ in 0..ATTEMPTS_MAX {
            let number = draw.below(slots * segments.len() as u64);
            let index = ((number / slots) as u32, (number % slots) as u32);
            if self.slot_at(index).is_some_and(|slot| !slot.is_empty()) {
                return Some(index);
            }
        }
        self.count_out(draw.below(self.len() as u64) as usize)
    }

    /// The slot of the n-th item.
    fn count_out(&self, mut number: usize) -> Option<SlotIndex> {
        let segments = self.segments();
        let mut at = 0;
        while number >= segments.get(at)?.len() {
            number -= segments[at].len();
            at += 1;
        }
        let is_full =
            |slot: &usize| self.slot_at((at as u32, *slot as u32)).is_some_and(|slot| !slot.is_empty());
        let slot = (0..segments[at].line_count() * LINE_SLOTS).filter(is_full).nth(number)?;
        Some((at as u32, slot as u32))
    }

    #[inline]
    fn slot_at(&self, (segment, slot): SlotIndex) -> Option<&Slot<I>> {
        let slot = slot as usize;
        self.segments().get(segment as usize)?.line(slot / LINE_SLOTS).map(|line| &line[slot % LINE_SLOTS])
    }

    #[inline]
    fn item_at(&self, index: SlotIndex) -> Option<I::Ref<'_>> {
        self.slot_at(index).and_then(Slot::item)
    }

    fn location_of(&self, (segment, slot): SlotIndex) -> Option<Location> {
        let place = self.place_at(segment as usize, slot as usize)?;
        Some(Location { segment, place })
    }

    /// An item at random, each as likely as any other.
    pub fn random(&self, draw: &mut impl Draw) -> Option<I::Ref<'_>> {
        self.item_at(self.random_slot(draw)?)
    }

    /// Draws up to sixteen slots and asks for their items.
    fn draw_batch(&self, count: usize, draw: &mut impl Draw, batch: &mut Vec<SlotIndex>) {
        batch.clear();
        for _ in 0..count.min(BATCH) {
            let Some(index) = self.random_slot(draw) else { return };
            self.slot_at(index).into_iter().for_each(Slot::prefetch);
            batch.push(index);
        }
    }

    /// Calls `visit` for `count` items at random, independent of each other: one may come several times.
    pub fn draw_many<'a>(&'a self, count: usize, draw: &mut impl Draw, visit: &mut dyn FnMut(I::Ref<'a>)) {
        let (mut batch, mut left) = (Vec::with_capacity(BATCH), count);
        while left > 0 {
            self.draw_batch(left, draw, &mut batch);
            if batch.is_empty() {
                return;
            }
            left -= batch.len();
            batch.iter().filter_map(|index| self.item_at(*index)).for_each(&mut *visit);
        }
    }

    /// Calls `visit` for `count` different items (for all, if there are not more), every such choice equally likely. Their
    /// order is not random.
    pub fn sample<'a>(&'a self, count: usize, draw: &mut impl Draw, visit: &mut dyn FnMut(I::Ref<'a>)) {
        if count >= self.len() {
            self.iter().for_each(visit);
        } else if count > self.len() / WALK_FROM {
            self.sample_walking(count, draw, visit);
        } else {
            self.sample_drawing(count, draw, visit);
        }
    }

    fn sample_walking<'a>(
        &'a self,
        mut wanted: usize,
        draw: &mut impl Draw,
        visit: &mut dyn FnMut(I::Ref<'a>),
    ) {
        let mut left = self.len() as u64;
        for item in self.iter() {
            if draw.below(left) < wanted as u64 {
                wanted -= 1;
                visit(item);
            }
            left -= 1;
        }
    }

    fn sample_drawing<'a>(&'a self, count: usize, draw: &mut impl Draw, visit: &mut dyn FnMut(I::Ref<'a>)) {
        let (mut batch, mut drawn) = (Vec::with_capacity(BATCH), HashSet::with_capacity(count));
        while drawn.len() < count {
            self.draw_batch(count - drawn.len(), draw, &mut batch);
            batch.retain(|index| drawn.insert(*index));
            batch.iter().filter_map(|index| self.item_at(*index)).for_each(&mut *visit);
        }
    }

    /// Takes out an item at random, each as likely as any other, which `visit` sees just before; whether there was one.
    pub fn take_random(
        &mut self,
        draw: &mut impl Draw,
        hasher: &Hasher,
        visit: impl FnOnce(I::Ref<'_>),
    ) -> bool {
        let drawn = self.random_slot(draw).and_then(|index| self.location_of(index));
        let Some(location) = drawn else { return false };
        let position = self.take_at(location, hasher, visit);
        position.into_iter().for_each(|position| self.settle(position, hasher));
        position.is_some()
    }

    /// Takes an item out and returns its position, for [`Map::settle`].
    fn take_at(
        &mut self,
        location: Location,
        hasher: &Hasher,
        visit: impl FnOnce(I::Ref<'_>),
    ) -> Option<u64> {
        let mut position = 0;
        let taken = self.take(location, |item| {
            position = hasher.hash(I::key(item)).position();
            visit(item);
        });
        taken.then_some(position)
    }

    /// Takes out `count` items (all, if there are not more), every choice equally likely; `visit` sees each just before.
    pub fn take_sample(
        &mut self,
        count: usize,
        draw: &mut impl Draw,
        hasher: &Hasher,
        visit: &mut dyn FnMut(I::Ref<'_>),
    ) {
        let (mut batch, mut left) = (Vec::with_capacity(BATCH), count);
        while left > 0 && !self.is_empty() {
            self.draw_batch(left, draw, &mut batch);
            let (mut positions, mut taken) = ([0; BATCH], 0);
            for index in &batch {
                // A slot drawn twice is empty the second time.
                let Some(location) = self.location_of(*index) else { continue };
                let Some(position) = self.take_at(location, hasher, &mut *visit) else { continue };
                positions[taken] = position;
                taken += 1;
            }
            left -= taken;
            positions[..taken].iter().for_each(|position| self.settle(*position, hasher));
        }
    }
}

/// Where a walk is.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct WalkPosition {
    segment: u32,
    line: u8,
    slot: u8,
    /// Items that came before.
    passed: usize,
}

/// All items of a map; their memory is asked for ahead.
pub struct Iter<'a, I: Item> {
    segments: &'a [Segment<I>],
    at: WalkPosition,
    len: usize,
}

impl<'a, I: Item> Iter<'a, I> {
    fn from(segments: &'a [Segment<I>], at: WalkPosition, len: usize) -> Iter<'a, I> {
        let walk = Iter { segments, at, len };
        if at.slot > 0 || at.line > 0 {
            (0..=LINES_AHEAD).for_each(|lines| walk.ask_ahead(lines));
        }
        walk
    }

    /// Where a walk that goes on from here begins.
    pub fn position(&self) -> WalkPosition {
        self.at
    }

    #[inline]
    fn line(&self, segment: u32, line: usize) -> Option<&'a Line<I>> {
        self.segments.get(segment as usize)?.lines().get(line)
    }

    fn ask_ahead(&self, lines: usize) {
        let at = usize::from(self.at.line) + lines;
        let line = self.line(self.at.segment, at).or_else(|| {
            let segment = self.segments.get(self.at.segment as usize)?;
            self.line(self.at.segment + 1, at - segment.line_count())
        });
        line.into_iter().flat_map(|line| &line.0).for_each(Slot::prefetch);
    }

    fn enter_line(&mut self) {
        if self.at.line == 0 {
            (0..LINES_AHEAD).for_each(|lines| self.ask_ahead(lines));
        }
        self.ask_ahead(LINES_AHEAD);
    }
}

impl<'a, I: Item> Iterator for Iter<'a, I> {
    type Item = I::Ref<'a>;

    #[inline]
    fn next(&mut self) -> Option<I::Ref<'a>> {
        while self.at.passed < self.len {
            let Some(line) = self.line(self.at.segment, usize::from(self.at.line)) else {
                self.segments.get(self.at.segment as usize)?;
                (self.at.segment, self.at.line) = (self.at.segment + 1, 0);
                continue;
            };
            if self.at.slot == 0 {
                self.enter_line();
            }
            let slot = &line.0[usize::from(self.at.slot) % LINE_SLOTS];
            self.at.slot = (self.at.slot + 1) % LINE_SLOTS as u8;
            self.at.line += u8::from(self.at.slot == 0);
            if let Some(item) = slot.item() {
                self.at.passed += 1;
                return Some(item);
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.len - self.at.passed;
        (left, Some(left))
    }
}

impl<I: Item> ExactSizeIterator for Iter<'_, I> {}
