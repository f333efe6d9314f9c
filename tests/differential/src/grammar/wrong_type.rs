//! Values that are no strings, for string commands to refuse. Not a test of these types: each has one or two shapes.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::new("RPUSH key value").weight(8),
    Rule::new("SADD key field").weight(8),
    Rule::new("HSET key field value").weight(8),
    Rule::new("ZADD key 1 field").weight(8),
];
