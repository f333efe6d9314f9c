//! Values as older servers wrote them, and other forms that we read and do not write.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod common;

use common::{Content, Contents, read};
use ochre_persist::rdb::{
    EncodeOptions, RdbError, ReadError, ReadOptions, RestoreError, Text, Value, dump, restore,
};
use ochre_types::listpack::Listpack;
use ochre_types::{Object, ObjectRef};

/// A file of a version with these records in database 0, without a checksum.
fn file(header: &[u8], records: &[u8]) -> Vec<u8> {
    [header, b"\xfe\x00", records, b"\xff\0\0\0\0\0\0\0\0"].concat()
}

fn contents(header: &[u8], records: &[u8]) -> Result<Contents, RdbError> {
    match read(&file(header, records)[..], ReadOptions::default()) {
        Ok(contents) => Ok(contents),
        Err(ReadError::Rdb(error)) => Err(error),
        Err(ReadError::Io(error)) => panic!("{error}"),
    }
}

/// The value of the only key.
fn value(header: &[u8], code: u8, value: &[u8]) -> Result<Content, RdbError> {
    let mut contents = contents(header, &[&[code], &b"\x01k"[..], value].concat())?;
    assert_eq!((contents.keys.len(), contents.skipped), (1, 0));
    Ok(contents.keys.remove(&(0, b"k".to_vec())).unwrap().value)
}

/// A value as text: its encoding and its elements.
fn show(content: &Content) -> String {
    let mut texts: Vec<String> = Vec::new();
    let text = |item: ochre_types::listpack::Item<'_>| item.to_vec().escape_ascii().to_string();
    match content {
        Content::String(string) => texts.push(string.escape_ascii().to_string()),
        Content::Object(object) => match object.as_ref() {
            ObjectRef::List(list) => list.range(0, usize::MAX, |item| texts.push(text(item))),
            ObjectRef::Set(set) => texts.extend(set.iter().map(text)),
            ObjectRef::ZSet(zset) => {
                texts.extend(zset.iter().map(|(member, score)| format!("{}={score}", text(member))));
            }
            ObjectRef::Hash(hash) => texts.extend(hash.iter().map(|field| {
                let time = field.expire_ms.map_or(String::new(), |ms| format!("@{ms}"));
                format!("{}={}{time}", text(field.name), text(field.value))
            })),
            _ => {}
        },
    }
    format!("{} {}", content.encoding(), texts.join(" "))
}

fn listpack(items: &[&str]) -> Vec<u8> {
    let mut listpack = Listpack::new();
    items.iter().for_each(|item| listpack.push_back(item.as_bytes()));
    [&[listpack.bytes() as u8], listpack.as_bytes()].concat()
}

const ZIPLIST: &[u8] = b"\x0f\x0f\0\0\0\x0c\0\0\0\x02\0\0\xf3\x02\xf6\xff";

#[test]
fn each_old_form_is_read() {
    let redis: &[u8] = b"REDIS0012";
    let with_times = listpack(&["b", "2", "50", "a", "1", "0"]);
    let unsorted_times = listpack(&["a", "1", "0", "b", "2", "50"]);
    let zset = listpack(&["a", "1", "b", "2.5"]);
    let unsorted_zset = listpack(&["b", "2.5", "a", "1"]);
    let cases: [(u8, &[u8], &str); 22] = [
        (0, b"\xc2\x00\x00\x00\x80", "string -2147483648"),
        (1, b"\x03\x01a\xc0\x05\x01c", "listpack a 5 c"),
        (2, b"\x02\x01a\x01b", "listpack a b"),
        (2, b"\x02\xc0\x02\xc0\x01", "intset 1 2"),
        (3, b"\x03\x01a\x033.5\x01b\xff\x01c\xfe", "listpack b=-inf a=3.5 c=inf"),
        (4, b"\x02\x01a\xc0\x01\x01b\x00", "listpack a=1 b="),
        (5, b"\x01\x01a\0\0\0\0\0\0\x04\x40", "listpack a=2.5"),
        (9, b"\x0d\x02\x01a\x01\x00x\x01b\x01\x01y?\xff", "listpack a=x b=y"),
        (10, ZIPLIST, "listpack 2 5"),
        (11, b"\x0c\x02\0\0\0\x02\0\0\0\xff\xff\x05\x00", "intset -1 5"),
        (12, ZIPLIST, "listpack 2=5"),
        (13, ZIPLIST, "listpack 2=5"),
        (14, &[b"\x02", ZIPLIST, ZIPLIST].concat(), "listpack 2 5 2 5"),
        (16, &listpack(&["a", "1"]), "listpack a=1"),
        (17, &zset, "listpack a=1 b=2.5"),
        (17, &unsorted_zset, "listpack a=1 b=2.5"),
        (18, &[b"\x02\x01\x05plain\x02", &listpack(&["x", "7"])[..]].concat(), "listpack plain x 7"),
        (22, b"\x02\x32\x01b\x012\x00\x01a\x011", "listpackex b=2@50 a=1"),
        (23, &with_times, "listpackex b=2@50 a=1"),
        (24, b"\x32\0\0\0\0\0\0\0\x02\x01\x01b\x012\x00\x01a\x011", "listpackex b=2@50 a=1"),
        (25, &[b"\x32\0\0\0\0\0\0\0", &with_times[..]].concat(), "listpackex b=2@50 a=1"),
        (25, &[b"\x32\0\0\0\0\0\0\0", &unsorted_times[..]].concat(), "listpackex b=2@50 a=1"),
    ];
    for (code, bytes, shown) in cases {
        let content = value(redis, code, bytes).map(|content| show(&content));
        assert_eq!(content, Ok(shown.to_owned()), "type {code}");
    }
}

#[test]
fn the_same_number_means_something_else_in_valkey() {
    let fields = b"\x02\x01a\x011\xff\xff\xff\xff\xff\xff\xff\xff\x01b\x012\x32\0\0\0\0\0\0\0";
    let content = value(b"VALKEY080", 22, fields).map(|content| show(&content));
    assert_eq!(content, Ok("listpackex b=2@50 a=1".to_owned()));
    assert_eq!(value(b"VALKEY080", 25, b""), Err(RdbError::Type(25)));
    // The first moment of all is kept as the one after it.
    let first = value(b"VALKEY080", 22, b"\x01\x01a\x011\0\0\0\0\0\0\0\0").map(|content| show(&content));
    assert_eq!(first, Ok("listpackex a=1@1".to_owned()));
    let early = b"\x01\x01a\x011\xfe\xff\xff\xff\xff\xff\xff\xff";
    assert!(matches!(value(b"VALKEY080", 22, early), Err(RdbError::Corrupt(_))));
    let import = [b"\xf3\x28", &[b'j'; 40][..], b"\x01\x00\x05\x00\x01k\x01v"].concat();
    assert_eq!(contents(b"VALKEY080", &import).unwrap().keys.len(), 1);
    // In Redis the same opcode is metadata that a module keeps: one class, an integer, the end mark, then the key.
    let metadata = b"\xf3\x01MNOP\x02\x05\x00\x00\x01k\x01v";
    assert_eq!(contents(b"REDIS0013", metadata).unwrap().keys.len(), 1);
    assert_eq!(contents(b"REDIS0012", metadata).err(), Some(RdbError::Type(0xf3)));
}

#[test]
fn templates_of_hashes() {
    let records = [
        &b"\xf2\x07\x02\x01a\x02bb"[..],
        b"\x1e\x02lp",
        &listpack(&["7", "1", "two"]),
        b"\x20\x05array\x07\x03one\xc0\x02",
    ]
    .concat();
    let contents = contents(b"REDIS0015", &records).unwrap();
    let shown = |key: &[u8]| show(&contents.keys[&(0, key.to_vec())].value);
    assert_eq!(shown(b"lp"), "listpack a=1 bb=two");
    assert_eq!(shown(b"array"), "listpack a=one bb=2");
    let own = [b"\x01\x02\x01a\x02bb", &listpack(&["0", "1", "two"])[..]].concat();
    assert_eq!(value(b"REDIS0015", 29, &own).map(|content| show(&content)).unwrap(), "listpack a=1 bb=two");
    let own = b"\x01\x02\x01a\x02bb\x03one\xc0\x02";
    assert_eq!(value(b"REDIS0015", 31, own).map(|content| show(&content)).unwrap(), "listpack a=one bb=2");
    assert!(value(b"REDIS0015", 32, b"\x08\x03one").is_err());
    assert!(value(b"REDIS0015", 29, b"\x01\x01\x01a\x07\x07\0\0\0\0\0\xff").is_err());
}

#[test]
fn times_and_accesses_stand_in_front_of_keys() {
    let records = b"\xfd\x01\x00\x00\x00\x00\x01a\x01v\xfc\x05\0\0\0\0\0\0\0\xf8\x40\xc8\x00\x01b\x01v\xf9\x07\x00\x01c\x01v";
    let contents = contents(b"REDIS0009", records).unwrap();
    let infos: Vec<_> = contents.keys.values().map(|key| (key.info.expire_ms, key.info.access)).collect();
    use ochre_persist::rdb::Access::{Frequency, Idle};
    assert_eq!(infos, [(Some(1000), None), (Some(5), Some(Idle(200))), (None, Some(Frequency(7)))]);
}

#[test]
fn what_cannot_be_built_is_passed() {
    let module = [
        &b"\x07\x03mod\x81"[..],
        &(0x1234_5678_9abc_d000u64 | 3).to_be_bytes(),
        b"\x02\x05\x05\x02hi\x03....\x04........\x01\x02\x00",
    ]
    .concat();
    let array = b"\x1c\x03arr\x02\x01\x05\x00\x01........\x01\x03\x02hi";
    let empty = b"\x02\x01s\x00";
    let records = [&module[..], array, empty, b"\x00\x01k\x01v"].concat();
    let contents = contents(b"REDIS0014", &records).unwrap();
    assert_eq!((contents.keys.len(), contents.skipped), (1, 3));
    let aux =
        [&b"\xf7\x81"[..], &(0x1234_5678_9abc_d000u64 | 3).to_be_bytes(), b"\x02\x01\x05\x02hi\x00"].concat();
    assert!(self::contents(b"REDIS0009", &aux).unwrap().keys.is_empty());
    assert_eq!(self::contents(b"REDIS0010", b"\xf6\x00").err(), Some(RdbError::FunctionPreRelease));
    assert!(matches!(value(b"REDIS0008", 6, b""), Err(RdbError::Corrupt(_))));
    assert_eq!(value(b"REDIS0008", 8, b""), Err(RdbError::Type(8)));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let twice = listpack(&["a", "1", "a", "2"]);
    let odd = listpack(&["a"]);
    let cases: [(u8, &[u8]); 16] = [
        (2, b"\x02\x01a\x01a"),
        (3, b"\x01\x01a\xfd"),
        (3, b"\x02\x01a\x011\x01a\x012"),
        (4, b"\x02\x01a\x011\x01a\x012"),
        (5, b"\x01\x01a\0\0\0\0\0\0\xf8\x7f"),
        (9, b"\x0d\x02\x01a\x01\x00x\x01a\x01\x01y?\xff"),
        (11, b"\x0c\x02\0\0\0\x02\0\0\0\x05\x00\xff\xff"),
        (13, &[b"\x0f", &ZIPLIST[1..5], b"\x0c\0\0\0\x03\0\0\xf3\x02\xf6\xff"].concat()),
        (16, &twice),
        (16, &odd),
        (17, &twice),
        (17, &odd),
        (18, b"\x01\x03\x01a"),
        (20, &twice),
        (24, b"\x32\0\0\0\0\0\0\0\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01b\x012"),
        (25, &[b"\x32\0\0\0\0\0\0\0", &listpack(&["a", "1", "x"])[..]].concat()),
    ];
    for (code, bytes) in cases {
        let read = value(b"REDIS0012", code, bytes);
        assert!(matches!(read, Err(RdbError::Corrupt(_))), "type {code}: {read:?}");
    }
}

#[test]
fn payloads_of_peers() {
    // DUMP of Redis 8.6 and of Valkey 9.1.
    let redis = b"\x19\xc5\xf04\x1e\xa2\x01\x00\x00\x17\x17\x00\x00\x00\x03\x00\x81a\x02\x81b\x02\xf4\xc5\xf04\x1e\xa2\x01\x00\x00\t\xff\r\x00\x1a\xa4\nw\xec\xfbOv";
    let valkey = b"\x16\x02\x01a\x01b\x99\xf14\x1e\xa2\x01\x00\x00\x01c\x01d\xff\xff\xff\xff\xff\xff\xff\xffP\x00\xa4E\x9f\xa9]\xcc\x90\xab";
    for (payload, shown) in
        [(&redis[..], "listpackex a=b@1795803115717"), (valkey, "listpackex a=b@1795803115929 c=d")]
    {
        let value = restore(payload, &common::limits()).unwrap();
        assert_eq!(show(&Content::of(value)), shown);
        for at in 0..payload.len() {
            let mut changed = payload.to_vec();
            changed[at] ^= 0x10;
            assert_eq!(restore(&changed, &common::limits()), Err(RestoreError::VersionOrChecksum), "{at}");
        }
    }
    // No checksum, something behind the value, version 0: all as Redis takes them.
    let unsummed = b"\x00\x05hellojunk\x0d\x00\0\0\0\0\0\0\0\0";
    assert_eq!(restore(unsummed, &common::limits()), Ok(Value::String(Text::Bytes(b"hello"))));
    for (version, is_read) in
        [(0u16, true), (1, true), (16, true), (17, false), (79, false), (80, true), (81, false)]
    {
        let payload = [&b"\x00\x01x"[..], &version.to_le_bytes(), &[0; 8]].concat();
        assert_eq!(restore(&payload, &common::limits()).is_ok(), is_read, "{version}");
    }
    assert_eq!(restore(b"\x00\x01x", &common::limits()), Err(RestoreError::VersionOrChecksum));
    let empty = b"\x02\x00\x06\x00\0\0\0\0\0\0\0\0";
    assert_eq!(restore(empty, &common::limits()), Err(RestoreError::Value(RdbError::EmptyValue)));
}

/// A payload without a checksum whose value is a listpack.
fn payload_of(code: u8, head: &[u8], listpack: &[u8]) -> Vec<u8> {
    let len = (listpack.len() as u32).to_be_bytes();
    [&[code], head, &[0x80], &len, listpack, &[12, 0], &[0; 8]].concat()
}

#[test]
fn listpacks_longer_than_small_collections_get_become_large_ones() {
    let (mut long, second) = (vec![b'x'; 3 << 20], vec![b'y'; 2 << 20]);
    long[0] = b'0';
    let ms = 1_795_803_115_717i64.to_le_bytes();
    type Case<'a> = (u8, &'a [u8], &'a [&'a [u8]], &'a str);
    let cases: [Case<'_>; 4] = [
        (16, b"", &[b"a", &long, &second, b"1"], "hashtable"),
        (17, b"", &[&long, b"1", b"b", b"2"], "skiplist"),
        (20, b"", &[b"a", &long, &second], "hashtable"),
        (25, &ms, &[b"a", &long, b"1795803115717", b"b", &second, b"0"], "hashtable"),
    ];
    for (code, head, elements, encoding) in cases {
        let mut listpack = Listpack::new();
        elements.iter().for_each(|element| listpack.push_back(element));
        let payload = payload_of(code, head, listpack.as_bytes());
        let value = restore(&payload, &common::limits()).unwrap();
        let content = Content::of(value);
        assert_eq!(content.encoding(), encoding, "type {code}");
        let expected: usize = elements.iter().filter(|text| text.len() > 20).map(|text| text.len()).sum();
        assert!(show(&content).len() > expected, "type {code}");
        let twice = [elements, &elements[..elements.len() / 2]].concat();
        listpack.clear();
        twice.iter().for_each(|element| listpack.push_back(element));
        let payload = payload_of(code, head, listpack.as_bytes());
        assert!(restore(&payload, &common::limits()).is_err(), "type {code}");
        let damaged = &payload[..payload.len() - 12];
        assert!(restore(&[damaged, &[12, 0], &[0; 8]].concat(), &common::limits()).is_err(), "type {code}");
    }
}

/// What is written is what Redis has, whatever it is kept as.
#[test]
fn small_collections_are_written_as_listpacks() {
    let elements = [
        "a",
        "300",
        "-5",
        "17",
        "longer than sixty-four bytes, so that its length takes two bytes of it",
        "0",
    ];
    for (code, head) in [(16, &b""[..]), (17, b""), (20, b""), (25, &50i64.to_le_bytes())] {
        let elements = match code {
            17 => ["b", "-5", "a", "0", "17", "2.5"],
            25 => ["a", "x", "50", "17", "300", "0"],
            _ => elements,
        };
        let mut listpack = Listpack::new();
        elements.iter().for_each(|element| listpack.push_back(element.as_bytes()));
        let payload = payload_of(code, head, listpack.as_bytes());
        let value = restore(&payload, &common::limits()).unwrap();
        let Value::Object(object) = &value else { panic!("no object") };
        let options = EncodeOptions::default();
        let written = dump(object.into(), options).unwrap();
        let len = if listpack.bytes() < 64 { vec![] } else { vec![0x40] };
        let expected = [&[code], head, &len, &[listpack.bytes() as u8], listpack.as_bytes()].concat();
        assert!(written.starts_with(&expected), "type {code}: {}", written.escape_ascii());
        let compressed = dump(object.into(), EncodeOptions { compresses: true, ..options }).unwrap();
        assert_eq!(restore(&compressed, &common::limits()), Ok(value), "type {code}");
    }
}

/// The parts of a stream with an entry, before its groups.
fn stream_head(form: u8) -> Vec<u8> {
    let mut listpack = Listpack::new();
    [1, 0, 1].iter().for_each(|int| listpack.push_back_int(*int));
    listpack.push_back(b"a");
    [0, 2, 0, 0, 1, 4].iter().for_each(|int| listpack.push_back_int(*int));
    let mut bytes = b"\x01\x10\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01".to_vec();
    bytes.push(listpack.bytes() as u8);
    bytes.extend_from_slice(listpack.as_bytes());
    bytes.extend_from_slice(b"\x01\x05\x01");
    if form > 1 {
        bytes.extend_from_slice(b"\x05\x01\x00\x00\x07");
    }
    bytes
}

#[test]
fn streams_of_all_forms() {
    let entry = b"\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01";
    let time = b"\x64\0\0\0\0\0\0\0";
    for (form, code) in [(1, 15), (2, 19), (3, 21), (4, 26), (5, 27)] {
        let mut bytes = stream_head(form);
        bytes.extend_from_slice(b"\x01\x01g\x05\x01");
        bytes.extend_from_slice(if form > 1 { b"\x07" } else { b"" });
        bytes.extend_from_slice(&[&b"\x01"[..], entry, time, b"\x03\x01\x01c", time].concat());
        bytes.extend_from_slice(if form > 2 { time } else { b"" });
        // In the last form the entry has no consumer.
        bytes.extend_from_slice(if form == 5 { b"\x00" } else { b"\x01" });
        bytes.extend_from_slice(if form == 5 { b"\x01" } else { b"" });
        bytes.extend_from_slice(entry);
        if form > 3 {
            bytes.extend_from_slice(b"\x40\x64\x32\x01\x01p\x01\x01m\x05\x01\x09\x02");
        }
        let Ok(Content::Object(Object::Stream(stream))) = value(b"REDIS0014", code, &bytes) else {
            panic!("form {form}: {:?}", value(b"REDIS0014", code, &bytes));
        };
        let group = stream.group(b"g").unwrap();
        assert_eq!((stream.len(), stream.entries_added()), (1, if form == 1 { 1 } else { 7 }));
        assert_eq!(group.entries_read(), Some(if form == 1 { 1 } else { 7 }));
        let consumer = group.consumers().next().unwrap();
        assert_eq!((consumer.seen_ms(), consumer.active_ms()), (100, Some(100)));
        let pending = group.pending(Default::default(), ochre_types::stream::StreamId::MAX).next().unwrap();
        let owner = (form < 5).then_some(&b"c"[..]);
        assert_eq!((pending.deliveries, pending.delivered_ms, pending.consumer), (3, 100, owner));
        let figures = stream.idempotency_figures();
        let expected = if form > 3 { (1, 9, 2) } else { (0, 0, 0) };
        assert_eq!((figures.tracked, figures.added, figures.duplicates), expected);
    }
}
