//! Calls on the disk fail, once or for a while: clients are told, what they were told holds, and the next start succeeds.

use std::sync::{Arc, Mutex};

use ochre_config::Directive;
use ochre_persist::disk::{Call, Choose, Fault, Seeded, TwinDisk};

use super::history::History;
use super::program::Program;
use super::seeds;
use super::server::{Became, Form, Server, wait_for};
use crate::execute::Outcome;

/// Operations before the disk is whole again.
const ACTS: usize = 25;
/// A disk that fails is asked again after a second: tests wait for that side by side.
const AT_A_TIME: usize = 24;

/// A fault at random: of any call, or of a kind, short or long, of a full disk or a broken one.
fn fault(choose: &mut Seeded, calls: u64) -> Fault {
    const KINDS: [Call; 6] =
        [Call::Write, Call::Sync, Call::SyncDir, Call::Create, Call::Rename, Call::Truncate];
    let first = calls + choose.pick(60) as u64;
    let length = [1, 2, 5, 1000][choose.pick(4)];
    Fault {
        calls: first..first + length,
        kind: [None, Some(KINDS[choose.pick(KINDS.len())])][choose.pick(2)],
        errno: [Fault::EIO, Fault::ENOSPC][choose.pick(2)],
        written: [0, 30, 900][choose.pick(3)],
    }
}

/// What a server that does not start says; it does once the disk works.
fn start(disk: &TwinDisk, form: Form, shown: &str) -> Server {
    Server::start(disk, form).unwrap_or_else(|error| {
        assert!(!error.is_empty(), "{shown}");
        disk.heal();
        Server::start(disk, form).unwrap_or_else(|error| panic!("{shown}: {error}"))
    })
}

/// An operation on a disk that may fail.
fn change(server: &mut Server, program: &mut Program, history: &mut History, form: Form) {
    let operation = program.operation();
    history.issue();
    let became = server.run(&operation);
    let state = server.state();
    if became == Became::Refused {
        assert_eq!(state, history.last(), "what was refused changed nothing");
    }
    let is_durable = if form.appendfsync == "always" { server.settle() } else { server.is_durable() };
    let point = history.add(state);
    if is_durable {
        history.acknowledge(point);
    }
}

/// A server with a log on a disk with a fault.
fn try_log(form: Form, seed: u64) {
    let (disk, mut program) = (TwinDisk::default(), Program::new(seed));
    drop(Server::start(&disk, form).map(Server::end));
    let fault = fault(&mut program.choose, disk.calls());
    let shown = format!("{form:?}, seed {seed}, {fault:?}");
    disk.fail(fault);
    let mut server = start(&disk, form, &shown);
    let mut history = History::new(server.state());
    for act in 0..ACTS {
        change(&mut server, &mut program, &mut history, form);
        if act % 8 == 7 {
            server.client.run("bgrewriteaof");
        }
    }
    server.wait_for_rewrite();
    // Whatever happened so far, what was acknowledged is there.
    for choice in 0..3 {
        let found = Server::found_on(&disk.crash(&mut Seeded::new(choice)), form);
        let found = found.unwrap_or_else(|error| panic!("{shown}, choice {choice}: no start: {error}"));
        let checked = history.check(&found, history.mark());
        checked.unwrap_or_else(|error| panic!("{shown}, choice {choice}: {error}"));
    }
    disk.heal();
    wait_for(|| server.engine.aof.refusal().is_none());
    server.wait_until_whole();
    change(&mut server, &mut program, &mut history, form);
    let last = history.last().to_owned();
    let ended = server.end();
    assert_eq!(ended, Ok(()), "{shown}: a disk that works again takes everything");
    assert_eq!(Server::found_on(&disk.crash(&mut Seeded::new(9)), form), Ok(last), "{shown}");
}

/// A server with snapshots on a disk with a fault.
fn try_snapshots(seed: u64) {
    let form = Form::SNAPSHOTS;
    let (disk, mut program) = (TwinDisk::default(), Program::new(seed));
    let mut server = Server::start(&disk, form).expect("a disk that works");
    let mut history = History::new(server.state());
    let fault = fault(&mut program.choose, disk.calls());
    let shown = format!("seed {seed}, {fault:?}");
    disk.fail(fault);
    for save in 0..6 {
        for _ in 0..5 {
            let operation = program.operation();
            if server.run(&operation) == Became::Refused {
                assert!(server.engine.persistence.has_failed(), "{shown}");
            }
        }
        history.issue();
        let point = history.add(server.state());
        let is_saved = if save % 2 == 0 {
            server.engine.save_now().is_ok()
        } else {
            server.client.run("bgsave");
            server.wait_for_snapshot()
        };
        if is_saved {
            history.acknowledge(point);
        }
        let found = Server::found_on(&disk.crash(&mut Seeded::new(save)), form);
        let found = found.unwrap_or_else(|error| panic!("{shown}: no start: {error}"));
        let checked = history.check(&found, history.mark());
        checked.unwrap_or_else(|error| panic!("{shown}, snapshot {save}: {error}"));
    }
    disk.heal();
    server.engine.save_now().expect("a disk that works");
    assert_eq!(Server::found_on(&disk.crash(&mut Seeded::new(9)), form), Ok(server.state()), "{shown}");
}

/// Does something for each, side by side.
fn side_by_side<T: Send>(items: Vec<T>, act: impl Fn(T) + Sync) {
    let rest = Mutex::new(items);
    let next = || rest.lock().expect("nobody failed with it").pop();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(item) = next() {
                    act(item);
                }
            });
        }
    });
}

#[test]
fn a_log_survives_faults_of_the_disk() {
    let forms = |seed| Form::LOGS.into_iter().map(move |form| (form, seed));
    side_by_side(seeds(18).flat_map(forms).collect(), |(form, seed)| try_log(form, seed));
}

/// A disk that begins to fail while a script runs does not stop it half-way.
#[test]
fn a_script_that_has_begun_to_write_comes_to_its_end() {
    const SCRIPT: &str = "for step = 1, 300 do redis.call('incr', 'a'); redis.call('get', 'b') end";
    let disk = TwinDisk::default();
    let mut server = Server::start(&disk, Form::EVERY_SECOND).expect("a disk that works");
    let mut runs = 0;
    for _ in 0..24 {
        let first = disk.calls();
        disk.fail(Fault { calls: first..u64::MAX, kind: Some(Call::Write), errno: Fault::EIO, written: 0 });
        server.client.run("set other 1");
        let reply = server.client.run_args(&[b"eval", SCRIPT.as_bytes(), b"0"]);
        runs += usize::from(!reply.starts_with(b"-"));
        disk.heal();
        wait_for(|| server.engine.aof.refusal().is_none());
        assert_eq!(server.client.run("incrby a 0"), format!(":{}|", 300 * runs));
    }
}

#[test]
fn snapshots_survive_faults_of_the_disk() {
    seeds(40).for_each(try_snapshots);
}

/// While the disk stands still and too much is to be written, those who write wait, and nobody else; nobody is told that
/// something is done.
#[test]
fn writers_wait_while_too_much_is_to_be_written() {
    let disk = TwinDisk::default();
    let mut server = Server::start(&disk, Form::EVERY_SECOND).expect("a disk that works");
    let set = server.engine.config.write().assign(Directive::AofBufferLimit, &[b"1024"]);
    assert_eq!(set, Ok(()));
    server.engine.refresh_log();
    let gate = Arc::new(parking_lot::Mutex::new(()));
    let standing = gate.lock();
    let theirs = Arc::clone(&gate);
    disk.cut_power_always(move || {
        drop(theirs.lock());
        0
    });
    let mut written = 0;
    while server.client.run(&format!("set k{written} {}", "v".repeat(100))) == "+OK|" {
        written += 1;
        assert!(written < 100, "there is a bound");
    }
    let state = server.state();
    for request in ["set k v", "flushall", "publish a b", "eval return(1) 0"] {
        assert_eq!((server.client.run(request).as_str(), server.client.outcome), ("", Outcome::Postponed));
    }
    assert_eq!(server.state(), state);
    assert_eq!(
        (server.client.run("ping"), server.client.run("strlen k0")),
        ("+PONG|".into(), ":100|".into())
    );
    assert_eq!((server.client.run("multi"), server.client.run("incr n")), ("+OK|".into(), "+QUEUED|".into()));
    assert_eq!((server.client.run("exec").as_str(), server.client.outcome), ("", Outcome::Postponed));
    drop(standing);
    wait_for(|| !server.engine.aof.is_full());
    assert_eq!(server.client.run("exec"), "*1|:1|");
    let state = server.state();
    server.end().expect("the disk works");
    assert_eq!(Server::found_on(&disk.settled(), Form::EVERY_SECOND), Ok(state));
}
