//! Scripts and functions, as far as more than one client, worker or server is needed to see it.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::path::{Path, PathBuf};

use ochre_resp::{Value, encode_request};
use ochre_tests::{Client, Server, ServerBuilder, ochre, wait_for};
use rustix::process::Signal;

const LIBRARY: &str = "#!lua name=lib\nredis.register_function('f', function(keys, args) return args[1] end)";
const BUSY: &str = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
const FOREVER: &str = "while true do end";

fn start(workers: usize) -> Server {
    start_with(workers, "no")
}

fn start_with(workers: usize, log: &str) -> Server {
    let builder = ServerBuilder::new(ochre()).workers(workers).set("appendonly", log);
    builder.set("enable-debug-command", "yes").set("busy-reply-threshold", "100").start()
}

fn text(value: Value) -> String {
    match value {
        Value::Bulk(Some(bytes)) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8_lossy(&bytes).into_owned()
        }
        other => panic!("no text: {other:?}"),
    }
}

fn say(client: &mut Client, args: &[&str]) {
    let mut request = Vec::new();
    encode_request(&mut request, args);
    client.send(&request).unwrap();
}

fn ask(client: &mut Client, args: &[&str]) -> String {
    text(client.request(args).unwrap())
}

/// Waits until a client is told that a script is busy.
fn wait_until_busy(client: &mut Client) {
    wait_for(|| (ask(client, &["ping"]) == BUSY).then_some(())).unwrap();
}

#[test]
fn others_are_told_of_a_busy_script_and_can_end_it() {
    for workers in [1, 3] {
        let server = start(workers);
        // More clients than workers: some are of the worker that runs the script.
        let mut others: Vec<Client> = (0..8).map(|_| server.connect()).collect();
        others.iter_mut().for_each(|client| assert_eq!(ask(client, &["ping"]), "PONG"));
        let mut watcher = server.connect();
        assert_eq!(ask(&mut watcher, &["watch", "key"]), "OK");
        let mut running = server.connect();
        say(&mut running, &["eval", FOREVER, "0"]);
        wait_until_busy(&mut others[0]);
        for client in &mut others {
            assert_eq!(ask(client, &["get", "key"]), BUSY);
            assert_eq!(ask(client, &["multi"]), "OK");
            assert_eq!(ask(client, &["set", "key", "1"]), BUSY);
            assert!(ask(client, &["exec"]).starts_with("EXECABORT"));
            assert_eq!(ask(client, &["function", "kill"]), BUSY);
            assert_eq!(ask(client, &["shutdown"]), BUSY);
        }
        // Those that go, and those that come.
        drop(watcher);
        assert_eq!(ask(&mut server.connect(), &["info"]), BUSY);
        // It is allowed, though what it watches can only count as changed: nobody can look at it.
        assert_eq!(ask(&mut others[1], &["watch", "key"]), "OK");
        assert_eq!(ask(&mut others[3], &["watch", "key"]), "OK");
        assert_eq!(ask(&mut others[3], &["multi"]), "OK");
        assert_eq!(ask(&mut others[3], &["watch", "key"]), "ERR WATCH inside MULTI is not allowed");
        assert_eq!(ask(&mut others[3], &["discard"]), "OK");
        assert_eq!(ask(&mut others[2], &["script", "kill"]), "OK");
        assert!(text(running.read().unwrap()).starts_with("ERR Script killed by user with SCRIPT KILL"));
        let transaction = |client: &mut Client| {
            assert_eq!(ask(client, &["multi"]), "OK");
            assert_eq!(ask(client, &["set", "key", "1"]), "QUEUED");
            client.request(&["exec"]).unwrap()
        };
        assert_eq!(transaction(&mut others[1]), Value::Array(None));
        assert_ne!(transaction(&mut others[1]), Value::Array(None));
        assert_ne!(transaction(&mut others[3]), Value::Array(None), "DISCARD ends what WATCH began");
        assert_eq!(ask(&mut others[1], &["watch", "key"]), "OK");
        assert_eq!(ask(&mut others[0], &["ping"]), "PONG");
        assert!(ask(&mut others[0], &["script", "kill"]).starts_with("NOTBUSY"));
        assert_eq!(ask(&mut running, &["ping"]), "PONG");
    }
}

#[test]
fn requests_that_wait_for_a_stripe_are_given_up() {
    let server = start(3);
    let mut clients: Vec<Client> = (0..9).map(|_| server.connect()).collect();
    let mut running = server.connect();
    say(&mut running, &["eval", FOREVER, "0"]);
    // Some come before the script is busy, and wait for it.
    clients.iter_mut().for_each(|client| say(client, &["incr", "counter"]));
    for client in &mut clients {
        let reply = client.read().unwrap();
        assert!(matches!(&reply, Value::Integer(_)) || text(reply) == BUSY);
    }
    wait_until_busy(&mut clients[0]);
    assert_eq!(ask(&mut clients[8], &["script", "kill"]), "OK");
    running.read().unwrap();
    assert!(matches!(clients[3].ask("incr counter"), Value::Integer(_)));
}

#[test]
fn who_has_written_is_not_ended_but_by_the_end_of_the_server() {
    for (workers, log) in [(1, "no"), (2, "no"), (1, "yes"), (2, "yes")] {
        let mut server = start_with(workers, log);
        let (mut running, mut other) = (server.connect(), server.connect());
        say(&mut running, &["eval", "redis.call('set', 'key', 'value') while true do end", "0"]);
        wait_until_busy(&mut other);
        assert!(ask(&mut other, &["script", "kill"]).starts_with("UNKILLABLE"));
        say(&mut other, &["shutdown", "nosave"]);
        wait_for(|| (!server.is_running()).then_some(())).unwrap();
    }
}

/// Nothing that the server has begun and a busy script keeps from its end holds up SHUTDOWN NOSAVE.
#[test]
fn a_busy_script_does_not_keep_the_server_from_ending() {
    // What is under way: a snapshot, a log that is switched on, the end that a signal asks for.
    for (save, under_way) in [
        ("", &["bgsave"][..]),
        ("", &["config", "set", "appendonly", "yes"]),
        ("", &["config", "set", "appendonly", "no"]),
        ("3600 1", &[]),
    ] {
        let log = if under_way.last() == Some(&"no") { "yes" } else { "no" };
        let mut server = ServerBuilder::new(ochre())
            .workers(2)
            .set("busy-reply-threshold", "20")
            .set("appendonly", log)
            .set("save", save)
            .set("rdb-key-save-delay", "2000")
            .start();
        let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
        let (running, others) = clients.split_first_mut().unwrap();
        assert_eq!(
            ask(
                &mut others[0],
                &["eval", "for i = 1, 2000 do redis.call('set', i, 'v') end return 'OK'", "0"]
            ),
            "OK"
        );
        if !under_way.is_empty() {
            say(&mut others[1], under_way);
        }
        say(running, &["eval", "redis.call('set', 'key', 'value') while true do end", "0"]);
        wait_until_busy(&mut others[0]);
        if under_way.is_empty() {
            server.signal(Signal::TERM);
        }
        // Nobody is kept waiting, old or new.
        for _ in 0..10 {
            assert_eq!(ask(&mut server.connect(), &["get", "key"]), BUSY);
            assert_eq!(ask(&mut others[0], &["get", "key"]), BUSY);
        }
        say(&mut others[0], &["shutdown", "nosave", "now", "force"]);
        wait_for(|| (!server.is_running()).then_some(())).expect("the server ends");
    }
}

#[test]
fn a_busy_script_sees_time_pass_but_nothing_expire() {
    const WAITS: &str = "redis.call('set', KEYS[1], 'v', 'px', 200) \
        local now = function() local t = redis.call('time') return t[1] * 1000000 + t[2] end \
        local start = now() \
        while now() - start < 400000 do end \
        return redis.call('exists', KEYS[1])";
    for workers in [1, 2] {
        let server = start(workers);
        let mut client = server.connect();
        assert_eq!(client.request(&["eval", WAITS, "1", "key"]).unwrap(), Value::Integer(1));
        assert_eq!(client.ask("exists key"), Value::Integer(0));
    }
}

#[test]
fn functions_are_told_apart_from_scripts() {
    let server = start(2);
    let (mut running, mut other) = (server.connect(), server.connect());
    let library = format!("#!lua name=lib\nredis.register_function('loop', function() {FOREVER} end)");
    assert_eq!(ask(&mut other, &["function", "load", &library]), "lib");
    say(&mut running, &["fcall", "loop", "1", "key", "arg"]);
    let busy = BUSY.replace("SCRIPT KILL", "FUNCTION KILL");
    wait_for(|| (ask(&mut other, &["ping"]) == busy).then_some(())).unwrap();
    assert_eq!(ask(&mut other, &["script", "kill"]), busy);
    let Value::Array(Some(shown)) = other.request(&["function", "stats"]).unwrap() else { panic!("no map") };
    let Value::Array(Some(run)) = &shown[1] else { panic!("nothing runs: {shown:?}") };
    let word = |word: &str| Value::Bulk(Some(word.as_bytes().to_vec()));
    assert_eq!((&run[0], &run[1]), (&word("name"), &word("loop")));
    let command = ["fcall", "loop", "1", "key", "arg"].map(word).to_vec();
    assert_eq!((&run[2], &run[3]), (&word("command"), &Value::Array(Some(command))));
    assert_eq!(ask(&mut other, &["function", "kill"]), "OK");
    assert!(text(running.read().unwrap()).starts_with("ERR Script killed by user with SCRIPT KILL"));
}

#[test]
fn scripts_are_known_to_all_workers() {
    let server = start(4);
    let mut clients: Vec<Client> = (0..8).map(|_| server.connect()).collect();
    let digest = ask(&mut clients[0], &["script", "load", "return ARGV[1]"]);
    for client in &mut clients {
        assert_eq!(ask(client, &["evalsha", &digest, "0", "words"]), "words");
    }
    assert_eq!(ask(&mut clients[3], &["script", "flush"]), "OK");
    for client in &mut clients {
        assert!(ask(client, &["evalsha", &digest, "0", "words"]).starts_with("NOSCRIPT"));
    }
    assert_eq!(ask(&mut clients[1], &["function", "load", LIBRARY]), "lib");
    for client in &mut clients {
        assert_eq!(ask(client, &["fcall", "f", "0", "words"]), "words");
    }
    let other = LIBRARY.replace("return args[1]", "return 'other'");
    assert_eq!(ask(&mut clients[2], &["function", "load", "replace", &other]), "lib");
    for client in &mut clients {
        assert_eq!(ask(client, &["fcall", "f", "0", "words"]), "other");
    }
}

/// Requests of all kinds behind one another keep their order.
#[test]
fn pipelines_with_scripts_keep_their_order() {
    let server = start(2);
    let mut client = server.connect();
    let mut requests = Vec::new();
    for _ in 0..200 {
        encode_request(&mut requests, &["incr", "n"]);
        encode_request(&mut requests, &["eval", "return redis.call('incr', 'n')", "0"]);
        encode_request(&mut requests, &["multi"]);
        encode_request(&mut requests, &["eval", "return redis.call('incr', 'n')", "0"]);
        encode_request(&mut requests, &["exec"]);
    }
    client.send(&requests).unwrap();
    for round in 0..200 {
        let n = |more: i64| Value::Integer(round * 3 + more);
        assert_eq!((client.read().unwrap(), client.read().unwrap()), (n(1), n(2)));
        assert_eq!(
            (text(client.read().unwrap()), text(client.read().unwrap())),
            ("OK".into(), "QUEUED".into())
        );
        assert_eq!(client.read().unwrap(), Value::Array(Some(vec![n(3)])));
    }
}

/// A connection that has sent many scripts at once is served differently the next time, whatever it sends then.
#[test]
fn who_has_sent_many_scripts_may_send_anything() {
    let server = start(2);
    let (mut client, mut other) = (server.connect(), server.connect());
    let script = "return redis.call('incr', KEYS[1])";
    for round in 0..20 {
        let mut requests = Vec::new();
        (0..10).for_each(|_| encode_request(&mut requests, &["eval", script, "1", "n"]));
        encode_request(&mut requests, &["blpop", "list", "0"]);
        encode_request(&mut requests, &["eval", script, "1", "n"]);
        requests.extend(b"\r\nPING\r\n");
        encode_request(&mut requests, &["set", "large", &"x".repeat(100_000 + round as usize)]);
        encode_request(&mut requests, &["strlen", "large"]);
        // The last one comes in two halves.
        let half = requests.len() - 5;
        client.send(&requests[..half]).unwrap();
        (1..=10).for_each(|n| assert_eq!(client.read().unwrap(), Value::Integer(round * 11 + n)));
        wait_for(|| (other.info("blocked_clients") == 1).then_some(())).expect("it waits");
        // More comes while it waits, and has to wait, too.
        client.send(&requests[half..]).unwrap();
        assert_eq!(other.request(&["rpush", "list", "e"]).unwrap(), Value::Integer(1));
        let popped = ["list", "e"].map(|text| Value::Bulk(Some(text.into())));
        assert_eq!(client.read().unwrap(), Value::Array(Some(popped.to_vec())));
        assert_eq!(client.read().unwrap(), Value::Integer(round * 11 + 11));
        assert_eq!(
            (text(client.read().unwrap()), text(client.read().unwrap())),
            ("PONG".into(), "OK".into())
        );
        assert_eq!(client.read().unwrap(), Value::Integer(100_000 + round));
        // Without a script it is as it was; with some before the end it ends with what it sent.
        if round % 2 == 0 {
            assert_eq!(text(client.request(&["ping"]).unwrap()), "PONG");
        }
    }
    let mut requests = Vec::new();
    (0..10).for_each(|_| encode_request(&mut requests, &["eval", script, "1", "n"]));
    encode_request(&mut requests, &["quit"]);
    encode_request(&mut requests, &["eval", script, "1", "n"]);
    client.send(&requests).unwrap();
    (1..=10).for_each(|n| assert_eq!(client.read().unwrap(), Value::Integer(220 + n)));
    assert_eq!(text(client.read().unwrap()), "OK");
    assert!(client.read().is_err(), "the connection has ended");
    assert_eq!(text(other.request(&["get", "n"]).unwrap()), "230");
}

/// A reply of many elements that a command makes in parts for clients goes to a script whole.
#[test]
fn scripts_get_large_replies_whole() {
    let server = start(1);
    let mut client = server.connect();
    let sum = "for i = 1, 9000 do redis.call('sadd', 'set', i) end \
               local sum = 0 for _, member in ipairs(redis.call('smembers', 'set')) do sum = sum + member end return sum";
    assert_eq!(client.request(&["eval", sum, "0"]).unwrap(), Value::Integer(9000 * 9001 / 2));
    let members = client.request(&["eval", "return redis.call('smembers', 'set')", "0"]).unwrap();
    assert!(matches!(members, Value::Array(Some(members)) if members.len() == 9000));
}

fn peers() -> Option<PathBuf> {
    let folder = std::env::var_os("OCHRE_PEERS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("OCHRE_PEERS is not set: nothing is compared with peers");
    }
    folder
}

fn start_from(program: &Path, file: Option<&Path>) -> Server {
    let builder = ServerBuilder::new(program).set("enable-debug-command", "yes");
    match file {
        Some(file) => builder.with_file(file).start(),
        None => builder.start(),
    }
}

#[test]
fn libraries_pass_between_servers() {
    let Some(peers) = peers() else { return };
    for name in ["redis-server", "valkey-server"] {
        let peer = peers.join("bin").join(name);
        for (from, to) in [(ochre(), peer.as_path()), (peer.as_path(), ochre())] {
            let server = start_from(from, None);
            let mut client = server.connect();
            assert_eq!(ask(&mut client, &["function", "load", LIBRARY]), "lib");
            assert_eq!(ask(&mut client, &["set", "key", "value"]), "OK");
            assert_eq!(ask(&mut client, &["save"]), "OK");
            let Value::Bulk(Some(payload)) = client.request(&["function", "dump"]).unwrap() else { panic!() };

            let other = start_from(to, Some(&server.folder().join("dump.rdb")));
            let mut client = other.connect();
            assert_eq!(ask(&mut client, &["fcall", "f", "0", "words"]), "words");
            assert_eq!(ask(&mut client, &["get", "key"]), "value");
            assert_eq!(ask(&mut client, &["function", "flush"]), "OK");
            let restored = client.request(&[&b"function"[..], b"restore", &payload]).unwrap();
            assert_eq!(text(restored), "OK", "{} to {}", from.display(), to.display());
            assert_eq!(ask(&mut client, &["fcall", "f", "0", "words"]), "words");
        }
    }
}
