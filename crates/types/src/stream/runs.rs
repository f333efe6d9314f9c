//! An ordered collection for keys that mostly come in order: sorted runs in an ordered map, and the last run beside it.
//!
//! ```text
//!   full:  BTreeMap   first key -> [ up to 64 items, sorted ]  [ .. ]  [ .. ]        tail: [ the greatest items ]
//! ```
//!
//! Streams add at the end and take away near the front, for entries as for what is pending. An item that is greater
//! than all others is pushed to the tail; a full tail becomes a run of the map as it is, so runs filled in order are
//! full (a B-tree that splits in the middle would leave half of every leaf empty). Anywhere else an insertion or a
//! removal moves at most one run. Everything is O(log n) with a small constant: the map has one entry for 64 items.
//!
//! Invariants: the tail is empty only if everything is; no run is empty; a key of the map is at most the first key of
//! its run, except that the first run may also hold smaller ones (it is looked into for all keys below its own).

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::Bound::{Excluded, Unbounded};
use std::slice;

/// Items of a full run.
const RUN_LEN: usize = 64;
/// A run that has shrunk to so many items, or to a smaller power of two, is joined with its successor where both fit.
const RUN_LEN_SMALL: usize = RUN_LEN / 4;

/// What can be kept in order.
pub(super) trait Keyed {
    /// What the order goes by.
    type Key: Ord + Copy;
    /// The key of this item, which does not change while it is kept.
    fn key(&self) -> Self::Key;
}

/// Items in the order of their keys, each key once.
#[derive(Clone, Debug)]
pub(super) struct Runs<T: Keyed> {
    full: BTreeMap<T::Key, Vec<T>>,
    tail: Vec<T>,
    len: usize,
}

impl<T: Keyed> Runs<T> {
    pub(super) fn new() -> Runs<T> {
        Runs { full: BTreeMap::new(), tail: Vec::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn first(&self) -> Option<&T> {
        self.full.values().next().unwrap_or(&self.tail).first()
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.tail.last()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.tail.last_mut()
    }

    /// The item with this key.
    pub(super) fn get(&self, key: T::Key) -> Option<&T> {
        let run = self.run(key);
        run.binary_search_by_key(&key, T::key).ok().map(|at| &run[at])
    }

    pub(super) fn get_mut(&mut self, key: T::Key) -> Option<&mut T> {
        let run = self.run_mut(key);
        run.binary_search_by_key(&key, T::key).ok().map(|at| &mut run[at])
    }

    /// The last item whose key is at most `key`.
    pub(super) fn floor(&self, key: T::Key) -> Option<&T> {
        let (_, run, at) = self.find_floor(key)?;
        run.get(at)
    }

    pub(super) fn floor_mut(&mut self, key: T::Key) -> Option<&mut T> {
        let (label, _, at) = self.find_floor(key)?;
        match label {
            Some(label) => self.full.get_mut(&label)?.get_mut(at),
            None => self.tail.get_mut(at),
        }
    }

    /// Adds an item; false, and nothing is changed, if its key is there already.
    pub(super) fn insert(&mut self, item: T) -> bool {
        let key = item.key();
        if self.tail.last().is_none_or(|last| last.key() < key) {
            self.push_last(item);
            return true;
        }
        let run = self.run_mut(key);
        let Err(at) = run.binary_search_by_key(&key, T::key) else {
            return false;
        };
        run.insert(at, item);
        self.len += 1;
        if self.run(key).len() > RUN_LEN {
            self.split(key);
        }
        true
    }

    /// Takes the item with this key out.
    pub(super) fn remove(&mut self, key: T::Key) -> Option<T> {
        if self.in_tail(key) {
            let at = self.tail.binary_search_by_key(&key, T::key).ok()?;
            let item = self.tail.remove(at);
            self.len -= 1;
            if self.tail.is_empty() {
                self.tail = self.full.pop_last().map(|(_, run)| run).unwrap_or_default();
            }
            return Some(item);
        }
        let (label, run) = match self.full.range_mut(..=key).next_back() {
            Some((label, run)) => (*label, run),
            None => self.full.iter_mut().next().map(|(label, run)| (*label, run))?,
        };
        let at = run.binary_search_by_key(&key, T::key).ok()?;
        let item = run.remove(at);
        self.len -= 1;
        if run.len() <= RUN_LEN_SMALL && run.len() & run.len().wrapping_sub(1) == 0 {
            self.tidy(label);
        }
        Some(item)
    }

    /// All items in order.
    pub(super) fn iter(&self) -> Iter<'_, T> {
        Iter { current: [].iter(), runs: self.full.range(..), tail: self.tail.iter() }
    }

    /// The items from [`Runs::floor`] of `key` on, or all if there is none.
    pub(super) fn iter_from_floor(&self, key: T::Key) -> Iter<'_, T> {
        match self.find_floor(key) {
            Some((Some(label), run, at)) => Iter {
                current: run[at..].iter(),
                runs: self.full.range((Excluded(label), Unbounded)),
                tail: self.tail.iter(),
            },
            Some((None, run, at)) => {
                let behind = self.full.last_key_value().map(|(label, _)| *label);
                let runs =
                    behind.map_or(self.full.range(..), |at| self.full.range((Excluded(at), Unbounded)));
                Iter { current: run[at..].iter(), runs, tail: [].iter() }
            }
            None => self.iter(),
        }
    }

    /// The items whose keys are at most `key`, greatest first.
    pub(super) fn iter_back(&self, key: T::Key) -> IterBack<'_, T> {
        let upto = |run: &'_ [T]| floor_index(run, key).map_or(0, |at| at + 1);
        if self.in_tail(key) {
            return IterBack { current: self.tail[..upto(&self.tail)].iter(), runs: self.full.range(..) };
        }
        let mut runs = self.full.range(..=key);
        let run = runs.next_back().or_else(|| self.full.iter().next()).map_or(&[][..], |(_, run)| run);
        IterBack { current: run[..upto(run)].iter(), runs }
    }

    /// Bytes allocated for runs, those of the items' own not counted; the map's nodes by what they hold.
    pub(super) fn heap_bytes(&self) -> usize {
        let items: usize = self.full.values().chain([&self.tail]).map(Vec::capacity).sum();
        items * size_of::<T>() + map_bytes(self.full.len(), size_of::<(T::Key, Vec<T>)>())
    }

    /// How many allocations there are, roughly.
    pub(super) fn allocations(&self) -> usize {
        self.full.len() + usize::from(self.tail.capacity() > 0)
    }

    #[inline]
    fn in_tail(&self, key: T::Key) -> bool {
        self.full.is_empty() || self.tail.first().is_some_and(|first| first.key() <= key)
    }

    /// Where the last item is whose key is at most `key`: the key of its run in the map, if it is there, the run, and
    /// its index. A run of the map may have lost the item it is named after, so the one before is looked into too.
    fn find_floor(&self, key: T::Key) -> Option<Found<'_, T>> {
        if self.in_tail(key) {
            return floor_index(&self.tail, key).map(|at| (None, self.tail.as_slice(), at));
        }
        let named = self.full.range(..=key).rev().take(2);
        let first = self.full.iter().take(1);
        let mut runs = named.chain(first);
        runs.find_map(|(label, run)| Some((Some(*label), run.as_slice(), floor_index(run, key)?)))
    }

    /// The run in which this key is, or would be.
    fn run(&self, key: T::Key) -> &[T] {
        if self.in_tail(key) {
            return &self.tail;
        }
        let found = self.full.range(..=key).next_back().or_else(|| self.full.iter().next());
        found.map_or(&self.tail, |(_, run)| run)
    }

    fn run_mut(&mut self, key: T::Key) -> &mut Vec<T> {
        if self.in_tail(key) {
            return &mut self.tail;
        }
        let label = self.label(key);
        label.and_then(|label| self.full.get_mut(&label)).unwrap_or(&mut self.tail)
    }

    /// Under which key of the map the run for `key` is.
    fn label(&self, key: T::Key) -> Option<T::Key> {
        let found = self.full.range(..=key).next_back().or_else(|| self.full.iter().next());
        found.map(|(label, _)| *label)
    }

    fn push_last(&mut self, item: T) {
        if self.tail.len() >= RUN_LEN {
            let run = std::mem::take(&mut self.tail);
            self.keep_full(run);
        } else if self.tail.capacity() == 0 {
            // Many never get a second item.
            self.tail.reserve_exact(1);
        }
        self.tail.push(item);
        self.len += 1;
    }

    fn keep_full(&mut self, run: Vec<T>) {
        if let Some(first) = run.first() {
            self.full.insert(first.key(), run);
        }
    }

    /// Makes two runs of the one for `key`.
    fn split(&mut self, key: T::Key) {
        if self.in_tail(key) {
            let upper = self.tail.split_off(RUN_LEN / 2);
            let mut lower = std::mem::replace(&mut self.tail, upper);
            lower.shrink_to_fit();
            return self.keep_full(lower);
        }
        let Some(mut lower) = self.label(key).and_then(|label| self.full.remove(&label)) else {
            return;
        };
        let upper = lower.split_off(RUN_LEN / 2);
        lower.shrink_to_fit();
        self.keep_full(lower);
        self.keep_full(upper);
    }

    /// Drops an empty run, joins a small one with a neighbour, gives memory back.
    fn tidy(&mut self, label: T::Key) {
        let Some(mut run) = self.full.remove(&label) else {
            return;
        };
        let fits = |next: &Vec<T>| run.len() + next.len() <= RUN_LEN - RUN_LEN_SMALL;
        let before = self.full.range(..label).next_back().filter(|(_, before)| fits(before));
        let after = self.full.range(label..).next().filter(|(_, after)| fits(after));
        if let Some((&before, _)) = before {
            if let Some(before) = self.full.get_mut(&before) {
                before.append(&mut run);
            }
            return;
        }
        if let Some(mut after) = after.map(|(after, _)| *after).and_then(|after| self.full.remove(&after)) {
            run.append(&mut after);
        }
        if run.capacity() > 2 * run.len() {
            run.shrink_to(run.len() + run.len() / 2);
        }
        self.keep_full(run);
    }
}

/// The key of a run in the map (none for the tail), the run, and an index in it.
type Found<'a, T> = (Option<<T as Keyed>::Key>, &'a [T], usize);

fn floor_index<T: Keyed>(run: &[T], key: T::Key) -> Option<usize> {
    run.partition_point(|item| item.key() <= key).checked_sub(1)
}

/// Bytes of the nodes of a std B-tree with `len` entries: leaves of eleven, taken as two thirds full, and a tenth
/// again for what is above them.
pub(super) fn map_bytes(len: usize, entry_bytes: usize) -> usize {
    if len == 0 { 0 } else { len.div_ceil(7) * (11 * entry_bytes + 16) * 11 / 10 }
}

impl<T: Keyed> FromIterator<T> for Runs<T> {
    /// Items must come in order; one that does not is put where it belongs.
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Runs<T> {
        let mut runs = Runs::new();
        for item in items {
            runs.insert(item);
        }
        runs
    }
}

/// Items in ascending order.
pub(super) struct Iter<'a, T: Keyed> {
    current: slice::Iter<'a, T>,
    runs: btree_map::Range<'a, T::Key, Vec<T>>,
    tail: slice::Iter<'a, T>,
}

impl<'a, T: Keyed> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(item) = self.current.next() {
                return Some(item);
            }
            match self.runs.next() {
                Some((_, run)) => self.current = run.iter(),
                None => return self.tail.next(),
            }
        }
    }
}

/// Items in descending order.
pub(super) struct IterBack<'a, T: Keyed> {
    current: slice::Iter<'a, T>,
    runs: btree_map::Range<'a, T::Key, Vec<T>>,
}

impl<'a, T: Keyed> Iterator for IterBack<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(item) = self.current.next_back() {
                return Some(item);
            }
            self.current = self.runs.next_back()?.1.iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Rng;

    impl Keyed for u64 {
        type Key = u64;
        fn key(&self) -> u64 {
            *self
        }
    }

    fn compare(runs: &Runs<u64>, model: &BTreeSet<u64>, probe: u64) {
        assert_eq!(runs.len(), model.len());
        assert_eq!((runs.first(), runs.last()), (model.first(), model.last()));
        assert_eq!(runs.get(probe).is_some(), model.contains(&probe));
        let floor = model.range(..=probe).next_back();
        assert_eq!(runs.floor(probe), floor);
        let from: Vec<u64> = runs.iter_from_floor(probe).copied().take(3).collect();
        let expected: Vec<u64> = match floor {
            Some(floor) => model.range(floor..).copied().take(3).collect(),
            None => model.iter().copied().take(3).collect(),
        };
        assert_eq!(from, expected);
        let back: Vec<u64> = runs.iter_back(probe).copied().take(150).collect();
        assert_eq!(back, model.range(..=probe).rev().copied().take(150).collect::<Vec<_>>());
    }

    #[test]
    fn like_a_set_under_random_changes() {
        let mut rng = Rng::new(3);
        for round in 0..60 {
            let (mut runs, mut model) = (Runs::new(), BTreeSet::new());
            let space = 10 + rng.below(2000);
            let mut next = 0;
            for _ in 0..1500 {
                let key = rng.below(space);
                match rng.below(6) {
                    0 | 1 => assert_eq!(runs.insert(key), model.insert(key)),
                    2 if round % 2 == 0 => {
                        next += 1;
                        assert_eq!(runs.insert(space + next), model.insert(space + next));
                    }
                    3 => {
                        let first = model.first().copied().unwrap_or(0);
                        assert_eq!(runs.remove(first).is_some(), model.remove(&first));
                    }
                    _ => assert_eq!(runs.remove(key), model.take(&key)),
                }
                compare(&runs, &model, rng.below(space + next + 2));
            }
            assert!(runs.iter().eq(model.iter()));
        }
    }

    #[test]
    fn runs_filled_in_order_are_full_and_stragglers_are_joined() {
        let mut runs: Runs<u64> = (0..64_000).collect();
        assert!(runs.allocations() <= 1001, "{}", runs.allocations());
        assert!(runs.heap_bytes() < 64_000 * 9, "{}", runs.heap_bytes());
        for key in (0..64_000).filter(|key| key % 64 != 5) {
            assert_eq!(runs.remove(key), Some(key));
        }
        assert_eq!(runs.len(), 1000);
        assert!(runs.allocations() < 200, "{}", runs.allocations());
        assert!(runs.heap_bytes() < 30_000, "{}", runs.heap_bytes());
    }
}
