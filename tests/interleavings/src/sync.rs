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

/// Numbers of threads, which each thread of a model chooses for itself.
pub mod threads {
    use std::cell::Cell;

    /// Models have no more threads.
    pub const NUMBERS: usize = 3;

    loom::thread_local! {
        static NUMBER: Cell<usize> = Cell::new(0);
    }

    /// Chooses this thread's number; without, it is 0.
    pub fn choose(number: usize) {
        NUMBER.with(|own| own.set(number));
    }

    /// This thread's number.
    pub fn number() -> usize {
        NUMBER.with(Cell::get)
    }

    /// What all numbers are below.
    pub fn bound() -> usize {
        NUMBERS
    }
}

/// Waiting longer is the same, as there is no time.
pub mod thread {
    pub use loom::thread::yield_now;

    /// As in std, but that it takes no time.
    pub fn sleep(_: std::time::Duration) {
        yield_now();
    }
}
