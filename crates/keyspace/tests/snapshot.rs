//! Snapshots against a copy that was made at their instant, while everything that can change a key goes on between any two
//! of their steps.

use std::collections::{BTreeMap, HashMap};

use ochre_keyspace::{
    Effects, Expiry, Garbage, Keyspace, Locks, NewValue, SavedKey, SavedValue, Snapshot, SnapshotSink,
    ValueRef,
};
use ochre_types::hash::{Hash, HashLimits};
use ochre_types::list::{End, List, ListLimits};
use ochre_types::set::{Set, SetLimits};
use ochre_types::zset::{AddRule, ZSet, ZSetLimits};
use ochre_types::{Object, Pinned, Portion, Rng};

const DATABASES: u32 = 3;
const NAMES: u64 = 500;

/// By database and name: the value in words, and when the key expires.
type Copy = BTreeMap<(u32, Vec<u8>), (String, Option<i64>)>;

/// A value in words, whatever encoding it is in.
fn shown(pinned: Pinned) -> String {
    let mut words = Vec::new();
    match pinned {
        Pinned::List(mut list) => {
            while list.read(Portion::of_elements(3), &mut |item| words.push(format!("{item:?}"))) {}
            return format!("list {}", words.join(" "));
        }
        Pinned::Set(mut set) => {
            while set.read(Portion::of_elements(3), &mut |item| words.push(format!("{item:?}"))) {}
        }
        Pinned::ZSet(mut zset) => {
            while zset
                .read(Portion::of_elements(3), &mut |item, score| words.push(format!("{item:?}={score}")))
            {
            }
        }
        Pinned::Hash(mut hash) => {
            let mut add = |field: ochre_types::hash::HashEntry<'_>| {
                words.push(format!("{:?}={:?}@{:?}", field.name, field.value, field.expire_ms));
            };
            while hash.read(Portion::of_elements(3), i64::MIN, &mut add) {}
        }
        Pinned::String(string) => return format!("{:?}", &*string),
        Pinned::Stream(_) => unreachable!("there are no streams here"),
    }
    words.sort();
    words.join(" ")
}

fn shown_object(mut object: Object) -> String {
    match object.as_mut() {
        ochre_types::ObjectMut::String(string) => format!("{:?}", &**string),
        other => shown(other.pin()),
    }
}

fn shown_value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Int(number) => number.to_string(),
        ValueRef::Bytes { bytes, .. } => format!("{bytes:?}"),
        ValueRef::Object(object) => shown_object(object.to_object()),
    }
}

/// A keyspace with what makes it move.
struct World<'w> {
    keyspace: &'w Keyspace,
    rng: Rng,
    now_ms: i64,
}

impl World<'_> {
    fn draw(&mut self, below: u64) -> u64 {
        self.rng.below(below)
    }

    fn name(&mut self) -> Vec<u8> {
        format!("key:{}", self.draw(NAMES)).into_bytes()
    }

    fn copy(&self) -> Copy {
        let mut copy = Copy::new();
        let mut effects = Effects::default();
        let mut view = self.keyspace.view(Locks::All, i64::MIN, &mut effects);
        for db in 0..DATABASES {
            view.visit_all(db, &mut |entry| {
                copy.insert((db, entry.key().to_vec()), (shown_value(entry.value()), entry.expire_ms()));
            });
        }
        copy
    }

    fn begin(&self) -> Option<Snapshot> {
        let mut effects = Effects::default();
        self.keyspace.view(Locks::All, self.now_ms, &mut effects).begin_snapshot()
    }

    fn begin_brief(&self) -> Option<Snapshot> {
        let mut effects = Effects::default();
        self.keyspace.view(Locks::All, self.now_ms, &mut effects).begin_brief_snapshot()
    }

    /// One change of some kind.
    fn change(&mut self) {
        let (db, to_db) = (self.draw(u64::from(DATABASES)) as u32, self.draw(u64::from(DATABASES)) as u32);
        let (name, other, number) = (self.name(), self.name(), self.draw(1_000_000) as i64);
        let kind = self.draw(1000);
        if self.draw(3) == 0 {
            self.now_ms += 1;
        }
        let now_ms = self.now_ms;
        let mut effects = Effects::default();
        let mut view = self.keyspace.view(Locks::All, now_ms, &mut effects);
        let (key, to) = (self.keyspace.key(&name), self.keyspace.key(&other));
        let text = number.to_string();
        match kind {
            0..150 => view.set(db, key, NewValue::Bytes { bytes: text.as_bytes(), raw: false }, Expiry::Keep),
            150..200 => {
                view.set(db, key, NewValue::Int(number), Expiry::At(now_ms + number % 50));
            }
            200..260 => {
                let read = |value: Option<ValueRef<'_>>| match value {
                    Some(ValueRef::Int(number)) => Ok(number),
                    Some(_) => Err(()),
                    None => Ok(0),
                };
                _ = view.update_int(db, key, read, |number| Ok(number + 1));
            }
            260..300 => _ = view.append_string(db, key, text.as_bytes(), |_| Ok::<(), ()>(())),
            300..400 => {
                let limits = SetLimits::default();
                _ = view.edit_or_create(db, key, |set: &mut Set, edit| {
                    edit.changed(1);
                    for step in 0..number % 40 {
                        set.add((number + step).to_string().as_bytes(), &limits);
                    }
                    set.remove(text.as_bytes());
                });
            }
            400..500 => {
                let limits = HashLimits { entries_max: 4, value_bytes_max: 64 };
                _ = view.edit_or_create(db, key, |hash: &mut Hash, edit| {
                    edit.changed(1);
                    for step in 0..number % 12 {
                        hash.set((number + step).to_string().as_bytes(), text.as_bytes(), &limits);
                    }
                });
            }
            500..600 => {
                let limits = ZSetLimits::default();
                _ = view.edit_or_create(db, key, |zset: &mut ZSet, edit| {
                    edit.changed(1);
                    for step in 0..number % 300 {
                        let score = (number * 7 % 1000) as f64;
                        _ = zset.add((step).to_string().as_bytes(), score, AddRule::default(), &limits);
                    }
                });
            }
            600..700 => {
                _ = view.edit_or_create(db, key, |list: &mut List, edit| {
                    edit.changed(1);
                    let words: Vec<String> = (0..number % 200).map(|step| step.to_string()).collect();
                    list.push(End::Tail, words.iter().map(String::as_bytes), &ListLimits::default());
                });
            }
            700..780 => _ = view.remove(db, key),
            780..840 => _ = view.transfer((db, key), (to_db, to)),
            840..900 => _ = view.set_expire(db, key, (number % 2 == 0).then_some(now_ms + number % 80)),
            900..990 => {
                let stripe = number as usize % self.keyspace.stripes();
                let (mut next, mut steps) = (Some(0), 0);
                while let Some(position) = next.filter(|_| steps < 3) {
                    next = view.sweep(stripe, db, position).next;
                    steps += 1;
                }
            }
            990..994 => view.swap(db, to_db),
            994..996 => _ = view.clear(db),
            _ => _ = view.read(db, key),
        }
    }
}

/// What a snapshot told.
struct Told<'t, 'w> {
    world: &'t mut World<'w>,
    keys: HashMap<(u32, Vec<u8>), (String, Option<i64>)>,
    /// How much is changed between two steps.
    changes: u64,
    /// What is left to be told before nobody wants it any more.
    patience: usize,
    /// A second snapshot begins after so many steps, with the copy of that instant.
    second_in: Option<usize>,
    second: Option<(Snapshot, Copy)>,
    /// Brief ones of the same instant.
    brief: Vec<Snapshot>,
}

impl SnapshotSink for Told<'_, '_> {
    fn save(&mut self, saved: SavedKey<'_>) {
        let value = match saved.value {
            SavedValue::Int(number) => number.to_string(),
            SavedValue::Bytes(bytes) => format!("{bytes:?}"),
            SavedValue::Object(object) => shown_object(object.to_object()),
            SavedValue::Pinned(pinned) => shown(pinned),
        };
        let before = self.keys.insert((saved.db, saved.key.to_vec()), (value, saved.expire_ms));
        assert_eq!(before, None, "told twice: {:?}", saved.key);
    }

    fn goes_on(&mut self) -> bool {
        for _ in 0..self.changes {
            self.world.change();
        }
        match &mut self.second_in {
            Some(0) => {
                self.second_in = None;
                let copy = self.world.copy();
                self.second = self.world.begin().map(|snapshot| (snapshot, copy));
                assert!(self.second.is_some(), "there may be two");
                assert!(self.world.begin().is_none());
                self.brief.extend((0..4).map_while(|_| self.world.begin_brief()));
                assert_eq!(self.brief.len(), 3);
            }
            Some(steps) => *steps -= 1,
            None => {}
        }
        self.patience = self.patience.saturating_sub(1);
        self.patience > 0
    }
}

fn told<'t, 'w>(world: &'t mut World<'w>, changes: u64, patience: usize) -> Told<'t, 'w> {
    Told { world, keys: HashMap::new(), changes, patience, second_in: None, second: None, brief: Vec::new() }
}

fn assert_same(told: HashMap<(u32, Vec<u8>), (String, Option<i64>)>, copy: Copy, what: &str) {
    let told: Copy = told.into_iter().collect();
    for (key, value) in &copy {
        assert_eq!(told.get(key), Some(value), "{what}: {} {:?}", key.0, String::from_utf8_lossy(&key.1));
    }
    assert_eq!(told.len(), copy.len(), "{what}: something was told that was not there");
}

#[test]
fn a_snapshot_tells_its_instant_whatever_happens_meanwhile() {
    for seed in 0..2 {
        let keyspace = Keyspace::new(DATABASES as usize, 1, seed);
        let mut world = World { keyspace: &keyspace, rng: Rng::new(seed), now_ms: 1000 };
        for round in 0..3 {
            let changes = [0, 1, 5, 40][world.draw(4) as usize];
            (0..800).for_each(|_| world.change());
            let copy = world.copy();
            let snapshot = world.begin().expect("the last one is over");
            assert_eq!(snapshot.keys(), copy.len());
            let mut sink = told(&mut world, changes, usize::MAX);
            keyspace.tell_snapshot(snapshot, &mut sink);
            assert_same(sink.keys, copy, &format!("seed {seed}, round {round}, {changes} changes a step"));
        }
    }
}

#[test]
fn a_snapshot_that_was_given_up_leaves_nothing_to_the_next() {
    let keyspace = Keyspace::new(DATABASES as usize, 1, 3);
    let mut world = World { keyspace: &keyspace, rng: Rng::new(3), now_ms: 1000 };
    for patience in [0, 1, 20, 100, 300] {
        (0..800).for_each(|_| world.change());
        let snapshot = world.begin().expect("the last one is over");
        keyspace.tell_snapshot(snapshot, &mut told(&mut world, 3, patience));
        let copy = world.copy();
        let snapshot = world.begin().expect("it was given up");
        let mut sink = told(&mut world, 3, usize::MAX);
        keyspace.tell_snapshot(snapshot, &mut sink);
        assert_same(sink.keys, copy, &format!("after one of {patience} steps"));
    }
}

#[test]
fn several_snapshots_at_a_time_tell_their_own_instants() {
    for seed in 20..22 {
        let keyspace = Keyspace::new(DATABASES as usize, 1, seed);
        let mut world = World { keyspace: &keyspace, rng: Rng::new(seed), now_ms: 1000 };
        for second_in in [0, 10, 100, 180] {
            (0..800).for_each(|_| world.change());
            let copy = world.copy();
            let first = world.begin().expect("the last one is over");
            let mut sink = told(&mut world, 4, usize::MAX);
            sink.second_in = Some(second_in);
            keyspace.tell_snapshot(first, &mut sink);
            let (keys, second, brief) = (sink.keys, sink.second, sink.brief);
            assert_same(keys, copy, &format!("seed {seed}, the first, {second_in} steps ahead"));
            let (second, copy) = second.expect("it has begun");
            for snapshot in brief {
                let mut sink = told(&mut world, 4, usize::MAX);
                keyspace.tell_snapshot(snapshot, &mut sink);
                assert_same(sink.keys, copy.clone(), &format!("seed {seed}, a brief one"));
            }
            let mut sink = told(&mut world, 4, usize::MAX);
            keyspace.tell_snapshot(second, &mut sink);
            assert_same(sink.keys, copy, &format!("seed {seed}, the second, {second_in} steps behind"));
        }
    }
}

#[test]
fn what_was_emptied_is_freed_once_it_is_told() {
    let keyspace = Keyspace::new(1, 1, 9);
    let mut effects = Effects::default();
    let mut view = keyspace.view(Locks::All, 1, &mut effects);
    for number in 0..5000i64 {
        let name = format!("key:{number}");
        let key = view.key(name.as_bytes());
        view.set(0, key, NewValue::Int(number), Expiry::Clear);
    }
    let snapshot = view.begin_snapshot().expect("the first");
    let garbage: Vec<Garbage> = view.clear(0);
    assert!(garbage.is_empty(), "the walker has it all");
    drop(view);
    let mut world = World { keyspace: &keyspace, rng: Rng::new(1), now_ms: 1 };
    let mut sink = told(&mut world, 0, usize::MAX);
    keyspace.tell_snapshot(snapshot, &mut sink);
    assert_eq!(sink.keys.len(), 5000);
}
