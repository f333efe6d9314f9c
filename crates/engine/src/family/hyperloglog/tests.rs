//! What a client cannot see in a reply: changes, events, the journal. The expected values are those of Redis 8.6.3.

use crate::call::Propagation::{Forced, Verbatim};
use crate::testing::{Did, Harness};

#[test]
fn what_changes_and_is_announced() {
    let cases = [
        ("pfadd h", 1, "h=new h=pfadd", Verbatim),
        ("pfadd h", 0, "", Verbatim),
        ("pfadd h a b c a", 3, "h=pfadd", Verbatim),
        ("pfadd h a", 0, "", Verbatim),
        ("pfadd i a b", 3, "i=new i=pfadd", Verbatim),
        ("pfcount h", 1, "", Forced),
        ("pfcount h", 0, "", Verbatim),
        ("pfcount h nk", 0, "nk=keymiss", Verbatim),
        ("pfcount nk", 0, "nk=keymiss", Verbatim),
        ("pfmerge j h i nk", 1, "j=keymiss nk=keymiss j=new j=pfadd", Verbatim),
        ("pfmerge h nk", 1, "nk=keymiss h=pfadd", Verbatim),
        ("pfmerge l", 1, "l=keymiss l=new l=pfadd", Verbatim),
        ("pfdebug todense h", 1, "", Verbatim),
        ("pfdebug todense h", 0, "", Verbatim),
        ("pfdebug getreg i", 1, "", Verbatim),
        ("pfdebug getreg i", 0, "", Verbatim),
        ("pfdebug encoding h", 0, "", Verbatim),
        ("pfadd h a", 0, "", Verbatim),
        ("pfadd h zz", 1, "h=pfadd", Verbatim),
    ];
    let mut client = Harness::new();
    for (request, changes, events, propagation) in cases {
        let expected = Did { changes, events: events.to_owned(), propagation };
        assert_eq!(client.did(request), expected, "{request}");
    }
}

#[test]
fn registers_are_listed() {
    let mut client = Harness::new();
    client.run("pfadd h hello");
    let listed = client.run("pfdebug getreg h");
    let registers: Vec<&str> = listed.split('|').collect();
    assert_eq!((registers[0], registers[9217]), ("*16384", ":1"));
    assert_eq!(registers.iter().filter(|register| **register == ":0").count(), 16383);
}

#[test]
fn the_switch_and_the_self_test() {
    let mut client = Harness::new();
    assert_eq!(client.run("pfdebug simd x"), "-ERR Argument must be ON or OFF|");
    assert_eq!(client.run("pfdebug simd off"), "+disabled|");
    assert!(["+disabled|", "+enabled|"].contains(&client.run("pfdebug simd on").as_str()));
    assert_eq!(client.run("pfselftest"), "+OK|");
}

#[test]
fn other_string_commands_see_the_same_bytes() {
    let mut client = Harness::new();
    client.run("pfadd h a");
    client.run("pfdebug todense h");
    assert_eq!(client.run("strlen h"), ":12304|");
    assert_eq!(client.run("setbit h 0 1"), ":0|");
    assert_eq!(client.run("pfcount h"), "-WRONGTYPE Key is not a valid HyperLogLog string value.|");
    assert_eq!(client.run("setbit h 0 0"), ":1|");
    assert_eq!(client.run("pfcount h"), ":1|");
    assert_eq!(client.run("append h x"), ":12305|");
    assert_eq!(client.run("pfadd h b"), "-WRONGTYPE Key is not a valid HyperLogLog string value.|");
}
