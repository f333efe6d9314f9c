//! What only the form without backlens has: its layout, and the edges of what its header can say.

use super::super::{Forward, ForwardPack, Item, Listpack, Pack, Pos};
use super::{of, texts};

/// The header, read anew: length and count.
fn header(pack: &ForwardPack) -> (usize, usize) {
    let word = u32::from_le_bytes(*pack.raw().first_chunk().expect("there is always a header"));
    (word as usize & 0x1f_ffff, word as usize >> 21)
}

/// A listpack of elements of one byte, and one text at the end that makes all of it `bytes` long in the other form.
fn listpack_of_forward_bytes(bytes: usize) -> Listpack {
    let mut listpack = Listpack::new();
    listpack.push_back(b"7");
    listpack.push_back(&vec![b'x'; bytes - ForwardPack::EMPTY_BYTES - 1 - 5]);
    listpack
}

#[test]
fn bytes_are_a_header_and_elements() {
    assert_eq!(ForwardPack::new().raw(), [4, 0, 0, 0]);
    let pack: ForwardPack = of(&["hi", "300", "7"]);
    assert_eq!(pack.raw(), [10, 0, 3 << 5, 0, 0x82, b'h', b'i', 0xc1, 0x2c, 7]);
    assert_eq!((pack.first(), pack.seek(-1)), (Some(Pos(4)), Some(Pos(9))));
    assert_eq!(Pack::<Forward>::EMPTY_BYTES, 4);
}

#[test]
fn small_collections_take_less_than_a_listpack() {
    let (mut fields, mut members) = (ForwardPack::new(), ForwardPack::new());
    for index in 0..20 {
        if index < 10 {
            fields.push_back(format!("field:12345:{index}").as_bytes());
            fields.push_back(format!("value:{index}").as_bytes());
        }
        members.push_back(format!("member:{index:02}").as_bytes());
        members.push_back_int(index);
    }
    assert_eq!((fields.bytes(), fields.heap_bytes()), (224, 224));
    assert_eq!((members.bytes(), members.heap_bytes()), (224, 224));
}

#[test]
fn counts_around_what_the_header_holds() {
    let mut pack = ForwardPack::new();
    for count in 1..=2050 {
        pack.push_back(b"1");
        assert_eq!(pack.len(), count);
        assert_eq!(header(&pack), (4 + count, count.min(2047)));
        assert_eq!(pack.seek(-1), pack.seek(count as isize - 1));
        assert_eq!(pack.seek(-(count as isize)), pack.first());
        assert_eq!((pack.seek(count as isize), pack.seek(-(count as isize) - 1)), (None, None));
    }
    let mut written = Vec::new();
    pack.write_listpack(&mut written);
    assert_eq!(&written[4..6], 2050u16.to_le_bytes());
    let listpack = Listpack::from_bytes(&written).expect("well-formed");
    assert_eq!(ForwardPack::from_listpack(&listpack).map(|pack| header(&pack)), Some((2054, 2047)));
    for count in (2040..2050).rev() {
        pack.remove(Pos(4));
        assert_eq!((pack.len(), header(&pack)), (count, (4 + count, 2047)), "it is not known any more");
    }
    let again = ForwardPack::from_listpack(&pack.to_listpack()).expect("it is short");
    assert_eq!(header(&again), (2044, 2040), "but counted when it is written");
}

#[test]
fn more_elements_than_a_listpack_can_count() {
    let mut listpack = Listpack::new();
    (0..65_540).for_each(|_| listpack.push_back(b"1"));
    let mut pack = ForwardPack::from_listpack(&listpack).expect("it is short");
    assert_eq!((pack.len(), pack.seek(-65_540)), (65_540, pack.first()));
    assert_eq!(pack.to_listpack().as_bytes(), listpack.as_bytes());
    pack.remove_range(Pos(4), 6);
    assert_eq!(pack.to_listpack().as_bytes()[4..6], 65_534u16.to_le_bytes());
}

#[test]
fn lengths_around_what_the_header_holds() {
    const MAX: usize = (1 << 21) - 1;
    assert_eq!(ForwardPack::BYTES_MAX, MAX);
    for bytes in [MAX - 1, MAX] {
        let listpack = listpack_of_forward_bytes(bytes);
        let mut pack = ForwardPack::from_listpack(&listpack).expect("it just fits");
        assert_eq!((pack.bytes(), header(&pack)), (bytes, (bytes, 2)));
        assert!(!pack.fits(0));
        assert_eq!(texts(&pack), texts(&listpack));
        assert_eq!(pack.to_listpack().as_bytes(), listpack.as_bytes());
        pack.replace(Pos(4), b"8");
        assert_eq!((pack.len(), pack.clone()), (2, pack.clone()));
        assert_eq!(pack.remove(Pos(5)), None);
        assert_eq!((header(&pack), pack.get(Pos(4))), ((5, 1), Item::Int(8)));
        assert!(pack.heap_bytes() < 100);
    }
    for bytes in [MAX + 1, MAX + 2, 2 * MAX, 5 * MAX] {
        assert_eq!(ForwardPack::from_listpack(&listpack_of_forward_bytes(bytes)), None, "{bytes}");
    }
    let pack = ForwardPack::new();
    assert!(pack.fits(MAX - 14) && !pack.fits(MAX - 13) && !pack.fits(MAX) && !pack.fits(usize::MAX));
    assert_eq!(ForwardPack::with_capacity(1 << 30).heap_bytes(), 1 << 21);
}

#[test]
fn whoever_asks_whether_it_fits_never_exceeds_the_limit() {
    let mut pack = ForwardPack::new();
    for text in
        [vec![b'x'; 100_000], vec![b'x'; 4096], vec![b'x'; 63], b"-5000000000".to_vec(), b"1".to_vec()]
    {
        while pack.fits(text.len()) {
            pack.push_back(&text);
        }
        assert!(pack.bytes() <= ForwardPack::BYTES_MAX);
        assert_eq!(pack.iter().count(), pack.len());
    }
    assert!(pack.bytes() > ForwardPack::BYTES_MAX - 12);
}

#[test]
#[should_panic(expected = "whoever adds to a pack asks whether it fits")]
fn whoever_does_not_ask_is_stopped() {
    let mut pack = ForwardPack::new();
    pack.push_back(&vec![b'x'; 1 << 21]);
}

#[test]
fn places_to_walk_back_from() {
    let pack: ForwardPack = of(&["a", "1", "b", "2", "c", "3"]);
    let items = |from, step, count| {
        let positions = pack.seek(from).map(|from| pack.positions(from, step, count)).unwrap_or_default();
        positions.into_iter().map(|pos| pack.get(pos).to_vec()).collect::<Vec<_>>().concat()
    };
    assert_eq!(items(0, 2, 3), b"abc");
    assert_eq!(items(0, 2, usize::MAX), b"abc");
    assert_eq!(items(2, 2, 1), b"b");
    assert_eq!(items(3, 1, 9), b"2c3");
    assert_eq!(items(0, 9, 9), b"a");
    assert_eq!(items(0, 0, 2), b"a1");
    assert_eq!(items(0, 1, 0), b"");
}
