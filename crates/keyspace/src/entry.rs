//! A key and its value in one allocation. Unsafe leaf module.
//!
//! ```text
//!  0      1       2        5     6      8         8/16        ..
//! +------+-------+--------+-----+------+---------+-----------+-----------+---------------------+
//! | kind | flags | access | klen| vlen | [klen32]| [expire]  | key bytes | value bytes         |  string
//! | kind | flags | access | klen|  0   | [klen32]| [expire]  | i64  | key bytes                |  integer
//! | kind | flags | access | klen|  0   | [klen32]| [expire]  | word | key bytes                |  object
//! +------+-------+--------+-----+------+---------+-----------+-----------+---------------------+
//! ```
//!
//! A 16-byte key with an 8-byte value or an integer is 32 bytes. `klen32` (8 bytes, flag WIDE) is there for keys
//! longer than 255 bytes. `expire` (unix time in ms, flag EXPIRES) is there only for keys that have one: changing
//! whether a key expires moves the entry, changing when does not.
//!
//! Rejected: the value in an allocation of its own (one more cache miss, 16 bytes more per key); a stored hash
//! (8 bytes per key; it is recomputed when a segment splits, with the entries prefetched).
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr::NonNull;

use ochre_table::same_bytes;
use ochre_types::listpack::allocated_bytes;
use ochre_types::{Object, ObjectMut, ObjectRef};

use crate::kind::{self, BODY_BYTES, Kind};
use crate::snapshot::SNAPSHOTS_MAX;
use crate::value::{NewValue, OwnedValue, ValueRef};

/// Strings up to this length live inside their entry.
pub const INLINE_BYTES_MAX: usize = 4096;

const ALIGN: usize = 16;
const EXPIRES: u8 = 1;
const WIDE: u8 = 2;
/// Where the marks of snapshots begin among the flags.
const MARKS_SHIFT: u8 = 2;
const MARKS: u8 = ((1 << SNAPSHOTS_MAX) - 1) << MARKS_SHIFT;

#[repr(C)]
pub(crate) struct Header {
    kind: Kind,
    flags: u8,
    access: [u8; 3],
    key_len: u8,
    value_len: u16,
}

const _: () = assert!(size_of::<Header>() == 8);

#[derive(Clone, Copy)]
struct Shape {
    kind: Kind,
    expires: bool,
    key_len: usize,
    value_len: usize,
}

impl Shape {
    fn wide(self) -> bool {
        self.key_len > usize::from(u8::MAX)
    }

    fn expire_offset(self) -> usize {
        size_of::<Header>() + if self.wide() { 8 } else { 0 }
    }

    fn body_offset(self) -> usize {
        self.expire_offset() + if self.expires { 8 } else { 0 }
    }

    fn key_offset(self) -> usize {
        self.body_offset() + BODY_BYTES[self.kind as usize]
    }

    fn total(self) -> usize {
        self.key_offset() + self.key_len + self.value_len
    }

    fn layout(self) -> Layout {
        let size = (self.total() + ALIGN - 1) & !(ALIGN - 1);
        // SAFETY: ALIGN is a power of two and the size is a key (at most 2^32) plus a little, rounded up to ALIGN.
        unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
    }
}

/// An owned entry.
pub struct Entry(pub(crate) NonNull<Header>);

// SAFETY: an entry is plain memory and an `Object`, which is `Send`; nothing in it is tied to a thread.
unsafe impl Send for Entry {}

/// A shared look at an entry.
#[derive(Clone, Copy)]
pub struct EntryRef<'a>(pub(crate) NonNull<Header>, pub(crate) PhantomData<&'a Entry>);

/// An exclusive look at an entry.
pub struct EntryMut<'a>(pub(crate) NonNull<Header>, pub(crate) PhantomData<&'a mut Entry>);

impl Entry {
    /// An entry for `key` that holds `value`, expires at `expire_ms` (unix time) if given, with `access` as its
    /// 24-bit access clock.
    pub fn new(key: &[u8], value: NewValue<'_>, expire_ms: Option<i64>, access: u32) -> Entry {
        let value = match value {
            NewValue::Bytes { bytes, .. } if bytes.len() > INLINE_BYTES_MAX => {
                NewValue::Object(Object::String(bytes.to_vec().into()))
            }
            other => other,
        };
        let (kind, value_len) = match &value {
            NewValue::Int(_) => (Kind::Int, 0),
            NewValue::Bytes { bytes, raw } => (if *raw { Kind::Raw } else { Kind::Embedded }, bytes.len()),
            NewValue::Object(object) => (Kind::of(object), 0),
        };
        let shape = Shape { kind, expires: expire_ms.is_some(), key_len: key.len(), value_len };
        assert!(u32::try_from(key.len()).is_ok(), "the protocol's limits keep keys below 4 GiB");
        let layout = shape.layout();
        // SAFETY: the layout is never of size zero (the header alone is 8 bytes).
        let block = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(block.cast::<Header>()) else { handle_alloc_error(layout) };
        assert!((block as u64) >> 48 == 0, "user addresses fit into 48 bits on every supported system");
        let header = Header {
            kind,
            flags: if expire_ms.is_some() { EXPIRES } else { 0 } | if shape.wide() { WIDE } else { 0 },
            access: access_bytes(access),
            key_len: key.len().min(255) as u8,
            value_len: value_len as u16,
        };
        // SAFETY: every offset below lies inside the block by `Shape::total`; the block is fresh, aligned to 16, and
        // all 8-byte fields are at multiples of 8.
        unsafe {
            start.write(header);
            if shape.wide() {
                block.add(size_of::<Header>()).cast::<u64>().write(key.len() as u64);
            }
            if let Some(expire_ms) = expire_ms {
                block.add(shape.expire_offset()).cast::<i64>().write(expire_ms);
            }
            let body = block.add(shape.body_offset());
            let key_at = block.add(shape.key_offset());
            match value {
                NewValue::Int(number) => body.cast::<i64>().write(number),
                NewValue::Object(object) => kind::write(body, object),
                NewValue::Bytes { bytes, .. } => {
                    key_at.add(key.len()).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
                }
            }
            key_at.copy_from_nonoverlapping(key.as_ptr(), key.len());
        }
        Entry(start)
    }

    /// A shared look.
    pub fn as_ref(&self) -> EntryRef<'_> {
        EntryRef(self.0, PhantomData)
    }

    /// An exclusive look.
    pub fn as_mut(&mut self) -> EntryMut<'_> {
        EntryMut(self.0, PhantomData)
    }

    /// The same key and value with another expiry (or none). Moves the entry only if that changes its shape.
    pub fn with_expire(mut self, expire_ms: Option<i64>) -> Entry {
        if self.as_ref().expire_ms().is_some() == expire_ms.is_some() {
            if let Some(expire_ms) = expire_ms {
                self.as_mut().move_expire(expire_ms);
            }
            return self;
        }
        let (value, access, marks) = (self.take_value(), self.as_ref().access(), self.as_ref().marks());
        value.hand_over(|value| Entry::new(self.as_ref().key(), value, expire_ms, access).with_marks(marks))
    }

    /// The same value under another key, with the same expiry and access clock.
    pub fn with_key(mut self, key: &[u8]) -> Entry {
        let (value, access) = (self.take_value(), self.as_ref().access());
        value.hand_over(|value| Entry::new(key, value, self.as_ref().expire_ms(), access))
    }

    /// The same with these marks of snapshots.
    pub(crate) fn with_marks(mut self, marks: u8) -> Entry {
        self.as_mut().set_marks(marks);
        self
    }

    /// The value alone.
    pub fn into_value(mut self) -> OwnedValue {
        self.take_value()
    }

    fn take_value(&mut self) -> OwnedValue {
        match self.as_ref().value() {
            ValueRef::Int(number) => OwnedValue::Int(number),
            ValueRef::Bytes { bytes, raw } => OwnedValue::Bytes { bytes: bytes.to_vec(), raw },
            ValueRef::Object(_) => self.take_object(),
        }
    }

    /// Takes the object out and leaves an integer in its place, which takes as much room.
    fn take_object(&mut self) -> OwnedValue {
        let shape = self.as_ref().shape();
        let body = self.as_ref().body::<u8>(shape);
        // SAFETY: the caller has seen that the kind is that of an object, so its word is at the body; it is read once,
        // because from then on the entry is one of an integer, whose word is written over it.
        unsafe {
            let object = kind::read(shape.kind, body);
            self.0.as_mut().kind = Kind::Int;
            body.cast::<i64>().write(0);
            OwnedValue::Object(object)
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let shape = self.as_ref().shape();
        // SAFETY: this is the only owner; an entry of an object's kind holds its word at the body offset,
        // and the block was allocated with the layout of the same shape.
        unsafe {
            let block = self.0.as_ptr().cast::<u8>();
            if shape.kind.is_object() {
                drop(kind::read(shape.kind, block.add(shape.body_offset())));
            }
            dealloc(block, shape.layout());
        }
    }
}

impl<'a> EntryRef<'a> {
    #[inline]
    fn header(self) -> &'a Header {
        // SAFETY: the reference keeps the entry alive and unchanged for 'a.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn shape(self) -> Shape {
        let header = self.header();
        let mut key_len = usize::from(header.key_len);
        if header.flags & WIDE != 0 {
            // SAFETY: WIDE says that eight bytes with the key's length follow the header.
            key_len = unsafe { self.0.as_ptr().add(1).cast::<u64>().read() } as usize;
        }
        Shape {
            kind: header.kind,
            expires: header.flags & EXPIRES != 0,
            key_len,
            value_len: usize::from(header.value_len),
        }
    }

    /// Bytes of the block itself.
    pub(crate) fn own_bytes(self) -> usize {
        self.shape().layout().size()
    }

    #[inline]
    fn bytes(self, offset: usize, len: usize) -> &'a [u8] {
        // SAFETY: callers pass offsets and lengths of this entry's own shape, which lie inside its block.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast::<u8>().add(offset), len) }
    }

    /// The key.
    #[inline]
    pub fn key(self) -> &'a [u8] {
        let shape = self.shape();
        self.bytes(shape.key_offset(), shape.key_len)
    }

    /// Whether this is the key.
    #[inline]
    pub fn has_key(self, key: &[u8]) -> bool {
        let header = self.header();
        if header.flags & WIDE != 0 {
            return self.key() == key;
        }
        let len = usize::from(header.key_len);
        let offset =
            size_of::<Header>() + usize::from(header.flags & EXPIRES) * 8 + BODY_BYTES[header.kind as usize];
        len == key.len() && same_bytes(self.bytes(offset, len), key)
    }

    /// The value.
    #[inline]
    pub fn value(self) -> ValueRef<'a> {
        let shape = self.shape();
        match shape.kind {
            Kind::Embedded | Kind::Raw => ValueRef::Bytes {
                bytes: self.bytes(shape.key_offset() + shape.key_len, shape.value_len),
                raw: shape.kind == Kind::Raw,
            },
            // SAFETY: the body of an integer entry is an i64, aligned to 8.
            Kind::Int => ValueRef::Int(unsafe { self.body::<i64>(shape).read() }),
            // SAFETY: any other kind is that of an object, whose word is the body; the borrow ends with 'a.
            kind => ValueRef::Object(unsafe { kind::look(kind, self.body(shape)) }),
        }
    }

    /// Whether the value is anything with memory of its own.
    #[inline]
    pub fn is_object(self) -> bool {
        self.header().kind.is_object()
    }

    /// Whether the value is an integer.
    #[inline]
    pub fn is_int(self) -> bool {
        self.header().kind == Kind::Int
    }

    #[inline]
    fn body<T>(self, shape: Shape) -> *mut T {
        self.0.as_ptr().cast::<u8>().wrapping_add(shape.body_offset()).cast::<T>()
    }

    /// When the key expires, unix time in ms.
    #[inline]
    pub fn expire_ms(self) -> Option<i64> {
        if self.header().flags & EXPIRES == 0 {
            return None;
        }
        let offset = self.shape().expire_offset();
        // SAFETY: EXPIRES says that eight bytes at this offset hold the time.
        Some(unsafe { self.0.as_ptr().cast::<u8>().add(offset).cast::<i64>().read() })
    }

    /// A time before which no field of the value expires, if it is a hash of which fields do, unix time in ms.
    #[inline]
    pub fn next_field_expiry_ms(self) -> Option<i64> {
        if self.header().kind != Kind::Hash {
            return None;
        }
        match self.value() {
            ValueRef::Object(ObjectRef::Hash(hash)) => hash.next_expiry_ms(),
            _ => None,
        }
    }

    /// The first moment at which something of it may have expired, the key or a field, unix time in ms. A key has when its time
    /// has come, a field a millisecond later.
    #[inline]
    pub fn due_ms(self) -> Option<i64> {
        let fields_ms = self.next_field_expiry_ms().map(|at_ms| at_ms.saturating_add(1));
        match (self.expire_ms(), fields_ms) {
            (Some(key_ms), Some(fields_ms)) => Some(key_ms.min(fields_ms)),
            (key_ms, fields_ms) => key_ms.or(fields_ms),
        }
    }

    /// By snapshot: a mark that says, compared with its table's, whether the entry was told (see `snapshot`).
    #[inline]
    pub(crate) fn marks(self) -> u8 {
        (self.header().flags & MARKS) >> MARKS_SHIFT
    }

    /// The 24-bit access clock.
    #[inline]
    pub fn access(self) -> u32 {
        let [a, b, c] = self.header().access;
        u32::from_le_bytes([a, b, c, 0])
    }

    /// Bytes of the entry and all that it owns; of values that would have to be looked at element by element, estimated by no
    /// more than so many.
    pub fn memory_bytes_estimate(self, samples: usize) -> usize {
        let behind =
            if let ValueRef::Object(object) = self.value() { object.heap_bytes_estimate(samples) } else { 0 };
        allocated_bytes(self.own_bytes()) + behind
    }
}

impl<'a> EntryMut<'a> {
    /// A shared look.
    #[inline]
    pub fn as_ref(&self) -> EntryRef<'_> {
        EntryRef(self.0, PhantomData)
    }

    /// A shared look for as long as the exclusive one lasted.
    #[inline]
    pub fn into_ref(self) -> EntryRef<'a> {
        EntryRef(self.0, PhantomData)
    }

    /// An exclusive look for a shorter time.
    pub(crate) fn reborrow(&mut self) -> EntryMut<'_> {
        EntryMut(self.0, PhantomData)
    }
    /// Sets the marks of snapshots.
    #[inline]
    pub(crate) fn set_marks(&mut self, marks: u8) {
        // SAFETY: exclusive by the borrow.
        let flags = unsafe { &mut self.0.as_mut().flags };
        *flags = *flags & !MARKS | marks << MARKS_SHIFT & MARKS;
    }

    /// Sets the access clock.
    #[inline]
    pub fn set_access(&mut self, access: u32) {
        // SAFETY: exclusive by the borrow.
        unsafe { self.0.as_mut() }.access = access_bytes(access);
    }

    /// Changes when a key expires that already does; a key that does not is left alone.
    pub fn move_expire(&mut self, expire_ms: i64) {
        let shape = self.as_ref().shape();
        if shape.expires {
            // SAFETY: EXPIRES says that eight bytes at this offset hold the time; exclusive by the borrow.
            unsafe { self.0.as_ptr().cast::<u8>().add(shape.expire_offset()).cast::<i64>().write(expire_ms) };
        }
    }

    /// The integer of an entry that is one, to be changed in place and used at `clock`; `None` if it is none or its time has
    /// come. In one look at the head, because this is the path of every INCR.
    #[inline]
    pub fn use_int(mut self, now_ms: i64, clock: u32) -> Option<&'a mut i64> {
        let shape = self.as_ref().shape();
        if shape.kind != Kind::Int {
            return None;
        }
        if shape.expires && self.as_ref().expire_ms().is_some_and(|expire_ms| expire_ms <= now_ms) {
            return None;
        }
        self.set_access(clock);
        // SAFETY: the body of an integer entry is an i64, aligned to 8; exclusive for 'a by the look that is used up.
        Some(unsafe { &mut *self.as_ref().body::<i64>(shape) })
    }

    /// Replaces the value without moving the entry, where old and new have the same shape.
    #[inline]
    pub fn overwrite(&mut self, value: &NewValue<'_>) -> bool {
        let shape = self.as_ref().shape();
        match (value, shape.kind) {
            (NewValue::Int(number), Kind::Int) => {
                // SAFETY: the body of an integer entry is an i64; exclusive by the borrow.
                unsafe { self.as_ref().body::<i64>(shape).write(*number) };
                true
            }
            (NewValue::Bytes { bytes, raw }, Kind::Embedded | Kind::Raw) => {
                self.overwrite_bytes(shape, bytes, if *raw { Kind::Raw } else { Kind::Embedded })
            }
            _ => false,
        }
    }

    fn overwrite_bytes(&mut self, shape: Shape, bytes: &[u8], kind: Kind) -> bool {
        let new = Shape { kind, value_len: bytes.len(), ..shape };
        if bytes.len() > INLINE_BYTES_MAX || new.layout() != shape.layout() {
            return false;
        }
        // SAFETY: the new shape has the block's layout, and key and offsets are the same (both kinds hold bytes).
        unsafe {
            let header = self.0.as_mut();
            header.kind = kind;
            header.value_len = bytes.len() as u16;
            let at = self.0.as_ptr().cast::<u8>().add(shape.key_offset() + shape.key_len);
            at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        true
    }

    /// Appends to a string that lives in its entry, if the entry's block has the room; it becomes `raw`. The new length.
    pub fn append(&mut self, suffix: &[u8]) -> Option<usize> {
        let shape = self.as_ref().shape();
        let len = shape.value_len + suffix.len();
        let new = Shape { kind: Kind::Raw, value_len: len, ..shape };
        let holds_bytes = matches!(shape.kind, Kind::Embedded | Kind::Raw);
        if !holds_bytes || len > INLINE_BYTES_MAX || new.layout() != shape.layout() {
            return None;
        }
        // SAFETY: the new shape has the block's layout, so the bytes behind the value lie in the block; exclusive by the
        // borrow, so the suffix is not part of it.
        unsafe {
            let header = self.0.as_mut();
            header.kind = Kind::Raw;
            header.value_len = len as u16;
            let end = self.0.as_ptr().cast::<u8>().add(shape.total());
            end.copy_from_nonoverlapping(suffix.as_ptr(), suffix.len());
        }
        Some(len)
    }

    /// The object, if the value is one, for as long as the exclusive look lasted.
    pub fn into_object(self) -> Option<ObjectMut<'a>> {
        let shape = self.as_ref().shape();
        let body = self.as_ref().body(shape);
        // SAFETY: the word of an object of this kind is the body; exclusive for 'a by the look that is used up.
        shape.kind.is_object().then(|| unsafe { kind::look_mut(shape.kind, body) })
    }

    /// The bytes of a string that lives in its entry, to be changed in place; it becomes `raw`.
    pub fn into_inline_bytes(mut self) -> Option<&'a mut [u8]> {
        let shape = self.as_ref().shape();
        if !matches!(shape.kind, Kind::Embedded | Kind::Raw) {
            return None;
        }
        // SAFETY: as in `EntryRef::value`; exclusive for 'a by the look that is used up.
        unsafe {
            self.0.as_mut().kind = Kind::Raw;
            let at = self.0.as_ptr().cast::<u8>().add(shape.key_offset() + shape.key_len);
            Some(std::slice::from_raw_parts_mut(at, shape.value_len))
        }
    }
}

fn access_bytes(access: u32) -> [u8; 3] {
    let [a, b, c, _] = access.to_le_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests;
