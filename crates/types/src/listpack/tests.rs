//! The listpack against a vector of texts, and against bytes that Redis wrote.

use std::collections::VecDeque;

use super::{Compact, CompactMut, CompactRef, Corrupt, Item, Listpack, Pos};
use crate::Rng;

fn texts(listpack: &Listpack) -> Vec<Vec<u8>> {
    listpack.iter().map(|item| item.to_vec()).collect()
}

fn of(values: &[&str]) -> Listpack {
    let mut listpack = Listpack::new();
    values.iter().for_each(|value| listpack.push_back(value.as_bytes()));
    listpack
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
        let listpack = of(&[text]);
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

/// Checks everything that can be asked of `listpack` against `model`.
fn compare(listpack: &Listpack, model: &VecDeque<Vec<u8>>, rng: &mut Rng) {
    assert_eq!(listpack.len(), model.len());
    assert_eq!(listpack.is_empty(), model.is_empty());
    assert!(listpack.iter().zip(model).all(|(item, text)| item.to_vec() == *text && item.eq_bytes(text)));
    assert!(listpack.iter().rev().map(|item| item.to_vec()).eq(model.iter().rev().cloned()));
    assert!(listpack.iter().map(|item| item.len()).eq(model.iter().map(Vec::len)));
    let again = Listpack::from_bytes(listpack.as_bytes()).expect("what we wrote is well-formed");
    assert_eq!(again.as_bytes(), listpack.as_bytes());
    assert!(listpack.bytes() <= listpack.heap_bytes());
    assert!(listpack.heap_bytes() - listpack.bytes() <= listpack.heap_bytes() / 3 + 48);
    for _ in 0..3 {
        let (from, skip) = (rng.below(4) as usize, rng.below(3) as usize);
        let wanted = match model.get(rng.below(model.len() as u64 + 1) as usize) {
            Some(text) => text.clone(),
            None => value(rng),
        };
        let expected = (from..model.len()).step_by(skip + 1).find(|index| model[*index] == wanted);
        let start = listpack.seek(from as isize);
        let found = start.and_then(|start| listpack.find(start, &wanted, skip));
        assert_eq!(found, expected.and_then(|index| listpack.seek(index as isize)));
        assert_eq!(found.is_some(), expected.is_some());
    }
}

fn change(listpack: &mut Listpack, model: &mut VecDeque<Vec<u8>>, rng: &mut Rng) {
    let index = rng.below(model.len().max(1) as u64) as usize;
    let pos = if rng.below(2) == 0 {
        listpack.seek(index as isize)
    } else {
        listpack.seek(index as isize - model.len() as isize)
    };
    let text = value(rng);
    match (rng.below(10), pos) {
        (0..=1, _) => {
            listpack.push_back(&text);
            model.push_back(text);
        }
        (2..=3, _) => {
            listpack.push_front(&text);
            model.push_front(text);
        }
        (4, Some(pos)) => {
            let at = listpack.insert_before(pos, &text);
            assert!(listpack.get(at).eq_bytes(&text));
            model.insert(index, text);
        }
        (5, Some(pos)) => {
            let at = listpack.insert_after(pos, &text);
            assert!(listpack.get(at).eq_bytes(&text));
            model.insert(index + 1, text);
        }
        (6, Some(pos)) => {
            let at = listpack.replace(pos, &text);
            assert!(listpack.get(at).eq_bytes(&text));
            model[index] = text;
        }
        (7..=8, Some(pos)) => {
            model.remove(index);
            let next = listpack.remove(pos).map(|pos| listpack.get(pos).to_vec());
            assert_eq!(next, model.get(index).cloned());
        }
        (_, Some(pos)) => {
            let count = rng.below(5) as usize;
            listpack.remove_range(pos, count);
            let end = (index + count).min(model.len());
            model.drain(index..end);
        }
        (_, None) => {}
    }
}

#[test]
fn behaves_like_a_deque_of_texts() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let (mut listpack, mut model) = (Listpack::new(), VecDeque::new());
        let most = 1 << rng.below(8);
        for _ in 0..300 {
            change(&mut listpack, &mut model, &mut rng);
            while model.len() > most {
                listpack.remove_range(Pos(6), 2);
                model.drain(..2);
            }
            compare(&listpack, &model, &mut rng);
        }
        assert_eq!(texts(&listpack.clone()), Vec::from(model));
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
    assert_eq!(listpack.as_bytes(), of(&["5", "7", "ab", "c", "256"]).as_bytes());
}

#[test]
fn no_change_of_a_byte_makes_it_read_outside() {
    let mut rng = Rng::new(5);
    let mut good = of(&["1", "a", "4095", "70000", "-5000000000", "hello"]);
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
            Ok(listpack) => assert_eq!(listpack.iter().count(), listpack.iter().rev().count()),
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
    assert_eq!(size_of::<Compact<Vec<u8>>>(), 8);
    let mut compact: Compact<Vec<u8>> = Compact::listpack(of(&["a"]));
    let CompactMut::Listpack(listpack) = compact.get_mut() else { panic!("no listpack") };
    listpack.push_back(b"b");
    let copy = compact.clone();
    compact = Compact::boxed(Box::new(vec![1]));
    if let CompactMut::Boxed(boxed) = compact.get_mut() {
        boxed.push(2);
    }
    assert!(matches!(compact.clone().get(), CompactRef::Boxed(boxed) if *boxed == [1, 2]));
    assert!(matches!(copy.get(), CompactRef::Listpack(listpack) if *listpack == of(&["a", "b"])));
}
