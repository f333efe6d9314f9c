//! The locks of the stripes: made for sections of some ten nanoseconds that hardly ever meet, and for steps that need
//! all of them. Unsafe leaf module.
//!
//! **One.** Taking a lock is one atomic exchange, letting go of it plain stores. An exchange costs as much as twenty other
//! instructions, and waits until the loads before it are done: with a second one to let go, as a lock that wakes its
//! waiters needs it, locks alone were a tenth of a pipelined GET.
//!
//! **All** of them are not taken one by one, which takes a microsecond for every twenty of them that other cores had
//! last. Instead there is a gate, and each thread has a section, a word of its own that counts the locks it has:
//!
//! ```text
//! a thread's first lock                      all locks
//!   section = 1                                gate = closed      (exchange)
//!   exchange the lock's word                   wait until every thread's section is 0
//!   gate closed? section = 0, wait             ...
//!   ...                                        gate = open
//!   lock free, section = 0
//! ```
//!
//! Each writes first and looks afterwards, with a full fence between (the exchange is one), so at least one of both sees
//! the other. A thread that has a lock already passes the closed gate: who closed it waits for that thread anyway, which may
//! need further locks to come to its end. So taking all costs a look at each thread, however many locks there are, and
//! there can be many, which is what lets commands of several keys run side by side: those of ten keys on eight threads
//! met so often with 256 locks that they took three times as long as with 1024.
//!
//! **None at all.** A thread that takes many locks one after the other, and has no other beside it that takes many, closes the
//! gate for some microseconds (a *lease*) and then takes them by plain stores. It only does where nobody is inside or wants to
//! be, and whoever is kept out meanwhile says so, after which there is none for a while. Without leases, what the exchanges
//! cost was a tenth of a pipelined INCR. In the same way it takes all where it needs some.
//!
//! The price: nobody wakes a waiter. It looks again by itself, first at once, then after pauses of some ten microseconds,
//! which only matters where somebody holds the lock for longer than that. A waiter that had no luck for long says so, and
//! others then leave the lock to it. Waiting can be given up.
//!
//! Rejected: a queue of waiters (letting go has to look at it with an atomic exchange); spinning only (a server with
//! more workers than cores would burn the time that the holder needs).
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};
use crate::sync::{hint, thread, threads};

// Who tries all orders has to come to the end of a waiter's patience soon.
const IS_MODEL: bool = cfg!(loom);
/// Looks at the lock before the waiter sleeps in between: some microseconds. It does not offer the core to others instead (`yield`):
/// whoever takes it keeps it for a time slice of milliseconds, while one who has slept gets it back from any thread that has
/// stepped back (see [`crate::priority`]).
const SPINS: u32 = if IS_MODEL { 1 } else { 200 };
/// And before others are asked to stand back.
const SLEEPS: u32 = if IS_MODEL { 0 } else { 16 };
const SLEEP: Duration = Duration::from_micros(20);

/// What is said before is seen by everybody who does not see what is asked afterwards; needs an exchange in between, where
/// that is enough (on x86 nothing passes an exchange, which the language has no word for).
#[inline]
fn after_exchange() {
    if !cfg!(target_arch = "x86_64") || IS_MODEL {
        fence(SeqCst);
    }
}

/// One waiter's turns at looking.
#[derive(Default)]
struct Looks(u32);

impl Looks {
    /// Lets time pass before the next look: the longer it takes, the more.
    fn pause(&mut self) {
        match self.0 {
            0..SPINS => hint::spin_loop(),
            _ => thread::sleep(SLEEP),
        }
        self.0 = self.0.saturating_add(1);
    }

    /// Whether it took so long that it is worth asking whether to give up.
    fn are_many(&self) -> bool {
        self.0 > SPINS
    }

    /// Whether it took so long that others should stand back.
    fn are_too_many(&self) -> bool {
        self.0 > SPINS + SLEEPS + 1
    }
}

/// What is taken and let go.
#[derive(Default)]
struct Word {
    taken: AtomicBool,
    /// Whether a waiter had no luck for long.
    starving: AtomicBool,
}

impl Word {
    /// Whether it is worth trying; looking before taking leaves the cache line to the holder.
    fn may_be_taken(&self, starves: bool) -> bool {
        !self.taken.load(Relaxed) && (starves || !self.starving.load(Relaxed))
    }

    #[inline]
    fn take(&self) -> bool {
        !self.taken.swap(true, SeqCst)
    }

    #[inline]
    fn let_go(&self) {
        self.taken.store(false, Release);
    }
}

/// What a thread has. Only that thread writes it.
#[derive(Default)]
#[repr(align(128))]
struct Section {
    /// How many locks.
    held: AtomicU32,
    /// One of [`lease`]; nobody else looks at it.
    lease: AtomicU8,
    /// So many leases are still to be done without; nobody else looks at it.
    without: AtomicU8,
}

/// Whether a thread has a lease.
mod lease {
    pub(super) const NONE: u8 = 0;
    pub(super) const HAD: u8 = 1;
    /// And has taken all locks meanwhile.
    pub(super) const USED_UP: u8 = 2;
}

/// So many leases are done without after somebody else was there.
const WITHOUT: u8 = if IS_MODEL { 0 } else { 64 };

impl Section {
    /// Takes a lock, or not, for who has a lease.
    #[inline]
    fn take_leased<'l, T>(&'l self, lock: &'l Lock<T>) -> Option<Guard<'l, T>> {
        if self.lease.load(Relaxed) == lease::USED_UP || lock.is_leased.load(Relaxed) {
            return None;
        }
        lock.is_leased.store(true, Relaxed);
        self.held.store(self.held.load(Relaxed) + 1, Relaxed);
        Some(Guard { lock, section: self, here: PhantomData })
    }
}

/// Something that one thread at a time may use, on cache lines of its own.
#[repr(align(128))]
struct Lock<T> {
    word: Word,
    /// Whether it was taken under a lease; nobody else looks at it then. Its word stays as it is, which is left to those who
    /// have written it before they see that the gate is closed, or not any more.
    is_leased: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a `Guard`, of which there is one at a time, or through an `All`, while there is no
// guard and no other `All`; so sharing the lock is handing the value from thread to thread.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Things of which each can be used by one thread at a time, and all together by one.
pub(crate) struct LockSet<T> {
    locks: Box<[Lock<T>]>,
    /// By the threads' numbers.
    sections: Box<[Section]>,
    gate: Box<Gate>,
}

/// Taken by who has all, or a lease.
#[derive(Default)]
#[repr(align(128))]
struct Gate {
    word: Word,
    /// Whether somebody was kept out since a lease was last asked for.
    has_kept_out: AtomicBool,
}

/// The right to use one of them, until it is dropped. Stays on its thread.
pub(crate) struct Guard<'l, T> {
    lock: &'l Lock<T>,
    section: &'l Section,
    here: PhantomData<*const ()>,
}

/// The right to use all of them, until it is dropped. Stays on its thread.
pub(crate) struct All<'l, T> {
    set: &'l LockSet<T>,
    /// Whose lease they were taken under, if it was under one.
    leased_by: Option<&'l Section>,
    here: PhantomData<*const ()>,
}

/// The right to take locks without regard to others, until it is dropped. Stays on its thread.
#[must_use]
pub struct Lease<'l> {
    gate: &'l Gate,
    section: &'l Section,
    here: PhantomData<*const ()>,
}

impl<T> LockSet<T> {
    pub(crate) fn new(values: impl Iterator<Item = T>) -> LockSet<T> {
        let lock = |value| Lock {
            word: Word::default(),
            is_leased: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        };
        LockSet {
            locks: values.map(lock).collect(),
            sections: (0..threads::NUMBERS).map(|_| Section::default()).collect(),
            gate: Box::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.locks.len()
    }

    /// Waits for the lock at an index. Who holds it, or all, must not ask again.
    #[inline]
    pub(crate) fn lock(&self, index: usize) -> Guard<'_, T> {
        self.try_lock(index).unwrap_or_else(|| {
            loop {
                if let Some(guard) = self.wait(index, || false) {
                    break guard;
                }
            }
        })
    }

    /// Waits for the lock until `gives_up` says that it is enough, which is asked now and then.
    #[inline]
    pub(crate) fn lock_unless(&self, index: usize, gives_up: impl Fn() -> bool) -> Option<Guard<'_, T>> {
        self.try_lock(index).or_else(|| self.wait(index, gives_up))
    }

    /// The lock, if it is free.
    #[inline]
    pub(crate) fn try_lock(&self, index: usize) -> Option<Guard<'_, T>> {
        let (lock, section) = (&self.locks[index], self.section());
        if section.lease.load(Relaxed) != lease::NONE {
            return section.take_leased(lock);
        }
        if lock.word.starving.load(Relaxed) { None } else { self.take(lock, section) }
    }

    #[inline]
    fn section(&self) -> &Section {
        &self.sections[threads::number()]
    }

    #[inline]
    fn take<'l>(&'l self, lock: &'l Lock<T>, section: &'l Section) -> Option<Guard<'l, T>> {
        let held = section.held.load(Relaxed);
        section.held.store(held + 1, Relaxed);
        let has_lock = lock.word.take();
        after_exchange();
        let is_let_in = held > 0 || !self.gate.word.taken.load(SeqCst);
        if has_lock && is_let_in {
            return Some(Guard { lock, section, here: PhantomData });
        }
        if has_lock {
            lock.word.let_go();
        }
        section.held.store(held, Release);
        None
    }

    #[cold]
    fn wait(&self, index: usize, gives_up: impl Fn() -> bool) -> Option<Guard<'_, T>> {
        let (lock, gate, section) = (&self.locks[index], &self.gate.word, self.section());
        let is_inside = section.held.load(Relaxed) > 0;
        let is_leased = section.lease.load(Relaxed) != lease::NONE;
        if !is_leased {
            self.gate.has_kept_out.store(true, Relaxed);
        }
        let mut looks = Looks::default();
        loop {
            looks.pause();
            if is_leased {
                // This thread has taken it, or all: it is for others to say when that is enough.
                let guard = section.take_leased(lock);
                if guard.is_some() || gives_up() {
                    return guard;
                }
                continue;
            }
            let starves = looks.are_too_many();
            let ends = looks.are_many() && gives_up();
            let is_open = is_inside || !gate.taken.load(Relaxed);
            if starves && !ends {
                let waits_for = if is_open { &lock.word } else { gate };
                waits_for.starving.store(true, Relaxed);
            }
            let may_try = !ends && is_open && lock.word.may_be_taken(starves);
            let guard = may_try.then(|| self.take(lock, section)).flatten();
            if starves && (guard.is_some() || ends) {
                // Another one that starves says so again.
                [&lock.word, gate].into_iter().for_each(|word| word.starving.store(false, Relaxed));
            }
            if guard.is_some() || ends {
                return guard;
            }
        }
    }

    /// Waits for all locks. Who holds any must not ask.
    pub(crate) fn lock_all(&self) -> All<'_, T> {
        loop {
            if let Some(all) = self.lock_all_unless(|| false) {
                break all;
            }
        }
    }

    /// Waits for all locks until `gives_up` says that it is enough, which is asked now and then, as long as somebody else
    /// has all of them.
    pub(crate) fn lock_all_unless(&self, gives_up: impl Fn() -> bool) -> Option<All<'_, T>> {
        let (gate, own) = (&self.gate.word, self.section());
        if own.lease.load(Relaxed) == lease::HAD {
            own.lease.store(lease::USED_UP, Relaxed);
            return Some(All { set: self, leased_by: Some(own), here: PhantomData });
        }
        let is_first = !gate.starving.load(Relaxed) && gate.take();
        if !is_first && !self.wait_for_gate(gives_up) {
            return None;
        }
        after_exchange();
        for section in &self.sections[..threads::bound()] {
            let mut looks = Looks::default();
            while section.held.load(Acquire) != 0 {
                looks.pause();
            }
        }
        Some(All { set: self, leased_by: None, here: PhantomData })
    }

    /// Has this thread take locks without regard to others for as long as the lease lives, if nobody else has one, and
    /// nobody had to wait lately. Who holds any must not ask.
    ///
    /// For no longer than some microseconds, and nothing that waits for another thread.
    pub(crate) fn lease(&self) -> Option<Lease<'_>> {
        let own = self.section();
        if !self.shuts_out_others(own) {
            return None;
        }
        own.lease.store(lease::HAD, Relaxed);
        Some(Lease { gate: &self.gate, section: own, here: PhantomData })
    }

    /// All locks, if nobody has any, and nobody had to wait lately.
    pub(crate) fn try_lock_all(&self) -> Option<All<'_, T>> {
        let is_alone = self.shuts_out_others(self.section());
        is_alone.then(|| All { set: self, leased_by: None, here: PhantomData })
    }

    /// Closes the gate, if nobody is inside, nor wanted to be lately, and this thread has not done so already; whether that came
    /// about.
    #[inline]
    fn shuts_out_others(&self, own: &Section) -> bool {
        if own.lease.load(Relaxed) != lease::NONE {
            return false;
        }
        let gate = &self.gate;
        let without = own.without.load(Relaxed);
        if without > 0 {
            own.without.store(without - 1, Relaxed);
            return false;
        }
        let is_asked_for = gate.has_kept_out.load(Relaxed) || gate.word.starving.load(Relaxed);
        let is_closed = !is_asked_for && gate.word.take();
        if is_closed {
            after_exchange();
            if self.sections[..threads::bound()].iter().all(|section| section.held.load(Acquire) == 0) {
                return true;
            }
            gate.word.let_go();
        } else {
            gate.has_kept_out.store(false, Relaxed);
        }
        own.without.store(WITHOUT, Relaxed);
        false
    }

    #[cold]
    fn wait_for_gate(&self, gives_up: impl Fn() -> bool) -> bool {
        let gate = &self.gate.word;
        self.gate.has_kept_out.store(true, Relaxed);
        let mut looks = Looks::default();
        loop {
            looks.pause();
            let starves = looks.are_too_many();
            let ends = looks.are_many() && gives_up();
            if starves && !ends {
                gate.starving.store(true, Relaxed);
            }
            let has_it = !ends && gate.may_be_taken(starves) && gate.take();
            if starves && (has_it || ends) {
                gate.starving.store(false, Relaxed);
            }
            if has_it || ends {
                return has_it;
            }
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the only guard there is, by its lock's word, or by the gate and `is_leased`; a shared look at it lends the value
        // as shared.
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
        match self.lock.is_leased.load(Relaxed) {
            true => self.lock.is_leased.store(false, Relaxed),
            false => self.lock.word.let_go(),
        }
        self.section.held.store(self.section.held.load(Relaxed) - 1, Release);
    }
}

impl<T> All<'_, T> {
    /// The one at an index.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> &T {
        // SAFETY: nobody else has any of them; a shared look at all lends each as shared.
        unsafe { &*self.set.locks[index].value.get() }
    }

    /// The one at an index, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> &mut T {
        // SAFETY: nobody else has any of them, and all are borrowed exclusively.
        unsafe { &mut *self.set.locks[index].value.get() }
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.set.len()).map(|index| self.get(index))
    }

    /// All of them, in order, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        // SAFETY: nobody else has any of them, all are borrowed exclusively for as long as the iterator, and each is lent once.
        self.set.locks.iter().map(|lock| unsafe { &mut *lock.value.get() })
    }
}

impl<T> Drop for All<'_, T> {
    fn drop(&mut self) {
        match self.leased_by {
            Some(section) => section.lease.store(lease::HAD, Relaxed),
            None => self.set.gate.word.let_go(),
        }
    }
}

impl Drop for Lease<'_> {
    #[inline]
    fn drop(&mut self) {
        // What was taken under it would be anybody's.
        assert_eq!(self.section.held.load(Relaxed), 0, "a lock outlives the lease that it was taken under");
        self.section.lease.store(lease::NONE, Relaxed);
        self.gate.word.let_go();
    }
}

// By its path, since this file is also a module of another crate (`tests/interleavings`).
#[cfg(test)]
#[path = "lock/tests.rs"]
mod tests;
