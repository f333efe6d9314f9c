//! Transactions. The generator ends those it began; with several connections, WATCH meets other clients' writes.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::new("MULTI").weight(12),
    Rule::new("EXEC").weight(3),
    Rule::new("DISCARD").weight(2),
    Rule::new("WATCH key...").weight(8),
    Rule::new("UNWATCH").weight(2),
];
