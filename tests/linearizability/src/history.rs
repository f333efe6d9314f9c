//! Recorded histories: who did what, from when to when, and what the server said.

use std::fmt::Write;

use ochre_differential::Reply;

use crate::operation::{Key, Operation};

/// One finished operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The client, by number.
    pub client: usize,
    /// What it did.
    pub operation: Operation,
    /// What it was told.
    pub reply: Reply,
    /// When the first byte was about to be sent, in nanoseconds since the run began.
    pub invoked_ns: u64,
    /// When the reply had been read.
    pub returned_ns: u64,
}

/// The events of one round, in the order of each client.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// How many keys the round has.
    pub keys: usize,
    /// One list per client.
    pub clients: Vec<Vec<Event>>,
}

impl History {
    /// The parts that share no key. Linearizability is local: a history is linearizable when each part is, and small
    /// parts are checked much faster.
    pub fn parts(&self) -> Vec<Self> {
        let mut leader: Vec<Key> = (0..self.keys).collect();
        let find = |leader: &[Key], mut key: Key| {
            while leader[key] != key {
                key = leader[key];
            }
            key
        };
        // A transaction depends on what its client watches, so all of a client's watched keys hang together with it.
        for events in &self.clients {
            let mut watched: Vec<Key> = Vec::new();
            for event in events {
                let mut keys = event.operation.keys();
                if matches!(event.operation, Operation::Watch(_)) {
                    watched.extend(&keys);
                } else if matches!(event.operation, Operation::Transaction(_)) {
                    keys.append(&mut watched);
                }
                for pair in keys.windows(2) {
                    let (a, b) = (find(&leader, pair[0]), find(&leader, pair[1]));
                    leader[a] = b;
                }
            }
        }
        let roots: Vec<Key> = (0..self.keys).filter(|key| leader[*key] == *key).collect();
        roots
            .iter()
            .map(|root| self.only(|key| find(&leader, key) == *root))
            .filter(|part| !part.is_empty())
            .collect()
    }

    fn only(&self, mine: impl Fn(Key) -> bool) -> Self {
        let of = |events: &Vec<Event>| {
            let touches = |event: &&Event| event.operation.keys().first().is_some_and(|key| mine(*key));
            events.iter().filter(touches).cloned().collect()
        };
        Self { keys: self.keys, clients: self.clients.iter().map(of).collect() }
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.clients.iter().map(Vec::len).sum()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One line per event, by time of invocation.
    pub fn show(&self) -> String {
        let mut events: Vec<&Event> = self.clients.iter().flatten().collect();
        events.sort_by_key(|event| event.invoked_ns);
        let start = events.first().map_or(0, |event| event.invoked_ns);
        let mut text = String::new();
        for event in events {
            let (from, to) = (event.invoked_ns - start, event.returned_ns - start);
            writeln!(
                text,
                "  {from:9}..{to:9} client {}: {:?} -> {:?}",
                event.client,
                event.operation,
                Shown(&event.reply)
            )
            .unwrap_or_default();
        }
        text
    }
}

/// A reply with its bytes as text.
struct Shown<'a>(&'a Reply);

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Reply::Array(elements) => f.debug_list().entries(elements.iter().map(Shown)).finish(),
            Reply::Integer(number) => write!(f, "{number}"),
            Reply::Null => f.write_str("nil"),
            other => write!(f, "{:?}", String::from_utf8_lossy(other.text().unwrap_or_default())),
        }
    }
}
