//! Sorted sets around the longest run of bytes.

use super::*;
use crate::listpack::{Corrupt, ForwardPack, Listpack};

const VAST: ZSetLimits = ZSetLimits { listpack_entries_max: 10_000_000, listpack_value_bytes_max: 1 << 30 };

/// A pack with one long member, so long that `room` bytes are left of what it may have.
fn with_room(room: usize) -> ZSet {
    let mut listpack = Listpack::new();
    for element in [&b"a"[..], b"1", b"b", b"2"] {
        listpack.push_back(element);
    }
    let long = vec![b'x'; ForwardPack::BYTES_MAX - 4 - 6 - 5 - 1 - room];
    listpack.push_back(&long);
    listpack.push_back(b"3");
    let set = ZSet::from_listpack(&listpack).expect("a sorted set");
    assert_eq!(set.as_pack().map(ForwardPack::bytes), Some(ForwardPack::BYTES_MAX - room));
    set
}

#[test]
fn longer_scores_and_other_members_make_it_big() {
    const LONGEST: f64 = -1.797_693_134_862_315_7e308;
    for room in 0..100 {
        for (member, score) in [("a", LONGEST), ("b", LONGEST), ("a", 1.5), ("c", 4.0), ("c", LONGEST)] {
            let mut set = with_room(room);
            let added = set.add(member.as_bytes(), score, AddRule::default(), &VAST);
            assert!(added.is_ok_and(Added::changed));
            assert_eq!(set.score(member.as_bytes()), Some(score));
            assert_eq!(set.len(), if member == "c" { 4 } else { 3 });
            set.validate();
            assert!(room > 57 || set.encoding_name() == "skiplist");
        }
    }
    assert_eq!(with_room(99).increment(b"a", 1.0, AddRule::default(), &VAST), Ok(Added::Updated(2.0)));
}

#[test]
fn listpacks_that_are_too_long_are_loaded_as_big_ones() {
    for (long_bytes, encoding) in [
        (ForwardPack::BYTES_MAX - 30, "listpack"),
        (ForwardPack::BYTES_MAX, "skiplist"),
        (9 << 20, "skiplist"),
    ] {
        let (mut listpack, long) = (Listpack::new(), vec![b'x'; long_bytes]);
        [&b"a"[..], b"1", &long, b"2.5"].into_iter().for_each(|element| listpack.push_back(element));
        let set = ZSet::from_listpack(&listpack).expect("a sorted set");
        assert_eq!((set.encoding_name(), set.len(), set.score(&long)), (encoding, 2, Some(2.5)));
        set.validate();
        [&b"b"[..], b"0"].into_iter().for_each(|element| listpack.push_back(element));
        assert_eq!(ZSet::from_listpack(&listpack), Err(Corrupt), "out of order");
    }
}

/// Where the header does not know how many there are, and everything goes down as well as up.
#[test]
fn thousands_of_members_in_a_small_one() {
    let mut set = ZSet::new();
    for at in 0..3000 {
        set.add(format!("m{at:04}").as_bytes(), f64::from(at), AddRule::default(), &VAST).expect("a number");
    }
    assert_eq!((set.encoding_name(), set.len()), ("listpack", 3000));
    let scores =
        |ranks, direction| set.range(ranks, direction).map(|(_, score)| score as usize).collect::<Vec<_>>();
    assert!(scores(0..3000, Direction::Descending).into_iter().eq((0..3000).rev()));
    assert_eq!(scores(2995..9000, Direction::Descending), [2999, 2998, 2997, 2996, 2995]);
    assert_eq!(scores(7..9, Direction::Descending), [8, 7]);
    assert_eq!(scores(7..9, Direction::Ascending), [7, 8]);
    assert!(
        scores(3000..3000, Direction::Descending).is_empty() && scores(5..5, Direction::Ascending).is_empty()
    );
    let mut popped = Vec::new();
    set.pop(Direction::Descending, 2, &mut |_, score| popped.push(score as usize));
    set.pop(Direction::Ascending, 2, &mut |_, score| popped.push(score as usize));
    assert_eq!((popped, set.len()), (vec![2999, 2998, 0, 1], 2996));
    set.validate();
}
