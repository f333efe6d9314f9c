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

/// The lock of a stripe, which is private to its crate.
pub struct StripeLock<T>(lock::Lock<T>);

impl<T> StripeLock<T> {
    /// An open lock.
    pub fn new(value: T) -> StripeLock<T> {
        StripeLock(lock::Lock::new(value))
    }

    /// Waits for the lock and does something under it.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock())
    }

    /// Does something under the lock, if it is free.
    pub fn try_with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.0.try_lock().map(|mut guard| work(&mut guard))
    }
}
