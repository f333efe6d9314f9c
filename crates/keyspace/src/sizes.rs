//! How long values are: histograms by powers of two, for each database and type.
//!
//! They are made when they are asked for, from a look at a bounded number of values: all of them in a small keyspace, which
//! gives exact numbers, otherwise a sample from every stripe, each value standing for as many as there are per sample.
//! Stripes are locked one after the other, each for some microseconds.
//!
//! Rejected: counting along with every change, as Redis does. Each write would have to know the length before and after,
//! for figures that few look at; and a walk over everything, which INFO would then take every second.

use std::collections::BTreeMap;

use crate::entry::EntryRef;
use crate::random::Random;
use crate::stripe::StripeData;
use crate::table::Table;
use crate::value::ValueRef;
use crate::view::{View, type_name};

/// Bins: one for length 0, then one for every power of two.
pub const SIZE_BINS: usize = 50;
/// Up to so many keys in all stripes together, all are looked at.
const EXACT_KEYS: usize = 16 * 1024;
/// Otherwise so many.
const SAMPLES: usize = 4 * 1024;
/// No stripe's share of these is smaller, however many there are.
const SHARE_MIN: usize = 8;
/// How often a place is tried for a sample.
const ATTEMPTS: usize = 64;

/// The numbers of values by length: bin 0 for none, bin n for lengths from 2^(n-1) on.
pub type SizeBins = [u64; SIZE_BINS];

/// How long values are.
#[derive(Debug, Default)]
pub struct KeySizes {
    /// Estimated numbers by database and type.
    bins: BTreeMap<(u32, &'static str), [f64; SIZE_BINS]>,
}

impl KeySizes {
    /// The databases of which there is any, in order.
    pub fn databases(&self) -> Vec<u32> {
        let mut databases: Vec<u32> = self.bins.keys().map(|(db, _)| *db).collect();
        databases.dedup();
        databases
    }

    /// That of a type in a database.
    pub fn of(&self, db: u32, type_name: &str) -> Option<SizeBins> {
        let (_, bins) = self.bins.iter().find(|((of, name), _)| (*of, *name) == (db, type_name))?;
        Some(bins.map(|count| count.round() as u64))
    }

    /// Adds those of a stripe, of which there are so many.
    fn add(&mut self, stripe: &StripeData, stripes: usize, random: &mut Random) {
        let share = |of: usize| (of / stripes.max(1)).max(SHARE_MIN);
        for (db, table) in stripe.tables.iter().enumerate().filter(|(_, table)| !table.is_empty()) {
            let mut looked_at = Vec::new();
            if table.len() <= share(EXACT_KEYS) {
                table.visit_all(&mut |entry| looked_at.push(bin_of(entry)));
            } else {
                looked_at.extend(samples(table, share(SAMPLES), random));
            }
            let weight = table.len() as f64 / looked_at.len().max(1) as f64;
            for (name, bin) in looked_at {
                self.bins.entry((db as u32, name)).or_insert([0.0; SIZE_BINS])[bin] += weight;
            }
        }
    }
}

fn samples<'t>(
    table: &'t Table,
    count: usize,
    random: &'t mut Random,
) -> impl Iterator<Item = (&'static str, usize)> {
    (0..count).filter_map(move |_| table.random_entry(random, false, ATTEMPTS).map(bin_of))
}

fn bin_of(entry: EntryRef<'_>) -> (&'static str, usize) {
    let value = entry.value();
    let len = match value {
        ValueRef::Int(number) => itoa::Buffer::new().format(number).len(),
        ValueRef::Bytes { bytes, .. } => bytes.len(),
        ValueRef::Object(object) => object.size(),
    };
    let bin = len.checked_ilog2().map_or(0, |power| power as usize + 1);
    (type_name(entry), bin.min(SIZE_BINS - 1))
}

impl View<'_> {
    /// How long values are, in all databases; an estimate where there are many. Needs all stripes or none: without any, one
    /// after the other is locked.
    pub fn key_sizes(&mut self) -> KeySizes {
        let mut sizes = KeySizes::default();
        let mut random = Random::new(self.now_ms() as u64);
        let stripes = self.keyspace().stripes();
        self.each_stripe_in_turn(|stripe| sizes.add(stripe, stripes, &mut random));
        sizes
    }
}

#[cfg(test)]
mod tests {
    use crate::{Effects, Expiry, Keyspace, Locks, NewValue};

    fn fill(keyspace: &Keyspace, db: u32, keys: u32) {
        let mut effects = Effects::default();
        let mut view = keyspace.view(Locks::All, 1, &mut effects);
        for number in 0..keys {
            let name = number.to_string();
            let key = view.key(name.as_bytes());
            // Half of length 0, a quarter of 5, a quarter of 300.
            let bytes = [&b""[..], &[b'x'; 5], b"", &[b'x'; 300]][number as usize % 4];
            view.set(db, key, NewValue::Bytes { bytes, raw: false }, Expiry::Clear);
        }
    }

    #[test]
    fn few_keys_are_counted() {
        let keyspace = Keyspace::new(4, 1, 7);
        fill(&keyspace, 2, 1000);
        let mut effects = Effects::default();
        for locks in [Locks::None, Locks::All] {
            let sizes = keyspace.view(locks, 1, &mut effects).key_sizes();
            let bins = sizes.of(2, "string").unwrap();
            assert_eq!((bins[0], bins[3], bins[9]), (500, 250, 250));
            assert_eq!(bins.iter().sum::<u64>(), 1000);
            assert_eq!(sizes.databases(), [2]);
        }
    }

    #[test]
    fn many_keys_are_estimated() {
        let keyspace = Keyspace::new(4, 1, 7);
        fill(&keyspace, 0, 100_000);
        let mut effects = Effects::default();
        let bins = keyspace.view(Locks::None, 1, &mut effects).key_sizes().of(0, "string").unwrap();
        // 4096 samples of a half deviate by 780 (1.6 %) in two of three cases.
        assert!(bins[0].abs_diff(50_000) < 5 * 780 && bins[3].abs_diff(25_000) < 5 * 680, "{bins:?}");
        assert!(bins.iter().sum::<u64>().abs_diff(100_000) <= 3);
    }
}
