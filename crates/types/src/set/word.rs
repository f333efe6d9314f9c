//! The one word that a set is: a pack, an intset or a box of a table. Unsafe leaf module.
//!
//! ```text
//! | 0 ...          | a pack's own word (see `listpack::buffer`)
//! | 1 0 | address  | an intset's own word (see `block`)
//! | 1 1 | address  | a boxed table
//! ```
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use ochre_table::Map;

use super::block::NOT_PACK;
use super::intset::Intset;
use super::member::Member;
use crate::listpack::ForwardPack;

const TABLE: usize = NOT_PACK | 1 << 62;

const _: () = assert!(size_of::<ForwardPack>() == 8 && size_of::<Intset>() == 8 && size_of::<usize>() == 8);

/// Members in one of three encodings.
pub(super) struct Word(NonNull<u8>, PhantomData<Box<Map<Member>>>);

// SAFETY: it owns one of three things that can all be sent anywhere.
unsafe impl Send for Word {}
// SAFETY: likewise, all three can be shared.
unsafe impl Sync for Word {}

/// What a word is.
pub(super) enum Repr<'a> {
    Intset(&'a Intset),
    Pack(&'a ForwardPack),
    Table(&'a Map<Member>),
}

/// What a word is, to be changed.
pub(super) enum ReprMut<'a> {
    Intset(&'a mut Intset),
    Pack(&'a mut ForwardPack),
    Table(&'a mut Map<Member>),
}

/// The word of a transparent wrapper of one `NonNull<u8>`.
///
/// # Safety
///
/// `T` is such a wrapper.
unsafe fn into_word<T>(wrapper: T) -> Word {
    let wrapper = ManuallyDrop::new(wrapper);
    // SAFETY: by the caller.
    Word(unsafe { std::ptr::from_ref(&*wrapper).cast::<NonNull<u8>>().read() }, PhantomData)
}

impl Word {
    pub(super) fn intset(intset: Intset) -> Word {
        // SAFETY: an intset is a transparent wrapper of a block, and that of an address.
        unsafe { into_word(intset) }
    }

    pub(super) fn pack(pack: ForwardPack) -> Word {
        // SAFETY: a pack is a transparent wrapper of a buffer, and that of an address.
        unsafe { into_word(pack) }
    }

    pub(super) fn table(map: Map<Member>) -> Word {
        let address = NonNull::from(Box::leak(Box::new(map))).cast::<u8>();
        Word(address.map_addr(|address| address | TABLE), PhantomData)
    }

    /// The word of a set whose table somebody else owns: only to be looked at, as long as that table is borrowed.
    pub(super) fn lent(map: &Map<Member>) -> ManuallyDrop<Word> {
        let address = NonNull::from(map).cast::<u8>();
        ManuallyDrop::new(Word(address.map_addr(|address| address | TABLE), PhantomData))
    }

    #[inline]
    fn map(&self) -> *mut Map<Member> {
        self.0.as_ptr().map_addr(|word| word & !TABLE).cast()
    }

    #[inline]
    pub(super) fn get(&self) -> Repr<'_> {
        let word = std::ptr::from_ref(&self.0);
        match self.0.addr().get() & TABLE {
            // SAFETY: the word is a box's address with the table's mark.
            TABLE => Repr::Table(unsafe { &*self.map() }),
            // SAFETY: the word is that of an intset, which is nothing else.
            NOT_PACK => Repr::Intset(unsafe { &*word.cast() }),
            // SAFETY: the word is that of a pack, which is nothing else.
            _ => Repr::Pack(unsafe { &*word.cast() }),
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self) -> ReprMut<'_> {
        let word = std::ptr::from_mut(&mut self.0);
        match self.0.addr().get() & TABLE {
            // SAFETY: as above, and we are borrowed mutably.
            TABLE => ReprMut::Table(unsafe { &mut *self.map() }),
            // SAFETY: as above; whatever intset is put there has a word with the same mark.
            NOT_PACK => ReprMut::Intset(unsafe { &mut *word.cast() }),
            // SAFETY: as above; whatever pack is put there has a word with a clear top bit.
            _ => ReprMut::Pack(unsafe { &mut *word.cast() }),
        }
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        match self.get_mut() {
            // SAFETY: the word is forgotten with this; the box is ours.
            ReprMut::Table(map) => drop(unsafe { Box::from_raw(map) }),
            // SAFETY: the word is forgotten with this.
            ReprMut::Intset(intset) => unsafe { std::ptr::from_mut(intset).drop_in_place() },
            // SAFETY: the word is forgotten with this.
            ReprMut::Pack(pack) => unsafe { std::ptr::from_mut(pack).drop_in_place() },
        }
    }
}
