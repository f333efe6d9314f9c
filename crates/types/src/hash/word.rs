//! The one word that a hash is, and the encoding behind it. Unsafe leaf module.
//!
//! ```text
//! 63   61..62   48..60           0..47
//! | 0 | ...the word of a pack...              |   packed: names and values in turn
//! | 1 | 0 | 0                  | address      |   expiring: a box with a pack of names, values and times
//! | 1 | 1 | bytes of the values| address      |   shaped: a record
//! | 1 | 2 | 0                  | address      |   table: a box with a table
//! | 1 | 3 | 0                  | 1            |   empty: nothing is allocated
//! ```
//!
//! A pack's own word never has its top bit set, and so the word itself can be lent as a pack.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use super::record::{Record, RecordRef, VALUES_BYTES_MAX};
use super::table::Table;
use crate::listpack::ForwardPack;

const OTHER: usize = 1 << 63;
const KIND_SHIFT: u32 = 61;
const LEN_SHIFT: u32 = 48;
const ADDRESS_MASK: usize = (1 << LEN_SHIFT) - 1;

const EXPIRING: usize = 0;
const SHAPED: usize = 1;
const TABLE: usize = 2;
const EMPTY: usize = 3;

const _: () = assert!(size_of::<ForwardPack>() == size_of::<usize>() && usize::BITS == 64);
const _: () = assert!(VALUES_BYTES_MAX < 1 << (KIND_SHIFT - LEN_SHIFT));

/// Owns a hash in some encoding.
pub(super) struct Word(NonNull<u8>);

/// A hash taken out of its word.
pub(super) enum Owned {
    Empty,
    Packed(ForwardPack),
    Expiring(Box<ForwardPack>),
    Shaped(Record),
    Table(Box<Table>),
}

/// A look at a hash.
#[derive(Clone, Copy)]
pub(super) enum Look<'a> {
    Empty,
    Packed(&'a ForwardPack),
    Expiring(&'a ForwardPack),
    Shaped(RecordRef<'a>),
    Table(&'a Table),
}

/// A look at a hash, to change it. A record is changed when it is taken out: its address may change.
pub(super) enum LookMut<'a> {
    Empty,
    Packed(&'a mut ForwardPack),
    Expiring(&'a mut ForwardPack),
    Shaped(RecordRef<'a>),
    Table(&'a mut Table),
}

// SAFETY: a word owns one of the variants of `Owned`, and all of them can be sent.
unsafe impl Send for Word {}
// SAFETY: likewise, all of them can be shared.
unsafe impl Sync for Word {}

const fn _everything_can_be_sent_and_shared() {
    const fn check<T: Send + Sync>() {}
    check::<Owned>();
}

impl Word {
    /// The word of nothing.
    #[inline]
    pub(super) fn empty() -> Word {
        Word::tagged(NonNull::dangling(), EMPTY, 0)
    }

    #[inline]
    fn tagged(address: NonNull<u8>, kind: usize, len: usize) -> Word {
        assert!(address.addr().get() & !ADDRESS_MASK == 0, "addresses have 48 bits");
        Word(address.map_addr(|address| address | OTHER | kind << KIND_SHIFT | len << LEN_SHIFT))
    }

    #[inline]
    fn word(&self) -> usize {
        self.0.addr().get()
    }

    #[inline]
    fn is_pack(&self) -> bool {
        self.word() & OTHER == 0
    }

    #[inline]
    fn kind(&self) -> usize {
        (self.word() & !OTHER) >> KIND_SHIFT
    }

    #[inline]
    fn address<T>(&self) -> *mut T {
        self.0.as_ptr().map_addr(|word| word & ADDRESS_MASK).cast()
    }

    #[inline]
    fn record_parts(&self) -> (NonNull<u8>, u16) {
        let len = self.word() >> LEN_SHIFT & VALUES_BYTES_MAX;
        // SAFETY: only called for a shaped word, whose address is that of a block.
        (unsafe { NonNull::new_unchecked(self.address()) }, len as u16)
    }

    /// A look at what it owns.
    #[inline]
    pub(super) fn look(&self) -> Look<'_> {
        if self.is_pack() {
            // SAFETY: the word is that of a pack, of which `ForwardPack` is a transparent wrapper.
            return Look::Packed(unsafe { &*std::ptr::from_ref(&self.0).cast::<ForwardPack>() });
        }
        // SAFETY: each kind's address (and length) is what `From<Owned>` put there, and stays as long as the word.
        unsafe {
            match self.kind() {
                EXPIRING => Look::Expiring(&*self.address::<ForwardPack>()),
                SHAPED => {
                    let (block, len) = self.record_parts();
                    Look::Shaped(RecordRef::from_parts(block, len))
                }
                TABLE => Look::Table(&*self.address::<Table>()),
                _ => Look::Empty,
            }
        }
    }

    /// A look at what it owns, to change it.
    #[inline]
    pub(super) fn look_mut(&mut self) -> LookMut<'_> {
        if self.is_pack() {
            // SAFETY: as for `look`; whatever pack is put there has a word with a clear top bit.
            return LookMut::Packed(unsafe { &mut *std::ptr::from_mut(&mut self.0).cast::<ForwardPack>() });
        }
        // SAFETY: as for `look`, and borrowed exclusively.
        unsafe {
            match self.kind() {
                EXPIRING => LookMut::Expiring(&mut *self.address::<ForwardPack>()),
                SHAPED => {
                    let (block, len) = self.record_parts();
                    LookMut::Shaped(RecordRef::from_parts(block, len))
                }
                TABLE => LookMut::Table(&mut *self.address::<Table>()),
                _ => LookMut::Empty,
            }
        }
    }

    /// Takes out what it owns; the word is that of nothing until something is put there.
    #[inline]
    pub(super) fn take(&mut self) -> Owned {
        let word = std::mem::replace(self, Word::empty());
        let word = std::mem::ManuallyDrop::new(word);
        // SAFETY: as for `look`; what the old word owned is taken once, since that word is not dropped.
        unsafe {
            if word.is_pack() {
                return Owned::Packed(std::ptr::from_ref(&word.0).cast::<ForwardPack>().read());
            }
            match word.kind() {
                EXPIRING => Owned::Expiring(Box::from_raw(word.address::<ForwardPack>())),
                SHAPED => {
                    let (block, len) = word.record_parts();
                    Owned::Shaped(Record::from_parts(block, len))
                }
                TABLE => Owned::Table(Box::from_raw(word.address::<Table>())),
                _ => Owned::Empty,
            }
        }
    }
}

impl From<Owned> for Word {
    #[inline]
    fn from(owned: Owned) -> Word {
        fn boxed<T>(value: Box<T>, kind: usize) -> Word {
            Word::tagged(NonNull::from(Box::leak(value)).cast(), kind, 0)
        }
        match owned {
            Owned::Empty => Word::empty(),
            Owned::Packed(pack) => {
                let pack = std::mem::ManuallyDrop::new(pack);
                // SAFETY: a pack is a transparent wrapper of one `NonNull<u8>`, and is given up.
                Word(unsafe { std::ptr::from_ref(&*pack).cast::<NonNull<u8>>().read() })
            }
            Owned::Expiring(pack) => boxed(pack, EXPIRING),
            Owned::Shaped(record) => {
                let (block, len) = record.into_parts();
                Word::tagged(block, SHAPED, usize::from(len))
            }
            Owned::Table(table) => boxed(table, TABLE),
        }
    }
}

impl Drop for Word {
    #[inline]
    fn drop(&mut self) {
        if self.is_pack() || self.kind() != EMPTY {
            drop(self.take());
        }
    }
}
