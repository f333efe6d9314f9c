//! A field of a big hash: name, value and expiry in one allocation. Unsafe leaf module.
//!
//! ```text
//! 0        1           2             4
//! | flags  | name_len  | value_len   | [lengths: 4 unused bytes, u64, u64] [expire_ms: i64] name, value, room |
//! ```
//!
//! The lengths in the first word are right unless WIDE is set; then they follow as words. The block is a multiple of
//! 16 bytes, which is how the allocator would round it anyway, so a value can be replaced by one that needs the same
//! multiple without an allocation: counters and most updates never leave their block.
//!
//! A name of 10 bytes and a value of up to 18 take 32 bytes, and 10 in the table.
//!
//! Rejected: an allocation of its own for a big value. All writes replace the whole value, so it would save copying the
//! name and cost a cache line on every read.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

const WIDE: u8 = 1;
const EXPIRES: u8 = 2;
const NARROW_HEADER: usize = 4;
const WIDE_HEADER: usize = 24;
const ALIGN: usize = 16;

/// What a block's size and offsets follow from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Form {
    name_len: usize,
    value_len: usize,
    expires: bool,
}

impl Form {
    #[inline]
    fn is_wide(self) -> bool {
        self.name_len > usize::from(u8::MAX) || self.value_len > usize::from(u16::MAX)
    }

    #[inline]
    fn expire_at(self) -> usize {
        if self.is_wide() { WIDE_HEADER } else { NARROW_HEADER }
    }

    #[inline]
    fn name_at(self) -> usize {
        self.expire_at() + if self.expires { 8 } else { 0 }
    }

    #[inline]
    fn value_at(self) -> usize {
        self.name_at() + self.name_len
    }

    /// Bytes of the block. Names and values exist in memory, so their sum is far from overflowing.
    #[inline]
    fn block_bytes(self) -> usize {
        (self.value_at() + self.value_len).next_multiple_of(ALIGN)
    }

    fn layout(self) -> Layout {
        // `from_size_align` fails only beyond `isize::MAX`; an allocation of that size could not exist.
        Layout::from_size_align(self.block_bytes(), ALIGN).unwrap_or(Layout::new::<u128>())
    }
}

/// An owned field.
pub(super) struct Field(NonNull<u8>);

/// A shared look at a field.
#[derive(Clone, Copy)]
pub(super) struct FieldRef<'a>(NonNull<u8>, PhantomData<&'a [u8]>);

/// An exclusive look at a field, whose name and having an expiry stay what they are.
pub(super) struct FieldMut<'a>(NonNull<u8>, PhantomData<&'a mut [u8]>);

// SAFETY: a field owns its block, like a `Box<[u8]>`.
unsafe impl Send for Field {}
// SAFETY: nothing is changed through a shared reference.
unsafe impl Sync for Field {}

impl Field {
    /// A field.
    pub(super) fn new(name: &[u8], value: &[u8], expire_ms: Option<i64>) -> Field {
        let form = Form { name_len: name.len(), value_len: value.len(), expires: expire_ms.is_some() };
        let layout = form.layout();
        assert!(form.value_at() + form.value_len <= layout.size(), "a field fits the address space");
        // SAFETY: the layout has at least 16 bytes.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the block is new, and `form`, of which it has the layout, says where everything lies in it.
        unsafe {
            write_header(block, form);
            if let Some(expire_ms) = expire_ms {
                block.add(form.expire_at()).cast::<i64>().write_unaligned(expire_ms);
            }
            block.add(form.name_at()).copy_from_nonoverlapping(NonNull::from(name).cast(), name.len());
            block.add(form.value_at()).copy_from_nonoverlapping(NonNull::from(value).cast(), value.len());
        }
        Field(block)
    }

    /// A shared look.
    #[inline]
    pub(super) fn as_ref(&self) -> FieldRef<'_> {
        FieldRef(self.0, PhantomData)
    }

    /// An exclusive look.
    #[cfg(test)]
    pub(super) fn as_mut(&mut self) -> FieldMut<'_> {
        FieldMut(self.0, PhantomData)
    }
}

/// Writes what the lengths and flags of a block are.
///
/// # Safety
///
/// The block has the layout of `form` and may be written.
#[inline]
unsafe fn write_header(block: NonNull<u8>, form: Form) {
    let flags = if form.is_wide() { WIDE } else { 0 } | if form.expires { EXPIRES } else { 0 };
    let [low, high, ..] = form.value_len.to_le_bytes();
    // SAFETY: by the caller: four bytes are in every block, three words in every wide one.
    unsafe {
        block.cast::<[u8; 4]>().write([flags, form.name_len as u8, low, high]);
        if form.is_wide() {
            block.add(8).cast::<[usize; 2]>().write([form.name_len, form.value_len]);
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let layout = self.as_ref().form().layout();
        // SAFETY: the block was allocated with the layout of its form, which its header tells.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

impl<'a> FieldRef<'a> {
    #[inline]
    fn form(self) -> Form {
        // SAFETY: every block begins with these four bytes, and lives for 'a.
        let [flags, name_len, low, high] = unsafe { self.0.cast::<[u8; 4]>().read() };
        let mut lens = [usize::from(name_len), usize::from(u16::from_le_bytes([low, high]))];
        if flags & WIDE != 0 {
            // SAFETY: WIDE says that two words with the lengths follow at offset 8.
            lens = unsafe { self.0.add(8).cast::<[usize; 2]>().read() };
        }
        Form { name_len: lens[0], value_len: lens[1], expires: flags & EXPIRES != 0 }
    }

    #[inline]
    fn bytes(self, at: usize, len: usize) -> &'a [u8] {
        // SAFETY: callers pass offsets and lengths of the block's own form, whose bytes are initialised and live for 'a.
        unsafe { NonNull::slice_from_raw_parts(self.0.add(at), len).as_ref() }
    }

    /// The name.
    #[inline]
    pub(super) fn name(self) -> &'a [u8] {
        let form = self.form();
        self.bytes(form.name_at(), form.name_len)
    }

    /// The value.
    #[inline]
    pub(super) fn value(self) -> &'a [u8] {
        let form = self.form();
        self.bytes(form.value_at(), form.value_len)
    }

    /// When it expires, unix time in ms.
    #[inline]
    pub(super) fn expire_ms(self) -> Option<i64> {
        let form = self.form();
        // SAFETY: `expires` says that eight bytes with the time lie there.
        form.expires.then(|| unsafe { self.0.add(form.expire_at()).cast::<i64>().read_unaligned() })
    }

    /// Bytes of its block.
    pub(super) fn block_bytes(self) -> usize {
        self.form().block_bytes()
    }

    /// A copy.
    pub(super) fn to_owned(self) -> Field {
        Field::new(self.name(), self.value(), self.expire_ms())
    }
}

impl FieldMut<'_> {
    /// A shared look.
    #[inline]
    pub(super) fn as_ref(&self) -> FieldRef<'_> {
        FieldRef(self.0, PhantomData)
    }

    /// Replaces the value if the new one needs a block of the same size; whether it did.
    #[inline]
    pub(super) fn set_value(&mut self, value: &[u8]) -> bool {
        let old = self.as_ref().form();
        let new = Form { value_len: value.len(), ..old };
        if new.is_wide() != old.is_wide() || new.block_bytes() != old.block_bytes() {
            return false;
        }
        // SAFETY: the new form has the block's layout, and name and expiry lie where they did; exclusive by the borrow,
        // so `value` is not part of the block.
        unsafe {
            write_header(self.0, new);
            self.0.add(new.value_at()).copy_from_nonoverlapping(NonNull::from(value).cast(), value.len());
        }
        true
    }

    /// Changes when it expires, if it does; whether it did.
    #[inline]
    pub(super) fn move_expire(&mut self, expire_ms: i64) -> bool {
        let form = self.as_ref().form();
        if form.expires {
            // SAFETY: `expires` says that eight bytes for the time lie there; exclusive by the borrow.
            unsafe { self.0.add(form.expire_at()).cast::<i64>().write_unaligned(expire_ms) };
        }
        form.expires
    }
}

// SAFETY: a block is aligned to 16 and, on the systems this runs on, below 2^48. Its name is written once, and
// `FieldMut` changes neither that nor EXPIRES.
unsafe impl ochre_table::Item for Field {
    type Ref<'a> = FieldRef<'a>;
    type Mut<'a> = FieldMut<'a>;

    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }

    // SAFETY: the caller gives back what `into_raw` gave up.
    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Field {
        Field(raw)
    }

    // SAFETY: the caller keeps the block alive and unchanged for 'a.
    #[inline]
    unsafe fn shared<'a>(raw: NonNull<u8>) -> FieldRef<'a> {
        FieldRef(raw, PhantomData)
    }

    // SAFETY: the caller keeps the block alive, and from all others, for 'a.
    #[inline]
    unsafe fn exclusive<'a>(raw: NonNull<u8>) -> FieldMut<'a> {
        FieldMut(raw, PhantomData)
    }

    #[inline]
    fn look(&self) -> FieldRef<'_> {
        self.as_ref()
    }

    #[inline]
    fn key<'a>(item: Self::Ref<'a>) -> &'a [u8] {
        item.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_keeps_name_value_and_expiry() {
        for name_len in [0, 1, 10, 255, 256, 70_000] {
            for value_len in [0, 1, 18, 19, 65_535, 65_536] {
                for expire_ms in [None, Some(0), Some(i64::MIN), Some(i64::MAX)] {
                    let (name, value) = (vec![b'n'; name_len], vec![b'v'; value_len]);
                    let field = Field::new(&name, &value, expire_ms);
                    let copy = field.as_ref().to_owned();
                    drop(field);
                    let look = copy.as_ref();
                    assert_eq!((look.name(), look.value()), (&name[..], &value[..]));
                    assert_eq!(look.expire_ms(), expire_ms);
                    assert_eq!(look.block_bytes() % 16, 0);
                }
            }
        }
    }

    #[test]
    fn a_value_is_replaced_within_its_block() {
        let mut field = Field::new(b"0123456789", b"0123456789", None);
        assert_eq!(field.as_ref().block_bytes(), 32);
        assert!(field.as_mut().set_value(b"012345678901234567"));
        assert_eq!(field.as_ref().value(), b"012345678901234567");
        assert!(!field.as_mut().set_value(b"0123456789012345678"), "a byte too much");
        assert!(!field.as_mut().set_value(b"0"), "half the block would lie idle");
        assert_eq!((field.as_ref().name(), field.as_ref().value().len()), (&b"0123456789"[..], 18));
        assert!(!field.as_mut().move_expire(7));
        let mut field = Field::new(b"f", b"v", Some(5));
        assert!(field.as_mut().move_expire(7) && field.as_mut().set_value(b""));
        assert_eq!((field.as_ref().expire_ms(), field.as_ref().value()), (Some(7), &b""[..]));
    }
}
