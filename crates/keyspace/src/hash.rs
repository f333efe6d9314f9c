//! The one hash from which a key's stripe, its place in the table and its SCAN order come.

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

/// A key with its hash: computed once per command, used by the stripe lock, the prefetches and the table.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The name.
    pub bytes: &'a [u8],
    /// Its seeded hash.
    pub hash: KeyHash,
    /// Where it seemed to be when it was fetched ahead.
    pub(crate) seen: Seen,
}

/// Where a key seemed to be a moment ago: whoever looks for it looks there first, and elsewhere if it is another key that
/// is there by now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) segment: u32,
    pub(crate) line: u8,
    pub(crate) slot: u8,
}

impl Seen {
    pub(crate) const NOWHERE: Seen = Seen { segment: u32::MAX, line: 0, slot: 0 };
    /// Says that it is in the line, if anywhere.
    pub(crate) const ANY_SLOT: u8 = u8::MAX;
}

/// A seeded 64-bit hash. The upper 48 bits are the *position* (stripe, then directory, then bucket: the order in which
/// SCAN walks), the rest goes into the tag of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHash(pub u64);

/// Bits of a position. 48, so that a SCAN cursor is exact in every client language (it stays below 2^53).
pub const POSITION_BITS: u32 = 48;

impl KeyHash {
    /// The place in the order of the whole keyspace.
    #[inline]
    pub fn position(self) -> u64 {
        self.0 >> (64 - POSITION_BITS)
    }
}

/// The hash function with its seed, drawn at start so that nobody outside can build colliding keys.
#[derive(Clone)]
pub struct Hasher {
    secrets: RapidSecrets,
}

impl Hasher {
    /// A hasher with the given seed.
    pub fn new(seed: u64) -> Hasher {
        Hasher { secrets: RapidSecrets::seed(seed) }
    }

    /// The hash of a key.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> KeyHash {
        KeyHash(rapidhash_v3_seeded(bytes, &self.secrets))
    }

    /// A key together with its hash.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        Key { bytes, hash: self.hash(bytes), seen: Seen::NOWHERE }
    }
}
