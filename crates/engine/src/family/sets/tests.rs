//! What clients cannot see: events, what counts as a change, the journal, encodings. Expected is what Redis 8.6.3 does.

use ochre_resp::Protocol;

use crate::testing::{Harness, observe};

#[test]
fn members() {
    observe(&[
        ("sadd s a b c", ":3|", "s=new s=sadd", 3, "="),
        ("sadd s a", ":0|", "", 0, ""),
        ("sadd s d a", ":1|", "s=sadd", 1, "="),
        ("srem s a", ":1|", "s=srem", 1, "="),
        ("srem s zz", ":0|", "", 0, ""),
        ("srem s b c d e", ":3|", "s=srem s=del", 3, "="),
        ("srem s b", ":0|", "", 0, ""),
        ("sadd s a b c", ":3|", "s=new s=sadd", 3, "="),
        ("smove s t a", ":1|", "s=srem t=new t=sadd", 2, "="),
        ("smove s t zz", ":0|", "", 0, ""),
        ("smove s s b", ":1|", "", 0, ""),
        ("smove s t b", ":1|", "s=srem t=sadd", 2, "="),
        ("smove s t c", ":1|", "s=srem s=del t=sadd", 2, "="),
        ("sadd s a b", ":2|", "s=new s=sadd", 2, "="),
        ("smove s t a", ":1|", "s=srem", 1, "="),
        ("smove missing t a", ":0|", "", 0, ""),
        ("scard missing", ":0|", "missing=keymiss", 0, ""),
        ("sismember missing a", ":0|", "missing=keymiss", 0, ""),
        ("smismember missing a", "*1|:0|", "missing=keymiss", 0, ""),
        ("smembers missing", "*0|", "missing=keymiss", 0, ""),
        ("sscan missing 0", "*2|$1|0|*0|", "missing=keymiss", 0, ""),
    ]);
}

#[test]
fn members_at_random() {
    observe(&[
        ("spop missing", "$-1|", "", 0, ""),
        ("spop missing 3", "*0|", "", 0, ""),
        ("srandmember missing", "$-1|", "missing=keymiss", 0, ""),
        ("srandmember missing 2", "*0|", "missing=keymiss", 0, ""),
        ("sadd s a", ":1|", "s=new s=sadd", 1, "="),
        ("spop s 0", "*0|", "", 0, ""),
        ("srandmember s", "$1|a|", "", 0, ""),
        ("srandmember s 5", "*1|$1|a|", "", 0, ""),
        ("srandmember s -2", "*2|$1|a|$1|a|", "", 0, ""),
        ("spop s", "$1|a|", "s=spop s=del", 1, "SREM s a"),
        ("sadd s 2 1", ":2|", "s=new s=sadd", 2, "="),
        ("spop s 2", "*2|$1|1|$1|2|", "s=spop s=del", 2, "DEL s"),
    ]);
}

#[test]
fn what_was_popped_is_what_is_journalled() {
    let mut client = Harness::new();
    client.run("sadd s 1 2 3 4 5 6");
    let observed = client.observe("spop s 4");
    let members: Vec<&str> = observed.reply.split('|').filter(|line| line.len() == 1).collect();
    assert_eq!(observed.journal, format!("SREM s {}", members.join(" ")));
    assert_eq!((members.len(), observed.events.as_str(), observed.dirty), (4, "s=spop", 4));
    assert_eq!(client.run("scard s"), ":2|");
}

#[test]
fn many_that_were_popped_are_journalled_in_parts() {
    let mut client = Harness::new();
    let members: Vec<String> = (0..3000).map(|member| member.to_string()).collect();
    client.run(&format!("sadd s {}", members.join(" ")));
    let journal = client.observe("spop s 2500").journal;
    let parts: Vec<usize> = journal.split("; ").map(|command| command.split(' ').count()).collect();
    assert_eq!(parts, [1, 1026, 1026, 454, 1], "MULTI, three times SREM, EXEC");
}

#[test]
fn several_sets() {
    observe(&[
        ("sadd x 1 2 3", ":3|", "x=new x=sadd", 3, "="),
        ("sadd y 2 3 4", ":3|", "y=new y=sadd", 3, "="),
        ("set str v", "+OK|", "str=new str=set", 1, "="),
        ("sinterstore d x y", ":2|", "d=new d=sinterstore", 1, "="),
        ("sinterstore d x y", ":2|", "d=overwritten d=sinterstore", 1, "="),
        ("sinterstore str x y", ":2|", "str=overwritten str=type_changed str=sinterstore", 1, "="),
        ("sinterstore d x none", ":0|", "none=keymiss d=del", 1, "="),
        ("sinterstore d x none", ":0|", "none=keymiss", 0, ""),
        ("sunionstore d x y none", ":4|", "none=keymiss d=new d=sunionstore", 1, "="),
        ("sdiffstore d x y", ":1|", "d=overwritten d=sdiffstore", 1, "="),
        ("sdiffstore d x x", ":0|", "d=del", 1, "="),
        ("sdiffstore d none x", ":0|", "none=keymiss", 0, ""),
        ("sdiffstore x x y", ":1|", "x=overwritten x=sdiffstore", 1, "="),
        ("sinter x none y", "*0|", "none=keymiss", 0, ""),
        ("sunion x none y", "*4|$1|1|$1|2|$1|3|$1|4|", "none=keymiss", 0, ""),
        ("sdiff y none x", "*3|$1|2|$1|3|$1|4|", "none=keymiss", 0, ""),
        ("sintercard 2 x none", ":0|", "none=keymiss", 0, ""),
        ("sunioncard 2 x none", ":1|", "none=keymiss", 0, ""),
        ("sdiffcard 2 none x", ":0|", "none=keymiss", 0, ""),
    ]);
}

#[test]
fn a_stored_set_does_not_expire() {
    let mut client = Harness::new();
    client.run("set d v ex 100");
    client.run("sadd x 1");
    assert_eq!(client.run("sunionstore d x"), ":1|");
    assert_eq!(client.run("ttl d"), ":-1|");
}

#[test]
fn limits_hold_from_the_next_change_on() {
    let mut client = Harness::new();
    let cases = [
        ("sadd i 1 2 3", "i", "intset"),
        ("sadd l a 1", "l", "listpack"),
        ("config set set-max-intset-entries 3", "i", "intset"),
        ("sadd i 4", "i", "hashtable"),
        ("config set set-max-listpack-entries 2", "l", "listpack"),
        ("sadd l c", "l", "hashtable"),
        ("config set set-max-listpack-value 4", "l", "hashtable"),
        ("sadd v abcd", "v", "listpack"),
        ("sadd v abcde", "v", "hashtable"),
        ("sadd n 1 2 a", "n", "hashtable"),
    ];
    for (request, key, encoding) in cases {
        let config = std::sync::Arc::clone(&client.executor.engine);
        assert!(!client.run(request).starts_with('-'), "{request}");
        config.settings.refresh(&config.config.read(), &config.keyspace);
        assert_eq!(
            client.run(&format!("object encoding {key}")),
            format!("${}|{encoding}|", encoding.len()),
            "{request}"
        );
    }
}

#[test]
fn sets_are_sets_in_resp3() {
    let mut client = Harness::new();
    client.client.set_protocol(Protocol::Resp3);
    let cases = [
        ("sadd s 1", ":1|"),
        ("smembers s", "~1|$1|1|"),
        ("smembers none", "~0|"),
        ("sinter s", "~1|$1|1|"),
        ("sinter none", "~0|"),
        ("sunion s", "~1|$1|1|"),
        ("sdiff s none", "~1|$1|1|"),
        ("spop s 0", "~0|"),
        ("spop none 2", "~0|"),
        ("spop none", "_|"),
        ("srandmember s 1", "*1|$1|1|"),
        ("srandmember none", "_|"),
        ("srandmember none 1", "*0|"),
        ("smismember s 1", "*1|:1|"),
        ("spop s 1", "~1|$1|1|"),
    ];
    for (request, reply) in cases {
        assert_eq!(client.run(request), reply, "{request}");
    }
}

#[test]
fn a_reply_of_members_drawn_again_and_again_has_an_end() {
    let mut client = Harness::new();
    client.run("sadd s a");
    client.executor.engine.settings.bulk_len_max.store(100_000, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(client.run("srandmember s -9223372036854775807"), "-ERR value is out of range|");
    assert!(client.run("srandmember s -10000").starts_with("*10000|$1|a|"));
}

#[test]
fn very_many_members_at_random() {
    let mut client = Harness::new();
    (0..100).for_each(|member| drop(client.run(&format!("sadd s m{member:02}"))));
    let mut members = |words: &str| -> Vec<String> {
        let reply = client.run(words);
        let members: Vec<_> =
            reply.split('|').filter(|line| line.starts_with('m')).map(str::to_owned).collect();
        assert_eq!(reply.split('|').next(), Some(format!("*{}", members.len()).as_str()), "{words}");
        members
    };
    for (words, count, all) in [
        ("srandmember s 1000", 100, true),
        ("srandmember s 60", 60, false),
        ("srandmember s -5000", 5000, true),
    ] {
        let mut members = members(words);
        assert_eq!(members.len(), count, "{words}");
        members.sort();
        members.dedup();
        assert_eq!((members.len() == 100, members.len() >= count.min(100)), (all, true), "{words}");
    }
    assert!(members("srandmember none -5000").is_empty());
}

#[test]
fn very_many_members_are_popped_as_any_others() {
    let mut client = Harness::new();
    for (count, events) in [(30, "s=spop"), (98, "s=spop"), (100, "s=spop s=del"), (1000, "s=spop s=del")] {
        (0..100).for_each(|member| drop(client.run(&format!("sadd s m{member:02}"))));
        let did = client.observe(&format!("spop s {count}"));
        let count = 100.min(count);
        assert_eq!((did.events.as_str(), did.dirty), (events, count));
        let members: Vec<&str> = did.reply.split('|').filter(|line| line.starts_with('m')).collect();
        assert_eq!(members.len() as u64, count);
        let journal = match count {
            100 => "DEL s".to_owned(),
            _ => format!("SREM s {}", members.join(" ")),
        };
        assert_eq!(did.journal, journal);
        assert_eq!(client.run("scard s"), format!(":{}|", 100 - count));
        client.run("del s");
    }
}
