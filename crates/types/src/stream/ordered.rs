//! An ordered collection for keys that mostly come in order: deques of items in order, and the last one beside them.
//!
//! ```text
//!   full:  [ (key, 64 items) (key, 51 items) .. ]        tail: [ the greatest items ]
//! ```
//!
//! Streams add at the end and take away near the front, for entries as for what is pending. An item that is greater
//! than all others is pushed to the tail; a full tail joins the others as it is, so what is filled in order is full (a
//! B-tree that splits in the middle would leave half of every leaf empty). Anywhere else an insertion or a removal moves
//! at most one deque's items, and now and then the directory. A key is found by binary searches in the directory and in a
//! deque: a few hundred deques for a million items, as items are nodes of entries or runs of what is pending.
//!
//! Beside its key a deque has a lower bound of its items in a second order, so that the lowest of them can be found without
//! looking at most: see `lowest`. The bound goes down with every item that is lower, and up when somebody has looked.
//!
//! All of it can be shared with a pin (see `shared_deque`), at the price of the directory.
//!
//! Invariants: the tail is empty only if everything is; no deque is empty; the key of a deque is at most the first of its
//! items', except that the first deque may also hold smaller ones (it is looked into for all keys below its own).
//!
//! Rejected: a B-tree as the directory. It has no place to come back to, so that what is found is searched twice to be
//! changed, and each of its nodes would have to be copied for a pin.

use std::collections::VecDeque;

use crate::shared_deque::{Items, SharedDeque, Slot};

/// Items of a full deque.
const DEQUE_LEN: usize = 64;
/// A deque that has shrunk to so many items, or to a smaller power of two, is joined with a neighbour where both fit.
const DEQUE_LEN_SMALL: usize = DEQUE_LEN / 4;

/// What can be kept in order.
pub(super) trait Keyed {
    /// What the order goes by.
    type Key: Ord + Copy;
    /// A second order, in which somebody may look for the lowest item, or `()`.
    type Low: Ord + Copy;
    /// The highest in that order.
    const HIGHEST: Self::Low;
    /// The key of this item, which does not change while it is kept.
    fn key(&self) -> Self::Key;
    /// A lower bound of what is in this item, in the second order.
    fn low(&self) -> Self::Low;
}

/// Items in the order of their keys, each key once.
#[derive(Clone)]
pub(super) struct Ordered<T: Keyed> {
    full: VecDeque<Part<T>>,
    tail: SharedDeque<T>,
    len: usize,
}

/// A full deque.
#[derive(Clone)]
struct Part<T: Keyed> {
    key: T::Key,
    /// At most as low as all items.
    low: T::Low,
    items: SharedDeque<T>,
}

/// Where an item is, until something is added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// Which deque; their number for the tail.
    deque: usize,
    item: usize,
}

impl<T: Keyed> Part<T> {
    /// Nothing if there is no item.
    fn of(items: SharedDeque<T>) -> Option<Part<T>> {
        Some(Part { key: items.first()?.key(), low: items.iter().map(T::low).min()?, items })
    }

    fn share(&mut self) -> Part<T> {
        Part { items: self.items.share(), ..*self }
    }
}

impl<T: Keyed> Ordered<T> {
    pub(super) fn new() -> Ordered<T> {
        Ordered { full: VecDeque::new(), tail: SharedDeque::default(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn first(&self) -> Option<&T> {
        self.deque(0).first()
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.tail.last()
    }

    /// Where the first item is, if there is one.
    pub(super) fn first_at(&self) -> At {
        At { deque: 0, item: 0 }
    }

    /// The item at a place.
    #[inline]
    pub(super) fn get_at(&self, at: At) -> Option<&T> {
        self.deque(at.deque).get(at.item)
    }

    /// Where the last item is whose key is at most `key`. A deque may have lost the item it is named after, so those before
    /// are looked into too.
    #[inline]
    pub(super) fn floor_at(&self, key: T::Key) -> Option<At> {
        let mut deque = self.place(key);
        loop {
            if let Some(item) = floor_index(self.deque(deque), key) {
                return Some(At { deque, item });
            }
            deque = deque.checked_sub(1)?;
        }
    }

    /// The last item whose key is at most `key`.
    pub(super) fn floor(&self, key: T::Key) -> Option<&T> {
        self.get_at(self.floor_at(key)?)
    }

    /// Where the item after the one at a place is, if there is one.
    pub(super) fn next_at(&self, at: At) -> Option<At> {
        let next = At { item: at.item + 1, ..at };
        if self.get_at(next).is_some() {
            return Some(next);
        }
        (at.deque < self.full.len()).then_some(At { deque: at.deque + 1, item: 0 })
    }

    /// Where the item before the one at a place is.
    pub(super) fn prev_at(&self, at: At) -> Option<At> {
        if let Some(item) = at.item.checked_sub(1) {
            return Some(At { item, ..at });
        }
        let deque = at.deque.checked_sub(1)?;
        Some(At { deque, item: self.deque(deque).len().checked_sub(1)? })
    }

    /// Adds an item; false, and nothing is changed, if its key is there already.
    pub(super) fn insert(&mut self, item: T) -> bool {
        let key = item.key();
        if self.tail.last().is_none_or(|last| last.key() < key) {
            self.push_last(item);
            return true;
        }
        let place = self.place(key);
        let deque = self.deque(place);
        let index = deque.partition_point(|item| item.key() < key);
        if deque.get(index).is_some_and(|item| item.key() == key) {
            return false;
        }
        self.lower(place, item.low());
        let deque = self.deque_mut(place);
        deque.insert(index, Slot::new(item));
        if deque.len() > DEQUE_LEN {
            self.split(place);
        }
        self.len += 1;
        true
    }

    /// Takes the item at a place out.
    pub(super) fn remove_at(&mut self, at: At) -> Option<Slot<T>> {
        let deque = self.deque_mut(at.deque);
        let item = deque.remove(at.item)?;
        let len = deque.len();
        self.len -= 1;
        if at.deque == self.full.len() {
            if len == 0 {
                self.settle_tail();
            }
        } else if len <= DEQUE_LEN_SMALL && len & len.wrapping_sub(1) == 0 {
            self.tidy(at.deque);
        }
        Some(item)
    }

    /// All items in order.
    pub(super) fn iter(&self) -> Iter<'_, T> {
        Iter { items: self, deque: 0, current: self.deque(0).iter() }
    }

    /// The items from [`Ordered::floor`] of `key` on, or all if there is none.
    pub(super) fn iter_from_floor(&self, key: T::Key) -> Iter<'_, T> {
        self.iter_from(self.floor_at(key).unwrap_or(self.first_at()))
    }

    /// The items from a place on.
    pub(super) fn iter_from(&self, at: At) -> Iter<'_, T> {
        Iter { items: self, deque: at.deque, current: self.deque(at.deque).iter_from(at.item) }
    }

    /// The items whose keys are at most `key`, greatest first.
    pub(super) fn iter_back(&self, key: T::Key) -> IterBack<'_, T> {
        let place = self.place(key);
        let end = floor_index(self.deque(place), key).map_or(0, |at| at + 1);
        IterBack { items: self, deque: place, current: self.deque(place).iter_to(end) }
    }

    /// All items, greatest first.
    pub(super) fn iter_rev(&self) -> IterBack<'_, T> {
        IterBack { items: self, deque: self.full.len(), current: self.tail.iter() }
    }

    /// Bytes allocated for deques and their directory, those of the items' own not counted.
    pub(super) fn heap_bytes(&self) -> usize {
        let slots: usize = self.deques().map(SharedDeque::capacity).sum();
        slots * size_of::<Slot<T>>() + self.full.capacity() * size_of::<Part<T>>()
    }

    /// How many allocations there are, roughly.
    pub(super) fn allocations(&self) -> usize {
        self.full.len() + usize::from(self.tail.capacity() > 0)
    }

    /// All of it as it is now, for somebody else.
    pub(super) fn share(&mut self) -> Ordered<T> {
        let full = self.full.iter_mut().map(Part::share).collect();
        Ordered { full, tail: self.tail.share(), len: self.len }
    }

    /// The deques with the items from [`Ordered::floor`] of `from` up to the key `to`, as they are now, for somebody else.
    pub(super) fn share_range(&mut self, from: T::Key, to: T::Key) -> Ordered<T> {
        let first = self.floor_at(from).map_or(0, |at| at.deque);
        let last = self.place(to).max(first);
        let mut shared = Ordered::new();
        for place in first..=last {
            match self.full.get_mut(place) {
                Some(part) => shared.full.push_back(part.share()),
                None => shared.tail = self.tail.share(),
            }
            shared.len += self.deque(place).len();
        }
        shared.settle_tail();
        shared
    }

    /// Drops the deques all of whose items have smaller keys than `key`, but for the last.
    pub(super) fn drop_below(&mut self, key: T::Key) {
        while !self.full.is_empty()
            && self.deque(1).first().is_some_and(|first| first.key() <= key)
            && let Some(part) = self.full.pop_front()
        {
            self.len -= part.items.len();
        }
    }

    /// Drops the deques all of whose items have greater keys than `key`, but for the first.
    pub(super) fn drop_above(&mut self, key: T::Key) {
        while !self.full.is_empty() && self.tail.first().is_some_and(|first| first.key() > key) {
            self.len -= self.tail.len();
            self.tail = SharedDeque::default();
            self.settle_tail();
        }
    }

    fn deques(&self) -> impl Iterator<Item = &SharedDeque<T>> {
        self.full.iter().map(|part| &part.items).chain([&self.tail])
    }

    #[inline]
    fn deque(&self, place: usize) -> &SharedDeque<T> {
        self.full.get(place).map_or(&self.tail, |part| &part.items)
    }

    #[inline]
    fn deque_mut(&mut self, place: usize) -> &mut SharedDeque<T> {
        match self.full.get_mut(place) {
            Some(part) => &mut part.items,
            None => &mut self.tail,
        }
    }

    /// The deque in which this key is, or would be.
    #[inline]
    fn place(&self, key: T::Key) -> usize {
        if self.full.is_empty() || self.tail.first().is_some_and(|first| first.key() <= key) {
            return self.full.len();
        }
        if self.full.get(1).is_some_and(|part| key < part.key) {
            return 0;
        }
        self.full.partition_point(|part| part.key <= key).saturating_sub(1)
    }

    fn push_last(&mut self, item: T) {
        if self.tail.len() >= DEQUE_LEN {
            let items = std::mem::take(&mut self.tail);
            self.full.extend(Part::of(items));
        } else if self.tail.capacity() == 0 {
            // Many never get a second item.
            self.tail.reserve_one();
        }
        self.tail.push_back(Slot::new(item));
        self.len += 1;
    }

    /// Makes the last deque the tail if there is none.
    fn settle_tail(&mut self) {
        if self.tail.is_empty() {
            self.tail = self.full.pop_back().map(|part| part.items).unwrap_or_default();
        }
    }

    /// Makes two deques of the one at `place`.
    fn split(&mut self, place: usize) {
        let deque = self.deque_mut(place);
        let upper = deque.split_off(DEQUE_LEN / 2);
        deque.shrink_to(0);
        let lower = std::mem::replace(deque, upper);
        if let Some(part) = self.full.get_mut(place)
            && let Some(first) = part.items.first()
        {
            part.key = first.key();
        }
        if let Some(lower) = Part::of(lower) {
            self.full.insert(place, lower);
        }
    }

    /// Takes note that an item as low as this is in the deque at `place`, or comes there.
    fn lower(&mut self, place: usize, low: T::Low) {
        if let Some(part) = self.full.get_mut(place) {
            part.low = part.low.min(low);
        }
    }

    /// Takes note that the item at a place has become as low as this.
    pub(super) fn lower_at(&mut self, at: At, low: T::Low) {
        self.lower(at.deque, low);
    }

    /// Lower bounds of the deques, which are numbered, in the second order; and of the key of what is in them, if it is
    /// known.
    pub(super) fn lows(&self) -> impl Iterator<Item = (usize, T::Low, Option<T::Key>)> {
        let full = self.full.iter().enumerate();
        let full = full.map(|(deque, part)| (deque, part.low, Some(part.key).filter(|_| deque > 0)));
        let tail = self.tail.iter().map(T::low).min();
        full.chain(tail.map(|low| (self.full.len(), low, self.tail.first().map(T::key))))
    }

    /// The items of a deque with their places. Their bounds are taken as that of the deque.
    pub(super) fn look_into(&mut self, deque: usize) -> impl Iterator<Item = (At, &T)> {
        let low = self.deque(deque).iter().map(T::low).min();
        if let (Some(part), Some(low)) = (self.full.get_mut(deque), low) {
            part.low = low;
        }
        self.deque(deque).iter().enumerate().map(move |(item, it)| (At { deque, item }, it))
    }

    /// Drops an empty deque, joins a small one with a neighbour, gives memory back.
    fn tidy(&mut self, place: usize) {
        let len = self.deque(place).len();
        let fits = |other: usize| {
            let other = self.full.get(other);
            other.is_some_and(|other| len + other.items.len() <= DEQUE_LEN - DEQUE_LEN_SMALL)
        };
        if len == 0 {
            self.full.remove(place);
        } else if let Some(before) = place.checked_sub(1).filter(|before| fits(*before)) {
            self.join(before);
        } else {
            if fits(place + 1) {
                self.join(place);
            }
            let deque = self.deque_mut(place);
            if deque.capacity() > 2 * deque.len() {
                deque.shrink_to(deque.len() + deque.len() / 2);
            }
        }
    }

    /// Takes the items of the deque after the one at `place` into that.
    fn join(&mut self, place: usize) {
        if let Some(next) = self.full.remove(place + 1) {
            self.lower(place, next.low);
            self.deque_mut(place).append(next.items);
        }
    }
}

impl<T: Keyed + Clone> Ordered<T> {
    /// The item at a place, to be changed. A copy of it, if it is shared.
    #[inline]
    pub(super) fn get_at_mut(&mut self, at: At) -> Option<&mut T> {
        self.deque_mut(at.deque).get_mut(at.item)
    }

    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.tail.last_mut()
    }

    /// Takes the last item out.
    pub(super) fn pop_last(&mut self) -> Option<T> {
        let item = self.tail.len().checked_sub(1)?;
        let last = self.remove_at(At { deque: self.full.len(), item })?;
        Some(last.into_item())
    }
}

/// The index of the last item whose key is at most `key`. Those at the front are looked for most.
#[inline]
fn floor_index<T: Keyed>(items: &SharedDeque<T>, key: T::Key) -> Option<usize> {
    if items.get(1).is_some_and(|second| key < second.key()) {
        return items.first().is_some_and(|first| first.key() <= key).then_some(0);
    }
    items.partition_point(|item| item.key() <= key).checked_sub(1)
}

impl<T: Keyed + std::fmt::Debug> std::fmt::Debug for Ordered<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

/// Items in ascending order.
pub(super) struct Iter<'a, T: Keyed> {
    items: &'a Ordered<T>,
    deque: usize,
    current: Items<'a, T>,
}

impl<'a, T: Keyed> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(item) = self.current.next() {
                return Some(item);
            }
            if self.deque >= self.items.full.len() {
                return None;
            }
            self.deque += 1;
            self.current = self.items.deque(self.deque).iter();
        }
    }
}

/// Items in descending order.
pub(super) struct IterBack<'a, T: Keyed> {
    items: &'a Ordered<T>,
    deque: usize,
    current: Items<'a, T>,
}

impl<'a, T: Keyed> Iterator for IterBack<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(item) = self.current.next_back() {
                return Some(item);
            }
            self.deque = self.deque.checked_sub(1)?;
            self.current = self.items.deque(self.deque).iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Rng;

    fn compare(items: &Ordered<u64>, model: &BTreeSet<u64>, probe: u64) {
        assert_eq!(items.len(), model.len());
        assert_eq!((items.first(), items.last()), (model.first(), model.last()));
        let floor = model.range(..=probe).next_back();
        assert_eq!(items.floor(probe), floor);
        let from: Vec<u64> = items.iter_from_floor(probe).copied().take(100).collect();
        let expected: Vec<u64> = match floor {
            Some(floor) => model.range(floor..).copied().take(100).collect(),
            None => model.iter().copied().take(100).collect(),
        };
        assert_eq!(from, expected);
        let back: Vec<u64> = items.iter_back(probe).copied().take(150).collect();
        assert_eq!(back, model.range(..=probe).rev().copied().take(150).collect::<Vec<_>>());
        if let Some(at) = items.floor_at(probe) {
            let after = model.range(probe + 1..).next();
            assert_eq!(items.next_at(at).and_then(|at| items.get_at(at)), after);
            let before = floor.and_then(|floor| model.range(..floor).next_back());
            assert_eq!(items.prev_at(at).and_then(|at| items.get_at(at)), before);
        }
    }

    fn remove(items: &mut Ordered<u64>, key: u64) -> bool {
        let at = items.floor_at(key).filter(|at| items.get_at(*at) == Some(&key));
        at.and_then(|at| items.remove_at(at)).is_some()
    }

    #[test]
    fn like_a_set_under_random_changes_pinned_or_not() {
        let mut rng = Rng::new(3);
        for round in 0..60 {
            let (mut items, mut model) = (Ordered::new(), BTreeSet::new());
            let mut pins: Vec<(Ordered<u64>, BTreeSet<u64>)> = Vec::new();
            let space = 10 + rng.below(2000);
            let mut next = 0;
            for _ in 0..1500 {
                let key = rng.below(space);
                match rng.below(6) {
                    0 | 1 => assert_eq!(items.insert(key), model.insert(key)),
                    2 if round % 2 == 0 => {
                        next += 1;
                        assert_eq!(items.insert(space + next), model.insert(space + next));
                    }
                    3 => {
                        let first = model.first().copied().unwrap_or(0);
                        assert_eq!(remove(&mut items, first), model.remove(&first));
                    }
                    4 if rng.below(50) == 0 => assert_eq!(items.pop_last(), model.pop_last()),
                    _ => assert_eq!(remove(&mut items, key), model.remove(&key)),
                }
                compare(&items, &model, rng.below(space + next + 2));
                match rng.below(200) {
                    0 => pins.push((items.share(), model.clone())),
                    1 => drop(pins.pop()),
                    _ => {}
                }
                if let Some((pinned, expected)) = pins.first_mut() {
                    let key = rng.below(space + next);
                    compare(pinned, expected, key);
                    assert_eq!(remove(pinned, key), expected.remove(&key));
                }
            }
            assert!(items.iter().eq(model.iter()));
            assert!(pins.iter().all(|(pinned, expected)| pinned.iter().eq(expected)));
        }
    }

    #[test]
    fn parts_are_shared_and_dropped_as_they_are_passed() {
        let mut items = Ordered::new();
        (0..1000u64).for_each(|key| assert!(items.insert(key * 2)));
        for (from, to) in [(0, 1998), (301, 301), (300, 700), (1, 5000), (1900, 1998), (5000, 6000)] {
            let mut part = items.share_range(from, to);
            assert!(part.len() <= (to.min(1998) - from.min(to.min(1998))) as usize / 2 + 130);
            let covered = |part: &Ordered<u64>, from, to| {
                let keys: Vec<u64> = part.iter().copied().filter(|key| (from..=to).contains(key)).collect();
                assert_eq!(
                    keys,
                    (0..1000).map(|key| key * 2).filter(|key| (from..=to).contains(key)).collect::<Vec<_>>()
                );
                assert_eq!(part.len(), part.iter().count());
            };
            covered(&part, from, to);
            let middle = from.midpoint(to);
            part.drop_below(middle);
            covered(&part, middle, to);
            part.drop_above(middle);
            covered(&part, middle, middle);
            assert!(part.len() <= 64);
        }
        assert_eq!(items.len(), 1000);
    }
}
