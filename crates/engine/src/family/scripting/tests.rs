//! What a client of the replies does not see of scripts: the journal, the figures, what is put back.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use std::sync::Mutex;

use crate::client::OwnedRequest;
use crate::scripting::{Attendant, Rehearsal, Said};
use crate::testing::{Harness, Journalled};

fn eval(client: &mut Harness, script: &str) -> String {
    let reply = client.run_args(&[b"eval", script.as_bytes(), b"0"]);
    String::from_utf8_lossy(&reply).replace("\r\n", "|")
}

fn load(client: &mut Harness, code: &str) -> String {
    let reply = client.run_args(&[b"function", b"load", code.as_bytes()]);
    String::from_utf8_lossy(&reply).replace("\r\n", "|")
}

#[test]
fn what_a_script_does_is_one_unit() {
    let mut client = Harness::new();
    let journal = Journalled::of(&client);
    assert_eq!(eval(&mut client, "redis.call('set', 'a', '1') return redis.call('incr', 'a')"), ":2|");
    assert_eq!(journal.take(), "MULTI;set a 1;incr a;EXEC");
    assert_eq!(eval(&mut client, "return redis.call('get', 'a')"), "$1|2|");
    assert_eq!(journal.take(), "");
    eval(&mut client, "redis.call('select', '3') redis.call('set', 'b', '1')");
    assert_eq!(journal.take(), "SELECT 3;set b 1");
    eval(&mut client, "redis.call('set', 'a', '1') redis.call('nosuch')");
    assert_eq!(journal.take(), "set a 1", "what was done before an error stays");
}

#[test]
fn what_is_not_replicated_is_not_journalled() {
    let mut client = Harness::new();
    let journal = Journalled::of(&client);
    let script = "redis.set_repl(redis.REPL_NONE) redis.call('set', 'a', '1') redis.call('spop', 'nosuch') \
                  redis.set_repl(redis.REPL_ALL) redis.call('set', 'b', '1')";
    eval(&mut client, script);
    assert_eq!(journal.take(), "set b 1");
    eval(&mut client, "redis.set_repl(redis.REPL_NONE)");
    client.run("set c 1");
    assert_eq!(journal.take(), "set c 1", "the next command is as any other");
}

#[test]
fn changes_of_libraries_are_journalled() {
    let mut client = Harness::new();
    let journal = Journalled::of(&client);
    let code = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";
    assert_eq!(load(&mut client, code), "$3|lib|");
    assert!(journal.take().starts_with("function load #!lua name=lib"));
    assert!(load(&mut client, code).starts_with("-ERR Library 'lib' already exists"));
    assert_eq!(client.run("fcall f 0"), ":1|");
    assert_eq!(journal.take(), "");
    client.run("function delete lib");
    assert_eq!(journal.take(), "function delete lib");
    client.run("function flush");
    assert_eq!(journal.take(), "function flush");
}

#[test]
fn a_script_leaves_its_client_as_it_was() {
    let mut client = Harness::new();
    client.run("select 2");
    eval(
        &mut client,
        "redis.call('select', '5') redis.setresp(3) redis.set_repl(redis.REPL_NONE) error('x')",
    );
    assert_eq!((client.client.db, client.client.shared.db.load(Relaxed)), (2, 2));
    assert!(!client.client.in_script && !client.client.is_unreplicated);
    assert_eq!(client.run("get nosuch"), "$-1|");
}

#[test]
fn errors_are_counted_once() {
    let mut client = Harness::new();
    let engine = Arc::clone(&client.executor.engine);
    client.run("set s text");
    let mut counts = |script: &str| {
        engine.errors.reset();
        eval(&mut client, script);
        engine.errors.list()
    };
    let one = |code: &str| vec![(code.to_owned(), 1)];
    assert_eq!(counts("return redis.call('incr', 's')"), one("ERR"));
    assert_eq!(counts("redis.pcall('incr', 's')"), one("ERR"));
    assert_eq!(counts("return redis.pcall('incr', 's')"), one("ERR"));
    assert_eq!(counts("return redis.call('nosuch')"), one("ERR"));
    assert_eq!(counts("return {err='MINE alone'}"), one("MINE"));
    assert_eq!(counts("error({err='MINE alone'})"), one("MINE"));
    assert_eq!(counts("retur"), one("ERR"));
    assert_eq!(counts("return {redis.pcall('lpush', 's', '1'), {err='MINE alone'}}").len(), 2);
    assert_eq!(counts("return 1"), []);
}

#[test]
fn commands_of_scripts_are_counted_as_others() {
    let mut client = Harness::new();
    let calls = |client: &Harness, name: &str| {
        let engine = &client.executor.engine;
        let entry = engine.commands.find(name.as_bytes()).expect("a command");
        let stats = engine.workers[0].command(entry.id);
        (stats.calls.get(), stats.rejected.get(), stats.failed.get())
    };
    eval(&mut client, "redis.call('set', 's', 'x') redis.pcall('get') redis.pcall('incr', 's')");
    assert_eq!(calls(&client, "set"), (1, 0, 0));
    assert_eq!(calls(&client, "get"), (0, 1, 0));
    assert_eq!(calls(&client, "incr"), (1, 0, 1));
    assert_eq!(calls(&client, "eval"), (1, 0, 0));
}

#[test]
fn scripts_of_eval_are_bounded_and_those_loaded_stay() {
    let mut client = Harness::new();
    let reply = client.run_args(&[b"script", b"load", b"return 'loaded'"]);
    let digest = reply.split(|byte| *byte == b'\n').nth(1).expect("a digest").trim_ascii_end().to_vec();
    for number in 0..600 {
        eval(&mut client, &format!("return {number}"));
    }
    let figures = client.executor.engine.scripting.figures();
    assert_eq!((figures.scripts, figures.evicted), (501, 100));
    assert_eq!(client.run_args(&[b"evalsha", &digest, b"0"]), b"$6\r\nloaded\r\n");
}

#[test]
fn a_script_that_was_queued_is_checked_when_it_runs() {
    let mut client = Harness::new();
    let script: &[u8] = b"#!lua\nreturn redis.call('set', 'a', '1')";
    client.run("multi");
    assert_eq!(client.run_args(&[b"eval_ro", script, b"0"]), b"+QUEUED\r\n");
    let refused = "*1|-ERR Can not execute a script with write flag using *_ro command.|";
    assert_eq!(client.run("exec"), refused);
}

/// A client that says what it has to say, and then nothing more.
struct Console {
    orders: Mutex<Vec<&'static [u8]>>,
    shown: Mutex<Vec<u8>>,
}

impl Attendant for Console {
    fn attend(&self) -> bool {
        true
    }

    fn show(&self, reply: &[u8]) {
        self.shown.lock().expect("one thread").extend_from_slice(reply);
    }

    fn listen(&self) -> Said {
        self.orders.lock().expect("one thread").pop().map_or(Said::End, |order| Said::Bytes(order.to_vec()))
    }
}

#[test]
fn modes_of_the_debugger() {
    let mut client = Harness::new();
    for (request, expected) in [
        ("script debug maybe", "-ERR Use SCRIPT DEBUG YES/SYNC/NO\r\n"),
        ("script debug maybe js", "-ERR Use SCRIPT DEBUG YES/SYNC/NO\r\n"),
        ("script debug sync js", "-ERR No scripting engine found with name 'js' to enable debug\r\n"),
        (
            "script debug sync lua x",
            "-ERR unknown subcommand or wrong number of arguments for 'debug'. Try SCRIPT HELP.\r\n",
        ),
        ("script debug Sync LUA", "+OK\r\n"),
        ("evalsha 0 0", "-ERR Please use EVAL instead of EVALSHA for debugging\r\n"),
        ("script debug no lua", "+OK\r\n"),
        ("eval return(1) 0", ":1\r\n"),
    ] {
        assert_eq!(client.run(request), expected.replace("\r\n", "|"), "{request}");
    }
}

#[test]
fn a_rehearsal_sees_the_keys_and_changes_nothing() {
    let mut client = Harness::new();
    client.run("set a 1");
    client.run("sadd s x y");
    client.run("select 3");
    client.run("set b 2");
    let journal = Journalled::of(&client);
    let text = "redis.call('incr', 'b') redis.call('move', 'b', '0') redis.call('select', '0') redis.call('sadd', 's', 'z') \
                redis.call('publish', 'c', 'm') local all = redis.call('keys', '*') table.sort(all) \
                return {redis.call('get', 'b'), redis.call('scard', 's'), table.concat(all, ' ')}";
    client.run("script debug yes");
    let parts = [b"eval".to_vec(), text.as_bytes().to_vec(), b"0".to_vec()];
    let request = OwnedRequest::from_parts(&parts);
    let live = Arc::clone(&client.executor.engine);
    let rehearsal = Rehearsal::new(&live, &client.client, request.args()).expect("there is none yet");
    let console = Console { orders: Mutex::new(vec![b"*1\r\n$1\r\nc\r\n"]), shown: Mutex::default() };
    let reply = String::from_utf8_lossy(&rehearsal.run(&console)).replace("\r\n", "|");
    assert_eq!(reply, "*3|$1|3|:3|$5|a b s|");
    assert!(console.shown.lock().expect("one thread").ends_with(b"*1\r\n+<endsession>\r\n"));
    assert_eq!(journal.take(), "");
    assert_eq!(client.run("get b"), "$1|2|");
    client.run("select 0");
    assert_eq!(client.run("scard s"), ":2|");
}
