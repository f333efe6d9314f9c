//! The listpack against bytes that Redis wrote. Both forms are compared with a deque of texts in `model`, and what only
//! the form without backlens has is in `forward`.

mod forward;
mod model;

use std::collections::VecDeque;

use super::{
    Bidirectional, Compact, CompactMut, CompactRef, Corrupt, Form, Forward, ForwardPack, Item, Listpack,
    Pack, Pos,
};
use crate::Rng;

fn texts<F: Form>(pack: &Pack<F>) -> Vec<Vec<u8>> {
    pack.iter().map(|item| item.to_vec()).collect()
}

fn of<F: Form>(values: &[&str]) -> Pack<F> {
    let mut pack = Pack::new();
    values.iter().for_each(|value| pack.push_back(value.as_bytes()));
    pack
}

/// A value whose encoding is hard to guess: integers of all widths, texts of lengths around every border.
fn value(rng: &mut Rng) -> Vec<u8> {
    match rng.below(8) {
        0..=2 => ((rng.next_u64() as i64) >> rng.below(64)).to_string().into_bytes(),
        3 => {
            let len = [0, 62, 63, 64, 65, 125, 126, 127, 128, 129][rng.below(10) as usize];
            vec![b'a' + rng.below(3) as u8; len]
        }
        4 if rng.below(20) == 0 => {
            let len = [4094, 4095, 4096, 4097, 16_377, 16_378, 16_379, 16_383, 16_384][rng.below(9) as usize];
            vec![b'x'; len]
        }
        _ => (0..rng.below(12)).map(|_| b'0' + rng.below(12) as u8).collect(),
    }
}

#[test]
fn bytes_are_those_of_the_format() {
    let cases: &[(&str, &[u8])] = &[
        ("0", &[0x00, 1]),
        ("127", &[0x7f, 1]),
        ("128", &[0xc0, 0x80, 2]),
        ("-1", &[0xdf, 0xff, 2]),
        ("4095", &[0xcf, 0xff, 2]),
        ("-4096", &[0xd0, 0x00, 2]),
        ("4096", &[0xf1, 0x00, 0x10, 3]),
        ("-32768", &[0xf1, 0x00, 0x80, 3]),
        ("32768", &[0xf2, 0x00, 0x80, 0x00, 4]),
        ("-8388608", &[0xf2, 0x00, 0x00, 0x80, 4]),
        ("8388608", &[0xf3, 0x00, 0x00, 0x80, 0x00, 5]),
        ("2147483648", &[0xf4, 0x00, 0x00, 0x00, 0x80, 0, 0, 0, 0, 9]),
        ("-9223372036854775808", &[0xf4, 0, 0, 0, 0, 0, 0, 0, 0x80, 9]),
        ("", &[0x80, 1]),
        ("hi", &[0x82, b'h', b'i', 3]),
        ("007", &[0x83, b'0', b'0', b'7', 4]),
    ];
    for (text, element) in cases {
        let listpack: Listpack = of(&[text]);
        let (bytes, end) = (listpack.as_bytes(), 6 + element.len());
        assert_eq!(&bytes[..6], [end as u8 + 1, 0, 0, 0, 1, 0], "{text}");
        assert_eq!((&bytes[6..end], bytes[end]), (*element, 0xff), "{text}");
        assert_eq!(texts(&listpack), [text.as_bytes()]);
    }
}

#[test]
fn long_texts_have_long_lengths() {
    let cases: &[(usize, &[u8], &[u8])] = &[
        (63, &[0xbf], &[64]),
        (64, &[0xe0, 64], &[66]),
        (125, &[0xe0, 125], &[127]),
        (126, &[0xe0, 126], &[1, 128]),
        (4095, &[0xef, 0xff], &[32, 129]),
        (4096, &[0xf0, 0, 0x10, 0, 0], &[32, 133]),
        (16_379, &[0xf0, 0xfb, 0x3f, 0, 0], &[1, 128, 128]),
        (2_097_147, &[0xf0, 0xfb, 0xff, 0x1f, 0], &[1, 128, 128, 128]),
    ];
    for (len, head, backlen) in cases {
        let mut listpack = Listpack::new();
        listpack.push_back(&vec![b'x'; *len]);
        let bytes = listpack.as_bytes();
        assert!(bytes[6..].starts_with(head), "{len}");
        assert!(bytes[..bytes.len() - 1].ends_with(backlen), "{len}");
        assert_eq!(bytes.len(), 7 + head.len() + len + backlen.len());
        assert_eq!(listpack.last(), listpack.first());
        assert_eq!(listpack.get(Pos(6)).len(), *len);
    }
}

#[test]
fn a_queue_keeps_its_memory_whichever_way_it_goes() {
    for forwards in [true, false] {
        let (mut listpack, mut model) = (Listpack::new(), VecDeque::new());
        for step in 0..20_000u32 {
            let text = format!("element:{step}").into_bytes();
            if forwards {
                listpack.push_back(&text);
                model.push_back(text);
            } else {
                listpack.push_front(&text);
                model.push_front(text);
            }
            if model.len() > 300 && forwards {
                listpack.remove(Pos(6));
                model.pop_front();
            } else if model.len() > 300 {
                listpack.last().map(|last| listpack.remove(last));
                model.pop_back();
            }
        }
        assert!(listpack.heap_bytes() <= listpack.bytes() * 3 / 2);
        assert_eq!(texts(&listpack), Vec::from(model));
    }
}

#[test]
fn more_elements_than_the_header_can_count() {
    let mut listpack = Listpack::new();
    (0..65_540).for_each(|_| listpack.push_back(b"1"));
    assert_eq!(&listpack.as_bytes()[4..6], [0xff, 0xff]);
    assert_eq!(listpack.len(), 65_540);
    assert_eq!(listpack.seek(65_539), listpack.last());
    assert_eq!(listpack.seek(65_540), None);
    assert_eq!(listpack.seek(-65_540), listpack.first());
    assert_eq!(listpack.seek(-65_541), None);
    listpack.remove_range(Pos(6), 10);
    assert_eq!(listpack.len(), 65_530);
    assert_eq!(Listpack::from_bytes(listpack.as_bytes()).map(|listpack| listpack.len()), Ok(65_530));
}

#[test]
fn what_is_well_formed_but_not_canonical_is_made_so() {
    // 5 as 16-bit integer, "7" as text, "ab" with a length of 12 bits, "c" with one of 32 bits, 256 with a backlen
    // that seems to go on.
    let elements: &[&[u8]] = &[
        &[0xf1, 5, 0, 3],
        &[0x81, b'7', 2],
        &[0xe0, 2, b'a', b'b', 4],
        &[0xf0, 1, 0, 0, 0, b'c', 6],
        &[0xc1, 0, 0x82],
    ];
    let mut bytes = vec![0; 4];
    bytes.extend([5, 0]);
    elements.iter().for_each(|element| bytes.extend_from_slice(element));
    bytes.push(0xff);
    bytes[0] = bytes.len() as u8;
    let listpack = Listpack::from_bytes(&bytes).expect("well-formed");
    assert_eq!(listpack, of(&["5", "7", "ab", "c", "256"]));
    assert_eq!(listpack.as_bytes(), Listpack::as_bytes(&of(&["5", "7", "ab", "c", "256"])));
}

#[test]
fn no_change_of_a_byte_makes_it_read_outside() {
    let mut rng = Rng::new(5);
    let mut good: Listpack = of(&["1", "a", "4095", "70000", "-5000000000", "hello"]);
    good.push_back(&[b'x'; 70]);
    good.push_back(&[b'y'; 200]);
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut bytes = good.as_bytes().to_vec();
        for _ in 0..=rng.below(2) {
            let at = rng.below(bytes.len() as u64) as usize;
            bytes[at] = rng.next_u64() as u8;
        }
        if rng.below(8) == 0 {
            bytes.truncate(rng.below(bytes.len() as u64) as usize);
        }
        match Listpack::from_bytes(&bytes) {
            Err(Corrupt) => refused += 1,
            Ok(listpack) => {
                assert_eq!(listpack.iter().count(), listpack.iter().rev().count());
                let forward = ForwardPack::from_listpack(&listpack).expect("it is short");
                assert_eq!(texts(&forward), texts(&listpack));
            }
        }
    }
    assert!(refused > 2_000, "{refused}");
}

#[test]
fn malformed_bytes_are_refused() {
    let cases: &[&[u8]] = &[
        &[],
        &[7, 0, 0, 0, 0, 0],
        &[8, 0, 0, 0, 0, 0, 0xff],
        &[7, 0, 0, 0, 1, 0, 0xff],
        &[7, 0, 0, 0, 0, 0, 0xfe],
        &[9, 0, 0, 0, 1, 0, 1, 2, 0xff],
        &[9, 0, 0, 0, 2, 0, 1, 1, 0xff],
        &[8, 0, 0, 0, 1, 0, 0xf5, 0xff],
        &[8, 0, 0, 0, 1, 0, 0xe0, 0xff],
        &[9, 0, 0, 0, 1, 0, 0x81, b'a', 0xff],
        &[8, 0, 0, 0, 0, 0, 0xff, 0xff],
        &[12, 0, 0, 0, 1, 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for bytes in cases {
        assert_eq!(Listpack::from_bytes(bytes).err(), Some(Corrupt), "{bytes:?}");
    }
    assert_eq!(Listpack::from_bytes(&[9, 0, 0, 0, 0xff, 0xff, 1, 1, 0xff]).map(|one| one.len()), Ok(1));
}

#[test]
fn items_are_texts() {
    for int in [0, 9, 10, -1, -10, i64::MAX, i64::MIN] {
        assert_eq!(Item::Int(int).len(), int.to_string().len());
        assert!(Item::Int(int).eq_bytes(int.to_string().as_bytes()));
    }
    assert!(!Item::Int(5).eq_bytes(b"05"));
    assert_eq!((Item::Int(5).as_int(), Item::Bytes(b"x").as_int()), (Some(5), None));
    assert!(Item::Bytes(b"").is_empty() && !Item::Int(0).is_empty());
}

#[test]
fn a_listpack_stays_below_its_limit() {
    let listpack = Listpack::new();
    assert!(listpack.fits(1 << 20) && !listpack.fits(1 << 30) && !listpack.fits(usize::MAX));
    assert_eq!(Listpack::with_capacity(1000).heap_bytes(), 1024);
}

#[test]
fn one_word_holds_either() {
    one_word_holds::<Bidirectional>();
    one_word_holds::<Forward>();
}

fn one_word_holds<F: Form>() {
    assert_eq!(size_of::<Compact<Vec<u8>, F>>(), 8);
    let mut compact: Compact<Vec<u8>, F> = Compact::pack(of(&["a"]));
    let CompactMut::Pack(pack) = compact.get_mut() else { panic!("no pack") };
    pack.push_back(b"b");
    let copy = compact.clone();
    compact = Compact::boxed(Box::new(vec![1]));
    if let CompactMut::Boxed(boxed) = compact.get_mut() {
        boxed.push(2);
    }
    assert!(matches!(compact.clone().get(), CompactRef::Boxed(boxed) if *boxed == [1, 2]));
    assert!(matches!(copy.get(), CompactRef::Pack(pack) if *pack == of(&["a", "b"])));
}
