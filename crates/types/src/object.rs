//! What a key holds when it does not fit into the entry itself.
//!
//! Small strings and integers live inside their table entry and never become an [`Object`]; everything that grows or
//! has a structure of its own does. One variant per data type; the encodings within a type are private to it. An object
//! lies in the entry of its key, so it is two words, and one of them is the type.

use crate::hash::Hash;
use crate::list::List;
use crate::set::Set;
use crate::stream::Stream;
use crate::string::LongString;

/// A value with memory of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// A string too long for its entry, always of the `raw` encoding.
    String(Box<LongString>),
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A hash.
    Hash(Hash),
    /// A stream.
    Stream(Stream),
}

const _: () = assert!(size_of::<Object>() == 16);

/// Calls a method that every type has.
macro_rules! of_each {
    ($object:expr, $value:ident => $call:expr) => {
        match $object {
            Object::String($value) => $call,
            Object::List($value) => $call,
            Object::Set($value) => $call,
            Object::Hash($value) => $call,
            Object::Stream($value) => $call,
        }
    };
}

impl Object {
    /// The name that TYPE answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Object::String(_) => "string",
            Object::List(_) => List::NAME,
            Object::Set(_) => Set::NAME,
            Object::Hash(_) => Hash::NAME,
            Object::Stream(_) => Stream::NAME,
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        of_each!(self, value => value.encoding_name())
    }

    /// How many allocations freeing this value takes, roughly: what decides whether it is freed elsewhere.
    pub fn free_effort(&self) -> usize {
        of_each!(self, value => value.free_effort())
    }

    /// Bytes allocated behind the value, by capacity.
    pub fn heap_bytes(&self) -> usize {
        let of_box = if let Object::String(string) = self { size_of_val(&**string) } else { 0 };
        of_box + of_each!(self, value => value.heap_bytes())
    }
}

/// A type of which a key's value may be, apart from strings: what the keyspace needs to know of it.
pub trait DataType: Default + Sized {
    /// The name that TYPE answers.
    const NAME: &'static str;

    /// The value, if the object is of this type.
    fn of(object: &Object) -> Option<&Self>;

    /// The value, to be changed, if the object is of this type.
    fn of_mut(object: &mut Object) -> Option<&mut Self>;

    /// The value as an object.
    fn into_object(self) -> Object;

    /// Whether nothing is in it: a key that holds such a value is removed (but for streams).
    fn is_vain(&self) -> bool;
}

macro_rules! data_type {
    ($type:ident, $name:literal, $is_vain:expr) => {
        impl DataType for $type {
            const NAME: &'static str = $name;

            #[inline]
            fn of(object: &Object) -> Option<&$type> {
                if let Object::$type(value) = object { Some(value) } else { None }
            }

            #[inline]
            fn of_mut(object: &mut Object) -> Option<&mut $type> {
                if let Object::$type(value) = object { Some(value) } else { None }
            }

            fn into_object(self) -> Object {
                Object::$type(self)
            }

            #[inline]
            fn is_vain(&self) -> bool {
                let is_vain: fn(&$type) -> bool = $is_vain;
                is_vain(self)
            }
        }
    };
}

data_type!(List, "list", List::is_empty);
data_type!(Set, "set", Set::is_empty);
data_type!(Hash, "hash", Hash::is_empty);
data_type!(Stream, "stream", |_| false);
