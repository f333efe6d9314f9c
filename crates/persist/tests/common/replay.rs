//! A data set that carries out the commands of a base, and is stricter than a server: what a server would answer with an error
//! fails the test.

use std::collections::BTreeMap;

use ochre_persist::aof::{ReadLimits, Reader, Stop};
use ochre_persist::disk::{Access, Disk as _, TwinDisk};
use ochre_types::hash::{Condition, ExpireOutcome, Hash};
use ochre_types::list::{End, List, ListLimits};
use ochre_types::set::{Set, SetLimits};
use ochre_types::stream::{
    ClaimOptions, ClaimTime, IdRequest, IdempotencyLimits, NackMode, NodeLimits, References, Stream,
    StreamId, Trim, TrimTo,
};
use ochre_types::zset::{AddRule, ZSet, ZSetLimits};
use ochre_types::{DataType, parse_f64};

use super::{Content, HASH_LIMITS};

/// The time it is for the data set.
pub const NOW_MS: i64 = 1_000_000;

/// A command's arguments.
pub type Args = Vec<Vec<u8>>;

/// The commands of a file, which is nothing else.
pub fn commands(bytes: &[u8]) -> Vec<Args> {
    try_commands(bytes).unwrap()
}

/// The same of one that may be damaged.
pub fn try_commands(bytes: &[u8]) -> Result<Vec<Args>, Stop> {
    let disk = TwinDisk::default();
    disk.put("base", bytes);
    let file = disk.open("base".as_ref(), Access::Read).unwrap();
    let mut reader = Reader::new(&*file, 0, ReadLimits::default());
    let mut commands = Vec::new();
    while let Some(unit) = reader.next_unit()? {
        commands.extend(unit.commands().map(|command| command.args().map(<[u8]>::to_vec).collect::<Args>()));
    }
    Ok(commands)
}

/// Keys, by database.
#[derive(Debug, Default, PartialEq)]
pub struct Replay {
    pub keys: BTreeMap<(u64, Vec<u8>), (Content, Option<i64>)>,
    db: u64,
}

fn int<T: std::str::FromStr>(text: &[u8]) -> T {
    std::str::from_utf8(text).unwrap().parse().ok().unwrap()
}

fn id(text: &[u8]) -> StreamId {
    StreamId::parse(text, 0).unwrap()
}

fn ids(texts: &[&[u8]]) -> Vec<StreamId> {
    assert!(!texts.is_empty());
    texts.iter().map(|text| id(text)).collect()
}

impl Replay {
    /// Carries out the commands of a file.
    pub fn of(bytes: &[u8]) -> Replay {
        let mut replay = Replay::default();
        for command in commands(bytes) {
            replay.apply(&command.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        replay.db = 0;
        replay
    }

    fn value<T: DataType>(&mut self, key: &[u8]) -> &mut T {
        let new = || (Content::Object(T::default().into_object()), None);
        match &mut self.keys.entry((self.db, key.to_vec())).or_insert_with(new).0 {
            Content::Object(object) => T::of_mut(object.as_mut()).unwrap(),
            Content::String(_) => panic!("a string"),
        }
    }

    fn apply(&mut self, args: &[&[u8]]) {
        match args {
            [b"SELECT", db] => self.db = int(db),
            [b"SET", key, value] => {
                let content = (Content::String(value.to_vec()), None);
                assert!(self.keys.insert((self.db, key.to_vec()), content).is_none());
            }
            [b"PEXPIREAT", key, ms] => {
                self.keys.get_mut(&(self.db, key.to_vec())).unwrap().1 = Some(int(ms));
            }
            [name, key, elements @ ..] if !name.starts_with(b"X") => self.elements(name, key, elements),
            _ => self.stream(args),
        }
    }

    fn elements(&mut self, name: &[u8], key: &[u8], elements: &[&[u8]]) {
        assert!(!elements.is_empty());
        match name {
            b"RPUSH" => {
                let elements = elements.iter().copied();
                self.value::<List>(key).push(End::Tail, elements, &ListLimits::default());
            }
            b"SADD" => elements.iter().for_each(|member| {
                assert!(self.value::<Set>(key).add(member, &SetLimits::default()));
            }),
            b"ZADD" => elements.chunks(2).for_each(|pair| {
                let (score, limits) = (parse_f64(pair[0]).unwrap(), ZSetLimits::default());
                self.value::<ZSet>(key).add(pair[1], score, AddRule::default(), &limits).unwrap();
            }),
            b"HMSET" => elements.chunks(2).for_each(|pair| {
                assert!(self.value::<Hash>(key).set(pair[0], pair[1], &HASH_LIMITS));
            }),
            b"HPEXPIREAT" => {
                let [ms, b"FIELDS", count, names @ ..] = elements else { panic!("HPEXPIREAT") };
                assert_eq!(int::<usize>(count), names.len());
                for name in names {
                    let outcome = self.value::<Hash>(key).expire(name, int(ms), Condition::Always, NOW_MS);
                    assert_eq!(outcome, ExpireOutcome::Set);
                }
            }
            _ => panic!("{}", name.escape_ascii()),
        }
    }

    fn stream(&mut self, args: &[&[u8]]) {
        let trim = |to| Trim { to, approximate: false, limit: 0, references: References::Keep };
        match args {
            [b"XADD", key, b"MAXLEN", b"0", entry, fields @ ..] => {
                self.add(key, id(entry), fields);
                self.value::<Stream>(key).trim(&trim(TrimTo::Len(0)));
            }
            [b"XADD", key, entry, fields @ ..] => self.add(key, id(entry), fields),
            [b"XSETID", key, last, b"ENTRIESADDED", added, b"MAXDELETEDID", deleted] => {
                let (added, deleted) = (Some(int(added)), Some(id(deleted)));
                self.value::<Stream>(key).set_last_id(id(last), added, deleted).unwrap();
            }
            [b"XTRIM", key, b"MAXLEN", len] => {
                self.value::<Stream>(key).trim(&trim(TrimTo::Len(int(len))));
            }
            [b"XTRIM", key, b"MINID", first] => {
                self.value::<Stream>(key).trim(&trim(TrimTo::MinId(id(first))));
            }
            [b"XDEL", key, deleted @ ..] => {
                let count = self.value::<Stream>(key).delete(&ids(deleted));
                assert_eq!(count, deleted.len() as u64);
            }
            [b"XCFGSET", key, b"IDMP-DURATION", duration, b"IDMP-MAXSIZE", max] => {
                let limits = IdempotencyLimits { duration_s: int(duration), ids_max: int(max) };
                self.value::<Stream>(key).set_idempotency_limits(limits);
            }
            [b"XIDMPRECORD", key, producer, message, entry] => {
                let (stream, entry) = (self.value::<Stream>(key), id(entry));
                assert!(stream.get(entry).is_some(), "No such message in stream");
                stream.remember_message(producer, message, entry, Default::default(), NOW_MS).unwrap();
            }
            _ => self.group(args),
        }
    }

    fn add(&mut self, key: &[u8], id: StreamId, fields: &[&[u8]]) {
        assert!(fields.len().is_multiple_of(2) && !fields.is_empty());
        let request = IdRequest::Exact(id);
        self.value::<Stream>(key).add(request, fields, NodeLimits::default(), NOW_MS).unwrap();
    }

    fn group(&mut self, args: &[&[u8]]) {
        match args {
            [b"XGROUP", b"CREATE", key, group, last, b"ENTRIESREAD", read] => {
                let read = Some(int::<i64>(read)).filter(|read| *read != -1).map(|read| read as u64);
                self.value::<Stream>(key).create_group(group, id(last), read).unwrap();
            }
            [b"XGROUP", b"CREATECONSUMER", key, group, consumer] => {
                assert!(self.value::<Stream>(key).create_consumer(group, consumer, NOW_MS).unwrap());
            }
            [
                b"XCLAIM",
                key,
                group,
                consumer,
                b"0",
                ids_and_time @ ..,
                b"RETRYCOUNT",
                count,
                b"JUSTID",
                b"FORCE",
            ] => {
                let [claimed @ .., b"TIME", time_ms] = ids_and_time else { panic!("XCLAIM") };
                let options = ClaimOptions {
                    time: ClaimTime::At(int(time_ms)),
                    deliveries: Some(int(count)),
                    force: true,
                    just_id: true,
                    ..ClaimOptions::default()
                };
                let ids = ids(claimed);
                let report =
                    self.value::<Stream>(key).claim(group, consumer, &ids, &options, NOW_MS).unwrap();
                assert_eq!(report.claimed.len(), ids.len());
            }
            [
                b"XNACK",
                key,
                group,
                b"FAIL",
                b"IDS",
                count,
                given @ ..,
                b"RETRYCOUNT",
                deliveries,
                b"FORCE",
            ] => {
                assert_eq!(int::<usize>(count), given.len());
                let (ids, deliveries) = (ids(given), Some(int(deliveries)));
                let stream = self.value::<Stream>(key);
                let given = stream.give_back(group, &ids, NackMode::Fail, deliveries, true).unwrap();
                assert_eq!(given.len(), ids.len());
            }
            _ => panic!("{}", args.join(&b' ').escape_ascii()),
        }
    }
}
