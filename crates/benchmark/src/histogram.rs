//! Latencies in fixed buckets, after the idea of HdrHistogram: exact where it is small, a constant
//! relative error above.
//!
//! Values are whole microseconds. The first 2048 buckets are one microsecond wide; every further octave
//! has 1024 buckets, so a bucket is never wider than a thousandth of its value. Minimum, maximum and sum
//! are kept exactly. Recording is one shift, one addition and no branch on data; a table takes 220 KB, of
//! which a run touches a few lines. Rejected: a dependency (we need forty lines of it), and one atomic
//! table shared by all threads (each thread has its own and they are merged at the end).

const EXACT: u64 = 2048;
const PER_OCTAVE: u64 = EXACT / 2;
const EXACT_BITS: u32 = EXACT.trailing_zeros();
/// Longer latencies (19 hours) count as this one.
const LARGEST_US: u64 = (1 << 36) - 1;
const BUCKETS: usize = bucket(LARGEST_US) + 1;

/// How often each latency was seen.
#[derive(Clone)]
pub struct Histogram {
    counts: Box<[u64]>,
    total: u64,
    sum_us: u64,
    min_us: u64,
    max_us: u64,
}

/// One step of [`Histogram::percentiles`] or [`Histogram::cumulative`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The level in percent: the one asked for, or the one reached.
    pub percent: f64,
    /// The latency that this share of requests did not exceed, in microseconds.
    pub value_us: u64,
    /// How many requests did not exceed it.
    pub count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS].into(), total: 0, sum_us: 0, min_us: u64::MAX, max_us: 0 }
    }
}

impl Histogram {
    /// Adds `times` latencies of `value_us` microseconds.
    pub fn record(&mut self, value_us: u64, times: u64) {
        let value_us = value_us.min(LARGEST_US);
        self.counts[bucket(value_us)] += times;
        self.total += times;
        self.sum_us = self.sum_us.saturating_add(value_us.saturating_mul(times));
        self.min_us = self.min_us.min(value_us);
        self.max_us = self.max_us.max(value_us);
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.min_us = self.min_us.min(other.min_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// How many latencies were recorded.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Sum of all latencies, microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// Mean, microseconds; 0 when empty.
    pub fn mean_us(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.sum_us as f64 / self.total as f64 }
    }

    /// Smallest latency, microseconds; 0 when empty.
    pub fn min_us(&self) -> u64 {
        if self.total == 0 { 0 } else { self.min_us }
    }

    /// Largest latency, microseconds.
    pub fn max_us(&self) -> u64 {
        self.max_us
    }

    /// The latency that `percent` of the requests did not exceed, microseconds.
    pub fn percentile_us(&self, percent: f64) -> u64 {
        self.step_at(percent).value_us
    }

    /// Levels that halve the distance to 100 % each time (0, 50, 75, 87.5, ...), then 100 % itself.
    pub fn percentiles(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut percent = 0.0;
        if self.total == 0 {
            return steps;
        }
        loop {
            let step = self.step_at(percent);
            steps.push(step);
            if step.count == self.total {
                steps.push(Step { percent: 100.0, ..step });
                return steps;
            }
            let reached = step.count as f64 * 100.0 / self.total as f64;
            while percent <= reached {
                percent = 100.0 - (100.0 - percent) / 2.0;
            }
        }
    }

    /// Shares at each 0.1 ms up to 2 ms and at each millisecond above; levels that add nothing are left out.
    pub fn cumulative(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let (mut level_us, mut index, mut count) = (100, 0, 0);
        while self.total > 0 && count < self.total {
            while index < BUCKETS && bucket_end(index) <= level_us {
                count += self.counts[index];
                index += 1;
            }
            if steps.last().is_none_or(|last| last.count != count) {
                let percent = count as f64 * 100.0 / self.total as f64;
                steps.push(Step { percent, value_us: level_us, count });
            }
            level_us = self.next_level(level_us, index);
        }
        steps
    }

    /// The next level that has something to say: an idle hour between two latencies is skipped, not walked.
    fn next_level(&self, level_us: u64, index: usize) -> u64 {
        let step_us = if level_us < 2_000 { 100 } else { 1_000 };
        let next = level_us + step_us;
        let Some(gap) = self.counts[index..].iter().position(|&count| count > 0) else { return next };
        let end = bucket_end(index + gap);
        if end <= next || level_us < 2_000 {
            next
        } else {
            level_us + (end - level_us).div_ceil(step_us) * step_us
        }
    }

    fn step_at(&self, percent: f64) -> Step {
        // 99.9 % of 1000 is 999, although the product is a hair above.
        let wanted = ((percent * self.total as f64 / 100.0 - 1e-6).ceil() as u64).clamp(1, self.total.max(1));
        let mut count = 0;
        for (index, here) in self.counts.iter().enumerate() {
            count += here;
            if count >= wanted {
                return Step { percent, value_us: bucket_end(index).min(self.max_us), count };
            }
        }
        Step { percent, value_us: self.max_us, count }
    }
}

const fn bucket(value_us: u64) -> usize {
    if value_us < EXACT {
        return value_us as usize;
    }
    let octave = (value_us.ilog2() + 1 - EXACT_BITS) as u64;
    (octave * PER_OCTAVE + (value_us >> octave)) as usize
}

/// The largest value that lands in bucket `index`.
fn bucket_end(index: usize) -> u64 {
    let index = index as u64;
    if index < EXACT {
        return index;
    }
    let octave = index / PER_OCTAVE - 1;
    let within = index - octave * PER_OCTAVE;
    ((within + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_tile_the_numbers() {
        for index in 1..BUCKETS {
            assert_eq!(bucket(bucket_end(index)), index);
            assert_eq!(bucket(bucket_end(index - 1) + 1), index);
        }
        assert_eq!(bucket_end(BUCKETS - 1), LARGEST_US);
    }

    #[test]
    fn a_bucket_is_within_a_thousandth() {
        for index in EXACT as usize..BUCKETS {
            let (start, end) = (bucket_end(index - 1) + 1, bucket_end(index));
            assert!((end - start) as f64 <= start as f64 / 1000.0, "{start}..={end}");
        }
    }

    #[test]
    fn percentiles_of_a_known_set() {
        let mut histogram = Histogram::default();
        for value in 1..=1000 {
            histogram.record(value, 1);
        }
        for (percent, expected) in [(0.0, 1), (50.0, 500), (99.0, 990), (99.9, 999), (100.0, 1000)] {
            assert_eq!(histogram.percentile_us(percent), expected, "{percent}");
        }
        assert_eq!((histogram.min_us(), histogram.max_us(), histogram.mean_us()), (1, 1000, 500.5));
    }

    #[test]
    fn steps_end_at_everything() {
        let mut histogram = Histogram::default();
        histogram.record(150, 90);
        histogram.record(1_000_000, 9);
        histogram.record(u64::MAX, 1);
        let steps = histogram.percentiles();
        let levels: Vec<f64> = steps.iter().map(|step| step.percent).collect();
        assert_eq!(levels, [0.0, 93.75, 99.21875, 100.0]);
        let cumulative: Vec<u64> = histogram.cumulative().iter().map(|step| step.count).collect();
        assert_eq!(cumulative, [0, 90, 99, 100]);
    }

    #[test]
    fn merging_adds_and_empty_is_zero() {
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        assert!((left.percentiles().is_empty(), left.min_us(), left.percentile_us(99.0)) == (true, 0, 0));
        left.record(5, 2);
        right.record(7, 2);
        left.merge(&right);
        assert_eq!((left.total(), left.sum_us(), left.percentile_us(50.0)), (4, 24, 5));
    }
}
