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
        for (db, (size, table)) in self.databases.iter_mut().zip(&stripe.tables).enumerate() {
            if table.is_empty() && table.slots() == 0 {
                continue;
            }
            size.keys += table.len();
            size.expiring += table.expiring();
            size.slots += table.slots();
            size.table_bytes += table.memory_bytes();
            let ttl_sum = stripe.average_ttl_ms[db].saturating_mul(table.expiring() as i64);
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
