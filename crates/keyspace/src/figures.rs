//! Figures of the whole keyspace, summed over its stripes in one walk.

use crate::keyspace::DatabaseSize;
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
}

impl Figures {
    /// Nothing yet, of so many databases.
    pub(crate) fn new(databases: usize) -> Figures {
        Figures { databases: vec![DatabaseSize::default(); databases], ..Figures::default() }
    }

    /// Adds those of a stripe. Times to live are summed, weighted by their number, until [`Figures::finish`].
    pub(crate) fn add(&mut self, stripe: &StripeData) {
        self.counters = self.counters.plus(stripe.counters);
        self.watched_keys += stripe.watchers.len();
        let (keys, absences) = stripe.waiters.counts();
        self.awaited_keys += keys;
        self.awaited_absences += absences;
        for (size, table) in self.databases.iter_mut().zip(stripe.tables.iter()) {
            if table.is_empty() && table.slots() == 0 {
                continue;
            }
            size.keys += table.len();
            size.expiring += table.expiring();
            size.timed_hashes += table.timed_hashes();
            size.slots += table.slots();
            size.table_bytes += table.memory_bytes();
            let ttl_sum = table.average_ttl_ms.saturating_mul(table.expiring() as i64);
            size.average_ttl_ms = size.average_ttl_ms.saturating_add(ttl_sum);
        }
    }

    /// Turns the sums of times to live into averages.
    pub(crate) fn finish(mut self) -> Figures {
        for size in &mut self.databases {
            size.average_ttl_ms = size.average_ttl_ms.checked_div(size.expiring as i64).unwrap_or(0);
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
        assert_eq!((all.databases, all.counters.changes), (none.databases, 500));
        view.reset_counters();
        let counters = view.figures().counters;
        assert_eq!((counters.changes, counters.hits, counters.misses), (500, 0, 0));
    }
}
