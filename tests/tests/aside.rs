//! What is computed aside: it is of one instant, whatever others do meanwhile, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_resp::{Value, encode_request};
use ochre_tests::{Client, Server, ServerBuilder, ochre, wait_for};

/// Enough that others have the time to do something meanwhile.
const ELEMENTS: usize = 30_000;

fn server(workers: usize) -> Server {
    ServerBuilder::new(ochre()).workers(workers).set("enable-debug-command", "local").start()
}

fn add(client: &mut Client, command: &str, key: &str, numbers: std::ops::Range<usize>) {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    for chunk in numbers.chunks(1000) {
        let mut args = vec![command.to_owned(), key.to_owned()];
        for number in chunk {
            match command {
                "zadd" | "hset" => args.extend([number.clone(), format!("m{number}")]),
                _ => args.push(format!("m{number}")),
            }
        }
        assert!(matches!(client.request(&args).unwrap(), Value::Integer(_)));
    }
}

/// Places all over the world.
fn add_places(client: &mut Client, key: &str) {
    for chunk in (0..ELEMENTS).collect::<Vec<_>>().chunks(1000) {
        let mut args = vec!["geoadd".to_owned(), key.to_owned()];
        for number in chunk {
            let (longitude, latitude) = ((number % 360) as f64 - 179.5, (number / 360 % 160) as f64 - 79.75);
            args.extend([longitude.to_string(), latitude.to_string(), format!("p{number}")]);
        }
        assert!(matches!(client.request(&args).unwrap(), Value::Integer(_)));
    }
}

fn texts(value: &Value) -> BTreeSet<String> {
    let Value::Array(Some(elements)) = value else { panic!("no array: {value:?}") };
    elements.iter().map(text).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Bulk(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("no text: {other:?}"),
    }
}

fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(number) => *number,
        other => panic!("no number: {other:?}"),
    }
}

fn send(client: &mut Client, words: &str) {
    let mut request = Vec::new();
    encode_request(&mut request, &words.split(' ').collect::<Vec<_>>());
    client.send(&request).unwrap();
}

/// Has one client do `ask` while others do these things, one after the other, again and again.
fn while_others(server: &Server, things: &[&[&str]], ask: impl FnOnce(&mut Client)) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thing in things {
            let (mut other, is_over) = (server.connect(), &is_over);
            scope.spawn(move || {
                while !is_over.load(Relaxed) {
                    for words in *thing {
                        assert!(!matches!(other.ask(words), Value::Error(_)), "{words}");
                    }
                }
            });
        }
        let _end = SetAtEnd(&is_over);
        ask(&mut server.connect());
    });
}

/// A flag that is set even if a test fails: else the others would go on for ever.
struct SetAtEnd<'f>(&'f AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn combined_sets_are_of_one_instant() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        add(&mut client, "sadd", "a", 0..ELEMENTS);
        add(&mut client, "sadd", "b", ELEMENTS / 2..ELEMENTS * 3 / 2);
        client.ask("sadd a moving");
        let moves: &[&str] = &["smove a b moving", "smove b a moving"];
        while_others(&server, &[moves], |client| {
            for _ in 0..5 {
                // It is always in just one of them.
                let union = texts(&client.ask("sunion a b"));
                assert!(union.len() == ELEMENTS * 3 / 2 + 1 && union.contains("moving"));
                assert!(!texts(&client.ask("sinter a b")).contains("moving"));
                assert_eq!(integer(&client.ask("sintercard 2 a b")), ELEMENTS as i64 / 2);
                assert_eq!(integer(&client.ask("sunionstore c a b")), ELEMENTS as i64 * 3 / 2 + 1);
                assert_eq!(integer(&client.ask("sinterstore c a b")), ELEMENTS as i64 / 2);
                assert_eq!(integer(&client.ask("zunionstore c 2 a b")), ELEMENTS as i64 * 3 / 2 + 1);
                assert_eq!(integer(&client.ask("zintercard 2 a b")), ELEMENTS as i64 / 2);
            }
        });
        assert_eq!(server.connect().info("total_watched_keys"), 0);
    }
}

#[test]
fn results_are_those_that_are_computed_at_once() {
    let server = server(2);
    let mut client = server.connect();
    add(&mut client, "sadd", "a", 0..ELEMENTS);
    add(&mut client, "sadd", "b", ELEMENTS / 2..ELEMENTS * 3 / 2);
    client.ask("sadd few m1 m2 none");
    add(&mut client, "zadd", "z", 0..ELEMENTS);
    add(&mut client, "hset", "h", 0..ELEMENTS);
    (0..ELEMENTS).collect::<Vec<_>>().chunks(1000).for_each(|chunk| {
        let numbers = chunk.iter().map(|number| (number * 7919 % 20_011).to_string());
        let args: Vec<String> = ["rpush", "numbers"].map(str::to_owned).into_iter().chain(numbers).collect();
        client.request(&args).unwrap();
    });
    add_places(&mut client, "places");
    let replies = [
        "sunion a b few",
        "sdiff a b",
        "sdiff a few",
        "sinter a b",
        "sdiff a nokey b",
        "zunion 2 z a withscores",
        "zinter 2 z b weights 2 3 aggregate max withscores",
        "zdiff 2 z b",
        "keys m*",
        "keys *",
        "geosearch places fromlonlat 0 0 byradius 20000 km",
        "geosearch places frommember p77 bybox 15000 9000 km desc withdist withhash withcoord",
        "georadius places 10 10 20000 km count 25000 withdist",
        "geosearch places fromlonlat 0 0 byradius 20000 km count 20000 any asc",
    ];
    let stores = [
        "sunionstore s a b",
        "sdiffstore s a b few",
        "sinterstore s a b",
        "zunionstore s 3 z a few",
        "zinterstore s 2 z b",
        "zdiffstore s 2 z few",
        "zrangestore s z 10 -10",
        "copy a s replace",
        "copy z s replace",
        "copy h s replace",
        "sort a alpha store s",
        "sort a alpha desc limit 10 25000 get # get none store s",
        "sort z by nosort desc limit 10 25000 store s",
        "sort numbers limit 5 20000 store s",
        "geosearchstore s places fromlonlat 0 0 byradius 20000 km asc",
        "geosearchstore s places fromlonlat 0 0 byradius 20000 km count 100 storedist",
        "georadiusbymember places p77 20000 km store s",
    ];
    let at_once = |client: &mut Client, words: &[&str]| {
        assert_eq!(client.ask("multi"), Value::Simple("OK".into()));
        words.iter().for_each(|words| drop(client.ask(words)));
        let Value::Array(Some(replies)) = client.ask("exec") else { panic!("no replies") };
        replies
    };
    for words in replies {
        let (aside, at_once) = (client.ask(words), at_once(&mut client, &[words]));
        let is_in_order = words.starts_with('z') || words.starts_with("geo");
        assert!(
            if is_in_order { aside == at_once[0] } else { texts(&aside) == texts(&at_once[0]) },
            "{words}"
        );
    }
    for words in stores {
        let aside = [client.ask(words), client.ask("debug digest-value s"), client.ask("object encoding s")];
        let at_once = at_once(&mut client, &[words, "debug digest-value s", "object encoding s"]);
        assert!(aside[..] == at_once[..], "{words}: {aside:?} {at_once:?}");
    }
    // Each counts once, as if it had been done at once, and so does what it reads.
    client.ask("config resetstat");
    ["sunion a nokey", "zunionstore s 2 z nokey", "copy a s replace"]
        .iter()
        .for_each(|words| drop(client.ask(words)));
    assert_eq!((client.info("keyspace_hits"), client.info("keyspace_misses")), (3, 2));
    let stats = text(&client.ask("info commandstats"));
    assert!(stats.contains("cmdstat_sunion:calls=1,") && stats.contains("cmdstat_copy:calls=1,"), "{stats}");
    ["config set slowlog-log-slower-than 1000", "slowlog reset", "sunionstore s a b"]
        .iter()
        .for_each(|words| drop(client.ask(words)));
    let Value::Array(Some(slow)) = client.ask("slowlog get") else { panic!("no log") };
    let is_told = |entry: &Value| matches!(entry, Value::Array(Some(entry)) if texts(&entry[3]).contains("sunionstore"));
    assert!(slow.iter().any(is_told), "what it took elsewhere counts");
    assert_eq!(client.ask("sunionstore s a h"), client.ask("sunion a h"), "another type");
}

#[test]
fn all_keys_are_those_of_one_instant() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        for chunk in (0..ELEMENTS).collect::<Vec<_>>().chunks(1000) {
            let pairs = chunk.iter().flat_map(|number| [format!("key:{number}"), "v".to_owned()]);
            let args: Vec<String> = std::iter::once("mset".to_owned()).chain(pairs).collect();
            client.request(&args).unwrap();
        }
        let first = ["debug set-active-expire 0", "set here 1", "set gone v px 1"];
        first.iter().for_each(|words| drop(client.ask(words)));
        // Its time has come, and nobody has looked at it since.
        let set = Instant::now();
        wait_for(|| (set.elapsed() > Duration::from_millis(5)).then_some(())).unwrap();
        let renames: &[&str] = &["rename here there", "rename there here"];
        let others: &[&str] = &["set key:1 other", "append key:77 x", "incr number", "del number"];
        while_others(&server, &[renames, others], |client| {
            for _ in 0..10 {
                let keys = texts(&client.ask("keys *"));
                assert!(keys.contains("here") != keys.contains("there"), "one of them");
                assert!(!keys.contains("gone"));
                let known = keys.iter().filter(|key| key.starts_with("key:")).count();
                assert_eq!(known, ELEMENTS);
                let matching = texts(&client.ask("keys key:*77"));
                assert_eq!(matching.len(), ELEMENTS / 100);
            }
        });
    }
}

#[test]
fn a_long_step_of_a_scan_is_one_step() {
    let server = server(2);
    let mut client = server.connect();
    (0..500).for_each(|number| drop(client.ask(&format!("set key:{number} v"))));
    ["set gone v px 1", "sadd s 1"].iter().for_each(|words| drop(client.ask(words)));
    wait_for(|| (client.ask("exists gone") == Value::Integer(0)).then_some(())).unwrap();
    let mut scan = |words: &str| {
        let Value::Array(Some(parts)) = client.ask(words) else { panic!("no array") };
        (text(&parts[0]), texts(&parts[1]))
    };
    let (cursor, keys) = scan("scan 0 count 1000");
    assert_eq!((cursor.as_str(), keys.len()), ("0", 501));
    let (cursor, first) = scan("scan 0 count 200 match key:*");
    assert!(cursor != "0" && (190..300).contains(&first.len()), "{}", first.len());
    let (_, rest) = scan(&format!("scan {cursor} count 1000 type string"));
    assert_eq!(first.union(&rest).count(), 500);
}

#[test]
fn a_copy_is_of_one_instant() {
    let server = server(2);
    let mut client = server.connect();
    add(&mut client, "sadd", "a", 0..ELEMENTS);
    client.ask("sadd a x0");
    let changes: &[&str] = &["sadd a x1", "srem a x0", "sadd a x0", "srem a x1"];
    while_others(&server, &[changes], |client| {
        for _ in 0..10 {
            assert_eq!(client.ask("copy a b replace"), Value::Integer(1));
            let (x0, x1) = (integer(&client.ask("sismember b x0")), integer(&client.ask("sismember b x1")));
            assert!(x0 + x1 > 0, "one of them is always there");
            assert_eq!(integer(&client.ask("scard b")), ELEMENTS as i64 + x0 + x1);
        }
    });
}

#[test]
fn random_elements_are_of_one_instant() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        ["sadd", "zadd", "hset"]
            .iter()
            .for_each(|command| add(&mut client, command, &command[..1], 0..ELEMENTS));
        let first = ["sadd s x0", "zadd z 1 x0", "hset h x 0 y 0"];
        first.iter().for_each(|words| drop(client.ask(words)));
        let sets: &[&str] = &["sadd s x1", "srem s x0", "sadd s x0", "srem s x1"];
        let scores: &[&str] = &["zadd z 1 x1", "zrem z x0", "zadd z 1 x0", "zrem z x1"];
        let hashes: &[&str] = &["hset h x 1 y 1", "hset h x 2 y 2"];
        while_others(&server, &[sets, scores, hashes], |client| {
            for _ in 0..5 {
                for words in ["srandmember s 1000000", "zrandmember z 1000000"] {
                    let members = texts(&client.ask(words));
                    let moving = [members.contains("x0"), members.contains("x1")];
                    assert!(moving.contains(&true), "{words}: one of them is always there");
                    assert_eq!(members.len(), ELEMENTS + moving.iter().filter(|is_there| **is_there).count());
                }
                let Value::Array(Some(pairs)) = client.ask("hrandfield h 1000000 withvalues") else {
                    panic!("no array")
                };
                assert_eq!(pairs.len(), 2 * (ELEMENTS + 2));
                let of = |name: &str| {
                    pairs.chunks(2).find(|pair| text(&pair[0]) == name).map(|pair| text(&pair[1]))
                };
                assert_eq!(of("x"), of("y"), "they are set together");
            }
        });
        for words in ["srandmember s -100000", "zrandmember z -100000", "hrandfield h -100000"] {
            let Value::Array(Some(drawn)) = client.ask(words) else { panic!("no array") };
            assert_eq!(drawn.len(), 100_000);
            let different = drawn.iter().map(text).collect::<BTreeSet<_>>().len();
            assert!((ELEMENTS * 9 / 10..ELEMENTS + 3).contains(&different), "{words}: {different}");
        }
        client.ask("config set proto-max-bulk-len 1mb");
        for words in ["srandmember s -1000000000", "zrandmember z -1000000000", "hrandfield h -1000000000"] {
            assert_eq!(client.ask(words), Value::Error("ERR value is out of range".into()), "{words}");
        }
        let stats = text(&client.ask("info commandstats"));
        assert!(stats.contains("cmdstat_hrandfield:calls=7,"), "{stats}");
    }
}

#[test]
fn what_is_sorted_and_stored_is_of_one_instant() {
    let server = server(2);
    let mut client = server.connect();
    add(&mut client, "sadd", "a", 0..ELEMENTS);
    client.ask("sadd a x0");
    let changes: &[&str] = &["sadd a x1", "srem a x0", "sadd a x0", "srem a x1"];
    while_others(&server, &[changes], |client| {
        for _ in 0..5 {
            let len = integer(&client.ask("sort a alpha store b"));
            let there = ["x0", "x1"].map(|member| client.ask(&format!("lpos b {member}")));
            let there = there.iter().filter(|place| matches!(place, Value::Integer(_))).count();
            assert!(there > 0, "one of them is always there");
            assert_eq!(len, (ELEMENTS + there) as i64);
        }
    });
    let error = client.ask("sort a store b");
    assert_eq!(error, Value::Error("ERR One or more scores can't be converted into double".into()));
    assert!(integer(&client.ask("llen b")) > 0, "it is as it was");
    assert_eq!(client.info("total_watched_keys"), 0);
}

#[test]
fn places_that_are_found_are_of_one_instant() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        add_places(&mut client, "g");
        client.ask("geoadd g 10 10 x 10 10 y");
        let moves: &[&str] = &["geoadd g 20 20 x 20 20 y", "geoadd g 10 10 x 10 10 y"];
        while_others(&server, &[moves], |client| {
            for _ in 0..5 {
                let search = "fromlonlat 0 0 byradius 30000 km";
                let Value::Array(Some(found)) = client.ask(&format!("geosearch g {search} withhash")) else {
                    panic!("no array")
                };
                assert_eq!(found.len(), ELEMENTS + 2);
                let place = |name: &str| {
                    let pairs = found.iter().filter_map(|pair| match pair {
                        Value::Array(Some(pair)) => Some(pair),
                        _ => None,
                    });
                    let mut named = pairs.filter(|pair| text(&pair[0]) == name);
                    named.next().map(|pair| integer(&pair[1])).unwrap()
                };
                assert_eq!(place("x"), place("y"), "they move together");
                let stored = integer(&client.ask(&format!("geosearchstore d g {search}")));
                assert_eq!(stored, ELEMENTS as i64 + 2);
                assert_eq!(client.ask("zscore d x"), client.ask("zscore d y"));
            }
        });
        let gone = Value::Error("ERR could not decode requested zset member".into());
        assert_eq!(client.ask("geosearch g frommember z byradius 30000 km"), gone);
        assert_eq!(client.info("total_watched_keys"), 0);
    }
}

/// A stream with entries from 1-0 on, all of which the consumer `c` of the group `g` has been given.
fn add_pending(client: &mut Client, key: &str) {
    let script = format!(
        "for id = 1, {ELEMENTS} do redis.call('xadd', KEYS[1], id .. '-0', 'field', 'value') end \
         redis.call('xgroup', 'create', KEYS[1], 'g', '0') \
         redis.call('xreadgroup', 'group', 'g', 'c', 'streams', KEYS[1], '>')"
    );
    assert!(!matches!(client.request(&["eval", &script, "1", key]).unwrap(), Value::Error(_)));
}

/// What XPENDING tells of each entry besides how long it has been idle.
fn pending(client: &mut Client, words: &str) -> Vec<(String, String, i64)> {
    let Value::Array(Some(entries)) = client.ask(words) else { panic!("no array") };
    let told = entries.iter().map(|entry| match entry {
        Value::Array(Some(entry)) => (text(&entry[0]), text(&entry[1]), integer(&entry[3])),
        other => panic!("no entry: {other:?}"),
    });
    told.collect()
}

#[test]
fn pending_entries_are_those_of_one_instant() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        add_pending(&mut client, "x");
        let all = pending(&mut client, "xpending x g - + 1000000");
        let expected = (1..=ELEMENTS).map(|id| (format!("{id}-0"), "c".to_owned(), 1));
        assert!(all.iter().cloned().eq(expected));
        for (words, range) in [
            ("- + 20000", 0..20_000),
            ("(10-0 25000-0 1000000", 10..25_000),
            ("- + 1000000 c", 0..ELEMENTS),
            ("- + 1000000 d", 0..0),
            ("5-0 + 3 c", 4..7),
            ("- + 0", 0..0),
        ] {
            assert!(pending(&mut client, &format!("xpending x g {words}")) == all[range], "{words}");
        }
        let idle = "xpending x g idle 100000000 - + 10";
        assert_eq!(client.ask(idle), Value::Array(Some(Vec::new())), "all of them were looked at");
        // What is idle lies behind many that are not.
        client.ask("xclaim x g c 0 29000-0 idle 200000000 retrycount 7 justid");
        assert_eq!(pending(&mut client, idle), [("29000-0".to_owned(), "c".to_owned(), 7)]);
        let claims: &[&str] = &["xclaim x g d 0 5-0 6-0 justid", "xclaim x g c 0 5-0 6-0 justid"];
        while_others(&server, &[claims], |client| {
            for _ in 0..10 {
                let entries = pending(client, "xpending x g - + 1000000");
                assert_eq!(entries.len(), ELEMENTS);
                assert_eq!(entries[4].1, entries[5].1, "they are claimed together");
            }
        });
        ["multi", "xpending x g - + 1000000", "exec"].iter().for_each(|words| send(&mut client, words));
        let replies: Vec<Value> = (0..3).map(|_| client.read().unwrap()).collect();
        let Value::Array(Some(replies)) = &replies[2] else { panic!("no replies") };
        assert!(matches!(&replies[0], Value::Array(Some(entries)) if entries.len() == ELEMENTS));
    }
}

#[test]
fn a_payload_is_of_one_instant_and_as_if_made_at_once() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        ["sadd", "zadd", "hset"]
            .iter()
            .for_each(|command| add(&mut client, command, &command[..1], 0..ELEMENTS));
        add(&mut client, "rpush", "l", 0..ELEMENTS);
        add_pending(&mut client, "x");
        client.ask("copy h e");
        client.ask("hpexpire e 1000000 fields 3 1 2 3");
        client.ask(&format!("set v {}", "text".repeat(2_000_000)));
        client.ask("set w x");
        client.ask("setrange w 700000 x");
        let one = |reply: Value| match reply {
            Value::Array(Some(mut replies)) => replies.remove(0),
            other => panic!("no replies: {other:?}"),
        };
        for key in ["s", "z", "h", "l", "x", "e", "v", "w"] {
            let aside = client.ask(&format!("dump {key}"));
            client.ask("multi");
            client.ask(&format!("dump {key}"));
            let at_once = one(client.ask("exec"));
            assert!(aside == at_once, "{key}");
            let payload = aside.as_bytes().unwrap();
            let restored = client.request(&[&b"restore"[..], b"r", b"0", payload, b"replace"]).unwrap();
            assert_eq!(restored, Value::Simple("OK".into()), "{key}");
            let digests = [key, "r"].map(|key| client.ask(&format!("debug digest-value {key}")));
            assert_eq!(digests[0], digests[1], "{key}");
        }
        assert_eq!(client.ask("dump none"), Value::Bulk(None));
        client.ask("hset h x 0 y 0");
        let changes: &[&str] = &["hset h x 1 y 1", "hset h x 2 y 2"];
        while_others(&server, &[changes], |client| {
            for _ in 0..5 {
                let payload = client.ask("dump h");
                let payload = payload.as_bytes().unwrap();
                client.request(&[&b"restore"[..], b"r", b"0", payload, b"replace"]).unwrap();
                assert_eq!(client.ask("hget r x"), client.ask("hget r y"), "they are set together");
            }
        });
    }
}

#[test]
fn a_copied_stream_is_one_of_its_own() {
    let server = server(1);
    let mut client = server.connect();
    add_pending(&mut client, "x");
    for (changed, kept) in [("y", "x"), ("x", "y")] {
        assert_eq!(client.ask("copy x y replace"), Value::Integer(1));
        let digests = ["x", "y"].map(|key| client.ask(&format!("debug digest-value {key}")));
        assert_eq!(digests[0], digests[1]);
        let tell = |client: &mut Client, key: &str| {
            ["xlen KEY", "xrange KEY - + COUNT 10", "xinfo stream KEY full count 3", "xpending KEY g"]
                .map(|words| client.ask(&words.replace("KEY", key)))
        };
        let before = tell(&mut client, kept);
        for words in [
            "xdel KEY 2-0 77-0 20000-0",
            "xack KEY g 1-0 300-0 29999-0",
            "xtrim KEY maxlen 29000",
            "xadd KEY 40000-0 f v",
            "xgroup create KEY other 0",
            "xreadgroup group other d count 5000 streams KEY >",
        ] {
            assert!(!matches!(client.ask(&words.replace("KEY", changed)), Value::Error(_)), "{words}");
        }
        assert_eq!(integer(&client.ask(&format!("xlen {changed}"))), 29_001);
        assert!(tell(&mut client, kept) == before, "{kept}");
        client.ask("del x y");
        add_pending(&mut client, "x");
    }
}

/// Has a command done aside to `v` and, in a transaction, to `w`, which are the same; what it replies, and whether both are the
/// same then.
fn done_twice(client: &mut Client, words: &str) -> (Value, Value) {
    let aside = client.ask(&words.replace("KEY", "v"));
    for words in ["multi", &words.replace("KEY", "w"), "exec"] {
        send(client, words);
    }
    let replies = [(); 3].map(|()| client.read().unwrap());
    let Value::Array(Some(at_once)) = &replies[2] else { panic!("no replies") };
    let told = ["exists KEY", "debug digest-value KEY", "object encoding KEY", "expiretime KEY"];
    for question in told {
        let answers = ["v", "w"].map(|key| client.ask(&question.replace("KEY", key)));
        assert_eq!(answers[0], answers[1], "{words}: {question}");
    }
    (aside, at_once[0].clone())
}

#[test]
fn ranges_are_removed_at_one_instant() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        add(&mut client, "zadd", "z", 0..ELEMENTS);
        for (words, removed) in [
            ("zremrangebyrank KEY 10 -10", ELEMENTS - 19),
            ("zremrangebyrank KEY 0 25000", 25_001),
            ("zremrangebyrank KEY 0 -1", ELEMENTS),
            ("zremrangebyscore KEY (5 (29990", ELEMENTS - 16),
            ("zremrangebyscore KEY -inf +inf", ELEMENTS),
        ] {
            for words in ["copy z v replace", "copy z w replace"] {
                client.ask(words);
            }
            ["v", "w"].iter().for_each(|key| drop(client.ask(&format!("expireat {key} 4000000000"))));
            let removed = Value::Integer(removed as i64);
            assert_eq!(done_twice(&mut client, words), (removed.clone(), removed), "{words}");
        }
        let moves: &[&str] = &["zadd v -1 x", "zadd v 1000000 x"];
        while_others(&server, &[moves], |client| {
            for _ in 0..10 {
                client.ask("copy z v replace");
                let removed = client.ask("zremrangebyscore v (-1 (1000000");
                assert_eq!(removed, Value::Integer(ELEMENTS as i64));
                assert!(integer(&client.ask("zcard v")) <= 1, "one was moving");
            }
        });
        assert_eq!(client.info("total_watched_keys"), 0);
    }
}

#[test]
fn very_many_members_are_popped_at_one_instant() {
    for workers in [1, 2] {
        let server = server(workers);
        let mut client = server.connect();
        add(&mut client, "sadd", "a", 0..ELEMENTS);
        let all = texts(&client.ask("smembers a"));
        for (count, encoding) in
            [(20_000, "hashtable"), (29_000, "hashtable"), (29_990, "listpack"), (100_000, "none")]
        {
            client.ask("copy a v replace");
            client.ask("expire v 1000");
            let popped = texts(&client.ask(&format!("spop v {count}")));
            assert_eq!(popped.len(), count.min(ELEMENTS));
            let rest = texts(&client.ask("smembers v"));
            assert!(rest.is_disjoint(&popped) && rest.union(&popped).eq(&all), "{count}");
            match encoding {
                "none" => assert_eq!(client.ask("exists v"), Value::Integer(0)),
                encoding => assert_eq!(text(&client.ask("object encoding v")), encoding),
            }
            assert_eq!(client.ask("ttl v") == Value::Integer(-2), encoding == "none");
        }
        let changes: &[&str] = &["sadd v x1", "srem v x0", "sadd v x0", "srem v x1"];
        while_others(&server, &[changes], |client| {
            for _ in 0..10 {
                client.ask("copy a v replace");
                let popped = texts(&client.ask("spop v 29000"));
                assert_eq!(popped.len(), 29_000);
                let rest = texts(&client.ask("smembers v"));
                assert!(
                    rest.iter()
                        .filter(|member| !member.starts_with('x'))
                        .all(|member| !popped.contains(member))
                );
            }
        });
        assert_eq!(client.info("total_watched_keys"), 0);
    }
}

#[test]
fn bits_are_combined_at_one_instant() {
    let server = server(2);
    let mut client = server.connect();
    client.request(&["set", "a", &"pattern ".repeat(1_000_000)]).unwrap();
    client.request(&["set", "b", &"Another one".repeat(500_000)]).unwrap();
    for words in ["set short abc", "set number 12345", "set v x ex 100", "set w x ex 100"] {
        client.ask(words);
    }
    for words in [
        "bitop or KEY a b",
        "bitop and KEY b none a",
        "bitop xor KEY number a short b",
        "bitop not KEY b",
        "bitop diff KEY a b short",
        "bitop one KEY a b KEY",
    ] {
        let (aside, at_once) = done_twice(&mut client, words);
        assert_eq!(aside, at_once, "{words}");
    }
    assert_eq!(
        client.ask("bitop not a b a"),
        Value::Error("ERR BITOP NOT must be called with a single source key.".into(),)
    );
    client.ask("sadd set x");
    assert!(matches!(client.ask("bitop or d a set"), Value::Error(_)));
    client.ask("bitop xor b a none");
    let together: &[&str] =
        &["multi", "setbit a 5 1", "setbit b 5 1", "exec", "multi", "setbit a 5 0", "setbit b 5 0", "exec"];
    while_others(&server, &[together], |client| {
        for _ in 0..5 {
            client.ask("bitop xor d a b");
            assert_eq!(client.ask("bitcount d"), Value::Integer(0), "they are changed together");
        }
    });
    assert_eq!(client.info("total_watched_keys"), 0);
}

#[test]
fn what_comes_behind_waits_and_others_do_not() {
    let server = server(1);
    let (mut client, mut other) = (server.connect(), server.connect());
    add(&mut client, "sadd", "a", 0..ELEMENTS);
    let mut is_served_meanwhile = || {
        other.ask("del n");
        ["sunionstore b a c", "scard b", "keys *", "sunion b c", "get n"]
            .iter()
            .for_each(|words| send(&mut client, words));
        assert_eq!(other.ask("incr n"), Value::Integer(1));
        assert_eq!(
            (client.read().unwrap(), client.read().unwrap()),
            (Value::Integer(ELEMENTS as i64), Value::Integer(ELEMENTS as i64))
        );
        assert!(texts(&client.read().unwrap()).is_superset(&["a".to_owned(), "b".to_owned()].into()));
        assert_eq!(texts(&client.read().unwrap()).len(), ELEMENTS);
        client.read().unwrap() == Value::Bulk(Some(b"1".to_vec()))
    };
    // On a busy machine the other one may come too late, but not every time.
    wait_for(|| is_served_meanwhile().then_some(())).expect("others do not wait");
    // With no reply wanted, it is done all the same.
    ["client reply skip", "sunionstore d a"].iter().for_each(|words| send(&mut client, words));
    assert_eq!(client.ask("scard d"), Value::Integer(ELEMENTS as i64));
}

#[test]
fn who_is_gone_leaves_nothing_behind() {
    let server = server(2);
    let mut other = server.connect();
    add(&mut other, "sadd", "a", 0..ELEMENTS);
    for _ in 0..20 {
        let mut client = server.connect();
        let id = integer(&client.ask("client id"));
        send(&mut client, "sunionstore b a c");
        assert_eq!(other.ask(&format!("client kill id {id}")), Value::Integer(1));
    }
    wait_for(|| (other.info("total_watched_keys") == 0 && other.info("blocked_clients") == 0).then_some(()))
        .unwrap();
    // One that is refused when it runs again is forgotten, too.
    send(&mut other, "client no-evict off");
    other.read().unwrap();
    let (mut client, mut admin) = (server.connect(), server.connect());
    admin.ask("acl setuser u on nopass ~* +@all");
    client.ask("auth u x");
    send(&mut client, "sunionstore b a c");
    admin.ask("acl setuser u -sunionstore");
    let reply = client.read().unwrap();
    assert!(reply == Value::Integer(ELEMENTS as i64) || matches!(reply, Value::Error(_)), "{reply:?}");
    assert_eq!(client.ask("sunion c"), Value::Array(Some(Vec::new())));
    assert_eq!(other.info("total_watched_keys"), 0);
}

#[test]
fn a_log_has_it_once_and_readers_of_the_log_get_the_same() {
    let server = ServerBuilder::new(ochre())
        .workers(2)
        .set("enable-debug-command", "local")
        .set("appendonly", "yes")
        .set("appendfsync", "always")
        .start();
    let mut client = server.connect();
    add(&mut client, "sadd", "a", 0..ELEMENTS);
    let moves: &[&str] = &["sadd a moving", "srem a moving"];
    while_others(&server, &[moves], |client| {
        for _ in 0..5 {
            client.ask("sunionstore b a");
            client.ask("copy a c replace");
            client.ask("copy a d replace");
            client.ask("spop d 20000");
            client.ask("zunionstore e 1 a");
            client.ask("zremrangebyrank e 5 25000");
            client.ask("sort a alpha store f");
        }
    });
    let keys = ["a", "b", "c", "d", "e", "f"];
    let before = keys.map(|key| client.ask(&format!("debug digest-value {key}")));
    assert_eq!(client.ask("debug loadaof"), Value::Simple("OK".into()));
    let after = keys.map(|key| client.ask(&format!("debug digest-value {key}")));
    assert_eq!(before, after);
}
