//! RENAME, COPY, MOVE, SWAPDB and FLUSH*: what becomes of values and expiries.

use std::sync::atomic::Ordering::Relaxed;

use crate::testing::Harness;

#[test]
fn expiries_go_where_values_go() {
    let mut harness = Harness::new();
    for (transfer, db, to) in [
        ("rename k l", 0, "l"),
        ("renamenx k l", 0, "l"),
        ("copy k l", 0, "l"),
        ("copy k l db 3", 3, "l"),
        ("copy k k db 3", 3, "k"),
        ("move k 3", 3, "k"),
        ("swapdb 0 3", 3, "k"),
    ] {
        for (expiry, shown) in [("pexpireat k 5000000000000", ":5000000000000|"), ("persist k", ":-1|")] {
            for value in ["text", "12", &"long".repeat(2000)] {
                harness.run("flushall");
                harness.run(&format!("set k {value}"));
                harness.run(expiry);
                assert!(!harness.run(transfer).starts_with('-'));
                harness.run(&format!("select {db}"));
                assert_eq!(
                    harness.run(&format!("get {to}")),
                    format!("${}|{value}|", value.len()),
                    "{transfer}"
                );
                assert_eq!(harness.run(&format!("pexpiretime {to}")), shown, "{transfer}");
                harness.run("select 0");
                let left = if transfer.starts_with("copy") { ":1|" } else { ":0|" };
                assert_eq!(harness.run("exists k"), left, "{transfer}");
            }
        }
    }
}

#[test]
fn a_destination_loses_its_own_expiry() {
    let mut harness = Harness::new();
    for transfer in ["rename k l", "copy k l replace"] {
        harness.run("set k v");
        harness.run("set l w");
        harness.run("pexpireat l 5000000000000");
        harness.run(transfer);
        assert_eq!(
            (harness.run("get l"), harness.run("ttl l")),
            ("$1|v|".into(), ":-1|".into()),
            "{transfer}"
        );
    }
}

#[test]
fn flushing_frees_where_it_was_told_to() {
    let mut harness = Harness::new();
    let engine = harness.executor.engine.clone();
    for (lazy, request, objects) in [
        (false, "flushall", 0),
        (true, "flushall", 50),
        (true, "flushall sync", 0),
        (false, "flushall async", 50),
        (true, "flushdb", 50),
        (false, "flushdb", 0),
    ] {
        engine.settings.lazy_user_flush.store(lazy, Relaxed);
        (0..50).for_each(|number| drop(harness.run(&format!("set key:{number} v"))));
        let before = engine.keyspace.reclaimer.freed();
        assert_eq!(harness.run(request), "+OK|");
        while engine.keyspace.reclaimer.freed() < before + objects {
            std::thread::yield_now();
        }
        assert_eq!(engine.keyspace.reclaimer.freed(), before + objects, "{request}");
        assert_eq!(harness.run("dbsize"), ":0|");
    }
}

#[test]
fn deleting_frees_where_it_was_told_to() {
    let mut harness = Harness::new();
    let engine = harness.executor.engine.clone();
    let large = "x".repeat(5_000_000);
    for (lazy, request, objects) in [
        (false, "del large", 0),
        (true, "del large", 1),
        (false, "unlink large", 1),
        (false, "multi|del large|exec", 0),
        (true, "multi|del large|exec", 1),
    ] {
        engine.settings.lazy_user_del.store(lazy, Relaxed);
        harness.run(&format!("set large {large}"));
        let before = engine.keyspace.reclaimer.freed();
        let reply = request.split('|').map(|request| harness.run(request)).last();
        assert!(reply.is_some_and(|reply| reply.ends_with(":1|")), "{request}");
        while engine.keyspace.reclaimer.freed() < before + objects {
            std::thread::yield_now();
        }
        assert_eq!(
            (engine.keyspace.reclaimer.pending(), engine.keyspace.reclaimer.freed()),
            (0, before + objects),
            "{request}"
        );
    }
}

#[test]
fn random_keys_are_spread() {
    let mut harness = Harness::new();
    (0..20).for_each(|number| drop(harness.run(&format!("set key:{number} v"))));
    let drawn: std::collections::BTreeSet<String> = (0..1000).map(|_| harness.run("randomkey")).collect();
    assert_eq!(drawn.len(), 20, "each is missed with a probability below 10^-20");
}

#[test]
fn a_copy_of_a_big_stream_is_one_of_its_own() {
    let mut client = Harness::new();
    (1..=1000).for_each(|id| drop(client.run(&format!("xadd s {id} f {id}"))));
    client.run("xgroup create s g 0");
    client.run("xreadgroup group g c count 900 streams s >");
    assert_eq!(client.run("copy s t"), ":1|");
    let questions = ["xrange KEY - +", "xpending KEY g", "xpending KEY g - + 1000", "xinfo stream KEY"];
    // How long entries have been idle is not told.
    let ids =
        |reply: String| reply.split('|').filter(|line| line.contains('-')).collect::<Vec<_>>().join(" ");
    for (changed, kept) in [("s", "t"), ("t", "s")] {
        let told = |client: &mut Harness, key: &str| {
            questions.map(|question| ids(client.run(&question.replace("KEY", key))))
        };
        let before = told(&mut client, kept);
        for words in ["xdel KEY 7 500 1000", "xack KEY g 1 2 450", "xtrim KEY maxlen 900", "xadd KEY * f v"] {
            assert!(!client.run(&words.replace("KEY", changed)).starts_with('-'), "{words}");
        }
        assert_ne!(told(&mut client, changed), before);
        assert_eq!(told(&mut client, kept), before, "{kept}");
        assert_eq!(client.run(&format!("xlen {changed}")), ":901|");
    }
    client.run("del s");
    assert_eq!(client.run("xrange t 999 999"), "*1|*2|$5|999-0|*2|$1|f|$3|999|");
}
