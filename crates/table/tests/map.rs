//! Maps against a `HashMap`, under random operations that make them grow and shrink.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use ochre_table::{Access, Draw, Hasher, Key, Map, POSITION_BITS};
use pair::{Boxed, Living, Random, boxed, name};

mod pair;

struct Pairing {
    map: Map<Boxed>,
    model: HashMap<Vec<u8>, u64>,
    hasher: Hasher,
    living: Living,
}

impl Pairing {
    fn new(seed: u64) -> Pairing {
        let (map, model, living) = (Map::new(), HashMap::new(), Living::default());
        Pairing { map, model, hasher: Hasher::new(seed), living }
    }

    fn filled(seed: u64, len: u64) -> Pairing {
        let mut pairing = Pairing::new(seed);
        (0..len).for_each(|number| pairing.put(&name(number), number));
        pairing
    }

    fn put(&mut self, name: &[u8], number: u64) {
        let is_new = self.map.insert(boxed(name, number, &self.living), &self.hasher);
        assert_eq!(is_new, self.model.insert(name.to_vec(), number).is_none());
    }

    fn put_if_new(&mut self, name: &[u8], number: u64) {
        let is_new = self.map.insert_with(name, &self.hasher, || boxed(name, number, &self.living));
        assert_eq!(is_new, !self.model.contains_key(name));
        self.model.entry(name.to_vec()).or_insert(number);
    }

    fn change(&mut self, name: &[u8]) {
        match self.map.access(name, &self.hasher) {
            Some(Access::Own(item)) => item.1 += 2,
            Some(Access::Pinned(_)) => panic!("nothing is pinned"),
            None => assert!(!self.model.contains_key(name)),
        }
        self.model.entry(name.to_vec()).and_modify(|number| *number += 2);
    }

    fn remove(&mut self, name: &[u8]) {
        let mut removed = None;
        let was_there = self.map.remove_seen(name, &self.hasher, |item| removed = Some(item.1));
        assert_eq!((was_there, removed), (removed.is_some(), self.model.remove(name)));
    }

    fn take_random(&mut self, random: &mut Random) {
        let mut taken = None;
        let was_there =
            self.map.take_random(random, &self.hasher, |item| taken = Some((item.0.clone(), item.1)));
        assert_eq!((was_there, taken.is_none()), (taken.is_some(), self.model.is_empty()));
        if let Some((name, number)) = taken {
            assert_eq!(self.model.remove(&name), Some(number));
        }
    }

    fn take_sample(&mut self, count: usize, random: &mut Random) {
        let (model, before) = (&mut self.model, self.map.len());
        self.map.take_sample(count, random, &self.hasher, &mut |item| {
            assert_eq!(model.remove(&item.0), Some(item.1));
        });
        assert_eq!(self.map.len(), before.saturating_sub(count));
    }

    fn scan(&self) -> Vec<Vec<u8>> {
        let (mut names, mut cursor) = (Vec::new(), 0);
        loop {
            cursor = self.map.scan(cursor, 10, &mut |item| names.push(item.0.clone()));
            if cursor == 0 {
                return names;
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.map.len(), self.model.len());
        assert_eq!(self.living.load(Ordering::Relaxed), self.model.len() as isize);
        for (name, number) in &self.model {
            assert_eq!(self.map.get(name, &self.hasher).map(|item| item.1), Some(*number));
        }
        let all: HashMap<Vec<u8>, u64> = self.map.iter().map(|item| (item.0.clone(), item.1)).collect();
        assert_eq!((self.map.iter().len(), &all), (self.model.len(), &self.model));
        let scanned = self.scan();
        assert_eq!(scanned.len(), self.model.len());
        assert!(scanned.iter().all(|name| self.model.contains_key(name)));
    }
}

#[test]
fn random_operations_agree_with_a_map() {
    for (seed, names) in [(1, 30_000), (2, 2_000), (3, 600), (4, 30), (5, 30_000)] {
        let (mut pairing, mut random) = (Pairing::new(seed), Random(seed * 77));
        for phase in 0..6 {
            for step in 0..15_000 {
                let name = name(random.below(names));
                let growing = if phase % 2 == 0 { 8 } else { 2 };
                match random.below(10) {
                    lot if lot >= growing => pairing.remove(&name),
                    0 => pairing.put_if_new(&name, step),
                    1 => pairing.change(&name),
                    _ => pairing.put(&name, step),
                }
                match random.below(300) {
                    0 => pairing.take_sample(random.below(40) as usize, &mut random),
                    1 => pairing.take_random(&mut random),
                    _ => {}
                }
            }
            pairing.check();
        }
        let copy = pairing.map.clone_with(|item| boxed(&item.0, item.1, &pairing.living));
        let mut names: Vec<Vec<u8>> = pairing.model.keys().cloned().collect();
        names.sort();
        names.iter().for_each(|name| pairing.remove(name));
        assert!(pairing.map.is_empty() && pairing.map.memory_bytes() < 200, "{}", pairing.map.memory_bytes());
        let mut left: Vec<Vec<u8>> = copy.iter().map(|item| item.0.clone()).collect();
        left.sort();
        assert_eq!(left, names);
        drop(copy);
        assert_eq!(pairing.living.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn maps_made_for_many_keys_take_few_and_many() {
    for (capacity, len) in [(0, 5_000), (100, 100), (500, 5), (100_000, 3), (20_000, 20_000)] {
        let mut pairing = Pairing::new(8);
        pairing.map = Map::with_capacity(capacity);
        (0..len).for_each(|number| pairing.put(&name(number), number));
        pairing.check();
        let mut random = Random(9);
        assert!(pairing.map.random(&mut random).is_some());
        pairing.take_sample(usize::MAX, &mut random);
        assert!(pairing.map.is_empty() && pairing.map.random(&mut random).is_none());
        pairing.put(b"again", 1);
        pairing.check();
        pairing.map.clear();
        assert_eq!(pairing.map.iter().count(), 0);
    }
}

#[test]
fn several_keys_at_a_time_are_found_as_one_by_one() {
    for len in [3, 300, 50_000] {
        let pairing = Pairing::filled(3, len);
        let names: Vec<Vec<u8>> = (0..len * 2).map(name).collect();
        for names in names.chunks(16) {
            let mut keys: Vec<Key<'_>> = names.iter().map(|name| pairing.hasher.key(name)).collect();
            keys.iter().for_each(|key| pairing.map.prefetch_line(*key));
            for key in &mut keys {
                let may_be_there = pairing.map.prefetch_item(key);
                assert!(may_be_there || !pairing.model.contains_key(key.bytes));
            }
            for key in keys {
                let found = pairing.map.get_hashed(key).map(|item| item.1);
                assert_eq!(found, pairing.model.get(key.bytes).copied());
            }
        }
    }
}

#[test]
fn a_scan_sees_every_item_that_stays_while_the_map_grows_and_shrinks() {
    for seed in 1..20 {
        let (mut pairing, mut random) = (Pairing::new(seed), Random(seed * 1001));
        let stays: Vec<Vec<u8>> = (0..300).map(|n| format!("stays:{n}").into_bytes()).collect();
        stays.iter().for_each(|name| pairing.put(name, 0));
        let (mut seen, mut cursor, mut others, mut growing) = (HashSet::new(), 0, Vec::new(), true);
        loop {
            cursor = pairing.map.scan(cursor, 5, &mut |item| {
                seen.insert(item.0.clone());
            });
            if cursor == 0 {
                break;
            }
            for _ in 0..random.below(400) {
                if growing {
                    others.push(name(random.below(1 << 40)));
                    others.iter().last().into_iter().for_each(|name| pairing.put_if_new(name, 0));
                } else if let Some(name) = others.pop() {
                    pairing.remove(&name);
                }
            }
            growing = if growing { random.below(12) != 0 } else { random.below(20) == 0 };
        }
        assert!(stays.iter().all(|name| seen.contains(name)), "seed {seed}");
        assert_eq!(pairing.map.scan(1 << POSITION_BITS, 5, &mut |_| panic!("beyond")), 0);
    }
}

/// Sum of squared deviations over their expectation; with k classes it is about k, give or take sqrt(2k).
fn chi_square(counts: &[u32]) -> f64 {
    let mean = counts.iter().map(|count| f64::from(*count)).sum::<f64>() / counts.len() as f64;
    counts.iter().map(|count| (f64::from(*count) - mean).powi(2) / mean).sum()
}

/// Six standard deviations: a fair draw fails in one of a thousand million runs, and the seeds are fixed.
fn assert_fair(counts: &[u32]) {
    let classes = counts.len() as f64;
    let square = chi_square(counts);
    assert!(square < classes + 6.0 * (2.0 * classes).sqrt(), "{square} for {classes}");
}

/// A table that grew and then lost most of its items, those in one part of the hash order above all.
fn worn(seed: u64, len: u64) -> Pairing {
    let mut pairing = Pairing::filled(seed, len);
    let scanned = pairing.scan();
    for (at, name) in scanned.iter().enumerate() {
        if at < scanned.len() / 2 && at % 10 != 0 || at % 3 == 0 {
            pairing.remove(name);
        }
    }
    pairing
}

#[test]
fn every_item_is_drawn_equally_often() {
    for (seed, len) in [(1, 5), (2, 60), (3, 700), (4, 6_000)] {
        let (pairing, mut random) = (worn(seed, len), Random(seed));
        let number_of: HashMap<&[u8], usize> =
            pairing.model.keys().enumerate().map(|(at, name)| (&name[..], at)).collect();
        let mut counts = vec![0; pairing.model.len()];
        let rounds = counts.len() * 100;
        for _ in 0..rounds / 2 {
            let item = pairing.map.random(&mut random).expect("there are items");
            counts[number_of[&item.0[..]]] += 1;
        }
        pairing.map.draw_many(rounds / 2, &mut random, &mut |item| counts[number_of[&item.0[..]]] += 1);
        assert_eq!(counts.iter().sum::<u32>() as usize, rounds / 2 * 2);
        assert_fair(&counts);
    }
}

#[test]
fn samples_are_distinct_and_every_item_is_equally_often_among_them() {
    for (len, count) in [(40u64, 1), (40, 4), (40, 6), (40, 39), (1_500, 100), (1_500, 900)] {
        let (pairing, mut random) = (Pairing::filled(7, len), Random(len + count as u64));
        let mut counts = vec![0; len as usize];
        for _ in 0..40_000 / count {
            let mut chosen = HashSet::new();
            pairing.map.sample(count, &mut random, &mut |item| assert!(chosen.insert(item.1), "twice"));
            assert_eq!(chosen.len(), count);
            chosen.iter().for_each(|number| counts[*number as usize] += 1);
        }
        assert_fair(&counts);
        let mut all = HashSet::new();
        pairing.map.sample(usize::MAX, &mut random, &mut |item| assert!(all.insert(item.1)));
        assert_eq!(all.len() as u64, len);
    }
}

#[test]
fn every_item_is_taken_equally_early() {
    let mut random = Random(77);
    let mut counts = vec![0; 50];
    for round in 0..4_000 {
        let mut pairing = Pairing::filled(round, 50);
        if round % 2 == 0 {
            pairing
                .map
                .take_sample(5, &mut random, &pairing.hasher, &mut |item| counts[item.1 as usize] += 1);
        } else {
            for _ in 0..5 {
                pairing.map.take_random(&mut random, &pairing.hasher, |item| counts[item.1 as usize] += 1);
            }
        }
    }
    assert_fair(&counts);
}

#[test]
fn maps_stay_well_filled() {
    let mut pairing = Pairing::new(9);
    let mut worst = (0.0f64, 0);
    for number in 0..60_000u32 {
        pairing.put(&name(u64::from(number)), 0);
        let bytes = pairing.map.memory_bytes() as f64 / f64::from(number + 1);
        if number > 2_000 && number % 500 == 0 && bytes > worst.0 {
            worst = (bytes, number);
        }
        assert!(!(16..=460).contains(&number) || bytes < 17.0, "{bytes} bytes each of {number}");
    }
    assert!(worst.0 < 13.5, "{worst:?} bytes per key");
    assert!(size_of::<Map<Boxed>>() <= 80, "{}", size_of::<Map<Boxed>>());
}
