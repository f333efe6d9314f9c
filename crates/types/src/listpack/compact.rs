//! One word that is either a pack or a box of something bigger: what a type with two encodings keeps.
//!
//! A pack's word has its top bit clear (see `buffer`), and so has an address; a box gets it set.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::form::{Bidirectional, Form};
use super::pack::{Listpack, Pack};

const BOXED: usize = 1 << 63;

const _: () = assert!(size_of::<Listpack>() == size_of::<usize>());

/// Either a pack of a form or a `Box<B>`, in eight bytes.
pub struct Compact<B, F = Bidirectional> {
    word: NonNull<u8>,
    owns: PhantomData<(Box<B>, Pack<F>)>,
}

// SAFETY: it owns one of two things, and the pack can be sent anywhere.
unsafe impl<B: Send, F> Send for Compact<B, F> {}
// SAFETY: likewise, a pack can be shared.
unsafe impl<B: Sync, F> Sync for Compact<B, F> {}

/// What a [`Compact`] is.
#[derive(Debug)]
pub enum CompactRef<'a, B, F: Form = Bidirectional> {
    /// A pack.
    Pack(&'a Pack<F>),
    /// Something bigger.
    Boxed(&'a B),
}

/// What a [`Compact`] is, to be changed.
#[derive(Debug)]
pub enum CompactMut<'a, B, F: Form = Bidirectional> {
    /// A pack.
    Pack(&'a mut Pack<F>),
    /// Something bigger.
    Boxed(&'a mut B),
}

impl<B, F> Compact<B, F> {
    #[inline]
    fn is_boxed(&self) -> bool {
        self.word.addr().get() & BOXED != 0
    }

    #[inline]
    fn pointer(&self) -> *mut B {
        self.word.as_ptr().map_addr(|word| word & !BOXED).cast()
    }
}

impl<B, F: Form> Compact<B, F> {
    /// One that is a pack.
    pub fn pack(pack: Pack<F>) -> Compact<B, F> {
        let pack = ManuallyDrop::new(pack);
        // SAFETY: a pack is a transparent wrapper of one `NonNull<u8>`.
        let word = unsafe { std::ptr::from_ref(&*pack).cast::<NonNull<u8>>().read() };
        debug_assert!(word.addr().get() & BOXED == 0);
        Compact { word, owns: PhantomData }
    }

    /// One that is a box.
    pub fn boxed(boxed: Box<B>) -> Compact<B, F> {
        const { assert!(size_of::<B>() > 0, "a box of nothing has no address") };
        // SAFETY: a box's pointer is not null.
        let word = unsafe { NonNull::new_unchecked(Box::into_raw(boxed)) }.cast::<u8>();
        Compact { word: word.map_addr(|address| address | BOXED), owns: PhantomData }
    }

    /// A look at it.
    #[inline]
    pub fn get(&self) -> CompactRef<'_, B, F> {
        if self.is_boxed() {
            // SAFETY: the pointer came from a box and is still ours.
            CompactRef::Boxed(unsafe { &*self.pointer() })
        } else {
            // SAFETY: the word is that of a pack of this form, and `Pack` is a transparent wrapper of it.
            CompactRef::Pack(unsafe { &*std::ptr::from_ref(&self.word).cast::<Pack<F>>() })
        }
    }

    /// A look at it, to change it in place.
    #[inline]
    pub fn get_mut(&mut self) -> CompactMut<'_, B, F> {
        if self.is_boxed() {
            // SAFETY: as above, and we are borrowed mutably.
            CompactMut::Boxed(unsafe { &mut *self.pointer() })
        } else {
            // SAFETY: as above; whatever pack is put there has a word with a clear top bit.
            CompactMut::Pack(unsafe { &mut *std::ptr::from_mut(&mut self.word).cast::<Pack<F>>() })
        }
    }
}

impl<B, F> Drop for Compact<B, F> {
    fn drop(&mut self) {
        if self.is_boxed() {
            // SAFETY: the pointer came from a box, and nobody uses it any more.
            drop(unsafe { Box::from_raw(self.pointer()) });
        } else {
            // SAFETY: the word is that of a pack of this form that we own.
            unsafe { std::ptr::from_mut(&mut self.word).cast::<Pack<F>>().drop_in_place() };
        }
    }
}

impl<B: Clone, F: Form> Clone for Compact<B, F> {
    fn clone(&self) -> Compact<B, F> {
        match self.get() {
            CompactRef::Pack(pack) => Compact::pack(pack.clone()),
            CompactRef::Boxed(boxed) => Compact::boxed(Box::new(boxed.clone())),
        }
    }
}

impl<B: std::fmt::Debug, F: Form> std::fmt::Debug for Compact<B, F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(formatter)
    }
}
