//! CONFIG GET and CONFIG SET, with the texts that Redis answers.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod common;

use common::{get, load};
use ochre_config::{
    AppendFsync, ClientMemoryLimit, Config, Directive, KeyspaceEvents, MaxmemoryPolicy, SHUTDOWN_FORCE,
    SHUTDOWN_NOW, SavePoint, SetContext, TABLE,
};

/// Name, value, and what CONFIG GET shows then, or the reason of the refusal.
const CASES: &[(&str, &str, Result<&str, &str>)] = &[
    // Plain numbers
    ("tcp-keepalive", "0", Ok("0")),
    ("tcp-keepalive", "01", Err("argument couldn't be parsed into an integer")),
    ("tcp-keepalive", "1 ", Err("argument couldn't be parsed into an integer")),
    ("tcp-keepalive", "+1", Err("argument couldn't be parsed into an integer")),
    ("tcp-keepalive", "1.0", Err("argument couldn't be parsed into an integer")),
    ("tcp-keepalive", "", Err("argument couldn't be parsed into an integer")),
    ("tcp-keepalive", "-1", Err("argument must be between 0 and 2147483647 inclusive")),
    ("tcp-keepalive", "2147483648", Err("argument must be between 0 and 2147483647 inclusive")),
    ("port", "65536", Err("argument must be between 0 and 65535 inclusive")),
    ("maxclients", "0", Err("argument must be between 1 and 4294967295 inclusive")),
    ("maxclients", "4294967295", Ok("4294967295")),
    (
        "list-max-ziplist-size",
        "-2147483649",
        Err("argument must be between -2147483648 and 2147483647 inclusive"),
    ),
    ("acllog-max-len", "9223372036854775808", Err("argument couldn't be parsed into an integer")),
    ("slowlog-log-slower-than", "-1", Ok("-1")),
    ("slowlog-log-slower-than", "-2", Err("argument must be between -1 and 9223372036854775807 inclusive")),
    ("hz", "0", Ok("1")),
    ("hz", "501", Ok("500")),
    ("hz", "-1", Err("argument must be between 0 and 2147483647 inclusive")),
    // Memory
    ("maxmemory", "1k", Ok("1000")),
    ("maxmemory", "1Kb", Ok("1024")),
    ("maxmemory", "100mb", Ok("104857600")),
    ("maxmemory", "", Ok("0")),
    ("maxmemory", "b", Ok("0")),
    ("maxmemory", "18446744073709551615", Ok("18446744073709551615")),
    ("maxmemory", "-1", Err("argument must be a memory value")),
    ("maxmemory", "1 kb", Err("argument must be a memory value")),
    ("maxmemory", "1gb2", Err("argument must be a memory value")),
    (
        "client-query-buffer-limit",
        "1kb",
        Err("argument must be between 1048576 and 9223372036854775807 inclusive"),
    ),
    ("hash-max-ziplist-value", "1kb", Ok("1024")),
    ("slot-migration-max-failover-repl-bytes", "-1", Ok("-1")),
    (
        "slot-migration-max-failover-repl-bytes",
        "-2",
        Err("argument must be between -1 and 9223372036854775807 inclusive"),
    ),
    ("slot-migration-max-failover-repl-bytes", "1mb", Ok("1048576")),
    ("maxmemory-clients", "5%", Ok("5%")),
    ("maxmemory-clients", "100%", Ok("100%")),
    ("maxmemory-clients", "0%", Ok("0")),
    ("maxmemory-clients", "10mb", Ok("10485760")),
    ("maxmemory-clients", "101%", Err("percentage argument must be less or equal to 100")),
    ("maxmemory-clients", "%", Err("argument must be a memory or percent value")),
    ("maxmemory-clients", "-5%", Err("argument must be a memory or percent value")),
    ("maxmemory-clients", "1.5%", Err("argument must be a memory or percent value")),
    // Words
    ("appendonly", "YES", Ok("yes")),
    ("appendonly", "1", Err("argument must be 'yes' or 'no'")),
    ("loglevel", "WARNING", Ok("warning")),
    (
        "loglevel",
        "",
        Err("argument(s) must be one of the following: debug, verbose, notice, warning, nothing"),
    ),
    ("maxmemory-policy", "volatile-lrm", Ok("volatile-lrm")),
    (
        "maxmemory-policy",
        "lru",
        Err(
            "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, \
             volatile-lrm, allkeys-lru, allkeys-lfu, allkeys-random, allkeys-lrm, noeviction",
        ),
    ),
    ("repl-diskless-load", "flush-before-load", Ok("flushdb")),
    (
        "repl-diskless-load",
        "x",
        Err("argument(s) must be one of the following: disabled, on-empty-db, swapdb, flushdb"),
    ),
    ("oom-score-adj", "relative", Ok("yes")),
    ("shutdown-on-sigint", "now force save", Ok("save now force")),
    ("shutdown-on-sigint", "default save", Ok("save")),
    ("shutdown-on-sigint", "force FORCE", Ok("force")),
    (
        "shutdown-on-sigint",
        "",
        Err("argument(s) must be one of the following: default, save, nosave, now, force"),
    ),
    (
        "shutdown-on-sigint",
        "save nosave",
        Err("shutdown options SAVE and NOSAVE can't be used simultaneously"),
    ),
    ("cluster-slot-stats-enabled", "net cpu", Ok("cpu net")),
    ("cluster-slot-stats-enabled", "mem net cpu", Ok("yes")),
    // Save points
    ("save", "900 1 300 100", Ok("900 1 300 100")),
    ("save", "", Ok("")),
    ("save", "900 ", Ok("900 0")),
    ("save", "+900 1", Ok("900 1")),
    ("save", "900", Err("Invalid save parameters")),
    ("save", "900 1 x", Err("Invalid save parameters")),
    ("save", "0 1", Err("Invalid save parameters")),
    ("save", "1 -1", Err("Invalid save parameters")),
    ("save", "900  1", Err("Invalid save parameters")),
    ("save", "900 2147483648", Err("Invalid save parameters")),
    // Output buffer limits
    (
        "client-output-buffer-limit",
        "REPLICA 1k 1kb 9",
        Ok("normal 0 0 0 slave 1000 1024 9 pubsub 33554432 8388608 60"),
    ),
    ("client-output-buffer-limit", "pubsub 1 2 3 slave 4 5 6", Ok("normal 0 0 0 slave 4 5 6 pubsub 1 2 3")),
    (
        "client-output-buffer-limit",
        "",
        Ok("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
    ),
    (
        "client-output-buffer-limit",
        "normal 1 2",
        Err("Wrong number of arguments in buffer limit configuration."),
    ),
    (
        "client-output-buffer-limit",
        "normal  0 0 0",
        Err("Wrong number of arguments in buffer limit configuration."),
    ),
    (
        "client-output-buffer-limit",
        "master 0 0 0",
        Err("Invalid client class specified in buffer limit configuration."),
    ),
    (
        "client-output-buffer-limit",
        "normal x 0 0",
        Err("Error in hard, soft or soft_seconds setting in buffer limit configuration."),
    ),
    (
        "client-output-buffer-limit",
        "normal 0 0 -1",
        Err("Error in hard, soft or soft_seconds setting in buffer limit configuration."),
    ),
    // Events
    ("notify-keyspace-events", "EKx", Ok("xKE")),
    ("notify-keyspace-events", "KEA", Ok("AKE")),
    ("notify-keyspace-events", "g$lshzxetdnKEm", Ok("AKEm")),
    ("notify-keyspace-events", "ocKE", Ok("ocKE")),
    ("notify-keyspace-events", "VITSmEKh", Ok("hKEmSTIV")),
    ("notify-keyspace-events", "AS", Ok("AS")),
    ("notify-keyspace-events", "", Ok("")),
    ("notify-keyspace-events", "q", Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")),
    // Other lists
    ("oom-score-adj-values", "800 200 -5", Ok("800 200 -5")),
    ("oom-score-adj-values", "1 2", Err("wrong number of arguments")),
    (
        "oom-score-adj-values",
        "-2001 0 0",
        Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000."),
    ),
    ("latency-tracking-info-percentiles", "", Ok("")),
    ("latency-tracking-info-percentiles", "50.0 0.001 1e1 12.3456789", Ok("50 0.001 10 12.345679")),
    (
        "latency-tracking-info-percentiles",
        "50  99",
        Err("Invalid latency-tracking-info-percentiles parameters"),
    ),
    ("latency-tracking-info-percentiles", "nan", Err("Invalid latency-tracking-info-percentiles parameters")),
    (
        "latency-tracking-info-percentiles",
        "inf",
        Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"),
    ),
    ("bind", "127.0.0.1 -::1", Ok("127.0.0.1 -::1")),
    ("bind", "", Ok("")),
    ("bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", Err("Too many bind addresses specified.")),
    // Texts
    ("masterauth", "a\0b", Ok("a\0b")),
    ("masteruser", "a\0b", Ok("a")),
    ("cluster-announce-ip", "::1", Ok("::1")),
    ("cluster-announce-ip", "a b", Err("Cluster announce IP must be a valid IPv4 or IPv6 address")),
    ("cluster-announce-client-ipv4", "::1", Err("Invalid IPv4 address")),
    ("cluster-announce-client-ipv6", "1.2.3.4", Err("Invalid IPv6 address")),
    ("cluster-announce-hostname", "a.b-c", Ok("a.b-c")),
    (
        "cluster-announce-hostname",
        "a_b",
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots"),
    ),
    ("cluster-announce-human-nodename", "a/b-c", Ok("a/b-c")),
    ("cluster-announce-human-nodename", "a,b", Err("Announced human node name contained invalid character")),
    ("proc-title-template", "{title}x", Ok("{title}x")),
    ("proc-title-template", "{{", Ok("{{")),
    ("proc-title-template", "{title}", Err("template format is invalid or contains unknown variables")),
    ("proc-title-template", "{bad}", Err("template format is invalid or contains unknown variables")),
    ("proc-title-template", "{title", Err("template format is invalid or contains unknown variables")),
    ("dbfilename", "a/b", Err("can't set protected config")),
    ("daemonize", "yes", Err("can't set immutable config")),
    ("replicaof", "no one", Err("can't set immutable config")),
    ("key-memory-histograms", "yes", Err("memory tracking cannot be enabled at runtime")),
];

#[test]
fn one_directive() {
    for (name, value, expected) in CASES {
        let mut config = Config::new();
        let result = config.set(&[(name, value)], SetContext::default());
        match expected {
            Ok(shown) => {
                result.unwrap_or_else(|error| panic!("{name} {value:?}: {error}"));
                assert_eq!(get(&config, name), *shown, "{name} {value:?}");
            }
            Err(reason) => {
                let text = format!("CONFIG SET failed (possibly related to argument '{name}') - {reason}");
                assert_eq!(result.unwrap_err().to_string(), text, "{name} {value:?}");
                assert_eq!(config, Config::new(), "{name} {value:?}");
            }
        }
    }
}

#[test]
fn several_directives_or_none() {
    let failed = |name: &str, reason: &str| {
        format!("CONFIG SET failed (possibly related to argument '{name}') - {reason}")
    };
    let unknown = |name: &str| format!("Unknown option or number of arguments for CONFIG SET - '{name}'");
    let cases: &[(&[(&str, &str)], String)] = &[
        (&[("port", "x"), ("FOO", "1")], unknown("FOO")),
        (&[("foo\0bar", "1")], unknown("foo")),
        (&[("foo", "1"), ("daemonize", "yes")], unknown("foo")),
        (&[("daemonize", "yes"), ("foo", "1")], failed("daemonize", "can't set immutable config")),
        (&[("hz", "20"), ("HZ", "30")], failed("HZ", "duplicate parameter")),
        (&[("hz", "20"), ("hz", "30"), ("foo", "1")], failed("hz", "duplicate parameter")),
        (&[("hz", "20"), ("maxmemory", "zz")], failed("maxmemory", "argument must be a memory value")),
        (
            &[("hz", "20"), ("SLAVE-priority", "x")],
            failed("slave-priority", "argument couldn't be parsed into an integer"),
        ),
        (&[("port", "70000"), ("daemonize", "yes")], failed("daemonize", "can't set immutable config")),
    ];
    for (pairs, expected) in cases {
        let mut config = Config::new();
        let error = config.set(pairs, SetContext::default()).unwrap_err();
        assert_eq!(error.to_string(), *expected);
        assert_eq!(error.code(), "ERR");
        assert_eq!(config, Config::new());
    }
}

#[test]
fn an_alias_beside_its_directive_is_no_duplicate() {
    let mut config = Config::new();
    let pairs = [("slave-priority", "5"), ("replica-priority", "6")];
    let changes = config.set(&pairs, SetContext::default()).unwrap();
    assert_eq!(changes.directives, [Directive::ReplicaPriority]);
    assert_eq!(get(&config, "slave-priority"), "6");
}

#[test]
fn changes_name_what_to_apply() {
    let mut config = Config::new();
    let pairs = [
        ("hz", "10"),
        ("maxmemory", "1mb"),
        ("save", "3600 1 300 100 60 10000"),
        ("tls-cert-file", ""),
        ("dynamic-hz", "no"),
        ("appendfsync", "always"),
    ];
    let changes = config.set(&pairs, SetContext::default()).unwrap();
    let applied = [Directive::Maxmemory, Directive::Save, Directive::TlsCertFile, Directive::Appendfsync];
    assert_eq!(changes.directives, applied);
    assert_eq!(changes.ignored, [Directive::DynamicHz]);
}

#[test]
fn some_directives_wait_for_loading() {
    let loading = SetContext { loading: true, local_client: false };
    for (name, value) in [("appendonly", "yes"), ("repl-diskless-load", "swapdb")] {
        let error = Config::new().set(&[(name, value)], loading).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            ("LOADING", "Redis is loading the dataset in memory")
        );
    }
    assert!(Config::new().set(&[("hz", "20")], loading).is_ok());
}

#[test]
fn protected_directives_ask_who_sets_them() {
    let far = SetContext { loading: false, local_client: false };
    let near = SetContext { loading: false, local_client: true };
    for (allowed, far_ok, near_ok) in [("no", false, false), ("local", false, true), ("yes", true, true)] {
        let (config, _) = load(&format!("enable-protected-configs {allowed}")).unwrap();
        for name in ["dir", "dbfilename"] {
            assert_eq!(config.clone().set(&[(name, "x")], far).is_ok(), far_ok, "{allowed}");
            assert_eq!(config.clone().set(&[(name, "x")], near).is_ok(), near_ok, "{allowed}");
        }
    }
}

#[test]
fn get_by_pattern() {
    let config = Config::new();
    let cases: &[(&[&str], &[&str])] = &[
        (&["HZ", "h*z", "hz", "hZ"], &["HZ"]),
        (&["h[yz]", "HZ"], &["hz"]),
        (&["slave-prio*", "replica-priority"], &["replica-priority", "slave-priority"]),
        (&["SLAVE-PRIO*"], &["slave-priority"]),
        (&["Slave-Priority", "slave-priority"], &["Slave-Priority"]),
        (&["watchdog*"], &[]),
        (&["WATCHDOG-period"], &["WATCHDOG-period"]),
        (&["h\\z"], &[]),
        (&["no-such"], &[]),
        (&["*-priority"], &["replica-priority", "slave-priority"]),
        (&["?z", "tls-p???"], &["hz", "tls-port"]),
    ];
    for (patterns, expected) in cases {
        let names: Vec<Vec<u8>> = config.get(patterns).into_iter().map(|(name, _)| name).collect();
        let expected: Vec<Vec<u8>> = expected.iter().map(|name| name.as_bytes().to_vec()).collect();
        assert_eq!(names, expected, "{patterns:?}");
    }
    let all = config.get(&["*"]);
    let visible = TABLE.iter().filter(|record| !record.hidden);
    assert_eq!(all.len(), visible.map(|record| 1 + record.aliases.len()).sum());
    assert!(all.is_sorted());
}

#[test]
fn typed_readers() {
    let (config, _) = load(
        "maxmemory 18446744073709551615\nmaxmemory-clients 7%\nappendfsync always\nsave 60 5\n\
         shutdown-on-sigterm force now\nnotify-keyspace-events KEA\nbind 10.0.0.1 -::1\n\
         maxmemory-policy allkeys-lrm\nreplicaof example 6380\nunixsocketperm 770\nio-threads 3",
    )
    .unwrap();
    assert_eq!(config.int(Directive::Maxmemory), i64::MAX);
    assert_eq!(config.uint(Directive::Maxmemory), u64::MAX);
    assert_eq!(config.uint(Directive::ListMaxListpackSize), 0);
    assert_eq!(config.int(Directive::ListMaxListpackSize), -2);
    assert_eq!(config.int(Directive::Unixsocketperm), 0o770);
    assert_eq!(config.maxmemory_clients(), ClientMemoryLimit::Percent(7));
    assert_eq!(config.choice::<AppendFsync>(Directive::Appendfsync), AppendFsync::Always);
    assert_eq!(config.choice::<MaxmemoryPolicy>(Directive::MaxmemoryPolicy), MaxmemoryPolicy::AllkeysLrm);
    assert_eq!(config.flags(Directive::ShutdownOnSigterm), SHUTDOWN_NOW | SHUTDOWN_FORCE);
    assert_eq!(config.save_points(), [SavePoint { seconds: 60, changes: 5 }]);
    assert_eq!(config.bind_addresses(), [b"10.0.0.1".to_vec(), b"-::1".to_vec()]);
    assert!(config.keyspace_events().contains(KeyspaceEvents::STREAM));
    assert!(!config.keyspace_events().contains(KeyspaceEvents::NEW));
    assert_eq!(
        config.replica_of().map(|master| (master.host.as_slice(), master.port)),
        Some((b"example".as_slice(), 6380))
    );
    assert_eq!((config.workers(8), Config::new().workers(8), Config::new().workers(1000)), (3, 8, 256));
    assert_eq!(Config::new().maxmemory_clients(), ClientMemoryLimit::None);
    assert!(Config::new().replica_of().is_none());
    assert_eq!(Config::new().latency_percentiles(), [50.0, 99.0, 99.9]);
    assert_eq!(Config::new().oom_score_adj_values(), [0, 200, 800]);
    assert_eq!(Config::new().output_buffer_limits()[1].soft_seconds, 60);
    assert!(config.bool(Directive::ProtectedMode) && config.text(Directive::Requirepass).is_empty());
}
