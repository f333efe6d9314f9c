//! Users whose rules change while their clients are at work, with several workers.
//!
//! What has to hold: a change acts on every command that begins after its reply, on all workers, and what a command did
//! that was let in before is there for everybody by then. So a counter that only restricted clients move stands still
//! as long as they may not move it, and moves again when they may.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use ochre_resp::Value;
use ochre_tests::{Client, Server, ServerBuilder, is_closed, ochre, wait_for};

const WORKERS: usize = 4;
const CLIENTS: usize = 6;
const ROUNDS: usize = 60;
/// Requests of a client that are on their way at once.
const PIPELINED: usize = 16;

fn server() -> Server {
    ServerBuilder::new(ochre()).workers(WORKERS).start()
}

fn log_in(server: &Server, user: &str) -> Client {
    let mut client = server.connect();
    assert_eq!(client.ask(&format!("AUTH {user} x")), Value::Simple(b"OK".to_vec()));
    client
}

fn count(admin: &mut Client, request: &str) -> i64 {
    match admin.ask(request) {
        Value::Bulk(Some(digits)) => String::from_utf8(digits).unwrap().parse().unwrap(),
        _ => 0,
    }
}

/// Moves the counter until it is over; every reply is the counter or a refusal.
fn work(server: &Server, number: usize, over: &AtomicBool) {
    let mut client = log_in(server, "worker");
    let one: &[u8] = match number % 3 {
        0 => b"*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n",
        1 => b"*3\r\n$6\r\nINCRBY\r\n$1\r\nk\r\n$1\r\n2\r\n",
        _ => b"*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n*1\r\n$4\r\nEXEC\r\n",
    };
    let replies = PIPELINED * if number % 3 == 2 { 3 } else { 1 };
    let requests = one.repeat(PIPELINED);
    while !over.load(Relaxed) {
        client.send(&requests).unwrap();
        (0..replies).for_each(|_| drop(client.read().unwrap()));
    }
}

#[test]
fn a_change_acts_on_all_workers_once_it_is_replied_to() {
    let server = server();
    let mut admin = server.connect();
    // Rules that forbid and rules that permit, by the command, the key and everything at once.
    let pairs = [("-@write", "+@write"), ("resetkeys", "~k"), ("-@all", "+@all"), ("resetdbs", "alldbs")];
    admin.ask("ACL SETUSER worker on nopass ~k &* +@all");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        (0..CLIENTS).for_each(|number| {
            let (server, over) = (&server, &over);
            scope.spawn(move || work(server, number, over));
        });
        for round in 0..ROUNDS {
            // Every other time they may do everything, and are not looked at for each command.
            let keys = if round % 2 == 0 { "allkeys" } else { "resetkeys ~k" };
            admin.ask(&format!("ACL SETUSER worker {keys}"));
            let (forbid, permit) = pairs[round / 2 % pairs.len()];
            let before = count(&mut admin, "GET k");
            let moves = wait_for(|| (count(&mut admin, "GET k") > before).then_some(()));
            assert!(moves.is_some(), "round {round}: nothing moves");
            assert_eq!(admin.ask(&format!("ACL SETUSER worker {forbid}")), Value::Simple(b"OK".to_vec()));
            let stands = count(&mut admin, "GET k");
            for _ in 0..20 {
                assert_eq!(count(&mut admin, "GET k"), stands, "round {round}: {forbid}");
            }
            admin.ask(&format!("ACL SETUSER worker resetkeys {permit}"));
        }
        over.store(true, Relaxed);
    });
}

#[test]
fn clients_of_removed_users_are_closed() {
    let server = server();
    let mut admin = server.connect();
    for round in 0..20 {
        admin.ask("ACL SETUSER gone on nopass +@all ~*");
        let mut clients: Vec<Client> = (0..8).map(|_| log_in(&server, "gone")).collect();
        for client in &mut clients[..4] {
            client.send(b"*3\r\n$5\r\nBLPOP\r\n$1\r\nl\r\n$1\r\n0\r\n").unwrap();
        }
        wait_for(|| (admin.info("blocked_clients") == 4).then_some(())).expect("four wait");
        assert_eq!(admin.ask("ACL DELUSER gone"), Value::Integer(1));
        assert_eq!(admin.ask("RPUSH l x"), Value::Integer(1));
        // Who has a new user of that name is somebody else.
        admin.ask("ACL SETUSER gone on nopass +@all ~*");
        let mut new = log_in(&server, "gone");
        for client in &mut clients {
            let error = client.read().expect_err("it is closed");
            assert!(is_closed(&error), "round {round}: {error}");
        }
        assert_eq!(new.ask("LPOP l"), Value::Bulk(Some(b"x".to_vec())));
    }
}

/// Clients come, log in and go while users are made and removed; in the end all is as if nothing had happened.
#[test]
fn users_come_and_go_under_their_clients() {
    let server = server();
    let mut admin = server.connect();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (server, over) = (&server, &over);
            scope.spawn(move || {
                while !over.load(Relaxed) {
                    let mut client = server.connect();
                    for request in [format!("AUTH u{} x", number % 3), "SET k v".into(), "ACL WHOAMI".into()]
                    {
                        // It may be closed at any time, and refused.
                        let words: Vec<&str> = request.split(' ').collect();
                        if client.request(&words).is_err() {
                            break;
                        }
                    }
                }
            });
        }
        for round in 0..300 {
            let user = format!("u{}", round % 3);
            admin.ask(&format!("ACL SETUSER {user} on nopass +@all ~k"));
            admin.ask(&format!("ACL SETUSER {user} resetkeys"));
            admin.ask(&format!("ACL DELUSER {user}"));
        }
        over.store(true, Relaxed);
    });
    assert_eq!(admin.ask("ACL USERS"), Value::Array(Some(vec![Value::Bulk(Some(b"default".to_vec()))])));
    wait_for(|| (admin.info("connected_clients") == 1).then_some(())).expect("all others are gone");
}
