//! Functions on a frame's stack: making, compiling and calling them.

use std::ffi::{CStr, c_char};

use mlua_sys as ffi;

use super::frame::{Frame, Kind};
use super::function::{Outcome, Raise, set_hook, trampoline};
use super::machine::Location;

impl<'f> Frame<'f> {
    /// The bytes of an upvalue that was pushed before anything else: it becomes an argument, and so stays.
    pub(crate) fn kept_string(&mut self, index: i32) -> Option<&'f [u8]> {
        if !matches!(self.kind(index), Kind::String | Kind::Number) {
            return None;
        }
        let index = self.index(index);
        self.args = self.args.max(index);
        // SAFETY: it is a string or becomes one; from here on it counts as an argument, which stays.
        Some(unsafe { self.bytes(index) })
    }

    /// Pushes a function of ours. The last `upvalues` values become its own.
    pub(crate) fn push_function<F>(&mut self, _function: F, upvalues: i32) -> Result<(), Raise>
    where
        F: Fn(&mut Frame<'_>) -> Outcome + Copy + 'static,
    {
        assert!(upvalues <= self.top - self.args && upvalues < 16);
        self.grow()?;
        // SAFETY: the upvalues are there, there is room, and the allocator refuses nothing to the host.
        unsafe { ffi::lua_pushcclosure(self.lua, trampoline::<F>, upvalues) };
        self.popped(upvalues);
        self.pushed();
        Ok(())
    }

    /// Pushes an upvalue of the function that runs.
    pub(crate) fn push_upvalue(&mut self, number: i32) -> Result<(), Raise> {
        self.grow()?;
        // SAFETY: there is room; what a function does not have reads as nil.
        unsafe { ffi::lua_pushvalue(self.lua, ffi::lua_upvalueindex(number.clamp(1, 255))) };
        self.pushed();
        Ok(())
    }

    /// Sets an upvalue of the function that runs to the last value, which is popped.
    pub(crate) fn set_upvalue(&mut self, number: i32) {
        assert!(self.top > self.args && (1..=15).contains(&number));
        // SAFETY: there is a value; functions with upvalues are made with all that they use.
        unsafe { ffi::lua_replace(self.lua, ffi::lua_upvalueindex(number)) };
        self.popped(1);
    }

    /// Gives a function of Lua its globals: the last value, a table, which is popped.
    pub(crate) fn set_environment(&mut self, function: i32) {
        let function = self.index(function);
        self.table(-1);
        assert!(self.kind(function) == Kind::Function && function < self.top);
        // SAFETY: the function and the table are there.
        unsafe { ffi::lua_setfenv(self.lua, function) };
        self.popped(1);
    }

    /// Calls the function below the last `args` values, all of which are popped; pushes `results` results, all if that is
    /// `None`, and tells how many. `handler` is the index of a function that sees an error where it happened.
    ///
    /// # Errors
    /// The error value is pushed instead.
    pub(crate) fn call(&mut self, args: i32, results: Option<i32>, handler: i32) -> Result<i32, Raise> {
        assert!(args >= 0 && self.top - self.args > args);
        let below = self.top - args - 1;
        let handler = if handler == 0 { 0 } else { self.index(handler) };
        let memory = &self.context.memory;
        let before = memory.enter_host();
        memory.leave_host(false);
        // SAFETY: the function and its arguments are there. Errors end here, before they meet a frame of Rust.
        let (status, top) = unsafe {
            let status = ffi::lua_pcall(self.lua, args, results.unwrap_or(ffi::LUA_MULTRET), handler);
            (status, ffi::lua_gettop(self.lua))
        };
        memory.leave_host(before);
        self.top = top;
        // Lua made room for the results and no more.
        self.room = 0;
        if status == ffi::LUA_OK { Ok(top - below) } else { Err(Raise::Value) }
    }

    /// Compiles a text, without anything of Lua's running meanwhile, and pushes the function.
    ///
    /// The collector stands still: the parser of Lua 5.1 has the chunk's name in no place where the collector looks.
    ///
    /// # Errors
    /// The message is pushed instead.
    pub(crate) fn compile(&mut self, text: &[u8], name: &CStr) -> Result<(), Raise> {
        self.grow()?;
        if text.len() > crate::SOURCE_LEN_MAX || self.context.memory.is_exhausted(text.len()) {
            return Err(Raise::OutOfMemory);
        }
        // What begins with this byte is taken for compiled code, which is trusted; behind a space it is a bad character.
        let spaced: Vec<u8>;
        let text = match text.first() {
            Some(&first) if first == ffi::LUA_SIGNATURE[0] => {
                spaced = [b" ", text].concat();
                &spaced[..]
            }
            _ => text,
        };
        let memory = &self.context.memory;
        let before = memory.enter_host();
        // SAFETY: the text and the zero-terminated name outlive the calls; errors of the parser end within.
        let status = unsafe {
            ffi::lua_gc(self.lua, ffi::LUA_GCSTOP, 0);
            memory.leave_host(false);
            let status =
                ffi::luaL_loadbuffer(self.lua, text.as_ptr().cast::<c_char>(), text.len(), name.as_ptr());
            memory.leave_host(before);
            ffi::lua_gc(self.lua, ffi::LUA_GCRESTART, 0);
            status
        };
        self.pushed();
        if status == ffi::LUA_OK { Ok(()) } else { Err(Raise::Value) }
    }

    /// Where the function that called `level` functions up is being run.
    pub(crate) fn location(&mut self, level: i32) -> Option<Location> {
        self.grow().ok()?;
        Location::at(self.lua, level)
    }

    /// Has the hook see every instruction from here on.
    pub(crate) fn hook_everything(&self) {
        set_hook(self.lua, 1);
    }
}
