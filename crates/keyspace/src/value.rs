//! Values: as they are read, as they are handed in, on their way from one key to another.

use ochre_types::{Object, ObjectRef};

/// A value as it is read.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string that is the canonical form of an integer.
    Int(i64),
    /// A string of bytes; `raw` tells how OBJECT ENCODING names it.
    Bytes {
        /// The content.
        bytes: &'a [u8],
        /// Whether the string was changed in place once or is too long for the embedded encoding.
        raw: bool,
    },
    /// Anything with memory of its own.
    Object(ObjectRef<'a>),
}

/// A value as it is handed in.
#[derive(Debug)]
pub enum NewValue<'a> {
    /// A string that is the canonical form of an integer.
    Int(i64),
    /// A string of bytes.
    Bytes {
        /// The content.
        bytes: &'a [u8],
        /// Whether OBJECT ENCODING shall say `raw`.
        raw: bool,
    },
    /// Anything with memory of its own.
    Object(Object),
}

/// A value on its way from one key to another.
#[derive(Debug, Clone)]
pub enum OwnedValue {
    /// A string that is the canonical form of an integer.
    Int(i64),
    /// A string of bytes.
    Bytes {
        /// The content.
        bytes: Vec<u8>,
        /// Whether OBJECT ENCODING says `raw`.
        raw: bool,
    },
    /// Anything with memory of its own.
    Object(Object),
}

impl OwnedValue {
    /// Hands the value over in the form that a table takes in.
    pub fn hand_over<R>(self, taker: impl FnOnce(NewValue<'_>) -> R) -> R {
        match self {
            OwnedValue::Int(number) => taker(NewValue::Int(number)),
            OwnedValue::Bytes { bytes, raw } => taker(NewValue::Bytes { bytes: &bytes, raw }),
            OwnedValue::Object(object) => taker(NewValue::Object(object)),
        }
    }
}

impl From<ValueRef<'_>> for OwnedValue {
    /// A copy of the value.
    fn from(value: ValueRef<'_>) -> OwnedValue {
        match value {
            ValueRef::Int(number) => OwnedValue::Int(number),
            ValueRef::Bytes { bytes, raw } => OwnedValue::Bytes { bytes: bytes.to_vec(), raw },
            ValueRef::Object(object) => OwnedValue::Object(object.to_object()),
        }
    }
}
