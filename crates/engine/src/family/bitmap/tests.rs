//! What a client cannot see in a reply: changes, events, watchers. The expected values are those of Redis 8.6.3.

use std::sync::Arc;

use crate::call::Propagation;
use crate::testing::{Did, Harness};

#[test]
fn what_changes_and_is_announced() {
    let cases = [
        ("setbit k 0 0", 1, "k=new k=setbit"),
        ("setbit k 0 0", 0, ""),
        ("setbit k 0 1", 1, "k=setbit"),
        ("setbit k 5 1", 1, "k=setbit"),
        ("setbit k 100 0", 1, "k=setbit"),
        ("setbit k 50 0", 0, ""),
        ("getbit k 5", 0, ""),
        ("getbit nk 5", 0, "nk=keymiss"),
        ("bitcount nk", 0, "nk=keymiss"),
        ("bitpos nk 1", 0, "nk=keymiss"),
        ("bitop or d k nk", 1, "nk=keymiss d=new d=set"),
        ("bitop or d k", 1, "d=overwritten d=set"),
        ("bitop and e nk nk2", 0, "nk=keymiss nk2=keymiss"),
        ("bitop and d nk nk2", 1, "nk=keymiss nk2=keymiss d=del"),
        ("bitfield f set u8 0 0", 1, "f=new f=setbit"),
        ("bitfield f set u8 0 0", 0, ""),
        ("bitfield f set u8 0 5 incrby u8 0 1 get u8 0", 2, "f=setbit"),
        ("bitfield f overflow fail incrby u8 0 300 set u8 0 6", 0, ""),
        ("bitfield f overflow fail incrby u8 0 300 set u8 0 7", 1, "f=setbit"),
        ("bitfield f set u8 100 0 set u8 0 7", 2, "f=setbit"),
        // Redis counts no change here, although there is a new key.
        ("bitfield g overflow fail set u8 0 256", 1, "g=new"),
        ("bitfield g overflow fail set u8 100 256", 1, ""),
        ("bitfield g overflow fail set u8 100 256", 0, ""),
        ("bitfield f get u8 0", 0, ""),
        ("bitfield nk get u8 0", 0, "nk=keymiss"),
        ("bitfield_ro nk get u8 0", 0, "nk=keymiss"),
    ];
    let mut client = Harness::new();
    for (request, changes, events) in cases {
        let expected = Did { changes, events: events.to_owned(), propagation: Propagation::Verbatim };
        assert_eq!(client.did(request), expected, "{request}");
    }
}

#[test]
fn watchers_hear_of_changes_only() {
    let mut watcher = Harness::new();
    let mut writer = Harness::on(Arc::clone(&watcher.executor.engine));
    let mut is_told = |request: &str| {
        watcher.run("watch k");
        writer.run(request);
        watcher.run("multi");
        watcher.run("exec") == "*-1|"
    };
    assert!(is_told("setbit k 3 1"));
    assert!(!is_told("setbit k 3 1"));
    assert!(!is_told("bitfield k set u1 3 1 overflow fail incrby u1 3 1"));
    assert!(is_told("bitfield k set u1 3 0"));
    assert!(is_told("bitop not k k"));
    assert!(!is_told("bitcount k"));
}

#[test]
fn strings_of_every_kind_are_operands() {
    let mut client = Harness::new();
    let long = "x".repeat(5000);
    for request in ["set int 12345", "set short ab", &format!("set long {long}")] {
        client.run(request);
    }
    assert_eq!(client.run("bitop xor d int short long"), ":5000|");
    assert_eq!(client.run("getrange d 0 5"), "$6|((KLMx|");
    assert_eq!(client.run("bitop xor d d int short"), ":5000|");
    assert_eq!(client.run("get d"), format!("$5000|{long}|"));
    assert_eq!(client.run("bitcount long"), ":20000|");
    assert_eq!(client.run("setbit long 39999 1"), ":0|");
    assert_eq!(client.run("setbit long 40000 1"), ":0|");
    assert_eq!(client.run("strlen long"), ":5001|");
}

#[test]
fn very_long_strings_are_combined_as_any_others() {
    let mut client = Harness::new();
    client.run(&format!("set a {}", "ab".repeat(20_000)));
    client.run("bitop not b a");
    assert_eq!(client.run("bitop and d a b"), ":40000|");
    assert_eq!(client.run("bitcount d"), ":0|");
    assert_eq!(client.run("bitop xor d a none a short"), ":40000|");
    assert_eq!(client.run("bitcount d"), ":0|");
    assert_eq!(client.run("bitop or a a b"), ":40000|");
    assert_eq!(client.run("bitcount a"), ":320000|");
    client.run("sadd set x");
    assert!(client.run("bitop or d a set").starts_with("-WRONGTYPE"));
}
