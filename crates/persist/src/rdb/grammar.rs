//! Where a value ends: the shape of every type as data, and one function that passes over a shape.
//!
//! This is all that the thread has to do which reads a file: it cuts the file into records and leaves decompressing,
//! checking and building to whoever takes them (a value is looked into only as far as lengths go). Each element takes a
//! byte at least, so passing over a shape is bounded by the bytes that are there.

use super::cursor::Cursor;
use super::error::RdbError;
use super::format::{ValueType, code};
use super::template::{self, Templates};
use super::version::Dialect;

/// A part of a value.
#[derive(Clone, Copy, Debug)]
enum Part {
    Text,
    Length,
    /// As many bytes.
    Bytes(u64),
    /// A score as text.
    Score,
    /// A length, and as many times these parts.
    Times(&'static [Part]),
    /// What a module wrote, up to its end mark.
    Module,
    /// The elements of an array.
    Array,
    /// The names of a template.
    Names,
    /// The names of a template, and a text for each of them.
    NamesAndValues,
    /// The number of a template, and a text for each of its names.
    Values,
}

use Part::{Array, Bytes, Length, Module, Names, NamesAndValues, Score, Text, Times, Values};

/// Bytes of an entry's ID where it is not written as two lengths.
const ID: Part = Bytes(16);
const MS: Part = Bytes(8);

const NODES: Part = Times(&[Text, Text]);
const PENDING: Part = Times(&[ID, MS, Length]);
/// A consumer up to version 2, and with the time when it was last active.
const CONSUMERS: Part = Times(&[Text, MS, Times(&[ID])]);
const ACTIVE_CONSUMERS: Part = Times(&[Text, MS, MS, Times(&[ID])]);
/// What is remembered of producers: limits, messages by producer, totals.
const PRODUCERS: [Part; 5] = [Length, Length, Times(&[Text, Times(&[Text, Length, Length])]), Length, Length];

/// Number of entries and the last ID; the first ID, the greatest deleted one and the number of entries ever added.
const FIGURES_1: [Part; 3] = [Length; 3];
const FIGURES_2: [Part; 8] = [Length; 8];

const GROUPS_1: Part = Times(&[Text, Length, Length, PENDING, CONSUMERS]);
const GROUPS_2: Part = Times(&[Text, Length, Length, Length, PENDING, CONSUMERS]);
const GROUPS_3: Part = Times(&[Text, Length, Length, Length, PENDING, ACTIVE_CONSUMERS]);
/// With the pending entries that have no consumer.
const GROUPS_5: Part = Times(&[Text, Length, Length, Length, PENDING, ACTIVE_CONSUMERS, Times(&[ID])]);

/// The parts of a type, in three pieces so that streams can share theirs.
type Shape = [&'static [Part]; 3];

const fn one(parts: &'static [Part]) -> Shape {
    [parts, &[], &[]]
}

fn shape(kind: ValueType) -> Option<Shape> {
    let is_redis = kind.dialect == Dialect::Redis;
    Some(match kind.code {
        code::STRING
        | code::HASH_ZIPMAP
        | code::LIST_ZIPLIST
        | code::SET_INTSET
        | code::ZSET_ZIPLIST
        | code::HASH_ZIPLIST
        | code::HASH_LISTPACK
        | code::ZSET_LISTPACK
        | code::SET_LISTPACK
        | code::HASH_LISTPACK_EX_PRE_RELEASE
        | code::HASH_TEMPLATE_LISTPACK_REF => one(&[Text]),
        code::LIST | code::SET | code::LIST_QUICKLIST => one(&[Times(&[Text])]),
        code::ZSET => one(&[Times(&[Text, Score])]),
        code::ZSET_2 => one(&[Times(&[Text, Bytes(8)])]),
        code::HASH => one(&[Times(&[Text, Text])]),
        code::MODULE_2 => one(&[Length, Module]),
        code::LIST_QUICKLIST_2 => one(&[Times(&[Length, Text])]),
        code::HASH_METADATA_PRE_RELEASE if is_redis => one(&[Times(&[Length, Text, Text])]),
        code::HASH_2 => one(&[Times(&[Text, Text, MS])]),
        code::HASH_METADATA => one(&[MS, Times(&[Length, Text, Text])]),
        code::HASH_LISTPACK_EX => one(&[MS, Text]),
        code::STREAM => [&[NODES], &FIGURES_1, &[GROUPS_1]],
        code::STREAM_2 => [&[NODES], &FIGURES_2, &[GROUPS_2]],
        code::STREAM_3 => [&[NODES], &FIGURES_2, &[GROUPS_3]],
        code::STREAM_4 => [&[NODES], &FIGURES_2, &STREAM_4_END],
        code::STREAM_5 => [&[NODES], &FIGURES_2, &STREAM_5_END],
        code::ARRAY => one(&[Array]),
        code::HASH_TEMPLATE_LISTPACK => one(&[Names, Text]),
        code::HASH_TEMPLATE_ARRAY => one(&[NamesAndValues]),
        code::HASH_TEMPLATE_ARRAY_REF => one(&[Values]),
        _ => return None,
    })
}

const STREAM_4_END: [Part; 6] =
    [GROUPS_3, PRODUCERS[0], PRODUCERS[1], PRODUCERS[2], PRODUCERS[3], PRODUCERS[4]];
const STREAM_5_END: [Part; 6] =
    [GROUPS_5, PRODUCERS[0], PRODUCERS[1], PRODUCERS[2], PRODUCERS[3], PRODUCERS[4]];

/// Passes over a value.
///
/// # Errors
/// When there are not enough bytes, or none of this type.
pub(super) fn skip(kind: ValueType, cursor: &mut Cursor<'_>, templates: &Templates) -> Result<(), RdbError> {
    if kind.code == code::STRING {
        return cursor.skip_text();
    }
    let Some(shape) = shape(kind) else {
        return Err(RdbError::Type(kind.code));
    };
    shape.iter().try_for_each(|parts| skip_parts(parts, cursor, templates))
}

fn skip_parts(parts: &[Part], cursor: &mut Cursor<'_>, templates: &Templates) -> Result<(), RdbError> {
    for part in parts {
        match part {
            Text => cursor.skip_text()?,
            Length => cursor.length().map(drop)?,
            Bytes(len) => cursor.take(*len).map(drop)?,
            Score => cursor.skip_score_text()?,
            Times([Text]) => (0..cursor.length()?).try_for_each(|_| cursor.skip_text())?,
            Times(body) => {
                (0..cursor.length()?).try_for_each(|_| skip_parts(body, cursor, templates))?;
            }
            Module => while cursor.skip_module_part()? {},
            Array => skip_array(cursor)?,
            Names => template::read_names(cursor).map(drop)?,
            NamesAndValues => {
                let names = template::read_names(cursor)?.len();
                (0..names).try_for_each(|_| cursor.skip_text())?;
            }
            Values => {
                let names = templates.get(cursor.length()?)?.len();
                (0..names).try_for_each(|_| cursor.skip_text())?;
            }
        }
    }
    Ok(())
}

/// Passes over an array of Redis 8.8.
fn skip_array(cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
    (0..skip_array_head(cursor)?).try_for_each(|_| skip_array_element(cursor))
}

/// What stands in front of an array's elements: their number, and an index to insert at if there is one.
pub(super) fn skip_array_head(cursor: &mut Cursor<'_>) -> Result<u64, RdbError> {
    let count = cursor.length()?;
    match cursor.length()? {
        0 => {}
        1 => cursor.length().map(drop)?,
        _ => return Err(RdbError::Corrupt("Unknown form of an array")),
    }
    Ok(count)
}

/// An element of an array: its index, its kind, and a text or eight bytes.
pub(super) fn skip_array_element(cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
    cursor.length()?;
    match cursor.length()? {
        0 | 3 => cursor.skip_text(),
        1 | 2 => cursor.take(8).map(drop),
        _ => Err(RdbError::Corrupt("Unknown kind of an array's element")),
    }
}

/// Passes over what modules keep beside a key: a number of classes, for each of them what it is and its values.
pub(super) fn skip_key_metadata(cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
    skip_parts(&[Times(&[Bytes(4), Module])], cursor, &Templates::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_shape_that_ends() {
        for (dialect, last) in [(Dialect::Redis, 32), (Dialect::Valkey, 22)] {
            for code in 0..=255 {
                let kind = ValueType::new(code, dialect);
                assert_eq!(kind.is_some(), code <= last && code != 8);
                let Some(kind) = kind.filter(|kind| kind.code != code::MODULE_PRE_RELEASE) else { continue };
                assert!(shape(kind).is_some(), "{code}");
                // Zeros: nothing, with an end.
                let zeros = [0; 64];
                let mut cursor = Cursor::new(&zeros);
                let skipped = skip(kind, &mut cursor, &Templates::default());
                assert!(skipped.is_ok() || kind.name().contains("template"), "{code} {skipped:?}");
                let at_once = skip(kind, &mut Cursor::new(&[]), &Templates::default());
                assert_eq!(at_once, Err(RdbError::Truncated), "{code}");
            }
        }
    }

    #[test]
    fn numbers_that_the_bytes_do_not_justify_end_at_once() {
        let many = b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01a\x01b";
        for code in [code::LIST, code::SET, code::ZSET_2, code::HASH, code::STREAM_3, code::ARRAY] {
            let kind = ValueType { code, dialect: Dialect::Redis };
            let skipped = skip(kind, &mut Cursor::new(many), &Templates::default());
            assert_eq!(skipped, Err(RdbError::Truncated), "{code}");
        }
    }
}
