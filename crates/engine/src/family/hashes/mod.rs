//! Hashes: fields with names, values and, if wanted, a time when they expire.
//!
//! What a hash is and does is `ochre_types::hash`'s; here are the requests and replies. Two grammars come several times: a
//! number of fields behind the word FIELDS at a fixed place (`fields`), and options in any order among them (`options`).
//!
//! A field whose time has passed is hidden from reads. Commands that name it also remove it, as in Redis: those that read
//! through [`View::expire_fields`](ochre_keyspace::View::expire_fields), once they have seen that one may have expired;
//! those that write with [`Edit::expire_field`](ochre_keyspace::Edit::expire_field), before they do what they are for.

mod counters;
mod delete;
mod expire;
mod fields;
mod get;
mod getex;
mod options;
mod random;
mod scan;
mod set;
mod setex;
#[cfg(test)]
mod tests;
mod time_to_live;
mod whole;

use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;

use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};
use crate::family::reply_item::{Room, reply_item};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    counters::HINCRBY,
    counters::HINCRBYFLOAT,
    delete::HDEL,
    delete::HGETDEL,
    expire::HEXPIRE,
    expire::HEXPIREAT,
    expire::HPERSIST,
    expire::HPEXPIRE,
    expire::HPEXPIREAT,
    get::HEXISTS,
    get::HGET,
    get::HLEN,
    get::HMGET,
    get::HSTRLEN,
    getex::HGETEX,
    random::HRANDFIELD,
    scan::HSCAN,
    set::HMSET,
    set::HSET,
    set::HSETNX,
    setex::HSETEX,
    time_to_live::HEXPIRETIME,
    time_to_live::HPEXPIRETIME,
    time_to_live::HPTTL,
    time_to_live::HTTL,
    whole::HGETALL,
    whole::HKEYS,
    whole::HVALS,
];

const BASE: Command = Command { group: Group::Hash, acl: acl::HASH, since: "2.0.0", ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];
const ASKS: &[KeySpec] = &[KeySpec::first(key_flags::RO)];
const UPDATES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::UPDATE)];

const KEY: Arg = Arg::key("key", 0);
const FIELD: Arg = Arg::new("field", ArgKind::String);
const VALUE: Arg = Arg::new("value", ArgKind::String);
const COUNT: Arg = Arg::new("count", ArgKind::Integer);
const NUM_FIELDS: Arg = Arg::new("numfields", ArgKind::Integer);
const DATA: Arg = Arg::block("data", &[FIELD, VALUE]).multiple();
const FIELDS: Arg = Arg::block("fields", &[NUM_FIELDS, FIELD.multiple()]).token("FIELDS");

const EX: Arg = Arg::new("seconds", ArgKind::Integer).token("EX");
const PX: Arg = Arg::new("milliseconds", ArgKind::Integer).token("PX");
const EXAT: Arg = Arg::new("unix-time-seconds", ArgKind::UnixTime).token("EXAT");
const PXAT: Arg = Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("PXAT");
