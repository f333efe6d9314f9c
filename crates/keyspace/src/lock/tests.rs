//! Locks under threads; all orders of a few steps are tried in `tests/interleavings`.

use super::*;

const ADDED: u64 = 50_000;

fn numbers(count: usize) -> LockSet<u64> {
    LockSet::new((0..count).map(|_| 0))
}

#[test]
fn one_at_a_time() {
    let set = numbers(2);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..ADDED).for_each(|_| *set.lock(1) += 1));
        }
    });
    assert_eq!((*set.lock(0), *set.lock(1)), (0, 4 * ADDED));
}

#[test]
fn who_has_all_is_alone() {
    let set = &numbers(4);
    std::thread::scope(|scope| {
        for index in 0..4 {
            scope.spawn(move || (0..ADDED).for_each(|_| *set.lock(index) += 1));
        }
        scope.spawn(|| {
            // Two at a time, in order.
            for _ in 0..ADDED {
                let (mut first, mut last) = (set.lock(0), set.lock(3));
                *first += 1;
                *last += 1;
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..ADDED / 10 {
                    let mut all = set.lock_all();
                    let before: u64 = all.iter().sum();
                    all.iter_mut().for_each(|number| *number += 1);
                    assert_eq!(all.iter().sum::<u64>(), before + 4);
                }
            });
        }
    });
    let of_all = 2 * (ADDED / 10);
    let found: Vec<u64> = set.lock_all().iter().copied().collect();
    assert_eq!(found, [2 * ADDED + of_all, ADDED + of_all, ADDED + of_all, 2 * ADDED + of_all]);
}

#[test]
fn waits_for_whoever_holds_it_for_long() {
    let set = numbers(1);
    let guard = set.lock(0);
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(set.try_lock(0).is_none())).join().expect("it does not panic");
        for _ in 0..2 {
            scope.spawn(|| *set.lock(0) += 1);
        }
        // Until they starve.
        while !set.locks[0].word.starving.load(Relaxed) {
            std::thread::yield_now();
        }
        drop(guard);
    });
    assert_eq!(*set.lock(0), 2);
    assert!(!set.locks[0].word.starving.load(Relaxed));
}

#[test]
fn waits_for_whoever_has_all_for_long() {
    let set = numbers(2);
    let all = set.lock_all();
    std::thread::scope(|scope| {
        scope.spawn(|| *set.lock(0) += 1);
        scope.spawn(|| *set.lock_all().get_mut(1) += 1);
        while !set.gate.word.starving.load(Relaxed) {
            std::thread::yield_now();
        }
        drop(all);
    });
    assert_eq!(set.lock_all().iter().collect::<Vec<_>>(), [&1, &1]);
    assert!(!set.gate.word.starving.load(Relaxed));
}

#[test]
fn who_has_one_goes_on_while_another_waits_for_all() {
    let set = numbers(2);
    let first = set.lock(0);
    std::thread::scope(|scope| {
        scope.spawn(|| *set.lock_all().get_mut(1) += 1);
        while !set.gate.word.taken.load(Relaxed) {
            std::thread::yield_now();
        }
        // From outside nobody gets in any more.
        scope.spawn(|| assert!(set.try_lock(1).is_none())).join().expect("it does not panic");
        assert_eq!(*set.lock(1), 0);
        drop(first);
    });
    assert_eq!(*set.lock(1), 1);
}

#[test]
fn a_lease_is_for_who_is_alone() {
    let set = &numbers(2);
    let elsewhere = |work: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"));
    };
    let lease = set.lease().expect("nobody else is there");
    assert!(set.lease().is_none(), "one at a time");
    elsewhere(&|| assert!(set.try_lock(0).is_none() && set.lease().is_none()));
    let first = set.lock(0);
    assert!(set.try_lock(0).is_none());
    *set.lock(1) += 1;
    drop(first);
    let mut all = set.lock_all();
    all.iter_mut().for_each(|number| *number += 1);
    assert!(set.try_lock(1).is_none() && set.lock_all_unless(|| true).is_none(), "not while it has all");
    assert!(set.lock_unless(1, || true).is_none());
    drop(all);
    elsewhere(&|| assert!(set.try_lock(1).is_none()));
    drop(lease);
    elsewhere(&|| assert_eq!((*set.lock(0), *set.lock(1)), (1, 2)));
    // Who was refused above asks no more for a while.
    assert!((0..WITHOUT).all(|_| set.lease().is_none()));
    assert!((0..=WITHOUT + 1).any(|_| set.lease().is_some()));
    // Nobody while another one is inside.
    let guard = set.lock(0);
    elsewhere(&|| assert!((0..=WITHOUT).all(|_| set.lease().is_none() && set.try_lock_all().is_none())));
    drop(guard);
    // Nor does anybody have all of them in passing then, or under a lease.
    let all = (0..=WITHOUT + 1).find_map(|_| set.try_lock_all()).expect("nobody else is there");
    elsewhere(&|| assert!(set.try_lock(0).is_none() && set.try_lock_all().is_none()));
    drop(all);
    let _lease = (0..=WITHOUT + 1).find_map(|_| set.lease()).expect("nobody else is there");
    assert!(set.try_lock_all().is_none());
}

#[test]
fn leases_beside_others_who_take_one_or_all() {
    let set = &numbers(4);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ADDED {
                let _lease = set.lease();
                (0..4).for_each(|index| *set.lock(index) += 1);
            }
        });
        scope.spawn(|| (0..ADDED).for_each(|_| *set.lock(2) += 1));
        scope.spawn(|| {
            for _ in 0..ADDED / 100 {
                set.lock_all().iter_mut().for_each(|number| *number += 1);
                std::thread::sleep(Duration::from_micros(10));
            }
        });
    });
    let every = ADDED + ADDED / 100;
    let found: Vec<u64> = set.lock_all().iter().copied().collect();
    assert_eq!(found, [every, every, every + ADDED, every]);
}

#[test]
#[should_panic(expected = "outlives")]
fn no_lock_outlives_its_lease() {
    let set = numbers(1);
    let lease = set.lease();
    let _guard = set.lock(0);
    drop(lease);
}

#[test]
fn who_gives_up_leaves_no_trace() {
    let set = numbers(1);
    let is_starving = || set.locks[0].word.starving.load(Relaxed) || set.gate.word.starving.load(Relaxed);
    let guard = set.lock(0);
    let elsewhere = |work: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"));
    };
    elsewhere(&|| assert!(set.lock_unless(0, is_starving).is_none()));
    assert!(!is_starving());
    drop(guard);
    assert!(set.lock_unless(0, || true).is_some(), "a free lock is taken whoever is impatient");
    let all = set.lock_all();
    elsewhere(&|| assert!(set.lock_unless(0, is_starving).is_none()));
    elsewhere(&|| assert!(set.lock_all_unless(is_starving).is_none()));
    assert!(!is_starving());
    drop(all);
    assert!(set.lock_all_unless(|| true).is_some());
}
