//! What a client cannot see: what is journalled, counted and announced.

use std::sync::Arc;

use ochre_config::{Directive, SetContext};
use ochre_keyspace::{Effects, Locks};
use ochre_resp::{Protocol, ReplyWriter};

use crate::call::{Call, Propagation};
use crate::client::OwnedRequest;
use crate::execute::Outcome;
use crate::testing::{Harness, Journalled};

#[test]
fn what_is_journalled() {
    let mut client = Harness::new();
    let journalled = Journalled::of(&client);
    let cases = [
        ("rpush l a b c d e f g h", "rpush l a b c d e f g h"),
        ("lpushx nokey a", ""),
        ("lpop l 2", "lpop l 2"),
        ("lpop l 0", ""),
        ("lmpop 2 nokey l right count 2", "RPOP l 2"),
        ("blpop nokey l 0", "LPOP l"),
        ("blmpop 0 1 l left count 1", "LPOP l 1"),
        ("blmove l m left right 0", "LMOVE l m left right"),
        ("brpoplpush m l 0", "RPOPLPUSH m l"),
        ("lmovem l m left right count 2 bulk", "lmovem l m left right count 2 bulk"),
        ("blmovem m l left right 0 exactly 2 obo", "LMOVEM m l left right exactly 2 obo"),
        ("blmovem l l left right 0", "LMOVEM l l left right"),
        ("ltrim l 0 -1", ""),
        ("lrem l 0 nothing", ""),
        ("linsert l before nothing x", ""),
        ("lmove nokey l left left", ""),
    ];
    for (request, expected) in cases {
        client.run(request);
        assert_eq!(journalled.take(), expected, "{request}");
    }
}

#[test]
fn what_is_served_is_journalled_after_what_served_it() {
    let mut client = Harness::new();
    let journalled = Journalled::of(&client);
    let blocked = ["blmove q w left right 0", "blmpop 0 2 w q right count 4", "brpoplpush q w 0"];
    let mut waiting: Vec<Harness> = Vec::new();
    for request in blocked {
        let mut one = Harness::on(Arc::clone(&client.executor.engine));
        assert_eq!((one.run(request), one.outcome), (String::new(), Outcome::Blocked), "{request}");
        waiting.push(one);
    }
    assert_eq!(journalled.take(), "");
    client.run("multi");
    client.run("rpush q 1 2 3");
    client.run("set z 1");
    client.run("exec");
    // The first moves an element; the second takes from the first of its keys that has any, of what that left.
    let expected = "MULTI;rpush q 1 2 3;set z 1;EXEC;LMOVE q w left right;RPOP w 1;RPOPLPUSH q w";
    assert_eq!(journalled.take(), expected);
    assert!(waiting.iter().all(|one| one.client.shared.wait.is_served()));
    assert_eq!(client.run("lrange w 0 -1"), "*1|$1|3|");
}

/// The events of a request, in order, and how many changes it counts as.
fn told(client: &mut Harness, line: &str) -> (String, u64) {
    let engine = Arc::clone(&client.executor.engine);
    let parts: Vec<Vec<u8>> = line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
    let request = OwnedRequest::from_parts(&parts);
    let command = engine.commands.find(&parts[0]).expect("a command").command;
    let mut keys = Vec::new();
    client.executor.prepare(request.args(), 0, &mut keys);
    let (mut effects, mut out) = (Effects::default(), Vec::new());
    let mut view = engine.keyspace.view(Locks::Keys(&keys), crate::clock_ms(), &mut effects);
    let result = (command.handler)(&mut Call {
        args: request.args(),
        command,
        keys: &keys,
        view: &mut view,
        client: &mut client.client,
        engine: &engine,
        worker: &client.executor.context,
        reply: ReplyWriter::new(&mut out, Protocol::Resp2),
        propagation: Propagation::Verbatim,
        in_transaction: false,
        is_retry: false,
        stage: crate::scripting::ScriptStage::default(),
        has_failed: false,
    });
    drop(view);
    assert_eq!(result, Ok(()), "{line}");
    let shown =
        |event: &ochre_keyspace::Event| format!("{}={}", String::from_utf8_lossy(&event.key), event.name);
    (effects.events.iter().map(shown).collect::<Vec<_>>().join(" "), effects.dirty)
}

#[test]
fn what_is_announced_and_counted() {
    let mut client = Harness::new();
    let mut config = client.executor.engine.config.write();
    let pair: [(&[u8], &[u8]); 1] = [(b"notify-keyspace-events", b"KEAn")];
    config.set(&pair, SetContext::default()).expect("a valid setting");
    client.executor.engine.settings.refresh(&config, &client.executor.engine.keyspace);
    drop(config);
    let cases = [
        ("rpush l a b c a", "l=new l=rpush", 4),
        ("lpush l x", "l=lpush", 1),
        ("rpushx l y", "l=rpush", 1),
        ("ltrim l 0 -1", "l=ltrim", 0),
        ("ltrim l 1 -2", "l=ltrim", 2),
        ("lpop l 2", "l=lpop", 2),
        ("lset l 0 c", "l=lset", 1),
        ("linsert l after c d", "l=linsert", 1),
        ("linsert l after nothing d", "", 0),
        ("lrem l 0 nothing", "", 0),
        ("lrem l 0 d", "l=lrem", 1),
        ("lmove l m left right", "m=new m=rpush l=lpop", 1),
        ("lmove l m left right", "m=rpush l=lpop l=del", 1),
        ("lmove m m left right", "m=rpush m=lpop", 1),
        ("lmovem m l left left count 9 bulk", "l=new l=lpush m=lpop m=del", 2),
        ("lmpop 2 m l right count 5", "l=rpop l=del", 2),
        ("blpop l 0.01", "", 0),
    ];
    for (line, events, dirty) in cases {
        assert_eq!(told(&mut client, line), (events.to_owned(), dirty), "{line}");
    }
}

#[test]
fn who_waits_is_served_in_order_and_once() {
    let mut client = Harness::new();
    let engine = Arc::clone(&client.executor.engine);
    let blocked = |request: &str| {
        let mut one = Harness::on(Arc::clone(&engine));
        one.run(request);
        assert_eq!(one.outcome, Outcome::Blocked, "{request}");
        one
    };
    let served = |one: &Harness| one.client.shared.wait.is_served();
    let (first, second) = (blocked("blpop a b 0"), blocked("brpop b 0"));
    assert_eq!(client.run("lpush b 1"), ":1|");
    assert_eq!((served(&first), served(&second)), (true, false));
    // The first waits no longer, under no key.
    assert_eq!((client.run("lpush a 1"), client.run("lpush b 1")), (":1|".into(), ":1|".into()));
    assert!(served(&second));
    assert_eq!((client.run("llen a"), client.run("llen b")), (":1|".into(), ":0|".into()));
    client.run("del a");
    // A wrong type keeps it waiting, and a wrong type to move to is told.
    let (pop, moves) = (blocked("blpop a 0"), blocked("blmove c d left left 0"));
    client.run("set a 1");
    client.run("set d 1");
    assert_eq!((served(&pop), served(&moves)), (false, false));
    client.run("rpush c 1 2");
    assert_eq!((served(&pop), served(&moves), client.run("llen c")), (false, true, ":2|".into()));
    // A key can become ready in many ways.
    client.run("del a d");
    client.run("rename c a");
    assert_eq!((served(&pop), client.run("llen a")), (true, ":1|".into()));
    let pop = blocked("blpop x 0");
    client.run("copy a x");
    assert!(served(&pop));
    let pop = blocked("blpop x 0");
    client.run("select 1");
    client.run("rpush x 1");
    assert!(!served(&pop));
    client.run("swapdb 0 1");
    assert!(served(&pop));
}

#[test]
fn enough_is_waited_for() {
    let mut client = Harness::new();
    let mut one = Harness::on(Arc::clone(&client.executor.engine));
    one.run("blmovem l m left right 0 exactly 3 bulk");
    for (element, is_served) in [("a", false), ("b", false), ("c", true)] {
        client.run(&format!("rpush l {element}"));
        assert_eq!(one.client.shared.wait.is_served(), is_served, "{element}");
    }
    assert_eq!(client.run("lrange m 0 -1"), "*3|$1|a|$1|b|$1|c|");
    assert_eq!(client.run("exists l"), ":0|");
}

#[test]
fn nothing_waits_in_a_transaction() {
    let mut client = Harness::new();
    client.run("multi");
    for request in ["blpop k 0", "blmove k l left left 0", "blmpop 0 1 k left", "brpoplpush k l 0"] {
        assert_eq!(client.run(request), "+QUEUED|");
    }
    assert_eq!(client.run("exec"), "*4|*-1|$-1|*-1|$-1|");
}

#[test]
fn who_is_killed_or_unblocked_takes_nothing() {
    let mut client = Harness::new();
    let engine = Arc::clone(&client.executor.engine);
    let mut blocked: Vec<Harness> = (0..3).map(|_| Harness::on(Arc::clone(&engine))).collect();
    blocked.iter_mut().for_each(|one| drop(one.run("blpop k 0")));
    assert_eq!(client.run(&format!("client kill id {}", blocked[0].client.id())), ":1|");
    assert_eq!(client.run(&format!("client unblock {}", blocked[1].client.id())), ":1|");
    assert_eq!(client.run(&format!("client unblock {}", blocked[1].client.id())), ":0|");
    assert_eq!(client.run("rpush k a b"), ":2|");
    let served: Vec<bool> = blocked.iter().map(|one| one.client.shared.wait.is_served()).collect();
    assert_eq!((served, client.run("llen k")), (vec![false, false, true], ":1|".into()));
    // Their workers see to the rest.
    for one in &mut blocked {
        let Harness { executor, client, .. } = one;
        executor.forget(client);
    }
    let mut effects = Effects::default();
    let figures = engine.keyspace.view(Locks::None, 0, &mut effects).figures();
    assert_eq!(figures.awaited_keys, 0);
}

#[test]
fn a_pause_puts_serving_off() {
    let mut client = Harness::new();
    let mut one = Harness::on(Arc::clone(&client.executor.engine));
    one.run("blpop k 0");
    for request in ["multi", "client pause 100000 write", "rpush k a", "exec"] {
        client.run(request);
    }
    client.executor.serve_held_back(crate::clock_ms());
    assert!(!one.client.shared.wait.is_served());
    client.run("client unpause");
    client.executor.serve_held_back(crate::clock_ms());
    assert!(one.client.shared.wait.is_served());
    assert_eq!(client.run("exists k"), ":0|");
}

#[test]
fn many_who_need_much_are_served_all_the_same() {
    let mut client = Harness::new();
    let engine = Arc::clone(&client.executor.engine);
    let blocked: Vec<Harness> = (0..100)
        .map(|number| {
            let mut one = Harness::on(Arc::clone(&engine));
            one.run(&format!("blmove k to{number} left left 0"));
            one
        })
        .collect();
    for number in 0..99 {
        client.run(&format!("rpush k {number}"));
    }
    let served = blocked.iter().filter(|one| one.client.shared.wait.is_served()).count();
    assert_eq!(
        (served, client.run("exists k"), client.run("lrange to98 0 -1")),
        (99, ":0|".into(), "*1|$2|98|".into())
    );
}

#[test]
fn debug_tells_of_nodes() {
    let mut client = Harness::new();
    let engine = Arc::clone(&client.executor.engine);
    let enabled = engine.config.write().assign(Directive::EnableDebugCommand, &[b"yes"]);
    assert_eq!(enabled, Ok(()));
    assert_eq!(client.run("config set list-max-listpack-size 2"), "+OK|");
    client.run("rpush l a b");
    assert_eq!(client.run("debug listpack l"), "+Listpack structure printed on stdout|");
    assert_eq!(client.run("debug quicklist l"), "-ERR Not a quicklist encoded object.|");
    // Looking for an element that is not there makes room for it.
    assert_eq!(client.run("lset l 5 x"), "-ERR index out of range|");
    assert_eq!(client.run("object encoding l"), "$9|quicklist|");
    client.run("rpush l c d e");
    assert_eq!(client.run("debug quicklist l"), "+Quicklist structure printed on stdout|");
    assert_eq!(client.run("debug listpack l"), "-ERR Not a listpack encoded object.|");
    let told = client.run("debug object l");
    assert!(told.contains(" ql_nodes:3 ql_avg_node:1.67 ql_listpack_max:2 ql_compressed:0 "), "{told}");
}
