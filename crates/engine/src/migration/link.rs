//! What is said to the target of MIGRATE: AUTH and SELECT, a RESTORE for each key, all in one go; then the replies, in order.
//!
//! Values are written as they are sent, so no more than the largest of them is in memory twice. A connection serves one
//! MIGRATE: Redis keeps some for ten seconds, and has to guess whether one that fails was only old.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use ochre_persist::rdb::{self, EncodeOptions};
use ochre_resp::encode_request;

use crate::engine::clock_ms;
use crate::error::Error;

use super::{Outgoing, Value};

/// Bytes that are gathered before they are sent.
const GATHERED_BYTES: usize = 64 * 1024;
/// The longest reply that is read.
const REPLY_BYTES_MAX: u64 = 64 * 1024;

const CONNECTING: Error = Error::new("IOERR error or timeout connecting to the client");
const WRITING: Error = Error::new("IOERR error or timeout writing to target instance");
const READING: Error = Error::new("IOERR error or timeout reading to target instance");

/// Where keys go, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) db: Box<[u8]>,
    /// For each step: connecting, a write, a read.
    pub(crate) timeout: Duration,
    /// AUTH's arguments; none to do without.
    pub(crate) auth: Vec<Box<[u8]>>,
    pub(crate) replaces: bool,
}

/// What came of it: of the first keys whether the target took them; of the others nothing is known.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) taken: Vec<bool>,
    pub(super) error: Option<Error>,
}

/// Sends keys.
pub(super) fn send(target: &Target, keys: Vec<Outgoing>, options: EncodeOptions) -> Outcome {
    let failed = |error| Outcome { taken: Vec::new(), error: Some(error) };
    let count = keys.len();
    match connect(target).and_then(|stream| write(&stream, target, keys, options).map(|()| stream)) {
        Ok(stream) => read(stream, target, count),
        Err(error) => failed(error),
    }
}

/// Redis learns that nobody listens when it writes.
fn connect(target: &Target) -> Result<TcpStream, Error> {
    let addresses = (target.host.as_str(), target.port).to_socket_addrs().map_err(|_| CONNECTING)?;
    let mut outcome = Err(CONNECTING);
    for address in addresses {
        outcome = TcpStream::connect_timeout(&address, target.timeout).map_err(|error| match error.kind() {
            ErrorKind::TimedOut => CONNECTING,
            _ => WRITING,
        });
        if outcome.is_ok() {
            break;
        }
    }
    let stream = outcome?;
    let prepared = stream
        .set_nodelay(true)
        .and_then(|()| stream.set_write_timeout(Some(target.timeout)))
        .and_then(|()| stream.set_read_timeout(Some(target.timeout)));
    prepared.map(|()| stream).map_err(|_| WRITING)
}

fn write(
    mut stream: &TcpStream,
    target: &Target,
    keys: Vec<Outgoing>,
    options: EncodeOptions,
) -> Result<(), Error> {
    let mut gathered = Vec::new();
    if !target.auth.is_empty() {
        let words: Vec<&[u8]> =
            std::iter::once(&b"AUTH"[..]).chain(target.auth.iter().map(|word| &**word)).collect();
        encode_request(&mut gathered, &words);
    }
    encode_request(&mut gathered, &[b"SELECT".as_slice(), &target.db]);
    for key in keys {
        encode_key(&mut gathered, key, target.replaces, options)?;
        if gathered.len() >= GATHERED_BYTES {
            stream.write_all(&gathered).map_err(|_| WRITING)?;
            gathered.clear();
        }
    }
    stream.write_all(&gathered).map_err(|_| WRITING)
}

fn encode_key(out: &mut Vec<u8>, key: Outgoing, replaces: bool, options: EncodeOptions) -> Result<(), Error> {
    let Outgoing { name, value, expire_ms } = key;
    let payload = match value {
        Value::Payload(payload) => payload,
        Value::Pinned(mut pinned) => {
            rdb::dump_pinned(&mut pinned, options).map_err(|error| Error::owned(format!("ERR {error}")))?
        }
    };
    // A key whose time has come on the way is gone there at once; 0 would stand for never.
    let ttl_ms = expire_ms.map_or(0, |at_ms| (at_ms - clock_ms()).max(1)).to_string();
    let mut words: Vec<&[u8]> = vec![b"RESTORE", &name, ttl_ms.as_bytes(), &payload];
    if replaces {
        words.push(b"REPLACE");
    }
    encode_request(out, &words);
    Ok(())
}

fn read(stream: TcpStream, target: &Target, count: usize) -> Outcome {
    let mut replies = BufReader::new(stream);
    let mut outcome = Outcome { taken: Vec::with_capacity(count), error: None };
    // An error of AUTH or SELECT speaks for all keys.
    let mut refusal = None;
    for _ in 0..1 + usize::from(!target.auth.is_empty()) {
        match reply(&mut replies) {
            Ok(line) => refusal = refusal.or(refused(&line)),
            Err(_) => return Outcome { error: Some(READING), ..outcome },
        }
    }
    for _ in 0..count {
        let Ok(line) = reply(&mut replies) else {
            outcome.error.get_or_insert(READING);
            break;
        };
        let refused = refusal.clone().or(refused(&line));
        outcome.taken.push(refused.is_none());
        outcome.error = outcome.error.or(refused);
    }
    outcome
}

/// One line without its end.
fn reply(replies: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    replies.by_ref().take(REPLY_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

fn refused(line: &[u8]) -> Option<Error> {
    let text = line.strip_prefix(b"-")?;
    Some(Error::of_bytes([b"ERR Target instance replied with error: ", text].concat()))
}
