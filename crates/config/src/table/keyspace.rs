//! Databases, memory, eviction, expiry, encodings of values.

use super::{D, I32, I32_MIN, I64, U64};
use crate::check;
use crate::choices::{Choice as _, MaxmemoryPolicy};
use crate::record::{Kind, Record};

pub(super) const RECORDS: &[Record] = &[
    Record::integer(D::Databases, "databases", 16, (1, I32), "Number of databases").immutable(),
    Record::bytes(
        D::Maxmemory,
        "maxmemory",
        0,
        (0, U64),
        "Memory above which keys are evicted or writes fail; 0 is no limit",
    ),
    Record::choice(
        D::MaxmemoryPolicy,
        "maxmemory-policy",
        MaxmemoryPolicy::WORDS,
        MaxmemoryPolicy::Noeviction as u32,
        "Which keys are evicted first",
    ),
    Record::integer(
        D::MaxmemorySamples,
        "maxmemory-samples",
        5,
        (1, 64),
        "Keys that are compared for one eviction",
    ),
    Record::integer(
        D::MaxmemoryEvictionTenacity,
        "maxmemory-eviction-tenacity",
        10,
        (0, 100),
        "How long evicting may hold up commands, from 0 to 100",
    ),
    Record::integer(
        D::LfuLogFactor,
        "lfu-log-factor",
        10,
        (0, I32),
        "How fast the counter of accesses saturates",
    ),
    Record::integer(
        D::LfuDecayTime,
        "lfu-decay-time",
        1,
        (0, I32),
        "Minutes after which the counter of accesses loses one",
    ),
    Record::integer(
        D::ActiveExpireEffort,
        "active-expire-effort",
        1,
        (1, 10),
        "How eagerly expired keys are searched, from 1 to 10",
    ),
    Record::flag(
        D::LazyexpireNestedArbitraryKeys,
        "lazyexpire-nested-arbitrary-keys",
        true,
        "Expire keys that a script reaches without declaring them",
    )
    .hidden()
    .meaningless(),
    // Freeing is always deferred or incremental here, so these five change nothing; the defaults are Redis's.
    Record::flag(
        D::LazyfreeLazyEviction,
        "lazyfree-lazy-eviction",
        false,
        "Free evicted values in the background",
    )
    .meaningless(),
    Record::flag(
        D::LazyfreeLazyExpire,
        "lazyfree-lazy-expire",
        false,
        "Free expired values in the background",
    )
    .meaningless(),
    Record::flag(
        D::LazyfreeLazyServerDel,
        "lazyfree-lazy-server-del",
        false,
        "Free overwritten values in the background",
    )
    .meaningless(),
    Record::flag(D::LazyfreeLazyUserDel, "lazyfree-lazy-user-del", false, "Let DEL free like UNLINK"),
    Record::flag(
        D::LazyfreeLazyUserFlush,
        "lazyfree-lazy-user-flush",
        false,
        "Let FLUSHALL and FLUSHDB be asynchronous by default",
    ),
    Record::special(
        D::NotifyKeyspaceEvents,
        "notify-keyspace-events",
        Kind::KeyspaceEvents,
        "Classes of changes that are published",
    ),
    // Timers
    Record::integer(D::Hz, "hz", 10, (0, I32), "Rounds of periodic work per second").clamp(1, 500),
    Record::flag(D::DynamicHz, "dynamic-hz", true, "Do more rounds while many clients are connected")
        .meaningless(),
    Record::flag(D::Activerehashing, "activerehashing", true, "Spend idle time on growing tables")
        .meaningless(),
    Record::integer(D::Lookahead, "lookahead", 16, (1, I32), "Commands of one client that are parsed ahead")
        .meaningless(),
    Record::integer(
        D::PrefetchBatchMaxSize,
        "prefetch-batch-max-size",
        16,
        (0, 128),
        "Prefetch the keys of requests that are run together, unless this is 0 or 1",
    ),
    Record::integer(
        D::MinIoThreadsAvoidCopyReply,
        "min-io-threads-avoid-copy-reply",
        7,
        (0, I32),
        "Threads from which replies refer to values",
    )
    .hidden()
    .meaningless(),
    Record::integer(
        D::MinStringSizeAvoidCopyReply,
        "min-string-size-avoid-copy-reply",
        16 << 10,
        (0, I32),
        "Bytes from which a reply refers to the value",
    )
    .hidden()
    .meaningless(),
    Record::integer(
        D::MinStringSizeAvoidCopyReplyThreaded,
        "min-string-size-avoid-copy-reply-threaded",
        64 << 10,
        (0, I32),
        "The same, with threads",
    )
    .hidden()
    .meaningless(),
    // Memory of the process
    Record::flag(
        D::JemallocBgThread,
        "jemalloc-bg-thread",
        true,
        "Let the allocator return memory in the background",
    ),
    Record::flag(
        D::KeyMemoryHistograms,
        "key-memory-histograms",
        false,
        "Keep histograms of the memory of keys",
    )
    .live_check(check::key_memory_histograms)
    .later(),
    Record::flag(D::Activedefrag, "activedefrag", false, "Move values to give fragmented memory back")
        .meaningless(),
    Record::bytes(
        D::ActiveDefragIgnoreBytes,
        "active-defrag-ignore-bytes",
        100 << 20,
        (1, I64),
        "Waste below which nothing is moved",
    )
    .meaningless(),
    Record::integer(
        D::ActiveDefragThresholdLower,
        "active-defrag-threshold-lower",
        10,
        (0, 1000),
        "Percentage of waste from which values are moved",
    )
    .meaningless(),
    Record::integer(
        D::ActiveDefragThresholdUpper,
        "active-defrag-threshold-upper",
        100,
        (0, 1000),
        "Percentage of waste from which full effort is made",
    )
    .meaningless(),
    Record::integer(
        D::ActiveDefragCycleMin,
        "active-defrag-cycle-min",
        1,
        (1, 99),
        "Least effort, in percent of a core",
    )
    .meaningless(),
    Record::integer(
        D::ActiveDefragCycleMax,
        "active-defrag-cycle-max",
        25,
        (1, 99),
        "Full effort, in percent of a core",
    )
    .meaningless(),
    Record::integer(
        D::ActiveDefragCycleUs,
        "active-defrag-cycle-us",
        500,
        (0, 100_000),
        "Microseconds of one round",
    )
    .meaningless(),
    Record::integer(
        D::ActiveDefragMaxScanFields,
        "active-defrag-max-scan-fields",
        1000,
        (1, I64),
        "Fields from which a value is moved in parts",
    )
    .meaningless(),
    // Encodings
    Record::integer(
        D::HashMaxListpackEntries,
        "hash-max-listpack-entries",
        512,
        (0, I64),
        "Fields up to which a hash is compact",
    )
    .alias(&["hash-max-ziplist-entries"]),
    Record::bytes(
        D::HashMaxListpackValue,
        "hash-max-listpack-value",
        64,
        (0, I64),
        "Bytes of a field or value up to which a hash is compact",
    )
    .alias(&["hash-max-ziplist-value"]),
    Record::integer(
        D::ListMaxListpackSize,
        "list-max-listpack-size",
        -2,
        (I32_MIN, I32),
        "Size of a list's nodes: elements, or -1 to -5 for 4, 8, 16, 32, 64 kb",
    )
    .alias(&["list-max-ziplist-size"]),
    Record::integer(
        D::ListCompressDepth,
        "list-compress-depth",
        0,
        (0, I32),
        "Nodes at both ends of a list that stay uncompressed; 0 compresses none",
    ),
    Record::integer(
        D::SetMaxIntsetEntries,
        "set-max-intset-entries",
        512,
        (0, I64),
        "Members up to which a set of integers is compact",
    ),
    Record::integer(
        D::SetMaxListpackEntries,
        "set-max-listpack-entries",
        128,
        (0, I64),
        "Members up to which a set is compact",
    ),
    Record::integer(
        D::SetMaxListpackValue,
        "set-max-listpack-value",
        64,
        (0, I64),
        "Bytes of a member up to which a set is compact",
    ),
    Record::integer(
        D::ZsetMaxListpackEntries,
        "zset-max-listpack-entries",
        128,
        (0, I64),
        "Members up to which a sorted set is compact",
    )
    .alias(&["zset-max-ziplist-entries"]),
    Record::bytes(
        D::ZsetMaxListpackValue,
        "zset-max-listpack-value",
        64,
        (0, I64),
        "Bytes of a member up to which a sorted set is compact",
    )
    .alias(&["zset-max-ziplist-value"]),
    Record::bytes(
        D::HllSparseMaxBytes,
        "hll-sparse-max-bytes",
        3000,
        (0, I64),
        "Bytes up to which a HyperLogLog is sparse",
    ),
    Record::bytes(
        D::StreamNodeMaxBytes,
        "stream-node-max-bytes",
        4096,
        (0, I64),
        "Bytes of a stream's node; 0 is no limit",
    ),
    Record::integer(
        D::StreamNodeMaxEntries,
        "stream-node-max-entries",
        100,
        (0, I64),
        "Entries of a stream's node; 0 is no limit",
    ),
    Record::integer(
        D::StreamIdmpDuration,
        "stream-idmp-duration",
        100,
        (1, 86_400),
        "Seconds a stream remembers the identifiers of idempotent producers",
    ),
    Record::integer(
        D::StreamIdmpMaxsize,
        "stream-idmp-maxsize",
        100,
        (1, 10_000),
        "Identifiers of one idempotent producer that a stream remembers",
    ),
    Record::flag(
        D::VsetForceSingleThreadedExecution,
        "vset-force-single-threaded-execution",
        false,
        "Search vector sets on the calling thread only",
    )
    .later(),
    Record::flag(
        D::ExtendedRedisCompatibility,
        "extended-redis-compatibility",
        false,
        "Valkey's switch to answer as Redis; Ochre always does",
    )
    .meaningless(),
    Record::optional(
        D::HashSeed,
        "hash-seed",
        "Seed of the hash of keys, so that restarts and replicas scan in one order",
    )
    .binary()
    .immutable()
    .check(check::hash_seed)
    .later(),
];
