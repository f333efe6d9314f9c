//! Scripts with the replies that Redis gave to them.
//!
//! `tests/recorded/*.txt` hold scripts, each below a line `--- title`, and their replies, `=> ` and the bytes with
//! escapes; `=3> ` is the reply to a client that speaks RESP3. With `OCHRE_PEER` naming a redis-server the replies are
//! compared with what it says now, and with `OCHRE_RECORD` set they are written down.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ochre_resp::{Protocol, encode_request, skip_reply};
use support::{Small, eval, interpreter};

#[derive(Clone, Debug)]
struct Case {
    title: String,
    script: String,
    resp2: Option<String>,
    resp3: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The head of a file, and its cases.
fn parse(text: &str) -> (String, Vec<Case>) {
    let mut parts = text.split("--- ");
    let head = parts.next().unwrap_or_default().to_owned();
    let case = |part: &str| {
        let (title, rest) = part.split_once('\n').unwrap();
        let reply = |mark: &str| rest.lines().find_map(|line| line.strip_prefix(mark)).map(str::to_owned);
        let is_script =
            |line: &&str| !line.starts_with("=> ") && !line.starts_with("=3> ") && !line.is_empty();
        let script: Vec<&str> = rest.lines().filter(is_script).collect();
        Case { title: title.to_owned(), script: script.join("\n"), resp2: reply("=> "), resp3: reply("=3> ") }
    };
    (head, parts.map(case).collect())
}

fn escaped(reply: &[u8]) -> String {
    reply.escape_ascii().to_string()
}

#[test]
fn replies_are_those_of_redis() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in files() {
        for case in parse(&std::fs::read_to_string(&file).unwrap()).1 {
            for (protocol, expected) in [(Protocol::Resp2, &case.resp2), (Protocol::Resp3, &case.resp3)] {
                let Some(expected) = expected else { continue };
                count += 1;
                let (mut interpreter, mut host) = (interpreter(64 << 20), Small::default());
                let reply = escaped(&eval(&mut interpreter, &mut host, case.script.as_bytes(), protocol));
                if reply != *expected {
                    wrong.push(format!(
                        "{}\n{}\n  redis {expected}\n  ochre {reply}",
                        case.title, case.script
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 200, "only {count} replies were recorded");
}

/// A peer, which ends with the test.
struct Peer {
    child: Child,
    connection: TcpStream,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    fn start(binary: &str) -> Peer {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(binary)
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--enable-debug-command",
                "yes",
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        loop {
            if let Ok(connection) = TcpStream::connect(("127.0.0.1", port)) {
                connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                return Peer { child, connection };
            }
            assert!(child.try_wait().unwrap().is_none(), "{binary} ended");
            std::thread::yield_now();
        }
    }

    fn ask(&mut self, args: &[&[u8]]) -> Vec<u8> {
        let mut request = Vec::new();
        encode_request(&mut request, args);
        self.connection.write_all(&request).unwrap();
        let (mut reply, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = self.connection.read(&mut buffer).unwrap_or_default();
            assert!(read > 0, "no reply to {}", escaped(&request));
            reply.extend_from_slice(&buffer[..read]);
            // What is no reply (a big number that is none) is short.
            if !matches!(skip_reply(&reply), Ok(None)) {
                return reply;
            }
        }
    }
}

#[test]
fn recorded_replies_are_true() {
    let Ok(binary) = std::env::var("OCHRE_PEER") else { return };
    let records = std::env::var("OCHRE_RECORD").is_ok();
    let (mut peer, mut wrong) = (Peer::start(&binary), Vec::new());
    for file in files() {
        let (mut text, mut cases) = parse(&std::fs::read_to_string(&file).unwrap());
        for case in &mut cases {
            for protocol in ["2", "3"] {
                let recorded = if protocol == "2" { &mut case.resp2 } else { &mut case.resp3 };
                if recorded.is_none() && !(records && protocol == "2") {
                    continue;
                }
                peer.ask(&[b"hello", protocol.as_bytes()]);
                peer.ask(&[b"flushall"]);
                peer.ask(&[b"script", b"flush"]);
                // DEBUG PROTOCOL has a reply of each kind, but is no command for scripts.
                let uses_debug = case.script.contains("\"debug\"");
                peer.ask(&[b"debug", b"set-disable-deny-scripts", if uses_debug { b"1" } else { b"0" }]);
                let reply = escaped(&peer.ask(&[b"eval", case.script.as_bytes(), b"0"]));
                if records {
                    *recorded = Some(reply);
                } else if recorded.as_deref() != Some(&reply) {
                    wrong.push(format!(
                        "{}\n{}\n  recorded {recorded:?}\n  peer {reply}",
                        case.title, case.script
                    ));
                }
            }
            text.push_str(&format!("--- {}\n{}\n", case.title, case.script));
            for (mark, reply) in [("=> ", &case.resp2), ("=3> ", &case.resp3)] {
                if let Some(reply) = reply {
                    text.push_str(&format!("{mark}{reply}\n"));
                }
            }
            text.push('\n');
        }
        if records {
            std::fs::write(&file, text.trim_end().to_owned() + "\n").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
