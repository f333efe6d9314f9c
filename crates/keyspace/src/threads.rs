//! Small numbers for threads, so that each can have a place of its own in a table.
//!
//! A thread gets the lowest free number when it first asks, and gives it back at its end.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use parking_lot::Mutex;

/// Numbers are below this. Far more than there are workers (256 at most), with all the threads that help them.
pub(crate) const NUMBERS: usize = 1024;

/// All numbers that were ever given are below this.
static BOUND: AtomicUsize = AtomicUsize::new(0);
/// Numbers that were given back.
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());

const NONE: usize = usize::MAX;

thread_local! {
    // Apart from what gives it back, because looking at something that needs no destructor takes no more than a load.
    static NUMBER: Cell<usize> = const { Cell::new(NONE) };
    static OWNED: Owned = const { Owned };
}

/// Gives a thread's number back at its end.
struct Owned;

impl Drop for Owned {
    fn drop(&mut self) {
        let number = NUMBER.replace(NONE);
        if number != NONE {
            FREE.lock().push(number);
        }
    }
}

/// This thread's number. No other thread that lives has it.
#[inline]
pub(crate) fn number() -> usize {
    match NUMBER.get() {
        NONE => take_number(),
        number => number,
    }
}

/// What all numbers that were ever given are below. A number that is too new to be counted here belongs to a thread
/// that sees everything that was done before this was asked (both are sequentially consistent).
pub(crate) fn bound() -> usize {
    BOUND.load(SeqCst)
}

#[cold]
fn take_number() -> usize {
    const PAUSE: Duration = Duration::from_millis(1);
    let number = loop {
        let mut free = FREE.lock();
        if let Some(lowest) = (0..free.len()).min_by_key(|at| free[*at]) {
            break free.swap_remove(lowest);
        }
        let new = BOUND.load(SeqCst);
        if new < NUMBERS {
            // Only here, under the lock.
            BOUND.store(new + 1, SeqCst);
            break new;
        }
        drop(free);
        std::thread::sleep(PAUSE);
    };
    NUMBER.set(number);
    // From the end of the thread on there is nothing left to give it back; what asks that late keeps it for good.
    let _ = OWNED.try_with(|_| ());
    number
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn threads_that_live_at_once_have_different_numbers_and_leave_them_to_others() {
        const THREADS: usize = 8;
        for _ in 0..NUMBERS / THREADS * 2 {
            let barrier = Barrier::new(THREADS);
            let numbers: HashSet<usize> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|_| {
                        scope.spawn(|| {
                            let first = number();
                            barrier.wait();
                            assert_eq!(number(), first);
                            first
                        })
                    })
                    .collect();
                threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
            });
            assert_eq!(numbers.len(), THREADS);
            assert!(numbers.iter().all(|number| *number < bound()));
        }
    }
}
