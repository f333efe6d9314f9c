//! Blocked clients' side of the keys: waiting for them, and being found when there is something.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{View, stripe_in, stripe_of, type_name};
use crate::hash::Key;
use crate::waiters::{Waiter, Wish};

impl View<'_> {
    /// Has somebody wait for the `awaited` keys, behind all who wait already. Serving needs the `others`, too. The stripes of
    /// all of them are those of this view.
    pub fn wait(&mut self, wish: Wish, awaited: &[Key<'_>], others: &[Key<'_>]) -> Arc<Waiter> {
        let mut once: Vec<Key<'_>> = awaited.to_vec();
        once.sort_unstable_by(|a, b| a.bytes.cmp(b.bytes));
        once.dedup_by(|a, b| a.bytes == b.bytes);
        let stripe = |key: &Key<'_>| self.keyspace.stripe_of(key.hash.position());
        let mut stripes = once.iter().chain(others).map(stripe);
        let first = stripes.next();
        let is_wide = stripes.any(|stripe| Some(stripe) != first);
        let names = once.iter().chain(others).map(|key| Box::from(key.bytes)).collect();
        let number = self.keyspace.next_waiter_number();
        let waiter = Arc::new(Waiter::new(number, wish, (names, once.len()), is_wide));
        for key in once {
            if self.stripe(key).waiters.add(key.bytes, &waiter) {
                self.keyspace.awaited_names.fetch_add(1, Relaxed);
            }
        }
        waiter
    }

    /// Takes a waiter out of all queues; the stripes of its keys are those of this view.
    pub fn forget(&mut self, waiter: &Waiter) {
        for name in waiter.awaited() {
            let key = self.key(name);
            if self.stripe(key).waiters.remove(name, waiter) {
                self.keyspace.awaited_names.fetch_sub(1, Relaxed);
            }
        }
    }

    /// Whether all keys of a waiter are within this view.
    pub fn can_serve(&self, waiter: &Waiter) -> bool {
        let holds = |name| self.held.holds(self.keyspace.stripe_of(self.key(name).hash.position()));
        waiter.keys().all(holds)
    }

    /// The oldest of those who wait for a key and can be served now, among those with a number above `after`.
    pub fn next_waiter(&mut self, db: u32, key: Key<'_>, after: u64) -> Option<Arc<Waiter>> {
        let there = self.glance(db, key).map(type_name);
        let index = self.keyspace.stripe_of(key.hash.position());
        stripe_of(&self.held, index).waiters.next(db, key.bytes, after, there)
    }

    /// Whether anybody waits in a stripe of this view.
    #[inline]
    pub fn has_waiters(&self) -> bool {
        self.held.has_waiters(&self.keyspace.awaited_names)
    }

    /// Notes that a key was changed for which somebody may wait. One that is noted twice is looked at twice, which does no
    /// harm; so only the last few are compared.
    fn note_ready(&mut self, db: u32, key: &[u8]) {
        const COMPARED: usize = 8;
        let ready = &mut self.effects.ready;
        if !ready.iter().rev().take(COMPARED).any(|(of, name)| *of == db && **name == *key) {
            ready.push_back((db, key.into()));
        }
    }

    /// Tells those who watch a key, wait for it or have read it that it was changed, by this step itself or not.
    #[cold]
    pub(super) fn tell_observers(&mut self, db: u32, key: Key<'_>, is_own: bool) {
        let index = self.keyspace.stripe_of(key.hash.position());
        let stripe = stripe_in(&mut self.held, index);
        let is_there = stripe.tables[db as usize].find(key).is_some();
        stripe.watchers.raise(db, key.bytes, || is_there);
        if stripe.waiters.is_awaited(db, key.bytes, is_there) {
            self.note_ready(db, key.bytes);
        }
        self.note_stale(key, is_own);
    }

    /// Has those who wait for a key look again.
    #[cold]
    pub(super) fn tell_waiters(&mut self, db: u32, key: Key<'_>) {
        let stripe = self.stripe(key);
        let is_there = stripe.tables[db as usize].find(key).is_some();
        if stripe.waiters.is_awaited(db, key.bytes, is_there) {
            self.note_ready(db, key.bytes);
        }
    }

    /// Notes all keys of a database that somebody waits for, because it became another one; only those whose absence is
    /// waited for, if it is empty now. Needs all stripes.
    pub(super) fn note_all_ready(&mut self, db: u32, is_empty: bool) {
        let mut names: Vec<Box<[u8]>> = Vec::new();
        for stripe in self.every_stripe() {
            names.extend(stripe.waiters.awaited(db, is_empty).map(Box::from));
        }
        names.iter().for_each(|name| self.note_ready(db, name));
    }
}
