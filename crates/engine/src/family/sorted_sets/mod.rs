//! Sorted sets: members in the order of their scores.
//!
//! What a sorted set is and does is `ochre_types::zset`'s; here are the requests and replies. Every range a client may ask
//! for, by index, score or bytes, is read in one place (`range`) and becomes a range of ranks; commands over several keys
//! (`combine`) take sets as well, whose members have the score 1.

mod add;
mod blocking;
mod combine;
mod count;
mod pop;
mod random;
mod range;
mod ranges;
mod remove;
mod scan;
mod score;
#[cfg(test)]
mod tests;

use ochre_resp::{Protocol, ReplyWriter};
use ochre_types::listpack::Item;

use crate::command::{Arg, ArgKind, Begin, Command, Find, Group, KeySpec, acl, key_flags};
use crate::error::Error;
use crate::family::reply_item::{Room, reply_item};

pub(super) use add::{AddOptions, Pairs, add_pairs};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    add::ZADD,
    add::ZINCRBY,
    blocking::BZMPOP,
    blocking::BZPOPMAX,
    blocking::BZPOPMIN,
    combine::ZDIFF,
    combine::ZDIFFSTORE,
    combine::ZINTER,
    combine::ZINTERCARD,
    combine::ZINTERSTORE,
    combine::ZUNION,
    combine::ZUNIONSTORE,
    count::ZCARD,
    count::ZCOUNT,
    count::ZLEXCOUNT,
    pop::ZMPOP,
    pop::ZPOPMAX,
    pop::ZPOPMIN,
    random::ZRANDMEMBER,
    ranges::ZRANGE,
    ranges::ZRANGEBYLEX,
    ranges::ZRANGEBYSCORE,
    ranges::ZRANGESTORE,
    ranges::ZREVRANGE,
    ranges::ZREVRANGEBYLEX,
    ranges::ZREVRANGEBYSCORE,
    remove::ZREM,
    remove::ZREMRANGEBYLEX,
    remove::ZREMRANGEBYRANK,
    remove::ZREMRANGEBYSCORE,
    scan::ZSCAN,
    score::ZMSCORE,
    score::ZRANK,
    score::ZREVRANK,
    score::ZSCORE,
];

const BASE: Command = Command { group: Group::SortedSet, acl: acl::SORTED_SET, ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];
const DELETES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::DELETE)];
const POPS: u32 = key_flags::RW | key_flags::ACCESS | key_flags::DELETE;

/// Keys preceded by their number, which is at an index.
const fn numbered_keys(index: u16, flags: u32) -> KeySpec {
    KeySpec {
        begin: Begin::Index(index),
        find: Find::KeyNum { number: 0, first: 1, step: 1 },
        flags,
        notes: "",
    }
}

const KEY: Arg = Arg::key("key", 0);
const NUMKEYS: Arg = Arg::new("numkeys", ArgKind::Integer);
const MEMBER: Arg = Arg::new("member", ArgKind::String);
const COUNT: Arg = Arg::new("count", ArgKind::Integer);
const START: Arg = Arg::new("start", ArgKind::Integer);
const STOP: Arg = Arg::new("stop", ArgKind::Integer);
const MIN_SCORE: Arg = Arg::new("min", ArgKind::Double);
const MAX_SCORE: Arg = Arg::new("max", ArgKind::Double);
const MIN_MEMBER: Arg = Arg::new("min", ArgKind::String);
const MAX_MEMBER: Arg = Arg::new("max", ArgKind::String);
const WITHSCORES: Arg = Arg::word("withscores", "WITHSCORES").optional();

/// What is replied of each member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// The member.
    Members,
    /// The member, then its score.
    Flat,
    /// An array of both.
    Pairs,
}

impl Shape {
    /// What WITHSCORES, or its absence, means in a protocol.
    fn of(with_scores: bool, protocol: Protocol) -> Shape {
        match (with_scores, protocol) {
            (false, _) => Shape::Members,
            (true, Protocol::Resp2) => Shape::Flat,
            (true, Protocol::Resp3) => Shape::Pairs,
        }
    }

    /// Writes the header of an array of so many members.
    fn begin(self, reply: &mut ReplyWriter<'_>, members: usize) {
        reply.array(if self == Shape::Flat { members.saturating_mul(2) } else { members });
    }

    /// Writes one of them.
    #[inline]
    fn add(self, reply: &mut ReplyWriter<'_>, member: Item<'_>, score: f64) {
        if self == Shape::Pairs {
            reply.array(2);
        }
        reply_item(reply, member);
        if self != Shape::Members {
            reply.double(score);
        }
    }
}
