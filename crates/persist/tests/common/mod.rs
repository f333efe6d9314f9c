//! Values of all types and encodings, and files made of them.

#![allow(dead_code, reason = "each test program uses some of these")]
#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

pub mod replay;

use std::collections::BTreeMap;
use std::io::{self, Read};

use ochre_persist::rdb::{
    Access, Event, KeyInfo, Limits, ReadError, ReadOptions, Reader, Target, Text, Value, ValueRef, Version,
    WriteOptions, Writer,
};
use ochre_types::hash::{Hash, HashLimits, NewExpiry};
use ochre_types::list::{End, List, ListLimits};
use ochre_types::set::{Set, SetLimits};
use ochre_types::stream::{IdRequest, IdempotencyLimits, NodeLimits, Stream, StreamId};
use ochre_types::zset::{AddRule, ZSet, ZSetLimits};
use ochre_types::{LongString, Object, Rng};

/// A key as a file has it.
#[derive(Debug, PartialEq)]
pub struct Key {
    pub info: KeyInfo,
    pub value: Content,
}

/// A value in memory of its own.
#[derive(Debug, PartialEq)]
pub enum Content {
    String(Vec<u8>),
    Object(Object),
}

impl Content {
    pub fn of(value: Value<'_>) -> Content {
        match value {
            Value::String(text) => Content::String(text.into_vec()),
            Value::Object(object) => Content::Object(object),
        }
    }

    pub fn as_value(&self) -> ValueRef<'_> {
        match self {
            Content::String(text) => ValueRef::String(text),
            Content::Object(object) => ValueRef::from(object),
        }
    }

    pub fn encoding(&self) -> &'static str {
        match self {
            Content::String(_) => "string",
            Content::Object(object) => object.as_ref().encoding_name(),
        }
    }
}

/// What a file holds.
#[derive(Debug, Default, PartialEq)]
pub struct Contents {
    pub keys: BTreeMap<(u64, Vec<u8>), Key>,
    pub aux: Vec<(Vec<u8>, Vec<u8>)>,
    pub functions: Vec<Vec<u8>>,
    pub skipped: usize,
}

/// A source that gives a few bytes at a time.
pub struct Slow<'a> {
    pub bytes: &'a [u8],
    pub step: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.step.min(buffer.len()).min(self.bytes.len());
        buffer[..len].copy_from_slice(&self.bytes[..len]);
        self.bytes = &self.bytes[len..];
        Ok(len)
    }
}

/// Reads all of a file.
pub fn read(source: impl Read, options: ReadOptions) -> Result<Contents, ReadError> {
    let mut reader = Reader::new(source, options);
    let mut contents = Contents::default();
    loop {
        match reader.next()? {
            Event::End(_) => return Ok(contents),
            Event::Aux { name, value } => contents.aux.push((name, value)),
            Event::Function(code) => contents.functions.push(code),
            Event::Records(batch) => {
                assert!(!batch.is_empty());
                for record in batch.records() {
                    match record.decode(&options.limits) {
                        Ok(value) => {
                            let key = record.key()?.into_vec();
                            let content = Key { info: record.info(), value: Content::of(value) };
                            contents.keys.insert((batch.db(), key), content);
                        }
                        Err(error) if error.is_of_value() => contents.skipped += 1,
                        Err(error) => return Err(error.into()),
                    }
                }
                reader.recycle(batch);
            }
            Event::Big(big) => match big.value {
                Ok(value) => {
                    let content = Key { info: big.info, value: Content::of(value) };
                    contents.keys.insert((big.db, big.key), content);
                }
                Err(_) => contents.skipped += 1,
            },
            _ => {}
        }
    }
}

/// Writes a file for a target, with the header that it ends up with.
pub fn write(contents: &Contents, options: WriteOptions) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), options).unwrap();
    contents.aux.iter().for_each(|(name, value)| writer.aux(name, value).unwrap());
    contents.functions.iter().for_each(|code| writer.function(code).unwrap());
    let mut db = None;
    for ((of_db, key), content) in &contents.keys {
        if db != Some(*of_db) {
            db = Some(*of_db);
            writer.select_db(*of_db, contents.keys.len() as u64, 0).unwrap();
        }
        writer.record(key, content.info, content.value.as_value()).unwrap();
    }
    let (mut bytes, written) = writer.finish().unwrap();
    assert_eq!(written.bytes, bytes.len() as u64);
    if let Some(header) = written.header {
        bytes[..header.len()].copy_from_slice(&header);
    }
    bytes
}

pub fn target(number: u16) -> Target {
    Target::Exactly(Version::new(number, Default::default()).unwrap())
}

/// A text of a kind that encodings treat in its own way.
pub fn text(rng: &mut Rng) -> Vec<u8> {
    match rng.below(8) {
        0 => Vec::new(),
        1 => rng.below(200).to_string().into_bytes(),
        2 => format!("-{}", rng.below(1 << 40)).into_bytes(),
        3 => vec![b'x'; rng.below(100) as usize],
        4 => (0..rng.below(300)).map(|at| (at * at % 251) as u8).collect(),
        _ => format!("member:{}", rng.below(1 << 30)).into_bytes(),
    }
}

pub fn list(rng: &mut Rng, len: u64) -> List {
    let mut list = List::new();
    (0..len).for_each(|_| list.push(End::Tail, [text(rng).as_slice()], &ListLimits::default()));
    list
}

pub fn set(rng: &mut Rng, len: u64, only_integers: bool) -> Set {
    let mut set = Set::new();
    for _ in 0..len {
        let member = if only_integers { rng.below(1 << 33).to_string().into_bytes() } else { text(rng) };
        set.add(&member, &SetLimits::default());
    }
    set
}

pub fn zset(rng: &mut Rng, len: u64) -> ZSet {
    let mut zset = ZSet::new();
    let scores = [0.0, -1.5, 1e300, f64::INFINITY, f64::NEG_INFINITY, 3.0, 0.1];
    for _ in 0..len {
        let score = scores[rng.below(7) as usize];
        zset.add(&text(rng), score, AddRule::default(), &ZSetLimits::default()).unwrap();
    }
    zset
}

pub const HASH_LIMITS: HashLimits = HashLimits { entries_max: 512, value_bytes_max: 64 };

pub fn hash(rng: &mut Rng, len: u64, expiring: bool) -> Hash {
    let mut hash = Hash::new();
    for _ in 0..len {
        let expiry = if expiring && rng.below(2) == 0 {
            NewExpiry::At(2_000_000_000_000 + rng.below(1 << 20) as i64)
        } else {
            NewExpiry::Never
        };
        hash.set_expiring(&text(rng), &text(rng), expiry, 0, &HASH_LIMITS);
    }
    hash
}

pub fn stream(rng: &mut Rng, len: u64) -> Stream {
    let mut stream = Stream::new();
    for at in 1..=len {
        let (name, value) = (text(rng), text(rng));
        let fields: &[&[u8]] = if at % 5 == 0 { &[&name, &value] } else { &[b"temperature", &value] };
        let id = IdRequest::Exact(StreamId::new(at / 3, at));
        stream.add(id, fields, NodeLimits::default(), 0).unwrap();
    }
    let ids: Vec<StreamId> =
        (0..len / 10).map(|_| rng.below(len) + 1).map(|at| StreamId::new(at / 3, at)).collect();
    stream.delete(&ids);
    stream
}

/// The same with groups, consumers and pending entries.
pub fn stream_with_groups(rng: &mut Rng, len: u64) -> Stream {
    let mut stream = stream(rng, len);
    for group in [&b"one"[..], b"two", b"empty"] {
        stream.create_group(group, StreamId::MIN, Some(0)).unwrap();
    }
    for (group, consumer, count) in [("one", "a", len / 4), ("one", "b", 3), ("two", "a", len / 2)] {
        stream.deliver(group.as_bytes(), consumer.as_bytes(), Some(count), false, 1000).unwrap();
    }
    stream.create_consumer(b"two", b"idle", 77).unwrap();
    stream
}

pub fn stream_with_producers(rng: &mut Rng, len: u64) -> Stream {
    let mut stream = stream_with_groups(rng, len);
    let limits = IdempotencyLimits { duration_s: 300, ids_max: 20 };
    stream.set_idempotency_limits(limits);
    for at in 1..=len.min(30) {
        let (producer, message) = ((at % 3).to_string(), at.to_string());
        let entry = StreamId::new(at / 3, at);
        let at_ms = entry.ms as i64;
        stream.remember_message(producer.as_bytes(), message.as_bytes(), entry, limits, at_ms).unwrap();
    }
    stream
}

/// Keys of all types, small and large, with times and what is known of accesses.
pub fn contents(seed: u64, len: u64, expiring: bool) -> Contents {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    let mut values: Vec<Content> = (0..20).map(|_| Content::String(text(rng))).collect();
    values.push(Content::Object(Object::String(LongString::from(vec![b'z'; 70_000]))));
    for len in [1, 5, len] {
        values.extend([
            Content::Object(Object::List(list(rng, len))),
            Content::Object(Object::Set(set(rng, len, true))),
            Content::Object(Object::Set(set(rng, len, false))),
            Content::Object(Object::ZSet(zset(rng, len))),
            Content::Object(Object::Hash(hash(rng, len, false))),
            Content::Object(Object::Stream(stream(rng, len))),
            Content::Object(Object::Stream(stream_with_groups(rng, len))),
        ]);
        if expiring {
            values.push(Content::Object(Object::Hash(hash(rng, len, true))));
        }
    }
    let mut contents = Contents::default();
    contents.aux.push((b"redis-ver".to_vec(), b"8.6.3".to_vec()));
    contents
        .functions
        .push(b"#!lua name=lib\nredis.register_function('f', function() return 1 end)".to_vec());
    for (at, value) in values.into_iter().enumerate() {
        let expire_ms = (at % 3 == 0).then_some(1_900_000_000_000 + at as i64);
        let access = match at % 4 {
            0 => Some(Access::Idle(at as u64 * 100)),
            1 => Some(Access::Frequency(at as u8)),
            _ => None,
        };
        let key = format!("key:{at}").into_bytes();
        let value = match value {
            // A long string is a string again.
            Content::Object(Object::String(string)) => Content::String(string.to_vec()),
            value => value,
        };
        contents.keys.insert((at as u64 % 2, key), Key { info: KeyInfo { expire_ms, access }, value });
    }
    contents
}

pub fn limits() -> Limits {
    Limits::default()
}

pub fn bytes_of(text: Text<'_>) -> Vec<u8> {
    text.into_vec()
}
