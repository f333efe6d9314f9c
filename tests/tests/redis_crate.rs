//! Ochre through the `redis` crate, as its users write it.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::collections::{HashMap, HashSet};

use ochre_tests::{PATIENCE, Server, ServerBuilder, ochre, wait_for};
use redis::{
    Client, Commands, Connection, ConnectionLike, ErrorKind, ExistenceCheck, RedisResult, ServerErrorKind,
    SetExpiry, SetOptions,
};

fn open(server: &Server, resp3: bool) -> Connection {
    let protocol = if resp3 { "?protocol=resp3" } else { "" };
    let client = Client::open(format!("redis://127.0.0.1:{}/{protocol}", server.port())).unwrap();
    let connection = client.get_connection().unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

/// Runs a test on a fresh server, in both protocols.
fn in_both_protocols(test: impl Fn(&Server, &mut Connection)) {
    for resp3 in [false, true] {
        let server = Server::ochre();
        test(&server, &mut open(&server, resp3));
    }
}

#[test]
fn values_of_every_type_that_fits_a_string() {
    in_both_protocols(|_, connection| {
        let () = connection.set("text", "grüß dich").unwrap();
        let () = connection.set("bytes", &[0u8, 255, 13, 10][..]).unwrap();
        let () = connection.set("number", -42).unwrap();
        let () = connection.set("float", 1.5).unwrap();
        assert_eq!(connection.get::<_, String>("text").unwrap(), "grüß dich");
        assert_eq!(connection.get::<_, Vec<u8>>("bytes").unwrap(), [0, 255, 13, 10]);
        assert_eq!(connection.get::<_, i64>("number").unwrap(), -42);
        assert_eq!(connection.get::<_, f64>("float").unwrap(), 1.5);
        assert_eq!(connection.get::<_, Option<String>>("missing").unwrap(), None);
        assert_eq!(connection.incr::<_, _, i64>("number", 50).unwrap(), 8);
        assert_eq!(connection.incr::<_, _, f64>("float", 0.25).unwrap(), 1.75);
        assert_eq!(connection.append::<_, _, usize>("text", "!").unwrap(), 12);
        assert_eq!(connection.mget::<_, (i64, Option<i64>)>(&["number", "missing"]).unwrap(), (8, None));
        assert!(connection.exists::<_, bool>("text").unwrap());
        assert_eq!(connection.del::<_, usize>(&["text", "bytes", "missing"]).unwrap(), 2);
    });
}

#[test]
fn options_and_lifetimes() {
    in_both_protocols(|_, connection| {
        let fresh =
            SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::EX(100));
        assert_eq!(
            connection.set_options::<_, _, Option<String>>("k", 1, fresh.clone()).unwrap(),
            Some("OK".into())
        );
        assert_eq!(connection.set_options::<_, _, Option<String>>("k", 2, fresh).unwrap(), None);
        assert!((90..=100).contains(&connection.ttl::<_, i64>("k").unwrap()));
        assert!(connection.persist::<_, bool>("k").unwrap());
        assert_eq!(connection.ttl::<_, i64>("k").unwrap(), -1);
        assert!(connection.pexpire::<_, bool>("k", 20).unwrap());
        wait_for(|| (!connection.exists::<_, bool>("k").unwrap()).then_some(())).expect("the key expires");
        assert_eq!(connection.ttl::<_, i64>("k").unwrap(), -2);
    });
}

#[test]
fn errors_have_their_kind() {
    in_both_protocols(|_, connection| {
        let () = connection.set("k", "abc").unwrap();
        let error = connection.incr::<_, _, i64>("k", 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server(ServerErrorKind::ResponseError));
        assert_eq!(error.detail(), Some("value is not an integer or out of range"));
        let error = redis::cmd("NOSUCH").arg(1).query::<()>(connection).unwrap_err();
        assert!(error.to_string().contains("unknown command"), "{error}");
        // The connection is none the worse for it.
        assert_eq!(connection.get::<_, String>("k").unwrap(), "abc");
    });
}

#[test]
fn long_pipelines() {
    in_both_protocols(|_, connection| {
        let mut pipe = redis::pipe();
        for number in 0..10_000 {
            pipe.set(format!("key:{number}"), number).ignore();
        }
        for number in 0..10_000 {
            pipe.get(format!("key:{number}"));
        }
        let numbers: Vec<usize> = pipe.query(connection).unwrap();
        assert!(numbers.into_iter().eq(0..10_000));
        assert_eq!(redis::cmd("DBSIZE").query::<usize>(connection).unwrap(), 10_000);
    });
}

#[test]
fn an_error_in_a_pipeline_spoils_nothing_else() {
    in_both_protocols(|_, connection| {
        let result: RedisResult<(i64, i64)> =
            redis::pipe().set("k", "x").ignore().incr("k", 1).incr("n", 1).query(connection);
        assert!(result.unwrap_err().to_string().contains("not an integer"));
        assert_eq!(connection.get::<_, i64>("n").unwrap(), 1);
    });
}

#[test]
fn transactions() {
    in_both_protocols(|_, connection| {
        let (first, second): (i64, String) =
            redis::pipe().atomic().incr("n", 5).set("k", "v").ignore().get("k").query(connection).unwrap();
        assert_eq!((first, second.as_str()), (5, "v"));
    });
}

/// Four clients add to one number with WATCH, GET and SET: no addition may get lost.
#[test]
fn watched_additions_are_never_lost() {
    for workers in [1, 2] {
        let server = ServerBuilder::new(ochre()).workers(workers).start();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut connection = open(&server, false);
                    for _ in 0..50 {
                        let _: () = redis::transaction(&mut connection, &["n"], |connection, pipe| {
                            let number: Option<i64> = connection.get("n")?;
                            pipe.set("n", number.unwrap_or(0) + 1).ignore().query(connection)
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(open(&server, false).get::<_, i64>("n").unwrap(), 200, "{workers} workers");
    }
}

#[test]
fn scans_return_every_key_that_stays() {
    in_both_protocols(|_, connection| {
        let mut pipe = redis::pipe();
        for number in 0..5_000 {
            pipe.set(format!("stays:{number}"), 1).ignore();
            pipe.set(format!("goes:{number}"), 1).ignore();
        }
        let () = pipe.query(connection).unwrap();
        let mut found = HashSet::new();
        let mut cursor = 0_u64;
        for step in 0_u32.. {
            let (next, keys): (u64, Vec<String>) =
                redis::cmd("SCAN").arg(cursor).arg("COUNT").arg(100).query(connection).unwrap();
            found.extend(keys.into_iter().filter(|key| key.starts_with("stays:")));
            cursor = next;
            if cursor == 0 {
                break;
            }
            // The table grows and shrinks meanwhile.
            let key = format!("goes:{step}");
            let () = connection.del(&key).unwrap();
            let () = connection.set(format!("new:{step}"), 1).unwrap();
        }
        assert_eq!(found.len(), 5_000);
        let matching: HashSet<String> =
            connection.scan_match("stays:12*").unwrap().collect::<RedisResult<_>>().unwrap();
        assert_eq!(matching.len(), 111);
    });
}

#[test]
fn databases_and_names_of_the_address() {
    let server = Server::ochre();
    let client = Client::open(format!("redis://127.0.0.1:{}/3", server.port())).unwrap();
    let mut third = client.get_connection().unwrap();
    let () = third.set("k", "three").unwrap();
    assert_eq!(open(&server, false).get::<_, Option<String>>("k").unwrap(), None);
    assert_eq!(third.get::<_, String>("k").unwrap(), "three");
    assert_eq!(third.get_db(), 3);
}

#[test]
fn passwords() {
    let server = ServerBuilder::new(ochre()).set("requirepass", "secret").start();
    let ask = |address: &str| -> RedisResult<String> {
        redis::cmd("PING").query(&mut Client::open(address)?.get_connection()?)
    };
    let port = server.port();
    assert_eq!(ask(&format!("redis://:secret@127.0.0.1:{port}")).unwrap(), "PONG");
    assert_eq!(ask(&format!("redis://default:secret@127.0.0.1:{port}?protocol=resp3")).unwrap(), "PONG");
    for (address, code) in [("", "NOAUTH"), (":wrong@", "WRONGPASS"), ("nobody:secret@", "WRONGPASS")] {
        let error = ask(&format!("redis://{address}127.0.0.1:{port}")).unwrap_err();
        let shown = format!("{error:?} {error}").to_uppercase();
        assert!(
            shown.contains(code) || error.kind() == ErrorKind::AuthenticationFailed,
            "{address}: {shown}"
        );
    }
}

#[test]
fn clients_come_back_after_a_restart() {
    let mut server = Server::ochre();
    let client = Client::open(format!("redis://127.0.0.1:{}", server.port())).unwrap();
    let mut connection = client.get_connection().unwrap();
    let () = connection.set("k", "v").unwrap();
    assert!(server.end().expect("it ends when it is asked to").success());
    let error = connection.get::<_, String>("k").unwrap_err();
    assert!(error.is_io_error() || error.is_connection_dropped(), "{error:?}");
    let again = ServerBuilder::new(ochre()).at(server.port()).start();
    let mut connection = client.get_connection().unwrap();
    assert_eq!(redis::cmd("PING").query::<String>(&mut connection).unwrap(), "PONG");
    drop(again);
}

#[test]
fn unix_sockets() {
    let server = ServerBuilder::new(ochre()).unix().start();
    let path = server.folder().join("socket");
    let client = Client::open(format!("unix://{}", path.display())).unwrap();
    let mut connection = client.get_connection().unwrap();
    let () = connection.set("k", "v").unwrap();
    assert_eq!(connection.get::<_, String>("k").unwrap(), "v");
}

#[test]
fn what_the_server_says_of_itself() {
    in_both_protocols(|server, connection| {
        let info: redis::InfoDict = redis::cmd("INFO").query(connection).unwrap();
        assert_eq!(info.get::<u16>("tcp_port"), Some(server.port()));
        assert_eq!(info.get::<u32>("process_id"), Some(server.pid()));
        assert_eq!(info.get::<String>("redis_mode").as_deref(), Some("standalone"));
        let config: HashMap<String, String> =
            redis::cmd("CONFIG").arg("GET").arg("maxmem*").query(connection).unwrap();
        assert_eq!(config.get("maxmemory-policy").map(String::as_str), Some("noeviction"));
    });
}
