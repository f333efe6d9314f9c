//! An interpreter, as its owner sees it.

use std::ffi::{CStr, c_char, c_int};
use std::mem;
use std::ptr::NonNull;

use mlua_sys as ffi;

use super::context::{Context, Stock};
use super::frame::Frame;
use super::function::{HOOK_COUNT, panicked, set_hook};
use super::memory::allocate;
use crate::host::Host;
use crate::state::{Name, Shared};

/// The libraries of Lua that are opened; what scripts get to see of them is decided above.
const LIBRARIES: [(ffi::lua_CFunction, &CStr); 5] = [
    (ffi::luaopen_base, c""),
    (ffi::luaopen_table, c"table"),
    (ffi::luaopen_string, c"string"),
    (ffi::luaopen_math, c"math"),
    (ffi::luaopen_os, c"os"),
];

/// A value that is kept for later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reference(c_int);

impl Reference {
    pub(super) fn new(number: c_int) -> Reference {
        Reference(number)
    }

    pub(super) fn number(self) -> c_int {
        self.0
    }

    /// The names are kept before anything else.
    #[inline]
    pub(super) fn of_name(name: Name) -> Reference {
        Reference(name as c_int + 1)
    }
}

/// A place in a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Location {
    /// Whether it is in a function of ours.
    pub(crate) is_host: bool,
    /// The chunk's name as it was given.
    pub(crate) source: Vec<u8>,
    /// The line, 0 or -1 where there is none.
    pub(crate) line: i32,
    /// How the function was called there.
    pub(crate) function: Option<Vec<u8>>,
    /// Whether it was called with a colon.
    pub(crate) is_method: bool,
    short: Vec<u8>,
}

impl Location {
    /// The chunk's name as messages show it.
    pub(crate) fn short_source(&self) -> &[u8] {
        &self.short
    }

    /// The place of the function that called so many functions up.
    pub(super) fn at(lua: *mut ffi::lua_State, level: c_int) -> Option<Location> {
        // SAFETY: all bytes zero are a value of this record: null pointers and numbers.
        let mut record: ffi::lua_Debug = unsafe { mem::zeroed() };
        // SAFETY: frames and machines have valid threads. The record is filled by the first call and completed by the
        // second; the texts that it points to belong to functions that are being called.
        unsafe {
            if ffi::lua_getstack(lua, level, &raw mut record) == 0 {
                return None;
            }
            ffi::lua_getinfo(lua, c"nSl".as_ptr(), &raw mut record);
            Some(Location {
                is_host: text(record.what) == b"C",
                source: text(record.source).to_vec(),
                line: record.currentline,
                function: (!record.name.is_null()).then(|| text(record.name).to_vec()),
                is_method: text(record.namewhat) == b"method",
                short: text(record.short_src.as_ptr()).to_vec(),
            })
        }
    }
}

/// The bytes of a text of C, none if there is none.
///
/// # Safety
/// It ends with a zero and stays during `'a`.
unsafe fn text<'a>(start: *const c_char) -> &'a [u8] {
    // SAFETY: the caller's promise.
    if start.is_null() { b"" } else { unsafe { CStr::from_ptr(start) }.to_bytes() }
}

/// An interpreter with Lua's own libraries.
pub(crate) struct Machine {
    lua: NonNull<ffi::lua_State>,
    context: Box<Context>,
}

// SAFETY: all that the state points to is its own and moves with it; nothing of it is bound to a thread.
unsafe impl Send for Machine {}

impl Machine {
    /// Makes an interpreter that may take so many bytes while scripts run; `None` if there is no memory for it.
    pub(crate) fn new(memory_limit: usize, shared: Shared) -> Option<Machine> {
        let context = Box::new(Context::new(memory_limit, shared));
        let user_data = (&raw const *context).cast_mut().cast();
        // SAFETY: the context is boxed and dropped after the state is closed.
        let lua = NonNull::new(unsafe { ffi::lua_newstate(allocate, user_data) })?;
        let mut machine = Machine { lua, context };
        // SAFETY: the state is valid.
        unsafe { ffi::lua_atpanic(lua.as_ptr(), panicked) };
        machine.keep_names();
        machine.open_libraries();
        machine.note_stock();
        machine.hook();
        Some(machine)
    }

    /// The frame of the host, between runs: an empty stack.
    pub(crate) fn frame(&mut self) -> Frame<'_> {
        // SAFETY: the state is valid, and the machine is borrowed for as long as the frame is used. Outside of any call
        // there is as much room as within one.
        unsafe {
            ffi::lua_settop(self.lua.as_ptr(), 0);
            Frame::new(self.lua.as_ptr(), &self.context)
        }
    }

    /// What callbacks reach.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Works on a frame, with a host for callbacks.
    pub(crate) fn run<R>(&mut self, host: &mut dyn Host, work: impl FnOnce(&mut Frame<'_>) -> R) -> R {
        // SAFETY: as for `frame`; the context is borrowed apart from the state, which only the frame uses.
        let mut frame = unsafe {
            ffi::lua_settop(self.lua.as_ptr(), 0);
            Frame::new(self.lua.as_ptr(), &self.context)
        };
        let lent = self.context.lend(host);
        let result = work(&mut frame);
        drop(lent);
        self.hook();
        result
    }

    /// Collects all garbage.
    pub(crate) fn collect(&mut self) {
        // SAFETY: the state is valid; there are no finalizers.
        unsafe { ffi::lua_gc(self.lua.as_ptr(), ffi::LUA_GCCOLLECT, 0) };
    }

    /// Has the collector work as it does by default, whatever a script told it.
    pub(crate) fn reset_collector(&mut self) {
        // SAFETY: the state is valid.
        unsafe {
            ffi::lua_gc(self.lua.as_ptr(), ffi::LUA_GCSETPAUSE, 200);
            ffi::lua_gc(self.lua.as_ptr(), ffi::LUA_GCSETSTEPMUL, 200);
            ffi::lua_gc(self.lua.as_ptr(), ffi::LUA_GCRESTART, 0);
        }
    }

    fn hook(&mut self) {
        set_hook(self.lua.as_ptr(), HOOK_COUNT);
    }

    fn keep_names(&mut self) {
        let mut frame = self.frame();
        for name in Name::ALL {
            if frame.push_string(name.text().as_bytes()).is_ok() {
                let reference = frame.keep();
                assert_eq!(reference, Reference::of_name(name), "names are numbered as they are kept");
            }
        }
    }

    fn open_libraries(&mut self) {
        let lua = self.lua.as_ptr();
        for (open, name) in LIBRARIES {
            // SAFETY: this is how Lua's libraries are opened; the allocator refuses nothing to the host. What they keep
            // in the registry besides their globals is removed, so that nothing leads to it.
            unsafe {
                ffi::lua_pushcclosure(lua, open, 0);
                ffi::lua_pushstring_(lua, name.as_ptr());
                ffi::lua_call(lua, 1, 0);
                ffi::lua_pushnil(lua);
                ffi::lua_setfield(lua, ffi::LUA_REGISTRYINDEX, c"_LOADED".as_ptr());
            }
        }
    }

    fn note_stock(&mut self) {
        for (stock, library, name) in Stock::ALL {
            let mut frame = self.frame();
            let lua = frame.lua;
            let found = (|| {
                frame.push_globals()?;
                if !library.is_empty() {
                    frame.get_field(-1, library)?;
                }
                frame.get_field(-1, name)
            })();
            assert!(found.is_ok(), "{name} is in Lua's libraries");
            // SAFETY: there is a value on the stack.
            let function = unsafe { ffi::lua_tocfunction(lua, -1) };
            self.context.stock[stock as usize].set(function);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.context.memory.enter_host();
        // SAFETY: the state is valid and not used again. There are no finalizers that could run meanwhile.
        unsafe { ffi::lua_close(self.lua.as_ptr()) };
    }
}

impl Frame<'_> {
    /// Pushes Lua's table of globals, the one that its libraries were opened into.
    pub(crate) fn push_globals(&mut self) -> Result<(), super::Raise> {
        self.push_pseudo(ffi::LUA_GLOBALSINDEX)
    }

    /// Collects garbage if little memory is left; not again before much has been added.
    pub(super) fn collect_if_nearly_full(&mut self) {
        let memory = &self.context().memory;
        let shared = self.shared();
        let used = memory.used();
        if used < memory.limit() / 4 * 3
            || used < shared.collected_at.get().saturating_add(memory.limit() / 16)
        {
            return;
        }
        // SAFETY: the state is valid; there are no finalizers.
        unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCCOLLECT, 0) };
        shared.collected_at.set(memory.used());
    }
}
