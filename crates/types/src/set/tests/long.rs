//! Sets around the longest run of bytes.

use super::super::*;
use crate::listpack::{Corrupt, ForwardPack, Listpack};

const VAST: SetLimits =
    SetLimits { intset_entries: 10, listpack_entries: 10_000_000, listpack_value: 1 << 30 };

#[test]
fn a_member_too_many_makes_a_table() {
    for member_bytes in [10, 1000, 100_000, 3 << 20] {
        let (mut set, mut added) = (Set::new_pack(), 0usize);
        while set.as_pack().is_some() {
            let mut member = vec![b'x'; member_bytes];
            let number = format!("{added}.");
            member[..number.len()].copy_from_slice(number.as_bytes());
            // What is new is added without being looked for: that would take long.
            assert!(set.push_to(added, crate::listpack::Item::Bytes(&member), &VAST));
            added += 1;
        }
        assert_eq!((set.encoding_name(), set.len()), ("hashtable", added));
        assert!(added * (member_bytes + 6) > ForwardPack::BYTES_MAX - 20, "{added}");
        assert!(set.iter().all(|member| member.len() == member_bytes));
    }
}

#[test]
fn listpacks_that_are_too_long_are_loaded_as_tables() {
    for (long_bytes, encoding) in [
        (ForwardPack::BYTES_MAX - 30, "listpack"),
        (ForwardPack::BYTES_MAX, "hashtable"),
        (9 << 20, "hashtable"),
    ] {
        let (mut listpack, long) = (Listpack::new(), vec![b'x'; long_bytes]);
        [&b"a"[..], &long, b"17"].into_iter().for_each(|member| listpack.push_back(member));
        let set = Set::from_listpack(&listpack).expect("a set");
        assert_eq!((set.encoding_name(), set.len()), (encoding, 3));
        assert!(set.contains(b"17") && set.contains(&long) && !set.contains(b"b"));
        listpack.push_back(b"17");
        assert_eq!(Set::from_listpack(&listpack), Err(Corrupt));
    }
}
