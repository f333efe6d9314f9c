//! SORT: of what the other families put into keys.
//!
//! Valkey takes numbers as C's strtod does (blanks before them, hexadecimal), Redis does not. So it judges only what does
//! not sort by number, or has no lasting effect.

use super::{Known, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule::new("SORT key [ASC|DESC] [LIMIT index index]").weight(15),
    Rule::new("SORT key BY sortpattern [LIMIT index index] [GET sortpattern] [ASC|DESC]").weight(15),
    Rule::new("SORT_RO key [BY sortpattern] [LIMIT index index] [GET sortpattern] [GET sortpattern] [ASC|DESC]")
        .weight(15),
    Rule::new("SORT key ALPHA [ASC|DESC] [LIMIT index index] [GET sortpattern] STORE key").weight(10),
    Rule::new("SORT key BY NOSORT [ASC|DESC] [LIMIT index index] [GET sortpattern] STORE key").weight(10),
    Rule::new("SORT key [BY sortpattern] [LIMIT index index] [GET sortpattern] [GET sortpattern] [ASC|DESC] STORE key")
        .weight(15)
        .only(Known::Redis),
];
