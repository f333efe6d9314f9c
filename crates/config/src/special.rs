//! The values that are more than a word or a number, each with its reader and its printer.

use std::sync::Arc;

use ochre_types::parse_f64;

use crate::number::{self, Refusal};

/// Take a snapshot after so many seconds if so many changes were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePoint {
    /// Seconds since the last snapshot; at least 1.
    pub seconds: i64,
    /// Changes since then; at least 0.
    pub changes: i32,
}

/// `save` when nothing is configured.
pub(crate) const DEFAULT_SAVE: [SavePoint; 3] = [
    SavePoint { seconds: 3600, changes: 1 },
    SavePoint { seconds: 300, changes: 100 },
    SavePoint { seconds: 60, changes: 10_000 },
];

/// Reads pairs of numbers; a single empty argument is no pair at all. A count of changes beyond 32 bits is refused,
/// where the peers wrap around.
pub(crate) fn parse_save(args: &[&[u8]]) -> Result<Vec<SavePoint>, Refusal> {
    const INVALID: &str = "Invalid save parameters";
    if matches!(args, [b""]) {
        return Ok(Vec::new());
    }
    let point = |pair: &[&[u8]]| {
        let [seconds, changes] = pair else { return None };
        let seconds = i64::try_from(number::lenient(seconds, 10)?).ok().filter(|seconds| *seconds >= 1)?;
        let changes = i32::try_from(number::lenient(changes, 10)?).ok().filter(|changes| *changes >= 0)?;
        Some(SavePoint { seconds, changes })
    };
    args.chunks(2).map(point).collect::<Option<_>>().ok_or(INVALID.into())
}

pub(crate) fn print_save(points: &[SavePoint]) -> String {
    join(points.iter().map(|point| format!("{} {}", point.seconds, point.changes)))
}

/// The classes of clients that have their own output buffer limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientClass {
    /// Ordinary clients.
    Normal,
    /// Replicas.
    Replica,
    /// Clients that are subscribed to something.
    Pubsub,
}

impl ClientClass {
    /// All classes, in the order of the limits.
    pub const ALL: [ClientClass; 3] = [ClientClass::Normal, ClientClass::Replica, ClientClass::Pubsub];

    fn find(name: &[u8]) -> Option<ClientClass> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Some(ClientClass::Normal),
            b"replica" | b"slave" => Some(ClientClass::Replica),
            b"pubsub" => Some(ClientClass::Pubsub),
            _ => None,
        }
    }

    /// The name CONFIG GET shows, which is an old one.
    fn shown(self) -> &'static str {
        match self {
            ClientClass::Normal => "normal",
            ClientClass::Replica => "slave",
            ClientClass::Pubsub => "pubsub",
        }
    }

    /// The name CONFIG REWRITE writes.
    pub(crate) fn written(self) -> &'static str {
        match self {
            ClientClass::Replica => "replica",
            ClientClass::Normal | ClientClass::Pubsub => self.shown(),
        }
    }
}

/// How much may wait to be sent to a client before it is disconnected. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputBufferLimit {
    /// Bytes above which it is disconnected at once.
    pub hard_bytes: u64,
    /// Bytes above which it is disconnected when that lasts.
    pub soft_bytes: u64,
    /// How long that may last, in seconds.
    pub soft_seconds: i32,
}

/// Limits of normal clients, replicas and subscribers when nothing is configured.
pub(crate) const DEFAULT_LIMITS: [OutputBufferLimit; 3] = [
    OutputBufferLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 },
    OutputBufferLimit { hard_bytes: 256 << 20, soft_bytes: 64 << 20, soft_seconds: 60 },
    OutputBufferLimit { hard_bytes: 32 << 20, soft_bytes: 8 << 20, soft_seconds: 60 },
];

/// Reads groups of class, hard limit, soft limit, seconds. Classes that are not named keep their limits.
pub(crate) fn parse_limits(
    args: &[&[u8]],
    old: [OutputBufferLimit; 3],
) -> Result<[OutputBufferLimit; 3], Refusal> {
    if !args.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits = old;
    for group in args.chunks(4) {
        let [class, hard, soft, seconds] = group else { continue };
        let class = ClientClass::find(class)
            .ok_or("Invalid client class specified in buffer limit configuration.")?;
        let limit = parse_limit(hard, soft, seconds)
            .ok_or("Error in hard, soft or soft_seconds setting in buffer limit configuration.")?;
        limits[class as usize] = limit;
    }
    Ok(limits)
}

fn parse_limit(hard: &[u8], soft: &[u8], seconds: &[u8]) -> Option<OutputBufferLimit> {
    let soft_seconds = i32::try_from(number::lenient(seconds, 10)?).ok().filter(|seconds| *seconds >= 0)?;
    Some(OutputBufferLimit {
        hard_bytes: number::parse_memory(hard)?,
        soft_bytes: number::parse_memory(soft)?,
        soft_seconds,
    })
}

pub(crate) fn print_limits(limits: &[OutputBufferLimit; 3]) -> String {
    join(ClientClass::ALL.iter().zip(limits).map(|(class, limit)| {
        format!("{} {} {} {}", class.shown(), limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
    }))
}

/// `oom-score-adj-values` when nothing is configured.
pub(crate) const DEFAULT_SCORES: [i32; 3] = [0, 200, 800];

pub(crate) fn parse_scores(args: &[&[u8]]) -> Result<[i32; 3], Refusal> {
    let args: &[&[u8]; 3] = args.try_into().map_err(|_| "wrong number of arguments")?;
    let mut scores = [0; 3];
    for (score, arg) in scores.iter_mut().zip(args) {
        *score = number::lenient(arg, 10)
            .and_then(|value| i32::try_from(value).ok())
            .filter(|value| (-2000..=2000).contains(value))
            .ok_or("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")?;
    }
    Ok(scores)
}

/// `latency-tracking-info-percentiles` when nothing is configured.
pub(crate) const DEFAULT_PERCENTILES: [f64; 3] = [50.0, 99.0, 99.9];

pub(crate) fn parse_percentiles(args: &[&[u8]]) -> Result<Vec<f64>, Refusal> {
    if matches!(args, [b""]) {
        return Ok(Vec::new());
    }
    args.iter().map(|arg| parse_percentile(arg)).collect()
}

fn parse_percentile(arg: &[u8]) -> Result<f64, Refusal> {
    let value = parse_f64(arg).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
    if (0.0..=100.0).contains(&value) {
        Ok(value)
    } else {
        Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into())
    }
}

pub(crate) fn print_percentiles(percentiles: &[f64]) -> String {
    join(percentiles.iter().map(|value| {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }))
}

/// Reads listening addresses; a single empty argument is no address at all.
pub(crate) fn parse_addresses(args: &[&[u8]]) -> Result<Arc<[Vec<u8>]>, Refusal> {
    const MOST: usize = 16;
    match args {
        [b""] => Ok(Arc::new([])),
        _ if args.len() > MOST => Err("Too many bind addresses specified.".into()),
        _ => Ok(args.iter().map(|arg| arg.to_vec()).collect()),
    }
}

/// The master of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaOf {
    /// Its name or address.
    pub host: Vec<u8>,
    /// Its port.
    pub port: u16,
}

/// Reads host and port, or `no one`.
pub(crate) fn parse_replica_of(args: &[&[u8]]) -> Result<Option<ReplicaOf>, Refusal> {
    let [host, port] = args else { return Err("wrong number of arguments".into()) };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(None);
    }
    let port =
        number::lenient(port, 10).and_then(|port| u16::try_from(port).ok()).ok_or("Invalid master port")?;
    Ok(Some(ReplicaOf { host: host.to_vec(), port }))
}

/// Classes of changes that are published: a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyspaceEvents(u32);

impl KeyspaceEvents {
    /// `g`: commands on keys of any type.
    pub const GENERIC: KeyspaceEvents = KeyspaceEvents(1 << 0);
    /// `$`: strings.
    pub const STRING: KeyspaceEvents = KeyspaceEvents(1 << 1);
    /// `l`: lists.
    pub const LIST: KeyspaceEvents = KeyspaceEvents(1 << 2);
    /// `s`: sets.
    pub const SET: KeyspaceEvents = KeyspaceEvents(1 << 3);
    /// `h`: hashes.
    pub const HASH: KeyspaceEvents = KeyspaceEvents(1 << 4);
    /// `z`: sorted sets.
    pub const ZSET: KeyspaceEvents = KeyspaceEvents(1 << 5);
    /// `x`: expired keys.
    pub const EXPIRED: KeyspaceEvents = KeyspaceEvents(1 << 6);
    /// `e`: evicted keys.
    pub const EVICTED: KeyspaceEvents = KeyspaceEvents(1 << 7);
    /// `t`: streams.
    pub const STREAM: KeyspaceEvents = KeyspaceEvents(1 << 8);
    /// `d`: types of modules.
    pub const MODULE: KeyspaceEvents = KeyspaceEvents(1 << 9);
    /// `n`: new keys.
    pub const NEW: KeyspaceEvents = KeyspaceEvents(1 << 10);
    /// `o`: overwritten keys.
    pub const OVERWRITTEN: KeyspaceEvents = KeyspaceEvents(1 << 11);
    /// `c`: keys that changed their type.
    pub const TYPE_CHANGED: KeyspaceEvents = KeyspaceEvents(1 << 12);
    /// `K`: publish under the key's name.
    pub const KEYSPACE: KeyspaceEvents = KeyspaceEvents(1 << 13);
    /// `E`: publish under the event's name.
    pub const KEYEVENT: KeyspaceEvents = KeyspaceEvents(1 << 14);
    /// `m`: reads of keys that do not exist.
    pub const KEY_MISS: KeyspaceEvents = KeyspaceEvents(1 << 15);
    /// `S`: publish with the subkeys under the key's name.
    pub const SUBKEYSPACE: KeyspaceEvents = KeyspaceEvents(1 << 16);
    /// `T`: publish with the subkeys under the event's name.
    pub const SUBKEYEVENT: KeyspaceEvents = KeyspaceEvents(1 << 17);
    /// `I`: publish under the names of the key and of each subkey.
    pub const SUBKEYSPACEITEM: KeyspaceEvents = KeyspaceEvents(1 << 18);
    /// `V`: publish with the subkeys under the names of the event and the key.
    pub const SUBKEYSPACEEVENT: KeyspaceEvents = KeyspaceEvents(1 << 19);
    /// `A`: the classes from `g` to `d`.
    pub const ALL: KeyspaceEvents = KeyspaceEvents((1 << 10) - 1);

    /// Letters in the order in which they are printed.
    const LETTERS: [(u8, KeyspaceEvents); 20] = [
        (b'g', KeyspaceEvents::GENERIC),
        (b'$', KeyspaceEvents::STRING),
        (b'l', KeyspaceEvents::LIST),
        (b's', KeyspaceEvents::SET),
        (b'h', KeyspaceEvents::HASH),
        (b'z', KeyspaceEvents::ZSET),
        (b'x', KeyspaceEvents::EXPIRED),
        (b'e', KeyspaceEvents::EVICTED),
        (b't', KeyspaceEvents::STREAM),
        (b'd', KeyspaceEvents::MODULE),
        (b'n', KeyspaceEvents::NEW),
        (b'o', KeyspaceEvents::OVERWRITTEN),
        (b'c', KeyspaceEvents::TYPE_CHANGED),
        (b'K', KeyspaceEvents::KEYSPACE),
        (b'E', KeyspaceEvents::KEYEVENT),
        (b'm', KeyspaceEvents::KEY_MISS),
        (b'S', KeyspaceEvents::SUBKEYSPACE),
        (b'T', KeyspaceEvents::SUBKEYEVENT),
        (b'I', KeyspaceEvents::SUBKEYSPACEITEM),
        (b'V', KeyspaceEvents::SUBKEYSPACEEVENT),
    ];

    /// Whether every class of `other` is in the set.
    #[must_use]
    pub const fn contains(self, other: KeyspaceEvents) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the set is empty. A set without `K` and `E` and without `S`, `T`, `I` and `V` publishes nothing either.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as bits, for a copy in an atomic.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set of such bits.
    #[must_use]
    pub const fn from_bits(bits: u32) -> KeyspaceEvents {
        KeyspaceEvents(bits)
    }

    pub(crate) fn parse(text: &[u8]) -> Result<KeyspaceEvents, Refusal> {
        let mut events = KeyspaceEvents::default();
        for letter in text {
            events.0 |= match letter {
                b'A' => KeyspaceEvents::ALL.0,
                _ => {
                    KeyspaceEvents::of(*letter)
                        .ok_or("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")?
                        .0
                }
            };
        }
        Ok(events)
    }

    fn of(letter: u8) -> Option<KeyspaceEvents> {
        KeyspaceEvents::LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, class)| *class)
    }

    /// The text CONFIG GET shows. Next to `A` the peers do not show `n`, `o` and `c`, although they are in force.
    pub(crate) fn print(self) -> String {
        let hidden = KeyspaceEvents::NEW.0 | KeyspaceEvents::OVERWRITTEN.0 | KeyspaceEvents::TYPE_CHANGED.0;
        let all = self.contains(KeyspaceEvents::ALL);
        KeyspaceEvents(if all { self.0 & !hidden } else { self.0 }).print_whole()
    }

    /// The text CONFIG REWRITE writes, which loses nothing.
    pub(crate) fn print_whole(self) -> String {
        let all = self.contains(KeyspaceEvents::ALL);
        let rest = if all { self.0 & !KeyspaceEvents::ALL.0 } else { self.0 };
        let letters = KeyspaceEvents::LETTERS.iter().filter(|(_, class)| rest & class.0 != 0);
        all.then_some('A').into_iter().chain(letters.map(|(letter, _)| char::from(*letter))).collect()
    }
}

/// Parts with a space between them.
pub(crate) fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" ")
}
