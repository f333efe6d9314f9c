//! Files on a disk as a start finds them.

use std::sync::Arc;

use super::testing::{Model, base, command, unit};
use super::{Layout, LoadSettings, Loaded, Report, Store, StoreError, load};
use super::{push_frame_header, write_frame_header};
use crate::disk::{EveryChoice, Seeded, TwinDisk};

const INCR: &str = "appendonlydir/appendonly.aof.1.incr.aof";
const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";

fn layout() -> Layout {
    Layout::new("appendonlydir", "appendonly.aof")
}

fn open(disk: &TwinDisk) -> Result<Store, StoreError> {
    Store::open(Arc::new(disk.clone()), layout())
}

fn start(disk: &TwinDisk, settings: &LoadSettings) -> Result<(Loaded, u64), String> {
    let store = open(disk).map_err(|error| error.reports().iter().map(Report::text).collect::<String>())?;
    let mut model = Model::default();
    let loaded = load(&store, settings, &mut model).map_err(|error| error.to_string())?;
    Ok((loaded, model.next))
}

fn units(numbers: std::ops::Range<u64>) -> Vec<u8> {
    numbers.flat_map(unit).collect()
}

#[test]
fn files_are_loaded_in_the_order_of_the_manifest() {
    let disk = TwinDisk::default();
    assert_eq!(start(&disk, &LoadSettings::default()).unwrap(), (Loaded::default(), 0));
    disk.put(
        MANIFEST,
        b"file b seq 3 type b\nfile h seq 1 type h\nfile i1 seq 2 type i\nfile i2 seq 9 type i\n",
    );
    disk.put("appendonlydir/b", &base(4));
    disk.put("appendonlydir/i1", &units(4..6));
    disk.put("appendonlydir/i2", &units(6..9));
    let (loaded, next) = start(&disk, &LoadSettings::default()).unwrap();
    let size = base(4).len() + units(4..9).len();
    assert_eq!(next, 9);
    assert_eq!((loaded.exists, loaded.size, loaded.base_size), (true, size as u64, base(4).len() as u64));
    assert_eq!((loaded.units, loaded.discarded_bytes), (6, 0));
}

#[test]
fn a_file_that_is_missing_is_fatal() {
    let disk = TwinDisk::default();
    disk.put(MANIFEST, b"file gone seq 1 type i\n");
    let error = start(&disk, &LoadSettings::default()).unwrap_err();
    assert_eq!(error, "Unable to obtain the AOF file gone length. stat: No such file or directory");
    disk.put(MANIFEST, b"!!!\n");
    let error = start(&disk, &LoadSettings::default()).unwrap_err();
    assert!(error.contains("Invalid AOF manifest file format"), "{error}");
}

#[test]
fn only_the_last_file_that_has_bytes_may_be_cut() {
    let cut = &units(0..3)[..units(0..3).len() - 4];
    for (second, third, succeeds) in
        [(&b""[..], &b""[..], true), (&unit(2), b"", false), (b"", &unit(2), false)]
    {
        let disk = TwinDisk::default();
        disk.put(MANIFEST, b"file i1 seq 1 type i\nfile i2 seq 2 type i\nfile i3 seq 3 type i\n");
        disk.put("appendonlydir/i1", cut);
        disk.put("appendonlydir/i2", second);
        disk.put("appendonlydir/i3", third);
        let result = start(&disk, &LoadSettings::default());
        if succeeds {
            let (loaded, next) = result.unwrap();
            assert_eq!((next, loaded.size), (2, units(0..2).len() as u64));
            assert_eq!(disk.contents("appendonlydir/i1").unwrap(), units(0..2));
            assert_eq!(disk.crash(&mut Seeded::new(0)).contents("appendonlydir/i1").unwrap(), units(0..2));
        } else {
            assert!(result.unwrap_err().contains("the truncated file is not the last file"));
            assert_eq!(disk.contents("appendonlydir/i1").unwrap(), cut);
        }
    }
}

#[test]
fn a_damaged_end_is_cut_off_if_it_is_short_enough() {
    let disk = TwinDisk::default();
    let multi =
        [units(0..1), command(&[b"MULTI"]), command(&[b"SET", b"1", b"x"]), b"garbage\r\n".to_vec()].concat();
    let lost = (multi.len() - units(0..1).len()) as u64;
    for (corrupt_tail_bytes_max, succeeds) in [(0, false), (lost - 1, false), (lost, true)] {
        disk.put(MANIFEST, b"file appendonly.aof.1.incr.aof seq 1 type i\n");
        disk.put(INCR, &multi);
        let settings = LoadSettings { corrupt_tail_bytes_max, ..LoadSettings::default() };
        match start(&disk, &settings) {
            Ok((loaded, next)) => assert!(succeeds && next == 1 && loaded.discarded_bytes == lost),
            Err(error) => assert!(!succeeds && error.contains("Bad file format reading"), "{error}"),
        }
        let len = if succeeds { units(0..1).len() } else { multi.len() };
        assert_eq!(disk.contents(INCR).unwrap().len(), len);
    }
}

#[test]
fn an_unknown_command_is_fatal() {
    let disk = TwinDisk::default();
    disk.put(MANIFEST, b"file appendonly.aof.1.incr.aof seq 1 type i\n");
    disk.put(INCR, &command(&[b"BLA"]));
    let error =
        start(&disk, &LoadSettings { corrupt_tail_bytes_max: 1000, ..LoadSettings::default() }).unwrap_err();
    assert!(
        error.starts_with("Error reading the append only file appendonly.aof.1.incr.aof, error: unit 0 is"),
        "{error}"
    );
}

/// A log of an old version is moved, and a loss of power at any moment costs nothing.
#[test]
fn an_old_log_is_moved_whatever_happens() {
    let old = || {
        let disk = TwinDisk::default();
        disk.put("appendonly.aof", &units(0..5));
        disk
    };
    let whole = old();
    assert_eq!(start(&whole, &LoadSettings::default()).unwrap().1, 5);
    assert_eq!(whole.contents("appendonlydir/appendonly.aof").unwrap(), units(0..5));
    assert_eq!(whole.contents("appendonly.aof"), None);
    assert_eq!(whole.contents(MANIFEST).unwrap(), b"file appendonly.aof seq 1 type b\n");
    let mut states = 0;
    for call in 0..=whole.calls() {
        let disk = old();
        disk.cut_power_before(call, || 0);
        open(&disk).unwrap();
        let left = disk.power_cut().map_or(disk, |(left, _)| left);
        let mut choices = EveryChoice::default();
        loop {
            let after = left.crash(&mut choices);
            assert_eq!(
                start(&after, &LoadSettings::default()).map(|(_, next)| next),
                Ok(5),
                "call {call}: {after:?}"
            );
            states += 1;
            if !choices.advance() {
                break;
            }
        }
    }
    assert!(states > 20, "{states}");
}

/// Which of two logs counts: the one in the directory, unless it names the old one and does not have it.
#[test]
fn an_old_log_beside_a_new_one_is_left_alone() {
    let disk = TwinDisk::default();
    disk.put("appendonly.aof", &units(0..5));
    disk.put(MANIFEST, b"file appendonly.aof.1.incr.aof seq 1 type i\n");
    disk.put(INCR, &units(0..2));
    assert_eq!(start(&disk, &LoadSettings::default()).unwrap().1, 2);
    disk.put(MANIFEST, b"file appendonly.aof seq 1 type b\n");
    disk.put("appendonlydir/appendonly.aof", &units(0..3));
    assert_eq!(start(&disk, &LoadSettings::default()).unwrap().1, 3);
    assert_eq!(disk.contents("appendonly.aof").unwrap(), units(0..5));
}

/// The units in one frame.
fn framed(units: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_frame_header(&mut bytes);
    bytes.extend_from_slice(units);
    let end = bytes.len();
    write_frame_header(&mut bytes, 0, end, 0);
    bytes
}

/// A log of which somebody has taken a command out loads without it, as in Redis, and the log goes on behind it.
#[test]
fn a_command_may_be_taken_out_of_the_end_by_hand() {
    let flushall = command(&[b"FLUSHALL"]);
    let whole =
        [framed(&units(0..2)), framed(&[units(2..3), flushall.clone(), units(3..5)].concat())].concat();
    let at = whole.windows(flushall.len()).position(|window| window == flushall).unwrap();
    let edited = [&whole[..at], &whole[at + flushall.len()..]].concat();
    let disk = TwinDisk::default();
    disk.put(MANIFEST, b"file appendonly.aof.1.incr.aof seq 1 type i\n");
    disk.put(INCR, &edited);
    let (loaded, next) = start(&disk, &LoadSettings::default()).unwrap();
    assert_eq!((next, loaded.discarded_bytes, loaded.size), (5, 0, edited.len() as u64));
    // One byte has changed, durably, whatever was lost besides.
    let kept = disk.crash(&mut Seeded::new(0)).contents(INCR).unwrap();
    let changed: Vec<usize> = (0..edited.len()).filter(|at| kept[*at] != edited[*at]).collect();
    assert_eq!((kept.len(), changed), (edited.len(), vec![framed(&units(0..2)).len() + 1]));
    disk.put(INCR, &[kept, framed(&units(5..7))].concat());
    assert_eq!(start(&disk, &LoadSettings::default()).unwrap().1, 7);
    // With more behind it there is no telling it from damage, unless one says so.
    let others = [&edited[..], &framed(&units(5..9))].concat();
    disk.put(INCR, &others);
    let error = start(&disk, &LoadSettings::default()).unwrap_err();
    assert!(error.contains("the checksum does not match") && error.contains("'aof-checksum no'"), "{error}");
    let ignoring = LoadSettings { ignores_sums: true, ..LoadSettings::default() };
    let (loaded, next) = start(&disk, &ignoring).unwrap();
    assert_eq!((next, loaded.discarded_bytes), (9, 0));
    assert_eq!(disk.contents(INCR).unwrap(), others, "to be rewritten when somebody says so");
}

/// Another server that does not know of sums cuts inside a frame and goes on there.
#[test]
fn what_another_server_cut_and_went_on_with_is_loaded_if_one_says_so() {
    let lost = command(&[b"SET", b"lost", &[b'x'; 20_000]]);
    let whole = [framed(&units(0..2)), framed(&[units(2..4), lost].concat())].concat();
    let kept = framed(&units(0..2)).len() + 34 + units(2..4).len();
    for more in [4..5, 4..40] {
        let disk = TwinDisk::default();
        disk.put(MANIFEST, b"file appendonly.aof.1.incr.aof seq 1 type i\n");
        disk.put(INCR, &[&whole[..kept], &units(more.clone())].concat());
        let strictly = start(&disk, &LoadSettings::default());
        assert_eq!(strictly.map(|(_, next)| next).ok(), (more.end == 5).then_some(5), "{more:?}");
        let ignoring = LoadSettings { ignores_sums: true, ..LoadSettings::default() };
        assert_eq!(start(&disk, &ignoring).unwrap().1, more.end);
    }
}

/// A length that is too large takes nothing along that comes behind its frame.
#[test]
fn a_wrong_length_in_the_middle_is_damage_and_not_the_end() {
    let mut bytes = [framed(&units(0..2)), framed(&units(2..4)), framed(&units(4..6))].concat();
    let digit = framed(&units(0..2)).len() + 10;
    bytes[digit] = b'1';
    let disk = TwinDisk::default();
    disk.put(MANIFEST, b"file appendonly.aof.1.incr.aof seq 1 type i\n");
    disk.put(INCR, &bytes);
    let error = start(&disk, &LoadSettings::default()).unwrap_err();
    assert!(error.contains("is damaged: the checksum does not match"), "{error}");
    assert_eq!(disk.contents(INCR).unwrap(), bytes);
    assert_eq!(start(&disk, &LoadSettings { ignores_sums: true, ..LoadSettings::default() }).unwrap().1, 6);
}
