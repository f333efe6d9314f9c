//! Atomics that loom knows, and its lock with the face of parking_lot's.

use loom::sync::{self, MutexGuard};

pub use crate::atomic;

/// A lock that cannot be poisoned.
#[derive(Debug, Default)]
pub struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    /// An open lock.
    pub fn new(value: T) -> Mutex<T> {
        Mutex(sync::Mutex::new(value))
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("a model that panics is over")
    }
}

/// Waiting a moment: whoever others wait for may go on meanwhile.
pub mod hint {
    pub use loom::hint::spin_loop;
}

/// Waiting longer is the same, as there is no time.
pub mod thread {
    pub use loom::thread::yield_now;

    /// As in std, but that it takes no time.
    pub fn sleep(_: std::time::Duration) {
        yield_now();
    }
}
