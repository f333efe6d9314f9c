//! The maxima of dense registers, found without spreading them: of ten HyperLogLogs only the result is spread.
//!
//! Four registers lie in three bytes. The first and the last of them lie in a byte each, so bytes are compared; the other two
//! lie across a border, so words of two bytes are compared, from the first byte on and from the one before it. Masks leave
//! of each byte or word what is a single register, and as others are zero, the maximum is that of the register:
//!
//! ```text
//!   byte   (-1)     0        1        2      | 3        4        5
//!   bytes         ..aaaaaa ........ dddddd..   and so on
//!   even          ....bbbb bb...... ........   ........ ......cc cccc....      words at 0, 2, 4
//!   odd  ........ ........ ......cc cccc....   ....bbbb bb...... ........      words at -1, 1, 3
//! ```
//!
//! Half as many instructions as spreading takes, which is what merging a HyperLogLog costs. A block is gone through in all
//! HyperLogLogs before the next one, four of them at a time, so that the maxima stay where they are computed: kept for whole
//! HyperLogLogs they are three times as large as one, and fetching and storing them took most of the time.

use super::dense::{COUNT, DENSE_LEN};
use crate::wide::{Work, widely};

/// Bytes that are looked at together: as many vectors of 32 as it takes for the pattern of masks to begin again.
const BLOCK: usize = 96;
const WORDS: usize = BLOCK / 2;
/// HyperLogLogs that are looked at together.
const TOGETHER: usize = 4;

const B: u16 = 0x0fc0;
const C: u16 = 0x03f0;
const BYTE_MASKS: [u8; BLOCK] = repeated([0x3f, 0, 0xfc]);
const EVEN_MASKS: [u16; WORDS] = repeated([B, 0, C]);
const ODD_MASKS: [u16; WORDS] = repeated([0, C, B]);

const fn repeated<T: Copy, const LEN: usize>(pattern: [T; 3]) -> [T; LEN] {
    let mut all = [pattern[0]; LEN];
    let mut at = 0;
    while at < LEN {
        all[at] = pattern[at % 3];
        at += 1;
    }
    all
}

/// The registers of a dense HyperLogLog, behind a byte that does not matter.
pub(super) type Preceded = [u8; 1 + DENSE_LEN];

/// The maxima of the registers of several dense HyperLogLogs, as they are stored.
pub(super) fn maxima(all: &[&Preceded]) -> [u8; DENSE_LEN] {
    widely(Maxima(all))
}

struct Maxima<'a>(&'a [&'a Preceded]);

impl Work for Maxima<'_> {
    type Output = [u8; DENSE_LEN];

    #[inline(always)]
    fn run(self) -> [u8; DENSE_LEN] {
        let mut stored = [0; DENSE_LEN];
        for (index, stored) in stored.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let mut block = Block::ZERO;
            let (groups, rest) = self.0.as_chunks::<TOGETHER>();
            for group in groups {
                block.raise(group.map(|registers| part(registers, index)));
            }
            for registers in rest {
                block.raise([part(registers, index)]);
            }
            *stored = block.join();
        }
        stored
    }
}

/// The bytes of a block, and the one before it.
#[inline(always)]
fn part(registers: &Preceded, block: usize) -> &[u8; 1 + BLOCK] {
    const NONE: &[u8; 1 + BLOCK] = &[0; 1 + BLOCK];
    registers[block * BLOCK..].first_chunk().unwrap_or(NONE)
}

/// The maxima of a block.
struct Block {
    bytes: [u8; BLOCK],
    even: [u16; WORDS],
    odd: [u16; WORDS],
}

impl Block {
    const ZERO: Block = Block { bytes: [0; BLOCK], even: [0; WORDS], odd: [0; WORDS] };

    #[inline(always)]
    fn raise<const N: usize>(&mut self, parts: [&[u8; 1 + BLOCK]; N]) {
        for at in 0..BLOCK {
            let raised = |max: u8, part: &&[u8; 1 + BLOCK]| max.max(part[1 + at] & BYTE_MASKS[at]);
            self.bytes[at] = parts.iter().fold(self.bytes[at], raised);
        }
        raise_words::<1, N>(&mut self.even, parts, &EVEN_MASKS);
        raise_words::<0, N>(&mut self.odd, parts, &ODD_MASKS);
    }

    /// As they are stored.
    #[inline(always)]
    fn join(&self) -> [u8; BLOCK] {
        let mut all = self.bytes;
        join_words(all.as_chunks_mut::<2>().0, &self.even);
        // The first odd word, whose mask is empty, begins before the block, and so the last ends in it.
        join_words(all[1..].as_chunks_mut::<2>().0, &self.odd[1..]);
        all
    }
}

/// Raises maxima of words to those of parts from a byte on.
#[inline(always)]
fn raise_words<const FROM: usize, const N: usize>(
    maxima: &mut [u16; WORDS],
    parts: [&[u8; 1 + BLOCK]; N],
    masks: &[u16; WORDS],
) {
    for at in 0..WORDS {
        let byte = FROM + 2 * at;
        let word = |part: &[u8; 1 + BLOCK]| u16::from_le_bytes([part[byte], part[byte + 1]]) & masks[at];
        maxima[at] = parts.iter().fold(maxima[at], |max, part| max.max(word(part)));
    }
}

#[inline(always)]
fn join_words(pairs: &mut [[u8; 2]], words: &[u16]) {
    for (bytes, word) in pairs.iter_mut().zip(words) {
        *bytes = (u16::from_le_bytes(*bytes) | word).to_le_bytes();
    }
}

const _: () =
    assert!(DENSE_LEN.is_multiple_of(BLOCK) && COUNT * 6 == DENSE_LEN * 8 && BLOCK.is_multiple_of(6));

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
        let mut all: Vec<Preceded> = Vec::new();
        for number in 1..=2 * TOGETHER + 1 {
            // What precedes them must not matter.
            let mut registers = [0xff; 1 + DENSE_LEN];
            for (index, max) in model.iter_mut().enumerate() {
                let value = rng.below(64) as u8;
                dense::set(&mut registers[1..], index, value);
                *max = value.max(*max);
            }
            all.push(registers);
            let all: Vec<&Preceded> = all.iter().collect();
            let found = in_every_way(|| maxima(&all).to_vec());
            assert!((0..COUNT).all(|index| dense::get(&found, index) == model[index]), "{number}");
        }
        assert_eq!(maxima(&[]), [0; DENSE_LEN]);
    }
}
