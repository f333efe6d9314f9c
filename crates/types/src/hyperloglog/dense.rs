//! Dense registers: six bits each, the first in the lower bits of the first byte.
//!
//! ```text
//!   byte 0    byte 1    byte 2    byte 3
//! +---------+---------+---------+---------+--
//! | 11000000| 22221111| 33333322| 55444444|      (the digit is the register that a bit belongs to)
//! +---------+---------+---------+---------+--
//! ```
//!
//! One register is read and written by itself. To look at all of them they are spread into a byte each first: eight
//! registers are six bytes, loaded as one word and pulled apart in three steps that a compiler does for several words
//! at once.

use super::hash::{INDEX_BITS, Observation};
use crate::wide::{Work, widely};

/// The number of registers.
pub(super) const COUNT: usize = 1 << INDEX_BITS;
/// Bytes of them all.
pub(super) const DENSE_LEN: usize = COUNT * 6 / 8;
/// The largest number that fits a register.
pub(super) const REGISTER_MAX: u8 = 63;

/// Registers in a group, and its bytes.
const GROUP: usize = 8;
const GROUP_LEN: usize = 6;
/// Groups that are pulled apart together.
const BATCH: usize = 16;

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

struct Merge<'a> {
    registers: &'a [u8],
    maxima: &'a mut [u8; COUNT],
}

impl Work for Merge<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let batches = self.registers.as_chunks::<{ BATCH * GROUP_LEN }>().0;
        for (batch, maxima) in batches.iter().zip(self.maxima.as_chunks_mut::<{ BATCH * GROUP }>().0) {
            let spread = spread(batch);
            maxima.iter_mut().zip(&spread).for_each(|(max, register)| *max = (*max).max(*register));
        }
    }
}

/// The registers of some groups, a byte each.
#[inline(always)]
fn spread(batch: &[u8; BATCH * GROUP_LEN]) -> [u8; BATCH * GROUP] {
    let mut words = [0u64; BATCH];
    for (word, group) in words.iter_mut().zip(batch.as_chunks::<GROUP_LEN>().0) {
        let [a, b, c, d, e, f] = *group;
        *word = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
    }
    for word in &mut words {
        *word = (*word & 0xff_ffff) | (*word & 0xffff_ff00_0000) << 8;
        *word = (*word & 0x0000_0fff_0000_0fff) | (*word & 0x00ff_f000_00ff_f000) << 4;
        *word = (*word & 0x003f_003f_003f_003f) | (*word & 0x0fc0_0fc0_0fc0_0fc0) << 2;
    }
    let mut registers = [0; BATCH * GROUP];
    for (group, word) in registers.as_chunks_mut::<GROUP>().0.iter_mut().zip(words) {
        *group = word.to_le_bytes();
    }
    registers
}

/// Stores registers of a byte each densely. `registers` has [`DENSE_LEN`] bytes.
pub(super) fn compress(maxima: &[u8; COUNT], registers: &mut [u8]) {
    let groups = registers.as_chunks_mut::<GROUP_LEN>().0;
    for (group, maxima) in groups.iter_mut().zip(maxima.as_chunks::<GROUP>().0) {
        let mut word = u64::from_le_bytes(*maxima);
        word = (word & 0x003f_003f_003f_003f) | (word & 0x3f00_3f00_3f00_3f00) >> 2;
        word = (word & 0x0000_0fff_0000_0fff) | (word & 0x0fff_0000_0fff_0000) >> 4;
        word = (word & 0xff_ffff) | word >> 8 & 0xffff_ff00_0000;
        let [a, b, c, d, e, f, _, _] = word.to_le_bytes();
        *group = [a, b, c, d, e, f];
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
