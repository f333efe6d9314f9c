//! Power is lost before every call on the disk, and whatever may survive does: what was acknowledged is there, and no unit in
//! half or out of order.

use super::super::settings::FsyncPolicy;
use super::world::{World, layout, recover};
use crate::disk::{Choose, EveryChoice, Seeded, TwinDisk};

const POLICIES: [FsyncPolicy; 3] = [FsyncPolicy::Always, FsyncPolicy::EverySecond, FsyncPolicy::No];

/// A step of a program.
fn act(world: &mut World, choose: &mut dyn Choose, rewriting: &mut Option<u64>) {
    match choose.pick(10) {
        0..=4 => world.append(),
        5..=6 => drop(world.step(1)),
        7 => drop(world.step(1000)),
        8 if rewriting.is_none() => {
            *rewriting = Some(world.units);
            world.rotate();
        }
        _ => {
            if let Some(units) = rewriting.take() {
                world.finish(units);
            }
        }
    }
}

/// Runs a program of so many acts; the world at its end.
fn run(disk: &TwinDisk, policy: FsyncPolicy, seed: u64, cut: Option<u64>, acts: usize) -> World {
    let mut world = World::resume(disk, policy);
    cut.into_iter().for_each(|call| world.cut_power_before(call));
    let (mut choose, mut rewriting) = (Seeded::new(seed), None);
    (0..acts).for_each(|_| act(&mut world, &mut choose, &mut rewriting));
    world
}

#[test]
fn nothing_acknowledged_is_lost_whenever_the_power_goes() {
    for policy in POLICIES {
        for seed in 0..4 {
            let disk = TwinDisk::default();
            let calls = run(&disk, policy, seed, None, 40).disk.calls();
            for call in 0..=calls {
                let disk = TwinDisk::default();
                let world = run(&disk, policy, seed, Some(call), 40);
                let Some((left, durable)) = disk.power_cut() else { continue };
                let acknowledged = world.units_before(durable);
                for choice in 0..4 {
                    let after = left.crash(&mut Seeded::new(choice));
                    let found = recover(&after).unwrap_or_else(|error| {
                        panic!("{policy:?}, program {seed}, call {call}, choice {choice}: {error}")
                    });
                    let shown = format!("{policy:?}, program {seed}, call {call}, choice {choice}");
                    assert!(found >= acknowledged, "{shown}: {found} units of {acknowledged}");
                    assert!(found <= world.units, "{shown}: {found} units of {}", world.units);
                    // A second start finds the same: what the first one cut off stays off.
                    assert_eq!(recover(&after.crash(&mut Seeded::new(choice))), Ok(found), "{shown}");
                }
            }
        }
    }
}

/// The same for a short program, with everything that may survive.
#[test]
fn nothing_acknowledged_is_lost_whatever_survives() {
    let program = |world: &mut World| {
        world.append();
        world.step(0);
        world.rotate();
        world.append();
        world.step(0);
        world.finish(1);
        world.append();
        world.step(0);
    };
    let calls = {
        let mut world = World::resume(&TwinDisk::default(), FsyncPolicy::Always);
        program(&mut world);
        assert_eq!(world.durable_units(), 3);
        world.disk.calls()
    };
    let mut states = 0;
    for call in 0..calls {
        let disk = TwinDisk::default();
        let mut world = World::resume(&disk, FsyncPolicy::Always);
        world.cut_power_before(call);
        program(&mut world);
        let Some((left, durable)) = disk.power_cut() else { continue };
        let (acknowledged, mut choices) = (world.units_before(durable), EveryChoice::default());
        loop {
            let found = recover(&left.crash(&mut choices));
            assert!(
                found.as_ref().is_ok_and(|found| *found >= acknowledged),
                "call {call}: {found:?} of {acknowledged}"
            );
            states += 1;
            if !choices.advance() {
                break;
            }
        }
    }
    assert!(states > 100, "{states}");
}

/// Generations of servers on one disk, each ended by a loss of power.
#[test]
fn generations_go_on_from_what_the_last_one_left() {
    for policy in POLICIES {
        for seed in 0..20 {
            let (mut disk, mut choose, mut acknowledged) = (TwinDisk::default(), Seeded::new(seed), 0);
            for generation in 0..8 {
                let found = recover(&disk)
                    .unwrap_or_else(|error| panic!("{policy:?}, {seed}, {generation}: {error}"));
                assert!(found >= acknowledged, "{policy:?}, seed {seed}, generation {generation}");
                let acts = choose.pick(40);
                let world = run(&disk, policy, choose.next_u64(), None, acts);
                acknowledged = world.durable_units();
                disk = disk.crash(&mut choose);
            }
        }
    }
}

/// A killed process leaves what was written.
#[test]
fn what_was_written_survives_the_process() {
    for policy in POLICIES {
        let disk = TwinDisk::default();
        let mut world = World::resume(&disk, policy);
        (0..50).for_each(|_| world.append());
        world.step(1);
        world.append();
        assert_eq!(recover(&disk.settled()), Ok(50), "{policy:?}");
    }
}

/// A log that was switched on at run time is the old one, or nothing, until its first base is there; then it is the new one.
#[test]
fn a_log_that_is_switched_on_counts_once_it_has_a_base() {
    let program = |disk: &TwinDisk, call: Option<u64>| {
        let mut world = World::begin(disk, FsyncPolicy::Always, 7);
        call.into_iter().for_each(|call| world.cut_power_before(call));
        world.append();
        world.step(1);
        assert_eq!(world.committer.shared.progress.durable(), 0, "without a base nothing is durable");
        world.finish(7);
        world.append();
        world.step(1);
        world
    };
    let old = TwinDisk::default();
    let mut world = World::resume(&old, FsyncPolicy::Always);
    (0..4).for_each(|_| world.append());
    world.step(1);
    for (before, start) in [(None, 0), (Some(&world.disk), 4)] {
        let fresh = || before.map_or_else(TwinDisk::default, TwinDisk::settled);
        let calls = program(&fresh(), None).disk.calls();
        for call in 0..=calls {
            let disk = fresh();
            let world = program(&disk, Some(call));
            assert_eq!(world.durable_units(), 9);
            let (left, durable) = disk.power_cut().unwrap_or_else(|| (disk.clone(), world.committer.written));
            for choice in 0..20 {
                let found = recover(&left.crash(&mut Seeded::new(choice)));
                let is_new = found.as_ref().is_ok_and(|found| (7..=9).contains(found));
                assert!(is_new || durable == 0 && found == Ok(start), "call {call}: {found:?}");
            }
        }
        let disk = fresh();
        program(&disk, None);
        assert!(disk.contents(layout().path("temp-appendonly.aof.incr")).is_none());
    }
}
