//! The sequential server: what each operation does to a small keyspace, and what it replies.
//!
//! The state holds values, lists, for each client which keys it watches and whether one of them was touched since, and who
//! waits. It holds nothing else, so that equal states are equal values: the checker remembers the states it has been to.
//!
//! Who finds nothing to take waits, behind those who wait already, until an operation puts something there; they are
//! served before any other operation, which is when it shows what they are told. One that was told nothing was never
//! served: it only has to have come when there was nothing.

use std::collections::VecDeque;

use ochre_differential::Reply;

use crate::operation::{Key, Operation};

/// The state of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    values: Vec<Option<Vec<u8>>>,
    lists: Vec<VecDeque<Vec<u8>>>,
    watches: Vec<Watch>,
    waiting: Vec<Waiting>,
}

/// A client that waits, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Waiting {
    client: usize,
    operation: Operation,
    /// What it was told in the end, text by text.
    told: Vec<Vec<u8>>,
}

/// What one client watches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Watch {
    keys: Vec<bool>,
    touched: bool,
}

/// What a script makes of the replies to its commands: its numbers have 53 bits.
fn through_lua(reply: Reply) -> Reply {
    match reply {
        Reply::Integer(number) => Reply::Integer(number as f64 as i64),
        Reply::Array(replies) => Reply::Array(replies.into_iter().map(through_lua).collect()),
        reply => reply,
    }
}

impl State {
    /// No key exists, nobody watches.
    pub fn new(keys: usize, clients: usize) -> Self {
        Self {
            values: vec![None; keys],
            lists: vec![VecDeque::new(); keys],
            waiting: Vec::new(),
            watches: vec![Watch { keys: vec![false; keys], touched: false }; clients],
        }
    }

    /// Does `operation` for `client`, and serves those who wait for what it did. Whether that explains that the client was
    /// told `reply`, and they what they were told.
    pub fn explains(&mut self, client: usize, operation: &Operation, reply: &Reply) -> bool {
        if self.waiting.iter().any(|waiting| waiting.client == client) {
            return false;
        }
        let before = self.lists.clone();
        let said = self.apply(client, operation);
        if said == Reply::Null && operation.can_wait() && *reply != Reply::Null {
            self.waiting.push(Waiting { client, operation: operation.clone(), told: texts(reply) });
            return true;
        }
        said == *reply && (self.lists == before || self.serve_all(&operation.keys(), &before))
    }

    /// Whether nobody is left waiting.
    pub fn is_at_rest(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Serves all who wait for one of `keys`, those of an operation in its order, that was empty before it and is no more;
    /// whether they were told so. What serving fills comes last.
    fn serve_all(&mut self, keys: &[Key], before: &[VecDeque<Vec<u8>>]) -> bool {
        let filled = |key: &Key| before[*key].is_empty() && !self.lists[*key].is_empty();
        let mut ready: VecDeque<Key> = keys.iter().copied().filter(filled).collect();
        while let Some(key) = ready.pop_front() {
            let mut at = 0;
            while at < self.waiting.len() && !self.lists[key].is_empty() {
                if !self.waiting[at].operation.awaits(key) {
                    at += 1;
                    continue;
                }
                let Waiting { client, operation, told } = self.waiting.remove(at);
                let before = self.lists.clone();
                if texts(&self.apply(client, &operation)) != told {
                    return false;
                }
                let filled = |key: &Key| before[*key].is_empty() && !self.lists[*key].is_empty();
                ready.extend((0..self.lists.len()).filter(filled));
            }
        }
        true
    }

    /// Does `operation` for `client`; returns the reply, which is null where it would wait.
    pub fn apply(&mut self, client: usize, operation: &Operation) -> Reply {
        match operation {
            Operation::Get(key) => self.read(*key),
            Operation::Set(key, value) => {
                self.write(*key, Some(value.clone()));
                ok()
            }
            Operation::SetNx(key, value) => {
                let absent = self.values[*key].is_none();
                if absent {
                    self.write(*key, Some(value.clone()));
                }
                Reply::Integer(absent.into())
            }
            Operation::GetSet(key, value) => {
                let old = self.read(*key);
                self.write(*key, Some(value.clone()));
                old
            }
            Operation::Append(key, value) => self.append(*key, value),
            Operation::Incr(key) => self.increment(*key),
            Operation::Del(keys) => self.delete(keys),
            Operation::MGet(keys) => Reply::Array(keys.iter().map(|key| self.read(*key)).collect()),
            Operation::MSet(pairs) => {
                pairs.iter().for_each(|(key, value)| self.write(*key, Some(value.clone())));
                ok()
            }
            Operation::Rename(from, to) => self.rename(*from, *to),
            Operation::Copy(from, to, replace) => self.copy(*from, *to, *replace),
            Operation::Watch(keys) => {
                keys.iter().for_each(|key| self.watches[client].keys[*key] = true);
                ok()
            }
            Operation::Push(key, values) => {
                self.lists[*key].extend(values.iter().cloned());
                Reply::Integer(self.lists[*key].len() as i64)
            }
            Operation::Range(key) => {
                Reply::Array(self.lists[*key].iter().map(|value| Reply::Bulk(value.clone())).collect())
            }
            Operation::Take(keys) => self.take(keys),
            Operation::Move(from, to) => match self.lists[*from].pop_front() {
                Some(value) => {
                    self.lists[*to].push_back(value.clone());
                    Reply::Bulk(value)
                }
                None => Reply::Null,
            },
            Operation::Transaction(operations) => self.transaction(client, operations),
            Operation::Script(_, operations) => through_lua(self.all(client, operations)),
        }
    }

    /// Forgets what `client` watches; true when a watched key was touched.
    pub fn unwatch(&mut self, client: usize) -> bool {
        let watch = &mut self.watches[client];
        watch.keys.fill(false);
        std::mem::take(&mut watch.touched)
    }

    fn transaction(&mut self, client: usize, operations: &[Operation]) -> Reply {
        if self.unwatch(client) {
            return Reply::Null;
        }
        self.all(client, operations)
    }

    fn all(&mut self, client: usize, operations: &[Operation]) -> Reply {
        Reply::Array(operations.iter().map(|operation| self.apply(client, operation)).collect())
    }

    fn take(&mut self, keys: &[Key]) -> Reply {
        let Some(key) = keys.iter().find(|key| !self.lists[**key].is_empty()) else { return Reply::Null };
        let value = self.lists[*key].pop_front().unwrap_or_default();
        Reply::Array(vec![Reply::Bulk(key.to_string().into_bytes()), Reply::Bulk(value)])
    }

    fn read(&self, key: Key) -> Reply {
        self.values[key].clone().map_or(Reply::Null, Reply::Bulk)
    }

    /// The one place where a value changes.
    fn write(&mut self, key: Key, value: Option<Vec<u8>>) {
        self.values[key] = value;
        self.watches.iter_mut().filter(|watch| watch.keys[key]).for_each(|watch| watch.touched = true);
    }

    fn append(&mut self, key: Key, value: &[u8]) -> Reply {
        let mut whole = self.values[key].clone().unwrap_or_default();
        whole.extend_from_slice(value);
        let length = whole.len() as i64;
        self.write(key, Some(whole));
        Reply::Integer(length)
    }

    fn increment(&mut self, key: Key) -> Reply {
        let old = self.values[key].as_deref().unwrap_or(b"0");
        let number = std::str::from_utf8(old).ok().and_then(|text| text.parse::<i64>().ok());
        let Some(next) = number.and_then(|number| number.checked_add(1)) else {
            return Reply::Error(b"ERR value is not an integer or out of range".to_vec());
        };
        self.write(key, Some(next.to_string().into_bytes()));
        Reply::Integer(next)
    }

    fn delete(&mut self, keys: &[Key]) -> Reply {
        let mut count = 0;
        for key in keys {
            if self.values[*key].is_some() {
                self.write(*key, None);
                count += 1;
            }
        }
        Reply::Integer(count)
    }

    fn rename(&mut self, from: Key, to: Key) -> Reply {
        let Some(value) = self.values[from].clone() else { return Reply::Error(b"ERR no such key".to_vec()) };
        self.write(to, Some(value));
        self.write(from, None);
        ok()
    }

    fn copy(&mut self, from: Key, to: Key, replace: bool) -> Reply {
        let Some(value) = self.values[from].clone() else { return Reply::Integer(0) };
        if self.values[to].is_some() && !replace {
            return Reply::Integer(0);
        }
        self.write(to, Some(value));
        Reply::Integer(1)
    }
}

/// The strings in a reply.
fn texts(reply: &Reply) -> Vec<Vec<u8>> {
    match reply {
        Reply::Array(elements) => elements.iter().flat_map(texts).collect(),
        other => other.text().map(<[u8]>::to_vec).into_iter().collect(),
    }
}

fn ok() -> Reply {
    Reply::Simple(b"OK".to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Operation::*;

    #[test]
    fn a_touched_watch_aborts_once() {
        let mut state = State::new(2, 2);
        state.apply(0, &Watch(vec![0]));
        state.apply(1, &Set(0, b"x".to_vec()));
        assert_eq!(state.apply(0, &Transaction(vec![Get(0)])), Reply::Null);
        assert_eq!(
            state.apply(0, &Transaction(vec![Get(0)])),
            Reply::Array(vec![Reply::Bulk(b"x".to_vec())])
        );
    }

    #[test]
    fn what_changes_nothing_touches_nothing() {
        let mut state = State::new(2, 2);
        state.apply(0, &Watch(vec![0, 1]));
        for idle in [Get(0), Del(vec![0]), Copy(1, 0, true), Rename(0, 1), MGet(vec![0, 1])] {
            state.apply(1, &idle);
        }
        assert_eq!(state.apply(0, &Transaction(vec![])), Reply::Array(vec![]));
    }
}
