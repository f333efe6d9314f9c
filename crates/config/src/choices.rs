//! The enumerations of the table, each as a Rust type and as the list of words that the parser accepts.
//!
//! The numbers are codes of this crate: they are stored in [`Value`](crate::Value), compared, and never leave the
//! process. Words marked `or` are synonyms that an error text does not list.

use crate::record::Word;

/// An enumeration that a directive's value can be read as.
pub trait Choice: Copy + Eq {
    /// The accepted words, in the order in which error texts list them.
    const WORDS: &'static [Word];

    /// The variant of a stored code; the first one if the code is none of ours.
    fn from_code(code: u32) -> Self;

    /// The stored code of this variant.
    fn code(self) -> u32;

    /// The canonical word.
    fn word(self) -> &'static str {
        let code = self.code();
        Self::WORDS.iter().find(|word| word.code == code).map_or("", |word| word.text)
    }
}

macro_rules! choices {
    ($(
        $(#[$doc:meta])* $type:ident {
            $( $(#[$variant_doc:meta])* $variant:ident = $text:literal $(or $synonym:literal)* ),+ $(,)?
        }
    )+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type { $( $(#[$variant_doc])* $variant ),+ }

        impl Choice for $type {
            const WORDS: &'static [Word] = &[ $(
                Word { text: $text, code: $type::$variant as u32, listed: true },
                $( Word { text: $synonym, code: $type::$variant as u32, listed: false }, )*
            )+ ];

            fn from_code(code: u32) -> Self {
                const ALL: &[$type] = &[ $( $type::$variant ),+ ];
                ALL.get(code as usize).copied().unwrap_or(ALL[0])
            }

            fn code(self) -> u32 {
                self as u32
            }
        }
    )+ };
}

choices! {
    /// `maxmemory-policy`: which keys may be evicted, and which of them first.
    MaxmemoryPolicy {
        /// Least recently used among keys with an expiry.
        VolatileLru = "volatile-lru",
        /// Least frequently used among keys with an expiry.
        VolatileLfu = "volatile-lfu",
        /// Any key with an expiry.
        VolatileRandom = "volatile-random",
        /// The key that expires soonest.
        VolatileTtl = "volatile-ttl",
        /// Least recently modified among keys with an expiry.
        VolatileLrm = "volatile-lrm",
        /// Least recently used.
        AllkeysLru = "allkeys-lru",
        /// Least frequently used.
        AllkeysLfu = "allkeys-lfu",
        /// Any key.
        AllkeysRandom = "allkeys-random",
        /// Least recently modified.
        AllkeysLrm = "allkeys-lrm",
        /// Nothing is evicted; writes fail instead.
        Noeviction = "noeviction",
    }
    /// `syslog-facility`.
    SyslogFacility {
        /// LOG_USER.
        User = "user",
        /// LOG_LOCAL0.
        Local0 = "local0",
        /// LOG_LOCAL1.
        Local1 = "local1",
        /// LOG_LOCAL2.
        Local2 = "local2",
        /// LOG_LOCAL3.
        Local3 = "local3",
        /// LOG_LOCAL4.
        Local4 = "local4",
        /// LOG_LOCAL5.
        Local5 = "local5",
        /// LOG_LOCAL6.
        Local6 = "local6",
        /// LOG_LOCAL7.
        Local7 = "local7",
    }
    /// `loglevel`: the least important messages that are logged.
    LogLevel {
        /// Everything.
        Debug = "debug",
        /// Much, but not every detail.
        Verbose = "verbose",
        /// What an operator wants to know.
        Notice = "notice",
        /// Only what needs attention.
        Warning = "warning",
        /// Silence.
        Nothing = "nothing",
    }
    /// `supervised`: how a service manager is told that the server is ready.
    Supervised {
        /// Stop once with SIGSTOP.
        Upstart = "upstart",
        /// Notify over the socket named by the environment.
        Systemd = "systemd",
        /// Whichever of the two the environment shows.
        Auto = "auto",
        /// Nobody is told.
        No = "no",
    }
    /// `appendfsync`: when the log is forced to disk.
    AppendFsync {
        /// About once a second.
        Everysec = "everysec",
        /// Before a reply is sent.
        Always = "always",
        /// When the operating system likes.
        No = "no",
    }
    /// `repl-diskless-load`: how a replica reads the snapshot of a full synchronization.
    ReplDisklessLoad {
        /// From a file.
        Disabled = "disabled",
        /// From the socket, if the replica holds no data.
        OnEmptyDb = "on-empty-db",
        /// From the socket, next to the old data.
        Swapdb = "swapdb",
        /// From the socket, after the old data was dropped.
        Flushdb = "flushdb" or "flush-before-load",
    }
    /// `tls-auth-clients`: whether clients must show a certificate.
    TlsAuthClients {
        /// Not asked for.
        No = "no",
        /// Required.
        Yes = "yes",
        /// Checked if shown.
        Optional = "optional",
    }
    /// `tls-auth-clients-user`: the certificate field that names the ACL user. Redis does not know `URI`.
    TlsAuthClientsUser {
        /// The common name of the subject.
        CommonName = "CN",
        /// A URI among the alternative names.
        Uri = "URI",
        /// Certificates do not authenticate users.
        Off = "off",
    }
    /// `acl-pubsub-default`: the channels a new user may use.
    AclPubsubDefault {
        /// All of them.
        Allchannels = "allchannels",
        /// None.
        Resetchannels = "resetchannels",
    }
    /// `enable-protected-configs`, `enable-debug-command`, `enable-module-command`: who may do dangerous things.
    ProtectedAction {
        /// Nobody.
        No = "no",
        /// Everybody.
        Yes = "yes",
        /// Clients of this machine.
        Local = "local",
    }
    /// `cluster-preferred-endpoint-type`: how nodes are named to clients.
    EndpointType {
        /// By address.
        Ip = "ip",
        /// By announced host name.
        Hostname = "hostname",
        /// Not at all: the client uses the address it is connected to.
        UnknownEndpoint = "unknown-endpoint",
    }
    /// `cluster-config-save-behavior`: what a failure to save the cluster's state means.
    ClusterConfigSave {
        /// The process exits.
        Sync = "sync",
        /// It is logged.
        BestEffort = "best-effort",
    }
    /// `propagation-error-behavior`: what an error in the replication stream means.
    PropagationError {
        /// It is logged and counted.
        Ignore = "ignore",
        /// The process stops.
        Panic = "panic",
        /// The process stops if it is a replica.
        PanicOnReplicas = "panic-on-replicas",
    }
    /// `log-format`.
    LogFormat {
        /// The lines of Redis.
        Legacy = "legacy",
        /// Keys and values.
        Logfmt = "logfmt",
        /// One JSON object per line.
        Json = "json",
    }
    /// `log-timestamp-format`.
    LogTimestampFormat {
        /// Day, month, year and time of day.
        Legacy = "legacy",
        /// ISO 8601.
        Iso8601 = "iso8601",
        /// Milliseconds since 1970.
        Milliseconds = "milliseconds",
    }
    /// `rdb-version-check`: whether snapshots of unknown newer versions are tried.
    RdbVersionCheck {
        /// They are refused.
        Strict = "strict",
        /// They are read as far as they are understood.
        Relaxed = "relaxed",
    }
    /// `sanitize-dump-payload`: how deeply foreign serialized values are examined.
    SanitizeDumpPayload {
        /// Lightly.
        No = "no",
        /// Fully.
        Yes = "yes",
        /// Fully, unless they come from the master or a trusted user.
        Clients = "clients",
    }
}

const fn listed(text: &'static str, code: u32) -> Word {
    Word { text, code, listed: true }
}

const fn synonym(text: &'static str, code: u32) -> Word {
    Word { text, code, listed: false }
}

/// `oom-score-adj`: `yes` and `relative` are the same.
pub(crate) const OOM_SCORE_ADJ: &[Word] = &[
    listed("no", OOM_NO),
    listed("yes", OOM_RELATIVE),
    listed("relative", OOM_RELATIVE),
    listed("absolute", OOM_ABSOLUTE),
];
/// `oom-score-adj no`: the kernel's score is left alone.
pub const OOM_NO: u32 = 0;
/// `oom-score-adj relative`: values are added to the score the process started with.
pub const OOM_RELATIVE: u32 = 1;
/// `oom-score-adj absolute`: values are the score.
pub const OOM_ABSOLUTE: u32 = 2;

/// `shutdown-on-sigint`, `shutdown-on-sigterm`. The last two are Valkey's.
pub(crate) const SHUTDOWN: &[Word] = &[
    listed("default", 0),
    listed("save", SHUTDOWN_SAVE),
    listed("nosave", SHUTDOWN_NOSAVE),
    listed("now", SHUTDOWN_NOW),
    listed("force", SHUTDOWN_FORCE),
    synonym("safe", SHUTDOWN_SAFE),
    synonym("failover", SHUTDOWN_FAILOVER),
];
/// Save a snapshot even if no save points are configured.
pub const SHUTDOWN_SAVE: u32 = 1;
/// Do not save a snapshot.
pub const SHUTDOWN_NOSAVE: u32 = 2;
/// Do not wait for replicas.
pub const SHUTDOWN_NOW: u32 = 4;
/// Exit even if saving fails.
pub const SHUTDOWN_FORCE: u32 = 8;
/// Refuse when it would lose the place in a cluster.
pub const SHUTDOWN_SAFE: u32 = 16;
/// Hand over to a replica first.
pub const SHUTDOWN_FAILOVER: u32 = 32;

/// `cluster-slot-stats-enabled`.
pub(crate) const SLOT_STATS: &[Word] = &[
    listed("no", 0),
    listed("yes", SLOT_STATS_CPU | SLOT_STATS_NET | SLOT_STATS_MEM),
    listed("cpu", SLOT_STATS_CPU),
    listed("net", SLOT_STATS_NET),
    listed("mem", SLOT_STATS_MEM),
];
/// CPU time per slot.
pub const SLOT_STATS_CPU: u32 = 1;
/// Network bytes per slot.
pub const SLOT_STATS_NET: u32 = 2;
/// Memory per slot.
pub const SLOT_STATS_MEM: u32 = 4;
