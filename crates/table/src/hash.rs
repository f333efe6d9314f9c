//! The one hash from which an item's segment, its line, its tag and the order of walks come.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};

/// A key with its hash: computed once, used by prefetches and look-ups.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key itself.
    pub bytes: &'a [u8],
    /// Its seeded hash.
    pub hash: KeyHash,
    /// Where it seemed to be when it was fetched ahead.
    pub seen: Seen,
}

/// Where a key seemed to be a moment ago: whoever looks for it looks there first, and elsewhere if it is another key
/// that is there by now.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The number of its segment.
    pub segment: u32,
    /// Its line there.
    pub line: u8,
    /// Its slot in the line, or [`Seen::ANY_SLOT`].
    pub slot: u8,
}

impl Seen {
    /// It was not seen.
    pub const NOWHERE: Seen = Seen { segment: u32::MAX, line: 0, slot: 0 };
    /// Says that it is in the line, if anywhere.
    pub const ANY_SLOT: u8 = u8::MAX;

    /// Whether it was not seen.
    #[inline]
    pub fn is_nowhere(self) -> bool {
        self.segment == Seen::NOWHERE.segment
    }

    /// Whether it was not in the line where it is at home, but may be in the next, which was asked for.
    #[inline]
    pub fn is_displaced(self) -> bool {
        self.slot == Seen::ANY_SLOT
    }
}

/// A seeded 64-bit hash. The upper 48 bits are the *position* (directory, then line: the order of walks); the keyspace puts
/// the rest into the tags of its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHash(pub u64);

/// Bits of a position. 48, so that a cursor is exact in every client language (it stays below 2^53).
pub const POSITION_BITS: u32 = 48;

impl KeyHash {
    /// The place in the order of walks.
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

static PROCESS_HASHER: OnceLock<Hasher> = OnceLock::new();

/// The hasher of everything in the process that has no other one. It is seeded by [`seed_hasher`], else from the
/// system's randomness when it is first used.
#[inline]
pub fn hasher() -> &'static Hasher {
    PROCESS_HASHER.get_or_init(|| Hasher::new(RandomState::new().hash_one(0u64)))
}

/// Chooses the seed of [`hasher`]; whether it is in time, which it is until `hasher` is first called. For simulations
/// that must repeat exactly.
pub fn seed_hasher(seed: u64) -> bool {
    PROCESS_HASHER.set(Hasher::new(seed)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_one_hasher() {
        let first = hasher().hash(b"key");
        assert!(!seed_hasher(1), "too late");
        assert_eq!(hasher().hash(b"key"), first);
    }

    #[test]
    fn seeds_give_different_orders() {
        let position = |seed| Hasher::new(seed).key(b"key").hash.position();
        assert_ne!(position(1), position(2));
        assert!(position(1) < 1 << POSITION_BITS);
    }
}
