//! HyperLogLogs. Their strings are compared, too: every byte is part of the format.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::new("PFADD key value...").weight(30),
    Rule::new("PFADD key").weight(3),
    Rule::new("PFCOUNT key").weight(15),
    Rule::new("PFCOUNT key...").weight(15),
    Rule::new("PFMERGE key key...").weight(12),
    Rule::new("PFMERGE key").weight(3),
    Rule::new("PFDEBUG (GETREG|DECODE|ENCODING|TODENSE|word) key").weight(6),
    Rule::new("PFDEBUG SIMD (ON|OFF)").weight(1),
    Rule::new("GET key").weight(15),
    Rule::new("SETRANGE key offset value").weight(4),
    Rule::new("SETBIT key bitoffset bit").weight(4),
    Rule::new("APPEND key value").weight(3),
    Rule::new("COPY key key [REPLACE]").weight(4),
    Rule::new("OBJECT ENCODING key").weight(3),
    Rule::new("SET key value").weight(3),
    Rule::new("DEL key").weight(6),
    Rule::new("CONFIG SET HLL-SPARSE-MAX-BYTES (0|20|100|1000|3000|20000)").weight(2),
];
