//! The family against an engine without a server; what needs a process is tested with one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ochre_config::{Changes, Config, Directive, SetError};
use ochre_resp::Protocol;
use parking_lot::Mutex;

use crate::engine::{Host, Message, ShutdownRequest};
use crate::log::LogKind;
use crate::testing::Harness;

/// Requests (words that blanks separate) and replies, in order.
const CASES: &[(&str, &str)] = &[
    ("config get", "-ERR wrong number of arguments for 'config|get' command|"),
    ("config get maxmemory", "*2|$9|maxmemory|$1|0|"),
    ("config get nosuch", "*0|"),
    ("config get hz maxmemory-s*", "*4|$2|hz|$2|10|$17|maxmemory-samples|$1|5|"),
    ("config set", "-ERR wrong number of arguments for 'config|set' command|"),
    ("config set a b c", "-ERR syntax error|"),
    ("config set nosuch 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'|"),
    (
        "config set maxmemory 5 maxmemory 6",
        "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate parameter|",
    ),
    (
        "config set databases 5",
        "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config|",
    ),
    (
        "config set dir /",
        "-ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config|",
    ),
    (
        "config set timeout 7 hz x",
        "-ERR CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed into an integer|",
    ),
    ("config get timeout", "*2|$7|timeout|$1|0|"),
    ("config set timeout 7 hz 20", "+OK|"),
    ("config get timeout hz", "*4|$2|hz|$2|20|$7|timeout|$1|7|"),
    ("config rewrite", "-ERR The server is running without a config file|"),
    ("config resetstat", "+OK|"),
    ("config nosuch", "-ERR unknown subcommand 'nosuch'. Try CONFIG HELP.|"),
    ("shutdown abort now", "-ERR syntax error|"),
    ("shutdown x", "-ERR syntax error|"),
];

#[test]
fn configuration_replies() {
    let mut client = Harness::new();
    for (request, reply) in CASES {
        assert_eq!(client.run(request), *reply, "{request}");
    }
    client.client.set_protocol(Protocol::Resp3);
    assert_eq!(client.run("config get timeout"), "%1|$7|timeout|$1|7|");
    assert_eq!(client.executor.engine.settings.timeout_s.load(Relaxed), 7);
}

#[test]
fn secrets_are_hidden_from_the_slow_log() {
    let mut client = Harness::new();
    assert_eq!(client.run("config set slowlog-log-slower-than 0"), "+OK|");
    client.run("config set hz 10 requirepass hush");
    client.run("config set requirepass hush nosuch 1");
    let logged = format!("{:?}", client.executor.engine.logs.newest(LogKind::Slow, 10));
    let words = |text: &str| text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    assert!(!logged.contains(&words("hush")), "{logged}");
    assert!(logged.contains(&words("(redacted)")), "{logged}");
}

#[test]
fn events_are_wanted_only_if_they_are_published() {
    let mut client = Harness::new();
    // The lowest two bits and those from the 17th on are the ways in which they are.
    let cases = [
        ("g$", 0),
        ("Kg", 1 << 2 | 1),
        ("E$", 1 << 3 | 2),
        ("KEA", 0x7ff),
        ("KnE", 1 << 14 | 3),
        ("Sh", 1 << 6 | 1 << 17),
        ("", 0),
    ];
    for (letters, classes) in cases {
        let reply = client.run_args(&[b"config", b"set", b"notify-keyspace-events", letters.as_bytes()]);
        assert_eq!(reply, b"+OK\r\n");
        let settings = &client.executor.engine.keyspace.settings;
        assert_eq!(settings.notify_classes.load(Relaxed), classes, "{letters}");
    }
}

/// A process that refuses every other change, and notes what it is asked.
#[derive(Default)]
struct Refusing {
    asked: AtomicUsize,
    shutdowns: Arc<Mutex<Vec<ShutdownRequest>>>,
}

impl Host for Refusing {
    fn post(&self, _worker: usize, _message: Message) {}

    fn apply(&self, changes: &Changes, old: &Config, new: &mut Config) -> Result<(), SetError> {
        assert!(!changes.directives.is_empty() && old != new);
        match self.asked.fetch_add(1, Relaxed) % 2 {
            0 => Err(SetError::failed("port", "Unable to listen on this port. Check server logs.")),
            _ => Ok(()),
        }
    }

    fn shutdown(&self, request: ShutdownRequest) -> Result<(), String> {
        self.shutdowns.lock().push(request);
        Ok(())
    }

    fn abort_shutdown(&self) -> bool {
        self.shutdowns.lock().pop().is_some()
    }

    fn fact(&self, _name: &str) -> Option<String> {
        None
    }

    fn crash(&self, _how: &str) {}

    fn config_file(&self) -> Option<std::path::PathBuf> {
        Some("/ochre.conf".into())
    }

    fn rewrite_config(&self, _config: &Config, _all: bool) -> std::io::Result<()> {
        Err(std::io::Error::from_raw_os_error(2))
    }

    fn restart(&self, _delay_ms: u64) {}
}

#[test]
fn what_cannot_be_applied_is_taken_back() {
    let mut client = Harness::new();
    client.executor.engine.set_host(Box::new(Refusing::default()));
    assert_eq!(
        client.run("config set timeout 9 port 1"),
        "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.|"
    );
    let engine = Arc::clone(&client.executor.engine);
    assert_eq!(engine.settings.timeout_s.load(Relaxed), 0);
    assert_eq!(engine.config.read().int(Directive::Timeout), 0);
    assert_eq!(client.run("config set timeout 9 port 1"), "+OK|");
    assert_eq!(engine.settings.timeout_s.load(Relaxed), 9);
    assert_eq!(engine.config.read().int(Directive::Port), 1);
    assert_eq!(client.run("config rewrite"), "-ERR Rewriting config file: No such file or directory|");
}

#[test]
fn shutdown_waits_for_the_end() {
    let mut client = Harness::new();
    let host = Refusing::default();
    let shutdowns = Arc::clone(&host.shutdowns);
    client.executor.engine.set_host(Box::new(host));
    assert_eq!(client.run("shutdown abort"), "-ERR No shutdown in progress.|");
    assert_eq!(client.run("shutdown failover"), "-ERR SHUTDOWN FAILOVER is only supported in cluster mode.|");
    assert_eq!(client.run("shutdown nosave now"), "");
    assert!(client.client.blocked.is_some());
    let expected = ShutdownRequest {
        save: Some(false),
        now: true,
        client: Some((0, client.client.id())),
        ..ShutdownRequest::default()
    };
    assert_eq!(*shutdowns.lock(), [expected]);
    let mut other = Harness::on(Arc::clone(&client.executor.engine));
    assert_eq!(other.run("shutdown abort"), "+OK|");
}

/// A client that may use DEBUG.
fn debugger() -> Harness {
    let client = Harness::new();
    let enabled = client.executor.engine.config.write().assign(Directive::EnableDebugCommand, &[b"yes"]);
    assert_eq!(enabled, Ok(()));
    client
}

const DEBUG_CASES: &[(&str, &str)] = &[
    ("debug", "-ERR wrong number of arguments for 'debug' command|"),
    ("debug jmap", "-ERR unknown subcommand or wrong number of arguments for 'jmap'. Try DEBUG HELP.|"),
    ("debug sleep", "-ERR unknown subcommand or wrong number of arguments for 'sleep'. Try DEBUG HELP.|"),
    ("debug mallctl", "-ERR unknown subcommand or wrong number of arguments for 'mallctl'. Try DEBUG HELP.|"),
    ("debug mallctl epoch x", "-ERR value is not an integer or out of range|"),
    ("debug mallctl arena.0.reset", "-ERR No such file or directory|"),
    ("debug mallctl-str arenas.page", "-ERR No such file or directory|"),
    ("debug sleep 0", "+OK|"),
    ("debug sleep abc", "+OK|"),
    ("debug set-active-expire 0", "+OK|"),
    ("debug dict-resizing 1", "+OK|"),
    (
        "debug dict-resizing",
        "-ERR unknown subcommand or wrong number of arguments for 'dict-resizing'. Try DEBUG HELP.|",
    ),
    ("debug protocol double", "$5|3.141|"),
    ("debug protocol map", "*6|:0|:0|:1|:1|:2|:0|"),
    ("debug protocol push", "-ERR RESP2 is not supported by this command|"),
    ("debug protocol attrib", "$39|Some real reply following the attribute|"),
    ("debug error FOO", "-FOO|"),
    ("debug populate x", "-ERR value is out of range, must be positive|"),
    ("debug populate 9223372036854775807", "-ERR OOM in dbExpand|"),
    (
        "debug populate 1 key 9223372036854775807",
        "-ERR string exceeds maximum allowed size (proto-max-bulk-len)|",
    ),
    ("debug populate 3", "+OK|"),
    ("get key:2", "$7|value:2|"),
    ("debug populate 2 a", "+OK|"),
    ("debug populate 2 a 3", "+OK|"),
    ("get a:1", "$7|value:1|"),
    ("debug populate 2 b 3", "+OK|"),
    ("get b:1", "$3|val|"),
    ("debug htstats 99", "-ERR Out of range database|"),
    ("debug htstats-key nokey", "-ERR no such key|"),
    ("debug listpack key:0", "-ERR Not a listpack encoded object.|"),
    ("debug quicklist-packed-threshold 0", "+OK|"),
    (
        "debug quicklist-packed-threshold 5gb",
        "-ERR argument must be a memory value bigger than 1 and smaller than 4gb|",
    ),
    (
        "debug replybuffer foo 1",
        "-ERR unknown subcommand or wrong number of arguments for 'replybuffer'. Try DEBUG HELP.|",
    ),
    ("debug replybuffer peak-reset-time x", "-ERR value is not an integer or out of range|"),
    ("debug client-eviction", "-ERR maxmemory-clients is disabled.|"),
    ("debug reload foo", "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.|"),
    ("debug stringmatch-test", "+Apparently the server did not crash: test passed|"),
    ("debug config-rewrite-force-all", "-ERR CONFIG-REWRITE-FORCE-ALL failed: Bad address|"),
];

#[test]
fn debug_replies() {
    let mut refused = Harness::new();
    assert!(refused.run("debug sleep 0").starts_with("-ERR DEBUG command not allowed."));
    let mut client = debugger();
    for (request, reply) in DEBUG_CASES {
        assert_eq!(client.run(request), *reply, "{request}");
    }
    let object = client.run("debug object key:0");
    assert!(
        object.starts_with("+Value at:0x") && object.contains(" encoding:embstr serializedlength:8 lru:")
    );
    client.client.set_protocol(Protocol::Resp3);
    assert_eq!(client.run("debug protocol set"), "~3|:0|:1|:2|");
    assert_eq!(client.run("debug protocol true"), "#t|");
}

/// What Redis answers for the same data.
#[test]
fn digests_are_those_of_redis() {
    let mut client = debugger();
    assert_eq!(client.run("debug digest"), format!("+{}|", "0".repeat(40)));
    client.run("debug populate 3");
    client.run("debug populate 3 a");
    assert_eq!(client.run("debug digest"), "+db15a68015667ff69843c9482afec9701e6e1c93|");
    assert_eq!(
        client.run("debug digest-value key:0 nokey"),
        format!("*2|+c15f34c747bf411833c10208c03e1da1bb7da7cf|+{}|", "0".repeat(40))
    );
}

#[test]
fn sleeping_keeps_an_earlier_pause() {
    let mut client = debugger();
    let engine = Arc::clone(&client.executor.engine);
    let now_ms = crate::clock_ms();
    engine.pause.start(crate::PauseMode::Write, now_ms + 60_000, now_ms);
    assert_eq!(client.run("debug sleep 0.001"), "+OK|");
    assert_eq!(engine.pause.mode(now_ms), crate::PauseMode::Write);
    assert_eq!(engine.pause.until_ms(), now_ms + 60_000);
}

const NO_REPLICAS: &str = "-NOREPLICAS Not enough good replicas to write.|";

#[test]
fn without_enough_replicas_nothing_is_written() {
    let mut client = Harness::new();
    client.run("set k 1");
    assert_eq!(client.run("config set min-replicas-to-write 1"), "+OK|");
    let refused =
        ["set k 2", "del nosuch", "blpop l 1", "sort l", "function flush", "flushall", "pfdebug encoding k"];
    for request in refused {
        assert_eq!(client.run(request), NO_REPLICAS, "{request}");
    }
    assert!(client.run("set k").starts_with("-ERR wrong number"));
    for (request, reply) in
        [("get k", "$1|1|"), ("ping", "+PONG|"), ("publish a b", ":0|"), ("pfcount l", ":0|")]
    {
        assert_eq!(client.run(request), reply);
    }
    assert!(client.run("info replication").contains("connected_slaves:0|min_slaves_good_slaves:0|"));
    client.run("config set min-replicas-max-lag 0");
    assert_eq!(client.run("set k 2"), "+OK|");
    client.run("config set min-replicas-max-lag 10");
    assert_eq!(client.run("set k 2"), NO_REPLICAS);
    assert!(client.run("subscribe c").ends_with(":1|"));
    assert_eq!(client.run("set k 2"), NO_REPLICAS, "which comes before what a subscriber may do");
}

#[test]
fn nor_by_transactions_and_scripts() {
    let mut client = Harness::new();
    client.run("config set min-replicas-to-write 1");
    let eval = |client: &mut Harness, script: &str| {
        let reply = client.run_args(&[b"eval", script.as_bytes(), b"0"]);
        String::from_utf8_lossy(&reply).replace("\r\n", "|")
    };
    let begin = "-NOREPLICAS Not enough good replicas to write. script: ";
    assert!(eval(&mut client, "return redis.call('set', 'k', '5')").starts_with(begin));
    assert_eq!(eval(&mut client, "return redis.pcall('set', 'k', '5')"), NO_REPLICAS);
    assert_eq!(eval(&mut client, "return redis.call('publish', 'k', '5')"), ":0|");
    assert_eq!(eval(&mut client, "#!lua\nreturn 1"), NO_REPLICAS);
    assert_eq!(eval(&mut client, "#!lua flags=no-writes\nreturn 1"), ":1|");

    client.run("multi");
    assert_eq!(client.run("set k 1"), NO_REPLICAS);
    assert!(client.run("exec").starts_with("-EXECABORT Transaction discarded because of previous errors."));
    let mut other = Harness::on(Arc::clone(&client.executor.engine));
    other.run("config set min-replicas-to-write 0");
    client.run("multi");
    assert_eq!(client.run("set k 1"), "+QUEUED|");
    other.run("config set min-replicas-to-write 1");
    let why = "-EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.|";
    assert_eq!(client.run("exec"), why);
    other.run("config set min-replicas-to-write 0");
    client.run("multi");
    client.run("config set min-replicas-to-write 1");
    assert_eq!(eval(&mut client, "#!lua\nreturn 1"), "+QUEUED|");
    client.run("set k 1");
    assert_eq!(client.run("exec"), format!("*3|+OK|{NO_REPLICAS}+OK|"));
}
