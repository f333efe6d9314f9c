//! Values as commands, carried out again.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod common;

use common::replay::{NOW_MS, Replay, commands, try_commands};
use common::{Content, contents, hash, list, set, stream, zset};
use ochre_persist::aof::{CommandEncoder, pinned_commands};
use ochre_persist::rdb::ValueRef;
use ochre_types::hash::{Hash, NewExpiry};
use ochre_types::list::{End, List, ListLimits};
use ochre_types::set::{Set, SetLimits};
use ochre_types::stream::{
    ClaimOptions, ClaimTime, IdRequest, IdempotencyLimits, NackMode, References, Stream, StreamId, Trim,
    TrimTo,
};
use ochre_types::zset::{AddRule, ZSet, ZSetLimits};
use ochre_types::{DataType as _, LongString, Object, Rng};

/// A key with its value, written in one go.
fn plain(content: &Content, expire_ms: Option<i64>) -> Vec<u8> {
    let mut out = CommandEncoder::new(true);
    out.select(3);
    out.key(b"k\r\n", content.as_value(), expire_ms);
    out.take()
}

/// The same of a pinned value through a buffer of about `part_bytes`; it never has more than an element beyond.
fn pinned(object: &Object, expire_ms: Option<i64>, part_bytes: usize, element_bytes: usize) -> Vec<u8> {
    let (mut all, mut out) = (Vec::new(), CommandEncoder::new(true));
    let mut pinned = object.clone().as_mut().pin();
    out.select(3);
    let mut parts = pinned_commands(&mut pinned);
    loop {
        let is_complete = parts.write_part(&mut out, b"k\r\n", part_bytes);
        assert!(out.len() < part_bytes + element_bytes + 8192, "{}", out.len());
        if !matches!(object, Object::String(_)) {
            commands(out.seal());
        }
        all.extend_from_slice(out.seal());
        out.clear();
        if is_complete {
            break;
        }
    }
    out.expire(b"k\r\n", expire_ms);
    all.extend_from_slice(out.seal());
    all
}

/// What the commands in `bytes` make, which is one key.
fn made(bytes: &[u8]) -> (Content, Option<i64>) {
    let mut replay = Replay::of(bytes);
    let made = replay.keys.remove(&(3, b"k\r\n".to_vec())).unwrap();
    assert!(replay.keys.is_empty());
    made
}

fn check(content: &Content, part_bytes: usize) {
    for expire_ms in [None, Some(1), Some(2_000_000_000_000)] {
        assert_eq!(made(&plain(content, expire_ms)), (content_clone(content), expire_ms));
        if let Content::Object(object) = content {
            let made = made(&pinned(object, expire_ms, part_bytes, 1024));
            assert_eq!(made, (content_clone(content), expire_ms), "{part_bytes} bytes");
        }
    }
}

fn content_clone(content: &Content) -> Content {
    match content {
        Content::String(text) => Content::String(text.clone()),
        // A long string is a string again.
        Content::Object(Object::String(string)) => Content::String(string.to_vec()),
        Content::Object(object) => Content::Object(object.clone()),
    }
}

#[test]
fn values_of_all_encodings_come_back() {
    let mut rng = Rng::new(11);
    let rng = &mut rng;
    for len in [1, 63, 64, 65, 129, 700] {
        for part_bytes in [300, 100_000] {
            check(&Content::Object(list(rng, len).into_object()), part_bytes);
            for only_integers in [false, true] {
                check(&Content::Object(set(rng, len, only_integers).into_object()), part_bytes);
            }
            check(&Content::Object(zset(rng, len).into_object()), part_bytes);
            for expiring in [false, true] {
                check(&Content::Object(hash(rng, len, expiring).into_object()), part_bytes);
            }
            check(&Content::Object(stream(rng, len).into_object()), part_bytes);
            check(&Content::Object(stream_with_all(rng, len, NOW_MS).into_object()), part_bytes);
        }
    }
    for text in [&b""[..], b"0", b"-9223372036854775808", b"a\r\nb", &[b'x'; 70_000]] {
        check(&Content::String(text.to_vec()), 64);
        check(&Content::Object(Object::String(LongString::from(text.to_vec()))), 64);
    }
}

#[test]
fn whole_data_sets_come_back() {
    let contents = contents(5, 300, true);
    let (mut out, mut expected) = (CommandEncoder::new(true), Replay::default());
    for ((db, key), content) in contents.keys {
        // Consumers of the common streams were seen at times that commands do not tell.
        if matches!(&content.value, Content::Object(Object::Stream(stream)) if stream.groups_len() > 0) {
            continue;
        }
        out.select(db as u32);
        out.key(&key, content.value.as_value(), content.info.expire_ms);
        expected.keys.insert((db, key), (content.value, content.info.expire_ms));
    }
    let bytes = out.take();
    assert_eq!(Replay::of(&bytes), expected);
    let selections = commands(&bytes).iter().filter(|command| command[0] == b"SELECT").count();
    assert_eq!(selections, 2);
}

#[test]
fn integers_and_scores_come_back_to_the_bit() {
    let mut out = CommandEncoder::new(true);
    for (key, int) in [("a", i64::MIN), ("b", i64::MAX), ("c", 0)] {
        out.key(key.as_bytes(), ValueRef::Int(int), None);
    }
    let replay = Replay::of(out.seal());
    let text = |text: &str| (Content::String(text.as_bytes().to_vec()), None);
    assert_eq!(replay.keys[&(0, b"a".to_vec())], text("-9223372036854775808"));
    assert_eq!(replay.keys[&(0, b"b".to_vec())], text("9223372036854775807"));

    let mut rng = Rng::new(3);
    let special = [-0.0, f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX, 0.1 + 0.2, 1e23, 9007199254740993.0];
    let random = (0..2000).map(|_| f64::from_bits(rng.next_u64())).filter(|score| !score.is_nan());
    let scores: Vec<f64> = special.into_iter().chain(random).collect();
    // Not a small one, in which a zero has no sign.
    let mut zset = ZSet::new();
    for (at, score) in scores.iter().enumerate() {
        let limits = ZSetLimits { listpack_entries_max: 0, ..ZSetLimits::default() };
        zset.add(at.to_string().as_bytes(), *score, AddRule::default(), &limits).unwrap();
    }
    let written = commands(&plain(&Content::Object(zset.into_object()), None));
    let pairs =
        written.iter().filter(|command| command[0] == b"ZADD").flat_map(|command| command[2..].chunks(2));
    let mut count = 0;
    for pair in pairs {
        let member: usize = std::str::from_utf8(&pair[1]).unwrap().parse().unwrap();
        let score = ochre_types::parse_f64(&pair[0]).unwrap();
        assert_eq!(score.to_bits(), scores[member].to_bits(), "{}", pair[0].escape_ascii());
        count += 1;
    }
    assert_eq!(count, scores.len());
}

#[test]
fn large_elements_go_through_a_small_buffer() {
    const ELEMENT: usize = 1 << 20;
    let element = |at: u8| vec![at; ELEMENT];
    let (mut list, mut set, mut zset, mut hash) = (List::new(), Set::new(), ZSet::new(), Hash::new());
    let mut stream = Stream::new();
    for at in 0..20 {
        let element = element(at);
        list.push(End::Tail, [element.as_slice()], &ListLimits::default());
        set.add(&element, &SetLimits::default());
        zset.add(&element, 1.0, AddRule::default(), &ZSetLimits::default()).unwrap();
        let expiry = if at % 2 == 0 { NewExpiry::At(2_000_000_000_000) } else { NewExpiry::Never };
        hash.set_expiring(&element, b"", expiry, 0, &common::HASH_LIMITS);
        let id = IdRequest::Exact(StreamId::new(1, u64::from(at) + 1));
        stream.add(id, &[b"field", &element], Default::default(), 0).unwrap();
    }
    let string = LongString::from(vec![b's'; 20 * ELEMENT]);
    // A field that expires is named a second time.
    for (object, element_bytes) in [
        (list.into_object(), ELEMENT),
        (set.into_object(), ELEMENT),
        (zset.into_object(), ELEMENT),
        (hash.into_object(), 2 * ELEMENT),
        (stream.into_object(), ELEMENT),
        (Object::String(string), 0),
    ] {
        let bytes = pinned(&object, None, 64 << 10, element_bytes);
        let content = Content::Object(object);
        assert!(made(&bytes).0 == content_clone(&content), "{}", content.encoding());
    }
}

#[test]
fn damage_is_found() {
    let mut rng = Rng::new(29);
    let (mut bytes, mut out) = (Vec::new(), CommandEncoder::new(true));
    let string = Object::String(LongString::from(vec![b's'; 1000]));
    for (number, object) in [list(&mut rng, 90).into_object(), string].into_iter().enumerate() {
        out.timestamp(1_700_000_000 + number as u64);
        let mut object = object;
        let mut pinned = object.as_mut().pin();
        let mut parts = pinned_commands(&mut pinned);
        while !parts.write_part(&mut out, b"k", 400) {
            bytes.extend(out.take());
        }
        out.select(number as u32 + 1);
    }
    bytes.extend(out.take());
    let sound = try_commands(&bytes).unwrap();
    let mut found = 0;
    for at in 0..bytes.len() {
        bytes[at] ^= 1 << (at % 8);
        match try_commands(&bytes) {
            // In the word or the timestamp of an annotation.
            Ok(commands) => assert_eq!(commands, sound, "{at}"),
            Err(_) => found += 1,
        }
        bytes[at] ^= 1 << (at % 8);
    }
    assert!(found > bytes.len() * 9 / 10, "{found} of {}", bytes.len());
}

/// A stream that has all that commands can rebuild, with holes where something refers to.
fn stream_with_all(rng: &mut Rng, len: u64, now_ms: i64) -> Stream {
    let mut stream = stream(rng, len);
    let some = |rng: &mut Rng, count: u64| -> Vec<StreamId> {
        (0..count).map(|_| rng.below(len) + 1).map(|at| StreamId::new(at / 3, at)).collect()
    };
    for group in [&b"one"[..], b"two", b"empty", b""] {
        let read = (rng.below(2) == 0).then_some(0);
        stream.create_group(group, StreamId::MIN, read).unwrap();
    }
    stream.create_consumer(b"one", b"idle", now_ms).unwrap();
    for (group, consumer, count) in [("one", "a", len / 4 + 1), ("one", "b", len / 8), ("two", "a", len / 2)]
    {
        stream.deliver(group.as_bytes(), consumer.as_bytes(), Some(count), false, now_ms).unwrap();
    }
    for deliveries in [1, 2, u64::from(u32::MAX) + 5] {
        let time = ClaimTime::At(rng.below(now_ms as u64) as i64);
        let options =
            ClaimOptions { time, deliveries: Some(deliveries), force: true, ..ClaimOptions::default() };
        let ids = some(rng, len / 10 + 1);
        stream.claim(b"one", b"c", &ids, &options, now_ms).unwrap();
        stream.give_back(b"two", &some(rng, len / 20), NackMode::Fatal, None, false).unwrap();
        stream.give_back(b"two", &some(rng, len / 20), NackMode::Fail, None, true).unwrap();
    }
    let limits = IdempotencyLimits { duration_s: 300, ids_max: 20 };
    stream.set_idempotency_limits(limits);
    for (at, entry) in some(rng, 10).into_iter().enumerate() {
        let producer = [b'p', (at % 3) as u8];
        stream.remember_message(&producer, at.to_string().as_bytes(), entry, limits, now_ms).unwrap();
    }
    let ids: Vec<StreamId> = some(rng, len / 10);
    ids.iter().for_each(|id| _ = stream.delete_with(*id, References::Keep));
    delete_consumers_without_anything(&mut stream);
    stream
}

/// Those that were active and have nothing pending: when they were is not told.
fn delete_consumers_without_anything(stream: &mut Stream) {
    let mut deleted = Vec::new();
    for (name, group) in stream.groups() {
        let idle = group.consumers().filter(|it| it.pending_len() == 0 && it.active_ms().is_some());
        deleted.extend(idle.map(|it| (name.to_vec(), it.name().to_vec())));
    }
    for (group, consumer) in deleted {
        stream.delete_consumer(&group, &consumer).unwrap();
    }
}

/// How the messages of producers are compared, which streams that are equal may differ in.
fn messages(stream: &Stream) -> Vec<(Vec<u8>, Vec<u8>, StreamId)> {
    stream.messages().map(|(producer, id, entry, _)| (producer.to_vec(), id.to_vec(), entry)).collect()
}

#[test]
fn what_refers_to_entries_that_are_gone_comes_back() {
    let mut rng = Rng::new(17);
    for len in [1, 2, 10, 300] {
        for trimmed in [0, 1, len / 2, len] {
            let mut stream = stream_with_all(&mut rng, len, NOW_MS);
            let (to, references) = (TrimTo::Len(stream.len().saturating_sub(trimmed)), References::Keep);
            stream.trim(&Trim { to, approximate: false, limit: 0, references });
            let expected = (messages(&stream), stream.idempotency_limits());
            let object = stream.into_object();
            for bytes in [plain(&Content::Object(object.clone()), None), pinned(&object, None, 500, 1024)] {
                let Content::Object(made) = made(&bytes).0 else { panic!("a string") };
                assert_eq!(made, object);
                let stream = Stream::of(made.as_ref()).unwrap();
                assert_eq!((messages(stream), stream.idempotency_limits()), expected);
            }
        }
    }
}
