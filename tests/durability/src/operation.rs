//! What clients do: as requests, and as changes of a model that predicts replies.
//!
//! A client's own keys have its number and a letter for their type in their names, so no operation meets a wrong type. Values
//! are unique in a run, so states of different moments rarely look alike.

use std::collections::VecDeque;

use ochre_differential::{Random, Reply};

use crate::state::{COUNTER, Content, Entry, Keys, MOVED, QUEUE, parse};

/// Keys of each type that a client has.
const KEYS: usize = 6;
/// The most bytes of a big value.
const BIG_BYTES: usize = 200_000;
/// An expiry time that no run reaches, unix time in ms.
const FAR_MS: i64 = 4_000_000_000_000;
/// How long a key lives that is gone when a server is looked at, ms.
pub(crate) const FLEETING_MS: u64 = 30;

/// One thing that a client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// SET
    Set(Vec<u8>, Vec<u8>),
    /// APPEND
    Append(Vec<u8>, Vec<u8>),
    /// INCR
    Incr(Vec<u8>),
    /// LPUSH
    Push(Vec<u8>, Vec<u8>),
    /// RPOPLPUSH
    Move(Vec<u8>, Vec<u8>),
    /// HSET
    Field(Vec<u8>, Vec<u8>, Vec<u8>),
    /// DEL
    Delete(Vec<u8>),
    /// PEXPIREAT
    ExpireAt(Vec<u8>, i64),
    /// EXPIRE, in seconds
    Expire(Vec<u8>, i64),
    /// PERSIST
    Persist(Vec<u8>),
    /// SET PX: a key that nobody names again
    Fleeting(Vec<u8>),
    /// RPUSH to what all clients share
    SharedPush(Vec<u8>),
    /// LMOVE between what all clients share
    SharedMove,
    /// INCR of what all clients share
    SharedIncr,
    /// Several of them, between MULTI and EXEC
    Transaction(Vec<Operation>),
}

/// When an operation was carried out, at the earliest and at the latest, unix time in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// It was sent.
    pub from_ms: i64,
    /// It was acknowledged, or it was too late.
    pub to_ms: i64,
}

/// What a reply must be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expected {
    Exactly(Reply),
    /// Others have a part in it.
    Any,
    All(Vec<Expected>),
}

impl Expected {
    fn into_reply(self) -> Reply {
        match self {
            Expected::Exactly(reply) => reply,
            Expected::Any => Reply::Null,
            Expected::All(parts) => Reply::Array(parts.into_iter().map(Expected::into_reply).collect()),
        }
    }

    /// Whether a reply may be this one.
    pub(crate) fn admits(&self, reply: &Reply) -> bool {
        match (self, reply) {
            (Expected::Exactly(expected), reply) => expected == reply,
            (Expected::Any, reply) => !matches!(reply, Reply::Error(_)),
            (Expected::All(expected), Reply::Array(replies)) => {
                expected.len() == replies.len()
                    && expected.iter().zip(replies).all(|(one, reply)| one.admits(reply))
            }
            (Expected::All(_), _) => false,
        }
    }
}

type Command = Vec<Vec<u8>>;

fn command(words: &[&[u8]]) -> Command {
    words.iter().map(|word| word.to_vec()).collect()
}

impl Operation {
    /// The requests that it is, in order; each has a reply, the last one is the operation's.
    pub(crate) fn commands(&self) -> Vec<Command> {
        let number = |number: i64| number.to_string().into_bytes();
        vec![match self {
            Operation::Set(key, value) => command(&[b"SET", key, value]),
            Operation::Append(key, value) => command(&[b"APPEND", key, value]),
            Operation::Incr(key) => command(&[b"INCR", key]),
            Operation::Push(key, value) => command(&[b"LPUSH", key, value]),
            Operation::Move(from, to) => command(&[b"RPOPLPUSH", from, to]),
            Operation::Field(key, field, value) => command(&[b"HSET", key, field, value]),
            Operation::Delete(key) => command(&[b"DEL", key]),
            Operation::ExpireAt(key, at) => command(&[b"PEXPIREAT", key, &number(*at)]),
            Operation::Expire(key, seconds) => command(&[b"EXPIRE", key, &number(*seconds)]),
            Operation::Persist(key) => command(&[b"PERSIST", key]),
            Operation::Fleeting(key) => command(&[b"SET", key, b"gone", b"PX", &number(FLEETING_MS as i64)]),
            Operation::SharedPush(value) => command(&[b"RPUSH", QUEUE, value]),
            Operation::SharedMove => command(&[b"LMOVE", QUEUE, MOVED, b"LEFT", b"RIGHT"]),
            Operation::SharedIncr => command(&[b"INCR", COUNTER]),
            Operation::Transaction(parts) => {
                let queued = parts.iter().flat_map(Operation::commands);
                let begin = std::iter::once(command(&[b"MULTI"]));
                return begin.chain(queued).chain([command(&[b"EXEC"])]).collect();
            }
        }]
    }

    /// Itself, or its parts.
    pub(crate) fn parts(&self) -> &[Operation] {
        if let Operation::Transaction(parts) = self { parts } else { std::slice::from_ref(self) }
    }

    /// The client's keys that it names.
    pub(crate) fn keys(&self) -> Vec<&Vec<u8>> {
        match self {
            Operation::Set(key, _)
            | Operation::Append(key, _)
            | Operation::Incr(key)
            | Operation::Push(key, _)
            | Operation::Field(key, ..)
            | Operation::Delete(key)
            | Operation::ExpireAt(key, _)
            | Operation::Expire(key, _)
            | Operation::Persist(key) => vec![key],
            Operation::Move(from, to) => vec![from, to],
            Operation::Transaction(parts) => parts.iter().flat_map(Operation::keys).collect(),
            Operation::Fleeting(_)
            | Operation::SharedPush(_)
            | Operation::SharedMove
            | Operation::SharedIncr => Vec::new(),
        }
    }

    /// Carries it out on a model, and says what the reply is; where others have a part in it, nothing.
    pub fn foretell(&self, keys: &mut Keys, span: Span) -> Reply {
        self.apply(keys, span).into_reply()
    }

    /// Carries it out on a model, and says what the reply must be.
    pub(crate) fn apply(&self, keys: &mut Keys, span: Span) -> Expected {
        let integer = |number: usize| Expected::Exactly(Reply::Integer(number as i64));
        match self {
            Operation::Set(key, value) => {
                let content = Content::Text(value.clone());
                keys.insert(key.clone(), Entry { content, expires_ms: None });
                Expected::Exactly(Reply::Simple(b"OK".to_vec()))
            }
            Operation::Append(key, value) => {
                let text = text(keys, key);
                text.extend_from_slice(value);
                integer(text.len())
            }
            Operation::Incr(key) => {
                let text = text(keys, key);
                let number = parse(text).unwrap_or(0) + 1;
                *text = number.to_string().into_bytes();
                Expected::Exactly(Reply::Integer(number))
            }
            Operation::Push(key, value) => {
                let list = list(keys, key);
                list.push_front(value.clone());
                integer(list.len())
            }
            Operation::Move(from, to) => move_element(keys, from, to),
            Operation::Field(key, field, value) => integer(usize::from(set_field(keys, key, field, value))),
            Operation::Delete(key) => integer(usize::from(keys.remove(key).is_some())),
            Operation::ExpireAt(key, at) => integer(expire(keys, key, Some((*at, *at)))),
            Operation::Expire(key, seconds) => {
                let at = (span.from_ms + seconds * 1000, span.to_ms + seconds * 1000);
                integer(expire(keys, key, Some(at)))
            }
            Operation::Persist(key) => {
                let had = keys.get(key).is_some_and(|entry| entry.expires_ms.is_some());
                expire(keys, key, None);
                integer(usize::from(had))
            }
            Operation::Fleeting(_) => Expected::Exactly(Reply::Simple(b"OK".to_vec())),
            Operation::SharedPush(_) | Operation::SharedMove | Operation::SharedIncr => Expected::Any,
            Operation::Transaction(parts) => {
                Expected::All(parts.iter().map(|part| part.apply(keys, span)).collect())
            }
        }
    }
}

fn entry<'k>(keys: &'k mut Keys, key: &[u8], empty: Content) -> &'k mut Entry {
    keys.entry(key.to_vec()).or_insert(Entry { content: empty, expires_ms: None })
}

fn text<'k>(keys: &'k mut Keys, key: &[u8]) -> &'k mut Vec<u8> {
    match &mut entry(keys, key, Content::Text(Vec::new())).content {
        Content::Text(text) => text,
        other => panic!("a string's key holds {other:?}"),
    }
}

fn list<'k>(keys: &'k mut Keys, key: &[u8]) -> &'k mut VecDeque<Vec<u8>> {
    match &mut entry(keys, key, Content::List(VecDeque::new())).content {
        Content::List(list) => list,
        other => panic!("a list's key holds {other:?}"),
    }
}

/// Whether the field is new.
fn set_field(keys: &mut Keys, key: &[u8], field: &[u8], value: &[u8]) -> bool {
    match &mut entry(keys, key, Content::Hash(Default::default())).content {
        Content::Hash(fields) => fields.insert(field.to_vec(), value.to_vec()).is_none(),
        other => panic!("a hash's key holds {other:?}"),
    }
}

fn move_element(keys: &mut Keys, from: &[u8], to: &[u8]) -> Expected {
    if !keys.contains_key(from) {
        return Expected::Exactly(Reply::Null);
    }
    let source = list(keys, from);
    let Some(element) = source.pop_back() else { return Expected::Exactly(Reply::Null) };
    // A list that is rotated in place keeps its key, and with it its expiry time.
    let is_over = source.is_empty() && from != to;
    if is_over {
        keys.remove(from);
    }
    list(keys, to).push_front(element.clone());
    Expected::Exactly(Reply::Bulk(element))
}

/// 1 if there is such a key.
fn expire(keys: &mut Keys, key: &[u8], expires_ms: Option<(i64, i64)>) -> usize {
    let Some(entry) = keys.get_mut(key) else { return 0 };
    entry.expires_ms = expires_ms;
    1
}

/// Draws a client's operations.
#[derive(Debug)]
pub struct Draw {
    random: Random,
    client: usize,
    /// Makes values unique; goes on from round to round.
    serial: u64,
}

impl Draw {
    /// The operations of one client.
    pub fn new(random: Random, client: usize) -> Draw {
        Draw { random, client, serial: 0 }
    }

    /// How many go out together.
    pub(crate) fn burst(&mut self) -> usize {
        if self.random.one_in(3) { 1 } else { 1 + self.random.below(8) }
    }

    /// The next one.
    pub fn operation(&mut self) -> Operation {
        match self.random.below(20) {
            0..=2 => Operation::SharedPush(self.token()),
            3 => Operation::SharedMove,
            4 => Operation::SharedIncr,
            5..=7 => self.transaction(),
            _ => self.own(),
        }
    }

    /// One of several keys, with the same token, and of what is shared.
    fn transaction(&mut self) -> Operation {
        let token = self.token();
        let mut parts: Vec<Operation> =
            (0..KEYS / 2).map(|number| Operation::Set(self.named('s', number), token.clone())).collect();
        parts.push(Operation::Field(self.named('h', 0), token.clone(), token.clone()));
        parts.push(Operation::Incr(self.key('n')));
        if self.random.one_in(2) {
            parts.push(Operation::SharedPush(token));
        }
        if self.random.one_in(3) {
            parts.push(self.own());
        }
        Operation::Transaction(parts)
    }

    fn own(&mut self) -> Operation {
        match self.random.below(16) {
            0..=2 => Operation::Set(self.key('s'), self.token()),
            3 => Operation::Set(self.key('s'), self.big()),
            4 => Operation::Append(self.key('s'), self.token()),
            5..=6 => Operation::Incr(self.key('n')),
            7..=8 => Operation::Push(self.key('l'), self.token()),
            9 => Operation::Move(self.key('l'), self.key('l')),
            10 => Operation::Field(self.key('h'), self.token(), self.token()),
            11 => Operation::Delete(self.any_key()),
            12 => Operation::ExpireAt(self.any_key(), FAR_MS + self.random.below(1 << 30) as i64),
            13 => Operation::Expire(self.any_key(), 100_000 + self.random.below(1000) as i64),
            14 => Operation::Persist(self.any_key()),
            _ => Operation::Fleeting(self.named('t', self.serial as usize)),
        }
    }

    fn named(&self, kind: char, number: usize) -> Vec<u8> {
        format!("{}:{kind}:{number}", self.client).into_bytes()
    }

    fn key(&mut self, kind: char) -> Vec<u8> {
        let number = self.random.below(KEYS);
        self.named(kind, number)
    }

    fn any_key(&mut self) -> Vec<u8> {
        let kind = *self.random.pick(&['s', 'n', 'l', 'h']);
        self.key(kind)
    }

    /// A value that no other operation has.
    fn token(&mut self) -> Vec<u8> {
        self.serial += 1;
        format!("{}-{}", self.client, self.serial).into_bytes()
    }

    fn big(&mut self) -> Vec<u8> {
        let length = self.random.below(BIG_BYTES);
        let mut value = self.token();
        let filling = self.random.bytes(64);
        value.extend(filling.iter().cycle().take(length));
        value
    }
}
