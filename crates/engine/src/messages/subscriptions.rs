//! What one client is subscribed to.

use std::collections::BTreeSet;

use super::topics::Kind;

/// What a subscription costs apart from its name, here and among the topics, bytes.
const SUBSCRIPTION_BYTES: usize = 96;

/// A client's subscriptions.
#[derive(Debug, Default)]
pub struct Subscriptions {
    names: [BTreeSet<Box<[u8]>>; 3],
    bytes: usize,
}

impl Subscriptions {
    /// Adds one; whether it is new.
    pub fn add(&mut self, kind: Kind, name: &[u8]) -> bool {
        let is_new = !self.names[kind as usize].contains(name);
        if is_new {
            self.names[kind as usize].insert(name.into());
            self.bytes += 2 * name.len() + SUBSCRIPTION_BYTES;
        }
        is_new
    }

    /// Removes one; whether it was there.
    pub fn remove(&mut self, kind: Kind, name: &[u8]) -> bool {
        let was_there = self.names[kind as usize].remove(name);
        if was_there {
            self.bytes -= 2 * name.len() + SUBSCRIPTION_BYTES;
        }
        was_there
    }

    /// The number of subscriptions of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.names[kind as usize].len()
    }

    /// The number that replies about a kind tell: channels and patterns are counted together.
    pub fn told_count(&self, kind: Kind) -> usize {
        match kind {
            Kind::ShardChannel => self.count(kind),
            Kind::Channel | Kind::Pattern => self.count(Kind::Channel) + self.count(Kind::Pattern),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(BTreeSet::is_empty)
    }

    /// All names of a kind.
    pub fn names(&self, kind: Kind) -> Vec<Box<[u8]>> {
        self.names[kind as usize].iter().cloned().collect()
    }

    /// Bytes that they take.
    pub fn memory_bytes(&self) -> usize {
        self.bytes
    }
}
