//! Whole runs against a server of a few lines that answers each request with the same bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::dial::Dialer;
use crate::failure::Failure;
use crate::options::{Options, Request};
use crate::report::Outcome;
use crate::run::{Job, Runner};
use crate::skipper::Skipper;
use crate::suite;

/// What the server has seen.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// Serves until the process ends; its threads end with their connections.
fn serve(reply: &'static [u8]) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let shared = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (seen, stream) = (Arc::clone(&shared), stream.unwrap());
            seen.connections.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || answer(stream, reply, &seen));
        }
    });
    (address, seen)
}

/// A request is an array of bulk strings, which the skipper can count as well as replies.
fn answer(mut stream: TcpStream, reply: &[u8], seen: &Seen) {
    let (mut skipper, mut buffer) = (Skipper::default(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        let requests = skipper.feed(&buffer[..read]).unwrap();
        seen.requests.fetch_add(requests, Ordering::Relaxed);
        if reply.is_empty() && requests > 0 || stream.write_all(&reply.repeat(requests)).is_err() {
            return;
        }
    }
}

fn run(address: SocketAddr, line: &str) -> Result<Outcome, Failure> {
    run_until(&AtomicBool::new(false), address, line)
}

fn run_until(stop: &AtomicBool, address: SocketAddr, line: &str) -> Result<Outcome, Failure> {
    let port = address.port();
    let words = format!("-p {port} --json {line}");
    let Request::Run(options) = Options::parse(words.split_whitespace().map(Into::into)).unwrap() else {
        panic!("{line} is no run");
    };
    let dialer = Dialer::new(&options).unwrap();
    let runner = Runner { options: &options, dialer: &dialer, stop, seed: 1 };
    let test = suite::selected(Some(&["set".to_owned()])).next().unwrap();
    runner.run(Job { title: "SET".to_owned(), template: test.template(&options), payload: 3 })
}

#[test]
fn every_request_is_sent_and_counted_once() {
    for line in [
        "-n 1 -c 5",
        "-n 1003 -c 7 -P 4",
        "-n 1003 -c 7 -P 4 --threads 3 -r 100",
        "-n 500 -c 3 -P 16 --rate 100000 --threads 2",
        "-n 50 -c 4 -d 100000 -P 3",
    ] {
        let (address, seen) = serve(b"+OK\r\n");
        let outcome = run(address, line).unwrap();
        let expected: usize = line.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(seen.requests.load(Ordering::Relaxed), expected, "{line}");
        assert_eq!(outcome.histogram.total(), expected as u64, "{line}");
    }
}

#[test]
fn without_keep_alive_each_batch_has_its_own_greeted_connection() {
    let (address, seen) = serve(b"+OK\r\n");
    let outcome = run(address, "-n 40 -c 2 -P 2 -k 0 -a secret --dbnum 1").unwrap();
    assert_eq!(outcome.histogram.total(), 40);
    assert_eq!(seen.connections.load(Ordering::Relaxed), 20);
    assert_eq!(seen.requests.load(Ordering::Relaxed), 40 + 2 * 20);
}

#[test]
fn a_duration_ends_the_run() {
    let (address, seen) = serve(b"$3\r\nabc\r\n");
    let outcome = run(address, "--duration 0.05 -c 2").unwrap();
    assert_eq!(outcome.histogram.total(), seen.requests.load(Ordering::Relaxed) as u64);
    assert!(outcome.histogram.total() > 0 && outcome.elapsed.as_millis() >= 50);
}

#[test]
fn a_failure_ends_its_own_run_only() {
    let stop = AtomicBool::new(false);
    for threads in ["", "--threads 3"] {
        let line = format!("-n 1000000000 -c 6 {threads}");
        assert!(run_until(&stop, serve(b"-ERR no\r\n").0, &line).is_err());
        assert!(!stop.load(Ordering::Relaxed), "{line}");
    }
}

#[test]
fn the_user_ends_a_run_of_one_thread_or_more() {
    let stop = AtomicBool::new(true);
    for threads in ["", "--threads 3"] {
        let outcome =
            run_until(&stop, serve(b"+OK\r\n").0, &format!("-n 1000000000 -c 6 {threads}")).unwrap();
        assert_eq!(outcome.histogram.total(), 0);
    }
}

#[test]
fn what_goes_wrong_is_told() {
    let failure = |reply: &'static [u8], line: &str| run(serve(reply).0, line).err().unwrap().to_string();
    assert_eq!(failure(b"-ERR no\r\n", "-n 10"), "Error from server: ERR no");
    assert_eq!(failure(b"-ERR no\r\n", "-n 10 -a x"), "Server replied with error:\nERR no");
    assert_eq!(failure(b"?\r\n", "-n 10"), "Error: Protocol error, an unknown type of reply");
    assert_eq!(failure(b"+OK\r\n+OK\r\n", "-n 10 -c 1"), "Error: Protocol error, a reply to no request");
    assert_eq!(failure(b"", "-n 10 -c 1"), "Error: Server closed the connection");
    assert!(failure(b"+OK\r\n", "-d 1000000 -P 1000000").starts_with("A pipeline of such requests"));
}
