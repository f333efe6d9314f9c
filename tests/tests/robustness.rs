//! What a server must survive: bytes that mean nothing, clients that stop in the middle, and very many of them.
//!
//! After every trouble the same questions: does the server still serve others, has it said clearly what was wrong, and
//! has it kept its memory.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::net::TcpStream;
use std::time::{Duration, Instant};

use ochre_resp::{Value, encode_request};
use ochre_tests::{Client, Mutator, Server, ServerBuilder, is_closed, ochre, wait_for};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const MIB: u64 = 1024 * 1024;

fn encode(words: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_request(&mut bytes, words);
    bytes
}

/// The server serves a client that behaves.
fn assert_serves(server: &mut Server) {
    assert!(server.is_running(), "the server is gone");
    let mut client = server.connect();
    assert_eq!(client.ask("SET alive yes"), Value::Simple(b"OK".to_vec()));
    assert_eq!(client.ask("GET alive"), Value::Bulk(Some(b"yes".to_vec())));
}

/// The number of clients that the server knows comes down to this.
fn assert_clients_at_most(client: &mut Client, most: i64) {
    let mut last = 0;
    let enough = wait_for(|| {
        last = client.info("connected_clients");
        (last <= most).then_some(())
    });
    assert!(enough.is_some(), "still {last} clients:\n{}", list_of_clients(client));
}

fn list_of_clients(client: &mut Client) -> String {
    String::from_utf8_lossy(client.ask("CLIENT LIST").as_bytes().unwrap_or_default()).into_owned()
}

/// So many wrong inputs at least, however long that takes.
const INPUTS_MIN: usize = 100;

#[test]
fn garbage_is_answered_with_an_error_or_not_at_all() {
    let mut server = ServerBuilder::new(ochre()).workers(2).start();
    let set = encode(&["SET", "key", "value"]);
    let seeds: [&[u8]; 7] = [
        &set,
        b"PING\r\n",
        b"SET k \"a b\" 'c'\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"*3\r\n$5\r\nMULTI\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    let mut mutator = Mutator::new(1, &seeds);
    let start = Instant::now();
    let mut tried = 0;
    while start.elapsed() < Duration::from_secs(2) || tried < INPUTS_MIN {
        let input = mutator.next_input();
        // What ends the server on purpose is no garbage.
        if input.windows(8).any(|word| word.eq_ignore_ascii_case(b"shutdown")) {
            continue;
        }
        let mut client = server.connect();
        match client.send(&input).and_then(|()| client.finish_sending()) {
            Err(error) if is_closed(&error) || error.kind() == std::io::ErrorKind::NotConnected => {}
            sent => sent.unwrap(),
        }
        loop {
            match client.read() {
                Ok(_) => {}
                Err(error) if is_closed(&error) => break,
                Err(error) => panic!("{error} after {}", input.escape_ascii()),
            }
        }
        tried += 1;
    }
    assert_serves(&mut server);
}

#[test]
fn web_browsers_are_sent_away() {
    let mut server = Server::ochre();
    for request in
        ["POST / HTTP/1.1\r\nHost: localhost:6379\r\n\r\nSET evil 1\r\n", "Host: x\r\nSET evil 1\r\n"]
    {
        let mut client = server.connect();
        client.send(request.as_bytes()).unwrap();
        let rest = client.read_to_end().unwrap();
        let answer = String::from_utf8_lossy(&rest).into_owned();
        assert!(!answer.contains("+OK"), "{answer}");
    }
    assert_eq!(server.connect().ask("EXISTS evil"), Value::Integer(0));
    assert!(server.log().contains("SECURITY ATTACK"), "the log names it");
    assert_serves(&mut server);
}

#[test]
fn announced_lengths_are_not_believed() {
    let mut server = ServerBuilder::new(ochre()).workers(1).start();
    let mut watcher = server.connect();
    let before = server.resident_bytes();
    // Each of these promises half a gigabyte or two billion arguments, and sends nothing of it.
    let mut clients: Vec<Client> = Vec::new();
    for _ in 0..100 {
        for promise in
            [&b"*2\r\n$4\r\nECHO\r\n$536870912\r\nabc"[..], b"*2147483647\r\n$4\r\nMGET\r\n", b"*1000000\r\n"]
        {
            let mut client = server.connect();
            client.send(promise).unwrap();
            clients.push(client);
        }
    }
    wait_for(|| (watcher.info("connected_clients") > 300).then_some(())).expect("all are connected");
    // Who is connected may not have been listened to yet.
    let mut all_are_heard = || !list_of_clients(&mut watcher).contains(" tot-net-in=0 ");
    wait_for(|| all_are_heard().then_some(())).expect("all promises arrive");
    let after = server.resident_bytes();
    assert!(after < before + 64 * MIB, "{} MiB more", (after - before) / MIB);
    drop(clients);
    assert_clients_at_most(&mut watcher, 1);
    assert_serves(&mut server);
}

#[test]
fn half_requests_are_finished_or_forgotten() {
    let mut server = ServerBuilder::new(ochre()).workers(2).start();
    let request = encode(&["SET", "half", &"x".repeat(1000)]);
    for cut in [1, 3, 4, 8, 13, 20, 100, request.len() - 1] {
        let mut patient = server.connect();
        patient.send(&request[..cut]).unwrap();
        let mut gone = server.connect();
        gone.send(&request[..cut]).unwrap();
        drop(gone);
        assert_serves(&mut server);
        patient.send(&request[cut..]).unwrap();
        assert_eq!(patient.read().unwrap(), Value::Simple(b"OK".to_vec()), "cut at {cut}");
    }
}

/// CVE-2026-27623 ended the server.
#[test]
fn an_empty_request_is_not_blamed_for_what_comes_after_it() {
    let server = ServerBuilder::new(ochre()).workers(1).set("enable-debug-command", "yes").start();
    for empty in ["\r\n", "*0\r\n", "*-1\r\n"] {
        let mut client = server.connect();
        client.send(format!("{empty}*1\r\n$4\r\nPING\r\n*1\r\n$x\r\n").as_bytes()).unwrap();
        let replies = client.read_to_end().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&replies),
            "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n",
            "{empty:?}"
        );
    }
    // Nor for what another client sends that is served together with it.
    let (mut lining_up, mut innocent, mut guilty) = (server.connect(), server.connect(), server.connect());
    lining_up.send(&encode(&["DEBUG", "SLEEP", "0.3"])).unwrap();
    innocent.send(b"*0\r\n*1\r\n$4\r\nPING\r\n").unwrap();
    guilty.send(b"*x\r\n").unwrap();
    assert_eq!(lining_up.read().unwrap(), Value::Simple(b"OK".to_vec()));
    assert_eq!(innocent.read().unwrap(), Value::Simple(b"PONG".to_vec()));
    assert!(matches!(guilty.read().unwrap(), Value::Error(_)));
    assert_eq!(innocent.ask("PING"), Value::Simple(b"PONG".to_vec()));
}

/// More requests than the server looks at in one go, of a client that has just been killed.
#[test]
fn a_killed_client_with_a_long_pipeline_holds_up_nobody() {
    let mut server = ServerBuilder::new(ochre()).workers(1).set("enable-debug-command", "yes").start();
    for _ in 0..3 {
        let (mut lining_up, mut killer, mut victim) = (server.connect(), server.connect(), server.connect());
        let Value::Integer(id) = victim.ask("CLIENT ID") else { panic!("no number") };
        lining_up.send(&encode(&["DEBUG", "SLEEP", "0.2"])).unwrap();
        killer.send(&encode(&["CLIENT", "KILL", "ID", &id.to_string()])).unwrap();
        victim.send(&encode(&["INCR", "counter"]).repeat(300)).unwrap();
        assert_eq!(lining_up.read().unwrap(), Value::Simple(b"OK".to_vec()));
        assert_eq!(killer.read().unwrap(), Value::Integer(1));
        victim.read_to_end().unwrap();
        assert_serves(&mut server);
    }
}

#[test]
fn a_pipeline_goes_on_after_large_replies() {
    // More than the server likes to have in its output, so it stops to think of sending; then it has to go on, with whatever
    // comes next and however much of that has arrived.
    for workers in [1, 2] {
        let server = ServerBuilder::new(ochre()).workers(workers).start();
        let mut client = server.connect();
        for len in [10_000, 20_000, 70_000] {
            let value = "v".repeat(len);
            assert_eq!(client.request(&["SET", "big", &value]).unwrap(), Value::Simple(b"OK".to_vec()));
            for next in [&["MSET", "a", "1", "b", "2"][..], &["PING"], &["GET", "big"], &["SELECT", "0"]] {
                let requests = [&["GET", "big"][..], next].map(encode).concat().repeat(20);
                let (most, rest) = requests.split_at(requests.len() - 5);
                client.send(most).unwrap();
                client.send(rest).unwrap();
                for turn in 0..20 {
                    let about = format!("{len} bytes, {next:?}, turn {turn}");
                    let [big, other] = [(); 2].map(|()| client.read());
                    assert!(big.unwrap().as_bytes() == Some(value.as_bytes()), "{about}");
                    let other = other.unwrap_or_else(|error| panic!("{about}: {error}"));
                    assert!(!matches!(other, Value::Error(_)), "{about}: {other:?}");
                }
            }
        }
    }
}

#[test]
fn memory_for_big_requests_comes_back() {
    let mut server = ServerBuilder::new(ochre()).workers(1).start();
    let mut client = server.connect();
    let value = "v".repeat(32 * MIB as usize);
    let before = client.info("used_memory");
    assert_eq!(client.request(&["SET", "big", &value]).unwrap(), Value::Simple(b"OK".to_vec()));
    assert_eq!(client.request(&["GET", "big"]).unwrap().as_bytes().map(<[u8]>::len), Some(value.len()));
    assert_eq!(client.ask("DEL big"), Value::Integer(1));
    let mut after = 0;
    let freed = wait_for(|| {
        after = client.info("used_memory");
        (after < before + 8 * MIB as i64).then_some(())
    });
    assert!(freed.is_some(), "{before} bytes before, {after} after");
    assert_serves(&mut server);
}

#[test]
fn clients_that_do_not_read_are_bounded() {
    let mut server =
        ServerBuilder::new(ochre()).workers(2).set("client-output-buffer-limit", "normal 16mb 0 0").start();
    let mut client = server.connect();
    client.request(&["SET", "big", &"v".repeat(MIB as usize)]).unwrap();
    let before = server.resident_bytes();
    let mut greedy = server.connect();
    // Two gigabytes are asked for and never read.
    let gets = encode(&["GET", "big"]).repeat(2000);
    match greedy.send(&gets) {
        Err(error) if is_closed(&error) => {}
        sent => sent.unwrap(),
    }
    let mut most = 0;
    let closed = wait_for(|| {
        most = most.max(server.resident_bytes());
        (client.info("connected_clients") == 1).then_some(())
    });
    assert!(closed.is_some(), "the client that never reads is still connected");
    assert!(most < before + 256 * MIB, "{} MiB more", (most - before) / MIB);
    assert_serves(&mut server);
}

#[test]
fn a_reply_that_is_too_much_is_not_made() {
    const LIMIT_BYTES: u64 = 4 * MIB;
    let limit = format!("normal {LIMIT_BYTES} 0 0");
    let mut server = ServerBuilder::new(ochre()).workers(2).set("client-output-buffer-limit", &limit).start();
    let mut client = server.connect();
    client.request(&["SET", "big", &"v".repeat(4 * MIB as usize)]).unwrap();
    client.request(&["SET", "small", &"v".repeat(60_000)]).unwrap();
    let elements = vec!["e".repeat(1000); 1000];
    let push: Vec<&str> = ["RPUSH", "list"].into_iter().chain(elements.iter().map(String::as_str)).collect();
    for _ in 0..30 {
        client.request(&push).unwrap();
    }
    let many = |command: &[&str], what: &str, times: usize| {
        let args: Vec<&str> = command.iter().copied().chain(std::iter::repeat_n(what, times)).collect();
        encode(&args)
    };
    let transaction = |first: &[&str], request: &[&str], times: usize| {
        let [first, multi, exec] = [first, &["MULTI"], &["EXEC"]].map(encode);
        [first, multi, encode(request).repeat(times), exec].concat()
    };
    let script = "local r = {} for i = 1, 200 do r[i] = redis.call('GET', 'big') end return r";
    let cases = [
        ("one string often", many(&["MGET"], "big", 200)),
        ("small strings", many(&["MGET"], "small", 10_000)),
        ("a list", encode(&["LRANGE", "list", "0", "-1"])),
        ("strings at once", transaction(&["PING"], &["GET", "small"], 10_000)),
        ("big strings at once", transaction(&["PING"], &["GET", "big"], 200)),
        ("queued", transaction(&["WATCH", "other"], &["GET", "big"], 200)),
        ("queued lists", transaction(&["WATCH", "other"], &["LRANGE", "list", "0", "-1"], 50)),
        ("a script", encode(&["EVAL", script, "0"])),
    ];
    let before = server.peak_bytes();
    for (name, requests) in cases {
        let mut greedy = server.connect();
        match greedy.send(&requests) {
            Err(error) if is_closed(&error) => {}
            sent => sent.unwrap(),
        }
        // Nothing of it arrives.
        if let Ok(rest) = greedy.read_to_end() {
            assert!(!rest.windows(64).any(|window| window.iter().all(|byte| b"ve".contains(byte))), "{name}");
        }
        let more = server.peak_bytes() - before;
        assert!(more < 30 * LIMIT_BYTES, "{name}: {} MiB more", more / MIB);
    }
    assert_serves(&mut server);
}

#[test]
fn too_many_clients_are_told_so() {
    let mut server = ServerBuilder::new(ochre()).set("maxclients", "10").start();
    let mut clients: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("PING"), Value::Simple(b"PONG".to_vec()));
    }
    let mut refused = server.connect();
    assert_eq!(refused.read().unwrap(), Value::Error(b"ERR max number of clients reached".to_vec()));
    assert!(refused.read_to_end().unwrap().is_empty());
    clients.truncate(1);
    assert_clients_at_most(&mut clients[0], 1);
    assert!(clients[0].info("rejected_connections") >= 1);
    drop(clients);
    assert_serves(&mut server);
}

#[test]
fn a_storm_of_connections_passes() {
    let mut server = ServerBuilder::new(ochre()).workers(2).start();
    let mut watcher = server.connect();
    watcher.ask("PING");
    let before = server.resident_bytes();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for turn in 0..500 {
                    let mut client = server.connect();
                    if turn % 2 == 0 {
                        assert_eq!(client.ask("PING"), Value::Simple(b"PONG".to_vec()));
                    } else {
                        client.send(b"*1\r\n$4\r\nPI").unwrap();
                    }
                }
            });
        }
    });
    assert_clients_at_most(&mut watcher, 1);
    let after = server.resident_bytes();
    assert!(after < before + 64 * MIB, "{} MiB more", after.saturating_sub(before) / MIB);
    assert_serves(&mut server);
}

/// Connections for the test below; both ends' limits of open files must allow them.
const IDLE: u64 = 10_000;

#[test]
fn ten_thousand_idle_connections() {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < IDLE + 1000) {
        eprintln!("skipped: this needs {} open files, the limit is {:?}", IDLE + 1000, limit.maximum);
        return;
    }
    let wanted = Rlimit { current: Some(limit.maximum.unwrap_or(2 * IDLE)), maximum: limit.maximum };
    setrlimit(Resource::Nofile, wanted).expect("the soft limit may be raised up to the hard one");
    let mut server =
        ServerBuilder::new(ochre()).workers(2).set("maxclients", &(IDLE + 100).to_string()).start();
    let mut watcher = server.connect();
    if watcher.info("maxclients") < IDLE as i64 + 100 {
        eprintln!("skipped: the server may not open that many files");
        return;
    }
    let before = server.resident_bytes();
    let port = server.port();
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    wait_for(|| (watcher.info("connected_clients") > IDLE as i64).then_some(())).expect("all are connected");
    let each = server.resident_bytes().saturating_sub(before) / IDLE;
    assert!(each < 20 * 1024, "{each} bytes for an idle connection");
    assert_serves(&mut server);
    drop(idle);
    assert_clients_at_most(&mut watcher, 1);
    assert_serves(&mut server);
}

#[test]
fn full_memory_is_an_error_and_not_an_end() {
    let mut server = ServerBuilder::new(ochre()).workers(2).set("maxmemory", "16mb").start();
    let mut client = server.connect();
    let value = "v".repeat(10_000);
    let mut refused = 0;
    for number in 0..4000 {
        let reply = client.request(&["SET", &format!("key:{number}"), &value]).unwrap();
        match reply {
            Value::Simple(_) => {}
            Value::Error(text) => {
                assert_eq!(text, b"OOM command not allowed when used memory > 'maxmemory'.");
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 1000, "{refused}");
    assert!(client.info("used_memory") < 20 * MIB as i64);
    client.ask("CONFIG SET maxmemory-policy allkeys-lru");
    assert_eq!(client.request(&["SET", "now", &value]).unwrap(), Value::Simple(b"OK".to_vec()));
    assert!(client.info("evicted_keys") > 0);
    assert_serves(&mut server);
}

#[test]
fn protected_mode_and_bind_can_be_relied_on() {
    let server = ServerBuilder::new(ochre()).start();
    // It was told to listen on 127.0.0.1 only.
    let other = TcpStream::connect_timeout(&([127, 0, 0, 2], server.port()).into(), Duration::from_secs(1));
    assert!(other.is_err(), "nothing listens on other addresses");
    assert_eq!(server.connect().ask("CONFIG GET protected-mode").as_elements().map(<[Value]>::len), Some(2));
}

/// What leaves memory soon, or enters it only for as long as clients are told, must not make more keys go.
#[test]
fn a_pause_is_as_long_as_it_was_ordered() {
    for workers in [1, 2] {
        let server = ServerBuilder::new(ochre()).workers(workers).start();
        let mut clients = [server.connect(), server.connect(), server.connect()];
        let mut once = || {
            let [admin, writer, waiter] = &mut clients;
            waiter.send(&encode(&["BLPOP", "list", "0"])).unwrap();
            let start = Instant::now();
            assert_eq!(admin.ask("CLIENT PAUSE 10 WRITE"), Value::Simple(b"OK".to_vec()));
            assert_eq!(writer.ask("RPUSH list element"), Value::Integer(1));
            waiter.read().unwrap();
            start.elapsed()
        };
        let mut shortest = (0..20).map(|_| once()).min().unwrap();
        // A busy machine may make it longer, but not every time.
        wait_for(|| {
            shortest = if shortest.as_millis() < 60 { shortest } else { once() };
            (shortest.as_millis() < 60).then_some(())
        });
        assert!((9..60).contains(&shortest.as_millis()), "{shortest:?}");
    }
}

#[test]
fn no_more_keys_are_evicted_than_must() {
    let server = ServerBuilder::new(ochre())
        .workers(2)
        .set("maxmemory-policy", "allkeys-random")
        .set("maxmemory-eviction-tenacity", "100")
        .start();
    let mut client = server.connect();
    // Values that are freed elsewhere: as soon as that thread gets to it.
    let element = "x".repeat(1000);
    for key in 0..40 {
        for _ in 0..20 {
            let mut words = vec!["RPUSH".to_owned(), format!("list:{key}")];
            words.resize(52, element.clone());
            client.request(&words).unwrap();
        }
    }
    assert_evicts(&mut client, 5 * MIB, 3..=9);
    client.ask("CONFIG SET maxmemory 0");
    client.ask("FLUSHALL SYNC");

    // Names of keys that ten clients are told of when they go.
    let mut readers: Vec<Client> = (0..10).map(|_| server.connect()).collect();
    for reader in &mut readers {
        reader.ask("HELLO 3");
        reader.ask("CLIENT TRACKING ON");
    }
    for key in 0..400 {
        let name = format!("{key}:{}", "x".repeat(1000));
        client.ask(&format!("SET {name} x"));
        readers.iter_mut().for_each(|reader| drop(reader.ask(&format!("GET {name}"))));
    }
    assert_evicts(&mut client, 100_000, 40..=140);
}

/// Lowers the limit to so many bytes below what is used: so many keys go.
fn assert_evicts(client: &mut Client, bytes: u64, expected: std::ops::RangeInclusive<i64>) {
    client.ask("CONFIG RESETSTAT");
    let limit = client.info("used_memory") - bytes as i64;
    client.ask(&format!("CONFIG SET maxmemory {limit}"));
    wait_for(|| (client.info("used_memory") <= limit).then_some(())).expect("it comes down");
    let evicted = client.info("evicted_keys");
    assert!(expected.contains(&evicted), "{evicted} keys for {bytes} bytes");
}

/// The slow log names the call that took long, wherever in a pipeline it was.
#[test]
fn the_slow_log_blames_the_right_call() {
    let server = ServerBuilder::new(ochre()).workers(1).set("slowlog-log-slower-than", "1000").start();
    let mut client = server.connect();
    let value = "x".repeat(40_000_000);
    for slow in [0, 3, 6, 7, 11] {
        let mut blamed = Vec::new();
        let mut is_right = || {
            client.ask("DEL big copy");
            client.request(&["SET", "big", &value]).unwrap();
            // What they share has to be copied before either is changed.
            client.ask("COPY big copy");
            client.ask("SLOWLOG RESET");
            let name = |at| if at == slow { "big".to_owned() } else { format!("small:{at}") };
            let all: String = (0..12).map(|at| format!("APPEND {} x\r\n", name(at))).collect();
            client.send(all.as_bytes()).unwrap();
            (0..12).for_each(|_| drop(client.read().unwrap()));
            let log = client.ask("SLOWLOG GET");
            let key_of = |entry: &Value| {
                entry.as_elements()?.get(3)?.as_elements()?.get(1)?.as_bytes().map(<[u8]>::to_vec)
            };
            blamed = log.as_elements().unwrap().iter().filter_map(key_of).collect();
            blamed == [b"big"]
        };
        // A busy machine may hold up any of them, but not every time.
        let is_right = wait_for(|| is_right().then_some(()));
        assert!(is_right.is_some(), "at {slow}: {blamed:?}");
    }
}
