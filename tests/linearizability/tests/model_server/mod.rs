//! A server in this process that is the model itself behind a socket, and that can be wrong in chosen ways.

// Test code outside of test functions, which the lint does not recognise as such.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ochre_differential::Reply;
use ochre_linearizability::{Operation, Runner, State};

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// INCR and APPEND read and write in two steps.
    LostUpdate,
    /// GET answers from a copy that is sometimes old.
    StaleRead,
    /// MGET and MSET go key by key.
    TornCommand,
    /// EXEC goes command by command.
    TornTransaction,
    /// EXEC does not look at what was watched.
    BlindWatch,
}

const KEYS: usize = 3;
const CLIENTS: usize = 8;

/// One keyspace per round, which is the part of a key before its last colon.
type Rounds = HashMap<String, (State, State)>;

/// The server; ends with the value.
pub struct ModelServer {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl ModelServer {
    /// Listens on a free port.
    pub fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, ended) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let (rounds, stop) = (Arc::new(Mutex::new(Rounds::new())), ended.clone());
        std::thread::spawn(move || {
            for (client, stream) in listener.incoming().enumerate() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let mut session = Session {
                    fault,
                    client: client % CLIENTS,
                    rounds: rounds.clone(),
                    watched: None,
                    queue: None,
                };
                std::thread::spawn(move || session.serve(stream.unwrap()));
            }
        });
        Self { address, ended }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the accepting thread, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}

struct Session {
    fault: Fault,
    client: usize,
    rounds: Arc<Mutex<Rounds>>,
    watched: Option<String>,
    queue: Option<(String, Vec<Operation>)>,
}

impl Session {
    fn serve(&mut self, mut stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            while let Ok((request, length)) = Reply::read(&buffer) {
                buffer.drain(..length);
                let words: Vec<String> = request
                    .elements()
                    .iter()
                    .map(|word| String::from_utf8_lossy(word.text().unwrap()).into_owned())
                    .collect();
                let mut out = Vec::new();
                write_reply(&self.command(&words), &mut out);
                if stream.write_all(&out).is_err() {
                    return;
                }
            }
            match stream.read(&mut chunk) {
                Ok(count) if count > 0 => buffer.extend_from_slice(&chunk[..count]),
                _ => return,
            }
        }
    }

    fn command(&mut self, words: &[String]) -> Reply {
        let simple = |text: &str| Reply::Simple(text.into());
        match (words[0].as_str(), &mut self.queue) {
            ("MULTI", _) => {
                self.queue = Some((String::new(), Vec::new()));
                simple("OK")
            }
            ("EXEC", _) => {
                let (round, operations) = self.queue.take().unwrap();
                self.watched = None;
                self.perform(&round, &Operation::Transaction(operations))
            }
            ("UNWATCH", _) => {
                if let Some(round) = self.watched.take() {
                    let client = self.client;
                    self.state(&round, |state| state.unwatch(client));
                }
                simple("OK")
            }
            (_, Some((queued_round, operations))) => {
                let (round, operation) = parse(words);
                *queued_round = round;
                operations.push(operation);
                simple("QUEUED")
            }
            (name, None) => {
                let (round, operation) = parse(words);
                if name == "WATCH" {
                    self.watched = Some(round.clone());
                }
                self.perform(&round, &operation)
            }
        }
    }

    fn perform(&mut self, round: &str, operation: &Operation) -> Reply {
        use Operation::*;
        let client = self.client;
        match (self.fault, operation) {
            (Fault::LostUpdate, Incr(key)) => {
                let mut before = self.state(round, |state| state.clone());
                std::thread::yield_now();
                let reply = before.apply(client, operation);
                if let Reply::Integer(number) = &reply {
                    self.apply(round, &Set(*key, number.to_string().into_bytes()));
                }
                reply
            }
            (Fault::StaleRead, Get(_)) => {
                let mut rounds = self.lock();
                rounds.entry(round.to_owned()).or_insert_with(fresh).1.apply(client, operation)
            }
            (Fault::TornCommand, MGet(keys)) => {
                let one = |key: &usize| {
                    std::thread::yield_now();
                    self.apply(round, &Get(*key))
                };
                Reply::Array(keys.iter().map(one).collect())
            }
            (Fault::TornTransaction, Transaction(operations))
                if !self.state(round, |state| state.unwatch(client)) =>
            {
                let one = |operation: &Operation| {
                    std::thread::yield_now();
                    self.apply(round, operation)
                };
                Reply::Array(operations.iter().map(one).collect())
            }
            (Fault::BlindWatch, Transaction(_)) => self.state(round, |state| {
                state.unwatch(client);
                state.apply(client, operation)
            }),
            _ => self.apply(round, operation),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap()
    }

    fn state<T>(&self, round: &str, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock().entry(round.to_owned()).or_insert_with(fresh).0)
    }

    /// Does an operation; the old copy that stale reads see follows with the next change.
    fn apply(&self, round: &str, operation: &Operation) -> Reply {
        let mut rounds = self.lock();
        let (now, old) = rounds.entry(round.to_owned()).or_insert_with(fresh);
        if !matches!(operation, Operation::Get(_)) {
            old.clone_from(now);
        }
        now.apply(self.client, operation)
    }
}

fn fresh() -> (State, State) {
    (State::new(KEYS, CLIENTS), State::new(KEYS, CLIENTS))
}

/// The round of the keys, and the operation.
fn parse(words: &[String]) -> (String, Operation) {
    use Operation::*;
    if let "EVAL" | "FCALL" = words[0].as_str() {
        return parse_script(words);
    }
    let key = |at: usize| words[at].rsplit(':').next().unwrap().parse().unwrap();
    let value = |at: usize| words[at].clone().into_bytes();
    let round = words[1].rsplit_once(':').unwrap().0.to_owned();
    let keys = || (1..words.len()).map(key).collect();
    let operation = match words[0].as_str() {
        "GET" => Get(key(1)),
        "SET" => Set(key(1), value(2)),
        "SETNX" => SetNx(key(1), value(2)),
        "GETSET" => GetSet(key(1), value(2)),
        "APPEND" => Append(key(1), value(2)),
        "INCR" => Incr(key(1)),
        "DEL" => Del(keys()),
        "MGET" => MGet(keys()),
        "WATCH" => Watch(keys()),
        "MSET" => MSet((1..words.len()).step_by(2).map(|at| (key(at), value(at + 1))).collect()),
        "RENAME" => Rename(key(1), key(2)),
        "COPY" => Copy(key(1), key(2), words.len() > 3),
        other => panic!("the model server knows no {other}"),
    };
    (round, operation)
}

/// What a script is to do: each command behind the number of its words.
fn parse_script(words: &[String]) -> (String, Operation) {
    let (mut operations, mut round, mut at) = (Vec::new(), String::new(), 3);
    while at < words.len() {
        let len: usize = words[at].parse().unwrap();
        let (of, operation) = parse(&words[at + 1..at + 1 + len]);
        round = of;
        operations.push(operation);
        at += 1 + len;
    }
    let runner = if words[0] == "EVAL" { Runner::Script } else { Runner::Function };
    (round, Operation::Script(runner, operations))
}

fn write_reply(reply: &Reply, out: &mut Vec<u8>) {
    match reply {
        Reply::Simple(text) => out.extend([b"+", text.as_slice(), b"\r\n"].concat()),
        Reply::Error(text) => out.extend([b"-", text.as_slice(), b"\r\n"].concat()),
        Reply::Integer(number) => out.extend(format!(":{number}\r\n").into_bytes()),
        Reply::Bulk(text) => out.extend([format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()),
        Reply::Array(elements) => {
            out.extend(format!("*{}\r\n", elements.len()).into_bytes());
            elements.iter().for_each(|element| write_reply(element, out));
        }
        _ => out.extend_from_slice(b"$-1\r\n"),
    }
}
