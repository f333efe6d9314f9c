//! Damaged files and payloads: an error or a sound value, never a panic, never more memory than the bytes justify.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod common;

use common::{contents, limits, read, write};
use ochre_persist::rdb::{
    EncodeOptions, Payload, ReadOptions, RestoreError, Target, VersionCheck, WriteOptions, dump, restore,
};
use ochre_types::{Object, Rng};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Address space that the tests may take: what a claimed length could make anybody allocate is far beyond.
const ADDRESS_SPACE_BYTES: u64 = 2 << 30;

/// Makes every allocation fail, and with it the test, that is out of all proportion.
fn limit_memory() {
    let limit = Rlimit { current: Some(ADDRESS_SPACE_BYTES), ..getrlimit(Resource::As) };
    setrlimit(Resource::As, limit).unwrap();
}

fn small_file(version: u16, compresses: bool) -> Vec<u8> {
    let mut contents = contents(3, 3, version >= 12);
    // Half of them: those of a second database.
    contents.keys.retain(|(db, _), key| match &key.value {
        common::Content::String(text) => text.len() < 20,
        common::Content::Object(_) => *db == u64::from(version) % 2,
    });
    let encode = EncodeOptions { target: common::target(version), compresses };
    write(&contents, WriteOptions { encode, has_checksum: false })
}

fn options(record_bytes_max: usize) -> ReadOptions {
    ReadOptions { chunk_bytes: 512, record_bytes_max, ..ReadOptions::default() }
}

#[test]
fn every_bit_and_every_cut_of_a_file() {
    limit_memory();
    for (version, compresses) in [(9, false), (12, true), (14, false), (80, false)] {
        let file = small_file(version, compresses);
        assert!(read(&file[..], options(1 << 20)).is_ok());
        for len in 0..file.len() - 8 {
            assert!(read(&file[..len], options(1 << 20)).is_err(), "version {version}, {len} bytes");
        }
        let mut refused = 0;
        for bit in 0..8 * file.len() {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let whole = read(&changed[..], options(1 << 20));
            refused += usize::from(whole.is_err());
            if bit % 5 != 0 {
                continue;
            }
            let in_parts = read(&changed[..], options(0));
            // What is read both ways is the same; in parts more is seen of a value before its end is missed.
            if let (Ok(whole), Ok(in_parts)) = (&whole, &in_parts) {
                assert_eq!(whole, in_parts, "version {version}, bit {bit}");
            }
            assert_eq!(whole.is_ok(), in_parts.is_ok(), "version {version}, bit {bit}");
        }
        assert!(refused > file.len(), "{refused} of {} bits", 8 * file.len());
    }
}

#[test]
fn any_bytes_in_place_of_values() {
    limit_memory();
    let mut rng = Rng::new(7);
    let values: Vec<Object> = contents(8, 30, true)
        .keys
        .into_values()
        .filter_map(|key| match key.value {
            common::Content::Object(object) => Some(object),
            common::Content::String(_) => None,
        })
        .collect();
    let mut taken = 0;
    for round in 0..20_000 {
        let object = &values[rng.below(values.len() as u64) as usize];
        let target = [Target::default(), common::target(9), common::target(80)][round % 3];
        let options = EncodeOptions { target, compresses: round % 2 == 0 };
        let Ok(mut payload) = dump(object.into(), options) else { continue };
        let body = payload.len() as u64 - 10;
        for _ in 0..=rng.below(3) {
            let at = rng.below(body) as usize;
            match rng.below(3) {
                0 => payload[at] = rng.below(256) as u8,
                1 => payload[at] = [0, 0xff, 0x80, 0x81, 0xc3, 0xfe][rng.below(6) as usize],
                _ => payload[at] ^= 1 << rng.below(8),
            }
        }
        if restore(&payload, &limits()).is_ok() {
            continue;
        }
        let payload = Payload::verify(&payload, VersionCheck::Strict, false).unwrap();
        if let Ok(value) = payload.decode(&limits()) {
            taken += 1;
            let content = common::Content::of(value);
            let again = dump(content.as_value(), EncodeOptions::default()).unwrap();
            let again = restore(&again, &limits()).map(common::Content::of);
            assert_eq!(again.as_ref(), Ok(&content));
        }
    }
    assert!(taken > 1000, "{taken} changed values were taken");
}

#[test]
fn claims_that_nothing_backs() {
    limit_memory();
    let huge = b"\x81\x00\x00\x00\x7f\xff\xff\xff\xff";
    for code in 0..=33u8 {
        for rest in [&b""[..], b"\x01a", b"\x01a\x01b\x01c", b"\x00\x00\x00\x00\x00\x00\x00\x00"] {
            for prefix in
                [&b""[..], b"\x00", b"\x00\x00\x00", b"\x00\x00\x00\x00\x00\x00\x00\x00", b"\xc3\x05"]
            {
                let body = [&[code], prefix, huge, rest].concat();
                for version in [12u16, 16, 80] {
                    let payload = [&body[..], &version.to_le_bytes(), &[0; 8]].concat();
                    if let Err(error) = restore(&payload, &limits()) {
                        assert!(matches!(error, RestoreError::Value(_)));
                    }
                }
                let file = [b"REDIS0016\xfe\x00", &[code][..], b"\x01k", prefix, huge, rest].concat();
                for record_bytes_max in [0, 1 << 20] {
                    assert!(read(&file[..], options(record_bytes_max)).is_err());
                }
            }
        }
    }
}
