//! From the registers' histogram to a number of elements.
//!
//! Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6: an estimator without
//! correction tables for small and large sets. Clients compare counts between servers, so the sums are made in the
//! order in which Redis makes them.

use super::dense::COUNT;
use super::hash::RANK_MAX;
use super::registers::Histogram;

/// 1 / (2 ln 2), the factor of infinitely many registers.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The estimated number of elements.
pub(super) fn estimate(histogram: &Histogram) -> u64 {
    let registers = COUNT as f64;
    let share = |value: usize| f64::from(histogram[value]) / registers;
    let full = usize::from(RANK_MAX);
    let mut z = registers * tau((registers - f64::from(histogram[full])) / registers);
    for value in (1..full).rev() {
        z = (z + f64::from(histogram[value])) * 0.5;
    }
    z += registers * sigma(share(0));
    let count = (ALPHA * registers * registers / z).round();
    // Registers that no element could have set lead here. Redis answers the smallest 64-bit integer.
    if count < i64::MAX as f64 { count as u64 } else { 1 << 63 }
}

/// x + x^2 + 2 x^4 + 4 x^8 + ..., until nothing is added any more.
fn sigma(x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut factor, mut sum) = (x, 1.0, x);
    loop {
        power *= power;
        let before = sum;
        sum += power * factor;
        factor += factor;
        if before == sum {
            return sum;
        }
    }
}

/// (1 - x - (1 - x^(1/2))^2 / 2 - (1 - x^(1/4))^2 / 4 - ...) / 3, until nothing is taken any more.
fn tau(x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut root, mut factor, mut sum) = (x, 1.0, 1.0 - x);
    loop {
        root = root.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - root) * (1.0 - root) * factor;
        if before == sum {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[(usize, u32)]) -> Histogram {
        let mut histogram = [0; 64];
        values.iter().for_each(|(value, count)| histogram[*value] = *count);
        histogram
    }

    #[test]
    fn the_ends_of_the_scale_are_those_of_redis() {
        assert_eq!(estimate(&histogram(&[(0, 16384)])), 0);
        assert_eq!(estimate(&histogram(&[(0, 16383), (1, 1)])), 1);
        assert_eq!(estimate(&histogram(&[(0, 16381), (1, 2), (3, 1)])), 3);
        assert_eq!(estimate(&histogram(&[(51, 16384)])), 1 << 63);
        assert_eq!(estimate(&histogram(&[(63, 16384)])), 1 << 63);
        assert_eq!(estimate(&histogram(&[(50, 16384)])), 1 << 63);
        assert_eq!(estimate(&histogram(&[(49, 16384)])), 6_653_256_548_922_161_152);
        assert_eq!(estimate(&histogram(&[(0, 1), (51, 16383)])), 193_623_433);
        assert_eq!(estimate(&histogram(&[(50, 8384), (51, 8000)])), 1 << 63);
    }
}
