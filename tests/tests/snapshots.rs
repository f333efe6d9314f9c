//! Snapshots in files: what is in them, when they are taken, what happens when they cannot be.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use ochre_resp::{Value, encode_request};
use ochre_tests::{Client, Server, ServerBuilder, fill, ochre, wait_for};
use rustix::process::Signal;

fn builder(workers: usize) -> ServerBuilder {
    ServerBuilder::new(ochre()).workers(workers).set("enable-debug-command", "yes")
}

fn file_of(server: &Server) -> PathBuf {
    server.folder().join("dump.rdb")
}

fn text(value: Value) -> String {
    match value {
        Value::Bulk(Some(bytes)) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8_lossy(&bytes).into_owned()
        }
        other => panic!("no text: {other:?}"),
    }
}

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

fn digest(server: &Server) -> String {
    text(server.connect().ask("debug digest"))
}

#[test]
fn what_is_saved_is_there_after_the_next_start() {
    let mut server = builder(2).start();
    let mut client = server.connect();
    fill(&mut client);
    let before = digest(&server);
    assert_eq!(client.ask("debug reload"), ok());
    assert_eq!(digest(&server), before, "after a reload");
    assert_eq!(client.ask("save"), ok());
    let saved = builder(1).with_file(&file_of(&server)).start();
    assert_eq!(digest(&saved), before, "after SAVE");
    std::fs::remove_file(file_of(&server)).unwrap();
    assert_eq!(text(client.ask("bgsave")), "Background saving started");
    wait_for(|| (client.info("rdb_bgsave_in_progress") == 0).then_some(())).unwrap();
    let saved = builder(2).with_file(&file_of(&server)).start();
    assert_eq!(digest(&saved), before, "after BGSAVE");
    client.ask("set last 1");
    let before = digest(&server);
    ask_only(&mut client, "shutdown save");
    wait_for(|| (!server.is_running()).then_some(())).unwrap();
    let saved = builder(3).with_file(&file_of(&server)).start();
    assert_eq!(digest(&saved), before, "after SHUTDOWN SAVE");
}

fn ask_only(client: &mut Client, words: &str) {
    let mut request = Vec::new();
    encode_request(&mut request, &words.split(' ').collect::<Vec<_>>());
    client.send(&request).unwrap();
}

/// Moves amounts between accounts until told to stop.
fn move_amounts(server: &Server, seed: u64, over: &AtomicBool) {
    let (mut client, mut rng) = (server.connect(), ochre_types::Rng::new(seed));
    while !over.load(Relaxed) {
        let (from, to, amount) = (rng.below(500), rng.below(500), rng.below(100));
        for words in [
            "multi".to_owned(),
            format!("decrby account:{from} {amount}"),
            format!("hincrby accounts {to} {amount}"),
            format!("decrby account:{to} {amount}"),
            format!("hincrby accounts {from} {amount}"),
            "exec".to_owned(),
        ] {
            client.ask(&words);
        }
    }
}

/// The sum of all accounts, which never changes.
fn sum(server: &Server) -> i64 {
    let mut client = server.connect();
    let number = |value: &Value| match value {
        Value::Bulk(Some(bytes)) => String::from_utf8_lossy(bytes).parse::<i64>().unwrap(),
        _ => 0,
    };
    let names: Vec<String> = (0..500).map(|account| format!("account:{account}")).collect();
    let args: Vec<&str> = ["mget"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let Value::Array(Some(ones)) = client.request(&args).unwrap() else { panic!("no array") };
    let Value::Array(Some(others)) = client.ask("hvals accounts") else { panic!("no array") };
    ones.iter().chain(&others).map(number).sum()
}

#[test]
fn a_snapshot_is_of_one_instant() {
    for workers in [1, 3] {
        let mut server = builder(workers).start();
        server.connect().ask("debug populate 20000 other 20");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let (server, over) = (&server, &over);
                scope.spawn(move || move_amounts(server, seed, over));
            }
            let mut client = server.connect();
            for _ in 0..5 {
                assert_eq!(client.ask("save"), ok());
                let copy = builder(2).with_file(&file_of(&server)).start();
                assert_eq!(sum(&copy), 0, "half a transaction is in the file");
            }
            over.store(true, Relaxed);
        });
        // What is killed leaves the file of the last one that was complete.
        ask_only(&mut server.connect(), "bgsave");
        server.signal(Signal::KILL);
        assert!(server.end().is_some());
        assert_eq!(sum(&builder(2).with_file(&file_of(&server)).start()), 0);
    }
}

#[test]
fn what_cannot_be_saved_stops_writes_until_it_can() {
    let server = builder(2).set("save", "1000 1").start();
    let mut client = server.connect();
    client.ask("set a 1");
    // A folder of that name cannot be replaced by a file.
    std::fs::create_dir(file_of(&server)).unwrap();
    std::fs::create_dir(file_of(&server).join("x")).unwrap();
    assert_eq!(text(client.ask("bgsave")), "Background saving started");
    wait_for(|| (client.info("rdb_bgsave_in_progress") == 0).then_some(())).unwrap();
    assert_eq!(client.info("rdb_saves_consecutive_failures"), 1);
    for words in ["set a 2", "ping", "del a"] {
        assert!(
            text(client.ask(words)).starts_with("MISCONF Redis is configured to save RDB snapshots"),
            "{words}"
        );
    }
    assert_eq!(text(client.ask("get a")), "1");
    client.ask("multi");
    assert!(text(client.ask("incr a")).starts_with("MISCONF"));
    assert!(text(client.ask("exec")).starts_with("EXECABORT"));
    assert_eq!(client.ask("config set stop-writes-on-bgsave-error no"), ok());
    assert_eq!(client.ask("set a 3"), ok());
    assert_eq!(client.ask("config set stop-writes-on-bgsave-error yes"), ok());
    assert_eq!(text(client.ask("save")), "ERR");
    std::fs::remove_dir_all(file_of(&server)).unwrap();
    assert_eq!(client.ask("save"), ok());
    assert_eq!(client.ask("set a 4"), ok());
    let left = std::fs::read_dir(server.folder()).unwrap();
    let left: Vec<String> =
        left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with("temp-")), "{left:?}");
}

/// Whether so many snapshots were taken and none is being written.
fn has_saved(client: &mut Client, count: i64) -> bool {
    client.info("rdb_saves") == count && client.info("rdb_bgsave_in_progress") == 0
}

#[test]
fn save_points_and_their_words() {
    let server = builder(1).set("save", "1 5").start();
    let mut client = server.connect();
    (0..5).for_each(|number| _ = client.ask(&format!("set k{number} 1")));
    wait_for(|| has_saved(&mut client, 1).then_some(())).unwrap();
    assert!(server.log().contains("5 changes in 1 seconds. Saving..."));
    assert_eq!(client.info("rdb_changes_since_last_save"), 0);
    client.ask("flushall");
    wait_for(|| has_saved(&mut client, 2).then_some(())).unwrap();
    let copy = builder(1).with_file(&file_of(&server)).start();
    assert_eq!(copy.connect().ask("dbsize"), Value::Integer(0), "what was flushed does not come back");
}

#[test]
fn one_at_a_time_and_given_up_when_asked() {
    let server = builder(2).start();
    let (mut client, mut other) = (server.connect(), server.connect());
    client.ask("debug populate 2000 key 10");
    assert_eq!(client.ask("config set rdb-key-save-delay 10000"), ok());
    let none = "ERR Background saving is currently not in progress or scheduled";
    assert_eq!(text(client.ask("bgsave cancel")), none);
    assert_eq!(text(client.ask("bgsave")), "Background saving started");
    let busy = "ERR Background save already in progress";
    assert_eq!((text(client.ask("bgsave")), text(other.ask("save"))), (busy.to_owned(), busy.to_owned()));
    // Nobody waits meanwhile, and the file tells nothing of what comes now.
    assert_eq!(client.ask("set new 1"), ok());
    assert_eq!(text(client.ask("bgsave schedule")), busy);
    assert_eq!(text(client.ask("bgsave cancel")), "Background saving cancelled");
    assert_eq!(text(client.ask("bgsave what")), "ERR syntax error");
    assert_eq!(client.info("rdb_bgsave_in_progress"), 0);
    assert!(!file_of(&server).exists());
    assert_eq!(client.ask("config set rdb-key-save-delay 0"), ok());
    assert_eq!(client.ask("save"), ok());
}

/// The names in a server's folder.
fn files(server: &Server) -> Vec<String> {
    let files = std::fs::read_dir(server.folder()).unwrap();
    files.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn one_that_was_cancelled_is_in_nobodys_way() {
    let mut server = builder(1).start();
    let mut client = server.connect();
    client.ask("debug populate 1000 key 10");
    assert_eq!(client.ask("config set rdb-key-save-delay 20000000"), ok());
    for round in 0..20 {
        // There is room for two at a time: who comes while both are ending has to wait.
        let begun = text(client.ask("bgsave"));
        let cancelled = match begun.as_str() {
            "Background saving started" => "Background saving cancelled",
            "Background saving scheduled" if round >= 2 => "Scheduled background saving cancelled",
            other => panic!("{other}"),
        };
        let told = text(client.ask("bgsave cancel"));
        assert!(told == cancelled || told == "Background saving cancelled", "{begun}: {told}");
        assert_eq!(client.info("rdb_bgsave_in_progress"), 0);
    }
    wait_for(|| (!files(&server).iter().any(|name| name.starts_with("temp-"))).then_some(())).unwrap();
    assert!(!file_of(&server).exists());
    // What takes its place is complete, and is that which stays. It may have to wait until what was cancelled lets go.
    assert!(text(client.ask("bgsave")).starts_with("Background saving s"));
    wait_for(|| (client.info("rdb_bgsave_in_progress") == 1).then_some(())).unwrap();
    assert_eq!(client.ask("config set rdb-key-save-delay 0"), ok());
    assert_eq!(client.ask("set last 1"), ok());
    assert_eq!(text(client.ask("bgsave cancel")), "Background saving cancelled");
    assert!(text(client.ask("bgsave")).starts_with("Background saving s"));
    wait_for(|| file_of(&server).exists().then_some(())).unwrap();
    // It is in its place a moment before its end is told.
    wait_for(|| (client.info("rdb_bgsave_in_progress") == 0).then_some(())).unwrap();
    let before = digest(&server);
    let saved = builder(1).with_file(&file_of(&server)).start();
    assert_eq!(digest(&saved), before);
    // Nor does the end of the process leave anything of one behind.
    assert_eq!(client.ask("config set rdb-key-save-delay 20000000"), ok());
    assert!(text(client.ask("bgsave")).starts_with("Background saving s"));
    wait_for(|| files(&server).iter().any(|name| name.starts_with("temp-")).then_some(())).unwrap();
    ask_only(&mut client, "shutdown nosave");
    wait_for(|| (!server.is_running()).then_some(())).unwrap();
    let left = files(&server);
    assert!(!left.iter().any(|name| name.starts_with("temp-")), "{left:?}");
}

#[test]
fn clients_are_told_while_data_are_loaded() {
    let server = builder(1).start();
    let (mut client, mut other) = (server.connect(), server.connect());
    client.ask("debug populate 200 key 10");
    // Long enough for all the questions, also on a busy machine.
    assert_eq!(client.ask("config set key-load-delay 20000"), ok());
    ask_only(&mut client, "debug reload");
    wait_for(|| (other.info("loading") == 1).then_some(())).unwrap();
    let told = "LOADING Redis is loading the dataset in memory";
    assert_eq!(
        (text(other.ask("get key:1")), text(other.ask("set a 1"))),
        (told.to_owned(), told.to_owned())
    );
    let fields = ["start_time", "total_bytes", "rdb_used_mem", "loaded_bytes", "loaded_perc", "eta_seconds"];
    let report = text(other.ask("info persistence"));
    let told = |report: &str, field: &str| report.contains(&format!("\nloading_{field}:"));
    assert!(fields.iter().all(|field| told(&report, field)), "{report}");
    // It is saved first.
    let mut is_known = |figure| wait_for(|| (other.info(figure) > 1000).then_some(())).is_some();
    assert!(is_known("loading_total_bytes") && is_known("loading_rdb_used_mem"));
    assert_eq!(client.read().unwrap(), ok());
    assert_eq!(other.ask("dbsize"), Value::Integer(200));
    let report = text(other.ask("info persistence"));
    assert!(!fields.iter().any(|field| told(&report, field)), "{report}");
}

#[test]
fn a_damaged_file_stops_the_start() {
    let server = builder(1).start();
    let mut client = server.connect();
    fill(&mut client);
    assert_eq!(client.ask("save"), ok());
    let whole = std::fs::read(file_of(&server)).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    for (what, bytes) in [("cut", &whole[..whole.len() - 9]), ("flipped", &flipped[..]), ("empty", &[])] {
        let folder = server.folder().join(what);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("dump.rdb"), bytes).unwrap();
        let ended = std::process::Command::new(ochre())
            .args(["--port", "0", "--unixsocket", "s", "--dir"])
            .arg(&folder)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(!ended.status.success() && log.contains("Fatal error loading the DB"), "{what}: {log}");
    }
}

/// Every bit of a small file, and every cut: the file is refused, with the reason in the log, or it means the same (a version that
/// had no checksum yet is one bit away).
#[test]
fn no_flipped_bit_and_no_cut_goes_unnoticed() {
    let server = builder(2).start();
    let mut client = server.connect();
    for words in ["set a 1", "set text hello ex 10000", "rpush list a b", "hset hash f v", "sadd set 1 2"] {
        client.ask(words);
    }
    assert_eq!(client.ask("save"), ok());
    let (whole, before) = (std::fs::read(file_of(&server)).unwrap(), digest(&server));
    let mut reload = |bytes: &[u8], what: &str| {
        std::fs::write(file_of(&server), bytes).unwrap();
        match client.ask("debug reload nosave") {
            Value::Error(_) => assert!(server.log().contains("Reloading failed"), "{what}"),
            reply => {
                assert_eq!(reply, ok(), "{what}");
                assert_eq!(text(client.ask("debug digest")), before, "{what}");
            }
        }
    };
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        reload(&flipped, &format!("bit {bit}"));
    }
    for len in 0..whole.len() {
        reload(&whole[..len], &format!("the first {len} bytes"));
    }
    reload(&whole, "the whole file");
}

/// A file of another version costs nothing: it is looked at before anything is removed.
#[test]
fn a_reload_that_cannot_begin_keeps_everything() {
    let server = builder(1).start();
    let mut client = server.connect();
    client.ask("set k v");
    for bytes in [&b"REDIS0099"[..], b"no file of ours", b""] {
        std::fs::write(file_of(&server), bytes).unwrap();
        assert!(matches!(client.ask("debug reload nosave"), Value::Error(_)));
        assert_eq!(text(client.ask("get k")), "v", "{}", bytes.escape_ascii());
    }
}

/// Only snapshots that nobody waits for say by refusing writes that they failed.
#[test]
fn a_save_that_fails_is_told_to_who_asked() {
    let server = builder(1).set("save", "1000 1").start();
    let mut client = server.connect();
    std::fs::create_dir_all(file_of(&server).join("x")).unwrap();
    assert_eq!(text(client.ask("save")), "ERR");
    assert_eq!(client.ask("set a 1"), ok());
    assert_eq!(text(client.ask("shutdown")), "ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(text(client.ask("ping")), "PONG");
    std::fs::remove_dir_all(file_of(&server)).unwrap();
}
