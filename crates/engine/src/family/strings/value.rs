//! A string value as commands see it, whatever its encoding.

use ochre_keyspace::{EntryRef, INLINE_BYTES_MAX, NewValue, ValueRef};
use ochre_resp::ReplyWriter;
use ochre_types::{Object, ObjectRef, StrEncoding};

use crate::call::Args;
use crate::error::{Error, NOT_AN_INTEGER, WRONG_TYPE};

/// A string that is being read.
#[derive(Clone, Copy)]
pub(in crate::family) enum StringRef<'a> {
    /// The canonical text of an integer.
    Int(i64),
    /// Any bytes.
    Bytes(&'a [u8]),
}

impl<'a> StringRef<'a> {
    /// The string of an entry.
    ///
    /// # Errors
    /// The entry holds another type.
    #[inline]
    pub fn of(entry: EntryRef<'a>) -> Result<StringRef<'a>, Error> {
        StringRef::of_value(entry.value())
    }

    /// The string that a value is.
    ///
    /// # Errors
    /// It is of another type.
    #[inline]
    pub fn of_value(value: ValueRef<'a>) -> Result<StringRef<'a>, Error> {
        match value {
            ValueRef::Int(number) => Ok(StringRef::Int(number)),
            ValueRef::Bytes { bytes, .. } => Ok(StringRef::Bytes(bytes)),
            ValueRef::Object(ObjectRef::String(bytes)) => Ok(StringRef::Bytes(bytes)),
            ValueRef::Object(_) => Err(WRONG_TYPE),
        }
    }

    /// Writes it as a bulk string.
    #[inline]
    pub fn reply(self, reply: &mut ReplyWriter<'_>) {
        match self {
            StringRef::Int(number) => reply.bulk_int(number),
            StringRef::Bytes(bytes) => reply.bulk(bytes),
        }
    }

    /// What `f` makes of its bytes.
    #[inline]
    pub fn with<R>(self, f: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            StringRef::Int(number) => f(itoa::Buffer::new().format(number).as_bytes()),
            StringRef::Bytes(bytes) => f(bytes),
        }
    }

    /// Its length in bytes.
    pub fn len(self) -> usize {
        self.with(<[u8]>::len)
    }

    /// The integer that it is.
    ///
    /// # Errors
    /// It is none.
    #[inline]
    pub fn integer(self) -> Result<i64, Error> {
        match self {
            StringRef::Int(number) => Ok(number),
            StringRef::Bytes(bytes) => ochre_types::parse_i64(bytes).ok_or(NOT_AN_INTEGER),
        }
    }
}

/// A value in the encoding that SET gives it under a key of `key_len` bytes.
#[inline]
pub(crate) fn new_string(key_len: usize, value: &[u8]) -> NewValue<'_> {
    match ochre_types::is_int_encodable(value) {
        Some(number) => NewValue::Int(number),
        None => new_text(key_len, value),
    }
}

/// The same for an argument: a large one is not copied, the value shares it with the request until that is over.
#[inline]
pub(super) fn given_string<'a>(args: Args<'_>, key_len: usize, value: &'a [u8]) -> NewValue<'a> {
    match args.part(value) {
        Some(part) => NewValue::Object(Object::String(part.share())),
        None => new_string(key_len, value),
    }
}

/// A value that commands have made and will change again, raw.
pub(in crate::family) fn raw_string(bytes: Vec<u8>, store: impl FnOnce(NewValue<'_>)) {
    match bytes.len() > INLINE_BYTES_MAX {
        true => store(NewValue::Object(Object::String(bytes.into()))),
        false => store(NewValue::Bytes { bytes: &bytes, raw: true }),
    }
}

/// The same for a value that stays text even if it reads as an integer.
#[inline]
pub(super) fn new_text(key_len: usize, value: &[u8]) -> NewValue<'_> {
    let encoding = StrEncoding::of_new_text(key_len, value.len());
    NewValue::Bytes { bytes: value, raw: encoding == StrEncoding::Raw }
}
