//! Listening, connections and TLS.

use super::{D, I32, I64, PORT, U32};
use crate::choices::{Choice as _, TlsAuthClients, TlsAuthClientsUser};
use crate::record::{Kind, Record, Unit};

pub(super) const RECORDS: &[Record] = &[
    Record::special(
        D::Bind,
        "bind",
        Kind::Addresses(&["*", "-::*"]),
        "Addresses to listen on; a leading '-' tolerates one that does not exist",
    ),
    Record::optional(D::BindSourceAddr, "bind-source-addr", "Local address of outgoing connections").later(),
    Record::integer(D::Port, "port", 6379, PORT, "TCP port; 0 turns plain TCP off"),
    Record::integer(
        D::TcpBacklog,
        "tcp-backlog",
        511,
        (0, I32),
        "Connections the kernel queues before they are accepted",
    )
    .immutable(),
    Record::integer(
        D::TcpKeepalive,
        "tcp-keepalive",
        300,
        (0, I32),
        "Seconds between probes of silent connections; 0 sends none",
    ),
    Record::integer(
        D::Timeout,
        "timeout",
        0,
        (0, I32),
        "Seconds after which an idle client is disconnected; 0 never",
    ),
    Record::flag(
        D::ProtectedMode,
        "protected-mode",
        true,
        "Without a password, serve clients of this machine only",
    ),
    Record::optional(D::Unixsocket, "unixsocket", "Path of a Unix socket to listen on as well").immutable(),
    Record::optional(D::Unixsocketgroup, "unixsocketgroup", "Group that owns the Unix socket").immutable(),
    Record::integer(
        D::Unixsocketperm,
        "unixsocketperm",
        0,
        (0, 0o777),
        "Permissions of the Unix socket, in octal; 0 leaves the default",
    )
    .unit(Unit::Octal)
    .immutable(),
    Record::integer(
        D::SocketMarkId,
        "socket-mark-id",
        0,
        (0, U32),
        "Mark set on listening sockets, for packet filters and routing",
    )
    .immutable()
    .later(),
    Record::integer(
        D::MaxNewConnectionsPerCycle,
        "max-new-connections-per-cycle",
        10,
        (1, 1000),
        "Connections accepted in one turn of an event loop",
    )
    .meaningless(),
    Record::integer(
        D::MaxNewTlsConnectionsPerCycle,
        "max-new-tls-connections-per-cycle",
        1,
        (1, 1000),
        "TLS connections accepted in one turn of an event loop",
    )
    .later(),
    Record::flag(D::Mptcp, "mptcp", false, "Listen with Multipath TCP").immutable().meaningless(),
    Record::special(D::RdmaBind, "rdma-bind", Kind::Addresses(&[]), "Addresses of RDMA listeners")
        .meaningless(),
    Record::integer(D::RdmaPort, "rdma-port", 0, PORT, "Port of RDMA listeners").meaningless(),
    Record::integer(
        D::RdmaRxSize,
        "rdma-rx-size",
        1024 * 1024,
        (64 * 1024, 16 * 1024 * 1024),
        "Receive buffer of an RDMA connection, in bytes",
    )
    .immutable()
    .meaningless(),
    Record::integer(
        D::RdmaCompletionVector,
        "rdma-completion-vector",
        -1,
        (-1, 1024),
        "Completion vector of RDMA connections",
    )
    .immutable()
    .meaningless(),
    Record::integer(D::TlsPort, "tls-port", 0, PORT, "TLS port; 0 turns TLS clients off").later(),
    Record::optional(D::TlsCertFile, "tls-cert-file", "Certificate the server shows")
        .always_applied()
        .later(),
    Record::optional(D::TlsKeyFile, "tls-key-file", "Private key of that certificate")
        .always_applied()
        .later(),
    Record::optional(D::TlsKeyFilePass, "tls-key-file-pass", "Passphrase of that key").sensitive().later(),
    Record::optional(
        D::TlsClientCertFile,
        "tls-client-cert-file",
        "Certificate shown on outgoing connections",
    )
    .always_applied()
    .later(),
    Record::optional(D::TlsClientKeyFile, "tls-client-key-file", "Private key of the outgoing certificate")
        .always_applied()
        .later(),
    Record::optional(D::TlsClientKeyFilePass, "tls-client-key-file-pass", "Passphrase of the outgoing key")
        .sensitive()
        .later(),
    Record::optional(D::TlsDhParamsFile, "tls-dh-params-file", "Diffie-Hellman parameters for old clients")
        .always_applied()
        .later(),
    Record::optional(D::TlsCaCertFile, "tls-ca-cert-file", "Authorities that sign accepted certificates")
        .always_applied()
        .later(),
    Record::optional(D::TlsCaCertDir, "tls-ca-cert-dir", "Directory of such authorities")
        .always_applied()
        .later(),
    Record::choice(
        D::TlsAuthClients,
        "tls-auth-clients",
        TlsAuthClients::WORDS,
        TlsAuthClients::Yes as u32,
        "Whether clients must show a certificate",
    )
    .later(),
    Record::choice(
        D::TlsAuthClientsUser,
        "tls-auth-clients-user",
        TlsAuthClientsUser::WORDS,
        TlsAuthClientsUser::Off as u32,
        "Certificate field that names the ACL user of a client",
    )
    .later(),
    Record::flag(D::TlsReplication, "tls-replication", false, "Connect to the master over TLS").later(),
    Record::flag(D::TlsCluster, "tls-cluster", false, "Use TLS between the nodes of a cluster").later(),
    Record::optional(D::TlsProtocols, "tls-protocols", "Accepted protocol versions").later(),
    Record::optional(D::TlsCiphers, "tls-ciphers", "Ciphers up to TLS 1.2").later(),
    Record::optional(D::TlsCiphersuites, "tls-ciphersuites", "Cipher suites of TLS 1.3").later(),
    Record::flag(
        D::TlsPreferServerCiphers,
        "tls-prefer-server-ciphers",
        false,
        "The server's order of ciphers wins",
    )
    .later(),
    Record::flag(D::TlsSessionCaching, "tls-session-caching", true, "Let clients resume sessions").later(),
    Record::integer(
        D::TlsSessionCacheSize,
        "tls-session-cache-size",
        20 * 1024,
        (0, I32),
        "Sessions kept for resumption",
    )
    .later(),
    Record::integer(
        D::TlsSessionCacheTimeout,
        "tls-session-cache-timeout",
        300,
        (0, I32),
        "Seconds a session can be resumed",
    )
    .later(),
    Record::integer(
        D::TlsAutoReloadInterval,
        "tls-auto-reload-interval",
        0,
        (0, I32),
        "Seconds between looks for changed certificate files; 0 never looks",
    )
    .later(),
    // Clients
    Record::integer(D::Maxclients, "maxclients", 10_000, (1, U32), "Connected clients at most"),
    Record::integer(
        D::MaxmemoryClients,
        "maxmemory-clients",
        0,
        (-100, I64),
        "Memory of all clients, in bytes or percent of maxmemory; 0 is no limit",
    )
    .unit(Unit::BytesOrPercent),
    Record::bytes(
        D::ClientQueryBufferLimit,
        "client-query-buffer-limit",
        1 << 30,
        (1 << 20, I64),
        "Unprocessed input of one client at most",
    ),
    Record::bytes(
        D::ProtoMaxBulkLen,
        "proto-max-bulk-len",
        512 << 20,
        (1 << 20, I64),
        "Longest argument of a command",
    ),
    Record::special(
        D::ClientOutputBufferLimit,
        "client-output-buffer-limit",
        Kind::OutputBufferLimits,
        "Unsent replies per client of a class: hard limit, soft limit, seconds above the soft limit",
    ),
    Record::integer(
        D::TrackingTableMaxKeys,
        "tracking-table-max-keys",
        1_000_000,
        (0, I64),
        "Keys remembered for client-side caching; 0 is no limit",
    ),
];
