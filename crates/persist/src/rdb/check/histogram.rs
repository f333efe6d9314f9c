//! Counts of values with three significant digits, from which percentiles are read.
//!
//! The buckets are those of an HDR histogram: exact up to 2047, then 1024 for each doubling. So percentiles are those that
//! Valkey's tool prints.

use std::collections::BTreeMap;

/// Values below are told apart exactly.
const EXACT: u64 = 2048;

/// Counts of values.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// By the greatest value of a bucket.
    counts: BTreeMap<u64, u64>,
    total: u64,
    /// Values from here on are not counted.
    limit: u64,
}

impl Histogram {
    /// For values of about as many as `max`.
    pub(super) fn new(max: u64) -> Histogram {
        let mut limit = EXACT;
        while limit <= max {
            limit *= 2;
        }
        Histogram { limit, ..Histogram::default() }
    }

    pub(super) fn record(&mut self, value: u64) {
        if value < self.limit {
            *self.counts.entry(last_of_bucket(value)).or_default() += 1;
            self.total += 1;
        }
    }

    /// The greatest value of the bucket below which, itself included, there are so many of a hundred values.
    pub(super) fn percentile(&self, percent: f64) -> u64 {
        let wanted = ((percent / 100.0 * self.total as f64 + 0.5) as u64).max(1);
        let mut seen = 0;
        let found = self.counts.iter().find(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        found.map_or(0, |(last, _)| *last)
    }
}

fn last_of_bucket(value: u64) -> u64 {
    let width = u64::BITS - (value | (EXACT - 1)).leading_zeros();
    let unit = 1u64 << (width - EXACT.ilog2());
    value / unit * unit + unit - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let mut histogram = Histogram::new(200 * 1024);
        assert_eq!(histogram.percentile(50.0), 0);
        (1..=100).for_each(|value| histogram.record(value));
        assert_eq!([50.0, 90.0, 99.0].map(|percent| histogram.percentile(percent)), [50, 90, 99]);
        histogram.record(0);
        histogram.record(u64::MAX);
        assert_eq!((histogram.percentile(0.0), histogram.percentile(100.0)), (0, 100));
    }

    #[test]
    fn large_values_are_rounded_up_to_three_digits() {
        let cases = [(0, 0), (2047, 2047), (2048, 2049), (4095, 4095), (4096, 4099), (100_001, 100_031)];
        for (value, last) in cases {
            assert_eq!(last_of_bucket(value), last, "{value}");
        }
    }
}
