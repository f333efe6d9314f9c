//! The table against a `HashMap`, under random operations that make it grow and shrink.

use std::collections::{HashMap, HashSet};

use ochre_keyspace::{Entry, Harvest, Hasher, NewValue, Table};

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

struct Pair {
    table: Table,
    model: HashMap<Vec<u8>, (i64, Option<i64>)>,
    hasher: Hasher,
}

impl Pair {
    fn new(seed: u64) -> Pair {
        Pair { table: Table::new(6), model: HashMap::new(), hasher: Hasher::new(seed) }
    }

    fn put(&mut self, name: &[u8], number: i64, expire_ms: Option<i64>) {
        let key = self.hasher.key(name);
        let entry = Entry::new(name, NewValue::Int(number), expire_ms, 0);
        match self.table.find(key) {
            Some(location) => drop(self.table.replace(location, key, entry)),
            None => drop(self.table.insert(key, entry, &self.hasher)),
        }
        self.model.insert(name.to_vec(), (number, expire_ms));
    }

    fn remove(&mut self, name: &[u8]) {
        let found = self.table.find(self.hasher.key(name));
        assert_eq!(found.is_some(), self.model.remove(name).is_some());
        if let Some(location) = found {
            assert!(self.table.remove(location, &self.hasher).is_some());
        }
    }

    fn check(&self) {
        assert_eq!(self.table.len(), self.model.len());
        assert_eq!(self.table.expiring(), self.model.values().filter(|value| value.1.is_some()).count());
        for (name, (_, expire_ms)) in &self.model {
            let location = self.table.find(self.hasher.key(name)).expect("every key is found");
            let entry = self.table.entry(location).expect("an entry");
            assert_eq!((entry.key(), entry.expire_ms()), (&name[..], *expire_ms));
        }
        assert_eq!(self.scan().len(), self.model.len());
    }

    fn scan(&self) -> Vec<Vec<u8>> {
        let (mut names, mut position) = (Vec::new(), Some(0));
        while let Some(at) = position {
            position = self.table.visit_line(at, &self.hasher, &mut |entry| names.push(entry.key().to_vec()));
        }
        names
    }
}

#[test]
fn random_operations_agree_with_a_map() {
    for seed in 1..4 {
        let (mut pair, mut random) = (Pair::new(seed), Random(seed * 77));
        for phase in 0..6 {
            for step in 0..20_000 {
                let name = random.below(30_000).to_string().into_bytes();
                let growing = if phase % 2 == 0 { 8 } else { 2 };
                if random.below(10) < growing {
                    let expire_ms = (random.below(3) == 0).then_some(step);
                    pair.put(&name, step, expire_ms);
                } else {
                    pair.remove(&name);
                }
            }
            pair.check();
        }
        let names: Vec<Vec<u8>> = pair.model.keys().cloned().collect();
        names.iter().for_each(|name| pair.remove(name));
        assert!(pair.table.is_empty() && pair.table.memory_bytes() < 2048, "{}", pair.table.memory_bytes());
    }
}

#[test]
fn a_scan_sees_every_key_that_stays_while_the_table_grows_and_shrinks() {
    for seed in 1..20 {
        let (mut pair, mut random) = (Pair::new(seed), Random(seed * 1001));
        let stays: Vec<Vec<u8>> = (0..500).map(|n| format!("stays:{n}").into_bytes()).collect();
        stays.iter().for_each(|name| pair.put(name, 0, None));
        let (mut seen, mut position, mut others) = (HashSet::new(), Some(0), Vec::new());
        let mut growing = true;
        while let Some(at) = position {
            position = pair.table.visit_line(at, &pair.hasher, &mut |entry| {
                seen.insert(entry.key().to_vec());
            });
            for _ in 0..random.below(400) {
                if growing {
                    let name = format!("other:{}", random.below(1 << 40)).into_bytes();
                    pair.put(&name, 0, None);
                    others.push(name);
                } else if let Some(name) = others.pop() {
                    pair.remove(&name);
                }
            }
            growing = if growing { random.below(12) != 0 } else { random.below(20) == 0 };
        }
        assert!(stays.iter().all(|name| seen.contains(name)), "seed {seed}");
    }
}

#[test]
fn sweeping_removes_what_has_expired_and_nothing_else() {
    let mut pair = Pair::new(5);
    for number in 0..10_000i64 {
        let expire_ms = (number % 2 == 0).then_some(number);
        pair.put(format!("key:{number}").as_bytes(), number, expire_ms);
    }
    let (mut harvest, mut position) = (Harvest::new(), Some(0));
    while let Some(at) = position {
        position = pair.table.sweep(at, 4_999, &pair.hasher, &mut harvest).1;
    }
    pair.model.retain(|_, (_, expire_ms)| expire_ms.is_none_or(|at| at > 4_999));
    assert_eq!((harvest.gone.len(), harvest.expired.len(), harvest.fields()), (2_500, 2_500, 0));
    pair.table.refresh_next_expire();
    assert_eq!(pair.table.next_expire_ms(), 5_000);
    pair.check();
}

#[test]
fn tables_stay_well_filled() {
    let mut pair = Pair::new(9);
    let mut worst = 0.0f64;
    for number in 0..60_000u32 {
        pair.put(format!("key:{number}").as_bytes(), 0, None);
        if number > 2_000 && number % 500 == 0 {
            worst = worst.max(pair.table.memory_bytes() as f64 / f64::from(number));
        }
    }
    assert!(worst < 13.5, "{worst} bytes per key");
}
