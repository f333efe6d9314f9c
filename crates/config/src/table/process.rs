//! The process: workers, files it writes about itself, logging, security, shutting down.

use super::{D, I32, I64};
use crate::check;
use crate::choices::{
    AclPubsubDefault, Choice as _, LogFormat, LogLevel, LogTimestampFormat, OOM_NO, OOM_SCORE_ADJ,
    ProtectedAction, SHUTDOWN, Supervised, SyslogFacility,
};
use crate::record::{Kind, Record};

pub(super) const RECORDS: &[Record] = &[
    // Redis and Valkey default to one thread; here every worker executes commands, so the default is one per core,
    // written as 0. The upper bound is Valkey's.
    Record::integer(
        D::IoThreads,
        "io-threads",
        0,
        (0, 256),
        "Number of workers, each of which executes commands; 0 is one per core",
    )
    .immutable(),
    Record::flag(
        D::IoThreadsAlwaysActive,
        "io-threads-always-active",
        false,
        "Keep helper threads busy for tests",
    )
    .hidden()
    .meaningless(),
    Record::flag(D::Daemonize, "daemonize", false, "Detach from the terminal").immutable(),
    Record::choice(
        D::Supervised,
        "supervised",
        Supervised::WORDS,
        Supervised::No as u32,
        "How a service manager is told that the server is ready",
    )
    .immutable(),
    Record::optional(D::Pidfile, "pidfile", "File that holds the process id while the server runs")
        .immutable(),
    Record::special(D::Dir, "dir", Kind::Dir, "Working directory: where snapshots and logs of changes are")
        .protected()
        .denied_while_loading(),
    Record::flag(
        D::AlwaysShowLogo,
        "always-show-logo",
        false,
        "Print the start-up banner even into a log file",
    )
    .immutable(),
    Record::flag(D::SetProcTitle, "set-proc-title", true, "Show what the server does in the process list")
        .immutable(),
    Record::text(
        D::ProcTitleTemplate,
        "proc-title-template",
        "{title} {listen-addr} {server-mode}",
        "What the process list shows",
    )
    .check(check::proc_title_template),
    Record::text(
        D::LocaleCollate,
        "locale-collate",
        "",
        "Locale by which SORT ALPHA orders text; empty takes the environment's",
    ),
    Record::text(D::IgnoreWarnings, "ignore-warnings", "", "Start-up warnings to leave out").meaningless(),
    // Redis: yes, because a fork then copies two megabytes for one written byte. Here nothing forks.
    Record::flag(D::DisableThp, "disable-thp", false, "Turn transparent huge pages off for this process")
        .immutable(),
    Record::choice(
        D::OomScoreAdj,
        "oom-score-adj",
        OOM_SCORE_ADJ,
        OOM_NO,
        "Whether the kernel's out-of-memory score is set",
    ),
    Record::special(
        D::OomScoreAdjValues,
        "oom-score-adj-values",
        Kind::OomScoreAdjValues,
        "Scores of a master, a replica and a background child",
    ),
    Record::optional(D::ServerCpulist, "server-cpulist", "Cores the workers may run on")
        .alias(&["server_cpulist"])
        .immutable(),
    Record::optional(D::BioCpulist, "bio-cpulist", "Cores background threads may run on")
        .alias(&["bio_cpulist"])
        .immutable(),
    Record::optional(D::AofRewriteCpulist, "aof-rewrite-cpulist", "Cores of the log rewrite's child")
        .alias(&["aof_rewrite_cpulist"])
        .immutable()
        .meaningless(),
    Record::optional(D::BgsaveCpulist, "bgsave-cpulist", "Cores of the snapshot's child")
        .alias(&["bgsave_cpulist"])
        .immutable()
        .meaningless(),
    Record::flag(D::CrashLogEnabled, "crash-log-enabled", true, "Write a report when the server crashes"),
    Record::flag(D::CrashMemcheckEnabled, "crash-memcheck-enabled", true, "Test memory after a crash"),
    Record::flag(
        D::UseExitOnPanic,
        "use-exit-on-panic",
        false,
        "Exit rather than abort on a failed assertion",
    )
    .hidden(),
    Record::flag(D::EnableDebugAssert, "enable-debug-assert", false, "Check costly assertions")
        .immutable()
        .hidden()
        .meaningless(),
    Record::integer(
        D::WatchdogPeriod,
        "watchdog-period",
        0,
        (0, I32),
        "Milliseconds without progress before the stack is logged; 0 is off",
    )
    .hidden(),
    // Logging
    Record::choice(
        D::Loglevel,
        "loglevel",
        LogLevel::WORDS,
        LogLevel::Notice as u32,
        "Least important messages that are logged",
    ),
    Record::text(D::Logfile, "logfile", "", "File of log messages; empty is standard output").immutable(),
    Record::choice(
        D::LogFormat,
        "log-format",
        LogFormat::WORDS,
        LogFormat::Legacy as u32,
        "Shape of log lines",
    ),
    Record::choice(
        D::LogTimestampFormat,
        "log-timestamp-format",
        LogTimestampFormat::WORDS,
        LogTimestampFormat::Legacy as u32,
        "Shape of the time in log lines",
    ),
    Record::flag(D::SyslogEnabled, "syslog-enabled", false, "Send log messages to the system log as well")
        .immutable(),
    // The peers put their own name here.
    Record::text(
        D::SyslogIdent,
        "syslog-ident",
        "ochre",
        "Name under which the system log shows this server",
    )
    .immutable(),
    Record::choice(
        D::SyslogFacility,
        "syslog-facility",
        SyslogFacility::WORDS,
        SyslogFacility::Local0 as u32,
        "Facility of the system log",
    )
    .immutable(),
    // Redis's default; Valkey hides user data unless told otherwise.
    Record::flag(
        D::HideUserDataFromLog,
        "hide-user-data-from-log",
        false,
        "Keep keys, values and names out of the log",
    ),
    // Security
    Record::optional(D::Requirepass, "requirepass", "Password of the default user").binary().sensitive(),
    Record::text(D::Aclfile, "aclfile", "", "File of users; excludes `user` lines in this one").immutable(),
    Record::integer(D::AcllogMaxLen, "acllog-max-len", 128, (0, I64), "Refusals that ACL LOG remembers"),
    Record::choice(
        D::AclPubsubDefault,
        "acl-pubsub-default",
        AclPubsubDefault::WORDS,
        AclPubsubDefault::Resetchannels as u32,
        "Channels a new user may use",
    ),
    Record::choice(
        D::EnableProtectedConfigs,
        "enable-protected-configs",
        ProtectedAction::WORDS,
        ProtectedAction::No as u32,
        "Who may change protected directives",
    )
    .immutable(),
    Record::choice(
        D::EnableDebugCommand,
        "enable-debug-command",
        ProtectedAction::WORDS,
        ProtectedAction::No as u32,
        "Who may use DEBUG",
    )
    .immutable(),
    Record::choice(
        D::EnableModuleCommand,
        "enable-module-command",
        ProtectedAction::WORDS,
        ProtectedAction::No as u32,
        "Who may use MODULE",
    )
    .immutable(),
    Record::text(D::DebugContext, "debug-context", "", "A note that crash reports repeat")
        .hidden()
        .meaningless(),
    // Shutting down
    Record::integer(
        D::ShutdownTimeout,
        "shutdown-timeout",
        10,
        (0, I32),
        "Seconds replicas get to catch up before the server exits",
    )
    .later(),
    Record::flags(
        D::ShutdownOnSigint,
        "shutdown-on-sigint",
        SHUTDOWN,
        0,
        "How the server shuts down on SIGINT",
    )
    .check(check::shutdown_flags),
    Record::flags(
        D::ShutdownOnSigterm,
        "shutdown-on-sigterm",
        SHUTDOWN,
        0,
        "How the server shuts down on SIGTERM",
    )
    .check(check::shutdown_flags),
    // Scripts
    Record::integer(
        D::BusyReplyThreshold,
        "busy-reply-threshold",
        5000,
        (0, I64),
        "Milliseconds after which a running script makes others see BUSY",
    )
    .alias(&["lua-time-limit"]),
    Record::flag(
        D::LuaEnableDeprecatedApi,
        "lua-enable-deprecated-api",
        false,
        "Give scripts functions that were withdrawn as unsafe",
    )
    .alias(&["lua-enable-insecure-api"])
    .immutable()
    .hidden()
    .later(),
    // Being watched
    Record::integer(
        D::SlowlogLogSlowerThan,
        "slowlog-log-slower-than",
        10_000,
        (-1, I64),
        "Microseconds from which a command is slow; negative turns the slow log off",
    )
    .alias(&["commandlog-execution-slower-than"]),
    Record::integer(D::SlowlogMaxLen, "slowlog-max-len", 128, (0, I64), "Slow commands that are remembered")
        .alias(&["commandlog-slow-execution-max-len"]),
    Record::integer(
        D::CommandlogRequestLargerThan,
        "commandlog-request-larger-than",
        1 << 20,
        (-1, I64),
        "Bytes from which a request is large; negative turns its log off",
    ),
    Record::integer(
        D::CommandlogLargeRequestMaxLen,
        "commandlog-large-request-max-len",
        128,
        (0, I64),
        "Large requests that are remembered",
    ),
    Record::integer(
        D::CommandlogReplyLargerThan,
        "commandlog-reply-larger-than",
        1 << 20,
        (-1, I64),
        "Bytes from which a reply is large; negative turns its log off",
    ),
    Record::integer(
        D::CommandlogLargeReplyMaxLen,
        "commandlog-large-reply-max-len",
        128,
        (0, I64),
        "Large replies that are remembered",
    ),
    Record::integer(
        D::LatencyMonitorThreshold,
        "latency-monitor-threshold",
        0,
        (0, I64),
        "Milliseconds from which the latency monitor notes an event; 0 is off",
    ),
    Record::flag(
        D::LatencyTracking,
        "latency-tracking",
        true,
        "Keep a histogram of execution times per command",
    ),
    Record::special(
        D::LatencyTrackingInfoPercentiles,
        "latency-tracking-info-percentiles",
        Kind::Percentiles,
        "Percentiles that INFO latencystats shows",
    ),
];
