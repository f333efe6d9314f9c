//! The keyspace under several threads at once, for the sanitizers: growth and shrinking, hints read without a lock, expiry,
//! walks, emptying and swapping, with what must stay true meanwhile.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_keyspace::{Effects, Expiry, Garbage, Keyspace, Locks, NewValue, Sweeper, ValueRef};

const DATABASES: usize = 2;
/// Of the writers; the others go on until these are done.
const ROUNDS: u32 = 30;
const KEYS: u32 = 1_500;

/// Keys `a` and `b` hold the same number at any time, however often they are written, emptied and swapped.
fn write_pairs(keyspace: &Keyspace, number: u32) {
    let mut effects = Effects::default();
    for step in 0..ROUNDS * 100 {
        effects.clear();
        let pair = [keyspace.key(b"a"), keyspace.key(b"b")];
        let mut view = keyspace.view(Locks::Keys(&pair), 0, &mut effects);
        for key in pair {
            view.set(step % 2, key, NewValue::Int(i64::from(number * step)), Expiry::Clear);
        }
    }
}

fn check_pairs(keyspace: &Keyspace, stop: &AtomicBool) {
    let mut effects = Effects::default();
    while !stop.load(Relaxed) {
        let pair = [keyspace.key(b"a"), keyspace.key(b"b")];
        let mut view = keyspace.view(Locks::Keys(&pair), 0, &mut effects);
        for db in 0..DATABASES as u32 {
            let [a, b] = pair.map(|key| {
                view.read(db, key).map(|entry| match entry.value() {
                    ValueRef::Int(number) => number,
                    other => panic!("{other:?}"),
                })
            });
            assert_eq!(a, b, "database {db}");
        }
    }
}

/// Makes tables grow and shrink; what it has written it finds, unless everything was emptied or swapped away.
fn grow_and_shrink(keyspace: &Keyspace, number: u32) {
    let mut effects = Effects::default();
    for round in 0..ROUNDS {
        for removes in [false, true] {
            for at in 0..KEYS {
                effects.clear();
                let name = format!("{number}:{at}");
                let (key, db) = (keyspace.key(name.as_bytes()), round % DATABASES as u32);
                let mut view = keyspace.view(Locks::Keys(&[key]), i64::from(round), &mut effects);
                if removes {
                    view.remove(db, key);
                    continue;
                }
                let expiry = if at % 3 == 0 { Expiry::At(i64::from(round) + 1) } else { Expiry::Clear };
                view.set(db, key, NewValue::Bytes { bytes: name.as_bytes(), raw: false }, expiry);
                let found = view.read(db, key).map(|entry| entry.key().to_vec());
                assert_eq!(found.as_deref(), Some(name.as_bytes()));
            }
        }
    }
}

/// Reads the hints of tables while others move what they point to, and looks for keys where they were a moment ago.
fn prefetch(keyspace: &Keyspace, stop: &AtomicBool) {
    let mut effects = Effects::default();
    for at in (0..KEYS).cycle() {
        if stop.load(Relaxed) {
            return;
        }
        let name = format!("0:{at}");
        for db in 0..DATABASES as u32 {
            let mut keys = [keyspace.key(name.as_bytes())];
            keyspace.prefetch_words(db, &mut keys);
            keyspace.prefetch_lines(db, &keys);
            let mut displaced = false;
            keyspace.prefetch_entries(db, &mut keys, |_| displaced = true);
            while displaced {
                displaced = keyspace.prefetch_displaced(db, &mut keys[0]);
            }
            let key = keys[0];
            // Where it was seen it may no longer be.
            effects.clear();
            let mut view = keyspace.view(Locks::Keys(&[key]), 0, &mut effects);
            let found = view.read(db, key).map(|entry| entry.key().to_vec());
            assert!(found.is_none_or(|found| found == key.bytes));
        }
    }
}

/// Empties and swaps databases, and has what was in them freed elsewhere.
fn empty_and_swap(keyspace: &Keyspace, stop: &AtomicBool) {
    let mut effects = Effects::default();
    while !stop.load(Relaxed) {
        effects.clear();
        let mut view = keyspace.view(Locks::All, 0, &mut effects);
        view.swap(0, 1);
        let garbage = view.clear(0);
        assert_eq!(view.len(0), 0);
        drop(view);
        garbage.into_iter().for_each(|part: Garbage| keyspace.reclaimer.hand_over(part));
        std::thread::yield_now();
    }
}

/// Walks over everything a stripe at a time, sweeping what has expired.
fn walk(keyspace: &Keyspace, stop: &AtomicBool) {
    let mut effects = Effects::default();
    while !stop.load(Relaxed) {
        for index in 0..keyspace.stripes() {
            effects.clear();
            let mut view = keyspace
                .try_view_stripe(index, i64::from(ROUNDS), &mut effects)
                .expect("nobody holds everything");
            if view.may_expire(index, 0) {
                view.sweep(index, 0, 0);
            }
        }
        assert!(keyspace.database_size(1).keys <= (2 * KEYS + 2) as usize);
    }
}

#[test]
fn threads_do_not_disturb_each_other() {
    let (keyspace, stop) = (Keyspace::new(DATABASES, 4, 11), AtomicBool::new(false));
    let (keyspace, stop) = (&keyspace, &stop);
    std::thread::scope(|scope| {
        let others: [fn(&Keyspace, &AtomicBool); 4] = [check_pairs, prefetch, empty_and_swap, walk];
        others.into_iter().for_each(|other| drop(scope.spawn(move || other(keyspace, stop))));
        let pairs = (1..3).map(|number| scope.spawn(move || write_pairs(keyspace, number)));
        let tables = (0..2).map(|number| scope.spawn(move || grow_and_shrink(keyspace, number)));
        let writers: Vec<_> =
            pairs.collect::<Vec<_>>().into_iter().chain(tables.collect::<Vec<_>>()).collect();
        let results: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        stop.store(true, Relaxed);
        results.into_iter().for_each(|result| result.expect("a writer found what it wrote"));
    });
    let start = Instant::now();
    while keyspace.reclaimer.pending() > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{} not freed", keyspace.reclaimer.pending());
        std::thread::yield_now();
    }
}

/// Who sweeps waits for no stripe: what is in one that somebody has comes in the next round.
#[test]
fn a_sweep_passes_over_stripes_that_are_taken() {
    let keyspace = &Keyspace::new(DATABASES, 1, 12);
    let mut effects = Effects::default();
    let names: Vec<_> = (0..KEYS).map(|number| format!("key:{number}")).collect();
    let stripe_of = |name: &str| keyspace.stripe_of(keyspace.key(name.as_bytes()).hash.position());
    for name in &names {
        let key = [keyspace.key(name.as_bytes())];
        keyspace.view(Locks::Keys(&key), 0, &mut effects).set(0, key[0], NewValue::Int(1), Expiry::At(1));
    }
    let round = || {
        let (mut sweeper, mut effects, mut expired) = (Sweeper::new(0, 1), Effects::default(), 0);
        loop {
            let step = sweeper.step(keyspace, 2, &mut effects);
            expired += step.expired;
            if step.round_ended {
                return expired;
            }
        }
    };
    let in_taken = names.iter().filter(|name| stripe_of(name) == stripe_of(&names[0])).count();
    let taken = [keyspace.key(names[0].as_bytes())];
    let view = keyspace.view(Locks::Keys(&taken), 0, &mut effects);
    let in_others = std::thread::scope(|scope| scope.spawn(round).join().expect("it does not panic"));
    assert_eq!(in_others, names.len() - in_taken);
    drop(view);
    assert_eq!(round(), in_taken);
}
