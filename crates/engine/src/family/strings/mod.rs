//! Strings: bytes, integers and floating point numbers under a key.
//!
//! How a string is stored is the keyspace's business; commands see it as a [`StringRef`] and hand it over as what
//! [`new_string`] makes of an argument. What several commands say in the same words is read in one place: when a key
//! expires (`expiry`), and what must hold for a change (`condition`).

mod append;
mod condition;
mod counters;
mod delete;
mod expiry;
mod get;
mod increx;
#[cfg(test)]
mod large_tests;
mod lcs;
mod long;
mod many;
mod range;
mod set;
#[cfg(test)]
mod tests;
mod value;

use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};

pub(super) use expiry::{ExpiryOption, ExpiryWord};
pub(crate) use value::new_string;
pub(super) use value::{StringRef, raw_string};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    append::APPEND,
    append::SETRANGE,
    counters::DECR,
    counters::DECRBY,
    counters::INCR,
    counters::INCRBY,
    counters::INCRBYFLOAT,
    delete::DELEX,
    delete::DELIFEQ,
    delete::GETDEL,
    get::DIGEST,
    get::GET,
    get::GETEX,
    get::STRLEN,
    increx::INCREX,
    lcs::LCS,
    many::MGET,
    many::MSET,
    many::MSETEX,
    many::MSETNX,
    range::GETRANGE,
    range::SUBSTR,
    set::GETSET,
    set::PSETEX,
    set::SET,
    set::SETEX,
    set::SETNX,
];

const BASE: Command = Command { group: Group::String, acl: acl::STRING, ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];
const UPDATES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE)];
const OVERWRITES: &[KeySpec] = &[KeySpec::first(key_flags::OW | key_flags::UPDATE)];

const KEY: Arg = Arg::key("key", 0);
const VALUE: Arg = Arg::new("value", ArgKind::String);
const NX: Arg = Arg::word("nx", "NX");
const XX: Arg = Arg::word("xx", "XX");
const EX: Arg = Arg::new("seconds", ArgKind::Integer).token("EX");
const PX: Arg = Arg::new("milliseconds", ArgKind::Integer).token("PX");
const EXAT: Arg = Arg::new("unix-time-seconds", ArgKind::UnixTime).token("EXAT");
const PXAT: Arg = Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("PXAT");
const KEEPTTL: Arg = Arg::word("keepttl", "KEEPTTL");
const PERSIST: Arg = Arg::word("persist", "PERSIST");
const IFEQ: Arg = Arg::new("ifeq-value", ArgKind::String).token("IFEQ");
const IFNE: Arg = Arg::new("ifne-value", ArgKind::String).token("IFNE");
const IFDEQ: Arg = Arg::new("ifdeq-digest", ArgKind::Integer).token("IFDEQ");
const IFDNE: Arg = Arg::new("ifdne-digest", ArgKind::Integer).token("IFDNE");
