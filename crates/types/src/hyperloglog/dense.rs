//! Dense registers: six bits each, the first in the lower bits of the first byte.
//!
//! ```text
//!   byte 0    byte 1    byte 2    byte 3
//! +---------+---------+---------+---------+--
//! | 11000000| 22221111| 33333322| 55444444|      (the digit is the register that a bit belongs to)
//! +---------+---------+---------+---------+--
//! ```
//!
//! One register is read and written by itself. To look at all of them they are spread into a byte each first, four out of
//! three bytes: a loop that compilers know to do for many at once.

use super::hash::{INDEX_BITS, Observation};
use super::registers::{self, Histogram};
use crate::wide::{Work, widely};

/// The number of registers.
pub(super) const COUNT: usize = 1 << INDEX_BITS;
/// Bytes of them all.
pub(super) const DENSE_LEN: usize = COUNT * 6 / 8;
/// The largest number that fits a register.
pub(super) const REGISTER_MAX: u8 = 63;

/// Registers that are spread at a time, and their bytes.
const BATCH: usize = 1024;
const BATCH_LEN: usize = BATCH * 6 / 8;

/// Where the bits of a register are: the byte that they begin in, and the first of them.
fn place(index: usize) -> (usize, usize) {
    (index * 6 / 8, index * 6 % 8)
}

/// The two bytes that a register may lie in; the last register lies in one.
fn pair(registers: &[u8], byte: usize) -> u16 {
    let upper = registers.get(byte + 1).copied().unwrap_or(0);
    u16::from_le_bytes([registers[byte], upper])
}

/// The value of a register. `registers` has [`DENSE_LEN`] bytes.
pub(super) fn get(registers: &[u8], index: usize) -> u8 {
    let (byte, bit) = place(index);
    (pair(registers, byte) >> bit) as u8 & REGISTER_MAX
}

/// Gives a register a value.
pub(super) fn set(registers: &mut [u8], index: usize, value: u8) {
    let (byte, bit) = place(index);
    let mask = u16::from(REGISTER_MAX) << bit;
    let [lower, upper] = (pair(registers, byte) & !mask | u16::from(value) << bit & mask).to_le_bytes();
    registers[byte] = lower;
    if let Some(next) = registers.get_mut(byte + 1) {
        *next = upper;
    }
}

/// Raises a register to what was observed; whether it had been lower.
pub(super) fn raise(registers: &mut [u8], observed: Observation) -> bool {
    let is_more = observed.rank > get(registers, observed.index);
    if is_more {
        set(registers, observed.index, observed.rank);
    }
    is_more
}

/// Raises registers of a byte each to those of a dense HyperLogLog.
pub(super) fn merge_into(registers: &[u8], maxima: &mut [u8; COUNT]) {
    widely(Merge { registers, maxima });
}

/// How many of the registers of a dense HyperLogLog have each value.
pub(super) fn histogram(registers: &[u8]) -> Histogram {
    let mut spread = [0; COUNT];
    merge_into(registers, &mut spread);
    registers::histogram(&spread)
}

struct Merge<'a> {
    registers: &'a [u8],
    maxima: &'a mut [u8; COUNT],
}

impl Work for Merge<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let batches = self.registers.as_chunks::<BATCH_LEN>().0;
        for (batch, maxima) in batches.iter().zip(self.maxima.as_chunks_mut::<BATCH>().0) {
            let mut registers = [0; BATCH];
            spread(batch, &mut registers);
            maxima.iter_mut().zip(&registers).for_each(|(max, register)| *max = (*max).max(*register));
        }
    }
}

/// The registers of a batch, a byte each.
#[inline(always)]
fn spread(batch: &[u8; BATCH_LEN], registers: &mut [u8; BATCH]) {
    for (group, registers) in batch.as_chunks::<3>().0.iter().zip(registers.as_chunks_mut::<4>().0) {
        let [a, b, c] = *group;
        *registers = [a & 63, (a >> 6 | b << 2) & 63, (b >> 4 | c << 4) & 63, c >> 2];
    }
}

/// Stores registers of a byte each densely. `registers` has [`DENSE_LEN`] bytes.
pub(super) fn compress(maxima: &[u8; COUNT], registers: &mut [u8]) {
    widely(Compress { maxima, registers });
}

struct Compress<'a> {
    maxima: &'a [u8; COUNT],
    registers: &'a mut [u8],
}

impl Work for Compress<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let groups = self.registers.as_chunks_mut::<3>().0;
        for (group, maxima) in groups.iter_mut().zip(self.maxima.as_chunks::<4>().0) {
            let [a, b, c, d] = *maxima;
            *group = [a | b << 6, b >> 2 | c << 4, c >> 4 | d << 2];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::wide::in_every_way;

    #[test]
    fn registers_keep_apart() {
        let mut rng = Rng::new(23);
        let (mut registers, mut model) = (vec![0; DENSE_LEN], [0u8; COUNT]);
        for _ in 0..60_000 {
            let (index, value) = (rng.below(COUNT as u64) as usize, rng.below(64) as u8);
            set(&mut registers, index, value);
            model[index] = value;
        }
        set(&mut registers, COUNT - 1, 63);
        model[COUNT - 1] = 63;
        assert!((0..COUNT).all(|index| get(&registers, index) == model[index]));
        let spread = in_every_way(|| {
            let mut maxima = [0; COUNT];
            merge_into(&registers, &mut maxima);
            maxima.to_vec()
        });
        assert_eq!(spread, model);
        let mut compressed = vec![0xff; DENSE_LEN];
        compress(&model, &mut compressed);
        assert_eq!(compressed, registers);
    }

    #[test]
    fn merging_keeps_the_greater() {
        let mut maxima = [7; COUNT];
        let mut registers = vec![0; DENSE_LEN];
        set(&mut registers, 5, 9);
        set(&mut registers, 6, 3);
        merge_into(&registers, &mut maxima);
        assert_eq!(maxima[4..8], [7, 9, 7, 7]);
        assert!(raise(&mut registers, Observation { index: 5, rank: 10 }));
        assert!(!raise(&mut registers, Observation { index: 5, rank: 10 }));
        assert_eq!((get(&registers, 4), get(&registers, 5), get(&registers, 6)), (0, 10, 3));
    }
}
