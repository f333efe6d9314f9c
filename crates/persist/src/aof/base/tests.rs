//! Which commands values become. That they bring the values back is shown in `tests/commands.rs`.

use ochre_types::hash::{Hash, HashLimits, NewExpiry};
use ochre_types::list::{End, List, ListLimits};
use ochre_types::set::{Set, SetLimits};
use ochre_types::stream::{
    ClaimOptions, ClaimTime, IdRequest, IdempotencyLimits, NackMode, NodeLimits, References, Stream,
    StreamId, Trim, TrimTo,
};
use ochre_types::zset::{AddRule, ZSet, ZSetLimits};
use ochre_types::{DataType as _, LongString, Object};

use super::{CommandEncoder, pinned_commands};
use crate::aof::testing::command;
use crate::rdb::ValueRef;

const HASH_LIMITS: HashLimits = HashLimits { entries_max: 512, value_bytes_max: 64 };

/// Commands in their form in a file; arguments are what spaces separate.
fn file(commands: &[&str]) -> Vec<u8> {
    let args = |line: &&str| command(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
    commands.iter().flat_map(args).collect()
}

#[track_caller]
fn check(out: &mut CommandEncoder, expected: &[&str]) {
    let (found, expected) = (out.seal().escape_ascii(), file(expected));
    assert_eq!(found.to_string(), expected.escape_ascii().to_string());
}

#[track_caller]
fn check_plain(object: &Object, expected: &[&str]) {
    let mut out = CommandEncoder::new(false);
    out.key(b"k", ValueRef::from(object), None);
    check(&mut out, expected);
}

#[track_caller]
fn check_pinned(mut object: Object, expected: &[&str]) {
    let (mut out, mut pinned) = (CommandEncoder::new(false), object.as_mut().pin());
    assert!(pinned_commands(&mut pinned).write_part(&mut out, b"k", usize::MAX));
    check(&mut out, expected);
}

/// What an object becomes, as it is and pinned.
#[track_caller]
fn check_object(object: Object, expected: &[&str]) {
    check_plain(&object, expected);
    check_pinned(object, expected);
}

#[test]
fn strings_databases_and_times() {
    let mut out = CommandEncoder::new(false);
    out.timestamp(1_700_000_000);
    out.select(0);
    out.key(b"k", ValueRef::String(b"v"), Some(2_000_000_000_000));
    out.select(0);
    out.key(b"7", ValueRef::Int(-12), None);
    let expected = file(&["SELECT 0", "SET k v", "PEXPIREAT k 2000000000000", "SET 7 -12"]);
    assert_eq!(out.take(), [&b"#TS:1700000000\r\n"[..], &expected].concat());
    out.select(0);
    out.clear();
    out.select(15);
    out.key(b"", ValueRef::String(b"\r\n$0\r\n\0"), None);
    let expected = [command(&[b"SELECT", b"15"]), command(&[b"SET", b"", b"\r\n$0\r\n\0"])].concat();
    assert_eq!(out.take(), expected);
}

#[test]
fn a_long_string_is_one_command_in_parts() {
    let text: Vec<u8> = (0..200_u8).collect();
    let mut object = Object::String(LongString::from(text.clone()));
    let mut pinned = object.as_mut().pin();
    let (mut out, mut all, mut calls) = (CommandEncoder::new(false), Vec::new(), 0);
    let mut parts = pinned_commands(&mut pinned);
    while !parts.write_part(&mut out, b"k", 64) {
        assert_eq!(out.len(), 64);
        all.extend(out.take());
        calls += 1;
    }
    all.extend(out.take());
    assert_eq!((all, calls), (command(&[b"SET", b"k", &text]), 3));
}

#[test]
fn elements_come_64_at_a_time() {
    let once = |run: &[u32]| run.iter().map(|it| format!(" {it}")).collect::<String>();
    let twice = |run: &[u32]| run.iter().map(|it| format!(" {it} {it}")).collect::<String>();
    for len in [1, 63, 64, 65, 128, 130] {
        let numbers: Vec<u32> = (0..len).collect();
        let (mut list, mut set, mut hash) = (List::new(), Set::new(), Hash::new());
        for number in &numbers {
            let text = number.to_string();
            list.push(End::Tail, [text.as_bytes()], &ListLimits::default());
            set.add(text.as_bytes(), &SetLimits::default());
            hash.set(text.as_bytes(), text.as_bytes(), &HASH_LIMITS);
        }
        let check = |object: Object, name: &str, args: &dyn Fn(&[u32]) -> String| {
            let commands: Vec<String> =
                numbers.chunks(64).map(|run| format!("{name} k{}", args(run))).collect();
            check_object(object, &commands.iter().map(String::as_str).collect::<Vec<_>>());
        };
        check(list.into_object(), "RPUSH", &once);
        check(set.into_object(), "SADD", &once);
        check(hash.into_object(), "HMSET", &twice);
    }
}

#[test]
fn scores_are_as_short_as_they_can_be() {
    let mut zset = ZSet::new();
    for (member, score) in
        [("a", f64::INFINITY), ("b", 1e300), ("c", 0.1), ("d", -3.0), ("e", f64::NEG_INFINITY)]
    {
        zset.add(member.as_bytes(), score, AddRule::default(), &ZSetLimits::default()).unwrap();
    }
    let object = zset.into_object();
    check_plain(&object, &["ZADD k inf a 1e+300 b 0.1 c -3 d -inf e"]);
    check_pinned(object, &["ZADD k -inf e -3 d 0.1 c 1e+300 b inf a"]);
}

#[test]
fn fields_of_the_same_time_share_a_command() {
    let mut hash = Hash::new();
    for (name, time) in [("a", 5000), ("b", 0), ("c", 4000), ("d", 5000)] {
        let expiry = if time == 0 { NewExpiry::Never } else { NewExpiry::At(time) };
        hash.set_expiring(name.as_bytes(), b"1", expiry, 0, &HASH_LIMITS);
    }
    let mut fields: Vec<String> =
        hash.iter().map(|it| String::from_utf8_lossy(&it.name.to_vec()).into()).collect();
    let set = format!("HMSET k {} 1", fields.join(" 1 "));
    fields.retain(|field| field == "a" || field == "d");
    let same = format!("HPEXPIREAT k 5000 FIELDS 2 {}", fields.join(" "));
    check_object(hash.into_object(), &[&set, "HPEXPIREAT k 4000 FIELDS 1 c", &same]);
}

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn stream(entries: &[(u64, u64)]) -> Stream {
    let mut stream = Stream::new();
    for (ms, seq) in entries {
        let request = IdRequest::Exact(id(*ms, *seq));
        stream.add(request, &[b"a", b"1"], NodeLimits::default(), 0).unwrap();
    }
    stream
}

#[test]
fn a_stream_without_entries_is_made_by_one_that_goes_at_once() {
    let mut empty = Stream::new();
    empty.create_group(b"g", id(5, 0), None).unwrap();
    check_object(
        empty.into_object(),
        &[
            "XADD k MAXLEN 0 0-1 x y",
            "XSETID k 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0",
            "XGROUP CREATE k g 5-0 ENTRIESREAD -1",
        ],
    );
}

#[test]
fn what_groups_have_pending() {
    let mut stream = stream(&[(1, 1), (1, 2), (2, 0), (3, 0), (3, 1)]);
    stream.delete(&[id(1, 2)]);
    stream.create_group(b"g", StreamId::MIN, Some(0)).unwrap();
    stream.deliver(b"g", b"c", Some(2), false, 100).unwrap();
    stream.deliver(b"g", b"c", None, false, 200).unwrap();
    stream.create_consumer(b"g", b"idle", 100).unwrap();
    let options = ClaimOptions { time: ClaimTime::At(150), deliveries: Some(7), ..ClaimOptions::default() };
    stream.claim(b"g", b"d", &[id(2, 0)], &options, 200).unwrap();
    stream.give_back(b"g", &[id(3, 1)], NackMode::Fatal, None, false).unwrap();
    check_object(
        stream.into_object(),
        &[
            "XADD k 1-1 a 1",
            "XADD k 2-0 a 1",
            "XADD k 3-0 a 1",
            "XADD k 3-1 a 1",
            "XSETID k 3-1 ENTRIESADDED 5 MAXDELETEDID 1-2",
            "XGROUP CREATE k g 3-1 ENTRIESREAD 5",
            "XCLAIM k g c 0 1-1 TIME 100 RETRYCOUNT 1 JUSTID FORCE",
            "XCLAIM k g c 0 3-0 TIME 200 RETRYCOUNT 1 JUSTID FORCE",
            "XCLAIM k g d 0 2-0 TIME 150 RETRYCOUNT 7 JUSTID FORCE",
            "XGROUP CREATECONSUMER k g idle",
            "XNACK k g FAIL IDS 1 3-1 RETRYCOUNT 9223372036854775807 FORCE",
        ],
    );
}

#[test]
fn entries_that_are_gone_are_there_while_something_refers_to_them() {
    let mut stream = stream(&[(1, 1), (1, 2), (2, 0), (3, 0)]);
    stream.create_group(b"g", StreamId::MIN, Some(0)).unwrap();
    stream.deliver(b"g", b"c", Some(3), false, 100).unwrap();
    let limits = IdempotencyLimits { duration_s: 60, ids_max: 10 };
    stream.remember_message(b"p", b"m", id(3, 0), limits, 0).unwrap();
    let (to, references) = (TrimTo::Len(3), References::Keep);
    stream.trim(&Trim { to, approximate: false, limit: 0, references });
    stream.delete(&[id(2, 0), id(3, 0)]);
    check_object(
        stream.into_object(),
        &[
            "XADD k 1-1 x y",
            "XADD k 1-2 a 1",
            "XADD k 2-0 x y",
            "XADD k 3-0 x y",
            "XSETID k 3-0 ENTRIESADDED 4 MAXDELETEDID 3-0",
            "XGROUP CREATE k g 2-0 ENTRIESREAD 3",
            "XCLAIM k g c 0 1-1 1-2 2-0 TIME 100 RETRYCOUNT 1 JUSTID FORCE",
            "XCFGSET k IDMP-DURATION 60 IDMP-MAXSIZE 10",
            "XIDMPRECORD k p m 3-0",
            "XTRIM k MINID 1-2",
            "XDEL k 2-0 3-0",
            "XSETID k 3-0 ENTRIESADDED 4 MAXDELETEDID 3-0",
        ],
    );
}

#[test]
fn limits_that_say_nothing_are_left_out() {
    let mut stream = stream(&[(1, 1)]);
    stream.set_idempotency_limits(IdempotencyLimits::default());
    let figures = "XSETID k 1-1 ENTRIESADDED 1 MAXDELETEDID 0-0";
    check_object(stream.clone().into_object(), &["XADD k 1-1 a 1", figures]);
    stream.remember_message(b"p", b"m", id(1, 1), IdempotencyLimits::default(), 0).unwrap();
    let limits = "XCFGSET k IDMP-DURATION 100 IDMP-MAXSIZE 100";
    check_object(stream.into_object(), &["XADD k 1-1 a 1", figures, limits, "XIDMPRECORD k p m 1-1"]);
}
