//! What clients cannot see: events, what counts as a change, the journal. Expected is what Redis 8.6.3 does.

use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::Protocol;

use crate::testing::{Harness, observe};

#[test]
fn adding() {
    observe(&[
        ("zadd z 1 a 2 b", ":2|", "z=new z=zadd", 2, "="),
        ("zadd z 1 a", ":0|", "", 0, ""),
        ("zadd z ch 2 a", ":1|", "z=zadd", 1, "="),
        ("zadd z nx 5 a", ":0|", "", 0, ""),
        ("zadd z xx incr 1 a", "$1|3|", "z=zincr", 1, "="),
        ("zadd z xx 1 x", ":0|", "", 0, ""),
        ("zadd missing xx 1 x", ":0|", "", 0, ""),
        ("zincrby z 0 a", "$1|3|", "", 0, ""),
        ("zincrby z 1 a", "$1|4|", "z=zincr", 1, "="),
        ("zincrby z inf a", "$3|inf|", "z=zincr", 1, "="),
        ("zincrby z -inf a", "-ERR resulting score is not a number (NaN)|", "", 0, ""),
        ("zadd z 9 a 9 a 8 c", ":1|", "z=zadd", 2, "="),
    ]);
}

#[test]
fn removing() {
    observe(&[
        ("zadd z 1 a 2 b 3 c 4 d 5 e", ":5|", "z=new z=zadd", 5, "="),
        ("zrem z x", ":0|", "", 0, ""),
        ("zrem z a x", ":1|", "z=zrem", 1, "="),
        ("zremrangebyrank z 0 0", ":1|", "z=zremrangebyrank", 1, "="),
        ("zremrangebyscore z 3 3", ":1|", "z=zremrangebyscore", 1, "="),
        ("zremrangebyscore z 9 9", ":0|", "", 0, ""),
        ("zremrangebylex z - +", ":2|", "z=zremrangebylex z=del", 2, "="),
        ("zremrangebylex z - +", ":0|", "", 0, ""),
        ("zadd z 1 a", ":1|", "z=new z=zadd", 1, "="),
        ("zrem z a a", ":1|", "z=zrem z=del", 1, "="),
    ]);
}

#[test]
fn popping() {
    observe(&[
        ("zadd z 1 a 2 b 3 c 4 d 5 e 6 f", ":6|", "z=new z=zadd", 6, "="),
        ("zpopmin z", "*2|$1|a|$1|1|", "z=zpopmin", 1, "="),
        ("zpopmax z 1", "*2|$1|f|$1|6|", "z=zpopmax", 1, "="),
        ("zpopmax z 0", "*0|", "", 0, ""),
        ("zmpop 2 x z min", "*2|$1|z|*1|*2|$1|b|$1|2|", "z=zpopmin", 1, "ZPOPMIN z 1"),
        ("bzpopmax x z 0", "*3|$1|z|$1|e|$1|5|", "z=zpopmax", 1, "ZPOPMAX z"),
        (
            "bzmpop 0 1 z max count 5",
            "*2|$1|z|*2|*2|$1|d|$1|4|*2|$1|c|$1|3|",
            "z=zpopmax z=del",
            2,
            "ZPOPMAX z 2",
        ),
        ("zpopmin z", "*0|", "", 0, ""),
        ("zmpop 1 z min", "*-1|", "", 0, ""),
    ]);
}

#[test]
fn storing() {
    observe(&[
        ("zadd a 1 x 2 y", ":2|", "a=new a=zadd", 2, "="),
        ("zadd b 1 y", ":1|", "b=new b=zadd", 1, "="),
        ("zunionstore d 2 a b", ":2|", "d=new d=zunionstore", 1, "="),
        ("zinterstore d 2 a b", ":1|", "d=overwritten d=zinterstore", 1, "="),
        ("zdiffstore d 2 b a", ":0|", "d=del", 1, "="),
        ("zdiffstore d 2 b a", ":0|", "", 0, ""),
        ("set d v", "+OK|", "d=new d=set", 1, "="),
        ("zrangestore d a 0 -1", ":2|", "d=overwritten d=type_changed d=zrangestore", 1, "="),
        ("zrangestore d a 9 9", ":0|", "d=del", 1, "="),
        ("zrangestore d missing 0 -1", ":0|", "missing=keymiss", 0, ""),
    ]);
}

#[test]
fn reading() {
    observe(&[
        ("zscore missing a", "$-1|", "missing=keymiss", 0, ""),
        ("zmscore missing a b", "*2|$-1|$-1|", "missing=keymiss", 0, ""),
        ("zcard missing", ":0|", "missing=keymiss", 0, ""),
        ("zrange missing 0 -1", "*0|", "missing=keymiss", 0, ""),
        ("zrandmember missing", "$-1|", "missing=keymiss", 0, ""),
        ("zunion 2 missing x", "*0|", "missing=keymiss x=keymiss", 0, ""),
    ]);
}

#[test]
fn a_reply_of_random_members_has_a_limit() {
    let mut client = Harness::new();
    client.run("zadd z 1 a");
    client.executor.engine.settings.bulk_len_max.store(1 << 20, Relaxed);
    assert_eq!(client.run("zrandmember z -9223372036854775807"), "-ERR value is out of range|");
    assert_eq!(client.run("zrandmember z -2"), "*2|$1|a|$1|a|");
}

#[test]
fn a_walk_meets_every_member_of_a_big_one() {
    let mut client = Harness::new();
    for at in 0..500 {
        client.run(&format!("zadd z {at} member:{at}"));
    }
    let (mut cursor, mut seen) = ("0".to_owned(), std::collections::BTreeSet::new());
    loop {
        let reply = client.run(&format!("zscan z {cursor} count 20"));
        let words: Vec<&str> = reply.split('|').collect();
        seen.extend(words.iter().filter(|word| word.starts_with("member:")).map(|word| (*word).to_owned()));
        cursor = words[2].to_owned();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 500);
}

#[test]
fn very_many_members_at_random() {
    let mut client = Harness::new();
    (100..400).for_each(|at| drop(client.run(&format!("zadd z {at} m{at}"))));
    for (protocol, count, begin) in [
        (Protocol::Resp2, 300, "*600|$4|m100|$3|100|"),
        (Protocol::Resp3, 300, "*300|*2|$4|m100|,100|"),
        (Protocol::Resp2, 5000, "*10000|$4|m"),
        (Protocol::Resp3, 5000, "*5000|*2|$4|m"),
    ] {
        client.client.protocol = protocol;
        let drawn = if count > 300 { -count } else { count };
        let reply = client.run(&format!("zrandmember z {drawn} withscores"));
        assert!(reply.starts_with(begin), "{drawn}");
        let lines: Vec<&str> = reply.split('|').collect();
        let members: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with('m')).collect();
        assert_eq!(members.len(), count as usize);
        let score_of = |at: usize| match protocol {
            Protocol::Resp2 => lines[at + 2],
            Protocol::Resp3 => &lines[at + 1][1..],
        };
        assert!(members.iter().all(|at| score_of(*at) == &lines[*at][1..]));
    }
    client.client.protocol = Protocol::Resp2;
    assert!(client.run("zrandmember z 50").starts_with("*50|$4|m"));
    assert_eq!(client.run("zrandmember none -5000"), "*0|");
}

#[test]
fn ranges_of_very_many_members_are_removed_as_any_other() {
    let mut client = Harness::new();
    let fill =
        |client: &mut Harness| (0..200).for_each(|at| drop(client.run(&format!("zadd z {at} m{at:03}"))));
    for (words, left) in [
        ("zremrangebyrank z 5 -6", 10),
        ("zremrangebyscore z 5 (195", 10),
        ("zremrangebyrank z 0 -1", 0),
        ("zremrangebyscore z 10 20", 189),
    ] {
        fill(&mut client);
        let did = client.observe(words);
        let (name, removed) = (words.split(' ').next().expect("a name"), 200 - left);
        let gone = if left == 0 { " z=del" } else { "" };
        assert_eq!((did.reply, did.dirty), (format!(":{removed}|"), removed), "{words}");
        assert_eq!((did.events, did.journal), (format!("z={name}{gone}"), "=".to_owned()), "{words}");
        assert_eq!(client.run("zcard z"), format!(":{left}|"));
        client.run("del z");
    }
}
