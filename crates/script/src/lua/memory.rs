//! The allocator of an interpreter: it counts, and refuses what goes beyond a bound.
//!
//! Lua answers a refusal by jumping out of whatever was running to the nearest protected call, over all frames in
//! between. Over frames of C that is how Lua works; a frame of Rust would lose what it owns. So the allocator refuses
//! only while Lua's own code runs. While a callback of ours runs ([`Memory::enter_host`]) it grants everything, and
//! callbacks look at [`Memory::is_exhausted`] before they make something large, which is an ordinary error for them.
//! What they take beyond the bound in between is bounded by what they were given: arguments and replies.
//!
//! Blocks come from the process's own allocator, so that they are in `used_memory`, and so that a sanitizer sees each.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use super::context::Context;

/// What the largest alignment is that Lua's objects need: that of a double and of a pointer.
const ALIGN: usize = 8;

/// The account of one interpreter.
#[derive(Debug)]
pub(crate) struct Memory {
    used: Cell<usize>,
    limit: Cell<usize>,
    in_host: Cell<bool>,
    largest: Cell<usize>,
}

impl Memory {
    /// An empty account that grants `limit` bytes; it begins in the host's hands.
    pub(crate) fn new(limit: usize) -> Memory {
        Memory {
            used: Cell::new(0),
            limit: Cell::new(limit),
            in_host: Cell::new(true),
            largest: Cell::new(0),
        }
    }

    /// Bytes in use.
    #[inline]
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// Bytes that may be in use.
    pub(crate) fn limit(&self) -> usize {
        self.limit.get()
    }

    /// Sets the bound; what is in use stays.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.limit.set(limit);
    }

    /// Whether `more` bytes would go beyond the bound.
    #[inline]
    pub(crate) fn is_exhausted(&self, more: usize) -> bool {
        self.used.get().saturating_add(more) > self.limit.get()
    }

    /// From here on nothing is refused; tells what was so before.
    #[inline]
    pub(crate) fn enter_host(&self) -> bool {
        self.in_host.replace(true)
    }

    /// From here on Lua runs (`false`) or the host does, as it was before.
    #[inline]
    pub(crate) fn leave_host(&self, before: bool) {
        self.in_host.set(before);
    }

    /// The largest block that was asked for since the last call.
    pub(crate) fn take_largest(&self) -> usize {
        self.largest.replace(0)
    }

    fn refuses(&self, old: usize, new: usize) -> bool {
        !self.in_host.get() && new > old && self.is_exhausted(new - old)
    }
}

/// A layout that Lua's sizes always have: they are below half the address space.
fn layout(len: usize) -> Option<Layout> {
    Layout::from_size_align(len, ALIGN).ok()
}

/// Lua's allocation function.
///
/// # Safety
/// `context` is a [`Context`] that outlives the interpreter, `block` came from here with `old` bytes or is null.
pub(crate) unsafe extern "C" fn allocate(
    context: *mut c_void,
    block: *mut c_void,
    old: usize,
    new: usize,
) -> *mut c_void {
    // SAFETY: the caller's first promise. Only cells are changed, through a shared reference.
    let memory = unsafe { &(*context.cast::<Context>()).memory };
    let old = if block.is_null() { 0 } else { old };
    if new > memory.largest.get() {
        memory.largest.set(new);
    }
    if memory.refuses(old, new) {
        return ptr::null_mut();
    }
    let (Some(old_layout), Some(new_layout)) = (layout(old), layout(new)) else {
        return ptr::null_mut();
    };
    // SAFETY: the block was made here with its old layout (the caller's second promise; Lua passes sizes back as it
    // gave them), and no layout of zero bytes is asked for.
    let made = unsafe {
        match (old, new) {
            (0, 0) => ptr::null_mut(),
            (0, _) => alloc(new_layout),
            (_, 0) => {
                dealloc(block.cast(), old_layout);
                ptr::null_mut()
            }
            _ => realloc(block.cast(), old_layout, new),
        }
    };
    if made.is_null() && new > 0 {
        if memory.in_host.get() {
            handle_alloc_error(new_layout);
        }
        return ptr::null_mut();
    }
    memory.used.set(memory.used.get() + new - old);
    made.cast()
}
