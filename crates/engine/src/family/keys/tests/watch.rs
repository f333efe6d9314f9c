//! WATCH and EXEC around every command of the family that changes keys.

use std::sync::Arc;

use super::make_stale;
use crate::testing::Harness;

/// What is there, what is watched, what somebody else does, and whether EXEC refuses. Commands are separated by
/// semicolons; `!k` makes the time of k come. (What happens when it comes later is tested with the keyspace.)
const CASES: &[(&str, &str, &str, bool)] = &[
    ("set k 1", "k", "del k", true),
    ("set k 1", "k", "unlink k", true),
    ("set k 1", "k", "del other", false),
    ("", "k", "del k", false),
    ("set k 1", "k", "expire k 100", true),
    ("set k 1", "k", "expire k 100 xx", false),
    ("set k 1", "k", "expire k -1", true),
    ("set k 1; expire k 100", "k", "persist k", true),
    ("set k 1", "k", "persist k", false),
    ("set k 1", "k", "rename k l", true),
    ("set k 1", "l", "rename k l", true),
    ("set k 1", "k", "rename k k", false),
    ("set k 1; set l 1", "l", "renamenx k l", false),
    ("set k 1", "l", "renamenx k l", true),
    ("set k 1", "k", "copy k l", false),
    ("set k 1", "l", "copy k l", true),
    ("set k 1; set l 1", "l", "copy k l", false),
    ("set k 1; set l 1", "l", "copy k l replace", true),
    ("set k 1", "l", "copy k l db 1", false),
    ("set k 1", "k", "move k 1", true),
    ("select 1; set k 1; select 0", "k", "select 1; move k 0", true),
    ("set k 1", "k", "touch k", false),
    ("set k 1", "k", "scan 0", false),
    ("set k 1", "k", "flushdb", true),
    ("set k 1", "k", "flushdb async", true),
    ("set k 1", "k", "flushall", true),
    ("set k 1", "k", "select 1; flushdb", false),
    ("set k 1", "k", "select 1; flushall", true),
    ("", "k", "flushall", false),
    ("set k 1", "k", "swapdb 0 1", true),
    ("set k 1", "k", "swapdb 0 0", false),
    ("set k 1", "k", "swapdb 1 2", false),
    ("", "k", "swapdb 0 1", false),
    ("select 1; set k 1; select 0", "k", "swapdb 0 1", true),
    ("select 1; set k 1; select 0; set k 2", "k", "swapdb 1 0", true),
    // A key whose time had come before WATCH is not there; its removal is no change.
    ("set k 1; !k", "k", "", false),
    ("set k 1; !k", "k", "get k", false),
    ("set k 1; !k", "k", "del k", false),
    ("set k 1; !k", "k", "flushall", false),
    ("set k 1; !k", "k", "swapdb 0 1", false),
    ("set k 1; !k", "k", "set k 2", true),
    ("set k 1; !k", "k", "get k; set k 2", true),
    ("set k 1; !k", "k", "copy other k; set other 1; copy other k", true),
    ("set k 1; !k; select 1; set k 1; select 0", "k", "swapdb 0 1", true),
    ("set k 1; !k; select 1; set k 1; !k; select 0", "k", "swapdb 0 1", false),
    ("select 1; set k 1; !k; select 0", "k", "swapdb 0 1", false),
];

fn run_all(harness: &mut Harness, commands: &str) {
    for command in commands.split(';').map(str::trim).filter(|command| !command.is_empty()) {
        match command.strip_prefix('!') {
            Some(name) => make_stale(harness, harness.client.db, name),
            None => {
                let reply = harness.run(command);
                assert!(!reply.starts_with('-'), "{command}: {reply}");
            }
        }
    }
}

#[test]
fn watchers_hear_of_changes() {
    for (before, watched, change, refused) in CASES {
        let mut a = Harness::new();
        let mut b = Harness::on(Arc::clone(&a.executor.engine));
        run_all(&mut a, before);
        a.run(&format!("watch {watched}"));
        run_all(&mut b, change);
        a.run("multi");
        a.run("echo done");
        let expected = if *refused { "*-1|" } else { "*1|$4|done|" };
        assert_eq!(a.run("exec"), expected, "{before} / watch {watched} / {change}");
        assert_eq!(a.executor.engine.keyspace.watched_keys(), 0);
    }
}
