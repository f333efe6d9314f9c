//! One stripe: a part of every database behind one lock.

use crate::lock::{All, Guard};
use crate::random::Random;
use crate::readers::Readers;
use crate::tables::Tables;
use crate::waiters::Waiters;
use crate::watch::Watchers;

/// Figures that are kept per stripe, under its lock, and summed when asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Look-ups that found their key.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Keys removed because their time had come.
    pub expired: u64,
    /// Fields of hashes removed because their time had come.
    pub expired_fields: u64,
    /// Keys removed because memory had run out.
    pub evicted: u64,
    /// Changes since start.
    pub changes: u64,
}

impl Counters {
    /// The sums of two.
    pub(crate) fn plus(self, other: Counters) -> Counters {
        Counters {
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            expired: self.expired + other.expired,
            expired_fields: self.expired_fields + other.expired_fields,
            evicted: self.evicted + other.evicted,
            changes: self.changes + other.changes,
        }
    }

    /// Starts all but `changes` anew.
    pub(crate) fn reset(&mut self) {
        *self = Counters { changes: self.changes, ..Counters::default() };
    }
}

/// What a stripe's lock protects.
pub struct StripeData {
    pub(crate) tables: Tables,
    pub(crate) watchers: Watchers,
    pub(crate) waiters: Waiters,
    pub(crate) readers: Readers,
    pub(crate) counters: Counters,
    pub(crate) random: Random,
}

impl StripeData {
    /// Whether anybody wants to know what becomes of a key.
    #[inline]
    pub(crate) fn has_observers(&self) -> bool {
        self.watchers.len() | self.waiters.names() | self.readers.wanted() != 0
    }

    /// An empty stripe, one of 2^`stripe_bits`.
    pub(crate) fn new(databases: usize, stripe_bits: u32, seed: u64) -> StripeData {
        StripeData {
            tables: Tables::new(databases, stripe_bits),
            watchers: Watchers::default(),
            waiters: Waiters::default(),
            readers: Readers::default(),
            counters: Counters::default(),
            random: Random::new(seed),
        }
    }
}

/// One stripe, locked.
pub(crate) type StripeGuard<'k> = Guard<'k, StripeData>;
/// All of them, locked.
pub(crate) type AllStripes<'k> = All<'k, StripeData>;
