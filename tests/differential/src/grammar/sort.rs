//! SORT, by what the other families put into keys.
//!
//! What is a number to Redis need not be one to Valkey, which takes blanks before it and hexadecimal digits, but not the
//! empty string. So Valkey judges only what has no lasting effect.
//!
//! What is sorted has keys of its own: no sorted sets come there, which SORT gives another encoding in peers, for good.

use super::{Known, Rule};

pub(super) const RULES: &[Rule] = &[
    // Mostly numbers, and something that they lead to.
    Rule::new("DEL sortkey"),
    Rule::new("SADD sortkey weight...").weight(30),
    Rule::new("RPUSH sortkey weight...").weight(10),
    Rule::new("SET key weight").weight(15),
    Rule::new("SORT sortkey [ASC|DESC] [LIMIT index index]").weight(15),
    Rule::new("SORT sortkey BY sortpattern [LIMIT index index] [GET sortpattern] [ASC|DESC]").weight(15),
    Rule::new("SORT_RO sortkey [BY sortpattern] [LIMIT index index] [GET sortpattern] [GET sortpattern] [ASC|DESC]")
        .weight(15),
    Rule::new("SORT sortkey ALPHA [ASC|DESC] [LIMIT index index] [GET sortpattern] STORE sortkey")
        .weight(10)
        .only(Known::Redis),
    Rule::new("SORT sortkey BY NOSORT [ASC|DESC] [LIMIT index index] [GET sortpattern] STORE sortkey")
        .weight(10)
        .only(Known::Redis),
    Rule::new("SORT sortkey [BY sortpattern] [LIMIT index index] [GET sortpattern] [GET sortpattern] [ASC|DESC] STORE sortkey")
        .weight(2)
        .only(Known::Redis),
];
