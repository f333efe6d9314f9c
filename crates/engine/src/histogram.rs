//! How long commands took: a histogram with one writer.
//!
//! Sixteen linear steps per doubling, so a percentile is exact to 6 %; 4 KiB per command that ever ran.

use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

const STEPS_BITS: u32 = 4;
const STEPS: usize = 1 << STEPS_BITS;
/// Up to 2^36 ns, a bit more than a minute; longer times count as that.
const OCTAVES: usize = 36 - STEPS_BITS as usize + 1;

type Counts = [AtomicU64; OCTAVES * STEPS];

fn zeros() -> Counts {
    [const { AtomicU64::new(0) }; OCTAVES * STEPS]
}

/// Counts of times.
#[derive(Debug)]
pub struct Histogram {
    counts: Counts,
    /// Where they begin, once they were started anew: who does that is not their writer (see [`crate::Counter`]).
    from: OnceLock<Box<Counts>>,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: zeros(), from: OnceLock::new() }
    }
}

fn index_of(time_ns: u64) -> usize {
    if time_ns < STEPS as u64 {
        return time_ns as usize;
    }
    let octave = time_ns.ilog2() - STEPS_BITS;
    let step = (time_ns >> octave) as usize & (STEPS - 1);
    ((octave as usize + 1) * STEPS + step).min(OCTAVES * STEPS - 1)
}

/// The highest time that counts at an index, ns.
fn upper_ns(index: usize) -> u64 {
    let (octave, step) = (index / STEPS, (index % STEPS) as u64);
    if octave == 0 {
        return step;
    }
    ((STEPS as u64 + step + 1) << (octave - 1)) - 1
}

impl Histogram {
    /// Counts a time so many times; only the owning worker may.
    #[inline]
    pub fn record(&self, time_ns: u64, times: u64) {
        let count = &self.counts[index_of(time_ns)];
        count.store(count.load(Relaxed) + times, Relaxed);
    }

    /// Adds all counts to `sum`.
    pub fn add_to(&self, sum: &mut Snapshot) {
        let from = self.from.get();
        for (index, (into, count)) in sum.counts.iter_mut().zip(&self.counts).enumerate() {
            let from = from.map_or(0, |from| from[index].load(Acquire));
            *into += count.load(Relaxed).wrapping_sub(from);
        }
    }

    /// Starts anew.
    pub fn reset(&self) {
        let from = self.from.get_or_init(|| Box::new(zeros()));
        from.iter().zip(&self.counts).for_each(|(from, count)| from.store(count.load(Relaxed), Release));
    }
}

/// Counts of several workers together.
#[derive(Clone, Debug)]
pub struct Snapshot {
    counts: Vec<u64>,
}

impl Default for Snapshot {
    fn default() -> Snapshot {
        Snapshot { counts: vec![0; OCTAVES * STEPS] }
    }
}

impl Snapshot {
    /// How many times were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that `percent` of all took at most, ns.
    pub fn percentile_ns(&self, percent: f64) -> u64 {
        let wanted = ((self.total() as f64 * percent / 100.0).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_ns(index);
            }
        }
        0
    }

    /// Cumulative counts at limits that double, beginning with `first_ns`: (limit in ns, times up to it). Limits
    /// before the first counted time and after the last are left out.
    pub fn doubling(&self, first_ns: u64) -> Vec<(u64, u64)> {
        let total = self.total();
        let (mut rows, mut limit, mut seen, mut index) = (Vec::new(), first_ns, 0, 0);
        while seen < total {
            while index < self.counts.len() && upper_ns(index) <= limit {
                seen += self.counts[index];
                index += 1;
            }
            if index == self.counts.len() {
                seen = total;
            }
            if seen > 0 {
                rows.push((limit, seen));
            }
            limit *= 2;
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_at_most_its_upper_bound() {
        for time in (0..2_000).chain((10..36).map(|bits| (1u64 << bits) + 77)) {
            let index = index_of(time);
            assert!(upper_ns(index) >= time && (index == 0 || upper_ns(index - 1) < time), "{time}");
        }
        assert_eq!(index_of(u64::MAX), OCTAVES * STEPS - 1);
    }

    #[test]
    fn a_new_start_forgets_what_was_counted() {
        let histogram = Histogram::default();
        for rounds in 1..=3 {
            (0..rounds).for_each(|time| histogram.record(time, 2));
            let mut sum = Snapshot::default();
            histogram.add_to(&mut sum);
            assert_eq!(sum.total(), rounds * 2);
            histogram.reset();
        }
    }

    #[test]
    fn percentiles_and_doubling_counts() {
        let (histogram, mut sum) = (Histogram::default(), Snapshot::default());
        (1..=1000u64).for_each(|n| histogram.record(n * 1000, 1));
        histogram.add_to(&mut sum);
        let p50 = sum.percentile_ns(50.0);
        assert!((500_000..540_000).contains(&p50), "{p50}");
        let rows = sum.doubling(1024);
        assert_eq!(rows.last().map(|row| row.1), Some(1000));
        assert!(rows.windows(2).all(|pair| pair[0].1 <= pair[1].1 && pair[0].0 * 2 == pair[1].0));
    }
}
