//! What the log writes, byte for byte.

use super::super::super::testing::unit;
use super::super::pending::PIECE_BYTES;
use super::super::settings::FsyncPolicy;
use super::world::{World, layout, recover};
use crate::disk::TwinDisk;

fn contents(disk: &TwinDisk) -> Vec<u8> {
    disk.contents(layout().path("appendonly.aof.1.incr.aof")).unwrap()
}

/// Without sums the file is what Redis would have written.
#[test]
fn without_sums_it_is_what_redis_writes() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::Always);
    world.settings().set_sums(false);
    world.append();
    world.step(1);
    world.settings().set_timestamps(true);
    world.now_ms = 1_700_000_000_000;
    (0..2).for_each(|_| world.append());
    world.now_ms += 1000;
    world.append();
    world.step(1);
    let expected =
        [unit(0), b"#TS:1700000000\r\n".to_vec(), unit(1), unit(2), b"#TS:1700000001\r\n".to_vec(), unit(3)]
            .concat();
    assert_eq!(contents(&disk).escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn sums_stand_before_frames_and_behind_times() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::Always);
    world.settings().set_timestamps(true);
    world.now_ms = 1_700_000_000_000;
    (0..2).for_each(|_| world.append());
    world.step(1);
    world.append();
    world.step(1);
    let text = String::from_utf8(contents(&disk)).unwrap();
    let annotations: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    let len = unit(0).len() + unit(1).len();
    assert_eq!(annotations[0], "#TS:1700000000");
    assert!(annotations[1].starts_with(&format!("#SUM:{len:010x}:")), "{annotations:?}");
    assert!(annotations[2].starts_with(&format!("#SUM:{:010x}:", unit(2).len())), "{annotations:?}");
    assert_eq!(annotations.len(), 3);
    assert_eq!(recover(&disk.settled()), Ok(3));
}

/// Frames are short, so that little is lost with one, and sums take little room.
#[test]
fn frames_are_closed_at_four_kilobytes() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::Always);
    (0..200).for_each(|_| world.append());
    world.step(1);
    let bytes = contents(&disk);
    let data: usize = (0..200).map(|number| unit(number).len()).sum();
    let frames = (bytes.len() - data) / 34;
    assert_eq!((bytes.len() - data) % 34, 0);
    assert!(frames >= 40 && frames * 4096 <= data + 40 * 5100, "{frames} frames for {data} bytes");
    assert_eq!(recover(&disk.settled()), Ok(200));
}

/// However much is written at once, only so much of it is in memory at a time because it is not durable.
#[test]
fn what_is_kept_until_it_is_durable_is_bounded() {
    for (policy, expected) in
        [(FsyncPolicy::Always, 1..=5), (FsyncPolicy::EverySecond, 1..=4), (FsyncPolicy::No, 0..=0)]
    {
        let disk = TwinDisk::default();
        let mut world = World::resume(&disk, policy);
        world.settings().set_unsynced_bytes_max(PIECE_BYTES as u64);
        let (mut bytes, mut units) = (0, 0);
        while bytes < 4 * PIECE_BYTES {
            bytes += unit(units).len();
            units += 1;
            world.append();
        }
        world.step(1);
        let syncs = world.committer.shared.status().syncs;
        assert!(
            expected.contains(&syncs) && (syncs > 1) == (policy != FsyncPolicy::No),
            "{syncs} {policy:?}"
        );
        world.settle();
        assert_eq!(recover(&disk.settled()), Ok(units));
    }
}

/// What a peer appended, or a run without sums, is read with the rest.
#[test]
fn sums_may_come_and_go() {
    let disk = TwinDisk::default();
    for round in 0..6 {
        let mut world = World::resume(&disk, FsyncPolicy::Always);
        world.settings().set_sums(round % 2 == 1);
        world.settings().set_timestamps(round % 3 == 0);
        world.now_ms = 5000 + round;
        (0..3).for_each(|_| world.append());
        world.step(1);
        world.settings().set_sums(round % 2 == 0);
        world.append();
        world.step(1);
    }
    // A peer's last words may be a time.
    let mut bytes = contents(&disk);
    bytes.extend(b"#TS:99\r\n");
    disk.put(layout().path("appendonly.aof.1.incr.aof"), &bytes);
    let mut world = World::resume(&disk, FsyncPolicy::Always);
    world.append();
    world.step(1);
    assert_eq!(recover(&disk.settled()), Ok(25));
}

#[test]
fn figures_follow_the_files() {
    let disk = TwinDisk::default();
    let mut world = World::resume(&disk, FsyncPolicy::EverySecond);
    let size = |world: &World| world.committer.shared.status().size;
    assert_eq!(size(&world), 0);
    world.step(2000);
    world.append();
    world.step(10);
    assert_eq!(size(&world), contents(&disk).len() as u64);
    let synced = size(&world);
    world.append();
    world.step(10);
    let status = world.committer.shared.status();
    assert_eq!((status.unsynced_bytes, status.writes, status.error), (size(&world) - synced, 2, None));
    world.step(1000);
    assert_eq!(world.committer.shared.status().unsynced_bytes, 0);
    world.rotate();
    world.step(1);
    world.finish(2);
    world.step(1);
    let status = world.committer.shared.status();
    let base = disk.contents(layout().path("appendonly.aof.1.base.aof")).unwrap();
    assert_eq!((status.size, status.base_size), (base.len() as u64, base.len() as u64));
}
