//! Masters and replicas.

use super::{D, I32, I64, PORT};
use crate::choices::{Choice as _, PropagationError, ReplDisklessLoad};
use crate::record::{Kind, Record};

pub(super) const RECORDS: &[Record] = &[
    Record::special(D::Replicaof, "replicaof", Kind::ReplicaOf, "Host and port of the master to copy")
        .alias(&["slaveof"])
        .immutable()
        .later(),
    Record::optional(D::Masterauth, "masterauth", "Password for the master")
        .alias(&["primaryauth"])
        .binary()
        .sensitive()
        .later(),
    Record::optional(D::Masteruser, "masteruser", "ACL user for the master")
        .alias(&["primaryuser"])
        .sensitive()
        .later(),
    Record::flag(
        D::ReplicaServeStaleData,
        "replica-serve-stale-data",
        true,
        "Answer reads while the master cannot be reached",
    )
    .alias(&["slave-serve-stale-data"])
    .later(),
    Record::flag(D::ReplicaReadOnly, "replica-read-only", true, "Refuse writes on a replica")
        .alias(&["slave-read-only"])
        .later(),
    Record::flag(
        D::ReplicaLazyFlush,
        "replica-lazy-flush",
        false,
        "Free old data in the background before a full synchronization",
    )
    .alias(&["slave-lazy-flush"])
    .meaningless(),
    Record::flag(D::ReplicaIgnoreMaxmemory, "replica-ignore-maxmemory", true, "Leave eviction to the master")
        .alias(&["slave-ignore-maxmemory"])
        .later(),
    Record::flag(
        D::ReplicaIgnoreDiskWriteErrors,
        "replica-ignore-disk-write-errors",
        false,
        "Apply the master's writes even if they cannot be saved",
    )
    .later(),
    Record::integer(
        D::ReplicaPriority,
        "replica-priority",
        100,
        (0, I32),
        "Rank for promotion by Sentinel, lowest first; 0 is never promoted",
    )
    .alias(&["slave-priority"])
    .later(),
    Record::flag(D::ReplicaAnnounced, "replica-announced", true, "Let Sentinel show this replica to clients")
        .later(),
    Record::optional(D::ReplicaAnnounceIp, "replica-announce-ip", "Address the master and Sentinel are told")
        .alias(&["slave-announce-ip"])
        .later(),
    Record::integer(
        D::ReplicaAnnouncePort,
        "replica-announce-port",
        0,
        PORT,
        "Port the master and Sentinel are told; 0 is the real one",
    )
    .alias(&["slave-announce-port"])
    .later(),
    Record::bytes(
        D::ReplicaFullSyncBufferLimit,
        "replica-full-sync-buffer-limit",
        0,
        (0, I64),
        "Changes a replica keeps while it loads a snapshot; 0 takes the output buffer limit",
    )
    .later(),
    Record::integer(
        D::ReplTimeout,
        "repl-timeout",
        60,
        (1, I32),
        "Seconds of silence after which the other side is lost",
    )
    .later(),
    Record::integer(
        D::ReplPingReplicaPeriod,
        "repl-ping-replica-period",
        10,
        (1, I32),
        "Seconds between a master's pings",
    )
    .alias(&["repl-ping-slave-period"])
    .later(),
    // Redis's size; Valkey keeps ten times as much. Less than 16 kb would not outlive one command.
    Record::bytes(
        D::ReplBacklogSize,
        "repl-backlog-size",
        1 << 20,
        (1, I64),
        "Changes kept for replicas that come back",
    )
    .clamp(16 << 10, I64)
    .later(),
    Record::integer(
        D::ReplBacklogTtl,
        "repl-backlog-ttl",
        3600,
        (0, I64),
        "Seconds without replicas after which these changes are dropped; 0 never",
    )
    .later(),
    Record::flag(
        D::ReplDisableTcpNodelay,
        "repl-disable-tcp-nodelay",
        false,
        "Send fewer packets to replicas, later",
    )
    .later(),
    Record::flag(
        D::ReplDisklessSync,
        "repl-diskless-sync",
        true,
        "Send snapshots to replicas without a file between",
    )
    .later(),
    Record::integer(
        D::ReplDisklessSyncDelay,
        "repl-diskless-sync-delay",
        5,
        (0, I32),
        "Seconds to wait for more replicas before sending",
    )
    .later(),
    Record::integer(
        D::ReplDisklessSyncMaxReplicas,
        "repl-diskless-sync-max-replicas",
        0,
        (0, I32),
        "Replicas after which waiting ends; 0 waits in any case",
    )
    .later(),
    Record::choice(
        D::ReplDisklessLoad,
        "repl-diskless-load",
        ReplDisklessLoad::WORDS,
        ReplDisklessLoad::Disabled as u32,
        "How a replica reads the snapshot of a full synchronization",
    )
    .denied_while_loading()
    .later(),
    Record::flag(
        D::ReplRdbChannel,
        "repl-rdb-channel",
        true,
        "Send the snapshot over a connection of its own",
    )
    .hidden()
    .later(),
    Record::flag(
        D::DualChannelReplicationEnabled,
        "dual-channel-replication-enabled",
        false,
        "Valkey's snapshot over a connection of its own",
    )
    .later(),
    Record::flag(D::ReplMptcp, "repl-mptcp", false, "Connect to the master with Multipath TCP")
        .immutable()
        .meaningless(),
    Record::integer(
        D::MinReplicasToWrite,
        "min-replicas-to-write",
        0,
        (0, I32),
        "Good replicas without which writes are refused; 0 asks for none",
    )
    .alias(&["min-slaves-to-write"]),
    Record::integer(
        D::MinReplicasMaxLag,
        "min-replicas-max-lag",
        10,
        (0, I32),
        "Seconds since its last word within which a replica is good",
    )
    .alias(&["min-slaves-max-lag"]),
    Record::choice(
        D::PropagationErrorBehavior,
        "propagation-error-behavior",
        PropagationError::WORDS,
        PropagationError::Ignore as u32,
        "What an error in the replication stream means",
    )
    .later(),
    Record::flag(
        D::ImportMode,
        "import-mode",
        false,
        "Keep expired keys while another server writes a copy of its data",
    ),
    Record::text(
        D::AvailabilityZone,
        "availability-zone",
        "",
        "Name of the place where this server runs, for clients",
    )
    .binary(),
];
