//! The view: watchers of keys whose time comes, values that change their key, walks that lock one stripe at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{
    Effects, Expiry, Key, Keyspace, Locks, NewValue, Overwritten, OwnedValue, ValueRef, View, WatchFlag,
    event_class,
};
use ochre_types::{Object, ObjectRef};

const BEFORE_MS: i64 = 50;
const EXPIRE_MS: i64 = 100;
const AFTER_MS: i64 = 200;

fn at<R>(keyspace: &Keyspace, now_ms: i64, step: impl FnOnce(&mut View<'_>, Key<'_>) -> R) -> R {
    let mut effects = Effects::default();
    let key = keyspace.key(b"k");
    step(&mut keyspace.view(Locks::All, now_ms, &mut effects), key)
}

fn set_to_expire(view: &mut View<'_>, key: Key<'_>) {
    view.set(0, key, NewValue::Int(1), Expiry::At(EXPIRE_MS));
}

/// Whether a watcher of a key that expires at `EXPIRE_MS` refuses after a change at `AFTER_MS`.
fn refuses(watched_ms: i64, change: fn(&mut View<'_>, Key<'_>)) -> bool {
    let keyspace = Keyspace::new(2, 1, 7);
    let flag = Arc::new(WatchFlag::default());
    at(&keyspace, 0, set_to_expire);
    at(&keyspace, watched_ms, |view, key| assert!(view.watch(0, key, &flag) && !view.watch(0, key, &flag)));
    at(&keyspace, AFTER_MS, change);
    at(&keyspace, AFTER_MS, |view, key| flag.is_raised() || view.has_watched_expired(0, key, &flag))
}

#[test]
fn watchers_of_keys_whose_time_comes() {
    type Change = fn(&mut View<'_>, Key<'_>);
    let cases: [(&str, Change, bool, bool); 7] = [
        ("nothing", |_, _| {}, true, false),
        ("a look", |view, key| assert!(!view.exists(0, key)), true, false),
        ("removal", |view, key| assert!(!view.remove(0, key)), true, false),
        ("clearing", |view, _| drop(view.clear(0)), true, false),
        ("swapping", |view, _| view.swap(0, 1), true, false),
        ("setting", |view, key| view.set(0, key, NewValue::Int(2), Expiry::Clear), true, true),
        ("the other database", |view, _| drop(view.clear(1)), true, false),
    ];
    for (name, change, seen_alive, seen_stale) in cases {
        assert_eq!(refuses(BEFORE_MS, change), seen_alive, "{name}, watched alive");
        assert_eq!(refuses(AFTER_MS, change), seen_stale, "{name}, watched when its time had come");
    }
}

#[test]
fn a_transfer_is_one_change_with_its_events() {
    let keyspace = Keyspace::new(2, 1, 7);
    keyspace.settings.notify_classes.store(u32::MAX, Relaxed);
    let mut effects = Effects::default();
    let (from, to) = (keyspace.key(b"from"), keyspace.key(b"to"));
    keyspace.view(Locks::All, 0, &mut effects).set(0, from, NewValue::Int(1), Expiry::At(EXPIRE_MS));
    keyspace.view(Locks::All, 0, &mut effects).set(1, to, NewValue::Int(2), Expiry::Clear);
    effects.clear();
    let mut view = keyspace.view(Locks::All, 0, &mut effects);
    let overwritten = view.transfer((0, from), (1, to));
    assert_eq!(overwritten, Some(Some(Overwritten::SameType)));
    view.notify_overwritten(1, to, overwritten.flatten());
    assert_eq!(view.peek(1, to).and_then(|entry| entry.expire_ms()), Some(EXPIRE_MS));
    assert!(!view.exists(0, from));
    assert_eq!(view.transfer((0, from), (1, to)), None);
    assert_eq!(view.put(0, from, OwnedValue::Int(3), None), None);
    drop(view);
    assert_eq!(effects.dirty, 2);
    let events: Vec<_> = effects.events.iter().map(|event| (event.class, event.name, event.db)).collect();
    let expected = [
        (event_class::NEW, "new", 1),
        (event_class::OVERWRITTEN, "overwritten", 1),
        (event_class::NEW, "new", 0),
    ];
    assert_eq!(events, expected);
}

#[test]
fn a_walk_holds_one_stripe_at_a_time() {
    let keyspace = Keyspace::new(1, 1, 7);
    let (mut effects, mut others) = (Effects::default(), Effects::default());
    let mut walker = keyspace.view(Locks::None, 0, &mut effects);
    let step = (1u64 << 48) / keyspace.stripes() as u64;
    for position in (0..1u64 << 48).step_by(step as usize) {
        walker.walk_to(position);
        assert_eq!(
            walker.visit_line(0, position, &mut |_| {}),
            (position + step < 1 << 48).then_some(position + step)
        );
    }
    // It holds the last stripe now; the others are free.
    for index in 0..keyspace.stripes() - 1 {
        drop(keyspace.try_view_stripe(index, 0, &mut others).unwrap());
    }
}

fn string_of(view: &mut View<'_>, key: Key<'_>) -> Vec<u8> {
    match view.peek(0, key).expect("it is there").value() {
        ValueRef::Int(number) => number.to_string().into_bytes(),
        ValueRef::Bytes { bytes, .. } => bytes.to_vec(),
        ValueRef::Object(ObjectRef::String(bytes)) => bytes.to_vec(),
        ValueRef::Object(_) => panic!("a string"),
    }
}

/// Edits of strings, however they are stored and whatever they grow into, are those of a vector.
#[test]
fn strings_are_edited_wherever_they_live() {
    let keyspace = Keyspace::new(1, 1, 7);
    let mut effects = Effects::default();
    let key = keyspace.key(b"k");
    let mut view = keyspace.view(Locks::All, 0, &mut effects);
    for start in [&b"42"[..], b"short", &[7; 600], &[7; 5000]] {
        for len in [0, 3, 40, 513, 4097, 9000] {
            let (old, at) = (start.to_vec(), len.min(start.len()) / 2);
            let mut model = start.to_vec();
            model.resize(len.max(old.len()), 0);
            model[at] = b'x';
            for in_place in [true, false] {
                view.set(0, key, stored(start), Expiry::At(EXPIRE_MS));
                let changes = match in_place {
                    true => view.edit_string(0, key, len, |bytes, is_longer| {
                        assert_eq!(is_longer, len > old.len());
                        bytes[at] = b'x';
                        3
                    }),
                    false => view
                        .edit_string_buffer(
                            0,
                            key,
                            |_| Ok::<(), ()>(()),
                            |bytes| {
                                bytes.clone_from(&model);
                                3
                            },
                        )
                        .expect("it is admitted"),
                };
                assert_eq!(changes, Some(3));
                assert_eq!(string_of(&mut view, key), model, "{} {len} {in_place}", old.len());
                let entry = view.glance(0, key).expect("it is there");
                assert_eq!(entry.expire_ms(), Some(EXPIRE_MS));
                assert!(!matches!(entry.value(), ValueRef::Int(_) | ValueRef::Bytes { raw: false, .. }));
            }
        }
    }
}

fn stored(bytes: &[u8]) -> NewValue<'_> {
    match bytes.len() {
        2 => NewValue::Int(42),
        0..=4096 => NewValue::Bytes { bytes, raw: false },
        _ => NewValue::Object(Object::String(bytes.to_vec().into())),
    }
}

#[test]
fn edits_count_what_they_change() {
    let keyspace = Keyspace::new(1, 1, 7);
    let mut effects = Effects::default();
    let (key, other) = (keyspace.key(b"k"), keyspace.key(b"other"));
    let mut view = keyspace.view(Locks::All, 0, &mut effects);
    let dirty = |view: &mut View<'_>| std::mem::take(&mut view.effects().dirty);
    assert_eq!(view.edit_string_buffer(0, key, |_| Ok::<(), ()>(()), |_| 1), Ok(None));
    assert_eq!((view.edit_string(0, key, 5, |_, _| 4), dirty(&mut view)), (Some(4), 4));
    assert_eq!((view.edit_string(0, key, 5, |_, _| 0), dirty(&mut view)), (Some(0), 0));
    assert_eq!((view.edit_string(0, key, 9, |_, _| 0), dirty(&mut view)), (Some(0), 1));
    assert_eq!((view.edit_string(0, other, 1, |_, _| 0), dirty(&mut view)), (Some(0), 1));
    assert_eq!(view.edit_string_buffer(0, key, |_| Err("refused"), |_| 1), Err("refused"));
    assert_eq!(
        (view.edit_string_buffer(0, key, |_| Ok::<(), ()>(()), |_| 0), dirty(&mut view)),
        (Ok(Some(0)), 0)
    );
    view.count_changes(key, 2);
    assert_eq!(dirty(&mut view), 2);
}
