//! The server about itself, where two right servers say the same.

use super::{Known, Rule};
use crate::compare::Tolerance::{Kind, Shape, Unordered};

/// Parameters that may be changed without making replies depend on chance, with values of each.
pub const CONFIG_PARAMETERS: &[(&str, &[&str])] = &[
    (
        "maxmemory-policy",
        &[
            "noeviction",
            "allkeys-lru",
            "volatile-lru",
            "allkeys-lfu",
            "volatile-lfu",
            "volatile-ttl",
            "ALLKEYS-RANDOM",
        ],
    ),
    ("maxmemory-samples", &["1", "5", "64", "0"]),
    ("maxmemory", &["0", "100gb", "1tb", "100g", "107374182400"]),
    ("slowlog-log-slower-than", &["10000", "-1", "1000000"]),
    ("slowlog-max-len", &["128", "0", "1000"]),
    ("lfu-log-factor", &["10", "0", "255"]),
    ("list-max-listpack-size", &["-2", "-1", "1", "3", "8", "0"]),
    ("list-compress-depth", &["0", "1", "2", "100"]),
    ("lfu-decay-time", &["1", "0"]),
    ("hz", &["10", "100", "1", "500", "501", "0"]),
    ("timeout", &["0", "10000"]),
    ("tcp-keepalive", &["300", "0"]),
    ("lazyfree-lazy-user-del", &["yes", "no"]),
    ("lazyfree-lazy-expire", &["YES", "no"]),
    ("lazyfree-lazy-user-flush", &["yes", "No"]),
    ("latency-monitor-threshold", &["0", "100000"]),
    ("client-query-buffer-limit", &["1gb", "2mb", "1048576"]),
    (
        "client-output-buffer-limit",
        &[
            "normal 0 0 0",
            "pubsub 32mb 8mb 60",
            "replica 256mb 64mb 60",
            "normal 1 2",
            "normal 0 0 0 pubsub 1 2 3",
        ],
    ),
    ("proto-max-bulk-len", &["512mb", "1gb"]),
    ("notify-keyspace-events", &["", "KEA", "Kx", "gE"]),
    ("list-max-listpack-size", &["-2", "128", "-5"]),
    ("hash-max-listpack-entries", &["512", "4"]),
    ("hash-max-ziplist-value", &["64", "8"]),
    // Below the limit of listpacks, what becomes of a union depends on the order in which tables are walked.
    ("set-max-intset-entries", &["512", "1000"]),
    ("set-max-listpack-entries", &["128", "3", "0"]),
    ("set-max-listpack-value", &["64", "4"]),
    ("zset-max-listpack-entries", &["128", "3"]),
    ("hll-sparse-max-bytes", &["3000", "0", "100"]),
    ("maxclients", &["10000", "200"]),
    ("loglevel", &["notice", "warning", "nothing"]),
    ("databases", &["16", "32"]),
    ("activedefrag", &["no"]),
    ("lua-time-limit", &["5000"]),
    ("nosuchparameter", &["1"]),
];

pub(super) const RULES: &[Rule] = &[
    Rule::new("CONFIG GET configpattern...").weight(6).tolerance(Unordered),
    Rule::new("CONFIG SET setting...").weight(6),
    Rule::new("CONFIG SET parameter").weight(1),
    Rule::new("CONFIG RESETSTAT").weight(1),
    Rule::new("CONFIG HELP").weight(1).tolerance(Shape),
    Rule::new("CONFIG word [value]").weight(1),
    // Hash order in a reply of 100 kB: only that there is one.
    Rule::new("COMMAND").weight(1).tolerance(Kind),
    Rule::new("COMMAND INFO command...").weight(4).tolerance(Unordered),
    Rule::new("COMMAND COUNT").weight(1).tolerance(Shape),
    Rule::new("COMMAND LIST [FILTERBY (ACLCAT|MODULE|PATTERN|word) word]").weight(1).tolerance(Shape),
    Rule::new("COMMAND DOCS [command...]").weight(1).tolerance(Shape),
    Rule::new("COMMAND HELP").weight(1).tolerance(Shape),
    Rule::new("COMMAND GETKEYS command key [value] [key] [value]").weight(4),
    Rule::new("COMMAND GETKEYS (EVAL|FCALL) value small key...").weight(1),
    Rule::new("COMMAND GETKEYS (ZUNIONSTORE|ZDIFFSTORE) key small key...").weight(1),
    Rule::new("COMMAND GETKEYS (LMPOP|ZMPOP|SINTERCARD|MSETEX) small key... [word]").weight(1),
    Rule::new("COMMAND GETKEYS (XREAD|XREADGROUP) word... STREAMS key...").weight(1),
    Rule::new("COMMAND GETKEYS (SORT|MIGRATE|GEORADIUS) word... key word key word key").weight(1),
    Rule::new("COMMAND GETKEYSANDFLAGS command key [value] [key] [value]").weight(3),
    Rule::new("COMMAND GETKEYSANDFLAGS SET key value [word...]").weight(1),
    Rule::new("COMMAND word").weight(1),
    Rule::new("INFO [word...]").weight(1).tolerance(Shape),
    Rule::new("TIME").weight(1).tolerance(Shape),
    Rule::new("LASTSAVE").weight(1).tolerance(Shape),
    Rule::new("ROLE").weight(1),
    Rule::new("SLOWLOG LEN").weight(1).tolerance(Shape),
    Rule::new("SLOWLOG RESET").weight(1),
    // Mutations make it show what was slow, which is up to the machine.
    Rule::new("SLOWLOG GET (0|X|-2|1.5)").weight(1).tolerance(Kind),
    Rule::new("SLOWLOG HELP").weight(1).tolerance(Shape),
    Rule::new("COMMANDLOG (GET 0 SLOW|LEN word|RESET word|GET X Y Z|word)")
        .weight(2)
        .only(Known::Valkey)
        .tolerance(Shape),
    Rule::new("LATENCY (RESET|LATEST|HISTORY word|HELP|word)").weight(1).tolerance(Shape),
    Rule::new("MEMORY (HELP|DOCTOR|word)").weight(1).tolerance(Shape),
    Rule::new("WAIT 0 (0|X|-1|1)").weight(1),
    Rule::new("ACL WHOAMI").weight(1),
];
