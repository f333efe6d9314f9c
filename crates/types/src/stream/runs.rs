//! Small records in order: sorted runs of up to 64, in order themselves, and the last run beside them.
//!
//! What is pending in a group are such records. They mostly come in the order of their keys, and go from the front: see
//! `ordered`, in which the runs are kept, for what follows from that. A run that is shared with a pin is copied before it
//! is changed, and so, at once, is the last run, which is about to be.
//!
//! Invariants: the tail is empty only if everything is; no run is empty; the key of a run is at most that of its first
//! record, except that the first run may also hold smaller ones.

use std::slice;

use super::lowest::LowestFirst;
use super::ordered::{self, At, Keyed, Ordered};

/// Records of a full run.
const RUN_LEN: usize = 64;
/// A run that has shrunk to so many records, or to a smaller power of two, is joined with a neighbour where both fit.
const RUN_LEN_SMALL: usize = RUN_LEN / 4;

/// Records in the order of their keys, each key once.
#[derive(Clone)]
pub(super) struct Runs<R: Keyed> {
    /// Not there as long as the tail is enough: most consumers have little pending.
    full: Option<Box<Ordered<Run<R>>>>,
    tail: Vec<R>,
    len: usize,
}

#[derive(Clone)]
struct Run<R: Keyed> {
    key: R::Key,
    /// At most as low as all records.
    low: R::Low,
    records: Vec<R>,
}

impl<R: Keyed> Keyed for Run<R> {
    type Key = R::Key;
    type Low = R::Low;
    const HIGHEST: R::Low = R::HIGHEST;

    #[inline]
    fn key(&self) -> R::Key {
        self.key
    }

    fn low(&self) -> R::Low {
        self.low
    }
}

/// What records are found in, from the whole to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A deque of runs, by its number.
    Deque(usize),
    /// A run.
    Run(At),
    /// The last run.
    Tail,
    /// A record.
    Record,
}

/// A run: the tail, or one of the others.
#[derive(Clone, Copy)]
enum Place {
    Tail,
    Full(At),
}

impl<R: Keyed + Copy> Runs<R> {
    pub(super) fn new() -> Runs<R> {
        Runs { full: None, tail: Vec::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn first(&self) -> Option<&R> {
        let first = self.full.as_ref().and_then(|full| full.first());
        first.map_or(&self.tail, |run| &run.records).first()
    }

    #[cfg(test)]
    pub(super) fn last(&self) -> Option<&R> {
        self.tail.last()
    }

    /// The record with this key.
    #[inline]
    pub(super) fn get(&self, key: R::Key) -> Option<&R> {
        let run = self.run(self.place(key));
        run.binary_search_by_key(&key, R::key).ok().map(|at| &run[at])
    }

    /// Puts a record in the place of the one with the same key, which is returned.
    pub(super) fn replace(&mut self, record: R) -> Option<R> {
        let place = self.place(record.key());
        self.lower(place, record.low());
        let run = self.run_mut(place);
        let at = run.binary_search_by_key(&record.key(), R::key).ok()?;
        run.get_mut(at).map(|old| std::mem::replace(old, record))
    }

    /// Adds a record; false, and nothing is changed, if its key is there already.
    #[inline]
    pub(super) fn insert(&mut self, record: R) -> bool {
        let key = record.key();
        if self.tail.last().is_none_or(|last| last.key() < key) {
            self.push_last(record);
            return true;
        }
        self.insert_between(record)
    }

    fn insert_between(&mut self, record: R) -> bool {
        let place = self.place(record.key());
        let Err(at) = self.run(place).binary_search_by_key(&record.key(), R::key) else {
            return false;
        };
        self.lower(place, record.low());
        let run = self.run_mut(place);
        run.insert(at, record);
        if run.len() > RUN_LEN {
            self.split(place);
        }
        self.len += 1;
        true
    }

    /// Takes the record with this key out.
    pub(super) fn remove(&mut self, key: R::Key) -> Option<R> {
        let place = self.place(key);
        let run = self.run_mut(place);
        let at = run.binary_search_by_key(&key, R::key).ok()?;
        let record = run.remove(at);
        let len = run.len();
        self.len -= 1;
        match place {
            Place::Tail if len == 0 => self.take_tail(),
            Place::Full(at) if len <= RUN_LEN_SMALL && len & len.wrapping_sub(1) == 0 => self.tidy(at),
            _ => {}
        }
        Some(record)
    }

    /// All records in order.
    pub(super) fn iter(&self) -> Iter<'_, R> {
        let runs = self.full.as_ref().map(|full| full.iter());
        Iter { current: [].iter(), runs, tail: self.tail.iter() }
    }

    /// The records from `key` on.
    pub(super) fn iter_from(&self, key: R::Key) -> Iter<'_, R> {
        let place = self.place(key);
        let run = self.run(place);
        let current = run[run.partition_point(|record| record.key() < key)..].iter();
        match (place, &self.full) {
            (Place::Full(at), Some(full)) => {
                let mut runs = full.iter_from(at);
                runs.next();
                Iter { current, runs: Some(runs), tail: self.tail.iter() }
            }
            _ => Iter { current, runs: None, tail: [].iter() },
        }
    }

    /// The records from the greatest key on.
    pub(super) fn iter_back(&self) -> impl Iterator<Item = &R> {
        let full = self.full.iter().flat_map(|full| full.iter_rev());
        self.tail.iter().rev().chain(full.flat_map(|run| run.records.iter().rev()))
    }

    /// The records to be shown from the lowest on in their second order, and by key where that is the same. Records that
    /// are not to be shown must not be as long as they are there: runs forget about them.
    pub(super) fn lowest_first<F: Fn(&R) -> bool>(&mut self, is_shown: F) -> LowestFirst<'_, R, F> {
        LowestFirst::new(self, is_shown)
    }

    /// Lower bounds of the deques of runs, and of the tail: see [`Ordered::lows`].
    pub(super) fn lows(&self) -> impl Iterator<Item = (Part, R::Low, Option<R::Key>)> {
        let full = self.full.iter().flat_map(|full| full.lows());
        let full = full.map(|(deque, low, key)| (Part::Deque(deque), low, key));
        let tail = self.tail.iter().map(R::low).min();
        full.chain(tail.map(|low| (Part::Tail, low, self.tail.first().map(R::key))))
    }

    /// Shows what is in a part, and takes note of its lower bound.
    pub(super) fn look_into(
        &mut self,
        part: Part,
        is_shown: &impl Fn(&R) -> bool,
        mut show: impl FnMut(Part, R::Low, Option<R::Key>),
    ) {
        let mut low = R::HIGHEST;
        let mut show_record = |record: &R| {
            if is_shown(record) {
                low = low.min(record.low());
                show(Part::Record, record.low(), Some(record.key()));
            }
        };
        let Some(full) = &mut self.full else {
            return self.tail.iter().for_each(show_record);
        };
        match part {
            Part::Tail => self.tail.iter().for_each(show_record),
            Part::Deque(deque) => {
                let first = full.first_at();
                let runs = full.look_into(deque);
                runs.for_each(|(at, run)| show(Part::Run(at), run.low, (at != first).then_some(run.key)));
            }
            Part::Run(at) => {
                let Some(run) = full.get_at(at) else { return };
                run.records.iter().for_each(&mut show_record);
                if low != run.low
                    && let Some(run) = full.get_at_mut(at)
                {
                    run.low = low;
                }
            }
            Part::Record => {}
        }
    }

    /// Bytes allocated.
    pub(super) fn heap_bytes(&self) -> usize {
        let full = self.full.as_ref().map_or(0, |full| {
            let records: usize = full.iter().map(|run| run.records.capacity()).sum();
            size_of::<Ordered<Run<R>>>() + full.heap_bytes() + records * size_of::<R>()
        });
        full + self.tail.capacity() * size_of::<R>()
    }

    /// How many allocations there are, roughly.
    pub(super) fn allocations(&self) -> usize {
        self.full.as_ref().map_or(0, |full| full.len()) + usize::from(self.tail.capacity() > 0)
    }

    /// All of it as it is now, for somebody else.
    pub(super) fn share(&mut self) -> Runs<R> {
        let full = self.full.as_mut().map(|full| Box::new(full.share()));
        Runs { full, tail: self.tail.clone(), len: self.len }
    }

    /// The run in which this key is, or would be.
    #[inline]
    fn place(&self, key: R::Key) -> Place {
        match &self.full {
            Some(full) if self.tail.first().is_none_or(|first| first.key() > key) => {
                Place::Full(full.floor_at(key).unwrap_or(full.first_at()))
            }
            _ => Place::Tail,
        }
    }

    #[inline]
    fn run(&self, place: Place) -> &[R] {
        match (place, &self.full) {
            (Place::Full(at), Some(full)) => full.get_at(at).map_or(&[], |run| &run.records),
            _ => &self.tail,
        }
    }

    #[inline]
    fn run_mut(&mut self, place: Place) -> &mut Vec<R> {
        if let (Place::Full(at), Some(full)) = (place, &mut self.full)
            && let Some(run) = full.get_at_mut(at)
        {
            return &mut run.records;
        }
        &mut self.tail
    }

    /// Takes note that a record as low as this is in a run, or comes there.
    fn lower(&mut self, place: Place, low: R::Low) {
        if let (Place::Full(at), Some(full)) = (place, &mut self.full)
            && full.get_at(at).is_some_and(|run| low < run.low)
        {
            full.lower_at(at, low);
            if let Some(run) = full.get_at_mut(at) {
                run.low = low;
            }
        }
    }

    fn push_last(&mut self, record: R) {
        if self.tail.len() >= RUN_LEN {
            let run = std::mem::take(&mut self.tail);
            self.keep_full(run);
        } else if self.tail.capacity() == 0 {
            // Many never get a second record.
            self.tail.reserve_exact(1);
        }
        self.tail.push(record);
        self.len += 1;
    }

    fn keep_full(&mut self, records: Vec<R>) {
        if let (Some(first), Some(low)) = (records.first(), records.iter().map(R::low).min()) {
            let full = self.full.get_or_insert_with(|| Box::new(Ordered::new()));
            full.insert(Run { key: first.key(), low, records });
        }
    }

    /// Makes the last run the tail.
    fn take_tail(&mut self) {
        self.tail =
            self.full.as_mut().and_then(|full| full.pop_last()).map(|run| run.records).unwrap_or_default();
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        self.full = self.full.take().filter(|full| full.len() > 0);
    }

    /// Makes two runs of the one at `place`.
    fn split(&mut self, place: Place) {
        let run = self.run_mut(place);
        let upper = run.split_off(RUN_LEN / 2);
        run.shrink_to_fit();
        if let (Place::Full(at), Some(full)) = (place, &mut self.full) {
            if let Some(lower) = full.get_at_mut(at)
                && let Some(first) = lower.records.first()
            {
                // Only the first run has smaller ones than its key, and stays the first.
                lower.key = lower.key.min(first.key());
            }
            return self.keep_full(upper);
        }
        let lower = std::mem::replace(&mut self.tail, upper);
        self.keep_full(lower);
    }

    /// Drops an empty run, joins a small one with a neighbour, gives memory back.
    fn tidy(&mut self, at: At) {
        let Some(full) = &mut self.full else { return };
        let len = full.get_at(at).map_or(0, |run| run.records.len());
        let fits = |other: &At| {
            full.get_at(*other).is_some_and(|run| run.records.len() + len <= RUN_LEN - RUN_LEN_SMALL)
        };
        if len == 0 {
            full.remove_at(at);
            return self.drop_empty();
        }
        if let Some(before) = full.prev_at(at).filter(fits) {
            return join(full, before, at);
        }
        if let Some(after) = full.next_at(at).filter(fits) {
            join(full, at, after);
        } else if let Some(run) = full.get_at_mut(at) {
            trim(&mut run.records);
        }
    }
}

/// Takes the records of the run at `next` into the one before it, at `at`.
fn join<R: Keyed + Copy>(full: &mut Ordered<Run<R>>, at: At, next: At) {
    let Some(Run { low, records, .. }) = full.get_at(next).cloned() else { return };
    full.lower_at(at, low);
    if let Some(run) = full.get_at_mut(at) {
        run.low = run.low.min(low);
        run.records.extend_from_slice(&records);
        trim(&mut run.records);
    }
    full.remove_at(next);
}

fn trim<R>(records: &mut Vec<R>) {
    if records.capacity() > 2 * records.len() {
        records.shrink_to(records.len() + records.len() / 2);
    }
}

/// Bytes of the nodes of a std B-tree with `len` entries: leaves of eleven, taken as two thirds full, and a tenth
/// again for what is above them.
pub(super) fn map_bytes(len: usize, entry_bytes: usize) -> usize {
    if len == 0 { 0 } else { len.div_ceil(7) * (11 * entry_bytes + 16) * 11 / 10 }
}

impl<R: Keyed + Copy> FromIterator<R> for Runs<R> {
    /// Records must come in order; one that does not is put where it belongs.
    fn from_iter<I: IntoIterator<Item = R>>(records: I) -> Runs<R> {
        let mut runs = Runs::new();
        for record in records {
            runs.insert(record);
        }
        runs
    }
}

impl<R: Keyed + Copy + std::fmt::Debug> std::fmt::Debug for Runs<R> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

/// Records in ascending order.
pub(super) struct Iter<'a, R: Keyed> {
    current: slice::Iter<'a, R>,
    runs: Option<ordered::Iter<'a, Run<R>>>,
    tail: slice::Iter<'a, R>,
}

impl<'a, R: Keyed> Iterator for Iter<'a, R> {
    type Item = &'a R;

    #[inline]
    fn next(&mut self) -> Option<&'a R> {
        loop {
            if let Some(record) = self.current.next() {
                return Some(record);
            }
            match self.runs.as_mut().and_then(Iterator::next) {
                Some(run) => self.current = run.records.iter(),
                None => return self.tail.next(),
            }
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
        type Low = ();
        const HIGHEST: () = ();

        fn key(&self) -> u64 {
            *self
        }

        fn low(&self) {}
    }

    fn compare(runs: &Runs<u64>, model: &BTreeSet<u64>, probe: u64) {
        assert_eq!(runs.len(), model.len());
        assert_eq!((runs.first(), runs.last()), (model.first(), model.last()));
        assert_eq!(runs.get(probe).is_some(), model.contains(&probe));
        let from: Vec<u64> = runs.iter_from(probe).copied().take(100).collect();
        assert_eq!(from, model.range(probe..).copied().take(100).collect::<Vec<_>>());
    }

    #[test]
    fn like_a_set_under_random_changes_pinned_or_not() {
        let mut rng = Rng::new(3);
        for round in 0..60 {
            let (mut runs, mut model) = (Runs::new(), BTreeSet::new());
            let mut pins = Vec::new();
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
                match rng.below(200) {
                    0 => pins.push((runs.share(), model.clone())),
                    1 => drop(pins.pop()),
                    _ => {}
                }
            }
            assert!(runs.iter().eq(model.iter()));
            for (pinned, expected) in pins {
                assert!(pinned.iter().eq(expected.iter()));
                compare(&pinned, &expected, rng.below(space));
            }
        }
    }

    #[test]
    fn runs_filled_in_order_are_full_and_stragglers_are_joined() {
        let mut runs: Runs<u64> = (0..64_000).collect();
        assert!(runs.allocations() <= 1000, "{}", runs.allocations());
        assert!(runs.heap_bytes() < 64_000 * 9, "{}", runs.heap_bytes());
        for key in (0..64_000).filter(|key| key % 64 != 5) {
            assert_eq!(runs.remove(key), Some(key));
        }
        assert_eq!(runs.len(), 1000);
        assert!(runs.allocations() < 200, "{}", runs.allocations());
        assert!(runs.heap_bytes() < 30_000, "{}", runs.heap_bytes());
    }

    /// A record with a second order.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Timed(u64, u64);

    impl Keyed for Timed {
        type Key = u64;
        type Low = u64;
        const HIGHEST: u64 = u64::MAX;

        fn key(&self) -> u64 {
            self.0
        }

        fn low(&self) -> u64 {
            self.1
        }
    }

    #[test]
    fn the_lowest_first_under_random_changes() {
        let mut rng = Rng::new(8);
        for round in 0..30u64 {
            let (mut runs, mut model): (Runs<Timed>, std::collections::BTreeMap<u64, u64>) =
                (Runs::new(), std::collections::BTreeMap::new());
            let space = [50, 2000, 30_000][round as usize % 3];
            for step in 0..2500 {
                // Times follow the keys, the steps, or nothing.
                let key = if round % 2 == 0 { step * 4 + rng.below(9) } else { rng.below(space) };
                let time = [key, step, rng.below(space), 7][rng.below(4) as usize];
                let known = model.contains_key(&key);
                match rng.below(8) {
                    0 => assert_eq!(runs.remove(key).map(|it| it.1), model.remove(&key)),
                    1 => {
                        let lowest: Vec<_> =
                            runs.lowest_first(|it| it.1 % 16 != 3).take(rng.below(5) as usize).collect();
                        for (_, key) in lowest {
                            assert_eq!(runs.remove(key).map(|it| it.1), model.remove(&key));
                        }
                    }
                    _ if known => {
                        assert_eq!(runs.replace(Timed(key, time)).map(|it| it.1), model.insert(key, time))
                    }
                    _ => {
                        assert!(runs.insert(Timed(key, time)));
                        model.insert(key, time);
                    }
                }
                if step % 50 == 0 {
                    let shown = model.iter().filter(|(_, time)| *time % 16 != 3);
                    let mut expected: Vec<_> = shown.map(|(key, time)| (*time, *key)).collect();
                    expected.sort_unstable();
                    let few: Vec<_> = runs.lowest_first(|it| it.1 % 16 != 3).take(20).collect();
                    assert_eq!(few, expected[..expected.len().min(20)]);
                    assert!(runs.lowest_first(|it| it.1 % 16 != 3).eq(expected));
                }
            }
        }
    }
}
