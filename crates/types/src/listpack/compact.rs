//! One word that is either a listpack or a box of something bigger: what a type with two encodings keeps.
//!
//! A listpack's word has its top bit clear (see `buffer`), and so has an address; a box gets it set.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::pack::Listpack;

const BOXED: usize = 1 << 63;

const _: () = assert!(size_of::<Listpack>() == size_of::<usize>());

/// Either a listpack or a `Box<B>`, in eight bytes.
pub struct Compact<B> {
    word: NonNull<u8>,
    owns: PhantomData<Box<B>>,
}

// SAFETY: it owns one of two things, and the listpack can be sent anywhere.
unsafe impl<B: Send> Send for Compact<B> {}
// SAFETY: likewise, a listpack can be shared.
unsafe impl<B: Sync> Sync for Compact<B> {}

/// What a [`Compact`] is.
#[derive(Debug)]
pub enum CompactRef<'a, B> {
    /// A listpack.
    Listpack(&'a Listpack),
    /// Something bigger.
    Boxed(&'a B),
}

/// What a [`Compact`] is, to be changed.
#[derive(Debug)]
pub enum CompactMut<'a, B> {
    /// A listpack.
    Listpack(&'a mut Listpack),
    /// Something bigger.
    Boxed(&'a mut B),
}

impl<B> Compact<B> {
    /// One that is a listpack.
    pub fn listpack(listpack: Listpack) -> Compact<B> {
        let listpack = ManuallyDrop::new(listpack);
        // SAFETY: a listpack is a transparent wrapper of one `NonNull<u8>`.
        let word = unsafe { std::ptr::from_ref(&*listpack).cast::<NonNull<u8>>().read() };
        debug_assert!(word.addr().get() & BOXED == 0);
        Compact { word, owns: PhantomData }
    }

    /// One that is a box.
    pub fn boxed(boxed: Box<B>) -> Compact<B> {
        const { assert!(size_of::<B>() > 0, "a box of nothing has no address") };
        // SAFETY: a box's pointer is not null.
        let word = unsafe { NonNull::new_unchecked(Box::into_raw(boxed)) }.cast::<u8>();
        Compact { word: word.map_addr(|address| address | BOXED), owns: PhantomData }
    }

    #[inline]
    fn is_boxed(&self) -> bool {
        self.word.addr().get() & BOXED != 0
    }

    #[inline]
    fn pointer(&self) -> *mut B {
        self.word.as_ptr().map_addr(|word| word & !BOXED).cast()
    }

    /// A look at it.
    #[inline]
    pub fn get(&self) -> CompactRef<'_, B> {
        if self.is_boxed() {
            // SAFETY: the pointer came from a box and is still ours.
            CompactRef::Boxed(unsafe { &*self.pointer() })
        } else {
            // SAFETY: the word is that of a listpack, and `Listpack` is a transparent wrapper of it.
            CompactRef::Listpack(unsafe { &*std::ptr::from_ref(&self.word).cast::<Listpack>() })
        }
    }

    /// A look at it, to change it in place.
    #[inline]
    pub fn get_mut(&mut self) -> CompactMut<'_, B> {
        if self.is_boxed() {
            // SAFETY: as above, and we are borrowed mutably.
            CompactMut::Boxed(unsafe { &mut *self.pointer() })
        } else {
            // SAFETY: as above; whatever listpack is put there has a word with a clear top bit.
            CompactMut::Listpack(unsafe { &mut *std::ptr::from_mut(&mut self.word).cast::<Listpack>() })
        }
    }
}

impl<B> Drop for Compact<B> {
    fn drop(&mut self) {
        if self.is_boxed() {
            // SAFETY: the pointer came from a box, and nobody uses it any more.
            drop(unsafe { Box::from_raw(self.pointer()) });
        } else {
            // SAFETY: the word is that of a listpack that we own.
            unsafe { std::ptr::from_mut(&mut self.word).cast::<Listpack>().drop_in_place() };
        }
    }
}

impl<B: Clone> Clone for Compact<B> {
    fn clone(&self) -> Compact<B> {
        match self.get() {
            CompactRef::Listpack(listpack) => Compact::listpack(listpack.clone()),
            CompactRef::Boxed(boxed) => Compact::boxed(Box::new(boxed.clone())),
        }
    }
}

impl<B: std::fmt::Debug> std::fmt::Debug for Compact<B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(formatter)
    }
}
