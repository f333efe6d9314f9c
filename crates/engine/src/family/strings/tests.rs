//! Tables of requests with what they answer, store, journal and announce. The expected values are those of Redis 8.6.3
//! (DELIFEQ: Valkey 9.1.2; INCREX: the documentation of Redis 8.8).

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, JournalSink, Key, Locks, ValueRef};
use ochre_resp::{Protocol, ReplyWriter};
use parking_lot::Mutex;

use crate::call::{Call, Propagation};
use crate::client::OwnedRequest;
use crate::testing::Harness;

/// Words that blanks separate; `""` is the empty one.
fn words(line: &str) -> Vec<Vec<u8>> {
    let word = |word: &str| if word == "\"\"" { Vec::new() } else { word.as_bytes().to_vec() };
    line.split_whitespace().map(word).collect()
}

fn run(client: &mut Harness, line: &str) -> String {
    let words = words(line);
    let args: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    String::from_utf8_lossy(&client.run_args(&args)).replace("\r\n", "|")
}

/// Runs requests, each followed by its reply after `=>`, on an empty server; `/` begins the next server.
fn check(protocol: Protocol, script: &str) {
    let mut client = Harness::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line == "/" {
            client = Harness::new();
            continue;
        }
        client.client.set_protocol(protocol);
        let (request, reply) = line.split_once("=>").expect("a line has a reply");
        assert_eq!(run(&mut client, request), reply.trim(), "{request}");
    }
}

#[test]
fn set_and_its_relatives() {
    check(
        Protocol::Resp2,
        "
        set k v => +OK|
        get k => $1|v|
        set k => -ERR wrong number of arguments for 'set' command|
        set k v ex 0 => -ERR invalid expire time in 'set' command|
        set k v ex -1 => -ERR invalid expire time in 'set' command|
        set k v ex abc => -ERR value is not an integer or out of range|
        set k v ex 9223372036854775807 => -ERR invalid expire time in 'set' command|
        set k v px 9223372036854775806 => -ERR invalid expire time in 'set' command|
        set k v exat 9223372036854776 => -ERR invalid expire time in 'set' command|
        set k v pxat 9223372036854775807 => +OK|
        set k v exat 1 => +OK|
        get k => $-1|
        set k v ex => -ERR syntax error|
        set k v foo => -ERR syntax error|
        set k v ex 10 px 10 => -ERR syntax error|
        set k v ex 10 keepttl => -ERR syntax error|
        set k v persist => -ERR syntax error|
        set k v nx xx => -ERR syntax error|
        set k v nx ifeq v => -ERR syntax error|
        set k v ifeq v nx => -ERR syntax error|
        set k v ifeq v ifne v => -ERR syntax error|
        set k v ifeq => -ERR syntax error|
        set k v EX 10 ex 20 GET get => $-1|
        set k w nx get => $1|v|
        set k w nx => $-1|
        set k w XX => +OK|
        set m w xx => $-1|
        set m w xx get => $-1|
        set m w nx ex 0 => -ERR invalid expire time in 'set' command|
        set k x ifeq v get => $1|w|
        set k x ifeq w get => $1|w|
        set k x ifne x => $-1|
        set k y ifne w => +OK|
        set m x ifeq v => $-1|
        set m x ifdeq abc => $-1|
        set m x ifne v get => $-1|
        get m => $1|x|
        set m2 x ifdne abc => +OK|
        set m2 x ifdne abc => -ERR must be exactly 16 hexadecimal characters|
        set m2 x ifdeq abc get => -ERR must be exactly 16 hexadecimal characters|
        set k 5 => +OK|
        set k 6 ifdeq DEDB980100C87E72 => +OK|
        set k 7 ifeq 06 => $-1|
        set k 7 ifeq 6 => +OK|
        set k get ifeq get get => $1|7|
        setnx k z => :0|
        setnx n z => :1|
        setex k 0 v => -ERR invalid expire time in 'setex' command|
        setex k abc v => -ERR value is not an integer or out of range|
        psetex k -5 v => -ERR invalid expire time in 'psetex' command|
        psetex k 9223372036854775807 v => -ERR invalid expire time in 'psetex' command|
        setex k 100 v => +OK|
        psetex k 100000 w => +OK|
        getset k x => $1|w|
        getset nn x => $-1|
        getset nn y => $1|x|
        ",
    );
}

#[test]
fn reading_and_removing() {
    check(
        Protocol::Resp2,
        "
        get k => $-1|
        strlen k => :0|
        digest k => $-1|
        getdel k => $-1|
        set k -17 => +OK|
        strlen k => :3|
        digest k => $16|8a57f108a9cc9aed|
        getdel k => $3|-17|
        get k => $-1|
        getex k => $-1|
        getex k ex 0 => $-1|
        getex k ex abc => $-1|
        getex k foo => -ERR syntax error|
        getex k ex 10 px 10 => -ERR syntax error|
        set k v => +OK|
        getex k ex 0 => -ERR invalid expire time in 'getex' command|
        getex k ex => -ERR syntax error|
        getex k keepttl => -ERR syntax error|
        getex k nx => -ERR syntax error|
        getex k persist ex 10 => -ERR syntax error|
        getex k persist persist => $1|v|
        getex k ex 10 ex 20 => $1|v|
        getex k pxat 0 => -ERR invalid expire time in 'getex' command|
        getex k pxat 1 => $1|v|
        get k => $-1|
        set i 5 => +OK|
        delex i ifeq => -ERR wrong number of arguments for 'delex' command|
        delex i ifeq a b => -ERR wrong number of arguments for 'delex' command|
        delex i foo bar => -ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE|
        delex nk foo bar => :0|
        delex nk ifne bar => :0|
        delex nk ifdeq abc => :0|
        delex i ifdeq abc => -ERR must be exactly 16 hexadecimal characters|
        delex i ifeq 6 => :0|
        delex i ifdne dedb980100c87e72 => :0|
        delex i ifdeq dedb980100c87e72 => :1|
        delex i => :0|
        set i 5 => +OK|
        delex i => :1|
        delifeq i 5 => :0|
        set i 5 => +OK|
        delifeq i 6 => :0|
        delifeq i 5 => :1|
        get i => $-1|
        ",
    );
}

#[test]
fn counters() {
    check(
        Protocol::Resp2,
        "
        incr i => :1|
        incrby i 5 => :6|
        decrby i 10 => :-4|
        decr i => :-5|
        incrby i abc => -ERR value is not an integer or out of range|
        decrby i 1.5 => -ERR value is not an integer or out of range|
        decrby i -9223372036854775808 => -ERR decrement would overflow|
        set i 9223372036854775807 => +OK|
        incr i => -ERR increment or decrement would overflow|
        decrby i -1 => -ERR increment or decrement would overflow|
        get i => $19|9223372036854775807|
        set i -9223372036854775808 => +OK|
        decr i => -ERR increment or decrement would overflow|
        set t 01 => +OK|
        incr t => -ERR value is not an integer or out of range|
        set t 1 => +OK|
        append t 2 => :2|
        incr t => :13|
        incrbyfloat f 10.5 => $4|10.5|
        incrbyfloat f -0.5 => $2|10|
        incr f => :11|
        incrbyfloat f 1e2 => $3|111|
        incrbyfloat f abc => -ERR value is not a valid float|
        incrbyfloat f nan => -ERR value is not a valid float|
        incrbyfloat f inf => -ERR increment would produce NaN or Infinity|
        incrbyfloat i 1.5 => $22|-9223372036854775806.5|
        set g inf => +OK|
        incrbyfloat g 1 => -ERR increment would produce NaN or Infinity|
        incrbyfloat g -inf => -ERR increment would produce NaN or Infinity|
        set g abc => +OK|
        incrbyfloat g 1 => -ERR value is not a valid float|
        ",
    );
}

#[test]
fn counters_with_bounds() {
    check(
        Protocol::Resp2,
        "
        increx k => *2|:1|:1|
        increx k byint 5 => *2|:6|:5|
        increx k BYINT -10 => *2|:-4|:-10|
        increx k byint 0 => *2|:-4|:0|
        set k 99 => +OK|
        increx k byint 5 ubound 100 => *2|:99|:0|
        increx k byint 5 ubound 100 saturate => *2|:100|:1|
        increx k byint -500 lbound 0 saturate ubound 100 => *2|:0|:-100|
        increx k ubound -5 => *2|:0|:0|
        increx k ubound -5 saturate => *2|:-5|:-5|
        increx k byint 7 lbound 2 ubound 2 => *2|:2|:7|
        increx m byint 15 ubound 10 => *2|:0|:0|
        get m => $-1|
        set k 9223372036854775800 => +OK|
        increx k byint 100 => *2|:9223372036854775800|:0|
        increx k byint 100 saturate => *2|:9223372036854775807|:7|
        increx k byint -1 ubound -9223372036854775808 saturate => -ERR increment or decrement would overflow|
        get k => $19|9223372036854775807|
        increx k foo => -ERR syntax error|
        increx k byint => -ERR syntax error|
        increx k byint 1 byfloat 1 => -ERR syntax error|
        increx k ex 10 px 10 => -ERR syntax error|
        increx k ex 10 persist => -ERR syntax error|
        increx k persist enx => -ERR syntax error|
        increx k keepttl => -ERR syntax error|
        increx k enx => -ERR ENX flag requires an expiration|
        increx k byint 1.5 => -ERR value is not an integer or out of range|
        increx k lbound 1.5 => -ERR value is not an integer or out of range|
        increx k byfloat abc => -ERR value is not a valid float|
        increx k byfloat 1 ubound abc => -ERR value is not a valid float|
        increx k lbound 10 ubound 5 => -ERR LBOUND can't be greater than UBOUND|
        increx k byfloat 1 lbound 10.5 ubound 1.5 => -ERR LBOUND can't be greater than UBOUND|
        increx k ex 0 => -ERR invalid expire time in 'increx' command|
        set f 1.5 => +OK|
        increx f byfloat 0.25 => *2|$4|1.75|$4|0.25|
        increx f byfloat 100 ubound 42.5 => *2|$4|1.75|$1|0|
        increx f byfloat 100 ubound 42.5 saturate => *2|$4|42.5|$5|40.75|
        increx f => -ERR value is not an integer or out of range|
        increx f byfloat inf => -ERR value or increment would produce Infinity|
        increx f byfloat 1 ubound inf => -ERR value or increment would produce Infinity|
        set f inf => +OK|
        increx f byfloat 1 => -ERR value or increment would produce Infinity|
        set f abc => +OK|
        increx f byfloat 1 => -ERR value is not a valid float|
        increx k exat 1 => *2|:9223372036854775807|:0|
        set k 10 => +OK|
        increx k exat 1 => *2|:11|:1|
        get k => $-1|
        set k 10 ex 100 => +OK|
        increx k exat 1 enx => *2|:11|:1|
        get k => $2|11|
        ",
    );
    check(
        Protocol::Resp3,
        "
        increx f byfloat 0.5 => *2|,0.5|,0.5|
        increx f byfloat -1 lbound 0 => *2|,0.5|,0|
        increx i => *2|:1|:1|
        ",
    );
}

#[test]
fn ranges_and_appending() {
    check(
        Protocol::Resp2,
        "
        getrange k a b => -ERR value is not an integer or out of range|
        getrange k 0 -1 => $0||
        append k Hello => :5|
        append k \"\" => :5|
        append k World => :10|
        getrange k 0 4 => $5|Hello|
        substr k -5 -1 => $5|World|
        getrange k 3 1 => $0||
        set i -123 => +OK|
        getrange i 1 2 => $2|12|
        append n \"\" => :0|
        get n => $0||
        setrange k -1 x => -ERR offset is out of range|
        setrange nk -1 \"\" => -ERR offset is out of range|
        setrange nk abc x => -ERR value is not an integer or out of range|
        setrange nk 0 \"\" => :0|
        setrange nk 536870912 \"\" => :0|
        get nk => $-1|
        setrange k 536870911 \"\" => :10|
        setrange k 536870912 x => -ERR string exceeds maximum allowed size (proto-max-bulk-len)|
        setrange k 9223372036854775807 x => -ERR string exceeds maximum allowed size (proto-max-bulk-len)|
        setrange k 5 Redis => :10|
        get k => $10|HelloRedis|
        setrange i 2 9 => :4|
        get i => $4|-193|
        setrange z 1 a => :2|
        strlen z => :2|
        ",
    );
    let mut client = Harness::new();
    client.run("setrange z 3 a");
    assert_eq!(client.run_args(&[b"get", b"z"]), b"$4\r\n\0\0\0a\r\n");
}

#[test]
fn strings_stay_within_the_limit() {
    let mut client = Harness::new();
    client.executor.engine.settings.bulk_len_max.store(10, Relaxed);
    for (request, reply) in [
        ("append k 0123456789", ":10|"),
        ("append k \"\"", ":10|"),
        ("append k x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|"),
        ("setrange k 9 x", ":10|"),
        ("setrange k 10 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|"),
        ("setrange k 10 \"\"", ":10|"),
        ("set l 0123456789x", "+OK|"),
        ("append l \"\"", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|"),
        ("setrange l 0 x", ":11|"),
        ("lcs k l", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len|"),
    ] {
        assert_eq!(run(&mut client, request), reply, "{request}");
    }
}

#[test]
fn appending_step_by_step_through_all_storages() {
    let (mut client, mut model) = (Harness::new(), b"7".to_vec());
    client.run("set k 7");
    for step in 0..120_usize {
        let suffix = vec![b'a' + (step % 26) as u8; step * 7 % 101];
        model.extend_from_slice(&suffix);
        let reply = client.run_args(&[b"append", b"k", &suffix]);
        assert_eq!(reply, format!(":{}\r\n", model.len()).into_bytes());
        let value = client.run_args(&[b"get", b"k"]);
        assert_eq!(value, [format!("${}\r\n", model.len()).as_bytes(), &model, b"\r\n"].concat());
    }
    assert!(model.len() > 5000);
}

#[test]
fn several_strings() {
    check(
        Protocol::Resp2,
        "
        mset a => -ERR wrong number of arguments for 'mset' command|
        mset a 1 b => -ERR wrong number of arguments for 'mset' command|
        msetnx a 1 b => -ERR wrong number of arguments for 'msetnx' command|
        mset a 1 b two a 3 => +OK|
        mget a nk b => *3|$1|3|$-1|$3|two|
        msetnx c 1 a 2 => :0|
        get c => $-1|
        msetnx c 1 c 2 => :1|
        get c => $1|2|
        msetex 0 a 1 => -ERR invalid numkeys value|
        msetex -1 a 1 => -ERR invalid numkeys value|
        msetex abc a 1 => -ERR invalid numkeys value|
        msetex 2147483648 a 1 => -ERR invalid numkeys value|
        msetex 2147483647 a 1 => -ERR wrong number of key-value pairs|
        msetex 2 a 1 b => -ERR wrong number of key-value pairs|
        msetex 1 a 1 b => -ERR syntax error|
        msetex 1 a 1 nx xx => -ERR syntax error|
        msetex 1 a 1 ex 10 px 10 => -ERR syntax error|
        msetex 1 a 1 ex 10 keepttl => -ERR syntax error|
        msetex 1 a 1 ex => -ERR syntax error|
        msetex 1 a 1 persist => -ERR syntax error|
        msetex 1 a 1 ifeq 1 => -ERR syntax error|
        msetex 1 a 1 ex abc => -ERR value is not an integer or out of range|
        msetex 1 a 1 nx ex 0 => -ERR invalid expire time in 'msetex' command|
        msetex 2 a 1 d 2 nx => :0|
        msetex 2 a 1 d 2 xx => :0|
        msetex 2 a 1 b 2 xx ex 100 => :1|
        msetex 2 d 1 e 2 px 100000 nx => :1|
        msetex 2 d 3 d 4 keepttl => :1|
        mget a b d e => *4|$1|1|$1|2|$1|4|$1|2|
        msetex 1 a 1 exat 1 => :1|
        get a => $-1|
        ",
    );
}

#[test]
fn common_subsequences() {
    check(
        Protocol::Resp2,
        "
        set x ohmytext => +OK|
        set y mynewtext => +OK|
        lcs x => -ERR wrong number of arguments for 'lcs' command|
        lcs x y foo => -ERR syntax error|
        lcs x y minmatchlen => -ERR syntax error|
        lcs x y minmatchlen a => -ERR value is not an integer or out of range|
        lcs x y len idx => -ERR If you want both the length and indexes, please just use IDX.|
        lcs x y => $6|mytext|
        lcs x y minmatchlen 4 withmatchlen => $6|mytext|
        lcs x y LEN => :6|
        lcs x y idx => *4|$7|matches|*2|*2|*2|:4|:7|*2|:5|:8|*2|*2|:2|:3|*2|:0|:1|$3|len|:6|
        lcs x y idx minmatchlen 4 withmatchlen => *4|$7|matches|*1|*3|*2|:4|:7|*2|:5|:8|:4|$3|len|:6|
        lcs x y idx minmatchlen 9223372036854775807 => *4|$7|matches|*0|$3|len|:6|
        lcs x nk => $0||
        lcs nk x len => :0|
        lcs nk nk idx => *4|$7|matches|*0|$3|len|:0|
        ",
    );
    check(
        Protocol::Resp3,
        "
        lcs a b idx => %2|$7|matches|*0|$3|len|:0|
        get a => _|
        mget a b => *2|_|_|
        set a x xx => _|
        ",
    );
}

/// The name that OBJECT ENCODING would answer.
fn encoding(client: &Harness, key: &[u8]) -> &'static str {
    let keyspace = &client.executor.engine.keyspace;
    let mut effects = Effects::default();
    let key = keyspace.key(key);
    let mut view = keyspace.view(Locks::Keys(std::slice::from_ref(&key)), 0, &mut effects);
    match view.peek(0, key).expect("the key is there").value() {
        ValueRef::Int(_) => "int",
        ValueRef::Bytes { raw: false, .. } => "embstr",
        ValueRef::Bytes { raw: true, .. } => "raw",
        ValueRef::Object(object) => object.encoding_name(),
    }
}

#[test]
fn encodings() {
    let long = "x".repeat(41);
    let cases = [
        ("set k 12", "int"),
        ("set k 012", "embstr"),
        ("set k 12; incr k", "int"),
        ("set k 12; append k 3", "raw"),
        ("set k abc; append k \"\"", "raw"),
        ("append k 12", "int"),
        ("append k ab", "embstr"),
        ("append k ab; append k c; set k ab", "embstr"),
        ("set k 12; append k 3; incr k", "int"),
        ("set k 12; setrange k 0 \"\"", "int"),
        ("set k 12; setrange k 0 5", "raw"),
        ("setrange k 0 5", "raw"),
        ("incrbyfloat k 3", "embstr"),
        ("set k 1; incrbyfloat k 2", "embstr"),
        ("increx k byfloat 2", "embstr"),
        ("set k 1.5; incrbyfloat k 0.5; increx k", "int"),
        ("mset k 1", "int"),
        ("msetex 1 k ab", "embstr"),
        (&format!("set k {long}"), "raw"),
        (&format!("getset k {}", &long[1..]), "embstr"),
    ];
    for (script, expected) in cases {
        let mut client = Harness::new();
        for request in script.split(';') {
            run(&mut client, request);
        }
        assert_eq!(encoding(&client, b"k"), expected, "{script}");
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl JournalSink for Sink {
    fn append(&mut self, _offset: u64, bytes: &[u8]) {
        self.0.lock().extend_from_slice(bytes);
    }
}

impl Sink {
    /// What came since the last time: words with blanks between, commands with `; ` between; a time near now is `T`.
    fn take(&self, now_ms: i64) -> String {
        let bytes = std::mem::take(&mut *self.0.lock());
        let text = String::from_utf8(bytes).expect("tests use text only");
        let mut commands: Vec<Vec<String>> = Vec::new();
        let mut lines = text.split("\r\n");
        while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
            if line.starts_with('*') {
                commands.push(Vec::new());
                continue;
            }
            let word = lines.next().unwrap_or_default();
            let is_near = |time: i64| time > now_ms && time <= now_ms + 200_000;
            let word = if word.parse().is_ok_and(is_near) { "T" } else { word };
            commands.last_mut().expect("a header comes first").push(word.to_owned());
        }
        let shown = |command: &Vec<String>| command.join(" ");
        let commands: Vec<String> =
            commands.iter().map(shown).filter(|command| !command.starts_with("SELECT")).collect();
        commands.join("; ")
    }
}

#[test]
fn what_is_journalled() {
    let cases = [
        ("set k v", "set k v"),
        ("set k v ex 100", "SET k v PXAT T"),
        ("set k v px 100000", "SET k v PXAT T"),
        ("set k v exat 9999999999", "SET k v PXAT 9999999999000"),
        ("set k v pxat 9999999999000", "set k v pxat 9999999999000"),
        ("set k v nx", ""),
        ("set k v nx get", ""),
        ("set k v get", "SET k v"),
        ("set k v keepttl", "set k v keepttl"),
        ("set k v get keepttl", "SET k v KEEPTTL"),
        ("set k v ifeq v", "set k v ifeq v"),
        ("set k v exat 1", "SET k v PXAT 1000"),
        ("get k", "DEL k"),
        ("setex k 100 v", "SET k v PXAT T"),
        ("psetex k 100000 v", "SET k v PXAT T"),
        ("setnx k v", ""),
        ("setnx k3 v", "setnx k3 v"),
        ("getset k w", "SET k w"),
        ("getdel k", "DEL k"),
        ("getdel k", ""),
        ("getex k3", ""),
        ("getex k3 ex 100", "PEXPIREAT k3 T"),
        ("getex k3 persist", "PERSIST k3"),
        ("getex k3 persist", ""),
        ("getex k3 exat 9999999999", "PEXPIREAT k3 9999999999000"),
        ("getex k3 pxat 1", "DEL k3"),
        ("append k a", "append k a"),
        ("setrange k 0 \"\"", ""),
        ("setrange k 0 b", "setrange k 0 b"),
        ("incr i", "incr i"),
        ("decrby i x", ""),
        ("incrbyfloat i 5.5", "SET i 6.5 KEEPTTL"),
        ("increx i", ""),
        ("increx i byfloat 1.5", "SET i 8 KEEPTTL"),
        ("increx i ex 100", "SET i 9 PXAT T"),
        ("increx i ex 10 enx", "SET i 10 KEEPTTL"),
        ("increx i persist", "SET i 11"),
        ("increx i ex 100 enx", "SET i 12 PXAT T"),
        ("increx i ex 100 ubound 5", ""),
        ("increx i exat 1", "DEL i"),
        ("increx i exat 1", ""),
        ("increx j byint 7", "SET j 7 KEEPTTL"),
        ("delex j ifeq 8", ""),
        ("delex j ifeq 7", "DEL j"),
        ("delifeq k b", "DEL k"),
        ("delex k", ""),
        ("mset a 1 b 2", "mset a 1 b 2"),
        ("msetnx a 1 b 2", ""),
        ("delex a", "delex a"),
        ("msetex 2 a 1 b 2 ex 100", "msetex 2 a 1 b 2 PXAT T"),
        ("msetex 2 a 1 b 2 nx px 100000", ""),
        ("msetex 2 c 1 d 2 nx px 100000", "msetex 2 c 1 d 2 PXAT T NX"),
        ("msetex 1 c 1 xx ex 100", "msetex 1 c 1 PXAT T XX"),
        ("msetex 1 c 1 exat 9999999999", "msetex 1 c 1 exat 9999999999"),
        ("msetex 1 c 1 keepttl", "msetex 1 c 1 keepttl"),
    ];
    let (mut client, sink) = (Harness::new(), Sink::default());
    client.executor.engine.keyspace.journal.attach(Box::new(sink.clone()));
    for (request, expected) in cases {
        let now_ms = crate::clock_ms();
        run(&mut client, request);
        assert_eq!(sink.take(now_ms), expected, "{request}");
    }
}

/// The keyspace events of a request, as `key=event`, in order.
fn events(client: &mut Harness, line: &str) -> String {
    let engine = Arc::clone(&client.executor.engine);
    let request = OwnedRequest::from_parts(&words(line));
    let mut keys: Vec<Key<'_>> = Vec::new();
    client.executor.prepare(request.args(), 0, &mut keys);
    let command = engine
        .commands
        .resolve(request.args(), 0, &mut crate::command::Latest::default())
        .expect("the command is known")
        .command;
    let (mut effects, mut out) = (Effects::default(), Vec::new());
    let mut view = engine.keyspace.view(Locks::Keys(&keys), crate::clock_ms(), &mut effects);
    let result = (command.handler)(&mut Call {
        args: request.args(),
        command,
        keys: &keys,
        view: &mut view,
        client: &mut client.client,
        engine: &engine,
        worker: &client.executor.context,
        reply: ReplyWriter::new(&mut out, Protocol::Resp2),
        propagation: Propagation::Verbatim,
        in_transaction: false,
        is_retry: false,
        stage: crate::scripting::ScriptStage::default(),
        has_failed: false,
    });
    drop(view);
    assert_eq!(result, Ok(()), "{line}");
    let shown =
        |event: &ochre_keyspace::Event| format!("{}={}", String::from_utf8_lossy(&event.key), event.name);
    effects.events.iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_announced() {
    let cases = [
        ("set k v", "k=new k=set"),
        ("set k v ex 100", "k=overwritten k=set k=expire"),
        ("set k v exat 1", "k=overwritten k=set k=expire"),
        ("set k v nx", "k=expired k=new k=set"),
        ("set k v xx get", "k=overwritten k=set"),
        ("set nk v xx", ""),
        ("set nk v xx get", "nk=keymiss"),
        ("set nk v ifeq a", ""),
        ("set k v ifeq a", ""),
        ("setex k 100 v", "k=overwritten k=set k=expire"),
        ("psetex k3 1000 v", "k3=new k3=set k3=expire"),
        ("setnx k v", ""),
        ("setnx k4 v", "k4=new k4=set"),
        ("get k4", ""),
        ("get nk", "nk=keymiss"),
        ("getset k4 v", "k4=overwritten k4=set"),
        ("getset k5 v", "k5=keymiss k5=new k5=set"),
        ("getdel k5", "k5=del"),
        ("getdel k5", "k5=keymiss"),
        ("getex nk", "nk=keymiss"),
        ("getex k4 ex 100", "k4=expire"),
        ("getex k4 persist", "k4=persist"),
        ("getex k4 persist", ""),
        ("getex k4 pxat 1", "k4=del"),
        ("append k a", "k=append"),
        ("append nk a", "nk=new nk=append"),
        ("append nk \"\"", "nk=append"),
        ("setrange nk 0 \"\"", ""),
        ("setrange nk2 0 abc", "nk2=new nk2=setrange"),
        ("setrange nk2 0 abc", "nk2=setrange"),
        ("getrange nk9 0 1", "nk9=keymiss"),
        ("strlen nk9", "nk9=keymiss"),
        ("digest nk9", "nk9=keymiss"),
        ("lcs nk9 nk8", "nk9=keymiss nk8=keymiss"),
        ("mget nk9 k", "nk9=keymiss"),
        ("mset a 1 b 2 a 3", "a=new a=set b=new b=set a=overwritten a=set"),
        ("msetnx a 1 b 2", ""),
        ("incr i", "i=new i=incrby"),
        ("decrby i 5", "i=incrby"),
        ("incrbyfloat i 1.5", "i=incrbyfloat"),
        ("incrbyfloat if 1.5", "if=new if=incrbyfloat"),
        ("increx if byfloat 0.5 ex 100", "if=incrbyfloat if=expire"),
        ("increx if persist", "if=incrby if=persist"),
        ("increx if persist", "if=incrby"),
        ("increx if ubound 0", ""),
        ("increx if exat 1", "if=del"),
        ("delex i", "i=del"),
        ("delex i", ""),
        ("delex i ifeq 1", "i=keymiss"),
        ("delex a ifeq 3", "a=del"),
        ("delifeq a 3", ""),
        ("delifeq b 2", "b=del"),
        ("msetex 1 z 1 ex 100", "z=new z=expire z=set"),
        ("msetex 1 z 1 nx", ""),
        ("msetex 1 z 1 keepttl", "z=overwritten z=set"),
    ];
    let mut client = Harness::new();
    client.executor.engine.keyspace.settings.notify_classes.store(u32::MAX, Relaxed);
    for (request, expected) in cases {
        assert_eq!(events(&mut client, request), expected, "{request}");
    }
}
