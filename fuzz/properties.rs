//! What must hold for any bytes. A violation panics.

#![allow(dead_code, unused_imports, reason = "each target uses one of these")]

mod hashes;
mod lists;
mod packs;
mod sets;
mod sorted_sets;
mod streams;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use ochre_config::{Config, NoFiles};
use ochre_keyspace::{Entry, Harvest, Hasher, NewValue, Table, ValueRef};
use ochre_persist::aof::{Manifest, ReadLimits, Reader};
use ochre_persist::disk::{Access as FileAccess, Disk as _, TwinDisk};
use ochre_persist::rdb;
use ochre_resp::{Head, Limits, Progress, ReplyLimits, ReplyParser, RequestParser, Span, skip_reply};
use ochre_types::{Case, Encoding, HyperLogLog, ObjectRef, SketchUnion, glob_match, lzf};

pub use hashes::hash;
pub use lists::list;
pub use packs::listpack;
pub use sets::set;
pub use sorted_sets::sorted_set;
pub use streams::stream;
pub use users::acl;

/// Limits that small inputs can reach.
const LIMITS: Limits =
    Limits { multibulk_len_max: 64, bulk_len_max: 512, inline_len_max: 128, authenticated: true };

/// What a parser made of a stream: the requests, and how it ended.
#[derive(Debug, PartialEq, Eq, Default)]
struct Parsed {
    requests: Vec<Vec<Vec<u8>>>,
    error: Option<String>,
}

/// Requests come out the same whether the bytes arrive at once or in pieces, and by the quick way where it is one;
/// arguments keep to the limits.
pub fn request(input: &[u8]) {
    let whole = parse_requests(input, input.len().max(1));
    for piece in [1, 3] {
        let parsed = parse_requests(input, piece);
        // A line above the limit passes only if its end is already there.
        if parsed.error.as_ref().is_some_and(|error| error.contains("too big")) {
            assert!(whole.requests.starts_with(&parsed.requests), "in pieces of {piece}");
        } else {
            assert_eq!(parsed, whole, "in pieces of {piece}");
        }
    }
    for request in &whole.requests {
        assert!(request.len() <= LIMITS.multibulk_len_max as usize || request.len() <= input.len());
        assert!(request.iter().map(Vec::len).sum::<usize>() <= input.len());
    }
}

fn parse_requests(input: &[u8], piece: usize) -> Parsed {
    let (mut parser, mut parsed) = (RequestParser::default(), Parsed::default());
    let (mut start, mut end) = (0, 0);
    let (mut spans, mut head): (Vec<Span>, Head) = Default::default();
    loop {
        spans.clear();
        let received = &input[start..end];
        let mut quick_spans: Vec<Span> = Vec::new();
        let quick = parser.parse_whole(received, &LIMITS, &mut quick_spans, &mut head);
        let progress = parser.parse(received, &LIMITS, &mut spans);
        match quick {
            Some(len) => {
                assert!(matches!(progress, Ok(Progress::Complete { consumed }) if consumed == len));
                assert_eq!(quick_spans, spans, "the quick way comes to the same");
            }
            None => assert!(quick_spans.is_empty(), "what is not whole leaves nothing behind"),
        }
        let consumed = match progress {
            Err(error) => {
                parsed.error = Some(error.to_string());
                return parsed;
            }
            Ok(Progress::Complete { consumed }) => {
                parsed.requests.push(spans.iter().map(|span| span.of(received).to_vec()).collect());
                consumed
            }
            Ok(Progress::Inline { consumed, args }) => {
                if !args.is_empty() {
                    parsed.requests.push(args);
                }
                consumed
            }
            Ok(Progress::Empty { consumed }) => consumed,
            Ok(Progress::Incomplete { missing }) => {
                assert!(missing > 0 && missing <= LIMITS.bulk_len_max as usize + 2, "{missing} missing");
                assert!(
                    parser.memory_bytes() <= 16 * (received.len() + 64),
                    "memory follows the bytes received"
                );
                if end == input.len() {
                    return parsed;
                }
                end = (end + piece).min(input.len());
                continue;
            }
        };
        assert!(consumed > 0 && consumed <= received.len(), "{consumed} of {}", received.len());
        start += consumed;
    }
}

/// Replies come out the same whether the bytes arrive at once or one by one, and skipping agrees about the first.
pub fn reply(input: &[u8]) {
    let limits = ReplyLimits { depth_max: 16, bulk_len_max: 1 << 16, reply_len_max: 1 << 18 };
    let mut whole = ReplyParser::new(limits);
    whole.feed(input);
    let mut replies = Vec::new();
    while let Ok(Some(reply)) = whole.next_reply() {
        replies.push(reply);
        assert!(replies.len() <= input.len(), "every reply takes bytes");
    }
    let mut pieces = ReplyParser::new(limits);
    let mut count = 0;
    'bytes: for byte in input {
        pieces.feed(std::slice::from_ref(byte));
        loop {
            match pieces.next_reply() {
                Ok(Some(reply)) => {
                    assert_eq!(replies.get(count), Some(&reply));
                    count += 1;
                }
                Ok(None) => break,
                Err(_) => break 'bytes,
            }
        }
    }
    assert_eq!(count, replies.len());
    if let Ok(Some(len)) = skip_reply(input) {
        assert!(len > 0 && len <= input.len(), "{len} of {}", input.len());
    }
}

/// A configuration is refused, or leaves every directive with a value that can be shown and set again.
pub fn config(input: &[u8]) {
    let mut config = Config::new();
    let mut stdin = || Ok(input.to_vec());
    if config.load_args(&[b"-"], false, &mut stdin, &NoFiles).is_err() {
        return;
    }
    for record in ochre_config::TABLE {
        let _ = config.shown(record.id);
    }
}

/// The matcher agrees with the definition of a pattern.
pub fn glob(input: &[u8]) {
    let middle = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len() / 2);
    let (pattern, text) = input.split_at(middle);
    let pattern = &pattern[..pattern.len().min(24)];
    let text = &text[..text.len().min(24)];
    for case in [Case::Sensitive, Case::Insensitive] {
        let found = glob_match(pattern, text, case);
        if pattern.iter().filter(|&&byte| byte == b'*').count() <= 6 {
            let shown = || format!("{} {}", pattern.escape_ascii(), text.escape_ascii());
            assert_eq!(found, glob_by_definition(pattern, text, case), "{}", shown());
        }
    }
}

/// A star matches any number of bytes, all of which are tried; anything else is left to the matcher, one byte at a time.
fn glob_by_definition(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        // Not even a star matches an empty text, unless something came before it.
        return pattern.is_empty();
    }
    tail_by_definition(pattern, text, case)
}

fn tail_by_definition(pattern: &[u8], text: &[u8], case: Case) -> bool {
    match (pattern, text) {
        (_, []) => pattern.iter().all(|&byte| byte == b'*'),
        ([], _) => false,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skip| tail_by_definition(rest, &text[skip..], case)),
        (_, [byte, rest @ ..]) => {
            let len = element_len(pattern);
            let element = &pattern[..len];
            glob_match(element, std::slice::from_ref(byte), case)
                && tail_by_definition(&pattern[len..], rest, case)
        }
    }
}

/// The length of the first element of a pattern that does not begin with a star.
fn element_len(pattern: &[u8]) -> usize {
    match pattern {
        [b'\\', _, ..] => 2,
        [b'[', ..] => class_len(pattern),
        _ => 1,
    }
}

fn class_len(pattern: &[u8]) -> usize {
    let mut at = 1 + usize::from(pattern.get(1) == Some(&b'^'));
    while let Some(&byte) = pattern.get(at) {
        match byte {
            b']' => return at + 1,
            b'\\' if at + 1 < pattern.len() => at += 2,
            _ if pattern.get(at + 1) == Some(&b'-') && at + 2 < pattern.len() => at += 3,
            _ => at += 1,
        }
    }
    pattern.len()
}

/// A string that calls itself a HyperLogLog is refused in every way or in none; adding leaves one, and both encodings count
/// the same. The first byte says how much is added.
pub fn hyperloglog(input: &[u8]) {
    let Some((&elements, string)) = input.split_first() else { return };
    let Ok(sketch) = HyperLogLog::new(string) else { return };
    assert!(sketch.opcodes().count() <= string.len());
    let (count, mut union, mut dense) = (sketch.count(), SketchUnion::new(), string.to_vec());
    assert_eq!(sketch.merge_into(&mut union).map(|()| union.finish().count()), count);
    let made_dense = HyperLogLog::make_dense(&mut dense);
    assert_eq!(made_dense.map(|_| ()), count.map(|_| ()));
    let mut sparse = string.to_vec();
    for element in 0..elements {
        let (len, len_max) = (sparse.len(), usize::from(element) * 16);
        if HyperLogLog::add(&mut sparse, &[element], len_max).is_err() {
            assert!(made_dense.is_err() && sparse.len() == len);
            break;
        }
        let after = HyperLogLog::new(&sparse).expect("it stays one");
        assert!(sparse.len() <= len + 4 || after.encoding() == Encoding::Dense);
        if made_dense.is_ok() {
            HyperLogLog::add(&mut dense, &[element], len_max).expect("dense registers are never nonsense");
            assert_eq!(after.count(), HyperLogLog::new(&dense).expect("it stays one").count());
        }
    }
}

/// A table agrees with a map after any operations; what expires is swept in time; a scan misses no key that stays.
pub fn table(input: &[u8]) {
    let mut pair = TablePair::new(input.first().copied().unwrap_or(0));
    for operation in input.get(1..).unwrap_or(&[]).chunks_exact(4) {
        pair.apply(operation[0], u16::from_le_bytes([operation[1], operation[2]]), operation[3]);
    }
    pair.check();
    // What was the table's is freed piece by piece.
    let left: usize = pair.table.into_segments().iter().map(|segment| segment.len()).sum();
    assert_eq!(left, pair.model.len());
}

/// A value of the model: its bytes, and when it expires (ms).
type Modelled = (Vec<u8>, Option<i64>);

struct TablePair {
    table: Table,
    hasher: Hasher,
    model: BTreeMap<u16, Modelled>,
    now_ms: i64,
    /// A scan that is under way: where it goes on, keys that were there all the time, and keys it has returned.
    scan: Option<(u64, BTreeSet<u16>, BTreeSet<u16>)>,
}

/// A key by its number; some are longer than 255 bytes.
fn name(number: u16) -> Vec<u8> {
    let len = if number.is_multiple_of(61) { 300 } else { 4 + usize::from(number % 20) };
    format!("{number:0len$}").into_bytes()
}

fn number(name: &[u8]) -> u16 {
    std::str::from_utf8(name).expect("digits").parse().expect("a number")
}

impl TablePair {
    fn new(seed: u8) -> TablePair {
        TablePair {
            table: Table::new(6),
            hasher: Hasher::new(u64::from(seed)),
            model: BTreeMap::new(),
            now_ms: 0,
            scan: None,
        }
    }

    /// `operation` on the key `first` or a run of keys that begins there.
    fn apply(&mut self, operation: u8, first: u16, more: u8) {
        let run = || (0..u16::from(more) * 8).map(|by| first.wrapping_add(by));
        match operation % 12 {
            0 => self.put(first, usize::from(more), None),
            1 => self.put(first, usize::from(more) * 20, Some(self.now_ms + i64::from(more))),
            2 => self.remove(first),
            3 => run().for_each(|key| self.put(key, 1, None)),
            4 => run().for_each(|key| self.put(key, 8, Some(self.now_ms + i64::from(key % 256)))),
            5 | 6 => run().for_each(|key| self.remove(key)),
            7 => self.expire(first, more),
            8 => self.sweep(i64::from(more), usize::from(first % 64)),
            9 => self.sweep(i64::from(more), usize::MAX),
            10 => (0..=more).for_each(|_| self.scan_on()),
            _ => self.check(),
        }
    }

    fn put(&mut self, key: u16, value_len: usize, expire_ms: Option<i64>) {
        let (name, value) = (name(key), vec![key as u8; value_len]);
        let entry = Entry::new(&name, NewValue::Bytes { bytes: &value, raw: false }, expire_ms, 0);
        let hashed = self.hasher.key(&name);
        match self.table.find(hashed) {
            Some(location) => assert!(self.table.replace(location, hashed, entry).is_some()),
            None => drop(self.table.insert(hashed, entry, &self.hasher)),
        }
        self.model.insert(key, (value, expire_ms));
    }

    fn remove(&mut self, key: u16) {
        let found = self.table.find(self.hasher.key(&name(key)));
        let removed = found.and_then(|location| self.table.remove(location, &self.hasher));
        assert_eq!(removed.is_some(), self.model.remove(&key).is_some(), "key {key}");
        self.left(key);
    }

    /// The key is no longer there, so a scan need not return it.
    fn left(&mut self, key: u16) {
        if let Some((_, stays, _)) = &mut self.scan {
            stays.remove(&key);
        }
    }

    fn expire(&mut self, key: u16, ms: u8) {
        let name = name(key);
        let hashed = self.hasher.key(&name);
        let Some(location) = self.table.find(hashed) else { return };
        let expire_ms = (ms > 0).then(|| self.now_ms + i64::from(ms));
        self.table.set_expire(location, hashed, expire_ms);
        self.model.get_mut(&key).expect("the model has it, too").1 = expire_ms;
    }

    /// Lets time pass and removes what has expired, from at most so many segments.
    fn sweep(&mut self, ms: i64, segments_max: usize) {
        self.now_ms += ms;
        let (mut harvest, mut position) = (Harvest::new(), Some(0));
        for _ in 0..segments_max {
            let Some(at) = position else { break };
            position = self.table.sweep(at, self.now_ms, &self.hasher, &mut harvest).1;
        }
        for entry in harvest.gone {
            let (_, expire_ms) = self.model.remove(&number(entry.as_ref().key())).expect("it was there");
            assert!(expire_ms.is_some_and(|at| at <= self.now_ms), "{expire_ms:?} is not over");
            self.left(number(entry.as_ref().key()));
        }
        if position.is_none() {
            let late =
                self.model.values().find(|(_, expire_ms)| expire_ms.is_some_and(|at| at <= self.now_ms));
            assert!(late.is_none(), "{late:?} was not swept at {}", self.now_ms);
            self.table.refresh_next_expire();
        }
    }

    /// Takes a scan one step further, or begins one.
    fn scan_on(&mut self) {
        let begin = || (0, self.model.keys().copied().collect(), BTreeSet::new());
        let (position, stays, mut seen) = self.scan.take().unwrap_or_else(begin);
        let next = self.table.visit_line(position, &self.hasher, &mut |entry| {
            seen.insert(number(entry.key()));
        });
        match next {
            Some(next) => {
                assert!(next > position, "a scan goes on");
                self.scan = Some((next, stays, seen));
            }
            None => {
                assert!(stays.is_subset(&seen), "missed {:?}", stays.difference(&seen).collect::<Vec<_>>())
            }
        }
    }

    fn check(&mut self) {
        assert_eq!(self.table.len(), self.model.len());
        let expires = self.model.values().filter_map(|(_, expire_ms)| *expire_ms);
        assert_eq!(self.table.expiring(), expires.clone().count());
        assert!(expires.min().is_none_or(|first| self.table.next_expire_ms() <= first));
        for (key, (value, expire_ms)) in &self.model {
            let name = name(*key);
            let location = self.table.find(self.hasher.key(&name)).expect("every key is found");
            let entry = self.table.entry(location).expect("an entry");
            assert_eq!((entry.key(), entry.expire_ms()), (&name[..], *expire_ms));
            match entry.value() {
                ValueRef::Bytes { bytes, .. } => assert_eq!(bytes, value),
                ValueRef::Object(ObjectRef::String(bytes)) => assert_eq!(bytes[..], value[..]),
                other => panic!("{other:?}"),
            }
        }
        let mut visited = 0;
        self.table.visit_all(&mut |entry| {
            assert!(self.model.contains_key(&number(entry.key())));
            visited += 1;
        });
        assert_eq!(visited, self.model.len());
    }
}

/// Compressed bytes from outside give what was announced or an error; what is compressed comes back.
pub fn compressed(input: &[u8]) {
    for len in [input.len(), 2 * input.len(), 300] {
        if let Ok(output) = lzf::decompress(input, len) {
            assert_eq!(output.len(), len);
        }
    }
    let room = input.len() + input.len() / 32 + 1;
    let compressed = lzf::compress(input, room).expect("literals fit");
    assert_eq!(lzf::decompress(&compressed, input.len()).as_deref(), Ok(input));
}

/// A file is refused, or reads the same whole and in parts; what was read is written, and reads the same again.
pub fn rdb(input: &[u8]) {
    let Some((choice, records)) = input.split_first() else { return };
    let versions = [11, 80, 14, 16, 12, 2, 9, 13].map(|number| rdb::Version::new(number, Default::default()));
    let Some(version) = versions[usize::from(choice % 8)] else { return };
    let file = [&version.header()[..], records].concat();
    let whole = read_file(&file, 1 << 20);
    let in_parts = read_file(&file, 0);
    assert_eq!(whole.is_some(), in_parts.is_some());
    let Some(whole) = whole else { return };
    assert_eq!(Some(&whole), in_parts.as_ref());
    let mut writer =
        rdb::Writer::new(Vec::new(), rdb::WriteOptions::default()).expect("a vector takes everything");
    for (key, info, value) in &whole {
        writer.record(key, *info, value_ref(value)).expect("some version can hold it");
    }
    let (mut written, result) = writer.finish().expect("a vector takes everything");
    if let Some(header) = result.header {
        written[..header.len()].copy_from_slice(&header);
    }
    assert_eq!(read_file(&written, 1 << 20), Some(whole));
}

type FileKey = (Vec<u8>, rdb::KeyInfo, rdb::Value<'static>);

/// The keys of a file in their order, but for those that only modules can read.
fn read_file(file: &[u8], record_bytes_max: usize) -> Option<Vec<FileKey>> {
    let options =
        rdb::ReadOptions { chunk_bytes: 64, record_bytes_max, checks_sum: false, ..Default::default() };
    let (mut reader, mut keys) = (rdb::Reader::new(file, options), Vec::new());
    loop {
        match reader.next().ok()? {
            rdb::Event::End(_) => return Some(keys),
            rdb::Event::Records(batch) => {
                for record in batch.records() {
                    let key = record.key().ok()?.into_vec();
                    match record.decode(&options.limits) {
                        Ok(value) => keys.push((key, record.info(), owned(value))),
                        Err(error) if error.is_of_value() => {}
                        Err(_) => return None,
                    }
                }
            }
            rdb::Event::Big(big) => {
                let rdb::BigRecord { key, info, value, .. } = *big;
                value.into_iter().for_each(|value| keys.push((key.clone(), info, owned(value))));
            }
            _ => {}
        }
    }
}

/// A value as one string in memory of its own, or whatever else it is.
fn owned(value: rdb::Value<'_>) -> rdb::Value<'static> {
    match value {
        rdb::Value::String(text) => rdb::Value::String(rdb::Text::Owned(text.into_vec())),
        rdb::Value::Object(object) => rdb::Value::Object(object),
    }
}

fn value_ref<'a>(value: &'a rdb::Value<'_>) -> rdb::ValueRef<'a> {
    match value {
        rdb::Value::String(rdb::Text::Owned(bytes)) => rdb::ValueRef::String(bytes),
        rdb::Value::String(rdb::Text::Bytes(bytes)) => rdb::ValueRef::String(bytes),
        rdb::Value::String(rdb::Text::Int(int)) => rdb::ValueRef::Int(*int),
        rdb::Value::Object(object) => object.into(),
    }
}

/// A DUMP payload is refused, or what is dumped again restores to the same. The checksum is not looked at.
pub fn payload(input: &[u8]) {
    let Ok(payload) = rdb::Payload::verify(input, rdb::VersionCheck::Strict, false) else { return };
    let Ok(value) = payload.decode(&rdb::Limits::default()) else { return };
    let value = owned(value);
    let dumped =
        rdb::dump(value_ref(&value), rdb::EncodeOptions::default()).expect("some version can hold it");
    assert_eq!(rdb::restore(&dumped, &rdb::Limits::default()).map(owned), Ok(value));
}

/// The units of a log, where it could be cut off, and whether reading came to its end. Each has its place and its arguments.
type LoggedCommand = (u64, u64, Vec<Vec<u8>>);

fn read_log(bytes: &[u8]) -> (Vec<LoggedCommand>, u64, bool) {
    let disk = TwinDisk::default();
    disk.put("log", bytes);
    let file = disk.open("log".as_ref(), FileAccess::Read).expect("it was put there");
    let limits = ReadLimits { argument_bytes_max: 4096, unit_bytes_max: 1 << 16 };
    let mut reader = Reader::new(&*file, 0, limits);
    let mut units = Vec::new();
    loop {
        match reader.next_unit() {
            Ok(Some(unit)) => {
                let args = unit.commands().flat_map(|command| command.args().map(<[u8]>::to_vec));
                units.push((unit.start, unit.end, args.collect()));
            }
            end => {
                let is_whole = end.is_ok();
                return (units, reader.valid_end(), is_whole);
            }
        }
    }
}

/// A log is read within its bounds, unit after unit; cut off where reading stopped it is whole, with the same units.
pub fn aof(input: &[u8]) {
    let (units, valid_end, _) = read_log(input);
    assert!(valid_end <= input.len() as u64);
    let mut position = 0;
    for (start, end, args) in &units {
        assert!(*start >= position && end > start && *end <= input.len() as u64);
        assert!(args.iter().map(Vec::len).sum::<usize>() as u64 <= end - start);
        position = *end;
    }
    let (again, again_end, whole) = read_log(&input[..valid_end as usize]);
    assert!(whole && again_end == valid_end, "cut off at {valid_end}, it ends at {again_end}");
    let kept = units.iter().take_while(|(_, end, _)| *end <= valid_end);
    assert!(kept.eq(&again));
}

/// A manifest is refused, or means the same once written; no name leads out of the directory.
pub fn manifest(input: &[u8]) {
    let Ok(manifest) = Manifest::parse(input) else { return };
    let names = manifest.live().chain(manifest.history()).map(|entry| entry.name.to_string_lossy());
    names.for_each(|name| assert!(!name.contains('/') && name != ".." && name != "."));
    let text = manifest.text();
    if !text.is_empty() {
        assert_eq!(Manifest::parse(&text).expect("what is written can be read"), manifest);
    }
}
