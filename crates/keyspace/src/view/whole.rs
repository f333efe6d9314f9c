//! Steps over the whole keyspace: figures, emptying and exchanging databases, walks over all keys.

use super::{Held, View};
use crate::entry::EntryRef;
use crate::figures::Figures;
use crate::hash::Key;
use crate::keyspace::DatabaseSize;
use crate::reclaim::Garbage;
use crate::stripe::StripeData;
use crate::table::Table;
use crate::watch::Presence;

impl View<'_> {
    /// All stripes, for a step over the whole keyspace; none unless the view holds all.
    pub(crate) fn every_stripe(&mut self) -> impl Iterator<Item = &mut StripeData> {
        let all = if let Held::All(stripes) = &mut self.held { Some(stripes) } else { None };
        all.into_iter().flat_map(|stripes| stripes.iter_mut())
    }

    /// The number of keys of a database. Needs all stripes.
    pub fn len(&mut self, db: u32) -> usize {
        self.every_stripe().map(|stripe| stripe.tables[db as usize].len()).sum()
    }

    /// Changes since the start, of the whole keyspace. Needs all stripes.
    pub fn changes(&mut self) -> u64 {
        self.every_stripe().map(|stripe| stripe.counters.changes).sum()
    }

    /// Counts a change of what is no key but is saved with the keys (libraries of functions). Needs all stripes.
    pub fn note_change(&mut self) {
        self.effects.dirty += 1;
        if let Some(first) = self.every_stripe().next() {
            first.counters.changes += 1;
        }
    }

    /// The number of expiring keys of a database. Needs all stripes.
    pub fn expiring(&mut self, db: u32) -> usize {
        self.every_stripe().map(|stripe| stripe.tables[db as usize].expiring()).sum()
    }

    /// The figures of a database. Needs all stripes.
    pub fn database_size(&mut self, db: u32) -> DatabaseSize {
        let mut size = DatabaseSize::default();
        for stripe in self.every_stripe() {
            let table = &stripe.tables[db as usize];
            size.keys += table.len();
            size.expiring += table.expiring();
            size.timed_hashes += table.timed_hashes();
            size.slots += table.slots();
            size.table_bytes += table.memory_bytes();
        }
        size
    }

    /// The figures of the whole keyspace. Needs all stripes or none: without any, one after the other is locked, so
    /// that the sums are not of a single moment; with some, waiting for the others could be for ever.
    pub fn figures(&mut self) -> Figures {
        let mut sum = Figures::new(self.keyspace.databases());
        self.each_stripe_in_turn(|stripe| sum.add(stripe, self.now_ms));
        sum.finish()
    }

    /// Calls `visit` for every stripe. Needs all or none, as [`View::figures`].
    pub(crate) fn each_stripe_in_turn(&self, mut visit: impl FnMut(&StripeData)) {
        match &self.held {
            Held::None => self.keyspace.each_stripe().for_each(|stripe| visit(&stripe)),
            Held::All(stripes) => stripes.iter().for_each(visit),
            Held::One(..) | Held::Some(_) => debug_assert!(false, "figures need all stripes or none"),
        }
    }

    /// Starts the counters of the whole keyspace anew, all but that of changes. Needs all stripes or none.
    pub fn reset_counters(&mut self) {
        match &mut self.held {
            Held::None => self.keyspace.reset_counters(),
            Held::All(stripes) => stripes.iter_mut().for_each(|stripe| stripe.counters.reset()),
            Held::One(..) | Held::Some(_) => debug_assert!(false, "counters need all stripes or none"),
        }
    }

    /// Removes all keys of a database and returns them. Needs all stripes. Watchers of keys that were there are told.
    pub fn clear(&mut self, db: u32) -> Vec<Garbage> {
        let (hasher, now_ms) = (self.keyspace.hasher(), self.now_ms);
        let mut removed = 0;
        let mut garbage = Vec::new();
        let keyspace = self.keyspace;
        for (index, stripe) in self.every_stripe().enumerate() {
            let Some(table) = stripe.tables.take(db as usize) else { continue };
            if let Some(table) = stripe.tables.made_mut(db as usize) {
                keyspace.follow(index, db, table);
            }
            let before = |key: &[u8]| presence(&table, hasher.key(key), now_ms);
            stripe.watchers.replace(db, before, |_| Presence::Absent);
            stripe.counters.changes += table.len() as u64;
            removed += table.len() as u64;
            if !table.is_empty()
                && let Some(table) = table.hand_to_walkers()
            {
                garbage.push(Garbage::Table(table));
            }
        }
        self.effects.dirty += removed;
        self.note_all_ready(db, true);
        garbage
    }

    /// Exchanges two databases. Needs all stripes. Watchers of keys that are in either are told. Counts as one change,
    /// even where both are the same.
    pub fn swap(&mut self, a: u32, b: u32) {
        let (keyspace, hasher, now_ms) = (self.keyspace, self.keyspace.hasher(), self.now_ms);
        self.effects.dirty += 1;
        if let Some(first) = self.every_stripe().next() {
            first.counters.changes += 1;
        }
        if a == b {
            return;
        }
        for (index, StripeData { tables, watchers, .. }) in self.every_stripe().enumerate() {
            for (before, after) in [(a, b), (b, a)] {
                let of = |db: u32| {
                    let table = &tables[db as usize];
                    move |key: &[u8]| presence(table, hasher.key(key), now_ms)
                };
                watchers.replace(before, of(before), of(after));
            }
            if !tables.swap(a as usize, b as usize) {
                continue;
            }
            for db in [a, b] {
                let table = &mut tables[db as usize];
                table.move_everything();
                keyspace.follow(index, db, table);
            }
        }
        [a, b].into_iter().for_each(|db| self.note_all_ready(db, false));
    }

    /// A key at random, each as likely as any other. Needs all stripes. Expired keys may come, too.
    pub fn random_key(&mut self, db: u32) -> Option<Vec<u8>> {
        let total = self.len(db);
        let mut index = self.every_stripe().next()?.random.below(total);
        for StripeData { tables, random, .. } in self.every_stripe() {
            let table = &tables[db as usize];
            if index < table.len() {
                return table.random_entry(random, false, usize::MAX).map(|entry| entry.key().to_vec());
            }
            index -= table.len();
        }
        None
    }

    /// Calls `visit` for every live key of a database. Needs all stripes. Expired keys are passed over, not removed.
    pub fn visit_all(&mut self, db: u32, visit: &mut dyn FnMut(EntryRef<'_>)) {
        let (now_ms, sees_expired) = (self.now_ms, self.sees_expired());
        let mut live = |entry: EntryRef<'_>| {
            if sees_expired || entry.expire_ms().is_none_or(|expire_ms| expire_ms > now_ms) {
                visit(entry);
            }
        };
        for stripe in self.every_stripe() {
            stripe.tables[db as usize].visit_all(&mut live);
        }
    }
}

fn presence(table: &Table, key: Key<'_>, now_ms: i64) -> Presence {
    match table.find(key).and_then(|location| table.entry(location)) {
        None => Presence::Absent,
        Some(entry) if entry.expire_ms().is_some_and(|expire_ms| expire_ms <= now_ms) => Presence::Expired,
        Some(_) => Presence::Live,
    }
}
