//! What a client cannot see in a reply: changes, events, the journal. The expected changes and events are those of Redis
//! 8.6.3; where the journal has something else than Redis's, that leaves less to choose.

use std::sync::Arc;

use crate::execute::Outcome;
use crate::testing::{Harness, Journalled};

/// Runs requests and compares as how many changes each counts, and its events.
fn check_told(client: &mut Harness, cases: &[(&str, u64, &str)]) {
    for (request, changes, events) in cases {
        let did = client.did(request);
        assert_eq!((did.changes, did.events.as_str()), (*changes, *events), "{request}");
    }
}

#[test]
fn entries_are_counted_and_announced() {
    let mut client = Harness::new();
    check_told(
        &mut client,
        &[
            ("xadd s 1 a 1", 1, "s=new s=xadd"),
            ("xadd s maxlen 1 2 a 1", 1, "s=xadd s=xtrim"),
            ("xadd s maxlen ~ 1 3 a 1", 1, "s=xadd"),
            ("xadd nokey nomkstream 1 a 1", 0, ""),
            ("xadd s 99999999999999 a 1", 1, "s=xadd"),
            ("xadd s idmp p i * a 1", 1, "s=xadd"),
            ("xadd s idmp p i * a 1", 1, ""),
            ("xtrim s maxlen 2", 2, "s=xtrim"),
            ("xtrim s maxlen 2", 0, ""),
            ("xdel s 5", 0, ""),
            ("xdel s 99999999999999", 1, "s=xdel"),
            ("xdelex s ids 1 99999999999999", 0, ""),
            ("xsetid s 99999999999999-9", 1, "s=xsetid"),
            ("xcfgset s idmp-duration 100", 0, ""),
            ("xcfgset s idmp-duration 5", 1, ""),
            ("xidmprecord s p i 99999999999999-1", 1, ""),
            ("xidmprecord s p i 99999999999999-1", 0, ""),
            ("xdelex s ids 2 99999999999999-1 1", 1, "s=xdel"),
            ("xlen nokey", 0, "nokey=keymiss"),
            ("xrange nokey - +", 0, "nokey=keymiss"),
            ("xread streams nokey 0", 0, "nokey=keymiss nokey=keymiss"),
            ("xdel nokey 1", 0, ""),
            ("xtrim nokey maxlen 1", 0, ""),
        ],
    );
}

#[test]
fn what_groups_do_is_counted_and_announced() {
    let mut client = Harness::new();
    ["1", "2", "3", "4"].iter().for_each(|id| drop(client.run(&format!("xadd s {id} a 1"))));
    check_told(
        &mut client,
        &[
            ("xgroup create s g 0", 1, "s=xgroup-create"),
            ("xgroup create t g 0 mkstream", 1, "t=new t=xgroup-create"),
            ("xgroup setid t g 5", 1, "t=xgroup-setid"),
            ("xgroup createconsumer t g c", 1, "t=xgroup-createconsumer"),
            ("xgroup createconsumer t g c", 0, ""),
            ("xgroup delconsumer t g c", 1, "t=xgroup-delconsumer"),
            ("xgroup delconsumer t g c", 0, ""),
            ("xgroup destroy t g", 1, "t=xgroup-destroy"),
            ("xgroup destroy t g", 0, ""),
            ("xreadgroup group g c count 1 streams s >", 2, "s=xgroup-createconsumer"),
            ("xreadgroup group g c count 2 streams s s > >", 2, ""),
            ("xreadgroup group g c streams s >", 0, ""),
            ("xreadgroup group g d streams s >", 1, "s=xgroup-createconsumer"),
            ("xreadgroup group g c streams s 0", 0, ""),
            ("xreadgroup group g d claim 0 streams s >", 1, ""),
            ("xack s g 1 1 9", 1, ""),
            ("xclaim s g e 0 2", 2, "s=xgroup-createconsumer"),
            ("xclaim s g e 100000 2", 0, ""),
            ("xclaim s g e 0 9 lastid 9", 1, ""),
            ("xclaim s g e 0 2 lastid 10", 1, ""),
            ("xnack s g fail ids 2 2 9", 1, ""),
            ("xautoclaim s g f 0 0", 4, "s=xgroup-createconsumer"),
            ("xackdel s g ids 2 2 9", 1, "s=xdel"),
            ("xgroup create s h 0", 1, "s=xgroup-create"),
            ("xackdel s g acked ids 1 3", 1, ""),
            ("xdelex s acked ids 1 3", 0, ""),
        ],
    );
}

#[test]
fn what_is_journalled_of_entries() {
    let mut client = Harness::new();
    let journalled = Journalled::of(&client);
    client.run("config set stream-node-max-entries 2");
    let cases = [
        ("xadd s 1 a 1", "xadd s 1 a 1"),
        ("xadd s maxlen 5 2 a 1", "xadd s maxlen 5 2 a 1"),
        ("xadd s 5-* a 1", "XADD s 5-0 a 1"),
        ("xadd s nomkstream maxlen ~ 2 6 a 1", "XADD s MAXLEN = 2 KEEPREF 6-0 a 1"),
        ("xadd s maxlen ~ 2 limit 1 7 a 1", "XADD s 7-0 a 1"),
        ("xadd s minid ~ 7 8 a 1", "XADD s MINID = 7-0 KEEPREF 8-0 a 1"),
        ("xadd s 99999999999999 a 1", "xadd s 99999999999999 a 1"),
        ("xadd s * a 1", "XADD s 99999999999999-1 a 1"),
        ("xadd s idmp p i * a 1", "XADD s IDMP p i 99999999999999-2 a 1"),
        ("xadd s idmp p i * a 1", ""),
        ("xadd s idmpauto p * a 1", "XADD s IDMPAUTO p 99999999999999-3 a 1"),
        ("xadd s delref maxlen 3 * a 1", "XADD s MINID = 99999999999999-2 DELREF 99999999999999-4 a 1"),
        ("xtrim s maxlen ~ 3", ""),
        ("xtrim s maxlen ~ 2", ""),
        ("xtrim s maxlen 2", "xtrim s maxlen 2"),
        ("xtrim s maxlen 0 acked", "XTRIM s MINID = 99999999999999-5 ACKED"),
        ("xadd nokey nomkstream * a 1", ""),
    ];
    for (request, expected) in cases {
        client.run(request);
        assert_eq!(journalled.take(), expected, "{request}");
    }
}

#[test]
fn what_is_journalled_of_groups() {
    let mut client = Harness::new();
    let journalled = Journalled::of(&client);
    ["1", "2", "3", "4"].iter().for_each(|id| drop(client.run(&format!("xadd s {id} a 1"))));
    client.run("xgroup create s g 0");
    journalled.take();
    let claim = |consumer: &str, id: &str, count: &str, last: &str| {
        format!("XCLAIM s g {consumer} 0 {id} TIME T RETRYCOUNT {count} FORCE JUSTID LASTID {last}")
    };
    let read = |id: &str, read: &str| format!("XGROUP SETID s g {id} ENTRIESREAD {read}");
    let made = |consumer: &str| format!("XGROUP CREATECONSUMER s g {consumer}");
    let cases = [
        ("xreadgroup group g c count 1 streams s >", vec![claim("c", "1-0", "1", "0-0"), read("1-0", "1")]),
        ("xreadgroup group g d noack count 1 streams s >", vec![made("d"), read("2-0", "2")]),
        (
            "xreadgroup group g c streams s >",
            vec![claim("c", "3-0", "1", "2-0"), claim("c", "4-0", "1", "2-0"), read("4-0", "4")],
        ),
        ("xreadgroup group g c streams s >", vec![]),
        ("xreadgroup group g e streams s >", vec![made("e")]),
        ("xreadgroup group g f streams s 0", vec![made("f")]),
        ("xclaim s g c 0 1", vec![claim("c", "1-0", "2", "4-0")]),
        ("xreadgroup group g e claim 100000 streams s >", vec![]),
        ("xclaim s g h 0 9", vec![made("h")]),
        ("xclaim s g h 0 9 lastid 5", vec![read("5-0", "4")]),
        ("xdel s 3", vec!["xdel s 3".to_owned()]),
        ("xclaim s g h 0 3 4 justid", vec![claim("h", "4-0", "1", "5-0"), claim("h", "3-0", "0", "5-0")]),
        ("xautoclaim s g c 0 2", vec![claim("c", "4-0", "2", "5-0")]),
        ("xnack s g fail ids 1 4", vec!["xnack s g fail ids 1 4".to_owned()]),
        ("xack s g 9", vec![]),
        ("xack s g 4", vec!["xack s g 4".to_owned()]),
    ];
    for (request, expected) in cases {
        client.run(request);
        let commands: Vec<String> = journalled.take().split(';').map(without_time).collect();
        let commands: Vec<&str> = commands.iter().map(|it| it.trim()).filter(|it| !is_frame(it)).collect();
        assert_eq!(commands, expected, "{request}");
    }
}

fn is_frame(command: &str) -> bool {
    ["", "MULTI", "EXEC"].contains(&command)
}

/// A command in which the time that follows TIME is T.
fn without_time(command: &str) -> String {
    let mut words: Vec<&str> = command.split(' ').collect();
    if let Some(at) = words.iter().position(|word| *word == "TIME") {
        words[at + 1] = "T";
    }
    words.join(" ")
}

/// A client that waits.
fn blocked(client: &Harness, request: &str) -> Harness {
    let mut one = Harness::on(Arc::clone(&client.executor.engine));
    assert_eq!((one.run(request), one.outcome), (String::new(), Outcome::Blocked), "{request}");
    one
}

fn is_served(one: &Harness) -> bool {
    one.client.shared.wait.is_served()
}

#[test]
fn who_waits_for_entries_gets_them() {
    let mut client = Harness::new();
    client.run("xadd s 1 a 1");
    let (now, all) =
        (blocked(&client, "xread block 0 streams s t $ 0"), blocked(&client, "xread block 0 streams s 1"));
    client.run("xdel s 1");
    client.run("xgroup create s g $");
    assert_eq!((is_served(&now), is_served(&all)), (false, false));
    let group = [
        blocked(&client, "xreadgroup group g c block 0 streams s >"),
        blocked(&client, "xreadgroup group g d block 0 streams s >"),
    ];
    client.run("xadd s 2 a 1");
    assert_eq!((is_served(&now), is_served(&all)), (true, true));
    assert_eq!(group.each_ref().map(is_served), [true, false]);
    assert_eq!(client.run("xpending s g"), "*4|:1|$3|2-0|$3|2-0|*1|*2|$1|c|$1|1|");
    client.run("xadd s 3 a 1");
    assert!(is_served(&group[1]));
}

#[test]
fn who_waits_in_a_group_hears_that_it_is_gone() {
    let mut client = Harness::new();
    for change in ["xgroup destroy s g", "del s", "set s 1", "rename s t"] {
        client.run("del s");
        client.run("xgroup create s g $ mkstream");
        let group = blocked(&client, "xreadgroup group g c block 0 streams s >");
        let plain = blocked(&client, "xread block 0 streams s $");
        client.run("xgroup createconsumer s g other");
        assert!(!is_served(&group));
        client.run(change);
        assert_eq!((is_served(&group), is_served(&plain)), (true, false), "{change}");
    }
}

#[test]
fn who_waits_for_what_is_idle_looks_again_in_time() {
    let mut client = Harness::new();
    for request in ["xadd s 1 a 1", "xgroup create s g 0", "xreadgroup group g c streams s >"] {
        client.run(request);
    }
    let late = blocked(&client, "xreadgroup group g d claim 300 block 0 streams s >");
    let next_ms = client.executor.next_alarm_ms();
    client.executor.ring_alarms(next_ms - 1);
    assert!(!is_served(&late));
    while crate::clock_ms() < next_ms {
        std::thread::yield_now();
    }
    client.executor.ring_alarms(next_ms);
    assert!(is_served(&late));
    assert_eq!(client.run("xreadgroup group g d streams s 0"), "*1|*2|$1|s|*1|*2|$3|1-0|*2|$1|a|$1|1|");
    // What is given back counts as idle for ever.
    let late = blocked(&client, "xreadgroup group g e claim 60000 block 0 streams s >");
    client.run("xnack s g silent ids 1 1");
    assert!(is_served(&late));
}

#[test]
fn watched_streams_change_with_their_entries_only() {
    let mut client = Harness::new();
    let mut other = Harness::on(Arc::clone(&client.executor.engine));
    client.run("xadd s 1 a 1");
    client.run("xadd s 2 a 1");
    let cases = [
        ("xgroup create s g 0", true),
        ("xreadgroup group g c streams s >", true),
        ("xclaim s g d 0 1", true),
        ("xautoclaim s g c 0 0", true),
        ("xack s g 1", true),
        ("xsetid s 9", true),
        ("xcfgset s idmp-duration 7", true),
        ("xgroup destroy s g", true),
        ("xadd s 10 a 1", false),
        ("xdelex s ids 1 1", false),
        ("xdel s 2", false),
        ("xtrim s maxlen 0", false),
    ];
    for (change, unseen) in cases {
        client.run("watch s");
        other.run(change);
        client.run("multi");
        assert_eq!(client.run("exec") == "*0|", unseen, "{change}");
    }
}

#[test]
fn very_many_pending_entries_are_listed_as_any_others() {
    let mut client = Harness::new();
    (1..=60).for_each(|id| drop(client.run(&format!("xadd s {id} f v"))));
    client.run("xgroup create s g 0");
    client.run("xreadgroup group g c count 50 streams s >");
    client.run("xreadgroup group g d streams s >");
    client.run("xclaim s g c 0 45 idle 500000 justid");
    let mut listed = |words: &str| -> Vec<u32> {
        let reply = client.run(words);
        let lines: Vec<&str> = reply.split('|').collect();
        let ids: Vec<u32> = lines.iter().filter_map(|line| line.strip_suffix("-0")?.parse().ok()).collect();
        assert_eq!(lines[0], format!("*{}", ids.len()), "{words}");
        ids
    };
    for (words, ids) in [
        ("xpending s g - + 100", 1..=60),
        ("xpending s g - + 40", 1..=40),
        ("xpending s g (3 58 100", 4..=58),
        ("xpending s g - + 100 c", 1..=50),
        ("xpending s g - + 100 d", 51..=60),
        ("xpending s g idle 400000 - + 1", 45..=45),
        ("xpending s g idle 400000 - + 100 c", 45..=45),
    ] {
        assert!(listed(words).into_iter().eq(ids), "{words}");
    }
    for words in ["- + 0", "- + -1", "- + 100 nobody", "idle 400000 46 + 100"] {
        assert!(listed(&format!("xpending s g {words}")).is_empty(), "{words}");
    }
    assert!(client.run("xpending s none - + 100").starts_with("-NOGROUP"));
    assert!(client.run("xpending none g - + 100").starts_with("-NOGROUP"));
}
