//! Keys of any type, and the keyspace as a whole.

use super::Rule;
use crate::compare::Tolerance::{Kind, Near, Shape, Unordered};

pub(super) const RULES: &[Rule] = &[
    Rule::new("DEL key...").weight(15),
    Rule::new("UNLINK key..."),
    Rule::new("EXISTS key..."),
    Rule::new("TOUCH key..."),
    Rule::new("TYPE key"),
    Rule::new("RENAME key key"),
    Rule::new("RENAMENX key key"),
    Rule::new("COPY key key [DB db] [REPLACE]"),
    Rule::new("MOVE key db"),
    // Each server has its own bytes for a value.
    Rule::new("DUMP key").weight(4).tolerance(Shape),
    Rule::new("RESTORE key (0|milliseconds) payload [REPLACE] [(IDLETIME|FREQ) small]").weight(20),
    Rule::new("RESTORE key unixmilliseconds payload [REPLACE] ABSTTL").weight(5),
    Rule::new("RESTORE key 0 value").weight(2),
    Rule::new("RESTORE-ASKING key 0 payload [REPLACE]").weight(2),
    // Of keys that are nowhere: everything else takes a second pair of servers (tests/tests/migrate.rs).
    Rule::new("MIGRATE 127.0.0.1 1 NOWHERE (0|X) (10|X) [COPY] [REPLACE] [AUTH word] [KEYS NOWHERE]")
        .weight(1),
    Rule::new("KEYS pattern").tolerance(Unordered),
    Rule::new("RANDOMKEY").weight(2).tolerance(Kind),
    // One call sees the whole of a small keyspace, so that cursors, which are each server's own, stay out of it.
    Rule::new("SCAN 0 COUNT 100000 [MATCH pattern] [TYPE type]").tolerance(Unordered),
    Rule::new("SCAN (X|18446744073709551616) [COUNT integer] [MATCH pattern]").weight(3),
    Rule::new("SCAN 0 COUNT (0|-1|X|99999999999999999999)").weight(2),
    // A key that SET gave a past time counts until the server gets round to it. (KEYS does not show it.)
    Rule::new("DBSIZE").tolerance(Near(20)),
    Rule::new("FLUSHDB [SYNC|ASYNC]").weight(1),
    Rule::new("FLUSHALL [SYNC|ASYNC|word]").weight(1),
    Rule::new("SWAPDB db db").weight(2),
    Rule::new("OBJECT ENCODING key").weight(20),
    Rule::new("OBJECT REFCOUNT key").weight(4),
    Rule::new("OBJECT IDLETIME key").weight(4).tolerance(Near(5)),
    Rule::new("OBJECT FREQ key").weight(3).tolerance(Shape),
    Rule::new("OBJECT HELP").weight(1).tolerance(Shape),
    Rule::new("OBJECT word key").weight(1),
    Rule::new("MEMORY USAGE key [SAMPLES integer]").weight(3).tolerance(Shape),
];
