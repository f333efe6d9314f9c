//! What an interpreter's callbacks reach: its memory account, what a run shares, and the host of the run.
//!
//! The context is the user data of Lua's allocator: any thread of Lua (coroutines too) leads to it with one load, where
//! the registry would cost the look-up of a string. It is boxed, so that its address stays.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

use mlua_sys as ffi;

use super::memory::Memory;
use crate::host::Host;
use crate::state::Shared;

/// The functions of Lua's own libraries that guards of ours go on to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stock {
    /// `next`.
    Next,
    /// `rawget`.
    RawGet,
    /// `rawset`.
    RawSet,
    /// `setmetatable`.
    SetMetatable,
    /// `collectgarbage`.
    CollectGarbage,
    /// `table.insert`.
    Insert,
    /// `table.sort`.
    Sort,
}

impl Stock {
    /// All of them, in the order of their numbers: library and name.
    pub(crate) const ALL: [(Stock, &'static str, &'static str); 7] = [
        (Stock::Next, "", "next"),
        (Stock::RawGet, "", "rawget"),
        (Stock::RawSet, "", "rawset"),
        (Stock::SetMetatable, "", "setmetatable"),
        (Stock::CollectGarbage, "", "collectgarbage"),
        (Stock::Insert, "table", "insert"),
        (Stock::Sort, "table", "sort"),
    ];
}

/// The part of an interpreter that its callbacks see.
pub(crate) struct Context {
    /// The allocator's account.
    pub(crate) memory: Memory,
    /// State of the libraries and of the run.
    pub(crate) shared: Shared,
    /// Who runs the script.
    host: Cell<Option<NonNull<dyn Host>>>,
    /// Lua's own functions, by [`Stock`].
    pub(super) stock: [Cell<Option<ffi::lua_CFunction>>; Stock::ALL.len()],
    /// Addresses of the tables that scripts must not change.
    pub(super) protected: RefCell<Vec<usize>>,
}

impl Context {
    /// A context with nothing registered.
    pub(crate) fn new(memory_limit: usize, shared: Shared) -> Context {
        Context {
            memory: Memory::new(memory_limit),
            shared,
            host: Cell::new(None),
            stock: Default::default(),
            protected: RefCell::new(Vec::new()),
        }
    }

    /// Lends the host to callbacks until the guard goes.
    pub(super) fn lend<'h>(&'h self, host: &'h mut dyn Host) -> Lent<'h> {
        let host = NonNull::from(host);
        // SAFETY: only the lifetime changes. The guard, which the borrow of the host outlives, takes the pointer back.
        let host = unsafe { std::mem::transmute::<NonNull<dyn Host + 'h>, NonNull<dyn Host>>(host) };
        self.host.set(Some(host));
        Lent { context: self }
    }

    /// Calls `use_host` with the host of the run; `None` when nothing runs, or when the host is being used already.
    #[inline]
    pub(crate) fn with_host<R>(&self, use_host: impl FnOnce(&mut dyn Host) -> R) -> Option<R> {
        let mut host = self.host.take()?;
        // SAFETY: the pointer is there while the run has lent it; taking it out of the cell makes the reference the
        // only one.
        let result = use_host(unsafe { host.as_mut() });
        self.host.set(Some(host));
        Some(result)
    }

    /// Whether scripts must not change the table at this address.
    pub(crate) fn is_protected(&self, address: usize) -> bool {
        self.protected.borrow().contains(&address)
    }
}

/// A host is lent while this lives.
pub(super) struct Lent<'h> {
    context: &'h Context,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.context.host.set(None);
    }
}
