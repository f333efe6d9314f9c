//! Bitmaps.

use super::{Known, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SETBIT key bitoffset bit").weight(25),
    Rule::new("GETBIT key bitoffset").weight(12),
    Rule::new("BITCOUNT key [index index [BYTE|BIT]]").weight(15),
    Rule::new("BITCOUNT key index").weight(3).only(Known::Valkey),
    Rule::new("BITPOS key bit [index [index [BYTE|BIT]]]").weight(15),
    Rule::new("BITOP (AND|OR|XOR) key key...").weight(15),
    Rule::new("BITOP NOT key key"),
    Rule::new("BITOP NOT key key...").weight(2),
    Rule::new("BITOP (DIFF|DIFF1|ANDOR|ONE) key key...").weight(15).only(Known::Redis),
    Rule::new("BITFIELD key [GET fieldtype fieldoffset] [SET fieldtype fieldoffset integer] [INCRBY fieldtype fieldoffset integer]").weight(12),
    Rule::new("BITFIELD key (OVERFLOW (WRAP|SAT|FAIL) (SET|INCRBY) fieldtype fieldoffset integer)...").weight(20),
    Rule::new("BITFIELD key ([OVERFLOW word] GET fieldtype fieldoffset)...").weight(4),
    Rule::new("BITFIELD_RO key (GET fieldtype fieldoffset)..."),
    Rule::new("BITFIELD_RO key (SET|INCRBY|OVERFLOW) fieldtype fieldoffset integer").weight(2),
    Rule::new("SET key value").weight(12),
    Rule::new("GET key").weight(12),
    Rule::new("OBJECT ENCODING key").weight(5),
    Rule::new("DEL key").weight(4),
];
