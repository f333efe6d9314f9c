//! The promise of SCAN, at the level of commands: what is there all the time is returned.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::{Recorder, make_stale};
use crate::testing::Harness;

/// The cursor and the names of a step's reply.
fn step(harness: &mut Harness, request: &str) -> (u64, Vec<String>) {
    let reply = harness.run(request);
    let mut parts = reply.split('|');
    assert_eq!(parts.next(), Some("*2"), "{request}: {reply}");
    let cursor = parts.nth(1).and_then(|cursor| cursor.parse().ok()).expect("a cursor");
    let count: usize = parts.next().and_then(|count| count[1..].parse().ok()).expect("a count");
    let names: Vec<String> = parts.skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(names.len(), count, "{request}");
    (cursor, names)
}

/// All steps of a walk, with the number of them.
fn walk(harness: &mut Harness, options: &str) -> (Vec<String>, usize) {
    let (mut names, mut cursor, mut steps) = (Vec::new(), 0, 0);
    loop {
        let (next, found) = step(harness, &format!("scan {cursor} {options}"));
        (names, cursor, steps) = ([names, found].concat(), next, steps + 1);
        if cursor == 0 {
            return (names, steps);
        }
    }
}

fn fill(harness: &mut Harness, prefix: &str, count: usize) {
    (0..count).for_each(|number| drop(harness.run(&format!("set {prefix}:{number} v"))));
}

#[test]
fn a_quiet_database_is_returned_once() {
    let mut harness = Harness::new();
    fill(&mut harness, "key", 1000);
    for (count, steps) in [(1, 150..=1001), (10, 60..=101), (100, 8..=11), (1000, 1..=2), (100_000, 1..=1)] {
        let (mut names, taken) = walk(&mut harness, &format!("count {count}"));
        assert!(steps.contains(&taken), "COUNT {count}: {taken} steps");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 1000);
    }
}

#[test]
fn an_empty_database_ends_at_once() {
    let mut harness = Harness::new();
    assert_eq!(harness.run("scan 0 count 1"), "*2|$1|0|*0|");
    assert_eq!(harness.run("scan 281474976710655"), "*2|$1|0|*0|");
    assert_eq!(harness.run("scan 281474976710656"), "*2|$1|0|*0|");
    harness.run("set k v");
    assert_eq!(harness.run("scan 0"), "*2|$1|0|*1|$1|k|");
}

#[test]
fn options_filter() {
    let mut harness = Harness::new();
    fill(&mut harness, "a", 50);
    fill(&mut harness, "b", 50);
    for (options, found) in [
        ("match a:*", 50),
        ("match *:7", 2),
        ("match a:7", 1),
        ("match * type string", 100),
        ("match b:* type STRING count 3", 50),
        ("type list", 0),
        ("type nosuch", 0),
    ] {
        assert_eq!(walk(&mut harness, options).0.len(), found, "{options}");
    }
}

#[test]
fn growth_and_shrinking_between_steps_lose_nothing() {
    const NOISE: usize = 6000;
    let mut harness = Harness::new();
    fill(&mut harness, "stay", 300);
    for round in 0..4 {
        let (mut names, mut cursor, mut noise) = (BTreeSet::new(), 0, 0usize);
        loop {
            let (next, found) = step(&mut harness, &format!("scan {cursor} count 20"));
            names.extend(found);
            cursor = next;
            if cursor == 0 {
                break;
            }
            // Even rounds grow while they walk, odd ones shrink; in a walk of some hundred steps.
            for _ in 0..300.min(NOISE - noise) {
                let verb = if round % 2 == 0 { "set" } else { "del" };
                let value = if round % 2 == 0 { "v" } else { "" };
                harness.run(&format!("{verb} noise:{noise} {value}"));
                noise += 1;
            }
        }
        let stayed = names.iter().filter(|name| name.starts_with("stay")).count();
        assert_eq!(stayed, 300, "round {round}");
    }
}

#[test]
fn concurrent_writers_lose_nothing() {
    let mut harness = Harness::new();
    fill(&mut harness, "stay", 1000);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2)
        .map(|writer| {
            let (engine, stop) = (Arc::clone(&harness.executor.engine), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut harness = Harness::on(engine);
                while !stop.load(Relaxed) {
                    fill(&mut harness, &format!("noise:{writer}"), 5000);
                    (0..5000).for_each(|number| drop(harness.run(&format!("del noise:{writer}:{number}"))));
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let (names, _) = walk(&mut harness, "count 20");
        let stayed: BTreeSet<_> = names.iter().filter(|name| name.starts_with("stay")).collect();
        assert_eq!(stayed.len(), 1000);
    }
    stop.store(true, Relaxed);
    writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
}

#[test]
fn a_transaction_walks_on_the_locks_it_holds() {
    let mut harness = Harness::new();
    fill(&mut harness, "key", 200);
    harness.run("multi");
    harness.run("set k v");
    harness.run("scan 0 count 1000");
    harness.run("del k");
    let reply = harness.run("exec");
    assert!(reply.starts_with("*3|+OK|*2|$1|0|*201|") && reply.ends_with(":1|"), "{reply}");
}

#[test]
fn keys_by_name_leave_no_trace() {
    let mut harness = Harness::new();
    fill(&mut harness, "key", 100);
    make_stale(&harness, 0, "key:7");
    let recorder = Recorder::attach(&harness);
    for (pattern, expected) in [
        ("key:8", "*1|$5|key:8|"),
        ("key:7", "*0|"),
        ("key:100", "*0|"),
        ("k*y:7", "*0|"),
        ("key:[8]", "*1|$5|key:8|"),
    ] {
        assert_eq!(harness.run(&format!("keys {pattern}")), expected, "{pattern}");
    }
    assert_eq!((harness.run("dbsize"), recorder.take()), (":100|".to_owned(), String::new()));
    let stats = harness.run("info stats");
    assert!(stats.contains("|keyspace_hits:0|keyspace_misses:0|"), "{stats}");
}

#[test]
fn expired_keys_are_removed_stripe_by_stripe() {
    let mut harness = Harness::new();
    fill(&mut harness, "key", 100);
    (0..100).for_each(|number| make_stale(&harness, 0, &format!("key:{number}")));
    let recorder = Recorder::attach(&harness);
    assert_eq!(walk(&mut harness, "count 1000").0.len(), 0);
    let journal = recorder.take();
    let removed: BTreeSet<_> =
        journal.split("; ").filter(|command| command.starts_with("DEL key:")).collect();
    assert_eq!(removed.len(), 100);
    assert!(
        journal.matches("EXEC").count() > 1,
        "every stripe's removals are a unit before its lock is gone"
    );
    assert_eq!(harness.run("dbsize"), ":0|");
}
