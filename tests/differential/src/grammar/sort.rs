//! SORT: of what the other families put into keys.
//!
//! What is a number to Redis need not be one to Valkey, which takes blanks before it and hexadecimal digits, but not the
//! empty string. So Valkey judges only what has no lasting effect.

use super::{Known, Rule};

pub(super) const RULES: &[Rule] = &[
    // Mostly numbers, and something that they lead to.
    Rule::new("DEL key"),
    Rule::new("SADD key weight...").weight(30),
    Rule::new("SET key weight").weight(15),
    Rule::new("SORT key [ASC|DESC] [LIMIT index index]").weight(15),
    Rule::new("SORT key BY sortpattern [LIMIT index index] [GET sortpattern] [ASC|DESC]").weight(15),
    Rule::new("SORT_RO key [BY sortpattern] [LIMIT index index] [GET sortpattern] [GET sortpattern] [ASC|DESC]")
        .weight(15),
    Rule::new("SORT key ALPHA [ASC|DESC] [LIMIT index index] [GET sortpattern] STORE key")
        .weight(10)
        .only(Known::Redis),
    Rule::new("SORT key BY NOSORT [ASC|DESC] [LIMIT index index] [GET sortpattern] STORE key")
        .weight(10)
        .only(Known::Redis),
    Rule::new("SORT key [BY sortpattern] [LIMIT index index] [GET sortpattern] [GET sortpattern] [ASC|DESC] STORE key")
        .weight(15)
        .only(Known::Redis),
];
