//! The comparison against two small servers in this process, of which one is wrong: the fault must be found and shrunk.

// Helpers are test code too, which the lint does not recognise.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use ochre_differential::{Exceptions, Grammar, Length, Oracle, Pair, Plan, Reply, Server, run};

type Values = Arc<Mutex<HashMap<Vec<u8>, Vec<u8>>>>;

/// Knows SET, GET, DEL, STRLEN and KEYS; a faulty one forgets to overwrite a value of exactly two bytes.
fn start(faulty: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let values = Values::default();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let values = values.clone();
            std::thread::spawn(move || serve(stream.unwrap(), &values, faulty));
        }
    });
    address
}

fn serve(mut stream: TcpStream, values: &Values, faulty: bool) {
    stream.set_nodelay(true).unwrap();
    let (mut buffer, mut chunk) = (Vec::new(), [0; 65536]);
    loop {
        let mut out = Vec::new();
        while let Ok((request, length)) = Reply::read(&buffer) {
            buffer.drain(..length);
            let words: Vec<&[u8]> = request.elements().iter().filter_map(Reply::text).collect();
            out.extend(answer(&words, values, faulty));
        }
        if stream.write_all(&out).is_err() {
            return;
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => buffer.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
}

fn answer(words: &[&[u8]], values: &Values, faulty: bool) -> Vec<u8> {
    let mut values = values.lock().unwrap();
    let bulk = |value: &[u8]| [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat();
    match (words[0].to_ascii_uppercase().as_slice(), &words[1..]) {
        (b"FLUSHALL", _) => {
            values.clear();
            b"+OK\r\n".to_vec()
        }
        (b"SET", [key, value]) => {
            let kept = faulty && values.get(*key).is_some_and(|old| old.len() == 2);
            if !kept {
                values.insert(key.to_vec(), value.to_vec());
            }
            b"+OK\r\n".to_vec()
        }
        (b"GET", [key]) => values.get(*key).map_or(b"$-1\r\n".to_vec(), |value| bulk(value)),
        (b"DEL", [key]) => format!(":{}\r\n", u8::from(values.remove(*key).is_some())).into_bytes(),
        (b"STRLEN", [key]) => format!(":{}\r\n", values.get(*key).map_or(0, Vec::len)).into_bytes(),
        (b"KEYS", _) => {
            let keys = values.keys().flat_map(|key| bulk(key)).collect();
            [format!("*{}\r\n", values.len()).into_bytes(), keys].concat()
        }
        _ => b"+OK\r\n".to_vec(),
    }
}

fn compare(faulty: bool) -> (usize, String) {
    let mut pair = Pair::new(Server::at(start(faulty)), Server::at(start(false))).unwrap();
    let grammar = Grammar::new(Oracle::Redis, &["strings".to_owned()]).unwrap();
    let plan = Plan {
        grammar: &grammar,
        exceptions: &Exceptions::default(),
        clients: 2,
        sessions: false,
        epoch_commands: 1000,
    };
    let mut report = Vec::new();
    let length = Length { seed: 1, first_epoch: 0, commands: 5000, classes_max: 1 };
    let findings = run(&mut pair, plan, length, &mut report).unwrap();
    (findings.classes.len(), String::from_utf8_lossy(&report).into_owned())
}

#[test]
fn equal_servers_show_no_difference() {
    let (classes, report) = compare(false);
    assert_eq!(classes, 0, "{report}");
}

#[test]
fn a_fault_is_found_and_shrunk() {
    let (classes, report) = compare(true);
    assert_eq!(classes, 1, "{report}");
    // Two writes of one key and a look at it.
    assert!(report.contains("reproducer, 3 steps:"), "{report}");
}
