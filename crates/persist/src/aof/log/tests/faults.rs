//! Every call on the disk fails, once or for a while: clients are told, nothing is acknowledged that is not durable, and it
//! goes on when the disk does.

use std::sync::mpsc::{Receiver, channel};

use super::super::committer::Next;
use super::super::request::Request;
use super::super::settings::FsyncPolicy;
use super::super::status::Refusal;
use super::world::{World, layout, recover};
use crate::disk::{Call, Disk as _, Fault, Seeded, TwinDisk};

/// A program with everything in it.
fn program(world: &mut World) {
    for round in 0..4 {
        world.append();
        world.append();
        world.step(400);
        if round == 1 {
            world.rotate();
            world.append();
            world.step(1);
        }
        if round == 2 {
            world.finish(world.units - 2 - 1);
            world.step(700);
        }
    }
}

#[test]
fn a_fault_at_any_call_is_survived() {
    for policy in [FsyncPolicy::Always, FsyncPolicy::EverySecond] {
        let start = |disk: &TwinDisk| {
            drop(World::resume(disk, policy));
            disk.calls()
        };
        let disk = TwinDisk::default();
        let first = start(&disk);
        let mut world = World::resume(&disk, policy);
        program(&mut world);
        world.settle();
        let last = disk.calls();
        for (errno, torn) in [(Fault::EIO, 0), (Fault::ENOSPC, 30), (Fault::ENOSPC, 900)] {
            for length in [1, 2, 3, 7, 40] {
                for call in first..last {
                    survives(
                        policy,
                        Fault { calls: call..call + length, ..Fault::at(call).errno(errno).torn(torn) },
                    );
                }
            }
        }
    }
}

fn survives(policy: FsyncPolicy, fault: Fault) {
    let shown = format!("{policy:?}, {fault:?}");
    let disk = TwinDisk::default();
    drop(World::resume(&disk, policy));
    disk.fail(fault);
    // A start may fail; then it says so, and another one succeeds.
    let mut attempts = 0;
    let mut world = loop {
        match World::try_resume(&disk, policy) {
            Ok(world) => break world,
            Err(error) => assert!(!error.is_empty() && attempts < 50, "{shown}: {error}"),
        }
        attempts += 1;
    };
    program(&mut world);
    // Whatever happened so far, what is acknowledged is there.
    for choice in 0..3 {
        let found = recover(&disk.settled_as(choice));
        assert!(found.as_ref().is_ok_and(|found| *found >= world.durable_units()), "{shown}: {found:?}");
    }
    // Each attempt to go on may run into the rest of the fault.
    (0..10).for_each(|_| world.settle());
    assert_eq!(world.admission(), Ok(()), "{shown}");
    assert_eq!(world.durable_units(), world.units, "{shown}");
    for choice in 0..3 {
        assert_eq!(recover(&disk.settled_as(choice)), Ok(world.units), "{shown}");
    }
}

impl TwinDisk {
    /// What a loss of power leaves, on a disk that works.
    fn settled_as(&self, choice: u64) -> TwinDisk {
        self.crash(&mut Seeded::new(choice))
    }
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    for policy in [FsyncPolicy::Always, FsyncPolicy::EverySecond, FsyncPolicy::No] {
        let disk = TwinDisk::default();
        let mut world = World::resume(&disk, policy);
        world.append();
        world.step(1);
        let path = layout().path("appendonly.aof.1.incr.aof");
        let before = disk.contents(&path).unwrap();
        disk.set_free_bytes(60);
        world.append();
        assert_eq!(world.step(1), Next::After(1000));
        let refusal = world.admission().unwrap_err();
        assert_eq!(refusal.to_string(), "MISCONF Errors writing to the AOF file: No space left on device");
        assert_eq!(world.committer.shared.status().errno, Fault::ENOSPC);
        assert_eq!(disk.contents(&path).unwrap(), before, "half a unit stays in nobody's way");
        world.append();
        assert!(matches!(world.step(500), Next::After(500)), "not before a second has passed");
        world.step(500);
        assert!(world.admission().is_err());
        disk.heal();
        world.step(1000);
        assert_eq!(world.admission(), Ok(()));
        assert_eq!(recover(&disk.settled()), Ok(3));
    }
}

/// What a failed sync may have lost is written again, and only then called durable.
#[test]
fn a_failed_sync_is_not_believed_later() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::Always);
    world.append();
    world.step(1);
    disk.fail(Fault::all(Call::Sync));
    world.append();
    world.step(1);
    assert_eq!((world.durable_units(), world.admission().is_err()), (1, true));
    // What everybody sees in the file is not on the disk.
    assert_eq!(recover(&disk.settled()), Ok(2));
    assert_eq!(recover(&disk.crash(&mut Seeded::new(0))), Ok(1));
    world.append();
    world.step(1000);
    assert_eq!(world.durable_units(), 1);
    disk.heal();
    world.step(1000);
    assert_eq!((world.durable_units(), world.admission()), (3, Ok(())));
    assert_eq!(recover(&disk.crash(&mut Seeded::new(0))), Ok(3));
}

/// A log under `no`, which keeps nothing, whose first sync has failed; the disk is well again.
fn after_a_failed_sync(disk: &TwinDisk) -> World {
    let mut world = World::resume(disk, FsyncPolicy::No);
    world.append();
    world.step(1);
    world.settings().set_policy(FsyncPolicy::Always);
    disk.fail(Fault::all(Call::Sync));
    world.append();
    world.step(1);
    disk.heal();
    world.step(1000);
    world
}

/// Asks for the end of the log; what is received is whether all of it was kept.
fn ask_to_close(world: &mut World) -> Receiver<bool> {
    let (sender, receiver) = channel();
    let done = Box::new(move |result: Result<(), _>| sender.send(result.is_ok()).unwrap());
    world.ask(Request::Close { offset: Some(77), done });
    receiver
}

/// Under `no` nothing is kept: after a failed sync only a rewrite makes the log durable.
#[test]
fn without_what_was_lost_a_rewrite_is_asked_for() {
    let disk = TwinDisk::default();
    let mut world = after_a_failed_sync(&disk);
    world.append();
    world.step(1000);
    assert!(world.committer.shared.status().needs_rewrite);
    assert_eq!((world.durable_units(), world.admission()), (0, Ok(())), "it goes on, and promises nothing");
    let units = world.units;
    world.rotate();
    world.append();
    world.step(1);
    assert_eq!(world.durable_units(), 0);
    world.finish(units);
    world.step(1);
    assert_eq!(world.durable_units(), world.units);
    assert!(!world.committer.shared.status().needs_rewrite);
    assert_eq!(recover(&disk.crash(&mut Seeded::new(0))), Ok(world.units));
}

/// A disk that stands still blocks nobody: what waits is bounded, and then no writes are admitted until there is room.
#[test]
fn a_stalled_disk_admits_no_more_than_the_bound() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::EverySecond);
    world.settings().set_buffer_bytes_max(10_000);
    while world.admission().is_ok() {
        world.append();
    }
    let buffered = world.committer.shared.status().buffered_bytes;
    assert!((10_000..20_000).contains(&buffered), "{buffered}");
    assert_eq!(world.admission(), Err(Refusal::Full));
    assert_eq!(world.relieved(), 0);
    world.step(1);
    assert_eq!((world.admission(), world.relieved()), (Ok(()), 1));
    world.append();
    world.step(1);
    assert_eq!(world.relieved(), 1, "nobody had to wait");
    assert_eq!(world.committer.shared.status().buffered_bytes, 0);
    assert_eq!(recover(&disk.settled()), Ok(world.units));
}

/// Many unsynced bytes are not kept until the second is over.
#[test]
fn what_is_kept_is_bounded() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::EverySecond);
    world.step(5000);
    world.append();
    world.step(1);
    let durable = world.durable_units();
    world.settings().set_unsynced_bytes_max(1000);
    while world.committer.file.unsynced_bytes() < 1000 && world.durable_units() == durable {
        world.append();
        world.step(1);
    }
    assert_eq!(world.durable_units(), world.units);
}

#[test]
fn a_rotation_that_fails_leaves_the_log_as_it_was() {
    for kind in [Call::Create, Call::Rename, Call::SyncDir] {
        let disk = TwinDisk::default();
        let mut world = World::resume(&disk, FsyncPolicy::Always);
        world.append();
        world.step(1);
        disk.fail(Fault::all(kind));
        let (sender, receiver) = channel();
        world.ask(Request::Rotate {
            offset: None,
            done: Box::new(move |result| sender.send(result.is_ok()).unwrap()),
        });
        world.append();
        world.step(1);
        assert!(!receiver.recv().unwrap());
        assert_eq!((world.durable_units(), world.admission()), (2, Ok(())), "{kind:?}");
        disk.heal();
        world.rotate();
        world.append();
        world.step(1);
        assert_eq!(recover(&disk.crash(&mut Seeded::new(3))), Ok(3), "{kind:?}");
    }
}

/// A log that ends says whether all of it is durable, and does not wait for a disk that fails.
#[test]
fn closing_tells_the_truth() {
    for fails in [false, true] {
        let disk = TwinDisk::default();
        let mut world = World::resume(&disk, FsyncPolicy::EverySecond);
        world.append();
        if fails {
            disk.fail(Fault::all(Call::Sync));
        }
        let closed = ask_to_close(&mut world);
        world.committer.shared.is_closing.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(world.step(1), Next::Closed);
        assert_eq!(closed.recv().unwrap(), !fails);
        let manifest = disk.contents(layout().path("appendonly.aof.manifest")).unwrap();
        assert_eq!(String::from_utf8(manifest).unwrap().contains("endoffset 77"), !fails);
        disk.heal();
        World::resume(&disk, FsyncPolicy::Always);
        let manifest = disk.contents(layout().path("appendonly.aof.manifest")).unwrap();
        assert!(
            !String::from_utf8(manifest).unwrap().contains("endoffset"),
            "it does not end there any more"
        );
    }
}

/// What was not kept, and may be lost since a sync failed, is not called durable at the end.
#[test]
fn closing_tells_of_what_may_be_lost() {
    let disk = TwinDisk::default();
    let mut world = after_a_failed_sync(&disk);
    let closed = ask_to_close(&mut world);
    assert_eq!(world.step(1), Next::Closed);
    assert!(!closed.recv().unwrap());
}

/// History goes, and a start removes what was being written.
#[test]
fn what_is_not_needed_is_removed() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::Always);
    world.append();
    world.rotate();
    world.step(1);
    world.finish(1);
    world.step(1);
    let mut names = disk.list(&layout().directory()).unwrap();
    names.sort();
    assert_eq!(names, ["appendonly.aof.1.base.aof", "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"]);
    for name in
        ["temp-rewriteaof-bg-3.aof", "temp-appendonly.aof.incr", "temp-appendonly.aof.manifest", "temp-other"]
    {
        disk.put(layout().path(name), b"x");
    }
    World::resume(&disk, FsyncPolicy::Always);
    let names = disk.list(&layout().directory()).unwrap();
    assert_eq!(
        names.iter().filter(|name| name.to_string_lossy().starts_with("temp-")).count(),
        1,
        "{names:?}"
    );
}

/// History is kept where that is wanted, and removed later: by the next step, or the next start.
#[test]
fn history_can_be_kept() {
    for by_start in [false, true] {
        let disk = TwinDisk::default();
        let mut world = World::resume(&disk, FsyncPolicy::Always);
        world.settings().set_keeps_history(true);
        world.append();
        world.rotate();
        world.step(1);
        world.finish(1);
        world.step(1);
        let old = layout().path("appendonly.aof.1.incr.aof");
        assert!(disk.contents(&old).is_some());
        if by_start {
            world = World::resume(&disk, FsyncPolicy::Always);
        }
        world.settings().set_keeps_history(false);
        world.step(1);
        assert_eq!(disk.contents(&old), None);
        assert_eq!(recover(&disk.settled()), Ok(1));
    }
}

/// A log that was switched on and cannot take its first base starts again with the next one.
#[test]
fn a_first_base_that_fails_is_followed_by_another() {
    let calls = |from: u64| {
        let disk = TwinDisk::default();
        let mut world = World::begin(&disk, FsyncPolicy::Always, 7);
        world.append();
        world.step(1);
        let start = disk.calls();
        world.finish(7);
        world.step(1);
        from + disk.calls() - start
    };
    for fault in 0..calls(0) {
        for length in [1, 50] {
            let disk = TwinDisk::default();
            let mut world = World::begin(&disk, FsyncPolicy::Always, 7);
            world.append();
            world.step(1);
            let call = disk.calls() + fault;
            disk.fail(Fault { calls: call..call + length, ..Fault::at(call) });
            world.finish(7);
            world.append();
            world.step(1);
            disk.heal();
            world.settle();
            assert_eq!(world.admission(), Ok(()));
            if world.committer.shared.status().is_waiting {
                assert_eq!(world.durable_units(), 7, "nothing that was appended");
                let units = world.units;
                world.rotate();
                world.append();
                world.step(1);
                world.finish(units);
            }
            world.append();
            world.settle();
            assert_eq!(world.durable_units(), world.units, "call {fault} and {length}");
            assert_eq!(
                recover(&disk.crash(&mut Seeded::new(fault))),
                Ok(world.units),
                "call {fault} and {length}"
            );
        }
    }
}

/// A base for which the log was not rotated is not taken: what is in the current file would count twice.
#[test]
fn a_base_without_a_rotation_is_refused() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::Always);
    world.append();
    world.finish(1);
    world.step(1);
    assert_eq!(recover(&disk.settled()), Ok(1));
    assert!(disk.contents(layout().path("appendonly.aof.1.base.aof")).is_none());
}
