//! The options of EXPIRE against each other, and what removes a key.

use crate::testing::Harness;

const TIMES: [&str; 4] = ["4000000000000", "5000000000000", "6000000000000", "1"];

/// Options, and what PEXPIREAT with each of the times makes of a key without an expiry, then of one that expires at the
/// second of the times. First the reply (`-` for an error), then the expiry: the first digit of a time, `n` for none,
/// `x` for no key. As Redis 8.6 has it.
const MATRIX: &[(&str, &str)] = &[
    ("", "14 15 16 1x 14 15 16 1x"),
    ("nx", "14 15 16 1x 05 05 05 05"),
    ("xx", "0n 0n 0n 0n 14 15 16 1x"),
    ("gt", "0n 0n 0n 0n 05 05 16 05"),
    ("lt", "14 15 16 1x 14 05 05 1x"),
    ("xx gt", "0n 0n 0n 0n 05 05 16 05"),
    ("xx lt", "0n 0n 0n 0n 14 05 05 1x"),
    ("nx nx", "14 15 16 1x 05 05 05 05"),
    ("NX XX", "-n -n -n -n -5 -5 -5 -5"),
    ("nx gt", "-n -n -n -n -5 -5 -5 -5"),
    ("nx lt", "-n -n -n -n -5 -5 -5 -5"),
    ("gt lt", "-n -n -n -n -5 -5 -5 -5"),
    ("xx gt lt", "-n -n -n -n -5 -5 -5 -5"),
];

fn outcome(harness: &mut Harness, options: &str, has_expiry: bool, time: &str) -> String {
    harness.run("set k v");
    if has_expiry {
        harness.run("pexpireat k 5000000000000");
    }
    let reply = harness.run(&format!("pexpireat k {time} {options}"));
    let expiry = harness.run("pexpiretime k");
    let shown = match expiry.as_str() {
        ":-1|" => "n",
        ":-2|" => "x",
        time => &time[1..2],
    };
    let reply = if reply.starts_with('-') { "-" } else { &reply[1..2] };
    format!("{reply}{shown}")
}

#[test]
fn options_of_expire() {
    let mut harness = Harness::new();
    for (options, expected) in MATRIX {
        let mut outcomes = Vec::new();
        for has_expiry in [false, true] {
            outcomes.extend(TIMES.map(|time| outcome(&mut harness, options, has_expiry, time)));
        }
        assert_eq!(outcomes.join(" "), *expected, "{options}");
    }
}

#[test]
fn relative_times_count_from_now() {
    let mut harness = Harness::new();
    for (request, left) in [("expire k 100", 100), ("pexpire k 100000", 100), ("expire k 7", 7)] {
        harness.run("set k v");
        assert_eq!(harness.run(request), ":1|");
        let ttl = harness.run("ttl k");
        assert!(ttl == format!(":{left}|") || ttl == format!(":{}|", left - 1), "{request}: {ttl}");
        let pttl: i64 = harness.run("pttl k").trim_matches(|c| c == ':' || c == '|').parse().unwrap();
        assert!((left * 1000 - 900..=left * 1000).contains(&pttl), "{request}: {pttl}");
    }
}

#[test]
fn seconds_are_rounded() {
    let mut harness = Harness::new();
    harness.run("set k v");
    for (at_ms, seconds) in [("5000000000499", 5_000_000_000_i64), ("5000000000500", 5_000_000_001)] {
        harness.run(&format!("pexpireat k {at_ms}"));
        assert_eq!(harness.run("expiretime k"), format!(":{seconds}|"));
    }
}

#[test]
fn expired_keys_are_not_there() {
    let mut harness = Harness::new();
    let cases = [
        ("exists k", ":0|"),
        ("type k", "+none|"),
        ("ttl k", ":-2|"),
        ("touch k", ":0|"),
        ("persist k", ":0|"),
        ("expire k 10", ":0|"),
        ("del k", ":0|"),
        ("unlink k", ":0|"),
        ("rename k l", "-ERR no such key|"),
        ("copy k l", ":0|"),
        ("move k 1", ":0|"),
        ("object encoding k", "$-1|"),
        ("randomkey", "$-1|"),
        ("scan 0", "*2|$1|0|*0|"),
        ("scan 0 type list", "*2|$1|0|*0|"),
    ];
    for (request, reply) in cases {
        harness.run("set k v");
        super::make_stale(&harness, 0, "k");
        assert_eq!(harness.run("dbsize"), ":1|");
        assert_eq!(harness.run("keys *"), "*0|");
        assert_eq!(harness.run("scan 0 match x*"), "*2|$1|0|*0|");
        assert_eq!(harness.run("dbsize"), ":1|", "KEYS removes nothing, nor SCAN what does not match");
        assert_eq!(harness.run(request), reply, "{request}");
        assert_eq!(harness.run("dbsize"), ":0|", "{request}");
    }
}
