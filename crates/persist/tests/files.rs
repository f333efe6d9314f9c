//! Files there and back: all types, all versions, all sizes of what is read at a time.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod common;

use common::{Content, Contents, Key, Slow, contents, read, target, write};
use ochre_persist::rdb::{
    ChecksumState, EncodeOptions, Encoder, Event, KeyInfo, RdbError, ReadError, ReadOptions, Reader, Target,
    Text, ValueParts, ValueRef, ValueWriter, Version, VersionCheck, WriteOptions, dump, restore,
};
use ochre_types::{Object, Rng};

fn options(target: Target, compresses: bool) -> WriteOptions {
    WriteOptions { encode: EncodeOptions { target, compresses }, has_checksum: true }
}

#[test]
fn what_is_written_is_read_again() {
    for (version, expiring) in
        [(9, false), (10, false), (11, false), (12, true), (13, true), (14, true), (80, true)]
    {
        for compresses in [false, true] {
            let mut written = contents(u64::from(version), 900, expiring);
            let bytes = write(&written, options(target(version), compresses));
            let mut again = read(&bytes[..], ReadOptions::default()).unwrap();
            if version < 11 {
                forget_what_old_versions_lose(&mut written, &mut again, version);
            }
            assert_eq!(again, written, "version {version}");
        }
    }
}

/// Streams of older versions have fewer figures.
fn forget_what_old_versions_lose(one: &mut Contents, other: &mut Contents, version: u16) {
    for contents in [one, other] {
        contents
            .keys
            .retain(|_, key| !matches!(key.value, Content::Object(Object::Stream(_))) || version == 0);
    }
}

#[test]
fn encodings_come_back() {
    let written = contents(5, 900, true);
    let again = read(&write(&written, WriteOptions::default())[..], ReadOptions::default()).unwrap();
    let mut names: Vec<&str> = Vec::new();
    for (key, one) in &written.keys {
        let other = &again.keys[key];
        assert_eq!(one.value.encoding(), other.value.encoding(), "{key:?}");
        names.push(one.value.encoding());
    }
    names.sort_unstable();
    names.dedup();
    let all = ["hashtable", "intset", "listpack", "listpackex", "quicklist", "skiplist", "stream", "string"];
    assert_eq!(names, all);
}

#[test]
fn pieces_of_any_size_come_to_the_same() {
    let written = contents(1, 300, true);
    let bytes = write(&written, WriteOptions::default());
    for (chunk_bytes, step, record_bytes_max) in [
        (1, 1, 0),
        (7, 3, 20),
        (100, 64, 500),
        (4096, 1000, 3000),
        (1 << 20, usize::MAX, 100),
        (64, 1 << 20, 1 << 20),
    ] {
        let source = Slow { bytes: &bytes, step };
        let options = ReadOptions { chunk_bytes, record_bytes_max, ..ReadOptions::default() };
        assert_eq!(read(source, options).unwrap(), written, "{chunk_bytes} {step} {record_bytes_max}");
    }
}

#[test]
fn the_oldest_version_that_can_hold_the_values() {
    let header = |contents: &Contents| write(contents, WriteOptions::default())[..9].to_vec();
    assert_eq!(header(&contents(3, 300, false)), b"REDIS0011");
    assert_eq!(header(&contents(3, 300, true)), b"REDIS0012");
    let mut contents = contents(3, 10, false);
    let mut rng = Rng::new(1);
    let stream = common::stream_with_producers(&mut rng, 50);
    let value = Content::Object(Object::Stream(stream));
    contents.keys.insert((0, b"producers".to_vec()), Key { info: KeyInfo::default(), value });
    assert_eq!(header(&contents), b"REDIS0013");
    assert_eq!(
        read(&write(&contents, WriteOptions::default())[..], ReadOptions::default()).unwrap(),
        contents
    );
}

#[test]
fn what_streams_remember_of_producers_comes_back() {
    let mut rng = Rng::new(2);
    let stream = common::stream_with_producers(&mut rng, 60);
    let object = Object::Stream(stream.clone());
    let payload = dump(ValueRef::from(&object), EncodeOptions::default()).unwrap();
    let Ok(ochre_persist::rdb::Value::Object(Object::Stream(again))) = restore(&payload, &common::limits())
    else {
        panic!("no stream");
    };
    assert_eq!(again.idempotency_limits(), stream.idempotency_limits());
    assert_eq!(again.idempotency_figures(), stream.idempotency_figures());
    assert!(again.messages().eq(stream.messages()));
    assert_eq!(again, stream);
}

#[test]
fn pending_entries_without_a_consumer_come_back() {
    let mut rng = Rng::new(2);
    let mut stream = common::stream_with_groups(&mut rng, 40);
    let all: Vec<_> = stream
        .group(b"two")
        .unwrap()
        .pending(Default::default(), ochre_types::stream::StreamId::MAX)
        .collect();
    let ids: Vec<_> = all.iter().take(3).map(|pending| pending.id).collect();
    drop(all);
    stream.give_back(b"two", &ids, ochre_types::stream::NackMode::Fail, None, false).unwrap();
    let object = Object::Stream(stream);
    let payload = dump(ValueRef::from(&object), EncodeOptions::default()).unwrap();
    assert_eq!(payload[0], 27);
    let again = restore(&payload, &common::limits()).unwrap();
    assert_eq!(again, ochre_persist::rdb::Value::Object(object));
}

#[test]
fn values_in_parts_are_the_same_bytes() {
    for (key, content) in &contents(9, 3000, true).keys {
        let (mut whole, mut parts) =
            (Encoder::new(EncodeOptions::default()), Encoder::new(EncodeOptions::default()));
        whole.record(&key.1, content.info, content.value.as_value()).unwrap();
        let mut writer = ValueWriter::new(content.value.as_value(), Target::default()).unwrap();
        parts.begin_record(&key.1, content.info, &mut writer as &mut dyn ValueParts).unwrap();
        let (mut bytes, mut largest) = (Vec::new(), 0);
        loop {
            let is_complete = writer.write_part(&mut parts, 4096);
            bytes.extend_from_slice(parts.bytes());
            largest = largest.max(parts.bytes().len());
            parts.clear();
            if is_complete {
                break;
            }
        }
        assert_eq!(bytes, whole.bytes());
        if !matches!(content.value, Content::String(_)) {
            assert!(largest < 80_000, "{largest} bytes at once of {}", whole.bytes().len());
        }
    }
}

#[test]
fn records_made_elsewhere_are_appended() {
    let written = contents(4, 50, true);
    let mut elsewhere = Encoder::new(EncodeOptions { compresses: true, ..EncodeOptions::default() });
    let mut writer = ochre_persist::rdb::Writer::new(Vec::new(), WriteOptions::default()).unwrap();
    writer.select_db(0, 1, 1).unwrap();
    for ((db, key), content) in &written.keys {
        if *db == 0 {
            elsewhere.record(key, content.info, content.value.as_value()).unwrap();
            writer.append(&mut elsewhere).unwrap();
        }
    }
    let (mut bytes, result) = writer.finish().unwrap();
    let header = result.header.expect("hashes with times need a newer version");
    assert_eq!((result.version, &header), (Version::V12, b"REDIS0012"));
    // Not yet put right, the header is that of another version, and the checksum does not fit.
    assert!(matches!(
        read(&bytes[..], ReadOptions::default()),
        Err(ReadError::Rdb(RdbError::Type(_) | RdbError::Checksum))
    ));
    bytes[..9].copy_from_slice(&header);
    let again = read(&bytes[..], ReadOptions::default()).unwrap();
    assert!(again.keys.iter().all(|(key, content)| written.keys[key] == *content));
    assert_eq!(again.keys.len(), written.keys.keys().filter(|(db, _)| *db == 0).count());
}

#[test]
fn checksums_are_compared_unless_there_is_none() {
    let written = contents(6, 10, false);
    let state = |bytes: &[u8], checks_sum| {
        let mut reader = Reader::new(bytes, ReadOptions { checks_sum, ..ReadOptions::default() });
        loop {
            match reader.next() {
                Ok(Event::End(state)) => return Ok(state),
                Ok(_) => {}
                Err(ReadError::Rdb(error)) => return Err(error),
                Err(ReadError::Io(error)) => panic!("{error}"),
            }
        }
    };
    let mut bytes = write(&written, WriteOptions::default());
    assert_eq!(state(&bytes, true), Ok(ChecksumState::Right));
    assert_eq!(state(&bytes, false), Ok(ChecksumState::None));
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(state(&bytes, true), Err(RdbError::Checksum));
    assert_eq!(state(&bytes, false), Ok(ChecksumState::None));
    let without = write(&written, WriteOptions { has_checksum: false, ..WriteOptions::default() });
    assert_eq!(state(&without, true), Ok(ChecksumState::Disabled));
}

#[test]
fn what_follows_the_end_is_left() {
    let mut bytes = write(&contents(6, 10, false), WriteOptions::default());
    bytes.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    let mut reader = Reader::new(&bytes[..], ReadOptions::default());
    while !matches!(reader.next().unwrap(), Event::End(_)) {}
    let (mut rest, mut left) = reader.into_rest();
    std::io::Read::read_to_end(&mut rest, &mut left).unwrap();
    assert_eq!(left, b"*1\r\n$4\r\nPING\r\n");
}

#[test]
fn newer_versions_are_read_if_wanted() {
    let mut bytes = b"REDIS0099\xfe\x00\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0".to_vec();
    let relaxed = ReadOptions { version_check: VersionCheck::Relaxed, ..ReadOptions::default() };
    assert!(matches!(read(&bytes[..], ReadOptions::default()), Err(ReadError::Rdb(RdbError::Version(99)))));
    assert!(matches!(read(&bytes[..], relaxed), Err(ReadError::Rdb(RdbError::Version(99)))));
    bytes[..9].copy_from_slice(b"REDIS0019");
    assert_eq!(read(&bytes[..], relaxed).unwrap().keys.len(), 1);
    bytes[11] = 60;
    assert!(matches!(read(&bytes[..], relaxed), Err(ReadError::Rdb(RdbError::Type(60)))));
}

#[test]
fn where_an_error_is_can_be_told() {
    // An intset that is none, as the value of a second key.
    let bytes = b"REDIS0011\xfe\x00\x00\x01a\x01v\x0b\x03bad\x05xxxxx\xff\0\0\0\0\0\0\0\0";
    let mut reader = Reader::new(&bytes[..], ReadOptions::default());
    assert!(matches!(reader.next(), Ok(Event::SelectDb(0))));
    let Ok(Event::Records(batch)) = reader.next() else { panic!("no records") };
    let kinds: Vec<_> = batch.records().map(|record| (record.kind().name(), record.end_offset())).collect();
    assert_eq!(kinds, [("string", 16), ("set-intset", 27)]);
    let bad = batch.records().nth(1).unwrap();
    assert_eq!(bad.key(), Ok(Text::Bytes(b"bad")));
    assert_eq!(bad.decode(&common::limits()), Err(RdbError::Corrupt("Intset integrity check failed.")));
    let truncated = b"REDIS0011\xfe\x00\x02\x03set\x02\x01a";
    let mut reader = Reader::new(&truncated[..], ReadOptions::default());
    assert!(matches!(reader.next(), Ok(Event::SelectDb(0))));
    assert!(matches!(reader.next(), Err(ReadError::Rdb(RdbError::Truncated))));
    let position = reader.position();
    assert_eq!((position.stage.name(), position.key.as_deref()), ("read-object-value", Some(&b"set"[..])));
    assert_eq!(position.kind.map(|kind| kind.name()), Some("set-hashtable"));
}
