//! Sorting that can be left and taken up again: a merge sort from below. Runs of a thousand are sorted one at a time; then
//! pairs of runs are merged, pass after pass, as many elements at a time as the caller likes. Twice the memory of the
//! elements, and about a quarter slower than sorting in one go, which for a million of them keeps everybody else waiting
//! for a tenth of a second.

use std::cmp::Ordering;

/// Elements of a run that is sorted in one go: some 30 us.
const RUN_LEN: usize = 1024;

/// Elements on their way to being in order.
pub(super) struct GradualSort<T> {
    items: Vec<T>,
    /// What the present pass has merged.
    merged: Vec<T>,
    /// Elements of each sorted run; 0 while the first ones are being made.
    run_len: usize,
    /// The first element that this pass has not looked at: the end of the last pair of runs that is merged.
    next: usize,
    /// What is left of the pair that is being merged: from and up to where of either run.
    left: (usize, usize),
    right: (usize, usize),
}

impl<T: Copy> GradualSort<T> {
    /// Elements in the order in which equal ones are to stay.
    pub(super) fn new(items: Vec<T>) -> GradualSort<T> {
        GradualSort { items, merged: Vec::new(), run_len: 0, next: 0, left: (0, 0), right: (0, 0) }
    }

    /// Goes on for about `steps` elements; whether all are in order.
    pub(super) fn go_on(&mut self, steps: usize, order: impl Fn(&T, &T) -> Ordering) -> bool {
        if self.run_len == 0 {
            self.sort_runs(steps, &order);
        } else if self.run_len < self.items.len() {
            self.merge(steps, &order);
        }
        self.run_len >= self.items.len()
    }

    /// The elements, which are in order once [`GradualSort::go_on`] has said so.
    pub(super) fn into_items(self) -> Vec<T> {
        self.items
    }

    fn sort_runs(&mut self, steps: usize, order: &impl Fn(&T, &T) -> Ordering) {
        let stop = self.next.saturating_add(steps);
        while self.next < self.items.len().min(stop) {
            let end = (self.next + RUN_LEN).min(self.items.len());
            self.items[self.next..end].sort_by(order);
            self.next = end;
        }
        if self.next >= self.items.len() {
            self.run_len = RUN_LEN;
            self.begin_pass();
        }
    }

    fn begin_pass(&mut self) {
        self.next = 0;
        self.merged.clear();
        self.merged.reserve_exact(self.items.len());
    }

    fn merge(&mut self, mut steps: usize, order: &impl Fn(&T, &T) -> Ordering) {
        while steps > 0 && self.merged.len() < self.items.len() {
            if self.left.0 == self.left.1 && self.right.0 == self.right.1 {
                self.begin_pair();
            }
            steps = self.merge_pair(steps, order);
        }
        if self.merged.len() == self.items.len() {
            std::mem::swap(&mut self.items, &mut self.merged);
            self.run_len *= 2;
            self.begin_pass();
        }
    }

    fn begin_pair(&mut self) {
        let middle = (self.next + self.run_len).min(self.items.len());
        let end = (middle + self.run_len).min(self.items.len());
        self.left = (self.next, middle);
        self.right = (middle, end);
        self.next = end;
    }

    /// Merges up to so many elements of the present pair; how many more there might have been.
    fn merge_pair(&mut self, steps: usize, order: &impl Fn(&T, &T) -> Ordering) -> usize {
        for step in 0..steps {
            let takes_left = match (self.left.0 < self.left.1, self.right.0 < self.right.1) {
                (true, true) => order(&self.items[self.left.0], &self.items[self.right.0]).is_le(),
                (false, false) => return steps - step,
                (is_left, _) => is_left,
            };
            let from = if takes_left { &mut self.left.0 } else { &mut self.right.0 };
            self.merged.push(self.items[*from]);
            *from += 1;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use ochre_types::Rng;

    use super::*;

    #[test]
    fn sorts_as_in_one_go_and_keeps_the_order_of_equals() {
        let mut rng = Rng::new(5);
        for len in [0, 1, 2, RUN_LEN - 1, RUN_LEN, RUN_LEN + 1, 3 * RUN_LEN, 20_000] {
            let items: Vec<(u64, usize)> = (0..len).map(|index| (rng.below(500), index)).collect();
            for steps in [1, 7, 1000, usize::MAX] {
                if len * 20 / steps > 100_000 {
                    continue;
                }
                let mut sort = GradualSort::new(items.clone());
                while !sort.go_on(steps, |a, b| a.0.cmp(&b.0)) {}
                let mut expected = items.clone();
                expected.sort();
                assert_eq!(sort.into_items(), expected, "{len} elements, {steps} at a time");
            }
        }
    }
}
