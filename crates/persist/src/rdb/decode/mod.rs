//! Values from bytes: of every type that a Redis or Valkey ever wrote.
//!
//! A value is built element by element. A step takes one element, or nothing if the element is not all there; so the same
//! code reads a record that is there as a whole, and a value that is larger than anybody wants to have in one piece: then
//! never more than its largest element has to be there.
//!
//! Nothing is taken on trust. Counts are only believed as far as elements follow, every element of a ziplist, zipmap,
//! listpack, intset or stream node is looked at, members that come twice are found. This is what Redis does with
//! `sanitize-dump-payload yes`; there is no quicker way, because the bytes are taken apart anyway where our own
//! encodings differ.
//!
//! - `text`, `list`, `set`, `zset`, `hash`, `stream`: one for each type
//! - `foreign`: what only modules or other servers understand
//! - `ziplist`, `zipmap`: encodings that no server writes any more

mod foreign;
mod hash;
mod list;
mod set;
mod stream;
mod text;
mod ziplist;
mod zipmap;
mod zset;

use ochre_types::Object;
use ochre_types::hash::HashLimits;
use ochre_types::list::ListLimits;
use ochre_types::set::SetLimits;
use ochre_types::stream::IdempotencyLimits;
use ochre_types::zset::ZSetLimits;

use super::cursor::Cursor;
use super::error::RdbError;
use super::format::{ValueType, code};
use super::template::Templates;
use super::text::Text;
use super::version::Dialect;

/// When values have which encoding: the limits of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of lists.
    pub list: ListLimits,
    /// Of sets.
    pub set: SetLimits,
    /// Of sorted sets.
    pub zset: ZSetLimits,
    /// Of hashes.
    pub hash: HashLimits,
    /// What streams remember that have no limits of their own.
    pub idempotency: IdempotencyLimits,
}

impl Default for Limits {
    /// The defaults of the configuration.
    fn default() -> Limits {
        Limits {
            list: ListLimits::default(),
            set: SetLimits::default(),
            zset: ZSetLimits::default(),
            hash: HashLimits { entries_max: 512, value_bytes_max: 64 },
            idempotency: IdempotencyLimits::default(),
        }
    }
}

/// A value that was read.
#[derive(Debug, PartialEq)]
pub enum Value<'a> {
    /// A string.
    String(Text<'a>),
    /// Anything else.
    Object(Object),
}

/// Whether a value is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    More,
    Done,
}

/// The next step's outcome; nothing is taken where it is an error.
type Step = Result<Progress, RdbError>;

/// A value that is being built.
pub(super) enum Decoder<'c> {
    Text(text::TextDecoder),
    List(list::ListDecoder<'c>),
    Set(set::SetDecoder<'c>),
    ZSet(zset::ZSetDecoder<'c>),
    Hash(hash::HashDecoder<'c>),
    Stream(Box<stream::StreamDecoder<'c>>),
    Foreign(foreign::ForeignDecoder),
}

impl<'c> Decoder<'c> {
    /// Begins a value of a type.
    ///
    /// # Errors
    /// When no value of this type can be read.
    pub(super) fn new(
        kind: ValueType,
        limits: &'c Limits,
        templates: &'c Templates,
    ) -> Result<Decoder<'c>, RdbError> {
        Ok(match kind.code {
            code::STRING => Decoder::Text(text::TextDecoder::new()),
            code::LIST | code::LIST_ZIPLIST | code::LIST_QUICKLIST | code::LIST_QUICKLIST_2 => {
                Decoder::List(list::ListDecoder::new(kind.code, &limits.list))
            }
            code::SET | code::SET_INTSET | code::SET_LISTPACK => {
                Decoder::Set(set::SetDecoder::new(kind.code, &limits.set))
            }
            code::ZSET | code::ZSET_2 | code::ZSET_ZIPLIST | code::ZSET_LISTPACK => {
                Decoder::ZSet(zset::ZSetDecoder::new(kind.code, &limits.zset))
            }
            code::STREAM | code::STREAM_2 | code::STREAM_3 | code::STREAM_4 | code::STREAM_5 => {
                Decoder::Stream(Box::new(stream::StreamDecoder::new(kind.code, limits)))
            }
            code::MODULE_2 | code::ARRAY => Decoder::Foreign(foreign::ForeignDecoder::new(kind.code)),
            _ => {
                let hash = hash::HashDecoder::new(kind, &limits.hash, templates);
                Decoder::Hash(hash.ok_or(RdbError::Type(kind.code))?)
            }
        })
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match self {
            Decoder::Text(decoder) => decoder.step(cursor),
            Decoder::List(decoder) => decoder.step(cursor),
            Decoder::Set(decoder) => decoder.step(cursor),
            Decoder::ZSet(decoder) => decoder.step(cursor),
            Decoder::Hash(decoder) => decoder.step(cursor),
            Decoder::Stream(decoder) => decoder.step(cursor),
            Decoder::Foreign(decoder) => decoder.step(cursor),
        }
    }

    /// Takes as many elements as are all there; whether the value is complete. The cursor is then behind it, else behind the
    /// last element that was taken.
    pub(super) fn feed(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, RdbError> {
        loop {
            let before = *cursor;
            match self.step(cursor) {
                Ok(Progress::More) => {}
                Ok(Progress::Done) => return Ok(true),
                Err(RdbError::Truncated) => {
                    *cursor = before;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The value, once it is complete.
    pub(super) fn finish(self) -> Result<Value<'static>, RdbError> {
        match self {
            Decoder::Text(decoder) => Ok(Value::String(decoder.finish())),
            Decoder::List(decoder) => decoder.finish().map(|list| Value::Object(Object::List(list))),
            Decoder::Set(decoder) => decoder.finish().map(|set| Value::Object(Object::Set(set))),
            Decoder::ZSet(decoder) => decoder.finish().map(|zset| Value::Object(Object::ZSet(zset))),
            Decoder::Hash(decoder) => decoder.finish().map(|hash| Value::Object(Object::Hash(hash))),
            Decoder::Stream(decoder) => decoder.finish().map(|stream| Value::Object(Object::Stream(stream))),
            Decoder::Foreign(decoder) => Err(decoder.finish()),
        }
    }
}

/// The value of a type that is all there, and nothing behind it is looked at.
pub(super) fn decode<'a>(
    kind: ValueType,
    cursor: &mut Cursor<'a>,
    limits: &Limits,
    templates: &Templates,
) -> Result<Value<'a>, RdbError> {
    if kind.code == code::STRING {
        return cursor.text().map(Value::String);
    }
    let mut decoder = Decoder::new(kind, limits, templates)?;
    if decoder.feed(cursor)? { decoder.finish() } else { Err(RdbError::Truncated) }
}

/// How many elements are still to come: at first not known.
#[derive(Clone, Copy)]
struct Left(Option<u64>);

impl Left {
    /// As many as the next length says.
    fn unknown() -> Left {
        Left(None)
    }

    fn of(count: u64) -> Left {
        Left(Some(count))
    }

    /// Takes one, after it was read.
    fn take_one(&mut self) -> Step {
        self.0 = self.0.map(|left| left.saturating_sub(1));
        Ok(Progress::More)
    }
}

/// How much room is worth making for `count` elements that are announced, each of which takes a byte at least.
fn room_for(count: u64, cursor: &Cursor<'_>) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX).min(cursor.remaining())
}

/// Whether a type's number is one that only Valkey gives it.
fn is_of_valkey(kind: ValueType, code: u8) -> bool {
    kind.code == code && kind.dialect == Dialect::Valkey
}
