//! DUMP and RESTORE; events, changes and journal as Redis 8.6 has them.

use std::sync::Arc;

use ochre_config::Directive;

use crate::execute::Outcome;
use crate::testing::{Harness, observe};

/// The text `bar` as of version 14 (no white space, so that it is a word), and without a checksum.
const BAR: &str = "\0\x03bar\x0e\0\0\0\0\0\0\0\0\0";
/// The list of `a`.
const LIST: &str = "\x01\x01\x01a\x0e\0\0\0\0\0\0\0\0\0";

fn allow_debug(client: &Harness) {
    let enabled = client.executor.engine.config.write().assign(Directive::EnableDebugCommand, &[b"yes"]);
    enabled.expect("a word that it takes");
}

fn words(template: &str) -> String {
    template.replace("BAR", BAR).replace("LIST", LIST)
}

#[test]
fn what_it_does_besides_its_reply() {
    let cases = [
        ("restore k 0 BAR", "+OK|", "k=new k=restore", 1, "="),
        ("restore k 0 BAR", "-BUSYKEY Target key name already exists.|", "", 0, ""),
        ("restore k 0 BAR replace", "+OK|", "k=new k=restore k=overwritten", 1, "="),
        ("RESTORE k 0 LIST REPLACE", "+OK|", "k=new k=restore k=overwritten k=type_changed", 1, "="),
        (
            "restore k 9000000000000 BAR absttl replace",
            "+OK|",
            "k=new k=restore k=overwritten k=type_changed",
            1,
            "=",
        ),
        ("restore k 1 BAR absttl", "-BUSYKEY Target key name already exists.|", "", 0, ""),
        ("restore k 1 BAR absttl replace", "+OK|", "k=del", 1, "DEL k"),
        ("restore k 1 BAR absttl replace", "+OK|", "", 0, ""),
        ("restore k 1 BAR absttl", "+OK|", "", 0, ""),
        ("restore k 9223372036854775807 BAR", "+OK|", "", 0, ""),
        ("exists k", ":0|", "k=keymiss", 0, ""),
        ("dump k", "$-1|", "k=keymiss", 0, ""),
        ("restore k 0 BAR absttl", "+OK|", "k=new k=restore", 1, "="),
        ("pttl k", ":-1|", "", 0, ""),
        ("restore-asking k2 0 BAR", "+OK|", "k2=new k2=restore", 1, "="),
        ("config set lazyfree-lazy-server-del yes", "+OK|", "", 0, ""),
    ];
    let cases =
        cases.map(|(request, reply, events, dirty, journal)| (words(request), reply, events, dirty, journal));
    observe(&cases.each_ref().map(|(request, reply, events, dirty, journal)| {
        (request.as_str(), *reply, *events, *dirty, *journal)
    }));
    let mut client = Harness::new();
    client.run("config set lazyfree-lazy-server-del yes");
    client.run("set k v");
    assert_eq!(client.observe(&words("restore k 1 BAR absttl replace")).journal, "UNLINK k");
}

#[test]
fn the_journal_says_when_the_key_expires() {
    let mut client = Harness::new();
    let now_ms = crate::clock_ms();
    let journal = client.observe(&words("restore k 100000 BAR replace idletime 5")).journal;
    let parts: Vec<&str> = journal.split(' ').collect();
    let [name, key, time, payload, options @ ..] = &parts[..] else { panic!("{journal}") };
    assert_eq!((*name, *key, *payload), ("restore", "k", BAR));
    assert_eq!(*options, ["replace", "idletime", "5", "ABSTTL"]);
    let left_ms = time.parse::<i64>().unwrap() - now_ms;
    assert!((100_000..110_000).contains(&left_ms), "{left_ms}");
    assert_eq!(client.run("pexpiretime k"), format!(":{time}|"));
}

#[test]
fn who_waits_for_the_key_is_served() {
    let mut client = Harness::new();
    let mut waiting = Harness::on(Arc::clone(&client.executor.engine));
    waiting.run("blpop k 0");
    assert_eq!(waiting.outcome, Outcome::Blocked);
    // Not by another type, nor by what is no key.
    client.run(&words("restore k 0 BAR"));
    client.run(&words("restore k 1 LIST absttl replace"));
    assert!(!waiting.client.shared.wait.is_served());
    assert_eq!(client.run(&words("restore k 0 LIST")), "+OK|");
    assert!(waiting.client.shared.wait.is_served());
    assert_eq!(client.run("exists k"), ":0|");
}

#[test]
fn errors_in_their_order() {
    const SYNTAX: &str = "-ERR syntax error|";
    const BUSY: &str = "-BUSYKEY Target key name already exists.|";
    const NO_INTEGER: &str = "-ERR value is not an integer or out of range|";
    const NOT_VERIFIED: &str = "-ERR DUMP payload version or checksum are wrong|";
    const IDLE: &str = "-ERR Invalid IDLETIME value, must be >= 0|";
    const FREQUENCY: &str = "-ERR Invalid FREQ value, must be >= 0 and <= 255|";
    let cases = [
        ("restore there x ... nosuch", SYNTAX),
        ("restore there x ... idletime", SYNTAX),
        ("restore there x ... freq", SYNTAX),
        ("restore there x ... freq 1 idletime 1", SYNTAX),
        ("restore there x ... idletime 1 freq 1", SYNTAX),
        ("restore there x ... idletime -1 nosuch", IDLE),
        ("restore there x ... idletime x", NO_INTEGER),
        ("restore there x ... freq -1", FREQUENCY),
        ("restore there x ... freq 256", FREQUENCY),
        ("restore there x ... freq x", NO_INTEGER),
        ("restore there x ... idletime 1 idletime 2", BUSY),
        ("restore there x ...", BUSY),
        ("restore k x ...", NO_INTEGER),
        ("restore k -1 ...", "-ERR Invalid TTL value, must be >= 0|"),
        ("restore k 0 ...", NOT_VERIFIED),
        ("restore k 0 ..........", NOT_VERIFIED),
        ("restore k 0 \u{1}BAR", "-ERR Bad data format|"),
        ("restore k 0 \u{7f}BAR", "-ERR Bad data format|"),
        ("restore k 1 \u{7f}BAR absttl", "-ERR Bad data format|"),
        ("restore there 0 \u{7f}BAR replace", "-ERR Bad data format|"),
        ("get there", "$1|v|"),
        ("dbsize", ":1|"),
    ];
    let mut client = Harness::new();
    client.run("set there v");
    for (request, reply) in cases {
        assert_eq!(client.run(&words(request)), reply, "{request}");
    }
}

#[test]
fn checksums_and_versions() {
    let mut client = Harness::new();
    client.run("set k bar");
    let payload = dumped(&mut client, b"k");
    let restore = |client: &mut Harness, payload: &[u8]| {
        let reply = client.run_args(&[b"restore", b"r", b"0", payload, b"replace"]);
        reply == b"+OK\r\n"
    };
    let mut wrong = payload.clone();
    wrong[3] ^= 1;
    assert!(restore(&mut client, &payload));
    assert!(!restore(&mut client, &wrong));
    allow_debug(&client);
    assert_eq!(client.run("debug set-skip-checksum-validation 1"), "+OK|");
    assert!(restore(&mut client, &wrong));
    assert_eq!(client.run("debug set-skip-checksum-validation 0"), "+OK|");
    assert!(!restore(&mut client, &wrong));
    let future = b"\0\x03bar\xde\0\0\0\0\0\0\0\0\0";
    assert!(!restore(&mut client, future));
    client.run("config set rdb-version-check relaxed");
    assert!(restore(&mut client, future));
}

#[test]
fn access_clocks() {
    let mut client = Harness::new();
    let cases = [
        ("restore k 0 BAR replace idletime 1000", "object idletime k", ":1000|"),
        ("restore k 0 BAR replace freq 100", "object idletime k", ":0|"),
        ("config set maxmemory-policy allkeys-lfu", "restore k 0 BAR replace freq 100", "+OK|"),
        ("dbsize", "object freq k", ":100|"),
        ("restore k 0 BAR replace freq 0", "object freq k", ":0|"),
        ("restore k 0 BAR replace idletime 1000", "object freq k", ":5|"),
    ];
    for (first, second, reply) in cases {
        client.run(&words(first));
        assert_eq!(client.run(&words(second)), reply, "{first}");
    }
}

fn dumped(client: &mut Harness, key: &[u8]) -> Vec<u8> {
    let reply = client.run_args(&[b"dump", key]);
    let start = reply.windows(2).position(|two| two == b"\r\n").unwrap() + 2;
    reply[start..reply.len() - 2].to_vec()
}

/// Keys of every type and encoding.
fn populate(client: &mut Harness) -> Vec<String> {
    let mut keys: Vec<String> = ["text", "int", "raw", "long", "negative"].map(str::to_owned).to_vec();
    client.run("set text hello");
    client.run("set int 12345678901");
    client.run("set negative -7");
    client.run("set raw x");
    client.run("append raw y");
    client.run_args(&[b"set", b"long", &b"abcd".repeat(30_000)]);
    for (size, count) in [("few", 5), ("many", 800)] {
        for at in 0..count {
            client.run(&format!("rpush list:{size} element:{at} {at}"));
            client.run(&format!("sadd ints:{size} {}", at * 3 - 7));
            client.run(&format!("sadd set:{size} member:{at}"));
            client.run(&format!("zadd zset:{size} {} member:{at}", f64::from(at) * 1.1));
            client.run(&format!("hset hash:{size} field:{at} value:{at}"));
            client.run(&format!("hset times:{size} field:{at} value:{at}"));
            client.run(&format!("hpexpireat times:{size} 9000000000000 fields 1 field:{at}"));
            client.run(&format!("xadd stream:{size} {at}-1 field value:{at}"));
            client.run(&format!("pfadd hll:{size} {at}"));
        }
        client.run(&format!("xgroup create stream:{size} g 0"));
        client.run(&format!("xreadgroup group g c count 3 streams stream:{size} >"));
        let names = ["list", "ints", "set", "zset", "hash", "times", "stream", "hll"];
        keys.extend(names.map(|name| format!("{name}:{size}")));
    }
    client.run("xadd producer idmp p m * a 1");
    keys.push("producer".to_owned());
    keys
}

#[test]
fn values_of_every_type_come_back() {
    let mut client = Harness::new();
    allow_debug(&client);
    for compression in ["yes", "no"] {
        client.run(&format!("config set rdbcompression {compression}"));
        for key in populate(&mut client) {
            let payload = dumped(&mut client, key.as_bytes());
            let reply = client.run_args(&[b"restore", b"copy", b"0", &payload, b"replace"]);
            assert_eq!(reply, b"+OK\r\n", "{key}");
            assert_eq!(
                client.run(&format!("debug digest-value {key}")),
                client.run("debug digest-value copy"),
                "{key}"
            );
            let encoding = client.run(&format!("object encoding {key}"));
            // A string that was changed in place is raw until it is made anew.
            let expected = if key == "raw" || key == "hll:few" { "$6|embstr|" } else { &encoding };
            assert_eq!(client.run("object encoding copy"), expected, "{key}");
        }
    }
}

/// As in Redis 8.6: what came as a listpack stays one, however long its elements.
#[test]
fn values_get_the_encodings_that_are_configured() {
    let mut client = Harness::new();
    let cases = [
        ("rpush k a b c", "list-max-listpack-size 2", "quicklist"),
        ("hset k a 1 b 2", "hash-max-listpack-entries 1", "hashtable"),
        ("hset k a 1 b 2222", "hash-max-listpack-value 3", "listpack"),
        ("sadd k 1 2 3", "set-max-intset-entries 2", "hashtable"),
        ("sadd k 1 2 x", "set-max-listpack-entries 2", "hashtable"),
        ("sadd k 1 2 xxxx", "set-max-listpack-value 2", "listpack"),
        ("zadd k 1 a 2 b", "zset-max-listpack-entries 1", "skiplist"),
        ("zadd k 1 a 2 bbbb", "zset-max-listpack-value 2", "listpack"),
    ];
    for (request, setting, encoding) in cases {
        client.run("flushall");
        client.run(request);
        let payload = dumped(&mut client, b"k");
        let (name, _) = setting.split_once(' ').unwrap();
        let before = client.run(&format!("config get {name}"));
        client.run(&format!("config set {setting}"));
        assert_eq!(client.run_args(&[b"restore", b"r", b"0", &payload]), b"+OK\r\n", "{request}");
        assert_eq!(client.run("object encoding r"), format!("${}|{encoding}|", encoding.len()), "{setting}");
        let old = before.split('|').nth(4).unwrap();
        assert_eq!(client.run(&format!("config set {name} {old}")), "+OK|");
    }
}

/// Reads and changes what is under `copy`, until nothing is left of it: every step has to answer.
fn use_it(client: &mut Harness, what: &str) {
    let requests: &[&str] = match client.run("type copy").as_str() {
        "+string|" => {
            &["append copy x", "setrange copy 3 abc", "getrange copy 0 -1", "setbit copy 9 1", "pfadd copy a"]
        }
        "+list|" => {
            &["lpush copy a", "linsert copy after a b", "lset copy 0 c", "lpos copy c", "lrange copy 0 -1"]
        }
        "+set|" => &[
            "sadd copy a 7",
            "smembers copy",
            "sinterstore other copy copy",
            "srem copy a",
            "srandmember copy 5",
        ],
        "+zset|" => &[
            "zadd copy 1.5 a",
            "zrange copy 0 -1 withscores",
            "zincrby copy 2 a",
            "zrank copy a",
            "zrem copy a",
        ],
        "+hash|" => &[
            "hset copy a b",
            "hincrby copy n 3",
            "hgetall copy",
            "hpexpire copy 100000 fields 1 a",
            "hdel copy a",
        ],
        "+stream|" => {
            &["xadd copy * a b", "xrange copy - +", "xinfo stream copy full", "xtrim copy maxlen 1"]
        }
        other => panic!("{what}: a value of type {other}"),
    };
    for request in
        requests.iter().chain(&["copy copy twin replace", "object encoding copy", "memory usage copy"])
    {
        assert!(!client.run(request).is_empty(), "{what}: {request}");
    }
    let taken = [
        "lpop copy 100000",
        "spop copy 100000",
        "zpopmin copy 100000",
        "xtrim copy maxlen 0",
        "del copy twin other",
    ];
    taken.iter().for_each(|request| drop(client.run(request)));
}

#[test]
fn damaged_payloads_are_refused_or_make_whole_values() {
    let mut client = Harness::new();
    allow_debug(&client);
    client.run("debug set-skip-checksum-validation 1");
    for key in populate(&mut client).iter().filter(|key| !key.ends_with("many") && *key != "long") {
        let payload = dumped(&mut client, key.as_bytes());
        for at in 0..payload.len() - 10 {
            for bit in [1, 0x80, 0xff] {
                let mut damaged = payload.clone();
                damaged[at] ^= bit;
                let reply = client.run_args(&[b"restore", b"copy", b"0", &damaged, b"replace"]);
                if reply == b"+OK\r\n" {
                    client.run("debug digest-value copy");
                    if bit == 1 {
                        use_it(&mut client, &format!("{key} {at}"));
                        client.run_args(&[b"restore", b"copy", b"0", &damaged, b"replace"]);
                    }
                    // What was made can be written again.
                    let again = dumped(&mut client, b"copy");
                    let reply = client.run_args(&[b"restore", b"copy", b"0", &again, b"replace"]);
                    assert_eq!(reply, b"+OK\r\n", "{key} {at} {bit}");
                } else {
                    assert_eq!(reply, b"-ERR Bad data format\r\n", "{key} {at} {bit}");
                }
            }
        }
    }
}

#[test]
fn a_name_that_is_in_use_counts_as_used_when_renamenx_looks_at_it() {
    let mut client = Harness::new();
    client.run(&words("restore k 0 BAR idletime 1000"));
    client.run("set other v");
    assert_eq!(client.run("renamenx other k"), ":0|");
    assert_eq!(client.run("object idletime k"), ":0|");
}

#[test]
fn version_0_is_an_old_one() {
    let mut client = Harness::new();
    assert_eq!(client.run(&format!("restore k 0 {}", "\0".repeat(10))), "+OK|");
    assert_eq!(client.run("get k"), "$0||");
}
