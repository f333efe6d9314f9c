//! Counting without an atomic addition: what is counted has one writer.

use crate::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// A counter with one writer: adding is a load and a store, reading from elsewhere is a load.
///
/// Who starts it anew is another one, so that does not touch what the writer writes: it notes where the count begins. Had
/// it stored a zero, an addition at that moment would bring the old sum back.
#[derive(Debug, Default)]
pub struct Counter {
    sum: AtomicU64,
    from: AtomicU64,
}

impl Counter {
    /// Adds; only the owning worker may.
    #[inline]
    pub fn add(&self, amount: u64) {
        self.sum.store(self.sum.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    /// The value.
    pub fn get(&self) -> u64 {
        // Where it begins is read first: a sum that is read later is no smaller.
        let from = self.from.load(Acquire);
        self.sum.load(Relaxed).wrapping_sub(from)
    }

    /// Starts anew.
    pub fn reset(&self) {
        self.from.store(self.sum.load(Relaxed), Release);
    }
}
