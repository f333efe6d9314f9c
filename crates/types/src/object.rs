//! What a key holds when it does not fit into the entry itself.
//!
//! Small strings and integers live inside their table entry and never become an [`Object`]; everything that grows or
//! has a structure of its own does. One variant per data type; the encodings within a type are private to it.
//!
//! Every type is one word. An [`Object`] is that word and what it is: a value on its way. In the entry of a key the word lies
//! alone, since the entry's head says what it is, and it is seen as an [`ObjectRef`] or [`ObjectMut`]: eight bytes less for
//! each key.

use crate::hash::{Hash, PinnedHash};
use crate::list::{List, PinnedList};
use crate::set::{PinnedSet, Set};
use crate::stream::{PinnedStream, Stream};
use crate::string::LongString;
use crate::zset::{PinnedZSet, ZSet};

/// A type of which a key's value may be, apart from small strings: what the keyspace needs to know of it.
pub trait DataType: Default + Sized {
    /// The name that TYPE answers.
    const NAME: &'static str;

    /// The value, if the object is of this type.
    fn of(object: ObjectRef<'_>) -> Option<&Self>;

    /// The value, to be changed, if the object is of this type.
    fn of_mut(object: ObjectMut<'_>) -> Option<&mut Self>;

    /// The value as an object.
    fn into_object(self) -> Object;

    /// Whether nothing is in it, so that its key is to be removed (a stream stays).
    fn is_vain(&self) -> bool;

    /// A time before which nothing in it expires, unix time in ms; `None` if nothing ever does. O(1).
    #[inline]
    fn next_expiry_ms(&self) -> Option<i64> {
        None
    }
}

/// Declares the types: for each its variant, what is stored (one word), the name that TYPE answers.
macro_rules! objects {
    ($($(#[$doc:meta])* $variant:ident: $stored:ty as $type:ident, $name:literal;)*) => {
        /// A value with memory of its own.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object {
            $($(#[$doc])* $variant($stored),)*
        }

        /// A shared look at an object.
        #[derive(Clone, Copy, Debug)]
        pub enum ObjectRef<'a> {
            $($(#[$doc])* $variant(&'a $type),)*
        }

        /// An exclusive look at an object.
        #[derive(Debug)]
        pub enum ObjectMut<'a> {
            $($(#[$doc])* $variant(&'a mut $type),)*
        }

        $(const _: () = assert!(size_of::<$stored>() == 8 && align_of::<$stored>() == 8);)*

        impl Object {
            /// A shared look.
            pub fn as_ref(&self) -> ObjectRef<'_> {
                match self {
                    $(Object::$variant(value) => ObjectRef::$variant(value),)*
                }
            }

            /// An exclusive look.
            pub fn as_mut(&mut self) -> ObjectMut<'_> {
                match self {
                    $(Object::$variant(value) => ObjectMut::$variant(value),)*
                }
            }

            /// The name that TYPE answers.
            pub fn type_name(&self) -> &'static str {
                self.as_ref().type_name()
            }
        }

        impl ObjectRef<'_> {
            /// The name that TYPE answers.
            pub fn type_name(self) -> &'static str {
                match self {
                    $(ObjectRef::$variant(_) => $name,)*
                }
            }

            /// The name that OBJECT ENCODING answers.
            pub fn encoding_name(self) -> &'static str {
                match self {
                    $(ObjectRef::$variant(value) => value.encoding_name(),)*
                }
            }

            /// How many allocations freeing this value takes, roughly: what decides whether it is freed elsewhere.
            pub fn free_effort(self) -> usize {
                match self {
                    $(ObjectRef::$variant(value) => value.free_effort(),)*
                }
            }

            /// Bytes allocated behind the value, by capacity.
            pub fn heap_bytes(self) -> usize {
                match self {
                    $(ObjectRef::$variant(value) => value.heap_bytes(),)*
                }
            }

            /// A copy of the value.
            pub fn to_object(self) -> Object {
                match self {
                    $(ObjectRef::$variant(value) => Object::$variant(<$stored>::from(value.clone())),)*
                }
            }
        }
    };
}

objects! {
    /// A string too long for its entry, always of the `raw` encoding.
    String: LongString as LongString, "string";
    /// A list.
    List: List as List, "list";
    /// A set.
    Set: Set as Set, "set";
    /// A hash.
    Hash: Hash as Hash, "hash";
    /// A sorted set.
    ZSet: ZSet as ZSet, "zset";
    /// A stream.
    Stream: Stream as Stream, "stream";
}

/// A value as it was at an instant, read in parts while it goes on: see each type's own.
#[derive(Debug)]
pub enum Pinned {
    /// A string.
    String(LongString),
    /// A list.
    List(PinnedList),
    /// A set.
    Set(PinnedSet),
    /// A hash.
    Hash(PinnedHash),
    /// A sorted set.
    ZSet(PinnedZSet),
    /// A stream, with all that belongs to it.
    Stream(PinnedStream),
}

impl ObjectRef<'_> {
    /// Bytes allocated behind the value; of what would have to be looked at element by element, no more than so many are.
    pub fn heap_bytes_estimate(self, samples: usize) -> usize {
        match self {
            ObjectRef::Set(set) => set.heap_bytes_estimate(samples),
            ObjectRef::Hash(hash) => hash.heap_bytes_estimate(samples),
            other => other.heap_bytes(),
        }
    }
}

/// The sum of `len` sizes, estimated by the first of them, no more than so many.
pub(crate) fn sum_estimate(sizes: impl Iterator<Item = usize>, len: usize, samples: usize) -> usize {
    if len <= samples {
        return sizes.sum();
    }
    let samples = samples.max(1);
    let sum: usize = sizes.take(samples).sum();
    (sum as u128 * len as u128 / samples as u128) as usize
}

impl ObjectMut<'_> {
    /// The value as it is now. Worth it if it is big: [`ObjectRef::free_effort`] tells its elements in O(1), 1 where it is one
    /// run of bytes.
    pub fn pin(self) -> Pinned {
        match self {
            ObjectMut::String(string) => Pinned::String(string.share()),
            ObjectMut::List(list) => Pinned::List(list.pin()),
            ObjectMut::Set(set) => Pinned::Set(set.pin()),
            ObjectMut::Hash(hash) => Pinned::Hash(hash.pin()),
            ObjectMut::ZSet(set) => Pinned::ZSet(set.pin()),
            ObjectMut::Stream(stream) => Pinned::Stream(stream.pin()),
        }
    }
}

impl Pinned {
    /// A copy of the value, where what is pinned of it is enough to make one.
    pub fn to_object(&self) -> Option<Object> {
        match self {
            Pinned::Set(set) => Some((*set.as_set()).clone().into_object()),
            Pinned::ZSet(zset) => Some(zset.to_zset().into_object()),
            Pinned::Hash(hash) => hash.to_hash().map(Hash::into_object),
            Pinned::String(_) | Pinned::List(_) | Pinned::Stream(_) => None,
        }
    }
}

impl ObjectRef<'_> {
    /// Bytes of a string, elements of anything else.
    pub fn size(self) -> usize {
        match self {
            ObjectRef::String(string) => string.len(),
            ObjectRef::List(list) => list.len(),
            ObjectRef::Set(set) => set.len(),
            ObjectRef::Hash(hash) => hash.len(),
            ObjectRef::ZSet(zset) => zset.len(),
            ObjectRef::Stream(stream) => usize::try_from(stream.len()).unwrap_or(usize::MAX),
        }
    }
}

macro_rules! data_type {
    ($type:ident, $name:literal, $is_vain:expr $(, $next_expiry_ms:expr)?) => {
        impl DataType for $type {
            const NAME: &'static str = $name;

            #[inline]
            fn of(object: ObjectRef<'_>) -> Option<&$type> {
                if let ObjectRef::$type(value) = object { Some(value) } else { None }
            }

            #[inline]
            fn of_mut(object: ObjectMut<'_>) -> Option<&mut $type> {
                if let ObjectMut::$type(value) = object { Some(value) } else { None }
            }

            fn into_object(self) -> Object {
                Object::$type(self)
            }

            #[inline]
            fn is_vain(&self) -> bool {
                let is_vain: fn(&$type) -> bool = $is_vain;
                is_vain(self)
            }

            $(
                #[inline]
                fn next_expiry_ms(&self) -> Option<i64> {
                    let next_expiry_ms: fn(&$type) -> Option<i64> = $next_expiry_ms;
                    next_expiry_ms(self)
                }
            )?
        }
    };
}

data_type!(List, "list", List::is_empty);
data_type!(Set, "set", Set::is_empty);
data_type!(Hash, "hash", Hash::is_empty, Hash::next_expiry_ms);
data_type!(ZSet, "zset", ZSet::is_empty);
// A stream without entries still has its groups and its last ID.
data_type!(Stream, "stream", |_| false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_elements_tell_how_large_a_value_is() {
        let limits = crate::hash::HashLimits { entries_max: 512, value_bytes_max: 64 };
        let (mut set, mut hash) = (Set::new(), Hash::new());
        let name = |number: u32| format!("a name of no small length {number:08}").into_bytes();
        for number in 0..20_000 {
            set.add(&name(number), &Default::default());
            hash.set(&name(number), b"value", &limits);
        }
        let (set, hash) = (set.into_object(), hash.into_object());
        for object in [set.as_ref(), hash.as_ref()] {
            let all = object.heap_bytes();
            assert_eq!(object.heap_bytes_estimate(usize::MAX), all);
            assert_eq!(object.heap_bytes_estimate(100), all, "they are all of one size");
        }
        assert_eq!([0, 1, 3, 9].map(|samples| sum_estimate([1, 2, 3].into_iter(), 3, samples)), [3, 3, 6, 6]);
    }
}
