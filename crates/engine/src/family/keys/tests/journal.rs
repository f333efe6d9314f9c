//! What each command that writes leaves in the journal; as Redis 8.6 propagates it.

use std::sync::atomic::Ordering::Relaxed;

use super::{Recorder, make_stale};
use crate::testing::Harness;

/// Requests, and what they add to the journal, in order. `!k` makes the time of k come.
const CASES: &[(&str, &str)] = &[
    ("set a 1", "SELECT 0; set a 1"),
    ("expireat a 9000000000", "PEXPIREAT a 9000000000000"),
    ("EXPIREAT a 9000000001 xx GT", "PEXPIREAT a 9000000001000 xx GT"),
    ("pexpireat a 9000000000001", "pexpireat a 9000000000001"),
    ("pexpireat a 9000000000001", "pexpireat a 9000000000001"),
    ("expire a 100 nx", ""),
    ("persist a", "persist a"),
    ("persist a", ""),
    ("expire a -1", "DEL a"),
    ("expire a -1", ""),
    ("set a 1", "set a 1"),
    ("pexpireat a 1", "DEL a"),
    ("set a 1", "set a 1"),
    ("set b 2", "set b 2"),
    ("del a b c", "del a b c"),
    ("unlink a", ""),
    ("set a 1", "set a 1"),
    ("unlink a b", "unlink a b"),
    ("set a 1", "set a 1"),
    ("set b 2", "set b 2"),
    ("rename a b", "rename a b"),
    ("rename b b", ""),
    ("rename a b", ""),
    ("renamenx b a", "renamenx b a"),
    ("renamenx a a", ""),
    ("set b 1", "set b 1"),
    ("renamenx a b", ""),
    ("copy a b", ""),
    ("copy a b replace", "copy a b replace"),
    ("copy a z db 1", "copy a z db 1"),
    ("copy a z db 1", ""),
    ("copy a z db 1 REPLACE", "copy a z db 1 REPLACE"),
    ("move a 1", "move a 1"),
    ("move a 1", ""),
    ("swapdb 0 1", "swapdb 0 1"),
    ("swapdb 0 0", "swapdb 0 0"),
    ("flushdb", "flushdb"),
    ("flushdb async", "flushdb async"),
    ("select 1", ""),
    ("flushdb Sync", "SELECT 1; flushdb Sync"),
    ("flushall", "flushall"),
    ("flushall SYNC", "flushall SYNC"),
    ("flushall nosuch", ""),
    ("touch a", ""),
    // Expired keys are removed first, in the same unit.
    ("select 0", ""),
    ("set a 1", "SELECT 0; set a 1"),
    ("set b 2", "set b 2"),
    ("!b", ""),
    ("keys *", ""),
    ("rename a b", "MULTI; DEL b; rename a b; EXEC"),
    ("!b", ""),
    ("type b", "DEL b"),
    ("set a 1", "set a 1"),
    ("!a", ""),
    ("expire a 10", "DEL a"),
    ("set a 1", "set a 1"),
    ("!a", ""),
    ("scan 0 match b", ""),
    ("scan 0 type nosuch", "DEL a"),
    ("set a 1", "set a 1"),
    ("!a", ""),
    ("randomkey", "DEL a"),
    ("set a 1", "set a 1"),
    ("!a", ""),
    ("del a", "DEL a"),
    ("set a 1", "set a 1"),
    ("!a", ""),
    ("flushall", "flushall"),
    // A transaction is one unit.
    ("multi", ""),
    ("set a 1", ""),
    ("expireat a 9000000000", ""),
    ("copy a b db 2", ""),
    ("flushdb", ""),
    ("exec", "MULTI; set a 1; PEXPIREAT a 9000000000000; copy a b db 2; flushdb; EXEC"),
];

#[test]
fn what_reaches_the_journal() {
    let mut harness = Harness::new();
    let recorder = Recorder::attach(&harness);
    for (request, journal) in CASES {
        match request.strip_prefix('!') {
            Some(name) => make_stale(&harness, harness.client.db, name),
            None => drop(harness.run(request)),
        }
        assert_eq!(recorder.take(), *journal, "{request}");
    }
}

#[test]
fn relative_times_become_absolute() {
    let mut harness = Harness::new();
    let recorder = Recorder::attach(&harness);
    harness.run("set k v");
    for request in ["expire k 100", "pexpire k 100000 XX"] {
        recorder.take();
        harness.run(request);
        let at_ms = harness.run("pexpiretime k").trim_matches(|c| c == ':' || c == '|').to_owned();
        let options = if request.ends_with("XX") { " XX" } else { "" };
        assert_eq!(recorder.take(), format!("PEXPIREAT k {at_ms}{options}"), "{request}");
    }
}

#[test]
fn removals_are_called_unlink_where_expiry_is_lazy() {
    let mut harness = Harness::new();
    harness.executor.engine.keyspace.settings.lazyfree_expire.store(true, Relaxed);
    let recorder = Recorder::attach(&harness);
    harness.run("set k v");
    recorder.take();
    harness.run("expire k -1");
    assert_eq!(recorder.take(), "UNLINK k");
}

#[test]
fn a_change_counts_once() {
    let mut harness = Harness::new();
    let cases = [
        ("set a 1", 1),
        ("set b 1", 1),
        ("expire a 100", 1),
        ("rename a b", 1),
        ("copy b c", 1),
        ("move b 1", 1),
        ("swapdb 0 1", 1),
        ("swapdb 3 3", 1),
        ("persist b", 1),
        ("del b nosuch", 1),
        ("set b 1", 1),
        ("pexpireat b 1", 1),
        ("set b 1", 1),
        ("flushall", 2),
        ("flushall", 0),
        ("touch b", 0),
    ];
    for (request, changes) in cases {
        let before = harness.executor.engine.keyspace.counters().changes;
        harness.run(request);
        let after = harness.executor.engine.keyspace.counters().changes;
        assert_eq!(after - before, changes, "{request}");
    }
}
