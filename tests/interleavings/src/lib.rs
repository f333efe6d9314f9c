//! The parts of the product that threads share without waiting for each other, compiled with loom's atomics and locks in
//! place of the real ones.
//!
//! A model in `tests/` is then run in every order that threads can be in, and with every value that the memory model
//! allows a load to see: not only those that this machine happens to produce. The files are the product's own; they take
//! what threads share things by from `crate::sync`, which is [`sync`] here.
//!
//!     RUSTFLAGS='--cfg loom' cargo test --package ochre-interleavings
//!
//! Not here: the hints of tables. Their readers check every bound, and whatever a load sees does no harm; that no memory
//! of theirs goes away is for the sanitizers to see (`tests/sanitize`).
//!
//! Rejected: the product's crates compiled with loom (they would depend on it, and most of them know no threads); shuttle
//! (it tries orders at random, and knows no weak memory).
#![cfg(loom)]
#![allow(dead_code, reason = "models use a part of each file")]

pub mod atomic;
pub mod sync;
mod wakes;

#[path = "../../../crates/engine/src/counter.rs"]
pub mod counter;
#[path = "../../../crates/persist/src/aof/log/handover.rs"]
pub mod handover;
#[path = "../../../crates/server/src/inbox.rs"]
pub mod inbox;
#[path = "../../../crates/keyspace/src/journal.rs"]
pub mod journal;
#[path = "../../../crates/keyspace/src/lock.rs"]
mod lock;
#[path = "../../../crates/persist/src/aof/log/progress.rs"]
pub mod progress;
#[path = "../../../crates/engine/src/client/wait.rs"]
pub mod wait;

pub use wakes::Wakes;

/// The locks of stripes, which are private to their crate.
pub struct StripeLocks<T>(lock::LockSet<T>);

impl<T> StripeLocks<T> {
    /// Open locks.
    pub fn new(values: impl Iterator<Item = T>) -> StripeLocks<T> {
        StripeLocks(lock::LockSet::new(values))
    }

    /// Waits for a lock and does something under it.
    pub fn with<R>(&self, index: usize, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock(index))
    }

    /// Waits for two locks, one after the other.
    pub fn with_both<R>(&self, (first, second): (usize, usize), work: impl FnOnce(&mut T, &mut T) -> R) -> R {
        let (mut first, mut second) = (self.0.lock(first), self.0.lock(second));
        work(&mut first, &mut second)
    }

    /// Does something under a lock, if it is free.
    pub fn try_with<R>(&self, index: usize, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.try_lock(index).map(|mut guard| work(&mut guard))
    }

    /// Does something that takes locks, under a lease if there is one to be had.
    pub fn with_lease<R>(&self, work: impl FnOnce(&StripeLocks<T>) -> R) -> R {
        let _lease = self.0.lease();
        work(self)
    }

    /// Takes all locks if nobody is in the way, or waits for one after the other; does something to each.
    pub fn with_all_or_each(&self, mut work: impl FnMut(&mut T)) {
        match self.0.try_lock_all() {
            Some(mut all) => all.iter_mut().for_each(work),
            None => (0..self.0.len()).for_each(|index| work(&mut self.0.lock(index))),
        }
    }

    /// Waits for all locks and does something to each.
    pub fn with_all(&self, work: impl FnMut(&mut T)) {
        self.0.lock_all().iter_mut().for_each(work);
    }
}
