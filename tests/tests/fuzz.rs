//! The properties of the fuzz targets, for a second each, on inputs that are the same in every run.
//!
//! `OCHRE_FUZZ_SECONDS=600 OCHRE_SEED=7` tries each for ten minutes on others.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

#[path = "../../fuzz/properties.rs"]
mod properties;

use std::time::{Duration, Instant};

use ochre_resp::Value;
use ochre_tests::{Mutator, ServerBuilder, ochre};

/// How long each property is tried, unless the environment says something else, s.
const SPAN_S: u64 = 1;
/// On how many inputs at least, however long that takes.
const INPUTS_MIN: usize = 400;

/// A number of the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Tries a property on changed seeds; an input that violates it is shown.
fn try_on(seed: u64, seeds: &[&[u8]], property: fn(&[u8])) {
    seeds.iter().for_each(|seed| property(seed));
    let mut mutator = Mutator::new(seed + 1000 * number("OCHRE_SEED").unwrap_or(0), seeds);
    let span = Duration::from_secs(number("OCHRE_FUZZ_SECONDS").unwrap_or(SPAN_S));
    let (start, mut tried) = (Instant::now(), 0);
    while start.elapsed() < span || tried < INPUTS_MIN {
        for _ in 0..50 {
            let input = mutator.next_input();
            let result = std::panic::catch_unwind(|| property(&input));
            assert!(result.is_ok(), "after {tried} inputs: \"{}\"", input.escape_ascii());
            tried += 1;
        }
    }
    println!("{tried} inputs");
}

#[test]
fn requests() {
    let seeds: [&[u8]; 6] = [
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n",
        b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
        b"SET key \"a b\\x00\" 'c'\r\nPING\n",
        b"*0\r\n*-1\r\n\r\nPING\r\n",
        b"*2\r\n$512\r\n",
        b"*64\r\n$1\r\n",
    ];
    try_on(1, &seeds, properties::request);
}

#[test]
fn replies() {
    let seeds: [&[u8]; 6] = [
        b"+OK\r\n-ERR no\r\n:42\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n",
        b"*3\r\n:1\r\n$1\r\na\r\n*1\r\n+x\r\n",
        b"%2\r\n+a\r\n:1\r\n+b\r\n~2\r\n#t\r\n,1.5\r\n",
        b">2\r\n+push\r\n_\r\n(12345678901234567890\r\n",
        b"=7\r\ntxt:abc\r\n!5\r\nERR x\r\n",
        b"|1\r\n+ttl\r\n:3\r\n$1\r\nv\r\n",
    ];
    try_on(2, &seeds, properties::reply);
}

#[test]
fn listpacks() {
    let seeds: [&[u8]; 3] = [
        b"\x15\0\0\0\x04\0\x05\x01\x82hi\x03\xc1\x00\x02\xf1\x00\x10\x03\xff",
        b"\x10\0\0\0\x01\0\xf0\x03\0\0\0abc\x08\xff",
        b"\x0e\0\0\0\x01\0\xe0\x03abc\x05\xff\xff",
    ];
    try_on(7, &seeds, properties::listpack);
}

#[test]
fn files() {
    // The version is chosen by the first byte.
    let seeds: [&[u8]; 6] = [
        b"\x00\xfa\x03ver\x017\xfe\x00\xfb\x02\x01\xfc\x00\x01\0\0\0\0\0\0\x00\x01k\x01v\x02\x01s\x02\x01a\xc0\x05\xff\0\0\0\0\0\0\0\0",
        b"\x01\xfe\x00\x16\x01h\x02\x01a\x011\xff\xff\xff\xff\xff\xff\xff\xff\x01b\x012\x32\0\0\0\0\0\0\0\xff\0\0\0\0\0\0\0\0",
        b"\x04\xfe\x00\x18\x01h\x32\0\0\0\0\0\0\0\x02\x01\x01b\x012\x00\x01a\x011\x03\x01z\x01\x01a\x033.5\xff\0\0\0\0\0\0\0\0",
        b"\x03\xf2\x07\x01\x01a\x20\x01h\x07\x01v\x12\x01l\x02\x01\x02hi\x02\x0a\x0a\0\0\0\x01\0\x81x\x02\xff\xff\0\0\0\0\0\0\0\0",
        b"\x06\x0a\x01l\x0f\x0f\0\0\0\x0c\0\0\0\x02\0\0\xf3\x02\xf6\xff\x09\x01m\x0d\x02\x01a\x01\x00x\x01b\x01\x01y?\xff\xff\0\0\0\0\0\0\0\0",
        b"\x02\x15\x01x\x00\x00\x05\x01\x00\x00\x00\x00\x07\x01\x01g\x05\x01\x07\x00\x01\x01c\x64\0\0\0\0\0\0\0\x64\0\0\0\0\0\0\0\x00\xff\0\0\0\0\0\0\0\0",
    ];
    try_on(9, &seeds, properties::rdb);
}

#[test]
fn payloads() {
    // What Redis 8.6 answered to DUMP: a stream with what producers sent, a hash with times, lists and sets.
    let seeds: [&[u8]; 5] = [
        b"\x1a\x01\x10\0\0\x01\xa2\x1e\x2e\x65\x81\0\0\0\0\0\0\0\0\x14\x14\0\0\0\x0a\0\x01\x01\0\x01\x01\x01\x81a\x02\0\x01\x02\x01\0\x01\0\x01\x01\x01\x04\x01\xff\x01\x81\0\0\x01\xa2\x1e\x2e\x65\x81\0\x00\x00\x00\x00\x01\x00\x40\xc8\x32\x01\x02p1\x01\x02m1\x05\x00\x01\x00\x0d\x00\0\0\0\0\0\0\0\0",
        b"\x19\xc5\xf04\x1e\xa2\x01\0\0\x17\x17\0\0\0\x03\0\x81a\x02\x81b\x02\xf4\xc5\xf04\x1e\xa2\x01\0\0\t\xff\r\0\0\0\0\0\0\0\0\0",
        b"\x12\x01\x02\r\r\0\0\0\x02\0\x81a\x02\x81b\x02\xff\r\0\0\0\0\0\0\0\0\0",
        b"\x11\x14\x14\0\0\0\x04\0\x81a\x02\x01\x01\x81b\x02\x832.5\x04\xff\r\0\0\0\0\0\0\0\0\0",
        b"\x16\x02\x01a\x01b\x99\xf14\x1e\xa2\x01\0\0\x01c\x01d\xff\xff\xff\xff\xff\xff\xff\xffP\0\0\0\0\0\0\0\0\0",
    ];
    try_on(10, &seeds, properties::payload);
}

#[test]
fn compressed_bytes() {
    let seeds: [&[u8]; 2] = [b"\x02abc\x20\x02\xe0\x09\x00", b"abcabcabcabcabcabcabcabc"];
    try_on(8, &seeds, properties::compressed);
}

#[test]
fn access_control_lists() {
    let seeds: [&[u8]; 6] = [
        b"on\n>p\n~a*\n&b\n+@read\n-get\n+config|get",
        b"allkeys\nallchannels\n+@all\n-@admin\nresetkeys\n%R~a\n%W~*b\nclearselectors",
        b"(+get ~a)\n(+@all &* db=1)\n(%RW~b -@write +set)\nreset\nnopass",
        b"+get|a\n+get|A\n-get\n+set|*\n+config\n-config|get\n+@read\n-@all",
        b"db=0,2\nresetdbs\nalldbs\ndb=3\nskip-sanitize-payload\nresetpass\n<p",
        b"(~a) +get)\n(~'\"' &a' +set|x))\n~\"\n&)",
    ];
    try_on(9, &seeds, properties::acl);
}

#[test]
fn logs() {
    // The last one has a frame with its sum.
    let seeds: [&[u8]; 4] = [
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n",
        b"#TS:1700000000\r\n*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nEXEC\r\n",
        b"#other\r\n*2\r\n$3\r\nDEL\r\n$4097\r\n",
        b"#SUM:000000000e:c7786a2bb93375a8\r\n*1\r\n$4\r\nPING\r\n",
    ];
    try_on(13, &seeds, properties::aof);
}

#[test]
fn manifests() {
    let seeds: [&[u8]; 2] = [
        b"file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type h\nfile a.2.incr.aof seq 2 type i\n",
        b"# comment\nfile \"a b\\x41\" seq 3 type i startoffset 5 endoffset 9 newkey x\n",
    ];
    try_on(14, &seeds, properties::manifest);
}

#[test]
fn configurations() {
    let seeds: [&[u8]; 5] = [
        b"port 6379\nbind 127.0.0.1 -::1\nmaxmemory 100mb\n",
        b"save 3600 1 300 100\nsave \"\"\nclient-output-buffer-limit normal 0 0 0\n",
        b"# comment\n\nrequirepass \"a b\\x41\"\nnotify-keyspace-events KEA\n",
        b"include /nothing/*.conf\nrename-command GET \"\"\n",
        b"loglevel verbose\nio-threads 4\nmaxmemory-policy allkeys-lfu\nuser alice on >p ~* +@all\n",
    ];
    try_on(3, &seeds, properties::config);
}

#[test]
fn globs() {
    let seeds: [&[u8]; 6] =
        [b"a*b?\nacb1", b"[a-c]*\\*\nb**", b"[^x]*\nyz", b"*a*b*\nxaxbx", b"[\\]a-]\n]", b"h[ae\nhello"];
    try_on(4, &seeds, properties::glob);
}

#[test]
fn hyperloglogs() {
    // How many elements are added, then the string: of nothing, of some elements, of opcodes that do not add up.
    let seeds: [&[u8]; 4] = [
        b"\x20HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff",
        b"\x05HYLL\x01\0\0\0\x04\0\0\0\0\0\0\0W1\x84I\xc0\x80P\xb1\x84K\xfb\x80BZ",
        b"\xffHYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x40\xfe\x7f",
        b"\x03HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\x00\x3f\x3f\x3f\x3e\x80\xfe",
    ];
    try_on(7, &seeds, properties::hyperloglog);
}

#[test]
fn tables() {
    // Runs of keys that come, expire, are scanned and swept, and go.
    let seeds: [&[u8]; 4] = [
        b"\x01\x03\x00\x00\xff\x0a\x00\x00\x20\x05\x00\x01\x80\x0a\x00\x00\xff\x0b\x00\x00\x00",
        b"\x02\x04\x00\x10\xff\x08\x03\x00\x20\x0a\x00\x00\x40\x09\x00\x00\xff\x03\x00\x00\x80",
        b"\x03\x00\x07\x00\xff\x01\x08\x00\xff\x07\x07\x00\x09\x07\x08\x00\x00\x02\x07\x00\x00",
        b"\x04\x03\x00\x00\xff\x03\x00\x08\xff\x03\x00\x10\xff\x06\x00\x00\xff\x06\x00\x08\xff",
    ];
    try_on(6, &seeds, properties::table);
}

#[test]
fn lists() {
    // Limits, then: pushes, pins, changes in the middle, pins that are read, pops.
    let seeds: [&[u8]; 4] = [
        b"\x01\x01\x00\xff\x10\x0b\x00\x00\x00\x05\x80\x04\x20\x0e\x00\x00\x20\x04\x00\x00\x3f",
        b"\x0c\x00\x00\xfc\x00\x0c\x10\x00\x40\x07\x90\x02\x50\x09\x00\x04\x01\x0e\x00\x00\xff",
        b"\x15\x01\x00\xf4\x30\x01\x00\xf4\x38\x0b\x00\x00\x00\x0a\x05\x00\x10\x0e\x00\x00\x80",
        b"\x43\x01\x00\xfb\x10\x0b\x00\x00\x00\x08\x03\x04\x01\x06\x70\x03\x10\x0d\x00\x00\x00",
    ];
    try_on(9, &seeds, properties::list);
}

#[test]
fn sets() {
    // Limits, then: members, pins, combinations, scans that go on while members come and go.
    let seeds: [&[u8]; 4] = [
        b"\x1f\x00\x00\x00\xff\x08\x00\x00\x00\x04\x00\x10\x80\x0d\x00\x00\x20\x0a\x00\x00\x40\x0d\x00\x00\xff",
        b"\x10\x01\x05\x00\xff\x11\x03\x40\xff\x0b\x00\x00\x00\x0c\x00\x00\x00\x07\x00\x00\x60\x0b\x00\x00\x05",
        b"\x05\x00\x02\x10\x02\x03\x04\x01\x00\x13\x00\x11\x00\x0c\x00\x00\x00\x05\x02\x10\x08\x0e\x00\x00\x00",
        b"\x1a\x02\x03\x00\xff\x08\x00\x00\x00\x07\x00\x00\xf0\x09\x00\x00\x00\x02\x05\x00\xff\x0f\x00\x00\x00",
    ];
    try_on(11, &seeds, properties::set);
}

#[test]
fn hashes() {
    // Limits, then: fields with times and without, time that passes, what is due, pins, scans.
    let seeds: [&[u8]; 4] = [
        b"\x06\x01\x02\x00\xff\x0c\x02\x00\xff\x0e\x00\x00\x3f\x10\x00\x00\x00\x0f\x00\x00\x40\x11\x00\x00\xff",
        b"\x00\x03\x04\x00\x10\x0a\x04\x03\x30\x0d\x04\x03\x00\x2d\x04\x05\x20\x0e\x00\x00\x30\x09\x04\x05\x00",
        b"\x07\x02\x00\x00\xff\x0c\x00\x00\x80\x12\x00\x00\x40\x08\x00\x20\x60\x12\x00\x00\xff\x0f\x00\x00\xff",
        b"\x01\x05\x05\x05\x11\x1e\x05\x06\x40\x0e\x00\x00\x20\x04\x05\x06\x01\x07\x05\x05\x00\x00\x05\x05\x08",
    ];
    try_on(12, &seeds, properties::hash);
}

#[test]
fn sorted_sets() {
    // Limits, then: members, other scores, pins, ranges, what is taken from the middle and the ends.
    let seeds: [&[u8]; 4] = [
        b"\x06\x01\x02\x00\xff\x0a\x00\x00\xff\x07\x00\x40\x80\x0c\x00\x00\x40\x0e\x03\x10\x80\x08\x01\x00\x20",
        b"\x00\x01\x00\x00\xff\x02\x03\x10\xf1\x0d\x00\x00\x30\x06\x00\x10\x50\x0d\x00\x00\xff\x0f\x01\x00\x00",
        b"\x05\x00\x02\x10\x02\x13\x02\x10\x09\x34\x02\x10\x04\x04\x02\x10\x0c\x09\x00\x00\x00\x0f\x00\x00\x00",
        b"\x03\x01\x04\x00\xff\x09\x00\x00\x00\x07\x00\x00\xff\x09\x00\x00\x00\x0a\x01\x00\xff\x05\x04\x03\x00",
    ];
    try_on(13, &seeds, properties::sorted_set);
}

#[test]
fn streams() {
    // Limits, then: entries, a group, deliveries, pins, claims, acknowledgements, deletions.
    let seeds: [&[u8]; 4] = [
        b"\x00\x00\xff\x07\x01\x05\x00\x00\xff\x06\x00\x01\xff\x0d\x00\x00\x00\x08\x00\x40\xff\x0f\x00\x01\x01",
        b"\x01\x01\xff\x21\x00\x0e\x00\xff\xff\x03\x00\x20\x80\x04\x10\x00\x00\x0f\x00\x00\x08\x02\x80\x00\x00",
        b"\x02\x02\xff\x00\x02\x05\x01\x00\xff\x07\x01\x00\xff\x0d\x00\x00\x01\x0b\x01\x00\x00\x0a\x01\x01\x20",
        b"\x03\x00\xff\x10\x02\x05\x02\x00\xff\x06\x02\x02\xff\x09\x42\x01\xff\x0a\x02\x00\x10\x0b\x02\x02\x01",
    ];
    try_on(10, &seeds, properties::stream);
}

/// Commands with arguments that are nonsense: every one gets one reply, and the server stays.
#[test]
fn arguments() {
    const WORDS: &[&str] = &[
        "SET",
        "GET",
        "APPEND",
        "SETRANGE",
        "GETRANGE",
        "INCRBY",
        "INCRBYFLOAT",
        "MSET",
        "MSETEX",
        "LCS",
        "BITCOUNT",
        "BITPOS",
        "BITOP",
        "PFADD",
        "PFCOUNT",
        "PFMERGE",
        "PFDEBUG",
        "GETEX",
        "DELEX",
        "DIGEST",
        "EXPIRE",
        "PEXPIREAT",
        "COPY",
        "MOVE",
        "RENAME",
        "SCAN",
        "KEYS",
        "OBJECT",
        "TOUCH",
        "CLIENT",
        "LIST",
        "KILL",
        "CONFIG",
        "COMMAND",
        "INFO",
        "DOCS",
        "GETKEYS",
        "MEMORY",
        "USAGE",
        "LATENCY",
        "SLOWLOG",
        "MULTI",
        "EXEC",
        "DISCARD",
        "WATCH",
        "SELECT",
        "SWAPDB",
        "HELLO",
        "IDX",
        "BIT",
        "AND",
        "MINMATCHLEN",
        "COUNT",
        "MATCH",
        "TYPE",
        "ENCODING",
        "EX",
        "PX",
        "EXAT",
        "NX",
        "XX",
        "GT",
        "KEEPTTL",
        "IFEQ",
        "a",
        "b",
        "",
    ];
    let mut server = ServerBuilder::new(ochre()).workers(2).start();
    let seeds: [&[u8]; 3] = [b"0", b"-1", b"x"];
    let mut mutator = Mutator::new(5, &seeds);
    let mut client = server.connect();
    let (start, mut tried) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(2 * SPAN_S) || tried < INPUTS_MIN / 2 {
        let mut args: Vec<Vec<u8>> = Vec::new();
        for _ in 0..=mutator.below(7) {
            let word = WORDS[mutator.below(WORDS.len())].as_bytes().to_vec();
            args.push(if mutator.below(3) == 0 { mutator.next_input() } else { word });
        }
        let shown = || args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" ");
        match client.request(&args) {
            Ok(_) => tried += 1,
            // It may have killed itself, or lost its protocol; not the server.
            Err(_) => client = server.connect(),
        }
        assert!(server.is_running(), "{}", shown());
    }
    assert_eq!(server.connect().ask("PING"), Value::Simple(b"PONG".to_vec()));
}
