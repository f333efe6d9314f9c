//! MIGRATE between real servers, and with a target that says what the test wants.
//!
//! With `OCHRE_PEERS` (a folder whose `bin` has redis-server and valkey-server) keys also go to and come from those.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use ochre_resp::Value;
use ochre_tests::{Client, Server, ServerBuilder, ochre, wait_for};

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

fn bulk(text: &str) -> Value {
    Value::Bulk(Some(text.as_bytes().to_vec()))
}

fn error(text: &str) -> Value {
    Value::Error(text.as_bytes().to_vec())
}

fn server() -> Server {
    ServerBuilder::new(ochre()).workers(3).start()
}

/// A key of every type, some with a lifetime, one of them big.
fn fill(client: &mut Client) {
    for request in [
        "SET string text",
        "SET number 42 PX 100000000",
        "RPUSH list a b c",
        "SADD set 1 2 3",
        "SADD words x y z",
        "ZADD zset 1 a 2.5 b",
        "HSET hash f v g w",
        "XADD stream 1-1 f v",
        "PEXPIRE list 200000000",
    ] {
        client.ask(request);
    }
    let big: Vec<String> = (0..20_000).map(|number| format!("member:{number}")).collect();
    for some in big.chunks(1000) {
        client.ask(&format!("SADD big {}", some.join(" ")));
    }
}

const NAMES: [&str; 9] = ["string", "number", "list", "set", "words", "zset", "hash", "stream", "big"];

/// What a client can see of a key.
fn sight(client: &mut Client, name: &str) -> Vec<Value> {
    let kind = client.ask(&format!("TYPE {name}"));
    let value = match &kind {
        Value::Simple(kind) if kind == b"string" => client.ask(&format!("GET {name}")),
        Value::Simple(kind) if kind == b"list" => client.ask(&format!("LRANGE {name} 0 -1")),
        Value::Simple(kind) if kind == b"set" => client.ask(&format!("SORT {name} ALPHA")),
        Value::Simple(kind) if kind == b"zset" => client.ask(&format!("ZRANGE {name} 0 -1 WITHSCORES")),
        Value::Simple(kind) if kind == b"hash" => client.ask(&format!("HGETALL {name}")),
        Value::Simple(kind) if kind == b"stream" => client.ask(&format!("XRANGE {name} - +")),
        _ => Value::Bulk(None),
    };
    vec![kind, value]
}

fn move_all(from: &Server, to: &Server) {
    let (mut source, mut target) = (from.connect(), to.connect());
    fill(&mut source);
    let before: Vec<_> = NAMES.iter().map(|name| sight(&mut source, name)).collect();
    let ttl = |client: &mut Client, name: &str| match client.ask(&format!("PTTL {name}")) {
        Value::Integer(ttl_ms) => ttl_ms,
        other => panic!("{other:?}"),
    };
    let port = to.port();
    let reply = source.request(&{
        let mut words = vec!["MIGRATE", "127.0.0.1"];
        let port = port.to_string();
        words.extend([port.as_str(), "", "0", "20000", "KEYS"]);
        words.extend(NAMES);
        words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(reply.unwrap(), ok());
    for (name, sight_before) in NAMES.iter().zip(&before) {
        assert_eq!(sight(&mut target, name), *sight_before, "{name}");
        let expected_ms = match *name {
            "number" => 100_000_000,
            "list" => 200_000_000,
            _ => -1,
        };
        let ttl_ms = ttl(&mut target, name);
        assert!(
            ttl_ms <= expected_ms && ttl_ms >= expected_ms.min(expected_ms - 100_000),
            "{name}: {ttl_ms}"
        );
    }
    assert_eq!(source.ask("DBSIZE"), Value::Integer(0));
    target.ask("FLUSHALL");
}

#[test]
fn every_type_goes_to_another_ochre() {
    move_all(&server(), &server());
}

/// Ochre writes the oldest payloads that hold a value, and reads all; the peers among themselves cannot do that.
#[test]
fn every_type_goes_to_peers_and_comes_from_them() {
    let Some(peers) = std::env::var_os("OCHRE_PEERS") else { return };
    for peer in ["redis-server", "valkey-server"] {
        let other = ServerBuilder::new(&PathBuf::from(&peers).join("bin").join(peer)).start();
        let ours = server();
        move_all(&ours, &other);
        move_all(&other, &ours);
    }
}

#[test]
fn options_and_errors_are_those_of_redis() {
    let (from, to) = (server(), ServerBuilder::new(ochre()).set("requirepass", "pw").start());
    let (mut source, mut target) = (from.connect(), to.connect());
    target.ask("AUTH pw");
    let to = format!("127.0.0.1 {}", to.port());
    let mut ask = |request: &str| source.ask(&request.replace("TARGET", &to));
    assert_eq!(ask("MIGRATE TARGET k 0 20000"), Value::Simple(b"NOKEY".to_vec()));
    ask("MSET k v other w third x");
    for (request, expected) in [
        ("MIGRATE TARGET k x 20000", "ERR value is not an integer or out of range"),
        ("MIGRATE TARGET k 0 y", "ERR value is not an integer or out of range"),
        ("MIGRATE TARGET k 0 20000 FOO", "ERR syntax error"),
        ("MIGRATE TARGET k 0 20000 AUTH", "ERR syntax error"),
        ("MIGRATE TARGET k 0 20000 AUTH2 user", "ERR syntax error"),
        (
            "MIGRATE TARGET k 0 20000 KEYS a",
            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
        ),
        ("MIGRATE 127.0.0.1 1 k 0 20000", "IOERR error or timeout writing to target instance"),
        ("MIGRATE nobody.invalid 1 k 0 20000", "IOERR error or timeout connecting to the client"),
        (
            "MIGRATE TARGET k 0 20000",
            "ERR Target instance replied with error: NOAUTH Authentication required.",
        ),
        (
            "MIGRATE TARGET k 0 20000 AUTH no",
            "ERR Target instance replied with error: WRONGPASS invalid username-password pair or user is disabled.",
        ),
        (
            "MIGRATE TARGET k 99 20000 AUTH pw",
            "ERR Target instance replied with error: ERR DB index is out of range",
        ),
    ] {
        assert_eq!(ask(request), error(expected), "{request}");
    }
    assert_eq!(ask("GET k"), bulk("v"), "nothing is lost by all that");
    // As with Redis: what was to go to a database that is not there went to the first one.
    assert_eq!(target.ask("DEL k"), Value::Integer(1));
    assert_eq!(ask("MIGRATE TARGET k 0 20000 COPY AUTH pw"), ok());
    assert_eq!((ask("GET k"), target.ask("GET k")), (bulk("v"), bulk("v")));
    let busy = "ERR Target instance replied with error: BUSYKEY Target key name already exists.";
    assert_eq!(ask("MIGRATE TARGET k 0 20000 AUTH2 default pw"), error(busy));
    ask("SET k newer");
    assert_eq!(ask("MIGRATE TARGET k 0 20000 REPLACE AUTH2 default pw"), ok());
    assert_eq!((ask("GET k"), target.ask("GET k")), (Value::Bulk(None), bulk("newer")));
    assert_eq!(ask("MIGRATE TARGET other 3 20000 AUTH pw"), ok());
    target.ask("SELECT 3");
    assert_eq!(target.ask("GET other"), bulk("w"));
    for (request, last) in
        [("MULTI", ok()), ("MIGRATE TARGET third 0 20000 AUTH pw", Value::Simple(b"QUEUED".to_vec()))]
    {
        assert_eq!(ask(request), last);
    }
    let refused = error("ERR MIGRATE can't wait for another server within a transaction");
    assert_eq!(ask("EXEC"), Value::Array(Some(vec![refused])));
    assert_eq!(ask("GET third"), bulk("x"));
}

/// A target that takes what it is sent and answers when it is told to.
struct Puppet(TcpListener);

impl Puppet {
    fn new() -> Puppet {
        Puppet(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Takes a connection and reads until so many RESTOREs have come.
    fn take(&self, restores: usize) -> TcpStream {
        let (mut stream, _) = self.0.accept().unwrap();
        let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
        while all.windows(7).filter(|word| word == b"RESTORE").count() < restores {
            let len = stream.read(&mut bytes).unwrap();
            assert!(len > 0, "the source has gone");
            all.extend_from_slice(&bytes[..len]);
        }
        stream
    }
}

fn request(client: &mut Client, words: &[&str]) {
    let mut bytes = format!("*{}\r\n", words.len());
    for word in words {
        bytes += &format!("${}\r\n{word}\r\n", word.len());
    }
    client.send(bytes.as_bytes()).unwrap();
}

fn postponed(client: &mut Client, count: usize) {
    let are_there = wait_for(|| (client.info("blocked_clients") == count as i64).then_some(()));
    are_there.unwrap_or_else(|| panic!("{} clients wait, expected {count}", client.info("blocked_clients")));
}

#[test]
fn only_those_wait_who_name_a_key_that_is_on_its_way() {
    let (server, puppet) = (server(), Puppet::new());
    let (mut mover, mut other) = (server.connect(), server.connect());
    other.ask("MSET k v free www");
    request(&mut mover, &["MIGRATE", "127.0.0.1", &puppet.port().to_string(), "k", "0", "20000"]);
    let mut target = puppet.take(1);
    let waiting = ["GET k", "APPEND k x", "FLUSHALL", "RENAME free k", "COPY free k DB 3"];
    let mut clients: Vec<Client> = waiting.iter().map(|_| server.connect()).collect();
    for (client, words) in clients.iter_mut().zip(waiting) {
        request(client, &words.split(' ').collect::<Vec<_>>());
    }
    let mut multi = server.connect();
    ["MULTI", "SET k multi", "GET free"].iter().for_each(|words| drop(multi.ask(words)));
    request(&mut multi, &["EXEC"]);
    postponed(&mut other, 2 + waiting.len());
    assert_eq!(other.ask("GET free"), bulk("www"));
    assert_eq!(other.ask("SET free xxx"), ok());
    assert_eq!(other.ask("DBSIZE"), Value::Integer(2));
    target.write_all(b"+OK\r\n+OK\r\n").unwrap();
    assert_eq!(mover.read().unwrap(), ok());
    // Whatever the order was in which they went on, none of them has seen the key that was moved.
    let replies: Vec<Value> = clients.iter_mut().map(|client| client.read().unwrap()).collect();
    multi.read().unwrap();
    assert_ne!(replies[0], bulk("v"));
    assert_ne!(replies[1], Value::Integer(2));
    assert_eq!(replies[2], ok());
}

#[test]
fn copying_keeps_nobody_waiting() {
    let (server, puppet) = (server(), Puppet::new());
    let (mut mover, mut other) = (server.connect(), server.connect());
    other.ask("SET k v");
    request(&mut mover, &["MIGRATE", "127.0.0.1", &puppet.port().to_string(), "k", "0", "20000", "COPY"]);
    let mut target = puppet.take(1);
    assert_eq!(other.ask("SET k w"), ok());
    target.write_all(b"+OK\r\n+OK\r\n").unwrap();
    assert_eq!(mover.read().unwrap(), ok());
    assert_eq!(other.ask("GET k"), bulk("w"));
}

#[test]
fn only_what_was_taken_is_removed() {
    let (server, puppet) = (server(), Puppet::new());
    let (mut mover, mut other) = (server.connect(), server.connect());
    let migrate = |mover: &mut Client, timeout: &str| {
        let port = puppet.port().to_string();
        request(mover, &["MIGRATE", "127.0.0.1", &port, "", "0", timeout, "KEYS", "a", "b", "c", "none"]);
        puppet.take(3)
    };
    other.ask("MSET a 1 b 2 c 3");
    let mut target = migrate(&mut mover, "20000");
    target.write_all(b"+OK\r\n+OK\r\n-BUSYKEY there\r\n+OK\r\n").unwrap();
    assert_eq!(mover.read().unwrap(), error("ERR Target instance replied with error: BUSYKEY there"));
    assert_eq!(
        other.ask("MGET a b c"),
        Value::Array(Some(vec![Value::Bulk(None), bulk("2"), Value::Bulk(None)]))
    );

    other.ask("MSET a 1 b 2 c 3");
    let mut target = migrate(&mut mover, "20000");
    target.write_all(b"+OK\r\n+OK\r\n").unwrap();
    drop(target);
    assert_eq!(mover.read().unwrap(), error("IOERR error or timeout reading to target instance"));
    assert_eq!(other.ask("MGET a b c"), Value::Array(Some(vec![Value::Bulk(None), bulk("2"), bulk("3")])));

    other.ask("SET a 1");
    let target = migrate(&mut mover, "1000");
    assert_eq!(mover.read().unwrap(), error("IOERR error or timeout reading to target instance"));
    assert_eq!(other.ask("MGET a b c"), Value::Array(Some(vec![bulk("1"), bulk("2"), bulk("3")])));
    drop(target);
}

#[test]
fn a_client_that_is_gone_leaves_no_key_held() {
    let (server, puppet) = (server(), Puppet::new());
    let (mut mover, mut other) = (server.connect(), server.connect());
    other.ask("SET k v");
    request(&mut mover, &["MIGRATE", "127.0.0.1", &puppet.port().to_string(), "k", "0", "20000"]);
    let mut target = puppet.take(1);
    drop(mover);
    target.write_all(b"+OK\r\n+OK\r\n").unwrap();
    assert_eq!(other.ask("GET k"), Value::Bulk(None), "it was moved all the same");
}

/// Nothing changes while clients are paused, and what has arrived meanwhile is seen to afterwards.
#[test]
fn a_pause_also_holds_up_the_end() {
    let (server, puppet) = (server(), Puppet::new());
    let (mut mover, mut other) = (server.connect(), server.connect());
    other.ask("SET k v");
    request(&mut mover, &["MIGRATE", "127.0.0.1", &puppet.port().to_string(), "k", "0", "20000"]);
    let mut target = puppet.take(1);
    other.ask("CLIENT PAUSE 100000 WRITE");
    target.write_all(b"+OK\r\n+OK\r\n").unwrap();
    assert_eq!(other.ask("DBSIZE"), Value::Integer(1));
    other.ask("CLIENT UNPAUSE");
    assert_eq!(mover.read().unwrap(), ok());
    assert_eq!(other.ask("DBSIZE"), Value::Integer(0));
}
