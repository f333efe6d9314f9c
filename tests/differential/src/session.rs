//! Sessions of raw bytes: the protocol itself, well formed, malformed, mixed and mutated.
//!
//! A session has a connection of its own and ends with a half-close, so nothing in it can confuse which reply belongs
//! to which command, and commands that silence or close a connection can be part of it. Its commands are few and
//! short: a flipped digit must not turn them into something that depends on time or takes half of the memory.

use crate::client::encode;
use crate::random::Random;

const COMMANDS: &[&[&str]] = &[
    &["PING"],
    &["PING", "x"],
    &["ECHO", "hello"],
    &["ECHO", ""],
    &["GET", "a"],
    &["SET", "a", "1"],
    &["SET", "b", "x y"],
    &["INCR", "a"],
    &["DEL", "a", "b"],
    &["MGET", "a", "b", "c"],
    &["APPEND", "c", "z"],
    &["STRLEN", "c"],
    &["TYPE", "a"],
    &["SELECT", "1"],
    &["SELECT", "99"],
    &["EXISTS", "a"],
    &["nosuch", "a"],
    &["GET"],
    &["set"],
    &["HELLO", "3"],
    &["HELLO", "2"],
    &["HELLO", "9"],
    &["RESET"],
    &["MULTI"],
    &["EXEC"],
    &["DISCARD"],
    &["WATCH", "a"],
    &["CLIENT", "REPLY", "OFF"],
    &["CLIENT", "REPLY", "SKIP"],
    &["CLIENT", "REPLY", "ON"],
    &["QUIT"],
    &["CLIENT", "GETNAME"],
    &["CLIENT", "SETNAME", "n"],
];

const INLINE: &[&[u8]] = &[
    b"PING\r\n",
    b"PING\n",
    b"\r\n",
    b"\n",
    b"   \r\n",
    b"  PING  x  \r\n",
    b"ECHO \"a b\"\r\n",
    b"ECHO 'a b'\r\n",
    b"ECHO \"\\x41\\n\\\"\"\r\n",
    b"ECHO 'a\\'b'\r\n",
    b"ECHO \"open\r\n",
    b"ECHO 'open\r\n",
    b"ECHO \"a\"b\r\n",
    b"ECHO a\"b\"\r\n",
    b"SET a 5\r\n",
    b"GET a\r\n",
    b"GET\tb\r\n",
    b"ECHO \"\"\r\n",
    b"ECHO a\0b\r\n",
    b"PING\rPING\r\n",
    b"GET a b c d\r\n",
];

const MALFORMED: &[&[u8]] = &[
    b"*0\r\n",
    b"*-1\r\n",
    b"*-5\r\n",
    b"*x\r\n",
    b"*\r\n",
    b"*1\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n:4\r\nPING\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n$4\r\nPI",
    b"*1\r\n$4\r\nPINGxx",
    b"*1\r\n$4\r\nPINGx\r\n",
    b"*2\r\n$4\r\nECHO\r\n$536870913\r\n",
    b"*1048577\r\n",
    b"*2147483647\r\n",
    b"*99999999999999999999\r\n",
    b"*1\r\n$99999999999999999999\r\n",
    b"$4\r\nPING\r\n",
    b"+PING\r\n",
    b":1\r\n",
    b"*1\n$4\nPING\n",
    b"* 1\r\n$4\r\nPING\r\n",
    b"*1\r\n$ 4\r\nPING\r\n",
    b"*01\r\n$04\r\nPING\r\n",
    b"*+1\r\n$4\r\nPING\r\n",
    b"\0",
    b"\xff\xfe\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\n",
    b"Host: x\r\n",
    b"*1\r\n$0\r\n\r\n",
    b"*2\r\n$0\r\n\r\n$0\r\n\r\n",
    b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$0\r\n\r\n",
];

/// What some servers take for an error, others for a request. Where replies are silenced, nobody could tell which.
const LOOSE: &[&[u8]] =
    &[b"*1\r\n$4\r\nPI", b"*1\r\n$4\r\nPINGxx", b"*1\r\n$4\r\nPINGx\r\n", b"ECHO \"a\"b\r\n"];

/// The bytes of one session.
pub(crate) fn bytes(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    let silenced = random.one_in(3);
    for _ in 0..=random.below(8) {
        match random.below(10) {
            0..=5 => {
                let command = COMMANDS[random.below(COMMANDS.len())];
                if silenced || !command.contains(&"REPLY") {
                    encode(command, &mut bytes);
                }
            }
            kind => {
                let from = if kind < 8 { INLINE } else { MALFORMED };
                let line = from[random.below(from.len())];
                if !silenced || !LOOSE.contains(&line) {
                    bytes.extend_from_slice(line);
                }
            }
        }
    }
    if !silenced && random.one_in(4) {
        mutate(random, &mut bytes);
    }
    if random.one_in(100) {
        // Longer than an inline request may be.
        bytes.extend(std::iter::repeat_n(b'A', 70_000));
    }
    bytes
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(4) {
            _ if bytes.is_empty() => return,
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, *random.pick(b"\r\n\0*$ 1-\"'")),
            2 => bytes[at] = random.bits() as u8,
            _ => bytes.truncate(at),
        }
    }
}
