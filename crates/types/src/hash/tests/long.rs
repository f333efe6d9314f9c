//! Hashes around the longest run of bytes: limits that a client may raise must not lead beyond it.

use super::super::*;
use super::{contents, shaped};
use crate::listpack::{ForwardPack, Listpack};

const VAST: HashLimits = HashLimits { entries_max: 10_000_000, value_bytes_max: 1 << 30 };

/// Adds fields until there is room for less than a hundred bytes, with or without times.
fn nearly_full(has_times: bool) -> Hash {
    let mut hash = Hash::new();
    hash.set(b"own", b"0", &VAST);
    if has_times {
        hash.make_expiring();
    }
    for value_bytes in [100_000, 10_000, 1000, 50] {
        for at in 0..30 {
            let (name, value) = (format!("{value_bytes}:{at}"), vec![b'x'; value_bytes]);
            let (pack, _) = hash.as_pack().expect("still one run of bytes");
            if pack.fits(value_bytes + name.len() + 60) {
                hash.set(name.as_bytes(), &value, &VAST);
            }
        }
    }
    let (pack, times) = hash.as_pack().expect("still one run of bytes");
    assert!(times == has_times && !pack.fits(300), "{}", pack.bytes());
    hash
}

#[test]
fn a_field_too_many_makes_a_table() {
    for has_times in [false, true] {
        let full = nearly_full(has_times);
        for name in [&b"new"[..], b"own"] {
            let mut hash = full.clone();
            assert_eq!(hash.set(name, &[b'y'; 1000], &VAST), name == b"new");
            assert_eq!(
                (hash.encoding_name(), hash.len()),
                ("hashtable", full.len() + usize::from(name == b"new"))
            );
            assert_eq!(hash.get(name, 0).map(|value| value.len()), Some(1000));
        }
    }
}

#[test]
fn times_for_which_there_is_no_room_make_a_table() {
    for has_times in [false, true] {
        let mut hash = nearly_full(has_times);
        let mut expected = contents(&hash);
        let names: Vec<Vec<u8>> = expected.keys().cloned().collect();
        for (at, name) in names.iter().enumerate() {
            let at_ms = 1 << 40 | at as i64;
            assert_eq!(hash.expire(name, at_ms, Condition::Always, 0), ExpireOutcome::Set);
            expected.insert(name.clone(), (expected[name].0.clone(), Some(at_ms)));
        }
        assert_eq!((hash.encoding_name(), contents(&hash) == expected), ("hashtable", true));
        assert!(hash.next_expiry_ms().is_some_and(|ms| ms <= 1 << 40));
    }
}

#[test]
fn long_values_make_a_table_of_whatever_there_is() {
    let long = vec![b'x'; ForwardPack::BYTES_MAX];
    let hashes = || {
        [Hash::new(), shaped(&[("long", "1"), ("values", "2")]), {
            let mut expiring = Hash::new();
            expiring.make_expiring();
            expiring
        }]
    };
    for hash in hashes() {
        let mut hash = hash;
        hash.set(b"long", &long, &VAST);
        assert_eq!(
            (hash.encoding_name(), hash.get(b"long", 0).map(|value| value.len())),
            ("hashtable", Some(long.len()))
        );
    }
    for hash in hashes() {
        let mut hash = hash;
        hash.set_expiring(b"long", &long, NewExpiry::At(5), 0, &VAST);
        assert_eq!((hash.encoding_name(), hash.next_expiry_ms()), ("hashtable", Some(5)));
    }
    let mut hash = Hash::new();
    assert_eq!(hash.set_all([(&b"a"[..], &long[..]), (b"b", &long)].into_iter(), &VAST), 2);
    assert_eq!((hash.encoding_name(), hash.len()), ("hashtable", 2));
}

#[test]
fn listpacks_that_are_too_long_are_loaded_as_tables() {
    for (elements, has_times) in [(&["a", "1", "b", ""][..], false), (&["a", "1", "50", "b", "", "0"], true)]
    {
        for long_bytes in [ForwardPack::BYTES_MAX - 30, ForwardPack::BYTES_MAX, 5 * ForwardPack::BYTES_MAX] {
            let (mut listpack, long) = (Listpack::new(), vec![b'x'; long_bytes]);
            for element in elements {
                listpack.push_back(if element.is_empty() { &long } else { element.as_bytes() });
            }
            let mut hash = Hash::from_listpack(&listpack, has_times).expect("a hash");
            hash.loaded(&VAST);
            assert_eq!(hash.encoding_name() == "hashtable", long_bytes >= ForwardPack::BYTES_MAX);
            assert_eq!((hash.len(), hash.next_expiry_ms()), (2, has_times.then_some(50)));
            assert_eq!(hash.get(b"b", 0).map(|value| value.len()), Some(long_bytes));
        }
    }
    let mut twice = Listpack::new();
    let long = vec![b'x'; ForwardPack::BYTES_MAX];
    [&b"a"[..], &long, b"a", b"1"].into_iter().for_each(|element| twice.push_back(element));
    assert_eq!(Hash::from_listpack(&twice, false), Err(NotAHash));
}
