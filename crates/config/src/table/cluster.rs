//! Cluster mode: kept for the part of the server that will be the cluster.

use super::{D, I32, I64, PORT, U64};
use crate::check;
use crate::choices::{Choice as _, ClusterConfigSave, EndpointType, SLOT_STATS};
use crate::record::{Record, Unit};

pub(super) const RECORDS: &[Record] = &[
    Record::flag(D::ClusterEnabled, "cluster-enabled", false, "Be a node of a cluster").immutable().later(),
    Record::text(
        D::ClusterConfigFile,
        "cluster-config-file",
        "nodes.conf",
        "File the node keeps its view of the cluster in",
    )
    .immutable()
    .later(),
    Record::choice(
        D::ClusterConfigSaveBehavior,
        "cluster-config-save-behavior",
        ClusterConfigSave::WORDS,
        ClusterConfigSave::Sync as u32,
        "What a failure to write that file means",
    )
    .later(),
    Record::integer(
        D::ClusterDatabases,
        "cluster-databases",
        1,
        (1, I32),
        "Number of databases in cluster mode",
    )
    .immutable()
    .later(),
    Record::integer(
        D::ClusterNodeTimeout,
        "cluster-node-timeout",
        15_000,
        (0, I64),
        "Milliseconds after which an unreachable node is suspected",
    )
    .later(),
    Record::integer(
        D::ClusterPingInterval,
        "cluster-ping-interval",
        0,
        (0, I64),
        "Milliseconds between pings, for tests; 0 is the usual",
    )
    .hidden()
    .later(),
    Record::integer(
        D::ClusterPort,
        "cluster-port",
        0,
        PORT,
        "Port of the cluster bus; 0 is the data port plus 10000",
    )
    .immutable()
    .later(),
    Record::optional(D::ClusterAnnounceIp, "cluster-announce-ip", "Address other nodes and clients are told")
        .check(check::announced_ip)
        .later(),
    Record::optional(
        D::ClusterAnnounceClientIpv4,
        "cluster-announce-client-ipv4",
        "IPv4 address that IPv4 clients are told",
    )
    .check(check::ipv4)
    .later(),
    Record::optional(
        D::ClusterAnnounceClientIpv6,
        "cluster-announce-client-ipv6",
        "IPv6 address that IPv6 clients are told",
    )
    .check(check::ipv6)
    .later(),
    Record::integer(
        D::ClusterAnnouncePort,
        "cluster-announce-port",
        0,
        PORT,
        "Data port others are told; 0 is the real one",
    )
    .later(),
    Record::integer(
        D::ClusterAnnounceTlsPort,
        "cluster-announce-tls-port",
        0,
        PORT,
        "TLS port others are told; 0 is the real one",
    )
    .later(),
    Record::integer(
        D::ClusterAnnounceBusPort,
        "cluster-announce-bus-port",
        0,
        PORT,
        "Bus port others are told; 0 is the real one",
    )
    .later(),
    Record::integer(
        D::ClusterAnnounceClientPort,
        "cluster-announce-client-port",
        0,
        PORT,
        "Data port clients are told; 0 is the announced one",
    )
    .later(),
    Record::integer(
        D::ClusterAnnounceClientTlsPort,
        "cluster-announce-client-tls-port",
        0,
        PORT,
        "TLS port clients are told; 0 is the announced one",
    )
    .later(),
    Record::optional(D::ClusterAnnounceHostname, "cluster-announce-hostname", "Host name clients are told")
        .check(check::announced_hostname)
        .later(),
    Record::optional(
        D::ClusterAnnounceHumanNodename,
        "cluster-announce-human-nodename",
        "Name of this node for people",
    )
    .check(check::announced_nodename)
    .later(),
    Record::choice(
        D::ClusterPreferredEndpointType,
        "cluster-preferred-endpoint-type",
        EndpointType::WORDS,
        EndpointType::Ip as u32,
        "How nodes are named to clients",
    )
    .later(),
    Record::integer(
        D::ClusterReplicaValidityFactor,
        "cluster-replica-validity-factor",
        10,
        (0, I32),
        "Node timeouts of silence after which a replica is too old to take over; 0 never is",
    )
    .alias(&["cluster-slave-validity-factor"])
    .later(),
    Record::flag(
        D::ClusterReplicaNoFailover,
        "cluster-replica-no-failover",
        false,
        "Never take over by itself",
    )
    .alias(&["cluster-slave-no-failover"])
    .later(),
    Record::integer(
        D::ClusterMigrationBarrier,
        "cluster-migration-barrier",
        1,
        (0, I32),
        "Replicas a master keeps before one may move to an orphaned master",
    )
    .later(),
    Record::flag(
        D::ClusterAllowReplicaMigration,
        "cluster-allow-replica-migration",
        true,
        "Let replicas move to orphaned masters",
    )
    .later(),
    Record::flag(
        D::ClusterRequireFullCoverage,
        "cluster-require-full-coverage",
        true,
        "Stop serving while a slot has no node",
    )
    .later(),
    Record::flag(
        D::ClusterAllowReadsWhenDown,
        "cluster-allow-reads-when-down",
        false,
        "Answer reads while the cluster is down",
    )
    .later(),
    Record::flag(
        D::ClusterAllowPubsubshardWhenDown,
        "cluster-allow-pubsubshard-when-down",
        true,
        "Serve sharded channels while the cluster is down",
    )
    .later(),
    Record::bytes(
        D::ClusterLinkSendbufLimit,
        "cluster-link-sendbuf-limit",
        0,
        (0, U64),
        "Unsent bytes above which a link of the bus is closed; 0 is no limit",
    )
    .later(),
    Record::integer(
        D::ClusterManualFailoverTimeout,
        "cluster-manual-failover-timeout",
        5000,
        (1, I32),
        "Milliseconds after which a manual failover is given up",
    )
    .later(),
    Record::integer(
        D::ClusterBlacklistTtl,
        "cluster-blacklist-ttl",
        60,
        (0, I64),
        "Seconds a forgotten node stays forgotten",
    )
    .later(),
    Record::integer(
        D::ClusterMessageGossipPerc,
        "cluster-message-gossip-perc",
        10,
        (1, 100),
        "Percentage of nodes that a message of the bus speaks of",
    )
    .hidden()
    .later(),
    // Redis counts some of the three measures; Valkey knows yes and no.
    Record::flags(
        D::ClusterSlotStatsEnabled,
        "cluster-slot-stats-enabled",
        SLOT_STATS,
        0,
        "What is counted per slot",
    )
    .later(),
    Record::integer(
        D::ClusterCompatibilitySampleRatio,
        "cluster-compatibility-sample-ratio",
        0,
        (0, 100),
        "Percentage of commands examined for what a cluster would refuse",
    )
    .later(),
    Record::bytes(
        D::ClusterSlotMigrationHandoffMaxLagBytes,
        "cluster-slot-migration-handoff-max-lag-bytes",
        1 << 20,
        (0, I64),
        "Lag below which moving slots are handed over",
    )
    .later(),
    Record::integer(
        D::ClusterSlotMigrationWritePauseTimeout,
        "cluster-slot-migration-write-pause-timeout",
        10_000,
        (0, I64),
        "Milliseconds writes wait for that hand-over",
    )
    .later(),
    Record::integer(
        D::ClusterSlotMigrationSyncBufferDrainTimeout,
        "cluster-slot-migration-sync-buffer-drain-timeout",
        60_000,
        (0, I64),
        "Milliseconds to apply the changes that piled up",
    )
    .hidden()
    .later(),
    Record::integer(
        D::ClusterSlotMigrationMaxArchivedTasks,
        "cluster-slot-migration-max-archived-tasks",
        32,
        (1, I32),
        "Finished slot migrations that are remembered",
    )
    .hidden()
    .later(),
    Record::integer(
        D::ClusterSlotMigrationLogMaxLen,
        "cluster-slot-migration-log-max-len",
        1000,
        (0, I64),
        "Slot migrations that Valkey's log remembers",
    )
    .later(),
    Record::integer(
        D::SlotMigrationMaxFailoverReplBytes,
        "slot-migration-max-failover-repl-bytes",
        0,
        (-1, I64),
        "Lag below which Valkey hands slots over; -1 at any lag",
    )
    .unit(Unit::SignedBytes)
    .later(),
];
