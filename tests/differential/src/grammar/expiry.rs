//! Times to live. The vocabulary draws only times that are past or far away, so that two servers agree at any instant.

use super::Rule;
use crate::compare::Tolerance::Near;

const SECONDS: crate::compare::Tolerance = Near(5);
const MILLISECONDS: crate::compare::Tolerance = Near(5000);

pub(super) const RULES: &[Rule] = &[
    Rule::new("EXPIRE key seconds [NX|XX|GT|LT]").weight(15),
    Rule::new("EXPIRE key seconds [NX] [XX] [GT] [LT]").weight(3),
    Rule::new("PEXPIRE key milliseconds [NX|XX|GT|LT]"),
    Rule::new("EXPIREAT key unixseconds [NX|XX|GT|LT]"),
    Rule::new("PEXPIREAT key unixmilliseconds [NX|XX|GT|LT]"),
    Rule::new("PERSIST key"),
    Rule::new("TTL key").tolerance(SECONDS),
    Rule::new("PTTL key").tolerance(MILLISECONDS),
    Rule::new("EXPIRETIME key").tolerance(SECONDS),
    Rule::new("PEXPIRETIME key").tolerance(MILLISECONDS),
];
