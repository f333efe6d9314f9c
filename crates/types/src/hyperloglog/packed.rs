//! The maxima of dense registers, found without spreading them: of ten HyperLogLogs only the result is spread.
//!
//! Four registers lie in three bytes. The first and the last of them lie in a byte each, so bytes are compared; the other two
//! lie across a border, so words of two bytes are compared, from the first byte on and from the second. Masks leave of each
//! byte or word what is a single register, and as others are zero, the maximum is that of the register:
//!
//! ```text
//!   byte      0        1        2      | 3        4        5
//!   bytes   ..aaaaaa ........ dddddd..   and so on
//!   even    ....bbbb bb...... ........   ........ ......cc cccc....       words at 0, 2, 4
//!   odd              ......cc cccc....   ....bbbb bb......                words at 1, 3, 5
//! ```
//!
//! Half as many instructions as spreading takes, which is what merging a HyperLogLog costs.

use super::dense::{COUNT, DENSE_LEN};
use crate::wide::{Work, widely};

/// Bytes that are looked at together: as many vectors of 32 as it takes for the pattern of masks to begin again.
const BLOCK: usize = 96;
const WORDS: usize = BLOCK / 2;
const BLOCKS: usize = DENSE_LEN / BLOCK;

const B: u16 = 0x0fc0;
const C: u16 = 0x03f0;
const BYTE_MASKS: [u8; BLOCK] = repeated([0x3f, 0, 0xfc]);
const EVEN_MASKS: [u16; WORDS] = repeated([B, 0, C]);
const ODD_MASKS: [u16; WORDS] = repeated([C, B, 0]);

const fn repeated<T: Copy, const LEN: usize>(pattern: [T; 3]) -> [T; LEN] {
    let mut all = [pattern[0]; LEN];
    let mut at = 0;
    while at < LEN {
        all[at] = pattern[at % 3];
        at += 1;
    }
    all
}

/// Maxima of dense registers.
#[derive(Clone, Debug)]
pub(super) struct PackedMaxima {
    bytes: [[u8; BLOCK]; BLOCKS],
    even: [[u16; WORDS]; BLOCKS],
    odd: [[u16; WORDS]; BLOCKS],
}

impl PackedMaxima {
    /// Those of no registers.
    pub(super) fn new() -> Box<PackedMaxima> {
        Box::new(PackedMaxima {
            bytes: [[0; BLOCK]; BLOCKS],
            even: [[0; WORDS]; BLOCKS],
            odd: [[0; WORDS]; BLOCKS],
        })
    }

    /// Raises them to those of a dense HyperLogLog. `registers` has [`DENSE_LEN`] bytes.
    pub(super) fn raise(&mut self, registers: &[u8]) {
        widely(Raise { registers, maxima: self });
    }

    /// The registers as they are stored.
    pub(super) fn registers(&self) -> [u8; DENSE_LEN] {
        widely(Join(self))
    }
}

struct Join<'a>(&'a PackedMaxima);

impl Work for Join<'_> {
    type Output = [u8; DENSE_LEN];

    #[inline(always)]
    fn run(self) -> [u8; DENSE_LEN] {
        let Join(maxima) = self;
        let mut all = [0; DENSE_LEN];
        all.copy_from_slice(maxima.bytes.as_flattened());
        for (block, words) in all.as_chunks_mut::<BLOCK>().0.iter_mut().zip(&maxima.even) {
            join_words(block, words);
        }
        let (blocks, last) = all[1..].as_chunks_mut::<BLOCK>();
        for (block, words) in blocks.iter_mut().zip(&maxima.odd) {
            join_words(block, words);
        }
        // Behind the last byte there is nothing, and its mask is empty.
        let mut block = [0; BLOCK];
        block[..last.len()].copy_from_slice(last);
        join_words(&mut block, &maxima.odd[BLOCKS - 1]);
        last.copy_from_slice(&block[..BLOCK - 1]);
        all
    }
}

#[inline(always)]
fn join_words(block: &mut [u8; BLOCK], words: &[u16; WORDS]) {
    for (bytes, word) in block.as_chunks_mut::<2>().0.iter_mut().zip(words) {
        *bytes = (u16::from_le_bytes(*bytes) | word).to_le_bytes();
    }
}

struct Raise<'a> {
    registers: &'a [u8],
    maxima: &'a mut PackedMaxima,
}

impl Work for Raise<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let blocks = self.registers.as_chunks::<BLOCK>().0;
        for (block, maxima) in blocks.iter().zip(&mut self.maxima.bytes) {
            for ((byte, mask), max) in block.iter().zip(&BYTE_MASKS).zip(maxima) {
                *max = (*max).max(byte & mask);
            }
        }
        for (block, maxima) in blocks.iter().zip(&mut self.maxima.even) {
            raise_words(block, &EVEN_MASKS, maxima);
        }
        let (blocks, last) = self.registers.get(1..).unwrap_or_default().as_chunks::<BLOCK>();
        for (block, maxima) in blocks.iter().zip(&mut self.maxima.odd) {
            raise_words(block, &ODD_MASKS, maxima);
        }
        let mut block = [0; BLOCK];
        block[..last.len()].copy_from_slice(last);
        raise_words(&block, &ODD_MASKS, &mut self.maxima.odd[BLOCKS - 1]);
    }
}

#[inline(always)]
fn raise_words(block: &[u8; BLOCK], masks: &[u16; WORDS], maxima: &mut [u16; WORDS]) {
    for ((word, mask), max) in block.as_chunks::<2>().0.iter().zip(masks).zip(maxima) {
        *max = (*max).max(u16::from_le_bytes(*word) & mask);
    }
}

const _: () = assert!(DENSE_LEN.is_multiple_of(BLOCK) && COUNT * 6 == DENSE_LEN * 8);

#[cfg(test)]
mod tests {
    use super::super::dense;
    use super::*;
    use crate::Rng;
    use crate::wide::in_every_way;

    #[test]
    fn maxima_are_those_of_each_register() {
        let mut rng = Rng::new(31);
        let mut model = vec![0u8; COUNT];
        let all: Vec<Vec<u8>> = (0..6)
            .map(|_| {
                let mut registers = vec![0; DENSE_LEN];
                for (index, max) in model.iter_mut().enumerate() {
                    let value = rng.below(64) as u8;
                    dense::set(&mut registers, index, value);
                    *max = value.max(*max);
                }
                registers
            })
            .collect();
        let packed = in_every_way(|| {
            let mut maxima = PackedMaxima::new();
            all.iter().for_each(|registers| maxima.raise(registers));
            maxima.registers().to_vec()
        });
        assert!((0..COUNT).all(|index| dense::get(&packed, index) == model[index]));
    }
}
