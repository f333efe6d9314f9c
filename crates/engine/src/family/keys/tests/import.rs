//! Import mode, as Valkey 9.1 has it: keys whose time has come are hidden but stay, except from whoever imports them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Evictor};

use super::Recorder;
use crate::testing::Harness;

/// Two clients of a server in import mode; the second imports.
fn clients() -> (Harness, Harness) {
    let mut reader = Harness::new();
    assert_eq!(reader.run("config set import-mode yes"), "+OK|");
    let mut source = Harness::on(Arc::clone(&reader.executor.engine));
    assert_eq!(source.run("client import-source on"), "+OK|");
    (reader, source)
}

#[test]
fn expired_keys_are_hidden_but_stay() {
    let (mut reader, mut source) = clients();
    source.run("set stale v pxat 1");
    for (request, reply) in [
        ("get stale", "$-1|"),
        ("exists stale", ":0|"),
        ("ttl stale", ":-2|"),
        ("type stale", "+none|"),
        ("keys *", "*0|"),
        ("scan 0", "*2|$1|0|*0|"),
        ("getex stale pxat 1", "$-1|"),
        ("dbsize", ":1|"),
        // There is nothing else, so it has to do.
        ("randomkey", "$5|stale|"),
    ] {
        assert_eq!(reader.run(request), reply, "{request}");
    }
    for (request, reply) in [
        ("get stale", "$1|v|"),
        ("exists stale", ":1|"),
        ("ttl stale", ":0|"),
        ("pexpiretime stale", ":1|"),
        ("keys *", "*1|$5|stale|"),
        ("scan 0", "*2|$1|0|*1|$5|stale|"),
        ("append stale w", ":2|"),
        ("getex stale exat 1", "$2|vw|"),
        ("expire stale -1", ":1|"),
        ("dbsize", ":1|"),
    ] {
        assert_eq!(source.run(request), reply, "{request}");
    }
}

#[test]
fn writes_of_others_find_nothing() {
    // What a request replies, and the keys that are left.
    const CASES: &[(&str, &str, &str)] = &[
        ("setnx stale w", ":1|", ":1|"),
        ("incr stale", ":1|", ":1|"),
        ("append stale w", ":1|", ":1|"),
        ("persist stale", ":0|", ":0|"),
        ("rename stale other", "-ERR no such key|", ":0|"),
        ("del stale", ":1|", ":0|"),
        ("unlink stale", ":1|", ":0|"),
    ];
    for (request, reply, left) in CASES {
        let (mut reader, mut source) = clients();
        source.run("set stale 5 pxat 1");
        assert_eq!(reader.run(request), *reply, "{request}");
        assert_eq!(reader.run("dbsize"), *left, "{request}");
    }
}

#[test]
fn nothing_is_journalled_until_the_mode_ends() {
    let (mut reader, mut source) = clients();
    let recorder = Recorder::attach(&reader);
    source.run("set stale v pxat 1");
    reader.run("get stale");
    assert_eq!(recorder.take(), "SELECT 0; set stale v pxat 1");
    assert_eq!(reader.run("config set import-mode no"), "+OK|");
    assert_eq!(source.run("get stale"), "$-1|", "the privilege ends with the mode");
    assert_eq!(recorder.take(), "DEL stale");
    assert_eq!(reader.run("dbsize"), ":0|");
}

#[test]
fn nothing_is_evicted() {
    let (mut reader, mut source) = clients();
    source.run("set k v");
    reader.run("config set maxmemory-policy allkeys-lru");
    let (keyspace, mut effects) = (&reader.executor.engine.keyspace, Effects::default());
    let mut candidate = || Evictor::new(7).choose(keyspace, 0, &mut effects).map(|candidate| candidate.key);
    assert_eq!(candidate(), None);
    keyspace.settings.import_mode.store(false, Relaxed);
    assert_eq!(candidate(), Some(b"k".to_vec()));
}
