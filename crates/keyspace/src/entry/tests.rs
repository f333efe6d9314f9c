//! Entries of every shape.

use ochre_types::hash::Hash;
use ochre_types::list::List;
use ochre_types::set::{Set, SetLimits};
use ochre_types::{DataType, ObjectRef};

use super::*;

fn cases() -> Vec<(Vec<u8>, OwnedValue)> {
    let mut cases = Vec::new();
    for key_len in [0, 1, 16, 255, 256, 70_000] {
        for value_len in [0, 1, 8, 44, 45, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1] {
            let value = OwnedValue::Bytes { bytes: vec![b'v'; value_len], raw: value_len % 2 == 0 };
            cases.push((vec![b'k'; key_len], value));
        }
        cases.push((vec![b'k'; key_len], OwnedValue::Int(i64::MIN)));
        let long = Object::String(vec![7; 100_000].into());
        let objects = [long, List::new().into_object(), set().into_object(), Hash::new().into_object()];
        cases.extend(objects.map(|object| (vec![b'k'; key_len], OwnedValue::Object(object))));
    }
    cases
}

/// A value whose loss the address sanitizer would see.
fn set() -> Set {
    let mut set = Set::new();
    (0..1000).for_each(|number: i32| {
        set.add(number.to_string().as_bytes(), &SetLimits::default());
    });
    set
}

fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Bytes { bytes, .. } => format!("{:?}", bytes),
        ValueRef::Object(ObjectRef::String(bytes)) => format!("{:?}", &bytes[..]),
        ValueRef::Object(object) => format!("{object:?}"),
        ValueRef::Int(number) => number.to_string(),
    }
}

fn same(a: ValueRef<'_>, b: &OwnedValue) -> bool {
    let b = match b {
        OwnedValue::Int(number) => ValueRef::Int(*number),
        OwnedValue::Bytes { bytes, raw } => ValueRef::Bytes { bytes, raw: *raw },
        OwnedValue::Object(object) => ValueRef::Object(object.as_ref()),
    };
    text(a) == text(b)
}

#[test]
fn every_shape_keeps_key_value_and_expiry() {
    for (key, value) in cases() {
        for expire in [None, Some(0), Some(i64::MAX)] {
            let entry = value.clone().hand_over(|value| Entry::new(&key, value, expire, 0xabcdef));
            assert_eq!(entry.as_ref().key(), key);
            assert!(same(entry.as_ref().value(), &value));
            assert_eq!(entry.as_ref().expire_ms(), expire);
            assert_eq!(entry.as_ref().access(), 0xabcdef);
            let entry = entry.with_expire(Some(5)).with_key(b"other").with_expire(None);
            assert_eq!((entry.as_ref().key(), entry.as_ref().expire_ms()), (&b"other"[..], None));
            assert!(same(entry.as_ref().value(), &value));
        }
    }
}

#[test]
fn overwriting_in_place_needs_the_same_block() {
    let bytes = |bytes| NewValue::Bytes { bytes, raw: false };
    let mut entry = Entry::new(b"0123456789abcdef", bytes(b"12345678"), None, 0);
    assert!(entry.as_mut().overwrite(&bytes(b"12")));
    assert!(same(entry.as_ref().value(), &OwnedValue::Bytes { bytes: b"12".to_vec(), raw: false }));
    assert!(!entry.as_mut().overwrite(&bytes(b"123456789")));
    assert!(!entry.as_mut().overwrite(&NewValue::Int(1)));
    assert_eq!(entry.as_ref().memory_bytes_estimate(1), 32);
}

#[test]
fn appending_in_place_needs_room_in_the_block() {
    let bytes = |bytes| NewValue::Bytes { bytes, raw: false };
    let mut entry = Entry::new(b"key", bytes(b"1234"), Some(7), 3);
    assert_eq!(entry.as_mut().append(b"56789"), Some(9));
    assert!(matches!(entry.as_ref().value(), ValueRef::Bytes { bytes: b"123456789", raw: true }));
    assert_eq!((entry.as_ref().key(), entry.as_ref().expire_ms()), (&b"key"[..], Some(7)));
    assert_eq!(entry.as_mut().append(b"0123"), Some(13), "the last bytes of the block");
    assert_eq!((entry.as_mut().append(b"x"), entry.as_mut().append(b"")), (None, Some(13)));
    assert_eq!(Entry::new(b"key", NewValue::Int(7), None, 0).as_mut().append(b""), None);
}
