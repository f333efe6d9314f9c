//! The registers of a HyperLogLog, or of the union of several, a byte each: what a union is computed in.

use super::dense::{self, COUNT, REGISTER_MAX};
use super::estimate::estimate;
use super::packed::{self, Preceded};
use crate::wide::{Work, widely};

/// How many registers have each value.
pub(super) type Histogram = [u32; REGISTER_MAX as usize + 1];

/// All registers.
#[derive(Clone, Debug)]
pub struct Registers(pub(super) Box<[u8; COUNT]>);

impl Default for Registers {
    fn default() -> Registers {
        Registers::new()
    }
}

impl Registers {
    /// Those of the empty set.
    pub fn new() -> Registers {
        Registers(Box::new([0; COUNT]))
    }

    /// The values, in order.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// The estimated number of elements of the set.
    pub fn count(&self) -> u64 {
        estimate(&self.histogram())
    }

    fn histogram(&self) -> Histogram {
        histogram(&self.0)
    }
}

/// The union of several HyperLogLogs in the making: the registers of sparse ones, and dense ones as they are, which are
/// looked at together in the end.
#[derive(Clone, Debug, Default)]
pub struct SketchUnion<'a> {
    dense: Vec<&'a Preceded>,
    pub(super) sparse: Registers,
}

impl<'a> SketchUnion<'a> {
    /// The empty set.
    pub fn new() -> SketchUnion<'a> {
        SketchUnion::default()
    }

    /// Adds the elements of a dense one.
    pub(super) fn add_dense(&mut self, registers: &'a Preceded) {
        self.dense.push(registers);
    }

    /// Whether there is a dense one among them.
    pub fn has_dense(&self) -> bool {
        !self.dense.is_empty()
    }

    /// The registers of the union.
    pub fn finish(self) -> Registers {
        let mut all = self.sparse;
        if !self.dense.is_empty() {
            dense::merge_into(&packed::maxima(&self.dense), &mut all.0);
        }
        all
    }
}

/// How many of some registers have each value.
pub(super) fn histogram(registers: &[u8; COUNT]) -> Histogram {
    widely(Count(registers))
}

/// Counts the registers of each value.
///
/// Adding one at a time to the counter of each register costs a load and a store that may have to wait for the one
/// before. The values lie close together, so this asks for one value after the other how many registers exceed it: a pass
/// over 16 KiB that lie in the nearest cache, 16 to 64 registers an instruction.
struct Count<'a>(&'a [u8; COUNT]);

impl Work for Count<'_> {
    type Output = Histogram;

    #[inline(always)]
    fn run(self) -> Histogram {
        let mut histogram = [0; REGISTER_MAX as usize + 1];
        let least = self.0.iter().fold(u8::MAX, |least, register| least.min(*register));
        let mut left = COUNT as u32;
        let rest = histogram[usize::from(least)..].chunks_mut(TOGETHER);
        for (value, counts) in (least..).step_by(TOGETHER).zip(rest) {
            if left == 0 {
                break;
            }
            for (count, above) in counts.iter_mut().zip(count_above(self.0, value)) {
                *count = left - above;
                left = above;
            }
        }
        histogram
    }
}

/// So many values are asked for at a time.
const TOGETHER: usize = 4;

/// How many registers exceed a value, the next value, and so on.
#[inline(always)]
fn count_above(registers: &[u8; COUNT], value: u8) -> [u32; TOGETHER] {
    const LANES: usize = 64;
    /// So few that a byte can count them lane by lane.
    const ROWS: usize = 128;
    let rows = registers.as_chunks::<LANES>().0;
    let mut counts = [0; TOGETHER];
    for rows in rows.chunks(ROWS) {
        let mut lanes = [[0u8; LANES]; TOGETHER];
        for row in rows {
            for (lanes, value) in lanes.iter_mut().zip(value..) {
                // Below 64 the sign does not matter, and numbers with one are compared in fewer instructions.
                let exceeds = |register: u8| register.cast_signed() > value.cast_signed();
                lanes.iter_mut().zip(row).for_each(|(lane, register)| *lane += u8::from(exceeds(*register)));
            }
        }
        for (count, lanes) in counts.iter_mut().zip(&lanes) {
            *count += lanes.iter().map(|lane| u32::from(*lane)).sum::<u32>();
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::wide::in_every_way;

    #[test]
    fn histograms_count_every_register() {
        let mut rng = Rng::new(29);
        for (least, span) in [(0, 1), (0, 20), (3, 25), (0, 64), (63, 1)] {
            let mut registers = Registers::new();
            registers.0.iter_mut().for_each(|register| *register = least + rng.below(span) as u8);
            let mut model = [0; 64];
            registers.as_bytes().iter().for_each(|register| model[usize::from(*register)] += 1);
            assert_eq!(in_every_way(|| registers.histogram()), model);
        }
    }
}
