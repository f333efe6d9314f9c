//! The append-only file of a running server: what is in it after a crash, what waits for it, how it is switched and rewritten.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_resp::Value;
use ochre_tests::{Client, Server, ServerBuilder, fill, ochre, wait_for};

fn builder(workers: usize) -> ServerBuilder {
    ServerBuilder::new(ochre()).workers(workers).set("enable-debug-command", "yes")
}

fn logged(workers: usize, policy: &str) -> ServerBuilder {
    builder(workers).set("appendonly", "yes").set("appendfsync", policy)
}

/// A server that starts from another one's log.
fn after(server: &Server, builder: ServerBuilder) -> Server {
    builder.with_file(&server.folder().join("appendonlydir")).start()
}

fn digest(server: &Server) -> String {
    match server.connect().ask("debug digest") {
        Value::Simple(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("no digest: {other:?}"),
    }
}

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

fn is_rewritten(client: &mut Client) -> Option<()> {
    // In this order: what is scheduled may be in progress by the time of the second question.
    (client.info("aof_rewrite_scheduled") + client.info("aof_rewrite_in_progress") == 0).then_some(())
}

/// Waits until all that was written is on the disk.
fn settle(client: &mut Client) {
    client.ask("set settled 1");
    assert_eq!(client.ask("waitaof 1 0 0"), Value::Array(Some(vec![Value::Integer(1), Value::Integer(0)])));
}

#[test]
fn a_killed_server_comes_back_with_everything() {
    for (workers, policy) in [(1, "always"), (2, "everysec"), (3, "no")] {
        let mut server = logged(workers, policy).start();
        let mut client = server.connect();
        fill(&mut client);
        match policy {
            // Nothing ever makes it durable, but it need not be to survive a process.
            "no" => wait_for(|| (client.info("aof_buffer_length") == 0).then_some(())).unwrap(),
            _ => settle(&mut client),
        }
        let before = digest(&server);
        server.kill();
        let again = after(&server, logged(2, policy));
        assert_eq!(digest(&again), before, "{policy}");
        let mut client = again.connect();
        assert_eq!(client.ask("debug loadaof"), ok());
        assert_eq!(digest(&again), before, "{policy}, loaded anew");
    }
}

/// Counts up a key of its own and two that belong together, until the server is gone; how far it was told to have come.
fn count_up(server: &Server, number: usize, told: &AtomicUsize) {
    let mut client = server.connect();
    let requests = [
        "multi".to_owned(),
        format!("incr left:{number}"),
        format!("incr right:{number}"),
        format!("rpush all:{number} x"),
        "exec".to_owned(),
    ];
    loop {
        for request in &requests {
            let args: Vec<&str> = request.split(' ').collect();
            let Ok(reply) = client.request(&args) else { return };
            assert!(!matches!(reply, Value::Error(_)), "{reply:?}");
        }
        told.fetch_add(1, Relaxed);
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    const CLIENTS: usize = 4;
    for workers in [1, 2] {
        let mut server = logged(workers, "always").start();
        let told: Vec<AtomicUsize> = (0..CLIENTS).map(|_| AtomicUsize::new(0)).collect();
        let pid = server.pid();
        std::thread::scope(|scope| {
            for (number, told) in told.iter().enumerate() {
                let server = &server;
                scope.spawn(move || count_up(server, number, told));
            }
            let enough = || told.iter().all(|told| told.load(Relaxed) >= 50).then_some(());
            // In the midst of it.
            server.connect().ask("bgrewriteaof");
            wait_for(enough).unwrap();
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        });
        server.kill();
        let again = after(&server, logged(1, "always"));
        let mut client = again.connect();
        for (number, told) in told.iter().enumerate() {
            let get = |client: &mut Client, words: String| match client.ask(&words) {
                Value::Bulk(Some(bytes)) => String::from_utf8(bytes).unwrap().parse::<usize>().unwrap(),
                Value::Integer(number) => usize::try_from(number).unwrap(),
                other => panic!("{words}: {other:?}"),
            };
            let left = get(&mut client, format!("get left:{number}"));
            assert!(left >= told.load(Relaxed), "{left} of {}", told.load(Relaxed));
            assert_eq!(get(&mut client, format!("get right:{number}")), left, "half a transaction");
            assert_eq!(get(&mut client, format!("llen all:{number}")), left, "half a transaction");
        }
    }
}

/// With next to no room for what is to be written, clients wait for the disk; none is refused, and none is told too early.
#[test]
fn who_writes_more_than_the_disk_takes_waits() {
    const CLIENTS: usize = 4;
    const WRITES: usize = 300;
    let value = "x".repeat(3000);
    for policy in ["always", "everysec"] {
        let builder = || logged(2, policy).set("aof-buffer-limit", "1kb");
        let mut server = builder().start();
        let start = Instant::now();
        std::thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (mut client, value) = (server.connect(), &value);
                scope.spawn(move || {
                    let one = |at| format!("set {number}:{at} {value}\r\n");
                    let all: String = (0..WRITES).map(one).collect();
                    client.send(all.as_bytes()).unwrap();
                    (0..WRITES).for_each(|_| assert_eq!(client.read().unwrap(), ok()));
                    client
                        .send(b"multi\r\nincr sum\r\nexec\r\neval \"return redis.call('incr', 'sum')\" 0\r\n")
                        .unwrap();
                    assert_eq!(
                        (client.read().unwrap(), client.read().unwrap()),
                        (ok(), Value::Simple(b"QUEUED".to_vec()))
                    );
                    assert!(matches!(client.read().unwrap(), Value::Array(Some(_))));
                    assert!(matches!(client.read().unwrap(), Value::Integer(_)));
                });
            }
        });
        // They are told at once when they may go on, not at the next tick.
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
        let mut client = server.connect();
        wait_for(|| (client.info("aof_buffer_length") == 0).then_some(())).unwrap();
        server.kill();
        let again = after(&server, builder());
        let mut client = again.connect();
        assert_eq!(client.ask("dbsize"), Value::Integer((CLIENTS * WRITES + 1) as i64), "{policy}");
        assert_eq!(client.ask("get sum"), Value::Bulk(Some((2 * CLIENTS).to_string().into_bytes())));
    }
}

/// One at a time, as in Redis: what is asked for meanwhile is scheduled or refused, and what is scheduled begins.
#[test]
fn a_snapshot_and_a_rewrite_wait_for_each_other() {
    let server = logged(1, "everysec").set("auto-aof-rewrite-percentage", "0").start();
    let mut client = server.connect();
    let simple = |text: &str| Value::Simple(text.as_bytes().to_vec());
    let is_over = |client: &mut Client| {
        wait_for(|| is_rewritten(client).filter(|()| client.info("rdb_bgsave_in_progress") == 0)).unwrap();
    };
    client.ask("debug populate 1000");
    client.ask("config set rdb-key-save-delay 1000000");
    let figures = |client: &mut Client| {
        [
            "rdb_bgsave_in_progress",
            "aof_rewrite_in_progress",
            "aof_rewrite_scheduled",
            "rdb_saves",
            "aof_rewrites",
        ]
        .map(|field| client.info(field))
    };
    assert_eq!(client.ask("bgsave"), simple("Background saving started"));
    assert_eq!(client.ask("bgrewriteaof"), simple("Background append only file rewriting scheduled"));
    assert_eq!(figures(&mut client), [1, 0, 1, 1, 0]);
    client.ask("bgsave cancel");
    wait_for(|| (client.info("aof_rewrite_in_progress") == 1).then_some(())).unwrap();
    let why = "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a \
               BGSAVE whenever possible.";
    assert_eq!(client.ask("bgsave"), Value::Error(why.as_bytes().to_vec()));
    assert_eq!(client.ask("bgsave schedule"), simple("Background saving scheduled"));
    assert_eq!(figures(&mut client)[..3], [0, 1, 0]);
    client.ask("config set rdb-key-save-delay 0");
    client.ask("config set appendonly no");
    wait_for(|| (client.info("rdb_saves") == 2).then_some(())).unwrap();
    client.ask("config set appendonly yes");
    is_over(&mut client);
    let rewrites = client.info("aof_rewrites");
    client.ask("multi");
    client.ask("bgsave");
    client.ask("bgrewriteaof");
    let scheduled =
        ["Background saving scheduled", "Background append only file rewriting scheduled"].map(simple);
    assert_eq!(client.ask("exec"), Value::Array(Some(scheduled.to_vec())));
    wait_for(|| (client.info("rdb_saves") == 3).then_some(())).unwrap();
    wait_for(|| (client.info("aof_rewrites") > rewrites).then_some(())).unwrap();
    is_over(&mut client);
}

#[test]
fn the_log_can_be_switched_while_clients_write() {
    let mut server = builder(2).start();
    let mut client = server.connect();
    fill(&mut client);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..2 {
            let (server, over) = (&server, &over);
            scope.spawn(move || {
                let mut client = server.connect();
                while !over.load(Relaxed) {
                    client.ask(&format!("incr counter:{number}"));
                }
            });
        }
        for _ in 0..3 {
            assert_eq!(client.ask("config set appendonly yes"), ok());
            assert_eq!(client.info("aof_enabled"), 1);
            wait_for(|| is_rewritten(&mut client)).unwrap();
            assert_eq!(client.ask("config set appendonly no"), ok());
            assert_eq!(client.info("aof_enabled"), 0);
        }
        assert_eq!(client.ask("config set appendonly yes appendfsync always"), ok());
        wait_for(|| is_rewritten(&mut client)).unwrap();
        over.store(true, Relaxed);
    });
    settle(&mut client);
    let before = digest(&server);
    server.kill();
    assert_eq!(digest(&after(&server, logged(2, "always"))), before);
}

/// Nobody switches it back who has looked before the configuration said the same as the log.
#[test]
fn the_log_is_as_was_said_last() {
    let server = builder(2).start();
    let mut client = server.connect();
    for (round, word) in ["yes", "no"].iter().cycle().take(400).enumerate() {
        assert_eq!(client.ask(&format!("config set appendonly {word}")), ok());
        for _ in 0..3 {
            assert_eq!(client.info("aof_enabled"), i64::from(*word == "yes"), "round {round}");
        }
    }
}

#[test]
fn within_a_transaction_the_log_is_switched_right_after() {
    let server = builder(2).start();
    let mut client = server.connect();
    for words in ["multi", "set a 1", "config set appendonly yes", "exec"] {
        client.ask(words);
    }
    wait_for(|| (client.info("aof_enabled") == 1).then_some(())).unwrap();
    wait_for(|| is_rewritten(&mut client)).unwrap();
    settle(&mut client);
    let before = digest(&server);
    assert_eq!(digest(&after(&server, logged(1, "everysec"))), before);
}

#[test]
fn a_rewritten_log_is_short_and_says_the_same() {
    for preamble in ["yes", "no"] {
        let mut server = logged(2, "everysec").set("aof-use-rdb-preamble", preamble).start();
        let mut client = server.connect();
        fill(&mut client);
        for _ in 0..500 {
            client.ask(&format!("set often {}", "x".repeat(1000)));
        }
        settle(&mut client);
        let (before, long) = (digest(&server), client.info("aof_current_size"));
        client.ask("bgrewriteaof");
        wait_for(|| is_rewritten(&mut client)).unwrap();
        assert_eq!(client.info("aof_rewrites"), 1, "{}", server.log());
        assert!(client.info("aof_current_size") < long, "preamble {preamble}");
        server.kill();
        assert_eq!(digest(&after(&server, logged(1, "everysec"))), before, "preamble {preamble}");
    }
}

#[test]
fn a_log_that_grows_is_rewritten_by_itself() {
    let server = logged(2, "no")
        .set("auto-aof-rewrite-min-size", "20000")
        .set("auto-aof-rewrite-percentage", "100")
        .start();
    let mut client = server.connect();
    let deadline = Instant::now() + Duration::from_secs(60);
    while client.info("aof_rewrites") == 0 {
        for _ in 0..200 {
            client.ask("incr often");
        }
        assert!(Instant::now() < deadline, "{}", server.log());
    }
    assert!(server.log().contains("Starting automatic rewriting of AOF on"));
}

#[test]
fn keys_that_expire_meanwhile_are_gone_afterwards_and_others_are_not() {
    let mut server = logged(2, "always").start();
    let mut client = server.connect();
    // On a busy machine it may be gone before it is told to stay.
    wait_for(|| {
        client.ask("set stays x px 50");
        (client.ask("persist stays") == Value::Integer(1)).then_some(())
    })
    .unwrap();
    for words in [
        "set gone x px 50",
        "hset hash gone 1 stays 1",
        "hpexpire hash 50 fields 1 gone",
        "set short x px 50",
        "set short y",
        "debug set-active-expire 0",
    ] {
        client.ask(words);
    }
    server.kill();
    // Their time has come by the next start, and not before.
    std::thread::sleep(Duration::from_millis(60));
    let again = after(&server, logged(2, "always"));
    let mut client = again.connect();
    for (words, expected) in [
        ("exists gone", 0),
        ("exists stays", 1),
        ("exists short", 1),
        ("hexists hash gone", 0),
        ("hexists hash stays", 1),
    ] {
        assert_eq!(client.ask(words), Value::Integer(expected), "{words}");
    }
}

#[test]
fn who_waits_for_the_log_is_told_when_it_ends() {
    let server = logged(2, "no").start();
    let (mut waiting, mut other) = (server.connect(), server.connect());
    waiting.ask("set a 1");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| waiting.ask("waitaof 1 0 0"));
        wait_for(|| (other.info("blocked_clients") == 1).then_some(())).unwrap();
        assert_eq!(other.ask("config set appendonly no"), ok());
        let Value::Error(error) = waits.join().unwrap() else { panic!("no error") };
        let text = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
        assert_eq!(String::from_utf8_lossy(&error), text);
    });
}

#[test]
fn a_server_that_was_told_nothing_keeps_a_log() {
    let folder = ochre_tests::Scratch::new();
    let log = std::fs::File::create(folder.path().join("server.log")).unwrap();
    let port = ochre_tests::free_port();
    let mut child = std::process::Command::new(ochre())
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .current_dir(folder.path())
        .stdout(log)
        .spawn()
        .unwrap();
    let address = ochre_tests::Address::Tcp(port);
    let mut client = wait_for(|| {
        let mut client = Client::connect(&address).ok()?;
        matches!(client.request(&["ping"]), Ok(Value::Simple(_))).then_some(client)
    })
    .unwrap();
    settle(&mut client);
    let _ = child.kill();
    let _ = child.wait();
    assert!(folder.path().join("appendonlydir").is_dir());
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    assert!(log.contains("Nothing was said about persistence"), "{log}");
}

/// Starts a server in a folder that it shares with others; what it wrote to its log when it had ended by itself.
fn refused_in(folder: &std::path::Path, arguments: &[&str]) -> String {
    let port = ochre_tests::free_port().to_string();
    let mut command = std::process::Command::new(ochre());
    command.args(["--port", &port, "--bind", "127.0.0.1"]).args(arguments).current_dir(folder);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_second_server_in_the_same_folder_is_refused() {
    let mut first = logged(2, "always").start();
    let mut client = first.connect();
    fill(&mut client);
    let names = || {
        let folder = std::fs::read_dir(first.folder().join("appendonlydir")).unwrap();
        let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let own = names();
    for arguments in [&[][..], &["--appendonly", "yes"]] {
        let log = refused_in(first.folder(), arguments);
        let folder = first.folder().join("appendonlydir");
        let text = format!("Another server keeps its append-only file in {}", folder.display());
        assert!(log.contains(&text), "{log}");
    }
    assert_eq!(names(), own, "the lock is no file");

    // One without a log may be there, as long as it stays so.
    let dir = first.folder().display().to_string();
    let second = builder(1).set("enable-protected-configs", "yes").start();
    let mut other = second.connect();
    assert_eq!(other.ask(&format!("config set dir {dir}")), ok());
    let reply = other.ask("config set appendonly yes");
    let error = String::from_utf8_lossy(reply.as_error().unwrap()).into_owned();
    assert!(error.contains("Unable to turn on AOF. Check server logs."), "{error}");
    for words in ["multi", "config set appendonly yes", "exec", "bgrewriteaof"] {
        other.ask(words);
    }
    wait_for(|| (other.info("aof_rewrite_in_progress") == 0).then_some(())).unwrap();
    wait_for(|| second.log().contains("Background AOF rewrite terminated with error: Another").then_some(()))
        .unwrap();
    let no = Value::Array(Some(vec![
        Value::Bulk(Some(b"appendonly".to_vec())),
        Value::Bulk(Some(b"no".to_vec())),
    ]));
    wait_for(|| (other.ask("config get appendonly") == no).then_some(())).unwrap();
    assert_eq!(names(), own);

    // The lock goes with the process, and with the log.
    first.kill();
    assert_eq!(other.ask("config set appendonly yes"), ok());
    wait_for(|| is_rewritten(&mut other)).unwrap();
    assert_eq!(other.ask("config set appendonly no"), ok());
    assert_eq!(other.ask("config set appendonly yes"), ok());
}

/// What is in the log was permitted when it was written, and whoever may do what by now does not matter to it. (Valkey
/// before 9.1.2 lost what the default user may not do.)
#[test]
fn rules_do_not_matter_to_the_log() {
    let server = logged(2, "always").start();
    let mut client = server.connect();
    fill(&mut client);
    settle(&mut client);
    let before = digest(&server);
    let users = server.folder().join("users.acl");
    std::fs::write(&users, "user default on nopass %R~* -@all +debug").unwrap();
    let again = after(&server, logged(2, "always").set("aclfile", "users.acl").with_file(&users));
    assert_eq!(digest(&again), before);
    assert!(again.connect().ask("set settled 2").as_error().is_some());
}

/// What is on its way to the disk is no reason to evict keys, and takes no memory once it is there.
#[test]
fn what_the_log_has_in_memory_evicts_no_keys() {
    let value = "x".repeat(100_000);
    let batch: String =
        (0..20).map(|at| format!("*3\r\n$3\r\nSET\r\n$1\r\n{}\r\n$100000\r\n{value}\r\n", at % 10)).collect();
    for workers in [1, 2] {
        let limits =
            logged(workers, "everysec").set("maxmemory", "16mb").set("maxmemory-policy", "allkeys-lru");
        let server = limits.start();
        let mut client = server.connect();
        // What was written is kept until it is durable, a second later: far more than the limit.
        for _ in 0..15 {
            client.send(batch.as_bytes()).unwrap();
            (0..20).for_each(|_| assert_eq!(client.read().unwrap(), ok()));
        }
        assert_eq!(client.info("evicted_keys"), 0);
        assert_eq!(client.ask("dbsize"), Value::Integer(10));
        client.ask("config set maxmemory 0");
        client.ask("flushall");
        let large = "x".repeat(30_000_000);
        client.request(&["SET", "large", &large]).unwrap();
        client.ask("del large");
        wait_for(|| (client.info("used_memory") < 16_000_000).then_some(())).unwrap();
    }
}
