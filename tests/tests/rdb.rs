//! Files and payloads there and back: what peers write is read, written anew, and loaded by the peers again; before and
//! after, DEBUG DIGEST is the same.
//!
//! `OCHRE_PEERS` names the folder of `tests/peers`; without it there is nothing to compare with, and only the tool is run.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use ochre_persist::rdb::{
    EncodeOptions, Event, KeyInfo, Limits, ReadOptions, Reader, Target, Value, ValueRef, Version,
    VersionCheck, WriteOptions, Writer, dump, restore,
};
use ochre_resp::Value as Reply;
use ochre_tests::{Client, Scratch, Server, ServerBuilder, ochre};
use ochre_types::Object;

/// What files have in common that are written for nobody in particular.
const OLDEST: Target = Target::AtLeast(Version::V11);

fn peers() -> Option<PathBuf> {
    let folder = std::env::var_os("OCHRE_PEERS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("OCHRE_PEERS is not set: nothing is compared with peers");
    }
    folder
}

/// A file in memory.
#[derive(Default)]
struct Contents {
    aux: Vec<(Vec<u8>, Vec<u8>)>,
    functions: Vec<Vec<u8>>,
    keys: Vec<(u64, Vec<u8>, KeyInfo, Object)>,
    strings: Vec<(u64, Vec<u8>, KeyInfo, Vec<u8>)>,
}

fn read(path: &Path, record_bytes_max: usize) -> Contents {
    let options = ReadOptions { record_bytes_max, ..ReadOptions::default() };
    let mut reader = Reader::new(File::open(path).unwrap(), options);
    let mut contents = Contents::default();
    loop {
        match reader.next().unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
            Event::End(_) => return contents,
            Event::Aux { name, value } => contents.aux.push((name, value)),
            Event::Function(code) => contents.functions.push(code),
            Event::Records(batch) => {
                for record in batch.records() {
                    let key = record.key().unwrap().into_vec();
                    let value = record.decode(&options.limits);
                    let value = value.unwrap_or_else(|error| panic!("{}: {error}", key.escape_ascii()));
                    contents.add(batch.db(), key, record.info(), value);
                }
                reader.recycle(batch);
            }
            Event::Big(big) => contents.add(big.db, big.key, big.info, big.value.unwrap()),
            _ => {}
        }
    }
}

impl Contents {
    fn add(&mut self, db: u64, key: Vec<u8>, info: KeyInfo, value: Value<'_>) {
        match value {
            Value::String(text) => self.strings.push((db, key, info, text.into_vec())),
            Value::Object(object) => self.keys.push((db, key, info, object)),
        }
    }

    fn write(&self, path: &Path, target: Target, compresses: bool) {
        let options = WriteOptions { encode: EncodeOptions { target, compresses }, has_checksum: true };
        let mut writer = Writer::new(Vec::new(), options).unwrap();
        self.aux.iter().for_each(|(name, value)| writer.aux(name, value).unwrap());
        self.functions.iter().for_each(|code| writer.function(code).unwrap());
        let mut dbs: Vec<u64> =
            self.keys.iter().map(|key| key.0).chain(self.strings.iter().map(|key| key.0)).collect();
        dbs.sort_unstable();
        dbs.dedup();
        for db in dbs {
            writer.select_db(db, (self.keys.len() + self.strings.len()) as u64, 0).unwrap();
            for (_, key, info, object) in self.keys.iter().filter(|key| key.0 == db) {
                writer.record(key, *info, ValueRef::from(object)).unwrap();
            }
            for (_, key, info, string) in self.strings.iter().filter(|key| key.0 == db) {
                writer.record(key, *info, ValueRef::String(string)).unwrap();
            }
        }
        let (mut bytes, written) = writer.finish().unwrap();
        if let Some(header) = written.header {
            bytes[..header.len()].copy_from_slice(&header);
        }
        fs::write(path, bytes).unwrap();
    }
}

fn text(reply: Reply) -> String {
    match reply {
        Reply::Simple(text) | Reply::Bulk(Some(text)) => text.escape_ascii().to_string(),
        other => panic!("{other:?}"),
    }
}

fn bulk(client: &mut Client, words: &[&[u8]]) -> Vec<u8> {
    match client.request(words).unwrap() {
        Reply::Bulk(Some(bytes)) => bytes,
        other => panic!("{other:?}"),
    }
}

fn start(program: &Path, limits: &[(&str, &str)]) -> Server {
    let builder = ServerBuilder::new(program).set("enable-debug-command", "yes").set("databases", "16");
    limits.iter().fold(builder, |builder, (name, value)| builder.set(name, value)).start()
}

/// Asks, and the answer must be no error.
fn run(client: &mut Client, words: &str) {
    let reply = client.ask(words);
    assert!(!matches!(reply, Reply::Error(_)), "{words}: {reply:?}");
}

/// Keys of all types, small and large, in two databases.
fn populate(client: &mut Client) {
    for db in ["0", "9"] {
        run(client, &format!("SELECT {db}"));
        for (key, value) in [("s:text", "hello"), ("s:int", "12345"), ("s:neg", "-7"), ("s:zero", "007")] {
            run(client, &format!("SET {key} {value}"));
        }
        client.request(&[&b"SET"[..], b"s:long", &b"abcd".repeat(30_000)]).unwrap();
        client.request(&[&b"SET"[..], b"s:binary", &(0..=255).collect::<Vec<u8>>()]).unwrap();
        for (name, count) in [("few", 5), ("many", 2000)] {
            for at in 0..count {
                run(client, &format!("RPUSH l:{name} element:{at} {at}"));
                run(client, &format!("SADD i:{name} {}", at * 3 - 7));
                run(client, &format!("SADD t:{name} member:{at} {at}"));
                run(client, &format!("ZADD z:{name} {} member:{at}", f64::from(at) * 1.1));
                run(client, &format!("HSET h:{name} field:{at} value:{at}"));
                run(client, &format!("XADD x:{name} {at}-1 field value:{at} other {at}"));
                run(client, &format!("PFADD p:{name} {at}"));
            }
            for group in ["g1", "g2"] {
                run(client, &format!("XGROUP CREATE x:{name} {group} 0"));
                run(client, &format!("XREADGROUP GROUP {group} c1 COUNT 3 STREAMS x:{name} >"));
                run(client, &format!("XGROUP CREATECONSUMER x:{name} {group} idle"));
            }
            run(client, &format!("XDEL x:{name} 2-1"));
        }
        run(client, "ZADD z:extreme inf a -inf b 0.1 c 1e300 d 3 e");
        client.request(&[&b"RPUSH"[..], b"l:large", &b"xyz".repeat(5000), b"small"]).unwrap();
        client.request(&[&b"HSET"[..], b"h:large", b"f", &b"xyz".repeat(500)]).unwrap();
        client.request(&[&b"SADD"[..], b"t:large", &b"xyz".repeat(500)]).unwrap();
        run(client, "XADD x:empty 5-5 a b");
        run(client, "XDEL x:empty 5-5");
        run(client, "SET e:later v PXAT 4000000000000");
        run(client, "PEXPIREAT l:few 4000000000123");
    }
    run(client, "SELECT 0");
}

fn populate_fields_with_times(client: &mut Client) {
    for (name, count) in [("few", 4), ("many", 1500)] {
        for at in 0..count {
            run(client, &format!("HSET f:{name} field:{at} value:{at}"));
            if at % 2 == 0 {
                let ms = 4_000_000_000_000u64 + at * 1000;
                run(client, &format!("HPEXPIREAT f:{name} {ms} FIELDS 1 field:{at}"));
            }
        }
    }
}

/// Saves, writes the file anew for a target, has the peer load that, and compares.
fn there_and_back(server: &Server, client: &mut Client, target: Target, compresses: bool) {
    let digest = text(client.ask("DEBUG DIGEST"));
    run(client, "SAVE");
    let file = server.folder().join("dump.rdb");
    for record_bytes_max in [usize::MAX, 100] {
        let contents = read(&file, record_bytes_max);
        contents.write(&file, target, compresses);
        run(client, "DEBUG RELOAD NOSAVE");
        assert_eq!(
            text(client.ask("DEBUG DIGEST")),
            digest,
            "{target:?}, {record_bytes_max} bytes of a record"
        );
    }
}

/// Takes each key's payload apart, and gives the peer one of our own.
fn payloads(client: &mut Client, target: Target) {
    let Reply::Array(Some(keys)) = client.ask("KEYS *") else { panic!("no keys") };
    for key in keys {
        let Reply::Bulk(Some(key)) = key else { panic!("no key") };
        // The digest of a value has its time in it.
        client.request(&[&b"PERSIST"[..], &key]).unwrap();
        let payload = bulk(client, &[b"DUMP", &key]);
        let value = restore(&payload, &Limits::default())
            .unwrap_or_else(|error| panic!("{error}: {}", key.escape_ascii()));
        let own = match &value {
            Value::String(string) => string.with_bytes(|bytes| {
                dump(ValueRef::String(bytes), EncodeOptions { target, compresses: true })
            }),
            Value::Object(object) => dump(object.into(), EncodeOptions { target, compresses: true }),
        };
        let reply = client.request(&[&b"RESTORE"[..], b"copy", b"0", &own.unwrap(), b"REPLACE"]).unwrap();
        assert_eq!(text(reply), "OK", "{}", key.escape_ascii());
        let digests = client.request(&[&b"DEBUG"[..], b"DIGEST-VALUE", &key, b"copy"]).unwrap();
        let Reply::Array(Some(digests)) = digests else { panic!("{digests:?}") };
        assert_eq!(digests[0], digests[1], "{}", key.escape_ascii());
        let encodings = [&key[..], b"copy"].map(|key| bulk(client, &[b"OBJECT", b"ENCODING", key]));
        assert_eq!(encodings[0], encodings[1], "{}", key.escape_ascii());
    }
    run(client, "DEL copy");
}

fn exactly(number: u16) -> Target {
    Target::Exactly(Version::new(number, VersionCheck::Strict).unwrap())
}

#[test]
fn redis_loads_what_was_made_of_its_files() {
    let Some(peers) = peers() else { return };
    let small: &[(&str, &str)] = &[("list-max-listpack-size", "5"), ("set-max-intset-entries", "4")];
    for (limits, compression) in [(&[][..], "yes"), (small, "no")] {
        let server = start(&peers.join("bin/redis-server"), limits);
        let mut client = server.connect();
        run(&mut client, &format!("CONFIG SET rdbcompression {compression}"));
        populate(&mut client);
        for target in [OLDEST, exactly(10), exactly(9)] {
            // Version 9 has no figures for streams.
            if target == exactly(9) {
                ["SELECT 0", "DEL x:few x:many x:empty", "SELECT 9", "DEL x:few x:many x:empty", "SELECT 0"]
                    .iter()
                    .for_each(|words| run(&mut client, words));
            }
            there_and_back(&server, &mut client, target, true);
        }
        populate_fields_with_times(&mut client);
        client
            .request(&[
                &b"FUNCTION"[..],
                b"LOAD",
                b"#!lua name=l\nredis.register_function('f', function() return 1 end)",
            ])
            .unwrap();
        run(&mut client, "XADD x:producer IDMP p1 m1 * a 1");
        run(&mut client, "XADD x:producer IDMP p2 m1 * a 1");
        for target in [OLDEST, exactly(13)] {
            there_and_back(&server, &mut client, target, false);
        }
        assert_eq!(client.ask("FCALL f 0"), Reply::Integer(1));
        let duplicate = text(client.ask("XADD x:producer IDMP p1 m1 * a 1"));
        assert_eq!(client.ask("XLEN x:producer"), Reply::Integer(2), "{duplicate} is the first entry");
        if limits.is_empty() {
            payloads(&mut client, OLDEST);
        }
        let own = server.folder().join("dump.rdb");
        let status = Command::new(peers.join("bin/redis-check-rdb")).arg(&own).output().unwrap().status;
        assert!(status.success());
    }
}

#[test]
fn valkey_loads_what_was_made_of_its_files() {
    let Some(peers) = peers() else { return };
    let server = start(&peers.join("bin/valkey-server"), &[]);
    let mut client = server.connect();
    populate(&mut client);
    for target in [OLDEST, exactly(80)] {
        there_and_back(&server, &mut client, target, true);
    }
    populate_fields_with_times(&mut client);
    there_and_back(&server, &mut client, exactly(80), false);
    payloads(&mut client, exactly(80));
    let own = server.folder().join("dump.rdb");
    let status = Command::new(peers.join("bin/valkey-check-rdb")).arg(&own).output().unwrap().status;
    assert!(status.success());
}

/// What a server says of a key that another one with the same key says, too: digest and encoding. (A string that was
/// changed in place is raw until it is made anew.)
fn facts(client: &mut Client, key: &[u8]) -> (Reply, Vec<u8>) {
    let digest = client.request(&[&b"DEBUG"[..], b"DIGEST-VALUE", key]).unwrap();
    let encoding =
        if key.starts_with(b"p:") { Vec::new() } else { bulk(client, &[b"OBJECT", b"ENCODING", key]) };
    (digest, encoding)
}

fn pass_on(from: &mut Client, to: &mut Client, key: &[u8]) {
    let payload = bulk(from, &[b"DUMP", key]);
    let Reply::Integer(at_ms) = from.request(&[&b"PEXPIRETIME"[..], key]).unwrap() else { panic!("no time") };
    let at_ms = at_ms.max(0).to_string();
    let words = [&b"RESTORE"[..], key, at_ms.as_bytes(), &payload, b"REPLACE", b"ABSTTL"];
    assert_eq!(text(to.request(&words).unwrap()), "OK", "{}", key.escape_ascii());
}

/// Passes all keys of a server on to another one and gets them back; each time they are the same.
fn pass_all_on_and_back(from: &mut Client, to: &mut Client) {
    run(to, "FLUSHALL");
    let Reply::Array(Some(keys)) = from.ask("KEYS *") else { panic!("no keys") };
    assert!(keys.len() > 10);
    for key in keys {
        let Reply::Bulk(Some(key)) = key else { panic!("no key") };
        let before = facts(from, &key);
        pass_on(from, to, &key);
        assert_eq!(facts(to, &key), before, "there: {}", key.escape_ascii());
        pass_on(to, from, &key);
        assert_eq!(facts(from, &key), before, "back: {}", key.escape_ascii());
    }
}

#[test]
fn payloads_pass_between_servers() {
    let Some(peers) = peers() else { return };
    let own = start(ochre(), &[]);
    for name in ["redis-server", "valkey-server"] {
        let peer = start(&peers.join("bin").join(name), &[]);
        let (mut own, mut peer) = (own.connect(), peer.connect());
        run(&mut own, "FLUSHALL");
        populate(&mut own);
        if name == "redis-server" {
            populate_fields_with_times(&mut own);
            run(&mut own, "XADD x:producer IDMP p1 m1 * a 1");
        }
        pass_all_on_and_back(&mut own, &mut peer);
        run(&mut peer, "FLUSHALL");
        populate(&mut peer);
        pass_all_on_and_back(&mut peer, &mut own);
        // What comes from Valkey does not go back: it has types of its own for this, and sums times up differently.
        populate_fields_with_times(&mut peer);
        for key in [&b"f:few"[..], b"f:many"] {
            pass_on(&mut peer, &mut own, key);
            let times = [&b"HPEXPIRETIME"[..], key, b"FIELDS", b"3", b"field:0", b"field:1", b"field:2"];
            let shown = |client: &mut Client| (client.request(&times), client.request(&[b"HLEN", key]));
            let (own, peer) = (shown(&mut own), shown(&mut peer));
            assert_eq!((own.0.unwrap(), own.1.unwrap()), (peer.0.unwrap(), peer.1.unwrap()));
        }
    }
}

/// Files of old servers, which Valkey keeps for its own tests.
#[test]
fn files_of_old_servers() {
    let Some(peers) = peers() else { return };
    let server = start(&peers.join("bin/valkey-server"), &[]);
    let mut client = server.connect();
    let file = server.folder().join("dump.rdb");
    for name in ["encodings", "hash-ziplist", "hash-zipmap", "list-quicklist", "zset-ziplist", "scriptbackup"]
    {
        fs::copy(peers.join(format!("src/valkey/tests/assets/{name}.rdb")), &file).unwrap();
        run(&mut client, "DEBUG RELOAD NOSAVE");
        let digest = text(client.ask("DEBUG DIGEST"));
        read(&file, usize::MAX).write(&file, OLDEST, true);
        run(&mut client, "DEBUG RELOAD NOSAVE");
        assert_eq!(text(client.ask("DEBUG DIGEST")), digest, "{name}");
    }
}

/// The output of a tool and whether it found the file sound, without the lines of a log.
fn check(program: &Path, name: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let links = Scratch::new();
    let link = links.path().join(name);
    std::os::unix::fs::symlink(program, &link).unwrap();
    let output = Command::new(&link).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let is_log = |line: &str| line.contains(":M ") || line.contains(":C ");
    let lines: Vec<&str> = text.lines().filter(|line| !is_log(line)).collect();
    (output.status.code(), lines.join("\n"))
}

#[test]
fn the_tool_says_what_those_of_peers_say() {
    let Some(peers) = peers() else { return };
    let assets = peers.join("src/valkey/tests/assets");
    let program = |tool: &str| peers.join(format!("bin/{tool}"));
    for name in ["encodings", "hash-ziplist", "hash-zipmap", "list-quicklist", "zset-ziplist", "scriptbackup"]
    {
        let file = assets.join(format!("{name}.rdb"));
        let file = file.to_str().unwrap();
        for (tool, options) in [
            ("redis-check-rdb", &[][..]),
            ("valkey-check-rdb", &[]),
            ("valkey-check-rdb", &["--stats"]),
            ("valkey-check-rdb", &["--stats", "--format", "info"]),
            ("valkey-check-rdb", &["--stats", "--format", "csv"]),
        ] {
            let arguments = [&[file], options].concat();
            let expected = check(&program(tool), tool, &arguments);
            assert_eq!(check(ochre(), tool, &arguments), expected, "{tool} {arguments:?}");
        }
    }
    let damaged = assets.join("corrupt_ziplist.rdb");
    let damaged = [damaged.to_str().unwrap()];
    for tool in ["redis-check-rdb", "valkey-check-rdb"] {
        let ((code, expected), (own_code, own)) =
            (check(&program(tool), tool, &damaged), check(ochre(), tool, &damaged));
        assert_eq!(own_code, code);
        // The same, but for where in the source the error is.
        let lines = |text: &str| -> Vec<String> {
            let before_end = text.lines().filter(|line| !line.contains("Check RDB returned"));
            before_end
                .map(|line| line.split(" Internal error").next().unwrap_or_default().to_owned())
                .collect()
        };
        let own: Vec<String> = lines(&own)
            .iter()
            .map(|line| line.replace(" Hash ziplist integrity check failed.", ""))
            .collect();
        assert_eq!(own, lines(&expected));
    }
}

#[test]
fn the_tool_checks_a_file() {
    let scratch = Scratch::new();
    let file = scratch.path().join("dump.rdb");
    let mut contents = Contents::default();
    contents.strings.push((0, b"key".to_vec(), KeyInfo::default(), b"value".to_vec()));
    contents.write(&file, OLDEST, true);
    let name = file.to_str().unwrap();
    let (code, text) =
        check(ochre(), "ochre-check-rdb", &[name, "--stats", "--output", &format!("{name}.stats")]);
    assert_eq!(code, Some(0));
    assert!(text.contains("RDB looks OK! \\o/") && text.ends_with("[info] 0 functions"), "{text}");
    assert!(fs::read_to_string(format!("{name}.stats")).unwrap().contains("db.0.keys.total"));
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 9]).unwrap();
    let (code, text) = check(ochre(), "redis-check-rdb", &[name]);
    assert_eq!(code, Some(1));
    assert!(text.contains("Unexpected EOF reading RDB file"), "{text}");
    assert_eq!(check(ochre(), "redis-check-rdb", &["there-is-no-such-file"]).0, Some(1));
    assert_eq!(check(ochre(), "redis-check-rdb", &[]).0, Some(1));
}
