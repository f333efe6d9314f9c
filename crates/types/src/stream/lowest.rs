//! Records in a second order that is not kept: the lowest first.
//!
//! A heap begins with the bounds of the deques of runs, sixty-four times sixty-four records each. Whatever comes out of it
//! first and is no record is looked into, and what is in it put into the heap by bounds of its own; a record that comes
//! out first is the lowest, since nothing that is left can hold a lower one. So the first record of millions takes a
//! look at a few hundred bounds, at 64 runs and at 64 records. Bounds may be too low, by records that have gone or been
//! raised; looking into something sets its bound right, so what was looked into in vain is not the next time.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::ordered::Keyed;
use super::runs::{Part, Runs};

/// The records for which `is_shown` holds, the lowest first.
pub(super) struct LowestFirst<'a, R: Keyed, F> {
    runs: &'a mut Runs<R>,
    is_shown: F,
    heap: BinaryHeap<Reverse<Candidate<R>>>,
}

/// A part and bounds of what is in it. A key that is not known is below all.
struct Candidate<R: Keyed> {
    low: R::Low,
    key: Option<R::Key>,
    part: Part,
}

impl<R: Keyed> Candidate<R> {
    fn rank(&self) -> (R::Low, Option<R::Key>, bool) {
        // What may hold a record comes before one with the same key.
        (self.low, self.key, self.part == Part::Record)
    }
}

impl<R: Keyed> PartialEq for Candidate<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<R: Keyed> Eq for Candidate<R> {}

impl<R: Keyed> PartialOrd for Candidate<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: Keyed> Ord for Candidate<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl<'a, R: Keyed + Copy, F: Fn(&R) -> bool> LowestFirst<'a, R, F> {
    pub(super) fn new(runs: &'a mut Runs<R>, is_shown: F) -> LowestFirst<'a, R, F> {
        let parts = runs.lows().map(|(part, low, key)| Reverse(Candidate { low, key, part }));
        let heap = parts.collect::<Vec<_>>().into();
        LowestFirst { runs, is_shown, heap }
    }
}

impl<R: Keyed + Copy, F: Fn(&R) -> bool> Iterator for LowestFirst<'_, R, F> {
    type Item = (R::Low, R::Key);

    fn next(&mut self) -> Option<(R::Low, R::Key)> {
        loop {
            let Reverse(Candidate { low, key, part }) = self.heap.pop()?;
            match (part, key) {
                (Part::Record, Some(key)) => return Some((low, key)),
                _ => {
                    let heap = &mut self.heap;
                    self.runs.look_into(part, &self.is_shown, |part, low, key| {
                        heap.push(Reverse(Candidate { low, key, part }));
                    });
                }
            }
        }
    }
}
