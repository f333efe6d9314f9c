//! Snapshots and the append-only file.

use super::{D, I32, I32_MIN, I64};
use crate::check;
use crate::choices::{AppendFsync, Choice as _, RdbVersionCheck, SanitizeDumpPayload};
use crate::record::{Kind, Record};

pub(super) const RECORDS: &[Record] = &[
    Record::special(
        D::Save,
        "save",
        Kind::Save,
        "When a snapshot is taken by itself: pairs of seconds and changes",
    ),
    Record::text(D::Dbfilename, "dbfilename", "dump.rdb", "Name of the snapshot file")
        .protected()
        .check(check::dbfilename),
    Record::flag(D::Rdbcompression, "rdbcompression", true, "Compress texts in snapshots"),
    Record::flag(D::Rdbchecksum, "rdbchecksum", true, "End snapshots with a checksum").immutable(),
    Record::flag(
        D::RdbDelSyncFiles,
        "rdb-del-sync-files",
        false,
        "Delete snapshots that served replication only",
    )
    .later(),
    Record::flag(
        D::RdbSaveIncrementalFsync,
        "rdb-save-incremental-fsync",
        true,
        "Force a snapshot to disk while it is written, not only at its end",
    ),
    Record::choice(
        D::RdbVersionCheck,
        "rdb-version-check",
        RdbVersionCheck::WORDS,
        RdbVersionCheck::Strict as u32,
        "Whether snapshots of unknown newer versions are tried",
    ),
    Record::integer(
        D::RdbKeySaveDelay,
        "rdb-key-save-delay",
        0,
        (I32_MIN, I32),
        "Microseconds to wait after every key of a snapshot, for tests",
    )
    .hidden(),
    Record::integer(
        D::KeyLoadDelay,
        "key-load-delay",
        0,
        (I32_MIN, I32),
        "Microseconds to wait after every loaded key, for tests",
    )
    .hidden(),
    // Redis's interval; Valkey looks up four times less often.
    Record::integer(
        D::LoadingProcessEventsIntervalBytes,
        "loading-process-events-interval-bytes",
        512 << 10,
        (1024, I32),
        "Bytes loaded between two looks at clients",
    )
    .hidden()
    .meaningless(),
    Record::choice(
        D::SanitizeDumpPayload,
        "sanitize-dump-payload",
        SanitizeDumpPayload::WORDS,
        SanitizeDumpPayload::No as u32,
        "How deeply foreign serialized values are examined",
    )
    .meaningless(),
    Record::flag(
        D::StopWritesOnBgsaveError,
        "stop-writes-on-bgsave-error",
        true,
        "Refuse writes after a snapshot failed",
    ),
    // The append-only file
    Record::flag(D::Appendonly, "appendonly", false, "Keep a log of changes").denied_while_loading(),
    Record::text(D::Appendfilename, "appendfilename", "appendonly.aof", "Prefix of the log's files")
        .immutable()
        .check(check::appendfilename),
    Record::text(
        D::Appenddirname,
        "appenddirname",
        "appendonlydir",
        "Directory of the log's files, inside `dir`",
    )
    .immutable()
    .check(check::appenddirname),
    Record::choice(
        D::Appendfsync,
        "appendfsync",
        AppendFsync::WORDS,
        AppendFsync::Everysec as u32,
        "When the log is forced to disk",
    ),
    Record::flag(
        D::NoAppendfsyncOnRewrite,
        "no-appendfsync-on-rewrite",
        false,
        "Do not force the log while it is rewritten or a snapshot is taken",
    ),
    Record::integer(
        D::AutoAofRewritePercentage,
        "auto-aof-rewrite-percentage",
        100,
        (0, I32),
        "Growth in percent after which the log is rewritten; 0 never",
    ),
    Record::bytes(
        D::AutoAofRewriteMinSize,
        "auto-aof-rewrite-min-size",
        64 << 20,
        (0, I64),
        "Size below which the log is not rewritten by itself",
    ),
    Record::flag(
        D::AofLoadTruncated,
        "aof-load-truncated",
        true,
        "Start even if the log ends in the middle of a command",
    ),
    Record::integer(
        D::AofLoadCorruptTailMaxSize,
        "aof-load-corrupt-tail-max-size",
        0,
        (0, I64),
        "Bytes of a damaged tail that may be dropped at start-up",
    ),
    Record::flag(D::AofUseRdbPreamble, "aof-use-rdb-preamble", true, "Begin a rewritten log with a snapshot"),
    Record::flag(
        D::AofTimestampEnabled,
        "aof-timestamp-enabled",
        false,
        "Note times in the log, for recovery to a point in time",
    ),
    Record::flag(
        D::AofRewriteIncrementalFsync,
        "aof-rewrite-incremental-fsync",
        true,
        "Force a rewritten log to disk while it is written",
    ),
    // Ochre's own: what it adds, other readers skip as annotations.
    Record::flag(
        D::AofChecksum,
        "aof-checksum",
        true,
        "Put checksums into the log, by which damage is found",
    ),
    // Ochre's own: peers write before they answer, so nothing waits there.
    Record::bytes(
        D::AofBufferLimit,
        "aof-buffer-limit",
        256 << 20,
        (1024, I64),
        "Bytes that may wait to be written to the log before writers wait",
    ),
    Record::flag(
        D::AofDisableAutoGc,
        "aof-disable-auto-gc",
        false,
        "Keep the log's superseded files, for tests",
    )
    .hidden(),
];
