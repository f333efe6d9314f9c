//! Sorting of what is put in behind the commands' back, with what clients cannot see of it. Expected is what Redis 8.6.3
//! does.

use ochre_config::Directive;
use ochre_keyspace::{Effects, Expiry, Locks, NewValue};
use ochre_types::DataType;
use ochre_types::hash::{Hash, HashLimits};
use ochre_types::list::{End, List, ListLimits};
use ochre_types::zset::{ZSet, ZSetLimits};

use crate::testing::{Harness, Observed};

const HASH_LIMITS: HashLimits = HashLimits { entries_max: 128, value_bytes_max: 64 };

fn put(client: &Harness, key: &str, value: impl DataType) {
    let keyspace = &client.executor.engine.keyspace;
    let (key, mut effects) = (keyspace.key(key.as_bytes()), Effects::default());
    let mut view = keyspace.view(Locks::Keys(&[key]), 0, &mut effects);
    view.set(0, key, NewValue::Object(value.into_object()), Expiry::Clear);
}

fn list(texts: &[&str]) -> List {
    let mut list = List::new();
    list.push(End::Tail, texts.iter().map(|text| text.as_bytes()), &ListLimits::default());
    list
}

/// `l` is a list of 3, 1 and 2; `z` a sorted set of the same where 3 has the lowest score and 1 the highest; keys of
/// weights are `w_1` to `w_3`, with 30, 20 and 10.
fn prepared() -> Harness {
    let mut client = Harness::new();
    put(&client, "l", list(&["3", "1", "2"]));
    let mut zset = ZSet::new();
    for (score, member) in [(1.0, "3"), (2.0, "2"), (3.0, "1")] {
        zset.add(member.as_bytes(), score, Default::default(), &ZSetLimits::default()).expect("a number");
    }
    put(&client, "z", zset);
    client.run("mset w_1 30 w_2 20 w_3 10");
    client.run("sadd s c a b");
    client
}

fn array(words: &str) -> String {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.retain(|word| !word.is_empty());
    let each =
        |word: &&str| if *word == "nil" { "$-1|".to_owned() } else { format!("${}|{word}|", word.len()) };
    format!("*{}|{}", words.len(), words.iter().map(each).collect::<String>())
}

#[test]
fn replies() {
    let cases = [
        ("sort l", "1 2 3"),
        ("sort l desc", "3 2 1"),
        ("sort l desc asc", "1 2 3"),
        ("sort l alpha", "1 2 3"),
        ("sort l by w_*", "3 2 1"),
        ("sort l by w_* alpha desc", "1 2 3"),
        ("sort l by none_*", "1 2 3"),
        ("sort l by none_* desc", "3 2 1"),
        ("sort l by none_* alpha", "3 1 2"),
        ("sort l by none_* alpha desc", "3 1 2"),
        ("sort l by nosort", "3 1 2"),
        ("sort l by nosort desc", "2 1 3"),
        ("sort l by nosort limit 1 1", "1"),
        ("sort l by nosort desc limit 0 2", "2 1"),
        ("sort l by nosort desc limit 1 5", "1 3"),
        ("sort l by nosort by w_*", "3 1 2"),
        ("sort l by w_* by nosort", "3 1 2"),
        ("sort l limit 1 1", "2"),
        ("sort l limit -5 2", "1 2"),
        ("sort l limit 1 -1", "2 3"),
        ("sort l limit 3 1", ""),
        ("sort l limit 1 0", ""),
        ("sort l limit 1 9223372036854775807 desc", "2 1"),
        ("sort l get # get w_* get none_* get none", "1 30 nil nil 2 20 nil nil 3 10 nil nil"),
        ("sort l limit 0 1 get w_*", "30"),
        ("sort z", "1 2 3"),
        ("sort z by nosort", "3 2 1"),
        ("sort z by nosort desc", "1 2 3"),
        ("sort z by nosort desc limit 0 2", "1 2"),
        ("sort z by nosort limit 1 2", "2 1"),
        ("sort z by w_* limit 0 2", "3 2"),
        ("sort s alpha", "a b c"),
        ("sort s by nosort", "c a b"),
        ("sort s by nosort limit 1 1", "a"),
        ("sort_ro l by w_* get #", "3 2 1"),
        ("sort none", ""),
    ];
    let mut client = prepared();
    for (request, expected) in cases {
        assert_eq!(client.run(request), array(expected), "{request}");
    }
}

#[test]
fn errors() {
    const SYNTAX: &str = "-ERR syntax error|";
    const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value|";
    const NO_NUMBER: &str = "-ERR One or more scores can't be converted into double|";
    let cases = [
        ("sort l foo", SYNTAX),
        ("sort l get", SYNTAX),
        ("sort l limit 1", SYNTAX),
        ("sort l store", SYNTAX),
        ("sort_ro l store x", SYNTAX),
        ("sort none foo", SYNTAX),
        ("sort l limit a b", "-ERR value is not an integer or out of range|"),
        ("sort l limit 0 1 x", SYNTAX),
        ("sort w_1", WRONG_TYPE),
        ("sort w_1 by nosort", WRONG_TYPE),
        ("sort h", WRONG_TYPE),
        ("sort s", NO_NUMBER),
        ("sort s store d", NO_NUMBER),
        ("exists d", ":0|"),
    ];
    let mut client = prepared();
    let mut hash = Hash::new();
    hash.set(b"f", b"v", &HASH_LIMITS);
    put(&client, "h", hash);
    for (request, expected) in cases {
        assert_eq!(client.run(request), expected, "{request}");
    }
}

#[test]
fn fields_of_hashes() {
    let mut client = prepared();
    for (key, value) in [("h_1", "b"), ("h_2", "a")] {
        let mut hash = Hash::new();
        hash.set(b"f", value.as_bytes(), &HASH_LIMITS);
        put(&client, key, hash);
    }
    client.run("set h_3 text");
    assert_eq!(client.run("sort l by h_*->f alpha get # get h_*->f"), array("3 nil 2 a 1 b"));
    assert_eq!(
        client.run("sort l get h_* get h_*-> get w_*->f"),
        array("nil nil nil nil nil nil text nil nil")
    );
}

#[test]
fn what_is_stored() {
    let (mut client, reply) = (prepared(), |len| format!(":{len}|"));
    let cases = [
        ("sort l store m", 3, "m=new m=sortstore", 3, "="),
        (
            "sort l store m get # get none_*",
            6,
            "none_1=keymiss none_2=keymiss none_3=keymiss m=overwritten m=sortstore",
            6,
            "=",
        ),
        ("sort l store w_1", 3, "w_1=overwritten w_1=type_changed w_1=sortstore", 3, "="),
        ("sort none store w_1", 0, "none=keymiss w_1=del", 1, "="),
        ("sort none store w_1", 0, "none=keymiss", 0, ""),
        ("sort l limit 5 5 store m", 0, "m=del", 1, "="),
        ("sort l store get store m", 3, "m=new m=sortstore", 3, "="),
        ("sort l store l by nosort desc", 3, "l=overwritten l=sortstore", 3, "="),
    ];
    for (request, len, events, dirty, journal) in cases {
        let (events, journal) = (events.to_owned(), journal.to_owned());
        let expected = Observed { reply: reply(len), events, dirty, journal };
        assert_eq!(client.observe(request), expected, "{request}");
    }
    assert_eq!(client.run("sort l by nosort"), array("2 1 3"));
    // What is stored must not depend on the order in which members happen to lie.
    assert_eq!(client.run("sort s by nosort desc store l"), ":3|");
    assert_eq!(client.run("sort l by nosort"), array("c b a"));
}

#[test]
fn what_is_stored_of_very_many_is_what_would_be_replied() {
    let mut client = Harness::new();
    for at in 0..200 {
        let number = at * 71 % 200 - 100;
        client.run(&format!("rpush l {number} {}", number / 3));
        client.run(&format!("zadd z {number} {at}"));
        client.run(&format!("sadd s {number}"));
    }
    client.run("rpush t 1 2 x");
    (0..60).for_each(|at| drop(client.run(&format!("rpush t {at}"))));
    for key in ["l", "z", "s"] {
        for options in [
            "",
            "desc",
            "alpha",
            "alpha desc",
            "limit 30 100",
            "desc limit 30 100 get # get none get #",
            "alpha limit 5 0",
            "by nosort",
            "by nosort desc",
            "by nosort limit 30 100",
            "by nosort desc limit 30 100",
            "by nosort limit 3 4",
        ] {
            if key == "s" && options.starts_with("by") {
                continue;
            }
            let replied = client.run(&format!("sort {key} {options}")).replace("$-1|", "$0||");
            let len = client.run(&format!("sort {key} {options} store d"));
            assert_eq!(client.run("lrange d 0 -1"), replied, "{key} {options}");
            assert_eq!(client.run("llen d"), len, "{key} {options}");
        }
    }
    // Members of sets are sorted if they are stored.
    let sorted = client.run("sort s alpha limit 2 100");
    assert_eq!(client.run("sort s by nosort limit 2 100 store d"), ":100|");
    assert_eq!(client.run("lrange d 0 -1"), sorted);
    let no_number = "-ERR One or more scores can't be converted into double|";
    assert_eq!(client.run("sort t store d"), no_number);
    assert_eq!(client.run("lrange d 0 -1"), sorted);
    assert_eq!(client.run("sort t alpha limit 0 2 store d"), ":2|");
}

#[test]
fn transactions_reach_what_patterns_lead_to() {
    let mut client = prepared();
    for request in ["multi", "sort l by w_*", "get w_1"] {
        client.run(request);
    }
    assert_eq!(client.run("exec"), format!("*2|{}$2|30|", array("3 2 1")));
}

#[test]
fn keys_of_requests() {
    let mut client = Harness::new();
    let cases = [
        ("sort l store a store b", "l b"),
        ("sort l by store store a", "l a"),
        ("sort l get store", "l"),
        ("sort l store", "l"),
        ("sort_ro l store a", "l"),
        ("sort l limit 1 store store x", "l x"),
        ("sort l by w_* get x", "l"),
    ];
    for (request, keys) in cases {
        assert_eq!(client.run(&format!("command getkeys {request}")), array(keys), "{request}");
    }
    let flags = "*2|*2|$1|l|*2|+RO|+access|*2|$1|a|*2|+OW|+update|";
    assert_eq!(client.run("command getkeysandflags sort l store a"), flags);
}

#[test]
fn what_is_stored_is_cut_as_other_lists_are() {
    let mut client = Harness::new();
    let engine = std::sync::Arc::clone(&client.executor.engine);
    let enabled = engine.config.write().assign(Directive::EnableDebugCommand, &[b"yes"]);
    assert_eq!(enabled, Ok(()));
    client.run("config set list-max-listpack-size 2");
    client.run("debug quicklist-packed-threshold 3b");
    client.run("rpush l ccc bbb aaa a");
    assert_eq!(client.run("sort l alpha store d"), ":4|");
    for key in ["l", "d"] {
        let told = client.run(&format!("debug object {key}"));
        assert!(told.contains(" ql_nodes:4 "), "{key}: {told}");
    }
}
