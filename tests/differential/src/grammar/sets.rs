//! Sets.

use super::Rule;
use crate::compare::Tolerance::{Kind, Unordered};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SADD key member...").weight(40),
    Rule::new("SADD key member member member member member member member member").weight(10),
    Rule::new("SREM key member...").weight(20),
    Rule::new("SISMEMBER key member"),
    Rule::new("SMISMEMBER key member..."),
    Rule::new("SCARD key"),
    Rule::new("SMEMBERS key").tolerance(Unordered),
    Rule::new("SMOVE key key member"),
    // Only where chance has no say are states the same afterwards.
    Rule::new("SPOP key 100000").weight(4).tolerance(Unordered),
    Rule::new("SPOP key (0|-1|X)").weight(3).tolerance(Unordered),
    Rule::new("SRANDMEMBER key [small]").tolerance(Kind),
    // One call sees the whole set, so that cursors, which are each server's own, stay out of it.
    Rule::new("SSCAN key 0 COUNT 100000 [MATCH pattern]").tolerance(Unordered),
    Rule::new("SSCAN key (X|18446744073709551616) [COUNT integer] [MATCH pattern]").weight(3),
    Rule::new("SINTER key...").tolerance(Unordered),
    Rule::new("SINTERSTORE key key...").weight(15),
    Rule::new("SINTERCARD small key... [LIMIT small]"),
    Rule::new("SINTERCARD 2 key key [LIMIT integer]"),
    Rule::new("SUNION key...").tolerance(Unordered),
    Rule::new("SUNIONSTORE key key...").weight(15),
    Rule::new("SDIFF key...").tolerance(Unordered),
    Rule::new("SDIFFSTORE key key...").weight(15),
];
