//! What an entry holds, and the words of objects as they lie in entries. Unsafe leaf module.
//!
//! An entry's head says of which type its object is, so only the object's word is kept. What is an [`Object`] outside is here
//! taken apart and put together again; nothing else in the keyspace names all types.
#![allow(unsafe_code)]

use ochre_types::hash::Hash;
use ochre_types::list::List;
use ochre_types::set::Set;
use ochre_types::stream::Stream;
use ochre_types::zset::ZSet;
use ochre_types::{LongString, Object, ObjectMut, ObjectRef};

/// What an entry holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Int,
    Embedded,
    Raw,
    String,
    List,
    Set,
    Hash,
    ZSet,
    Stream,
}

/// Bytes between the head and the key, by kind: integers and objects are one word.
pub(crate) const BODY_BYTES: [usize; 9] = [8, 0, 0, 8, 8, 8, 8, 8, 8];

impl Kind {
    /// Whether it is that of an object.
    #[inline]
    pub(crate) fn is_object(self) -> bool {
        !matches!(self, Kind::Int | Kind::Embedded | Kind::Raw)
    }

    /// The kind of an object.
    pub(crate) fn of(object: &Object) -> Kind {
        match object {
            Object::String(_) => Kind::String,
            Object::List(_) => Kind::List,
            Object::Set(_) => Kind::Set,
            Object::Hash(_) => Kind::Hash,
            Object::ZSet(_) => Kind::ZSet,
            Object::Stream(_) => Kind::Stream,
        }
    }
}

#[cold]
fn no_object() -> ! {
    panic!("what holds no object was asked for one");
}

/// Writes an object's word.
///
/// # Safety
/// `word` is valid for a write of eight bytes and aligned to eight.
pub(crate) unsafe fn write(word: *mut u8, object: Object) {
    // SAFETY: each of them is a word, which is asserted where objects are declared.
    unsafe {
        match object {
            Object::String(string) => word.cast::<LongString>().write(string),
            Object::List(list) => word.cast::<List>().write(list),
            Object::Set(set) => word.cast::<Set>().write(set),
            Object::Hash(hash) => word.cast::<Hash>().write(hash),
            Object::ZSet(zset) => word.cast::<ZSet>().write(zset),
            Object::Stream(stream) => word.cast::<Stream>().write(stream),
        }
    }
}

/// Moves an object out.
///
/// # Safety
/// `word` is that of an object of this kind, and nobody uses it afterwards.
pub(crate) unsafe fn read(kind: Kind, word: *mut u8) -> Object {
    // SAFETY: the kind says of which type the word is.
    unsafe {
        match kind {
            Kind::Int | Kind::Embedded | Kind::Raw => no_object(),
            Kind::String => Object::String(word.cast::<LongString>().read()),
            Kind::List => Object::List(word.cast::<List>().read()),
            Kind::Set => Object::Set(word.cast::<Set>().read()),
            Kind::Hash => Object::Hash(word.cast::<Hash>().read()),
            Kind::ZSet => Object::ZSet(word.cast::<ZSet>().read()),
            Kind::Stream => Object::Stream(word.cast::<Stream>().read()),
        }
    }
}

/// Looks at an object.
///
/// # Safety
/// `word` is that of an object of this kind, which nobody changes for 'a.
#[inline]
pub(crate) unsafe fn look<'a>(kind: Kind, word: *mut u8) -> ObjectRef<'a> {
    // SAFETY: the kind says of which type the word is.
    unsafe {
        match kind {
            Kind::Int | Kind::Embedded | Kind::Raw => no_object(),
            Kind::String => ObjectRef::String(&*word.cast()),
            Kind::List => ObjectRef::List(&*word.cast()),
            Kind::Set => ObjectRef::Set(&*word.cast()),
            Kind::Hash => ObjectRef::Hash(&*word.cast()),
            Kind::ZSet => ObjectRef::ZSet(&*word.cast()),
            Kind::Stream => ObjectRef::Stream(&*word.cast()),
        }
    }
}

/// Looks at an object that is to be changed.
///
/// # Safety
/// `word` is that of an object of this kind, and nobody else looks at it for 'a.
#[inline]
pub(crate) unsafe fn look_mut<'a>(kind: Kind, word: *mut u8) -> ObjectMut<'a> {
    // SAFETY: the kind says of which type the word is.
    unsafe {
        match kind {
            Kind::Int | Kind::Embedded | Kind::Raw => no_object(),
            Kind::String => ObjectMut::String(&mut *word.cast()),
            Kind::List => ObjectMut::List(&mut *word.cast()),
            Kind::Set => ObjectMut::Set(&mut *word.cast()),
            Kind::Hash => ObjectMut::Hash(&mut *word.cast()),
            Kind::ZSet => ObjectMut::ZSet(&mut *word.cast()),
            Kind::Stream => ObjectMut::Stream(&mut *word.cast()),
        }
    }
}
