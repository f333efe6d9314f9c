//! Items for tests: a name and a number in a box, with a count of those that live.
#![allow(unsafe_code)]

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use ochre_table::{Draw, Item};

/// How many items live.
pub type Living = Arc<AtomicIsize>;

/// A name and a number, in a block of 16-byte alignment.
#[repr(align(16))]
pub struct Pair(pub Vec<u8>, pub u64, Living);

impl Drop for Pair {
    fn drop(&mut self) {
        self.2.fetch_sub(1, Ordering::Relaxed);
    }
}

pub struct Boxed(pub Box<Pair>);

// SAFETY: a box of 16-byte alignment; these tests change nothing but numbers.
unsafe impl Item for Boxed {
    type Ref<'a> = &'a Pair;
    type Mut<'a> = &'a mut Pair;

    fn into_raw(self) -> NonNull<u8> {
        NonNull::from(Box::leak(self.0)).cast()
    }

    // SAFETY: by the caller.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        // SAFETY: the address is of a box that was leaked.
        Boxed(unsafe { Box::from_raw(raw.cast().as_ptr()) })
    }

    // SAFETY: by the caller.
    unsafe fn shared<'a>(raw: NonNull<u8>) -> &'a Pair {
        // SAFETY: the address is of a box that lives for 'a.
        unsafe { raw.cast().as_ref() }
    }

    // SAFETY: by the caller.
    unsafe fn exclusive<'a>(raw: NonNull<u8>) -> &'a mut Pair {
        // SAFETY: the address is of a box that lives for 'a and that nobody else looks at.
        unsafe { raw.cast().as_mut() }
    }

    fn look(&self) -> &Pair {
        &self.0
    }

    fn key<'a>(item: Self::Ref<'a>) -> &'a [u8] {
        &item.0
    }
}

pub fn boxed(name: &[u8], number: u64, living: &Living) -> Boxed {
    living.fetch_add(1, Ordering::Relaxed);
    Boxed(Box::new(Pair(name.to_vec(), number, Arc::clone(living))))
}

pub struct Random(pub u64);

impl Draw for Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        if limit == 0 { 0 } else { (self.0 >> 11) % limit }
    }
}

pub fn name(number: u64) -> Vec<u8> {
    format!("name:{number}").into_bytes()
}
