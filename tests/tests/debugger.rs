//! The debugger of scripts, as a client sees it that goes through one.
//!
//! `tests/debugger.txt` has requests, each with its reply, indented. A line with `#` begins a group: an empty server and a new
//! connection. Where a session ends, the reply of the script follows, and whether the connection ends.
//!
//! The replies are those of Redis. With the environment's `OCHRE_PEER` naming a redis-server they are compared with it, too, and
//! with `OCHRE_RECORD` set besides, they are written down anew.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::path::{Path, PathBuf};

use ochre_resp::{Value, encode_request, split_args};
use ochre_tests::{Client, Server, ServerBuilder, follow_transcript, ochre, wait_for, workspace_root};

fn path() -> PathBuf {
    workspace_root().join("tests/debugger.txt")
}

/// A reply as lines of the file.
fn show(value: &Value, indent: usize, out: &mut String) {
    let mut line = |mark: char, bytes: &[u8]| {
        let mut text = without_addresses(&String::from_utf8_lossy(bytes).escape_debug().to_string());
        if text.ends_with(' ') {
            // Lines of the file do not.
            text.replace_range(text.len() - 1.., "\\s");
        }
        out.push_str(&format!("{:indent$}{mark}{text}\n", ""));
    };
    match value {
        Value::Simple(text) => line('+', text),
        Value::Error(text) => line('-', text),
        Value::Bulk(Some(text)) => line('$', text),
        Value::Integer(number) => line(':', number.to_string().as_bytes()),
        Value::Array(Some(elements)) => {
            line('*', elements.len().to_string().as_bytes());
            elements.iter().for_each(|element| show(element, indent + 2, out));
        }
        _ => line('_', b""),
    }
}

/// Functions and the like are shown with their addresses.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split("@0x");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str("@0x");
        shown.push_str(part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
    }
    shown
}

fn is_end(value: &Value) -> bool {
    value.as_elements().and_then(<[Value]>::last) == Some(&Value::Simple(b"<endsession>".to_vec()))
}

/// The file with the replies of a server.
fn told_by(server: &Server, file: &str) -> String {
    let mut told = String::new();
    let mut client = server.connect();
    for line in file.lines().filter(|line| !line.starts_with(' ')) {
        told.push_str(line);
        told.push('\n');
        if line.is_empty() {
            continue;
        }
        if line.starts_with('#') {
            // A session that is left ends.
            client.finish_sending().unwrap();
            let _ = client.read_to_end();
            client = server.connect();
            client.ask("FLUSHALL");
            continue;
        }
        let args = split_args(line.as_bytes()).unwrap();
        let reply = client.request(&args).unwrap();
        show(&reply, 4, &mut told);
        if is_end(&reply) {
            show(&client.read().unwrap(), 4, &mut told);
            assert!(client.read().is_err(), "{line}");
            told.push_str("    the connection ends\n");
        }
    }
    told
}

#[test]
fn sessions_are_those_of_redis() {
    follow_transcript(&path(), |program, workers, expected| {
        // With the usual limit of time: no script is stopped because the machine is busy.
        let builder = ServerBuilder::new(program);
        let builder = workers.into_iter().fold(builder, ServerBuilder::workers);
        told_by(&builder.start(), expected)
    });
}

fn server(program: &Path, workers: usize) -> Server {
    ServerBuilder::new(program).workers(workers).set("busy-reply-threshold", "100").start()
}

fn say(client: &mut Client, args: &[&str]) {
    let mut request = Vec::new();
    encode_request(&mut request, args);
    client.send(&request).unwrap();
}

fn ask(client: &mut Client, args: &[&str]) -> String {
    let mut text = String::new();
    show(&client.request(args).unwrap(), 0, &mut text);
    text
}

/// A client that has just begun to go through a script.
fn begin(server: &Server, mode: &str, script: &str) -> Client {
    let mut client = server.connect();
    assert_eq!(ask(&mut client, &["script", "debug", mode]), "+OK\n");
    assert!(ask(&mut client, &["eval", script, "0"]).starts_with("*2\n  +* Stopped at 1,"));
    client
}

/// What is left to be read of a session, after its last order.
fn rest(client: &mut Client) -> String {
    let mut text = String::new();
    while let Ok(value) = client.read() {
        show(&value, 0, &mut text);
    }
    text
}

const TWO: &str = "redis.call('set', 'a', '1')\nredis.call('set', 'b', '2')\nreturn 7";

#[test]
fn others_wait_for_the_end_of_a_session() {
    for workers in [1, 3] {
        let server = server(ochre(), workers);
        let mut others: Vec<Client> = (0..6).map(|_| server.connect()).collect();
        let mut session = begin(&server, "sync", TWO);
        others.iter_mut().for_each(|client| say(client, &["get", "b"]));
        assert!(ask(&mut session, &["s"]).contains("<redis> set a 1"));
        // Some that are allowed while a script is busy are served, the rest is not.
        assert_eq!(ask(&mut server.connect(), &["multi"]), "+OK\n");
        assert!(ask(&mut session, &["c"]).ends_with("<endsession>\n"));
        assert_eq!(rest(&mut session), ":7\n");
        for client in &mut others {
            assert_eq!(client.read().unwrap(), Value::Bulk(Some(b"2".to_vec())));
        }
    }
}

#[test]
fn a_session_can_be_ended_by_others() {
    for workers in [1, 3] {
        let mut server = server(ochre(), workers);
        let mut session = begin(&server, "sync", TWO);
        assert_eq!(ask(&mut server.connect(), &["script", "kill"]), "+OK\n");
        assert!(rest(&mut session).contains("-ERR Script killed by user with SCRIPT KILL"));
        let mut session = begin(&server, "sync", TWO);
        ask(&mut session, &["s"]);
        assert!(ask(&mut server.connect(), &["script", "kill"]).starts_with("-UNKILLABLE"));
        say(&mut server.connect(), &["shutdown", "nosave"]);
        wait_for(|| (!server.is_running()).then_some(())).unwrap();
    }
}

#[test]
fn a_session_does_not_keep_the_server_from_ending() {
    for workers in [1, 3] {
        let mut server = server(ochre(), workers);
        let _session = begin(&server, "sync", TWO);
        assert!(server.end().is_some_and(|status| status.success()));
    }
}

#[test]
fn a_script_runs_on_whose_client_is_gone() {
    for workers in [1, 3] {
        let server = server(ochre(), workers);
        let mut session = begin(&server, "sync", TWO);
        ask(&mut session, &["b", "3"]);
        drop(session);
        assert_eq!(ask(&mut server.connect(), &["get", "b"]), "$2\n");
        // Who will say nothing more still hears what comes of it.
        let mut session = begin(&server, "sync", TWO);
        session.finish_sending().unwrap();
        assert_eq!(rest(&mut session), "*1\n  +<endsession>\n:7\n");
        // It is a script like others then.
        let mut session = begin(&server, "sync", "while true do end");
        let mut waiting = server.connect();
        say(&mut waiting, &["get", "b"]);
        assert!(ask(&mut session, &["t"]).contains("In top level"));
        drop(session);
        let mut told = String::new();
        show(&waiting.read().unwrap(), 0, &mut told);
        assert!(told.starts_with("-BUSY"), "{told}");
        let mut other = server.connect();
        wait_for(|| ask(&mut other, &["ping"]).starts_with("-BUSY").then_some(())).unwrap();
        assert_eq!(ask(&mut other, &["script", "kill"]), "+OK\n");
        wait_for(|| (ask(&mut other, &["ping"]) == "+PONG\n").then_some(())).unwrap();
    }
}

#[test]
fn a_session_on_a_copy_changes_nothing() {
    for workers in [1, 3] {
        let server = server(ochre(), workers);
        let mut other = server.connect();
        other.ask("SET a before");
        other.ask("RPUSH list x y");
        other.ask("SET c here EX 1000");
        let script = "redis.call('set', 'a', '1')\nredis.call('flushall')\nreturn redis.call('dbsize')";
        let mut session = begin(&server, "yes", script);
        assert!(ask(&mut session, &["r", "get", "a"]).contains(r#"<reply> \"before\""#));
        assert!(ask(&mut session, &["s"]).contains("<redis> set a 1"));
        // Everybody goes on, and other scripts, too.
        assert_eq!(ask(&mut other, &["get", "a"]), "$before\n");
        assert_eq!(ask(&mut other, &["eval", "return redis.call('set', 'b', '2')", "0"]), "+OK\n");
        assert_eq!(ask(&mut other, &["script", "kill"]), "-NOTBUSY No scripts in execution right now.\n");
        assert!(ask(&mut session, &["r", "get", "a"]).contains(r#"<reply> \"1\""#));
        assert!(ask(&mut session, &["r", "lrange", "list", "0", "-1"]).contains(r#"<reply> [\"x\",\"y\"]"#));
        assert!(ask(&mut session, &["r", "ttl", "c"]).contains("<reply> 1000"));
        assert!(ask(&mut session, &["r", "dbsize"]).contains("<reply> 4"));
        assert!(ask(&mut session, &["r", "keys", "*s*"]).contains(r#"<reply> [\"list\"]"#));
        assert!(ask(&mut session, &["s"]).contains("<redis> flushall"));
        assert!(ask(&mut session, &["r", "exists", "list"]).contains("<reply> 0"));
        assert!(ask(&mut session, &["c"]).ends_with("<endsession>\n"));
        assert_eq!(rest(&mut session), ":0\n");
        assert_eq!(ask(&mut other, &["dbsize"]), ":4\n");
    }
}

#[test]
fn sessions_on_copies_do_not_meet() {
    let mut server = server(ochre(), 2);
    let mut sessions: Vec<Client> = (0..64).map(|_| begin(&server, "yes", TWO)).collect();
    let mut one_more = server.connect();
    ask(&mut one_more, &["script", "debug", "yes"]);
    let refused = "-ERR Too many scripts are being debugged\n";
    assert_eq!(ask(&mut one_more, &["eval", TWO, "0"]), refused);
    // Those that are gone make room, even in the midst of something that never ends.
    drop(sessions.pop());
    wait_for(|| (ask(&mut one_more, &["eval", TWO, "0"]) != refused).then_some(())).unwrap();
    for session in &mut sessions {
        assert!(ask(session, &["r", "incr", "counter"]).contains("<reply> 1"));
        ask(session, &["s"]);
    }
    let mut endless = sessions.pop().unwrap();
    assert!(ask(&mut endless, &["e", "while true do end"]).contains("timeout reached"));
    assert_eq!(ask(&mut server.connect(), &["exists", "counter", "a", "b"]), ":0\n");
    assert!(server.end().is_some_and(|status| status.success()));
}

#[test]
fn an_endless_script_on_a_copy_ends_with_its_client() {
    let server = server(ochre(), 1);
    let mut session = begin(&server, "yes", "while true do end");
    session.finish_sending().unwrap();
    let text = rest(&mut session);
    assert!(text.starts_with("*1\n  +<endsession>\n-ERR The server is shutting down."), "{text}");
}

#[test]
fn what_runs_long_is_stopped() {
    let server = server(ochre(), 1);
    let mut session = begin(&server, "sync", "local x = 1\nwhile true do x = x + 1 end");
    let stopped = "+* Stopped at 2, stop reason = timeout reached, infinite loop?";
    assert!(ask(&mut session, &["c"]).contains(stopped));
    assert!(ask(&mut session, &["p"]).contains("<value> x = "));
    let error = ask(&mut session, &["e", "while true do pcall(error) end"]);
    assert_eq!(error, "*1\n  +<error> timeout reached, infinite loop?\n");
    assert_eq!(ask(&mut session, &["e", "1"]), "*1\n  +<retval> 1\n");
    assert!(ask(&mut session, &["c"]).contains(stopped));
    assert_eq!(ask(&mut session, &["a"]), "*1\n  +<endsession>\n");
    assert!(rest(&mut session).starts_with("-ERR script aborted for user request"));
}

#[test]
fn what_is_no_order_ends_the_session() {
    let server = server(ochre(), 1);
    for bad in ["s\r\n", "*0\r\n", "*1\r\n$0\r\n\r\n", "*2000\r\n", "*1\r\n$2000\r\n", "*1\r\n:1\r\n"] {
        let mut session = begin(&server, "sync", TWO);
        session.send(bad.as_bytes()).unwrap();
        let text = rest(&mut session);
        assert!(text.starts_with("*1\n  +<endsession>\n-ERR protocol error script: "), "{bad:?}: {text}");
    }
}

#[test]
fn orders_that_come_together_are_answered_one_by_one() {
    let server = server(ochre(), 1);
    let mut session = begin(&server, "sync", TWO);
    let mut orders = Vec::new();
    [["s"], ["p"], ["c"]].iter().for_each(|order| encode_request(&mut orders, order));
    session.send(&orders).unwrap();
    let text = rest(&mut session);
    let starts: Vec<&str> = text.lines().filter(|line| line.starts_with('*')).collect();
    assert_eq!(starts, ["*4", "*1", "*1"], "{text}");
}

#[test]
fn who_may_not_run_scripts_has_no_session() {
    let server = server(ochre(), 2);
    let mut admin = server.connect();
    assert_eq!(ask(&mut admin, &["acl", "setuser", "u", "on", "nopass", "+@all", "-eval", "~*"]), "+OK\n");
    for mode in ["yes", "sync"] {
        let mut client = server.connect();
        assert_eq!(ask(&mut client, &["auth", "u", "x"]), "+OK\n");
        assert_eq!(ask(&mut client, &["script", "debug", mode]), "+OK\n");
        assert!(ask(&mut client, &["eval", TWO, "0"]).starts_with("-NOPERM"));
        // The next one that may run is debugged.
        assert_eq!(ask(&mut admin, &["acl", "setuser", "u", "+eval"]), "+OK\n");
        assert!(ask(&mut client, &["eval", TWO, "0"]).contains("Stopped at 1"));
        drop(client);
        assert_eq!(ask(&mut admin, &["acl", "setuser", "u", "-eval"]), "+OK\n");
    }
}

#[test]
fn what_a_session_changes_survives() {
    let mut server = ServerBuilder::new(ochre()).set("appendonly", "yes").start();
    let mut session = begin(&server, "sync", TWO);
    ask(&mut session, &["s"]);
    assert!(ask(&mut session, &["r", "set", "c", "3"]).contains("<reply>"));
    ask(&mut session, &["a"]);
    rest(&mut session);
    let mut session = begin(&server, "yes", TWO);
    ask(&mut session, &["c"]);
    rest(&mut session);
    let mut client = server.connect();
    assert_eq!(ask(&mut client, &["dbsize"]), ":2\n");
    let folder = server.folder().join("appendonlydir");
    assert!(server.end().is_some_and(|status| status.success()));
    let log: Vec<u8> = std::fs::read_dir(folder)
        .unwrap()
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    let has = |text: &str| log.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("$1\r\na\r\n$1\r\n1") && has("$1\r\nc\r\n$1\r\n3") && !has("$1\r\nb\r\n$1\r\n2"));
}
