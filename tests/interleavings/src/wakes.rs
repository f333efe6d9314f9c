//! The part of a poller that matters to who is woken: a wake is kept until the sleeper takes it.

use loom::sync::{Condvar, Mutex};

/// Wakes of one sleeper.
#[derive(Default)]
pub struct Wakes {
    pending: Mutex<bool>,
    posted: Condvar,
}

impl Wakes {
    /// Wakes the sleeper, now or when it next goes to sleep.
    pub fn wake(&self) {
        *self.pending.lock().expect("a model that panics is over") = true;
        self.posted.notify_one();
    }

    /// Sleeps until there is a wake. A sleeper that nobody wakes is a deadlock, which loom reports.
    pub fn sleep(&self) {
        let mut pending = self.pending.lock().expect("a model that panics is over");
        while !*pending {
            pending = self.posted.wait(pending).expect("a model that panics is over");
        }
        *pending = false;
    }
}
