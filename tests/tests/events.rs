//! The keyspace events of every command that writes: their names, order and number, as a subscriber sees them.
//!
//! `tests/events.txt` has requests, each with the events that follow from it, indented: `name key`, and the database if it is
//! not the first. A line with `#` begins a group on an empty server. Each event must come both by its key and by its name,
//! in this order.
//!
//! The expectations are what Redis says. With the environment's `OCHRE_PEER` naming a redis-server they are compared with it,
//! too, and with `OCHRE_RECORD` set besides, they are written down anew.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::path::{Path, PathBuf};

use ochre_resp::{Value, split_args};
use ochre_tests::{Client, Server, ServerBuilder, follow_transcript, ochre, workspace_root};

const CLASSES: &str = "KEAmnoc";

fn path() -> PathBuf {
    workspace_root().join("tests/events.txt")
}

fn server(program: &Path, workers: Option<usize>) -> Server {
    let builder = ServerBuilder::new(program).set("enable-debug-command", "yes");
    let builder = match workers {
        Some(workers) => builder.workers(workers),
        None => builder,
    };
    builder.set("notify-keyspace-events", CLASSES).start()
}

/// A client that makes events and one that listens to them.
struct Stage {
    client: Client,
    listener: Client,
    /// Ends what one request has told.
    bell: Client,
}

impl Stage {
    fn new(server: &Server) -> Stage {
        let (mut client, mut listener) = (server.connect(), server.connect());
        // What time removes is removed when it is touched, not before.
        client.ask("DEBUG SET-ACTIVE-EXPIRE 0");
        listener.ask("PSUBSCRIBE __key*__:*");
        listener.ask("SUBSCRIBE bell");
        Stage { client, listener, bell: server.connect() }
    }

    fn ask(&mut self, line: &str) -> Value {
        let args = split_args(line.as_bytes()).unwrap();
        self.client.request(&args).unwrap()
    }

    /// What was told since the last time, as the lines of the file.
    fn events(&mut self) -> Vec<String> {
        assert_eq!(self.bell.ask("PUBLISH bell x"), Value::Integer(1));
        let mut told = Vec::new();
        loop {
            let message = self.listener.read().unwrap();
            let parts: Vec<String> = message.as_elements().unwrap().iter().map(text).collect();
            match parts.as_slice() {
                [word, ..] if word == "message" => break,
                [_, _, channel, payload] => told.push((channel.clone(), payload.clone())),
                other => panic!("{other:?} is no message"),
            }
        }
        told.chunks(2).map(fold).collect()
    }
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.as_bytes().unwrap()).into_owned()
}

/// An event that came both ways.
fn fold(pair: &[(String, String)]) -> String {
    let [(by_key, name), (by_name, key)] = pair else { panic!("{pair:?} is half an event") };
    let db = by_key.strip_prefix("__keyspace@").and_then(|rest| rest.split_once("__:")).unwrap();
    assert_eq!((db.1, by_name), (key.as_str(), &format!("__keyevent@{}__:{name}", db.0)));
    if db.0 == "0" { format!("{name} {key}") } else { format!("{name} {key} @{}", db.0) }
}

/// The file with the events that a server tells.
fn told_by(server: &Server, file: &str) -> String {
    let mut stage = Stage::new(server);
    let mut told = String::new();
    let mut in_transaction = false;
    for line in file.lines().filter(|line| !line.starts_with(' ')) {
        told.push_str(line);
        told.push('\n');
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            stage.ask("FLUSHALL");
            stage.ask("SELECT 0");
            continue;
        }
        stage.ask(line);
        in_transaction = (in_transaction || line == "MULTI") && line != "EXEC";
        if !in_transaction {
            stage.events().iter().for_each(|event| told.push_str(&format!("    {event}\n")));
        }
    }
    told
}

#[test]
fn every_change_is_told() {
    follow_transcript(&path(), |program, workers, expected| told_by(&server(program, workers), expected));
}

/// Who waits for a key and is served makes events, too, right behind those of who served it.
#[test]
fn those_who_are_served_are_told_behind_those_who_serve() {
    for workers in [1, 3] {
        let server = server(ochre(), Some(workers));
        let mut stage = Stage::new(&server);
        let mut waiting = server.connect();
        let mut next = server.connect();
        waiting
            .send(b"*6\r\n$6\r\nBLMOVE\r\n$1\r\na\r\n$1\r\nb\r\n$4\r\nLEFT\r\n$4\r\nLEFT\r\n$1\r\n0\r\n")
            .unwrap();
        next.send(b"*3\r\n$5\r\nBLPOP\r\n$1\r\nb\r\n$1\r\n0\r\n").unwrap();
        ochre_tests::wait_for(|| (stage.bell.info("blocked_clients") == 2).then_some(())).unwrap();
        stage.ask("MULTI");
        stage.ask("RPUSH a x");
        stage.ask("SET k v");
        stage.ask("EXEC");
        let expected =
            ["new a", "rpush a", "new k", "set k", "lpop a", "new b", "lpush b", "del a", "lpop b", "del b"];
        let mut told = stage.events();
        // Redis tells of the destination first; the order within one BLMOVE is in the data file.
        told[4..].sort_unstable();
        let mut expected: Vec<String> = expected.map(str::to_owned).to_vec();
        expected[4..].sort_unstable();
        assert_eq!(told, expected, "{workers} workers");
    }
}

/// A subscriber sees the events of one key in the order of its changes, whichever workers make them: a key that several
/// clients push to and pop from is new exactly when it was gone.
#[test]
fn events_of_a_key_come_in_the_order_of_its_changes() {
    const CLIENTS: usize = 6;
    const ROUNDS: usize = 300;
    let server = server(ochre(), Some(4));
    let mut listener = server.connect();
    listener.ask("SUBSCRIBE __keyspace@0__:l");
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = server.connect();
                for _ in 0..ROUNDS {
                    client.ask("RPUSH l x");
                    assert_ne!(client.ask("LPOP l"), Value::Bulk(None));
                }
            });
        }
        let (mut len, mut pushes) = (0usize, 0usize);
        while pushes < CLIENTS * ROUNDS || len > 0 {
            let message = listener.read().unwrap();
            let event = text(&message.as_elements().unwrap()[2]);
            let expected_after = match event.as_str() {
                "new" => {
                    assert_eq!(len, 0);
                    assert_eq!(text(&listener.read().unwrap().as_elements().unwrap()[2]), "rpush");
                    1
                }
                "rpush" => len + 1,
                "lpop" => len - 1,
                other => panic!("{other}"),
            };
            pushes += usize::from(expected_after > len);
            len = expected_after;
            if event == "lpop" && len == 0 {
                assert_eq!(text(&listener.read().unwrap().as_elements().unwrap()[2]), "del");
            }
        }
    });
}
