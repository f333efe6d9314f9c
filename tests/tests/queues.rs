//! Elements that go through queues which clients wait for: each arrives once, whatever happens to those who wait.
//!
//! Producers push numbered elements into a few queues, one or several at a time, in transactions and by moving them there.
//! Clients wait for them with BLPOP, BRPOP and BLMPOP on queues that overlap, with short timeouts; relays move them on
//! from queue to queue with BLMOVE and BLMOVEM; workers move each into a list of their own, and are killed in the middle of
//! it. Somebody unblocks whoever waits. In the end every element is with one client or in one list, and nobody is left
//! waiting in the keyspace.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_resp::Value;
use ochre_tests::{Client, Server, ServerBuilder, is_closed, ochre, wait_for};
use ochre_types::Rng;

const QUEUES: u64 = 4;
/// Elements of one run; they are as many as producers have time for, and no more than this.
const ELEMENTS_MAX: u64 = 20_000;
/// And so many at least, however long that takes.
const ELEMENTS_MIN: u64 = 100;
const SECONDS: u64 = 2;

struct World {
    server: Server,
    pushed: AtomicU64,
    over: AtomicBool,
    drained: AtomicBool,
    received: Mutex<Vec<u64>>,
    /// The numbers of clients that may be killed, and of all that wait.
    workers: Mutex<Vec<i64>>,
    waiting: Mutex<Vec<i64>>,
}

impl World {
    fn new(workers: usize) -> World {
        World {
            server: ServerBuilder::new(ochre()).workers(workers).start(),
            pushed: AtomicU64::new(0),
            over: AtomicBool::new(false),
            drained: AtomicBool::new(false),
            received: Mutex::default(),
            workers: Mutex::default(),
            waiting: Mutex::default(),
        }
    }

    /// A client that may be unblocked at any time.
    fn waiter(&self) -> Client {
        let mut client = self.server.connect();
        self.waiting.lock().unwrap().push(id_of(&mut client));
        client
    }

    fn produce(&self, seed: u64) {
        let (mut client, mut rng) = (self.server.connect(), Rng::new(seed));
        while !self.over.load(Relaxed) {
            let count = 1 + rng.below(3);
            let first = self.pushed.fetch_add(count, Relaxed);
            if first + count > ELEMENTS_MAX {
                self.pushed.fetch_sub(count, Relaxed);
                return;
            }
            let elements: Vec<String> = (first..first + count).map(|number| number.to_string()).collect();
            let elements = elements.join(" ");
            let (queue, other) = (rng.below(QUEUES), rng.below(QUEUES));
            match rng.below(4) {
                0 => drop(client.ask(&format!("RPUSH q{queue} {elements}"))),
                1 => drop(client.ask(&format!("LPUSH q{queue} {elements}"))),
                2 => {
                    client.ask("MULTI");
                    client.ask(&format!("RPUSH staged{seed} {elements}"));
                    client.ask(&format!("LMOVE staged{seed} q{queue} LEFT LEFT"));
                    (1..count).for_each(|_| {
                        client.ask(&format!("LMOVE staged{seed} q{other} LEFT RIGHT"));
                    });
                    client.ask("EXEC");
                }
                _ => {
                    client.ask(&format!("RPUSH staged{seed} {elements}"));
                    (0..count).for_each(|_| {
                        client.ask(&format!("RPOPLPUSH staged{seed} q{queue}"));
                    });
                }
            }
        }
    }

    fn consume(&self, seed: u64) {
        let (mut client, mut rng, mut got) = (self.waiter(), Rng::new(seed), Vec::new());
        while !self.drained.load(Relaxed) {
            let (a, b, ms) = (rng.below(QUEUES), rng.below(QUEUES), 1 + rng.below(30));
            let reply = client.ask(&match rng.below(3) {
                0 => format!("BLPOP q{a} q{b} 0.{ms:03}"),
                1 => format!("BRPOP q{a} 0.{ms:03}"),
                _ => format!("BLMPOP 0.{ms:03} 2 q{a} q{b} LEFT COUNT 2"),
            });
            numbers(&reply, &mut got);
        }
        self.received.lock().unwrap().extend(got);
    }

    fn relay(&self, seed: u64) {
        let (mut client, mut rng) = (self.waiter(), Rng::new(seed));
        while !self.over.load(Relaxed) {
            let (a, b, ms) = (rng.below(QUEUES), rng.below(QUEUES), 1 + rng.below(30));
            let request = match rng.below(2) {
                0 => format!("BLMOVE q{a} q{b} LEFT RIGHT 0.{ms:03}"),
                _ => format!("BLMOVEM q{a} q{b} RIGHT LEFT 0.{ms:03} EXACTLY 2 BULK"),
            };
            client.ask(&request);
        }
    }

    /// Moves elements to a list of its own, and goes on with another connection when it is killed.
    fn work(&self, seed: u64) {
        let (mut rng, mut client) = (Rng::new(seed), None);
        while !self.drained.load(Relaxed) {
            let connected = client.get_or_insert_with(|| {
                let mut client = self.server.connect();
                self.workers.lock().unwrap().push(id_of(&mut client));
                client
            });
            let (queue, ms) = (rng.below(QUEUES).to_string(), 1 + rng.below(30));
            let (queue, own, timeout) = (format!("q{queue}"), format!("done{seed}"), format!("0.{ms:03}"));
            match connected.request(&["BLMOVE", &queue, &own, "LEFT", "LEFT", &timeout]) {
                Ok(_) => {}
                Err(error) if is_closed(&error) => client = None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn interfere(&self) {
        let (mut client, mut rng) = (self.server.connect(), Rng::new(99));
        while !self.over.load(Relaxed) {
            let among = if rng.below(4) == 0 { &self.workers } else { &self.waiting };
            let ids = among.lock().unwrap().clone();
            let is_worker = std::ptr::eq(among, &self.workers);
            let Some(id) = ids.get(rng.below(ids.len().max(1) as u64) as usize) else { continue };
            let request = match (is_worker, rng.below(2)) {
                (true, 0) => format!("CLIENT KILL ID {id}"),
                (_, 0) => format!("CLIENT UNBLOCK {id} ERROR"),
                _ => format!("CLIENT UNBLOCK {id}"),
            };
            client.ask(&request);
            if is_worker && request.starts_with("CLIENT KILL") {
                self.workers.lock().unwrap().retain(|other| other != id);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Waits until all that was pushed has been taken out of the queues.
    fn drain(&self) {
        let mut client = self.server.connect();
        let empty = wait_for(|| {
            let left: i64 = (0..QUEUES).map(|queue| int(client.ask(&format!("LLEN q{queue}")))).sum();
            (left == 0).then_some(())
        });
        assert!(empty.is_some(), "elements stay in queues that clients wait for");
        self.drained.store(true, Relaxed);
    }

    /// Every element is with one client or in one list.
    fn check(&self, workers: u64) {
        let mut client = self.server.connect();
        let mut all = std::mem::take(&mut *self.received.lock().unwrap());
        let lists = (0..workers).flat_map(|seed| [format!("done{seed}"), format!("staged{seed}")]);
        for list in lists {
            numbers(&client.ask(&format!("LRANGE {list} 0 -1")), &mut all);
        }
        let mut counts: HashMap<u64, u64> = HashMap::new();
        all.iter().for_each(|number| *counts.entry(*number).or_default() += 1);
        let pushed = self.pushed.load(Relaxed);
        let wrong: Vec<(u64, u64)> = (0..pushed)
            .map(|number| (number, counts.get(&number).copied().unwrap_or(0)))
            .filter(|(_, count)| *count != 1)
            .collect();
        assert!(wrong.is_empty(), "of {pushed} elements, with how often they arrived: {wrong:?}");
        assert_eq!(all.len() as u64, pushed);
        assert!(pushed > ELEMENTS_MIN, "only {pushed} elements were pushed");
        let nobody_waits = wait_for(|| {
            let fields = ["blocked_clients", "total_blocking_keys", "clients_in_timeout_table"];
            fields.iter().all(|field| client.info(field) == 0).then_some(())
        });
        assert!(nobody_waits.is_some(), "{:?}", client.ask("INFO clients"));
    }
}

fn id_of(client: &mut Client) -> i64 {
    int(client.ask("CLIENT ID"))
}

fn int(value: Value) -> i64 {
    let Value::Integer(number) = value else { panic!("{value:?}") };
    number
}

/// The elements in a reply: whatever is a number, at any depth. What an unblocked client is told has none.
fn numbers(value: &Value, into: &mut Vec<u64>) {
    match value {
        Value::Array(Some(values)) => values.iter().for_each(|value| numbers(value, into)),
        Value::Bulk(Some(bytes)) => into.extend(std::str::from_utf8(bytes).unwrap().parse::<u64>().ok()),
        Value::Error(error) => assert!(error.starts_with(b"UNBLOCKED"), "{value:?}"),
        _ => {}
    }
}

/// What a thread with a role does.
fn move_of<'w>(world: &'w World, role: fn(&World, u64), seed: u64) -> impl FnOnce() + Send + 'w {
    move || role(world, seed)
}

fn run(workers: usize) {
    let world = World::new(workers);
    std::thread::scope(|takers| {
        (0..8).for_each(|seed| drop(takers.spawn(move_of(&world, World::consume, seed))));
        (0..4).for_each(|seed| drop(takers.spawn(move_of(&world, World::work, seed))));
        // Those who put something into queues end first.
        std::thread::scope(|givers| {
            let producers = [0, 1].map(|seed| givers.spawn(move_of(&world, World::produce, seed)));
            (0..3).for_each(|seed| drop(givers.spawn(move_of(&world, World::relay, seed))));
            givers.spawn(|| world.interfere());
            let start = Instant::now();
            let is_early = || {
                start.elapsed() < Duration::from_secs(SECONDS) || world.pushed.load(Relaxed) <= ELEMENTS_MIN
            };
            // They end by themselves when there are enough, or when they fail.
            while is_early() && !producers.iter().all(|producer| producer.is_finished()) {
                std::thread::sleep(Duration::from_millis(20));
            }
            world.over.store(true, Relaxed);
        });
        world.drain();
    });
    world.check(4);
}

#[test]
fn every_element_arrives_once_with_one_worker() {
    run(1);
}

#[test]
fn every_element_arrives_once_with_four_workers() {
    run(4);
}
