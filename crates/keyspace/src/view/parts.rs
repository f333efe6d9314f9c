//! Steps over a part of one stripe: SCAN's lines, sweeps of expired keys, samples for eviction.

use super::{View, stripe_in};
use crate::entry::EntryRef;
use crate::harvest::Harvest;
use crate::hash::POSITION_BITS;
use crate::reclaim::Garbage;
use crate::stripe::StripeData;

impl View<'_> {
    /// Calls `visit` for every key (expired ones, too) in the table line of a position of this view's stripe, and
    /// returns the position of the next line, which may be in the next stripe; `None` at the end of the keyspace.
    pub fn visit_line(&mut self, db: u32, position: u64, visit: &mut dyn FnMut(EntryRef<'_>)) -> Option<u64> {
        let keyspace = self.keyspace;
        let width = POSITION_BITS - keyspace.stripe_bits();
        let index = keyspace.stripe_of(position);
        let table = &stripe_in(&mut self.held, index).tables[db as usize];
        match table.visit_line(position, keyspace.hasher(), visit) {
            Some(next) => Some((index as u64) << width | next),
            None => (index + 1 < keyspace.stripes()).then(|| (index as u64 + 1) << width),
        }
    }

    /// Removes the expired keys of one segment of this view's stripe `index`, the one at `position` of its range, and expired
    /// fields of its hashes.
    pub fn sweep(&mut self, index: usize, db: u32, position: u64) -> Sweep {
        let (keyspace, now_ms) = (self.keyspace, self.now_ms);
        if keyspace.settings.hides_expired(now_ms) {
            return Sweep::default();
        }
        let stripe = stripe_in(&mut self.held, index);
        let mut harvest = Harvest::new();
        let Some(table) = stripe.tables.made_mut(db as usize) else { return Sweep::default() };
        let (looked_at, next) = table.sweep(position, now_ms, keyspace.hasher(), &mut harvest);
        if next.is_none() {
            table.refresh_next_expire();
        }
        keyspace.follow(index, db, table);
        let (expired, fields) = (harvest.expired.len(), harvest.fields());
        stripe.counters.expired += expired as u64;
        for index in &harvest.expired {
            self.note_expired(db, keyspace.key(harvest.gone[*index].as_ref().key()));
        }
        for withered in &harvest.withered {
            self.note_withered(db, withered);
        }
        if !harvest.gone.is_empty() {
            self.effects.garbage.push(Garbage::Entries(harvest.gone));
        }
        Sweep { looked_at, expired, fields, next }
    }

    /// Databases from this number on have no key in stripe `index`.
    pub(crate) fn databases_made(&mut self, index: usize) -> usize {
        stripe_in(&mut self.held, index).tables.len()
    }

    /// Whether a sweep of a database in stripe `index` could find anything.
    pub fn may_expire(&mut self, index: usize, db: u32) -> bool {
        let now_ms = self.now_ms;
        stripe_in(&mut self.held, index).tables[db as usize].next_expire_ms() <= now_ms
    }

    /// Keys at random from stripe `index`, handed to `visit` with their database; for eviction.
    pub(crate) fn sample(
        &mut self,
        index: usize,
        samples: usize,
        expiring: bool,
        visit: &mut dyn FnMut(u32, EntryRef<'_>),
    ) {
        let StripeData { tables, random, .. } = stripe_in(&mut self.held, index);
        for (db, table) in tables.iter().enumerate() {
            let candidates = if expiring { table.expiring() } else { table.len() };
            for _ in 0..samples.min(candidates) {
                let attempts = if candidates * 8 < table.len() { 4096 } else { 512 };
                if let Some(entry) = table.random_entry(random, expiring, attempts) {
                    visit(db as u32, entry);
                }
            }
        }
    }
}

/// What one step of a sweep did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sweep {
    /// Keys with times looked at.
    pub looked_at: usize,
    /// Keys removed because their time had come.
    pub expired: usize,
    /// Fields of hashes removed.
    pub fields: usize,
    /// Where the next segment begins, `None` at the end of the stripe.
    pub next: Option<u64>,
}
