//! Binary search among members whose scores do not tell them apart.
//!
//! Every step looks at a member's bytes, and those are not in the cache. So the seven members that the next three steps may
//! look at are asked for at once: a leaf of 62 equal scores is searched in the time of two misses instead of six.

/// Steps that are asked for at once.
const STEPS: u32 = 3;

/// How many of `low..high` are before a place, counted from 0; those must come first. `fetch` asks for what `is_before` will
/// look at.
#[inline]
pub(super) fn search_tied(
    low: usize,
    high: usize,
    fetch: impl Fn(usize),
    is_before: impl Fn(usize) -> bool,
) -> usize {
    let (mut low, mut high) = (low, high);
    while low < high {
        if high - low > 1 {
            fetch_pivots(low, high, STEPS, &fetch);
        }
        for _ in 0..STEPS {
            if low < high {
                let middle = low + (high - low) / 2;
                if is_before(middle) { low = middle + 1 } else { high = middle }
            }
        }
    }
    low
}

fn fetch_pivots(low: usize, high: usize, steps: u32, fetch: &impl Fn(usize)) {
    if low < high && steps > 0 {
        let middle = low + (high - low) / 2;
        fetch(middle);
        fetch_pivots(low, middle, steps - 1, fetch);
        fetch_pivots(middle + 1, high, steps - 1, fetch);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_length_and_place() {
        for len in 0..70 {
            for place in 0..=len {
                let (looks, missed) = (Cell::new(0), Cell::new(0));
                let fetched = RefCell::new(BTreeSet::new());
                let low = 5;
                let fetch = |at| {
                    fetched.borrow_mut().insert(at);
                };
                let is_before = |at| {
                    looks.set(looks.get() + 1);
                    missed.set(missed.get() + usize::from(!fetched.borrow().contains(&at)));
                    at < low + place
                };
                assert_eq!(search_tied(low, low + len, fetch, is_before), low + place);
                assert!(
                    looks.get() <= 7 && missed.get() <= 1,
                    "{len}: only the last look may be at one alone"
                );
                assert!(fetched.borrow().len() <= 15, "{len}");
            }
        }
    }
}
