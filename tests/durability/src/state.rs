//! What keys hold: in the model of a client, and as a server tells it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;

use ochre_differential::{Client, Reply, encode};

/// The queue that every client pushes to, at its end.
pub(crate) const QUEUE: &[u8] = b"shared:queue";
/// Where elements are moved to from the queue's front, in their order.
pub(crate) const MOVED: &[u8] = b"shared:moved";
/// The number that every client increments.
pub(crate) const COUNTER: &[u8] = b"shared:counter";

/// Keys per pipeline when a server is read.
const READ_AHEAD: usize = 256;

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A string, numbers included.
    Text(Vec<u8>),
    /// A list.
    List(VecDeque<Vec<u8>>),
    /// A hash.
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
}

/// A key: its value, and between which two times (unix, ms) it expires. What a server tells has one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its value.
    pub content: Content,
    /// When it expires, at the earliest and at the latest.
    pub expires_ms: Option<(i64, i64)>,
}

impl Entry {
    /// Whether what a server tells (`found`) is this.
    pub(crate) fn is(&self, found: &Entry) -> bool {
        let is_in_time = match (self.expires_ms, found.expires_ms) {
            (None, None) => true,
            (Some((from, to)), Some((at, _))) => (from..=to).contains(&at),
            _ => false,
        };
        is_in_time && self.content == found.content
    }
}

/// Keys of one client, or of a server.
pub type Keys = HashMap<Vec<u8>, Entry>;

/// What clients share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Elements of the queue, the oldest first.
    pub queue: Vec<Vec<u8>>,
    /// Elements that were moved, in the order in which they were.
    pub moved: Vec<Vec<u8>>,
    /// The number.
    pub counter: i64,
}

impl Shared {
    /// All elements, in the order in which they were pushed: moving one takes it from the front of the queue to the end of those
    /// that were moved.
    pub(crate) fn pushed(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.moved.iter().chain(&self.queue)
    }

    /// Takes what is shared out of a server's keys.
    pub(crate) fn take_from(keys: &mut Keys) -> Shared {
        let mut list = |key: &[u8]| match keys.remove(key).map(|entry| entry.content) {
            Some(Content::List(elements)) => elements.into(),
            _ => Vec::new(),
        };
        let (queue, moved) = (list(QUEUE), list(MOVED));
        let counter = match keys.remove(COUNTER).map(|entry| entry.content) {
            Some(Content::Text(text)) => parse(&text).unwrap_or(i64::MIN),
            _ => 0,
        };
        Shared { queue, moved, counter }
    }
}

/// A number as decimal text.
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Everything that a server holds.
///
/// # Errors
/// Those of the connection, and replies that make no sense.
pub(crate) fn read(client: &mut Client) -> io::Result<Keys> {
    let names = names(client)?;
    let mut keys = Keys::new();
    for some in names.chunks(READ_AHEAD) {
        read_some(client, some, &mut keys)?;
    }
    Ok(keys)
}

fn names(client: &mut Client) -> io::Result<Vec<Vec<u8>>> {
    let (mut found, mut cursor) = (Vec::new(), b"0".to_vec());
    loop {
        let reply = client.call(&[b"SCAN", &cursor, b"COUNT", b"1000"])?;
        let [next, keys] = reply.elements() else { return Err(strange("SCAN", &reply)) };
        found.extend(keys.elements().iter().filter_map(Reply::text).map(<[u8]>::to_vec));
        cursor = next.text().unwrap_or(b"0").to_vec();
        if cursor == b"0" {
            // A key may be told twice while the table changes.
            found.sort_unstable();
            found.dedup();
            return Ok(found);
        }
    }
}

fn read_some(client: &mut Client, names: &[Vec<u8>], keys: &mut Keys) -> io::Result<()> {
    let mut request = Vec::new();
    for name in names {
        encode(&[b"TYPE", name.as_slice()], &mut request);
        encode(&[b"PEXPIRETIME", name.as_slice()], &mut request);
    }
    client.send(&request)?;
    let mut kinds = Vec::new();
    for _ in names {
        kinds.push((receive(client)?, receive(client)?));
    }
    request.clear();
    for (name, (kind, _)) in names.iter().zip(&kinds) {
        match kind.text() {
            Some(b"list") => encode(&[b"LRANGE", name.as_slice(), b"0", b"-1"], &mut request),
            Some(b"hash") => encode(&[b"HGETALL", name.as_slice()], &mut request),
            _ => encode(&[b"GET", name.as_slice()], &mut request),
        }
    }
    client.send(&request)?;
    for (name, (kind, expires)) in names.iter().zip(kinds) {
        let value = receive(client)?;
        // A key that is gone by now had little time left, and nobody waits for it.
        let Some(content) = content(&kind, value)? else { continue };
        let at = match expires {
            Reply::Integer(at) if at >= 0 => Some((at, at)),
            _ => None,
        };
        keys.insert(name.clone(), Entry { content, expires_ms: at });
    }
    Ok(())
}

fn content(kind: &Reply, value: Reply) -> io::Result<Option<Content>> {
    let texts = |reply: &Reply| -> Vec<Vec<u8>> {
        reply.elements().iter().filter_map(Reply::text).map(<[u8]>::to_vec).collect()
    };
    Ok(match (kind.text(), value) {
        (_, Reply::Null) => None,
        (Some(b"string"), Reply::Bulk(text)) => Some(Content::Text(text)),
        (Some(b"list"), list @ Reply::Array(_)) => Some(Content::List(texts(&list).into())),
        (Some(b"hash"), list @ Reply::Array(_)) => {
            let texts = texts(&list);
            let pairs = texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
            Some(Content::Hash(pairs.collect()))
        }
        (Some(b"none"), _) => None,
        (_, other) => return Err(strange("a key", &other)),
    })
}

/// The next reply, as a tree.
pub(crate) fn receive(client: &mut Client) -> io::Result<Reply> {
    let bytes = client.receive()?;
    Reply::read(&bytes).map(|(reply, _)| reply).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

fn strange(what: &str, reply: &Reply) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("asked for {what}, the server says {reply:?}"))
}
