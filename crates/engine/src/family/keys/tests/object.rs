//! OBJECT: encodings that follow from names, access clocks, and that looking leaves no trace.

use ochre_keyspace::{Effects, Locks, Policy, access};

use crate::engine::clock_ms;
use crate::testing::Harness;

fn set_access(harness: &Harness, name: &str, clock: u32) {
    let keyspace = &harness.executor.engine.keyspace;
    let (keys, mut effects) = ([keyspace.key(name.as_bytes())], Effects::default());
    assert!(keyspace.view(Locks::Keys(&keys), 0, &mut effects).set_access(0, keys[0], clock));
}

#[test]
fn encodings_depend_on_the_name_at_which_a_value_was_put() {
    let long = "a".repeat(39);
    let value = "0123456789".repeat(3);
    let mut harness = Harness::new();
    let encoding = |harness: &mut Harness, name: &str| harness.run(&format!("object encoding {name}"));
    harness.run(&format!("set a {value}"));
    assert_eq!(encoding(&mut harness, "a"), "$6|embstr|");
    harness.run(&format!("copy a {long}"));
    assert_eq!(encoding(&mut harness, &long), "$3|raw|");
    harness.run(&format!("rename a {long}"));
    assert_eq!(encoding(&mut harness, &long), "$3|raw|");
    harness.run(&format!("rename {long} a"));
    assert_eq!(encoding(&mut harness, "a"), "$3|raw|");
    harness.run("set i 12");
    harness.run(&format!("rename i {long}"));
    assert_eq!(encoding(&mut harness, &long), "$3|int|");
    assert_eq!(harness.run(&format!("get {long}")), "$2|12|");
}

#[test]
fn idle_time_is_told_and_not_moved_by_looking() {
    let mut harness = Harness::new();
    harness.run("set k v");
    for (look, moves) in [
        ("object encoding k", false),
        ("object idletime k", false),
        ("object refcount k", false),
        ("exists k", false),
        ("type k", false),
        ("ttl k", false),
        ("touch k", true),
        ("persist k", true),
    ] {
        set_access(&harness, "k", access::from_idle_ms(100_000, clock_ms()));
        harness.run(look);
        let idle = harness.run("object idletime k");
        assert_eq!(idle.starts_with(":10"), !moves, "{look}: {idle}");
    }
    harness.client.no_touch = true;
    set_access(&harness, "k", access::from_idle_ms(100_000, clock_ms()));
    harness.run("get k");
    assert!(harness.run("object idletime k").starts_with(":10"), "a client in no-touch mode");
    harness.run("touch k");
    assert_eq!(harness.run("object idletime k"), ":0|", "TOUCH touches for those, too");
}

#[test]
fn frequency_needs_its_policy_and_idle_time_another() {
    let mut harness = Harness::new();
    harness.executor.engine.keyspace.settings.set_policy(Policy::AllKeysLfu);
    harness.run("set k v");
    set_access(&harness, "k", access::from_frequency(77, clock_ms()));
    assert_eq!(harness.run("object freq k"), ":77|");
    assert!(
        harness.run("object idletime k").starts_with("-ERR An LFU maxmemory policy is selected, idle time")
    );
    assert_eq!(harness.run("object idletime nosuch"), "$-1|");
    harness.run("rename k l");
    assert_eq!(harness.run("object freq l"), ":5|", "a new name starts anew");
}

#[test]
fn hits_and_misses() {
    let mut harness = Harness::new();
    harness.run("set k v");
    for (request, hits, misses) in [
        ("exists k nosuch", 1, 1),
        ("ttl k", 1, 0),
        ("type nosuch", 0, 1),
        ("touch k nosuch", 1, 1),
        ("object encoding k", 1, 0),
        ("object encoding nosuch", 0, 1),
        ("object refcount nosuch", 0, 1),
        ("expire nosuch 1", 0, 0),
        ("copy k l", 1, 0),
        ("copy nosuch l", 0, 1),
        ("rename k m", 0, 0),
    ] {
        harness.executor.engine.keyspace.reset_counters();
        harness.run(request);
        let counters = harness.executor.engine.keyspace.counters();
        assert_eq!((counters.hits, counters.misses), (hits, misses), "{request}");
    }
}

#[test]
fn help_is_a_list_of_lines() {
    let mut harness = Harness::new();
    let help = harness.run("object help");
    assert!(
        help.starts_with("*11|+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:|"),
        "{help}"
    );
    assert_eq!(help.matches("|+").count(), 11);
}
