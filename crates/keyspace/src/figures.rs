//! Figures of the whole keyspace, summed over its stripes in one walk.

use crate::keyspace::DatabaseSize;
use crate::random::Random;
use crate::stripe::{Counters, StripeData};

/// What the keyspace can tell about itself.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// The stripes' counters.
    pub counters: Counters,
    /// The size of each database.
    pub databases: Vec<DatabaseSize>,
    /// Keys that somebody watches.
    pub watched_keys: usize,
    /// Keys that blocked clients wait for.
    pub awaited_keys: usize,
    /// Those of them whose absence is waited for, too.
    pub awaited_absences: usize,
    /// By database: times to live of samples, ms, each weighted by the keys that it stands for, and the sum of those weights.
    samples: Vec<(i128, i128)>,
}

/// Keys that each stripe tells the time to live of, and how often a place is tried for one.
const TTL_SAMPLES: usize = 2;
const TTL_ATTEMPTS: usize = 64;

impl Figures {
    /// Nothing yet, of so many databases.
    pub(crate) fn new(databases: usize) -> Figures {
        let (sizes, samples) = (vec![DatabaseSize::default(); databases], vec![(0, 0); databases]);
        Figures { databases: sizes, samples, ..Figures::default() }
    }

    /// Adds those of a stripe at a time, unix time in ms.
    pub(crate) fn add(&mut self, stripe: &StripeData, now_ms: i64) {
        let mut random = Random::new(now_ms as u64 ^ self.counters.changes);
        self.counters = self.counters.plus(stripe.counters);
        self.watched_keys += stripe.watchers.len();
        let (keys, absences) = stripe.waiters.counts();
        self.awaited_keys += keys;
        self.awaited_absences += absences;
        let sums = self.databases.iter_mut().zip(&mut self.samples);
        for ((size, (sum, weights)), table) in sums.zip(stripe.tables.iter()) {
            if table.is_empty() && table.slots() == 0 {
                continue;
            }
            size.keys += table.len();
            size.expiring += table.expiring();
            size.timed_hashes += table.timed_hashes();
            size.slots += table.slots();
            size.table_bytes += table.memory_bytes();
            for _ in 0..TTL_SAMPLES.min(table.expiring()) {
                let sample = table.random_entry(&mut random, true, TTL_ATTEMPTS);
                if let Some(expire_ms) = sample.and_then(|entry| entry.expire_ms()) {
                    let weight = table.expiring() as i128;
                    *sum += i128::from(expire_ms.saturating_sub(now_ms).max(0)) * weight;
                    *weights += weight;
                }
            }
        }
    }

    /// Turns the sums of times to live into averages.
    pub(crate) fn finish(mut self) -> Figures {
        for (size, (sum, weights)) in self.databases.iter_mut().zip(&self.samples) {
            size.average_ttl_ms = sum.checked_div(*weights).unwrap_or(0) as i64;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::{Effects, Expiry, Keyspace, Locks, NewValue};

    #[test]
    fn sums_are_the_same_with_all_stripes_locked_or_none() {
        let keyspace = Keyspace::new(4, 1, 7);
        let mut effects = Effects::default();
        let mut view = keyspace.view(Locks::All, 1_000, &mut effects);
        for number in 0..500u32 {
            let name = number.to_string();
            let (key, value) = (view.key(name.as_bytes()), NewValue::Int(1));
            let expiry = if number % 5 == 0 { Expiry::At(9_000) } else { Expiry::Clear };
            view.set(number % 2 * 3, key, value, expiry);
        }
        let all = view.figures();
        drop(view);
        let mut view = keyspace.view(Locks::None, 1_000, &mut effects);
        let none = view.figures();
        let (keys, expiring): (Vec<usize>, Vec<usize>) =
            none.databases.iter().map(|size| (size.keys, size.expiring)).unzip();
        assert_eq!((keys, expiring), (vec![250, 0, 0, 250], vec![50, 0, 0, 50]));
        let ttls: Vec<i64> = none.databases.iter().map(|size| size.average_ttl_ms).collect();
        assert_eq!(ttls, [8_000, 0, 0, 8_000]);
        assert_eq!((all.databases, all.counters.changes), (none.databases, 500));
        view.reset_counters();
        let counters = view.figures().counters;
        assert_eq!((counters.changes, counters.hits, counters.misses), (500, 0, 0));
    }
}
