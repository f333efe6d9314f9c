//! Fields of hashes that expire: found by sweeps, and told as they go.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Expiry, Keyspace, Locks, NewValue, SweepStep, Sweeper, event_class};
use ochre_types::hash::{Condition, Hash, HashLimits};

const LIMITS: HashLimits = HashLimits { entries_max: 8, value_bytes_max: 64 };

/// One database, a clock, and what happened.
struct World {
    keyspace: Keyspace,
    effects: Effects,
    now_ms: i64,
}

impl World {
    fn new() -> World {
        let keyspace = Keyspace::new(2, 1, 5);
        keyspace.settings.notify_classes.store(u32::MAX, Relaxed);
        World { keyspace, effects: Effects::default(), now_ms: 1_000 }
    }

    fn edit<R>(&mut self, name: &str, change: impl FnOnce(&mut Hash, i64) -> R) -> R {
        let keys = [self.keyspace.key(name.as_bytes())];
        let now_ms = self.now_ms;
        let mut view = self.keyspace.view(Locks::Keys(&keys), now_ms, &mut self.effects);
        let edited = view.edit_or_create(0, keys[0], |hash: &mut Hash, edit| {
            edit.changed(1);
            change(hash, now_ms)
        });
        edited.expect("a hash").0
    }

    fn set(&mut self, name: &str, field: &str) {
        self.edit(name, |hash, _| hash.set(field.as_bytes(), b"v", &LIMITS));
    }

    fn expire(&mut self, name: &str, field: &str, at_ms: i64) {
        self.edit(name, |hash, now_ms| hash.expire(field.as_bytes(), at_ms, Condition::Always, now_ms));
    }

    /// Sweeps everything once; the sum of the steps, and the most fields that one of them removed.
    fn sweep(&mut self) -> (SweepStep, usize) {
        let (mut sweeper, mut sum, mut most) = (Sweeper::new(0, 1), SweepStep::default(), 0);
        loop {
            let step = sweeper.step(&self.keyspace, self.now_ms, &mut self.effects);
            sum.looked_at += step.looked_at;
            sum.expired += step.expired;
            sum.fields += step.fields;
            most = most.max(step.fields);
            if step.round_ended {
                return (sum, most);
            }
        }
    }

    fn events(&mut self) -> String {
        let of_interest = event_class::HASH | event_class::GENERIC | event_class::EXPIRED;
        let events = std::mem::take(&mut self.effects.events);
        let shown = events.iter().filter(|event| event.class & of_interest != 0);
        shown.map(|event| event.name).collect::<Vec<_>>().join(" ")
    }

    fn timed_hashes(&self) -> usize {
        self.keyspace.database_size(0).timed_hashes
    }
}

#[test]
fn a_sweep_removes_what_is_due_and_nothing_else() {
    let mut world = World::new();
    for number in 0..2_000 {
        let name = format!("key:{number}");
        world.set(&name, "stays");
        world.set(&name, "goes");
        if number % 4 == 0 {
            world.expire(&name, "goes", 2_000 + number);
        }
    }
    assert_eq!((world.timed_hashes(), world.sweep().0.looked_at), (500, 0));
    world.now_ms = 2_000;
    assert_eq!(world.sweep().0.fields, 0, "a field exists in the millisecond of its expiry");
    world.now_ms = 3_001;
    let (sum, _) = world.sweep();
    assert_eq!((sum.fields, sum.expired, world.timed_hashes()), (251, 0, 249));
    let counters = world.keyspace.counters();
    assert_eq!((counters.expired_fields, counters.expired), (251, 0));
    assert_eq!(world.keyspace.database_size(0).keys, 2_000);
    assert_eq!(world.sweep().0.looked_at, 0, "nothing is due any more");
}

#[test]
fn with_its_last_field_the_key_goes() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.set(name, "f");
        world.set(name, "g");
        world.expire(name, "f", 2_000);
    }
    world.expire("a", "g", 2_000);
    world.expire("b", "g", 3_000);
    world.events();
    world.now_ms = 2_001;
    assert_eq!(world.sweep().0.fields, 4);
    let size = world.keyspace.database_size(0);
    assert_eq!((size.keys, size.timed_hashes), (2, 1));
    let events = world.events();
    assert_eq!((events.matches("hexpired").count(), events.matches("del").count()), (3, 1), "{events}");
    assert!(events.contains("hexpired del"), "{events}");
}

#[test]
fn one_step_takes_a_limited_number() {
    let mut world = World::new();
    for field in 0..5_000 {
        world.set("big", &format!("field:{field}"));
        world.expire("big", &format!("field:{field}"), 2_000);
    }
    world.now_ms = 2_001;
    let (sum, most) = world.sweep();
    assert_eq!((sum.fields, world.keyspace.database_size(0).keys), (5_000, 0));
    assert!((1..=500).contains(&most), "{most} fields in one step");
}

#[test]
fn a_key_and_its_fields_expire_each_in_their_time() {
    let mut world = World::new();
    for (name, key_ms) in [("field first", 5_000), ("key first", 1_500)] {
        world.set(name, "f");
        world.set(name, "g");
        world.expire(name, "f", 2_000);
        let keys = [world.keyspace.key(name.as_bytes())];
        let mut view = world.keyspace.view(Locks::Keys(&keys), 1_000, &mut world.effects);
        assert!(view.set_expire(0, keys[0], Some(key_ms)));
    }
    let size = world.keyspace.database_size(0);
    assert_eq!((size.expiring, size.timed_hashes), (2, 2));
    world.now_ms = 2_001;
    let (sum, _) = world.sweep();
    assert_eq!((sum.expired, sum.fields), (1, 1));
    let size = world.keyspace.database_size(0);
    assert_eq!((size.keys, size.expiring, size.timed_hashes), (1, 1, 0));
    let keys = [world.keyspace.key(b"field first")];
    let mut view = world.keyspace.view(Locks::Keys(&keys), 2_001, &mut world.effects);
    // The time of the key is still known where only that of the field was looked at.
    assert!(view.set_expire(0, keys[0], None) && view.expiring(0) == 0);
    drop(view);
    assert_eq!(world.keyspace.database_size(0).expiring, 0);
}

#[test]
fn what_becomes_of_a_timed_hash_is_counted() {
    let mut world = World::new();
    world.set("h", "f");
    world.expire("h", "f", 9_000);
    assert_eq!(world.timed_hashes(), 1);
    world.edit("h", |hash, now_ms| hash.persist(b"f", now_ms));
    assert_eq!(world.timed_hashes(), 0);
    world.expire("h", "f", 9_000);
    let mut view = world.keyspace.view(Locks::All, 1_000, &mut world.effects);
    let (from, to) = (view.key(b"h"), view.key(b"other"));
    view.transfer((0, from), (1, to));
    let sizes = |view: &mut ochre_keyspace::View<'_>| [0, 1].map(|db| view.database_size(db).timed_hashes);
    assert_eq!(sizes(&mut view), [0, 1]);
    view.swap(0, 1);
    assert_eq!(sizes(&mut view), [1, 0]);
    view.set(0, to, NewValue::Int(1), Expiry::Clear);
    assert_eq!(sizes(&mut view), [0, 0]);
}

#[test]
fn a_reader_removes_what_it_finds_expired() {
    let mut world = World::new();
    for field in ["f", "g", "h"] {
        world.set("k", field);
        world.expire("k", field, if field == "h" { 9_000 } else { 2_000 });
    }
    world.events();
    let (changes, dirty) = (world.keyspace.counters().changes, world.effects.dirty);
    let keys = [world.keyspace.key(b"k")];
    let names = |names: &'static [&str]| names.iter().map(|name| name.as_bytes());
    let mut view = world.keyspace.view(Locks::Keys(&keys), 2_001, &mut world.effects);
    view.expire_fields(0, keys[0], names(&["f", "h", "nosuch"]));
    assert_eq!(view.peek_as::<Hash>(0, keys[0]).expect("a hash").map(Hash::len), Some(2));
    view.expire_fields(0, keys[0], names(&["h"]));
    drop(view);
    assert_eq!((world.events().as_str(), world.keyspace.counters().expired_fields), ("hexpired", 1));
    let mut view = world.keyspace.view(Locks::Keys(&keys), 9_001, &mut world.effects);
    view.expire_all_fields(0, keys[0]);
    assert!(!view.exists(0, keys[0]));
    drop(view);
    assert_eq!((world.events().as_str(), world.timed_hashes()), ("hexpired del", 0));
    // It is no change of the reader.
    assert_eq!((world.keyspace.counters().changes, world.effects.dirty), (changes, dirty));
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}

#[test]
fn sweeps_keep_up_with_a_model() {
    let (mut world, mut random) = (World::new(), Random(17));
    let mut model: HashMap<(u64, u64), Option<i64>> = HashMap::new();
    for round in 0..60 {
        for _ in 0..400 {
            let (key, field) = (random.below(600), random.below(12));
            let (name, field_name) = (format!("key:{key}"), format!("field:{field}"));
            match random.below(8) {
                0..=2 => {
                    world.set(&name, &field_name);
                    model.insert((key, field), None);
                }
                3..=5 => {
                    let at_ms = world.now_ms + 1 + random.below(5_000) as i64;
                    world.expire(&name, &field_name, at_ms);
                    model.entry((key, field)).and_modify(|time| *time = Some(at_ms));
                }
                6 => {
                    world.edit(&name, |hash, now_ms| hash.persist(field_name.as_bytes(), now_ms));
                    model.entry((key, field)).and_modify(|time| *time = None);
                }
                _ => {
                    world.edit(&name, |hash, _| hash.remove(field_name.as_bytes()));
                    model.remove(&(key, field));
                }
            }
        }
        world.now_ms += 100 + random.below(900) as i64;
        let due = model.values().filter(|time| time.is_some_and(|at_ms| at_ms < world.now_ms)).count();
        model.retain(|_, time| time.is_none_or(|at_ms| at_ms >= world.now_ms));
        assert_eq!(world.sweep().0.fields, due, "round {round}");
        let mut keys: Vec<u64> = model.keys().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(world.keyspace.database_size(0).keys, keys.len(), "round {round}");
    }
}
