//! The lock of a stripe: made for sections of some ten nanoseconds that hardly ever meet. Unsafe leaf module.
//!
//! Taking it is one atomic exchange, letting go of it one plain store. An exchange costs as much as twenty other
//! instructions, and waits until the loads before it are done: with a second one to let go, as a lock that wakes its
//! waiters needs it, locks alone were a tenth of a pipelined GET.
//!
//! The price: nobody wakes a waiter. It looks again by itself, first at once, then letting other threads run, then after
//! pauses of some ten microseconds, which only matters where somebody holds the lock for longer than that. A waiter that
//! had no luck for long says so, and others then leave the lock to it. Waiting can be given up.
//!
//! Rejected: a queue of waiters (letting go has to look at it with an atomic exchange); spinning only (a server with
//! more workers than cores would burn the time that the holder needs).
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use crate::sync::{hint, thread};

// Who tries all orders has to come to the end of a waiter's patience soon.
const IS_MODEL: bool = cfg!(loom);
/// Looks at the lock before other threads are let run.
const SPINS: u32 = if IS_MODEL { 1 } else { 100 };
/// And before the waiter sleeps in between.
const YIELDS: u32 = if IS_MODEL { 0 } else { 16 };
/// And before others are asked to stand back.
const SLEEPS: u32 = if IS_MODEL { 0 } else { 16 };
const SLEEP: Duration = Duration::from_micros(20);

/// Something that one thread at a time may use.
pub(crate) struct Lock<T> {
    taken: AtomicBool,
    /// Whether a waiter had no luck for long.
    starving: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard only, and there is one guard at a time; so sharing the lock is handing the
// value from thread to thread.
unsafe impl<T: Send> Sync for Lock<T> {}

/// The right to use it, until it is dropped. Stays on its thread.
pub(crate) struct Guard<'l, T> {
    lock: &'l Lock<T>,
    here: PhantomData<*const ()>,
}

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Lock<T> {
        Lock {
            taken: AtomicBool::new(false),
            starving: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock. Who holds it already must not ask again.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.try_lock().unwrap_or_else(|| {
            loop {
                if let Some(guard) = self.wait(|| false) {
                    break guard;
                }
            }
        })
    }

    /// Waits for the lock until `gives_up` says that it is enough, which is asked now and then.
    #[inline]
    pub(crate) fn lock_unless(&self, gives_up: impl Fn() -> bool) -> Option<Guard<'_, T>> {
        self.try_lock().or_else(|| self.wait(gives_up))
    }

    /// The lock, if it is free.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        (!self.starving.load(Relaxed)).then(|| self.take()).flatten()
    }

    #[inline]
    fn take(&self) -> Option<Guard<'_, T>> {
        // Not `then_some`: a guard that is made lets go when it is dropped.
        (!self.taken.swap(true, Acquire)).then(|| Guard { lock: self, here: PhantomData })
    }

    #[cold]
    fn wait(&self, gives_up: impl Fn() -> bool) -> Option<Guard<'_, T>> {
        for look in 0.. {
            match look {
                0..SPINS => hint::spin_loop(),
                _ if look < SPINS + YIELDS => thread::yield_now(),
                _ => thread::sleep(SLEEP),
            }
            let starves = look > SPINS + YIELDS + SLEEPS;
            if look >= SPINS && gives_up() {
                if starves {
                    self.starving.store(false, Relaxed);
                }
                return None;
            }
            if starves {
                self.starving.store(true, Relaxed);
            }
            // Looking before taking leaves the cache line to the holder.
            let may_take = !self.taken.load(Relaxed) && (starves || !self.starving.load(Relaxed));
            if may_take && let Some(guard) = self.take() {
                if starves {
                    // Another one that starves says so again.
                    self.starving.store(false, Relaxed);
                }
                return Some(guard);
            }
        }
        // Not reached: the loop has no end.
        None
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the only guard there is; a shared look at it lends the value as shared.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the only guard there is, borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.taken.store(false, Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let lock = Lock::new(0u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50_000).for_each(|_| *lock.lock() += 1));
            }
        });
        assert_eq!(*lock.lock(), 200_000);
    }

    #[test]
    fn waits_for_whoever_holds_it_for_long() {
        let lock = Lock::new(0u64);
        let guard = lock.lock();
        assert!(lock.try_lock().is_none());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| *lock.lock() += 1);
            }
            // Until they starve.
            while !lock.starving.load(Relaxed) {
                std::thread::yield_now();
            }
            drop(guard);
        });
        assert_eq!(*lock.lock(), 2);
        assert!(!lock.starving.load(Relaxed));
    }

    #[test]
    fn who_gives_up_leaves_no_trace() {
        let lock = Lock::new(0u64);
        let guard = lock.lock();
        assert!(lock.lock_unless(|| lock.starving.load(Relaxed)).is_none());
        assert!(!lock.starving.load(Relaxed));
        drop(guard);
        assert!(lock.lock_unless(|| true).is_some(), "a free lock is taken whoever is impatient");
    }
}
