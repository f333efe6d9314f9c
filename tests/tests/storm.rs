//! Everything at once: what a server with several workers must survive, and what must stay true meanwhile.
//!
//! For some seconds clients transfer amounts between accounts (in transactions, and by WATCH), fill the memory with keys
//! that expire and are evicted, empty and swap databases, change the configuration, pause, kill and watch each other, come and go.
//!
//! Whatever happens, every transfer is whole or not at all. Emptying takes all accounts of a database and swapping moves
//! them together, so in every database the accounts add up to 0 at any time.
//!
//! `OCHRE_STORM_SECONDS` makes it longer (default: 2 for each number of workers); `tests/sanitize` runs it with a server
//! that was built for a sanitizer.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::io::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_resp::{Value, encode_request};
use ochre_tests::{Address, Client, PATIENCE, Server, ServerBuilder, is_closed, ochre};
use ochre_types::Rng;

/// Accounts of a database, by their keys.
const ACCOUNTS: [&str; 6] = ["account:0", "account:1", "account:2", "account:3", "account:4", "account:5"];
/// Databases in use.
const DATABASES: u64 = 3;
/// Keys that do not matter; so many that tables grow.
const FILLERS: u64 = 20_000;

/// What all clients of a storm share.
struct Storm {
    address: Address,
    over: AtomicBool,
    transfers: AtomicU64,
    checks: AtomicU64,
    refused: AtomicU64,
    pipelined: AtomicU64,
    orders: AtomicU64,
}

impl Storm {
    /// Transfers, checks, refused transfers, other commands, orders.
    fn counts(&self) -> [u64; 5] {
        [&self.transfers, &self.checks, &self.refused, &self.pipelined, &self.orders]
            .map(|count| count.load(Relaxed))
    }

    /// Whether too little of something has happened.
    fn is_calm(&self) -> bool {
        self.counts().iter().any(|count| *count <= 10)
    }
}

/// A client that may be killed at any time, and connects again then.
struct Role<'s> {
    storm: &'s Storm,
    client: Client,
    rng: Rng,
}

impl<'s> Role<'s> {
    fn new(storm: &'s Storm, seed: u64) -> Role<'s> {
        Role { storm, client: Client::connect(&storm.address).unwrap(), rng: Rng::new(seed) }
    }

    /// Does `step` over and over. What another client broke off is no failure, and everything else is one.
    fn repeat(mut self, step: impl Fn(&mut Role<'s>) -> std::io::Result<()>) {
        while !self.storm.over.load(Relaxed) {
            match step(&mut self) {
                Ok(()) => {}
                Err(error) if is_closed(&error) => self.client = self.reconnect(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn reconnect(&self) -> Client {
        Client::connect(&self.storm.address).unwrap_or_else(|error| panic!("the server is gone: {error}"))
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    fn choose<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.below(among.len() as u64) as usize]
    }

    /// The replies to some requests, each of words that blanks separate, sent as one.
    fn pipeline<W: AsRef<str>>(&mut self, requests: &[W]) -> std::io::Result<Vec<Value>> {
        let mut bytes = Vec::new();
        for request in requests {
            let args: Vec<&str> = request.as_ref().split(' ').collect();
            encode_request(&mut bytes, &args);
        }
        self.client.send(&bytes)?;
        let mut replies = Vec::with_capacity(requests.len());
        for request in requests {
            replies
                .push(self.client.read().map_err(|error| no_reply(error, request.as_ref(), replies.len()))?);
        }
        Ok(replies)
    }

    /// Two different accounts.
    fn pair(&mut self) -> (&'static str, &'static str) {
        let from = self.below(ACCOUNTS.len() as u64) as usize;
        let by = 1 + self.below(ACCOUNTS.len() as u64 - 1) as usize;
        (ACCOUNTS[from], ACCOUNTS[(from + by) % ACCOUNTS.len()])
    }

    fn transfer(&mut self) -> std::io::Result<()> {
        let ((from, to), amount, db) = (self.pair(), self.below(100), self.below(DATABASES));
        let requests = [
            format!("SELECT {db}"),
            "MULTI".to_owned(),
            format!("DECRBY {from} {amount}"),
            format!("INCRBY {to} {amount}"),
            "EXEC".to_owned(),
        ];
        let replies = self.pipeline(&requests)?;
        match replies.last() {
            Some(Value::Array(Some(results))) => {
                assert!(results.iter().all(|result| matches!(result, Value::Integer(_))), "{replies:?}");
                self.storm.transfers.fetch_add(1, Relaxed);
            }
            Some(Value::Error(error)) => assert!(error.starts_with(b"EXECABORT"), "{replies:?}"),
            _ => panic!("{replies:?}"),
        }
        Ok(())
    }

    fn watched_transfer(&mut self) -> std::io::Result<()> {
        let ((from, to), amount) = (self.pair(), self.below(100) as i64);
        let db = self.below(DATABASES);
        let begin = [format!("SELECT {db}"), format!("WATCH {from} {to}"), format!("MGET {from} {to}")];
        let held = amounts(&self.pipeline(&begin)?[2]);
        let end = [
            "MULTI".to_owned(),
            format!("SET {from} {}", held[0] - amount),
            format!("SET {to} {}", held[1] + amount),
            "EXEC".to_owned(),
        ];
        match self.pipeline(&end)?.last() {
            Some(Value::Array(Some(_))) => self.storm.transfers.fetch_add(1, Relaxed),
            Some(Value::Array(None) | Value::Bulk(None) | Value::Null | Value::Error(_)) => {
                self.storm.refused.fetch_add(1, Relaxed)
            }
            other => panic!("{other:?}"),
        };
        Ok(())
    }

    fn check(&mut self) -> std::io::Result<()> {
        let db = self.below(DATABASES);
        let look = format!("MGET {}", ACCOUNTS.join(" "));
        let requests = [format!("SELECT {db}"), look.clone(), "MULTI".to_owned(), look, "EXEC".to_owned()];
        let replies = self.pipeline(&requests)?;
        assert_eq!(amounts(&replies[1]).iter().sum::<i64>(), 0, "{replies:?}");
        if let Some(Value::Array(Some(results))) = replies.last() {
            assert_eq!(amounts(&results[0]).iter().sum::<i64>(), 0, "{replies:?}");
        }
        self.storm.checks.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Up to 64 commands about keys that do not matter.
    fn fill(&mut self) -> std::io::Result<()> {
        let count = 1 + self.below(64);
        let requests: Vec<String> = (0..count).map(|_| self.filler_request()).collect();
        self.pipeline(&requests)?;
        self.storm.pipelined.fetch_add(count, Relaxed);
        Ok(())
    }

    fn filler_request(&mut self) -> String {
        let key = format!("filler:{}", self.below(FILLERS));
        let other = format!("filler:{}", self.below(FILLERS));
        let ms = 1 + self.below(300);
        match self.below(24) {
            0..=7 => format!("SET {key} {other} PX {ms}"),
            8 => format!("SET {key} {} PX {ms}", "v".repeat(self.below(20_000) as usize)),
            9 => format!("SET number:{other} {ms} PX {ms}"),
            10 => format!("INCR number:{other}"),
            11 => format!("MSET {key} a {other} b"),
            12 => format!("PEXPIRE {key} {ms}"),
            13 => format!("UNLINK {key} {other}"),
            14 => format!("RENAME {key} {other}"),
            15 => format!("COPY {key} {other} DB {} REPLACE", self.below(DATABASES)),
            16 => format!("SCAN {} COUNT 20", self.below(1 << 40)),
            17 => format!("APPEND {key} {other}"),
            18 => format!("SETRANGE {key} {} x", self.below(5000)),
            19 => format!("SELECT {}", self.below(DATABASES)),
            20 => "RANDOMKEY".to_owned(),
            21 => format!("GETEX {key} PX {ms}"),
            _ => format!("GET {key}"),
        }
    }

    /// What an administrator orders.
    fn order(&mut self) -> std::io::Result<()> {
        let db = self.below(DATABASES);
        let order = self.choose(ORDERS).replace("{db}", &db.to_string());
        let order = order.replace("{other}", &((db + 1) % DATABASES).to_string());
        let reply = self.pipeline(&[&order])?;
        assert!(!matches!(&reply[0], Value::Error(_)), "{order}: {reply:?}");
        self.storm.orders.fetch_add(1, Relaxed);
        Ok(())
    }

    /// What clients do to each other.
    fn meddle(&mut self) -> std::io::Result<()> {
        let newest = match &self.pipeline(&["CLIENT ID"])?[0] {
            Value::Integer(id) => *id as u64,
            _ => 0,
        };
        let (victim, ms) = (1 + self.below(newest + 8), self.below(5));
        match self.below(12) {
            0 => self.pipeline(&["CLIENT KILL TYPE normal SKIPME yes"])?,
            1 => self.pipeline(&[format!("CLIENT PAUSE {ms} ALL")])?,
            2 => self.pipeline(&["CLIENT PAUSE 3 WRITE", "CLIENT UNPAUSE"])?,
            3..=4 => self.pipeline(&[format!("CLIENT UNBLOCK {victim} ERROR")])?,
            5 => {
                self.client = self.reconnect();
                Vec::new()
            }
            6 => self.pipeline(&["CLIENT LIST", "CLIENT NO-EVICT on", "CLIENT SETNAME meddler"])?,
            _ => self.pipeline(&[format!("CLIENT KILL ID {victim} SKIPME no")])?,
        };
        Ok(())
    }

    /// Waits for replicas, which there are none of, until the time is up or somebody ends the wait; or reads what all
    /// others do.
    fn wait(&mut self) -> std::io::Result<()> {
        if self.below(4) > 0 {
            self.pipeline(&["SET waiting x", "WAIT 1 20"])?;
            return Ok(());
        }
        self.client.send(b"MONITOR\r\n")?;
        for _ in 0..200 {
            self.client.read()?;
        }
        self.client = self.reconnect();
        Ok(())
    }
}

/// Orders of an administrator, about one database or two.
const ORDERS: &[&str] = &[
    "FLUSHALL ASYNC",
    "FLUSHALL SYNC",
    "SWAPDB {db} {other}",
    "SWAPDB {db} {other}",
    "DBSIZE",
    "INFO everything",
    "MEMORY STATS",
    "SLOWLOG GET 10",
    "SLOWLOG RESET",
    "LATENCY LATEST",
    "LATENCY RESET",
    "LATENCY HISTOGRAM",
    "CONFIG RESETSTAT",
    "CONFIG GET *",
    "CONFIG SET maxmemory 8mb maxmemory-policy volatile-lru",
    "CONFIG SET maxmemory 6mb maxmemory-policy volatile-lfu",
    "CONFIG SET maxmemory 0 maxmemory-policy volatile-ttl",
    "CONFIG SET maxmemory 8mb maxmemory-policy volatile-random",
    "CONFIG SET maxmemory-clients 100mb timeout 0",
    "CONFIG SET maxmemory-clients 0 timeout 100",
    "CONFIG SET slowlog-log-slower-than 0 latency-monitor-threshold 1",
    "CONFIG SET slowlog-log-slower-than 10000 latency-monitor-threshold 0",
    "CONFIG SET hz 100 active-expire-effort 10",
    "CONFIG SET hz 10 active-expire-effort 1",
    "CONFIG SET lazyfree-lazy-user-del yes lazyfree-lazy-expire yes",
    "CONFIG SET lazyfree-lazy-user-del no lazyfree-lazy-expire no",
    "CONFIG SET loglevel debug",
    "CONFIG SET loglevel warning",
    "CONFIG SET maxclients 500",
    "CONFIG SET maxmemory-samples 10",
    "CONFIG SET bind 127.0.0.1",
    "CONFIG SET watchdog-period 500",
    "CONFIG SET watchdog-period 0",
    "COMMAND COUNT",
    "SCAN 0 COUNT 1000",
    "KEYS account:*",
];

/// The error with what was not answered, unless the connection was closed.
fn no_reply(error: Error, request: &str, before: usize) -> Error {
    match is_closed(&error) {
        true => error,
        false => Error::other(format!("{error}: no reply to {request:.60} after {before} others")),
    }
}

/// The amounts in a reply of values; what is not there counts as 0.
fn amounts(reply: &Value) -> Vec<i64> {
    let Value::Array(Some(values)) = reply else { panic!("{reply:?}") };
    let amount = |value: &Value| {
        value.as_bytes().map_or(0, |bytes| String::from_utf8_lossy(bytes).parse().expect("an amount"))
    };
    values.iter().map(amount).collect()
}

fn seconds() -> u64 {
    std::env::var("OCHRE_STORM_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// What clients do, and how many do it.
type Step<'s> = fn(&mut Role<'s>) -> std::io::Result<()>;

fn rage(storm: &Storm, seconds: u64) {
    let roles: [(Step<'_>, u64); 7] = [
        (Role::transfer, 2),
        (Role::watched_transfer, 2),
        (Role::check, 1),
        (Role::fill, 4),
        (Role::order, 1),
        (Role::meddle, 1),
        (Role::wait, 1),
    ];
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (step, count) in roles {
            for _ in 0..count {
                let seed = threads.len() as u64;
                threads.push(scope.spawn(move || {
                    // Whoever fails ends the storm for all, so that the failure is shown at once.
                    let end = EndOnPanic(storm);
                    Role::new(storm, seed).repeat(step);
                    drop(end);
                }));
            }
        }
        let (start, mut role) = (Instant::now(), Role::new(storm, 0));
        // Who reads MONITOR's stream needs something to read until the end.
        while !threads.iter().all(|thread| thread.is_finished()) {
            // A busy machine needs longer for some of everything.
            let is_due = start.elapsed() > Duration::from_secs(seconds);
            if is_due && (!storm.is_calm() || start.elapsed() > Duration::from_secs(seconds) + PATIENCE) {
                storm.over.store(true, Relaxed);
            }
            if role.pipeline(&["PING"]).is_err() {
                role.client = role.reconnect();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

struct EndOnPanic<'s>(&'s Storm);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.over.store(true, Relaxed);
        }
    }
}

/// All databases add up, the server serves, says nothing of a bug, and ends well.
fn assert_well(server: &mut Server) {
    let mut client = server.connect();
    for db in 0..DATABASES {
        client.ask(&format!("SELECT {db}"));
        let held = amounts(&client.ask(&format!("MGET {}", ACCOUNTS.join(" "))));
        assert_eq!(held.iter().sum::<i64>(), 0, "database {db}: {held:?}");
    }
    drop(client);
    let status = server.end().expect("the server ends when it is asked to");
    let log = server.log();
    for trouble in ["Sanitizer", "panicked", "BUG REPORT", "Protocol error"] {
        assert!(!log.contains(trouble), "{trouble}:\n{log}");
    }
    assert!(status.success(), "{status}");
}

fn storm_over(workers: usize) {
    let mut server = ServerBuilder::new(ochre()).workers(workers).start();
    let storm = Storm {
        address: server.address().clone(),
        over: AtomicBool::new(false),
        transfers: AtomicU64::new(0),
        checks: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        pipelined: AtomicU64::new(0),
        orders: AtomicU64::new(0),
    };
    rage(&storm, seconds());
    let [transfers, checks, refused, pipelined, orders] = storm.counts();
    println!(
        "{workers} workers: {transfers} transfers, {refused} refused, {checks} checks, {pipelined} other commands, \
         {orders} orders"
    );
    assert!(!storm.is_calm(), "a calm");
    assert_well(&mut server);
}

#[test]
fn two_workers() {
    storm_over(2);
}

#[test]
fn four_workers() {
    storm_over(4);
}
