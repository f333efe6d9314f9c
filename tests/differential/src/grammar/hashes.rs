//! Hashes. In Valkey, fields that expire follow other rules: only Redis judges commands with times.

use super::{Known, Rule};
use crate::compare::Tolerance::{self, Kind, Near, Unordered};

const SECONDS: Tolerance = Near(5);
const MILLISECONDS: Tolerance = Near(5000);

pub(super) const RULES: &[Rule] = &[
    Rule::new("HSET key (member value)...").weight(50),
    Rule::new("HSET key member value member value member value member value").weight(15),
    Rule::new("HMSET key (member value)..."),
    Rule::new("HSETNX key member value").weight(15),
    Rule::new("HGET key member").weight(15),
    Rule::new("HMGET key member..."),
    Rule::new("HGETALL key").tolerance(Unordered),
    Rule::new("HKEYS key").tolerance(Unordered),
    Rule::new("HVALS key").tolerance(Unordered),
    Rule::new("HLEN key"),
    Rule::new("HSTRLEN key member"),
    Rule::new("HEXISTS key member"),
    Rule::new("HDEL key member...").weight(20),
    Rule::new("HINCRBY key member integer").weight(15),
    Rule::new("HINCRBYFLOAT key member float").weight(15),
    Rule::new("HRANDFIELD key [integer] [WITHVALUES]").tolerance(Kind),
    Rule::new("HRANDFIELD key small [WITHVALUES]").tolerance(Kind),
    // One call sees the whole hash, so that cursors, which are each server's own, stay out of it.
    Rule::new("HSCAN key 0 COUNT 100000 [MATCH pattern] [NOVALUES]").tolerance(Unordered),
    Rule::new("HSCAN key (X|18446744073709551616) [COUNT integer] [MATCH pattern]").weight(3),
    Rule::new("HEXPIRE key seconds [NX|XX|GT|LT] FIELDS 1 member").weight(15).only(Known::Redis),
    Rule::new("HEXPIRE key seconds [NX] [XX] [GT] [LT] [FIELDS small member...]").weight(5).only(Known::Redis),
    Rule::new("HPEXPIRE key milliseconds [NX|XX|GT|LT] FIELDS 2 member member").weight(15).only(Known::Redis),
    Rule::new("HEXPIREAT key unixseconds [NX|XX|GT|LT] FIELDS 2 member member").only(Known::Redis),
    Rule::new("HPEXPIREAT key unixmilliseconds [NX|XX|GT|LT] FIELDS 1 member").only(Known::Redis),
    Rule::new("HPERSIST key FIELDS (1 member|2 member member|small member...)").only(Known::Redis),
    Rule::new("HTTL key FIELDS (1 member|2 member member|small member...)").tolerance(SECONDS).only(Known::Redis),
    Rule::new("HPTTL key FIELDS (1 member|3 member member member)").tolerance(MILLISECONDS).only(Known::Redis),
    Rule::new("HEXPIRETIME key FIELDS 1 member").tolerance(SECONDS).only(Known::Redis),
    Rule::new("HPEXPIRETIME key FIELDS 2 member member").tolerance(MILLISECONDS).only(Known::Redis),
    Rule::new("HGETEX key [EX seconds|PX milliseconds|EXAT unixseconds|PXAT unixmilliseconds|PERSIST] FIELDS (1 member|2 member member)")
        .weight(15)
        .only(Known::Redis),
    Rule::new("HGETEX key [EX seconds] [PX milliseconds] [PERSIST] [FIELDS small member...]").weight(5).only(Known::Redis),
    Rule::new("HSETEX key [FNX|FXX] [EX seconds|PX milliseconds|EXAT unixseconds|PXAT unixmilliseconds|KEEPTTL] FIELDS (1 member value|2 member value member value)")
        .weight(20)
        .only(Known::Redis),
    Rule::new("HSETEX key [FNX] [FXX] [EX seconds] [KEEPTTL] [FIELDS small (member value)...]").weight(5).only(Known::Redis),
    Rule::new("HGETDEL key FIELDS (1 member|2 member member|small member...)").only(Known::Redis),
];
