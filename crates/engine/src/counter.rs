//! Counting without an atomic addition: what is counted has one writer.

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter with one writer: adding is a load and a store, reading from elsewhere is a load.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the owning worker may.
    #[inline]
    pub fn add(&self, amount: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    /// The value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Starts anew.
    pub fn reset(&self) {
        self.0.store(0, Relaxed);
    }
}
