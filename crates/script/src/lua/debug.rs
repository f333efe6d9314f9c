//! A look into a script from within its hook: which functions are being called, and what their variables are.

use std::ffi::{CStr, c_int};
use std::mem;

use mlua_sys as ffi;

use super::frame::Frame;
use super::function::{Raise, hook_lines};

impl Frame<'_> {
    /// Has the hook see every line from here on.
    pub(crate) fn hook_lines(&self) {
        hook_lines(self.lua);
    }

    /// Whether so many functions are being called below the one that runs.
    pub(crate) fn has_level(&self, level: i32) -> bool {
        self.record(level).is_some()
    }

    fn record(&self, level: i32) -> Option<ffi::lua_Debug> {
        // SAFETY: all bytes zero are a value of this record: null pointers and numbers.
        let mut record: ffi::lua_Debug = unsafe { mem::zeroed() };
        // SAFETY: the state is valid; a level that is not there is told.
        let is_there = level >= 0 && unsafe { ffi::lua_getstack(self.lua, level, &raw mut record) } != 0;
        is_there.then_some(record)
    }

    /// Pushes a local variable of the function that called so many up, and tells its name; nothing if there is none.
    ///
    /// # Errors
    /// There is no room.
    pub(crate) fn push_local(&mut self, level: i32, number: c_int) -> Result<Option<Vec<u8>>, Raise> {
        self.grow()?;
        let Some(record) = self.record(level) else { return Ok(None) };
        // SAFETY: the record is of a function that is being called, and there is room for the value.
        let name = unsafe { ffi::lua_getlocal(self.lua, &raw const record, number) };
        if name.is_null() {
            return Ok(None);
        }
        self.pushed();
        // SAFETY: the name ends with a zero and belongs to the function, or is a constant.
        Ok(Some(unsafe { CStr::from_ptr(name) }.to_bytes().to_vec()))
    }

    /// Works on the frame of a coroutine made for it. What is called there meets the hook again, which Lua does not call from
    /// within itself.
    ///
    /// # Errors
    /// There is no room.
    pub(crate) fn in_coroutine<R>(&mut self, work: impl FnOnce(&mut Frame<'_>) -> R) -> Result<R, Raise> {
        self.grow()?;
        // SAFETY: there is room, and the allocator refuses nothing to the host.
        let coroutine = unsafe { ffi::lua_newthread(self.lua) };
        self.pushed();
        // SAFETY: the coroutine stays on the stack until the work is done, and only this frame uses it.
        let result = work(&mut unsafe { Frame::new(coroutine, self.context) });
        self.pop(1);
        Ok(result)
    }
}
