//! The hash of an element: MurmurHash64A (Appleby 2008) with the seed that Redis uses, and what it says about a register.

/// Bits of a hash that choose the register.
pub(super) const INDEX_BITS: u32 = 14;
/// The largest number that a hash can ask of a register.
pub(super) const RANK_MAX: u8 = (u64::BITS - INDEX_BITS) as u8 + 1;

const SEED: u64 = 0xadc8_3b19;
const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
const SHIFT: u32 = 47;

/// What an element asks of a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Observation {
    /// Which one, below 16,384.
    pub(super) index: usize,
    /// What it has to be at least, 1 to [`RANK_MAX`].
    pub(super) rank: u8,
}

impl Observation {
    pub(super) fn of(element: &[u8]) -> Observation {
        let hash = murmur64a(element);
        let index = (hash & ((1 << INDEX_BITS) - 1)) as usize;
        // The bit beyond the last ends a run of zeros that would be longer than there are bits.
        let rest = hash >> INDEX_BITS | 1 << (u64::BITS - INDEX_BITS);
        Observation { index, rank: rest.trailing_zeros() as u8 + 1 }
    }
}

fn murmur64a(bytes: &[u8]) -> u64 {
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word).wrapping_mul(FACTOR);
        let word = (word ^ word >> SHIFT).wrapping_mul(FACTOR);
        hash = (hash ^ word).wrapping_mul(FACTOR);
    }
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = (hash ^ word).wrapping_mul(FACTOR);
    }
    hash = (hash ^ hash >> SHIFT).wrapping_mul(FACTOR);
    hash ^ hash >> SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_that_redis_makes() {
        // Which register a single element sets, and to what: PFDEBUG DECODE of Redis 8.6 tells.
        let cases: [(&[u8], usize, u8); 7] = [
            (b"", 5938, 2),
            (b"a", 12711, 2),
            (b"ab", 719, 1),
            (b"hello", 9216, 1),
            (b"12345678", 10579, 3),
            (b"The quick brown fox jumps", 14928, 3),
            (b"abcdefghijklmno", 12377, 4),
        ];
        for (element, index, rank) in cases {
            assert_eq!(Observation::of(element), Observation { index, rank }, "{element:?}");
        }
    }
}
