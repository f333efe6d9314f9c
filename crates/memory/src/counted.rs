//! The global allocator: jemalloc (or the system's), with a count of what is handed out.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};

use crate::size_class::size_class;

#[cfg(feature = "jemalloc")]
static INNER: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
#[cfg(not(feature = "jemalloc"))]
static INNER: std::alloc::System = std::alloc::System;

/// How far a thread's own count may run ahead of the shared one.
pub const FOLD_BYTES: isize = 16 * 1024;

/// The allocator to name in `#[global_allocator]`.
pub struct Counted;

static SHARED: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OWN: Cell<isize> = const { Cell::new(0) };
}

#[inline]
fn count(bytes: isize) {
    // A thread that is being torn down no longer has its counter: its last few frees go straight to the sum.
    let folded = OWN.try_with(|own| {
        let sum = own.get() + bytes;
        if sum.unsigned_abs() < FOLD_BYTES as usize {
            own.set(sum);
            return 0;
        }
        own.set(0);
        sum
    });
    let rest = folded.unwrap_or(bytes);
    if rest != 0 {
        SHARED.fetch_add(rest, Relaxed);
    }
}

/// Bytes in use by the whole process, exact to [`FOLD_BYTES`] for every other thread.
#[inline]
pub fn used_bytes() -> usize {
    let own = OWN.try_with(Cell::get).unwrap_or(0);
    usize::try_from(SHARED.load(Relaxed) + own).unwrap_or(0)
}

/// Has all other threads see exactly what this one uses, as of now.
#[inline]
pub fn share_count() {
    let own = OWN.try_with(|own| own.replace(0)).unwrap_or(0);
    SHARED.fetch_add(own, Relaxed);
}

/// The highest value that [`record_peak`] has seen.
pub fn peak_bytes() -> usize {
    PEAK.load(Relaxed).max(used_bytes())
}

/// Remembers the present use if it is the highest so far; to be called now and then.
pub fn record_peak() {
    PEAK.fetch_max(used_bytes(), Relaxed);
}

/// Forgets the peak.
pub fn reset_peak() {
    PEAK.store(used_bytes(), Relaxed);
}

// SAFETY: every call is passed on unchanged to an allocator that keeps the contract; counting touches no memory that
// it hands out and never allocates (the thread-local is const-initialised and has no destructor).
unsafe impl GlobalAlloc for Counted {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout`, passed on.
        let pointer = unsafe { INNER.alloc(layout) };
        if !pointer.is_null() {
            count(size_class(layout.size(), layout.align()) as isize);
        }
        pointer
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let pointer = unsafe { INNER.alloc_zeroed(layout) };
        if !pointer.is_null() {
            count(size_class(layout.size(), layout.align()) as isize);
        }
        pointer
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise that `pointer` came from here with this layout, passed on.
        unsafe { INNER.dealloc(pointer, layout) };
        count(-(size_class(layout.size(), layout.align()) as isize));
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above; the layout of the new block is (`new_size`, `layout.align()`).
        let new = unsafe { INNER.realloc(pointer, layout, new_size) };
        if !new.is_null() {
            let old = size_class(layout.size(), layout.align()) as isize;
            count(size_class(new_size, layout.align()) as isize - old);
        }
        new
    }
}
