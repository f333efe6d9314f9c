//! Messages between clients of several workers: who gets them, in which order, and how they stand to replies.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};

use ochre_resp::Value;
use ochre_tests::{Client, Server, ServerBuilder, is_closed, ochre, wait_for};

const WORKERS: usize = 4;

fn server() -> Server {
    ServerBuilder::new(ochre()).workers(WORKERS).start()
}

fn parts(value: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Integer(number) => number.to_string(),
        value => String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned(),
    };
    value.as_elements().map_or_else(Vec::new, |values| values.iter().map(text).collect())
}

fn send(client: &mut Client, words: &str) {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut bytes = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| bytes.push_str(&format!("${}\r\n{word}\r\n", word.len())));
    client.send(bytes.as_bytes()).unwrap();
}

/// Reads up to the message that is a reply to (un)subscribing; the numbers of the messages before it.
fn numbers_before(client: &mut Client, word: &str) -> Vec<i64> {
    let mut numbers = Vec::new();
    loop {
        let message = parts(&client.read().unwrap());
        if message[0] == word {
            return numbers;
        }
        assert_eq!(message[0], "message");
        numbers.push(message[2].parse().unwrap());
    }
}

/// Whoever listens may be silent for as long as it likes; others are gone after `timeout`.
#[test]
fn subscribers_are_not_idle() {
    let server = ServerBuilder::new(ochre()).workers(1).start();
    let connect = |protocol: &str, words: &str| {
        let mut client = server.connect();
        client.request(&["HELLO", protocol]).unwrap();
        client.request(&words.split(' ').collect::<Vec<_>>()).unwrap();
        client
    };
    let listeners = ["SUBSCRIBE c", "PSUBSCRIBE c*", "SSUBSCRIBE c"];
    let mut listeners: Vec<Client> =
        ["2", "3"].iter().flat_map(|protocol| listeners.map(|words| connect(protocol, words))).collect();
    let mut others = [connect("2", "PING"), connect("3", "PING")];
    let mut admin = server.connect();
    admin.ask("CONFIG SET timeout 1");
    // They have been silent for less long than the listeners.
    for other in &mut others {
        assert!(is_closed(&other.read().unwrap_err()));
    }
    for listener in &mut listeners {
        send(listener, "PING");
        listener.read().unwrap();
    }
}

/// Who has the reply of SUBSCRIBE gets every message published afterwards, and nobody any after the reply of UNSUBSCRIBE. The
/// publisher is told how many get each.
#[test]
fn subscribers_get_just_what_is_published_while_they_are() {
    const SUBSCRIBERS: usize = 6;
    const ROUNDS: usize = 150;
    let server = server();
    let (acknowledged, over) = (AtomicI64::new(0), AtomicBool::new(false));
    let (received, promised) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..SUBSCRIBERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = server.connect();
                    for _ in 0..ROUNDS {
                        send(&mut client, "SUBSCRIBE c");
                        assert!(numbers_before(&mut client, "subscribe").is_empty());
                        let known = acknowledged.load(SeqCst);
                        wait_for(|| (acknowledged.load(SeqCst) > known + 3).then_some(())).unwrap();
                        let due = acknowledged.load(SeqCst);
                        send(&mut client, "UNSUBSCRIBE c");
                        let numbers = numbers_before(&mut client, "unsubscribe");
                        let (first, last) = (numbers[0], *numbers.last().unwrap());
                        // The one behind that may have been on its way.
                        assert!(first <= known + 2, "{first} is the first, {known} was known before");
                        assert!(last >= due, "{last} is the last, {due} was known before leaving");
                        assert!(numbers.iter().copied().eq(first..=last), "{numbers:?}");
                        received.fetch_add(numbers.len() as u64, SeqCst);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut client = server.connect();
            for number in 1.. {
                match client.ask(&format!("PUBLISH c {number}")) {
                    Value::Integer(count) => promised.fetch_add(count as u64, SeqCst),
                    other => panic!("{other:?}"),
                };
                acknowledged.store(number, SeqCst);
                if over.load(SeqCst) {
                    break;
                }
            }
        });
        let ends: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        over.store(true, SeqCst);
        ends.into_iter().for_each(|end| end.unwrap());
    });
    assert_eq!(received.load(SeqCst), promised.load(SeqCst));
    assert_eq!(server.connect().info("pubsub_channels"), 0);
}

/// All subscribers see messages of all publishers in one order, and a transaction's messages without others in between.
#[test]
fn all_see_one_order() {
    const PUBLISHERS: usize = 4;
    const SUBSCRIBERS: usize = 4;
    const MESSAGES: usize = 400;
    let server = server();
    let mut listeners: Vec<Client> = (0..SUBSCRIBERS).map(|_| server.connect()).collect();
    for (index, client) in listeners.iter_mut().enumerate() {
        match index % 2 {
            0 => client.ask("PSUBSCRIBE room:*"),
            _ => (0..PUBLISHERS).map(|room| client.ask(&format!("PSUBSCRIBE room:{room}*"))).last().unwrap(),
        };
    }
    std::thread::scope(|scope| {
        for room in 0..PUBLISHERS {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.connect();
                for number in 0..MESSAGES / 4 {
                    let (a, b) = (number * 4, number * 4 + 1);
                    client.ask(&format!("PUBLISH room:{room} {room}.{a}"));
                    client.ask("MULTI");
                    client.ask(&format!("PUBLISH room:{room} {room}.{b}"));
                    client.ask("SET k v");
                    client.ask(&format!("PUBLISH room:{}x {room}.{}", (room + 1) % PUBLISHERS, b + 1));
                    client.ask(&format!("PUBLISH room:{room} {room}.{}", b + 2));
                    client.ask("EXEC");
                }
            });
        }
        let histories: Vec<Vec<String>> = listeners
            .iter_mut()
            .map(|client| {
                (0..PUBLISHERS * MESSAGES).map(|_| parts(&client.read().unwrap()).pop().unwrap()).collect()
            })
            .collect();
        for (index, history) in histories.iter().enumerate() {
            assert_eq!(history, &histories[0], "subscriber {index}");
        }
        let mut next = HashMap::new();
        for (at, message) in histories[0].iter().enumerate() {
            let (room, number) = message.split_once('.').unwrap();
            let number: usize = number.parse().unwrap();
            let expected = next.entry(room).or_insert(0);
            assert_eq!(number, *expected, "of {room}");
            *expected += 1;
            if number % 4 > 1 {
                assert_eq!(histories[0][at - 1], format!("{room}.{}", number - 1), "a transaction is torn");
            }
        }
    });
}

/// A client of RESP3 sees messages and replies in the order in which things happened: what was published before its command
/// comes before the reply, what it published itself after it.
#[test]
fn messages_and_replies_have_one_order() {
    const ROUNDS: i64 = 2_000;
    let server = server();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = server.connect();
            for number in 1..=ROUNDS {
                client.ask(&format!("PUBLISH c {number}"));
                client.ask(&format!("SET k {number}"));
            }
            over.store(true, SeqCst);
        });
        for _ in 0..3 {
            scope.spawn(|| {
                let mut client = server.connect();
                client.ask("HELLO 3");
                client.ask("SUBSCRIBE c own");
                client.read().unwrap();
                let mut told = 0i64;
                while !over.load(SeqCst) {
                    send(&mut client, "GET k");
                    loop {
                        match client.read().unwrap() {
                            Value::Push(values) => {
                                told = parts(&Value::Array(Some(values)))[2].parse().unwrap()
                            }
                            Value::Bulk(Some(digits)) => {
                                let value: i64 = String::from_utf8(digits).unwrap().parse().unwrap();
                                // The message with this number was published before, and at most one after it.
                                assert!(told >= value || told == 0, "{value} is read, {told} is told");
                                assert!(told <= value + 1, "{told} is told, {value} is read");
                                break;
                            }
                            _ => break,
                        }
                    }
                }
            });
        }
    });
}

/// Clients that keep copies of what they read, and are told when it changes, never keep one that is older than what was
/// written before they asked for anything.
#[test]
fn copies_are_never_stale() {
    for mode in ["CLIENT TRACKING ON", "CLIENT TRACKING ON BCAST PREFIX k"] {
        copies_are_fresh(mode);
    }
}

fn copies_are_fresh(mode: &str) {
    const KEYS: usize = 6;
    const WRITES: i64 = 3_000;
    let server = server();
    let written: Vec<AtomicI64> = (0..KEYS).map(|_| AtomicI64::new(0)).collect();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|half| {
                let (server, written) = (&server, &written);
                scope.spawn(move || {
                    let mut client = server.connect();
                    for number in 1..=WRITES {
                        let key = (number as usize * 7 + half) % KEYS / 2 * 2 + half;
                        client.ask(&format!("SET k{key} {number}"));
                        written[key].store(number, SeqCst);
                    }
                })
            })
            .collect();
        for seed in 0..4usize {
            let (server, written, over) = (&server, &written, &over);
            scope.spawn(move || {
                let mut client = server.connect();
                client.ask("HELLO 3");
                client.ask(mode);
                let mut copies: HashMap<String, i64> = HashMap::new();
                let mut turn = seed;
                while !over.load(SeqCst) {
                    turn =
                        turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let key = (turn >> 33) % KEYS;
                    let before = written[key].load(SeqCst);
                    let name = format!("k{key}");
                    let asks = !copies.contains_key(&name);
                    send(&mut client, &if asks { format!("GET {name}") } else { "PING".to_owned() });
                    loop {
                        match client.read().unwrap() {
                            Value::Push(values) => {
                                assert_eq!(values[0].as_bytes(), Some(&b"invalidate"[..]));
                                copies.retain(|name, _| !parts(&values[1]).contains(name));
                            }
                            Value::Bulk(Some(digits)) => {
                                let value = String::from_utf8(digits).unwrap().parse().unwrap();
                                copies.insert(name.clone(), value);
                                break;
                            }
                            _ => break,
                        }
                    }
                    if let Some(copy) = copies.get(&name) {
                        assert!(*copy >= before, "{mode}: {name} is {copy} here, and was {before} before");
                    }
                }
            });
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        over.store(true, SeqCst);
    });
}

/// More than the workers can pass on at once: publishers are held back, nothing is lost.
#[test]
fn a_flood_is_passed_on_whole() {
    const SUBSCRIBERS: usize = 8;
    const PUBLISHERS: usize = 4;
    const MESSAGES: usize = 3_000;
    let server = ServerBuilder::new(ochre())
        .workers(WORKERS)
        .set("client-output-buffer-limit", "pubsub 0 0 0")
        .start();
    let payload = "x".repeat(2_000);
    let mut listeners: Vec<Client> = (0..SUBSCRIBERS).map(|_| server.connect()).collect();
    listeners.iter_mut().for_each(|client| drop(client.ask("SUBSCRIBE c")));
    std::thread::scope(|scope| {
        for publisher in 0..PUBLISHERS {
            let (server, payload) = (&server, &payload);
            scope.spawn(move || {
                let mut client = server.connect();
                for batch in 0..MESSAGES / 100 {
                    for number in batch * 100..(batch + 1) * 100 {
                        send(&mut client, &format!("PUBLISH c {publisher}.{number}.{payload}"));
                    }
                    for _ in 0..100 {
                        assert_eq!(client.read().unwrap(), Value::Integer(SUBSCRIBERS as i64));
                    }
                }
            });
        }
        for mut client in listeners {
            scope.spawn(move || {
                let mut next = [0; PUBLISHERS];
                for _ in 0..PUBLISHERS * MESSAGES {
                    let message = parts(&client.read().unwrap()).pop().unwrap();
                    let mut words = message.splitn(3, '.');
                    let publisher: usize = words.next().unwrap().parse().unwrap();
                    let number: usize = words.next().unwrap().parse().unwrap();
                    assert_eq!(number, next[publisher]);
                    next[publisher] += 1;
                }
            });
        }
    });
}

/// A subscriber that takes nothing is closed, and costs the others nothing.
#[test]
fn who_takes_nothing_is_closed() {
    let server = ServerBuilder::new(ochre())
        .workers(WORKERS)
        .set("client-output-buffer-limit", "pubsub 1mb 0 0")
        .start();
    let (mut lazy, mut publisher) = (server.connect(), server.connect());
    lazy.ask("SUBSCRIBE c");
    let message = format!("PUBLISH c {}", "x".repeat(100_000));
    wait_for(|| (publisher.ask(&message) == Value::Integer(0)).then_some(())).expect("it is closed");
    assert_eq!(publisher.info("client_output_buffer_limit_disconnections"), 1);
    assert!(
        std::iter::repeat_with(|| lazy.read()).find_map(Result::err).is_some_and(|error| is_closed(&error))
    );
}

/// Rules that take channels away close just those who are subscribed to them, also on other workers and at that moment.
#[test]
fn who_may_not_listen_any_more_is_closed() {
    let server = server();
    let mut admin = server.connect();
    for round in 0..30 {
        admin.ask("ACL SETUSER u on nopass +@all resetchannels &a* &b*");
        let mut clients: Vec<Client> = (0..8).map(|_| server.connect()).collect();
        std::thread::scope(|scope| {
            for (index, client) in clients.iter_mut().enumerate() {
                scope.spawn(move || {
                    client.ask("AUTH u x");
                    send(client, if index % 2 == 0 { "SUBSCRIBE a1" } else { "PSUBSCRIBE b*" });
                });
            }
            assert_eq!(admin.ask("ACL SETUSER u resetchannels &a*"), Value::Simple(b"OK".to_vec()));
        });
        for (index, client) in clients.iter_mut().enumerate() {
            let answer = client.read();
            if index % 2 == 0 {
                assert_eq!(parts(&answer.unwrap())[0], "subscribe", "round {round}");
            } else if answer.is_ok_and(|value| value.as_error().is_none()) {
                // It was early enough, and is closed for it.
                assert!(client.read().is_err_and(|error| is_closed(&error)), "round {round}");
            }
        }
        assert_eq!(admin.ask("PUBSUB NUMPAT"), Value::Integer(0), "round {round}");
    }
}

#[test]
fn what_a_script_publishes_comes_behind_its_reply() {
    let server = server();
    let mut client = server.connect();
    client.ask("hello 3");
    client.ask("subscribe c");
    let script = "redis.call('publish', 'c', '1') redis.call('publish', 'c', '2') return redis.call('ping')";
    assert_eq!(client.request(&["eval", script, "0"]).unwrap(), Value::Simple(b"PONG".to_vec()));
    for number in ["1", "2"] {
        assert_eq!(parts(&client.read().unwrap()), ["message", "c", number]);
    }
}

/// Reads until the reply to a PING; what it was told before that.
fn told_until_pong(client: &mut Client) -> Vec<Value> {
    send(client, "PING");
    let messages = std::iter::from_fn(|| Some(client.read().unwrap()));
    messages.take_while(|value| *value != Value::Simple(b"PONG".to_vec())).collect()
}

/// The keys that invalidations name.
fn invalidated(messages: &[Value]) -> HashSet<String> {
    let names =
        |message: &Value| message.as_elements().and_then(|parts| parts.get(1)).map_or_else(Vec::new, parts);
    messages.iter().filter(|message| matches!(message, Value::Push(_))).flat_map(names).collect()
}

/// Who keeps copies of keys hears of each change, whatever makes it and however many come at once.
#[test]
fn what_changes_in_a_pipeline_is_told_to_who_has_read_it() {
    const WRITES: [&str; 14] = [
        "INCR K",
        "DECR K",
        "INCRBY K 2",
        "DECRBY K 2",
        "APPEND K 1",
        "SET K 5",
        "SETRANGE K 0 1",
        "INCRBYFLOAT K 1",
        "EXPIRE K 100",
        "PERSIST K",
        "GETSET K 7",
        "SETEX K 100 7",
        "GETDEL K",
        "DEL K",
    ];
    let keys: HashSet<String> = (0..20).map(|number| format!("key:{number}")).collect();
    for workers in [1, 2] {
        let server = ServerBuilder::new(ochre()).workers(workers).start();
        for mode in ["ON", "ON BCAST", "ON BCAST PREFIX key"] {
            let (mut reader, mut writer) = (server.connect(), server.connect());
            reader.ask("HELLO 3");
            reader.ask(&format!("CLIENT TRACKING {mode}"));
            let all = |client: &mut Client, command: &str| {
                let bytes: String =
                    keys.iter().map(|key| format!("{}\r\n", command.replace('K', key))).collect();
                client.send(bytes.as_bytes()).unwrap();
            };
            for write in WRITES.map(|write| write.split_once(' ').unwrap()) {
                all(&mut writer, "set K 10 ex 1000");
                keys.iter().for_each(|_| drop(writer.read().unwrap()));
                all(&mut reader, "get K");
                told_until_pong(&mut reader);
                all(&mut writer, &format!("{} {}", write.0.to_lowercase(), write.1));
                keys.iter().for_each(|_| drop(writer.read().unwrap()));
                let mut told = HashSet::new();
                let heard = wait_for(|| {
                    told.extend(invalidated(&told_until_pong(&mut reader)));
                    (told == keys).then_some(())
                });
                assert!(heard.is_some(), "{workers} worker(s), {mode}, {write:?}: {told:?}");
            }
        }
    }
}
