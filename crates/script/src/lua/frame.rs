//! The stack of a callback, with everything checked that Lua's interface takes on trust.
//!
//! A frame knows how many values are on its stack and for how many more there is room, since all changes go through
//! it; so a check costs a comparison and no call. Indices count from 1; negative ones from the top. The first values are the
//! arguments, and a frame never removes them: strings among them can be read for as long as the frame lives, whatever
//! is pushed meanwhile.

use std::ffi::{c_char, c_int};
use std::marker::PhantomData;
use std::slice;

use mlua_sys as ffi;

use super::context::Context;
use super::function::Raise;
use super::machine::Reference;
use crate::state::{Name, Shared};

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// There is no value.
    None,
    /// nil.
    Nil,
    /// true or false.
    Boolean,
    /// A bare address (`cjson.null`).
    LightUserdata,
    /// A number.
    Number,
    /// Bytes.
    String,
    /// A table.
    Table,
    /// A function.
    Function,
    /// Userdata or a coroutine.
    Other,
}

impl Kind {
    fn of(number: c_int) -> Kind {
        match number {
            ffi::LUA_TNONE => Kind::None,
            ffi::LUA_TNIL => Kind::Nil,
            ffi::LUA_TBOOLEAN => Kind::Boolean,
            ffi::LUA_TLIGHTUSERDATA => Kind::LightUserdata,
            ffi::LUA_TNUMBER => Kind::Number,
            ffi::LUA_TSTRING => Kind::String,
            ffi::LUA_TTABLE => Kind::Table,
            ffi::LUA_TFUNCTION => Kind::Function,
            _ => Kind::Other,
        }
    }
}

/// The values of a running callback, or of the host between runs.
pub(crate) struct Frame<'f> {
    pub(super) lua: *mut ffi::lua_State,
    pub(super) context: &'f Context,
    pub(super) args: c_int,
    pub(super) top: c_int,
    /// Slots above the top that may be used without asking for more.
    pub(super) room: c_int,
    _stays_in_its_thread: PhantomData<*mut ()>,
}

impl<'f> Frame<'f> {
    /// The frame of the function that Lua is calling.
    ///
    /// # Safety
    /// `lua` is valid and, for the whole of `'f`, nobody else changes its stack; `context` is that of its interpreter.
    #[inline]
    pub(super) unsafe fn new(lua: *mut ffi::lua_State, context: &'f Context) -> Frame<'f> {
        // SAFETY: the state is valid. Lua promises LUA_MINSTACK free slots to every function that it calls.
        let top = unsafe { ffi::lua_gettop(lua) };
        Frame { lua, context, args: top, top, room: ffi::LUA_MINSTACK, _stays_in_its_thread: PhantomData }
    }

    /// The number of arguments.
    #[inline]
    pub(crate) fn args(&self) -> i32 {
        self.args
    }

    /// The number of values on the stack, which is the index of the last.
    #[inline]
    pub(crate) fn top(&self) -> i32 {
        self.top
    }

    /// What all callbacks share.
    #[inline]
    pub(crate) fn shared(&self) -> &'f Shared {
        &self.context.shared
    }

    /// The interpreter's context.
    #[inline]
    pub(crate) fn context(&self) -> &'f Context {
        self.context
    }

    /// The index that Lua knows for certain: that of a value on the stack, or one above them all.
    #[inline]
    pub(super) fn index(&self, index: i32) -> c_int {
        let index = if index < 0 { self.top + 1 + index } else { index };
        if index > 0 { index } else { c_int::MAX / 2 }
    }

    /// Makes room for a value.
    #[inline]
    pub(super) fn grow(&mut self) -> Result<(), Raise> {
        if self.room > 0 {
            return Ok(());
        }
        self.reserve(ffi::LUA_MINSTACK)
    }

    /// Makes room for so many values.
    pub(crate) fn reserve(&mut self, count: i32) -> Result<(), Raise> {
        if self.room >= count {
            return Ok(());
        }
        // SAFETY: the state is valid; this protects itself from errors.
        if unsafe { ffi::lua_checkstack(self.lua, count) } == 0 {
            return Err(Raise::text("stack overflow"));
        }
        self.room = count;
        Ok(())
    }

    #[inline]
    pub(super) fn pushed(&mut self) {
        self.top += 1;
        self.room -= 1;
    }

    #[inline]
    pub(super) fn popped(&mut self, count: c_int) {
        self.top -= count;
        self.room += count;
        debug_assert!(self.top >= self.args, "an argument was removed");
    }

    /// The kind of a value.
    #[inline]
    pub(crate) fn kind(&self, index: i32) -> Kind {
        // SAFETY: the index is of a value or above all.
        Kind::of(unsafe { ffi::lua_type(self.lua, self.index(index)) })
    }

    /// Lua's name of the type of a value, as errors show it.
    pub(crate) fn type_name(&self, index: i32) -> &'static str {
        // SAFETY: the index is of a value or above all; the names are constants.
        let number = unsafe { ffi::lua_type(self.lua, self.index(index)) };
        match number {
            ffi::LUA_TNONE => "no value",
            ffi::LUA_TUSERDATA => "userdata",
            ffi::LUA_TTHREAD => "thread",
            _ => match Kind::of(number) {
                Kind::Nil => "nil",
                Kind::Boolean => "boolean",
                Kind::LightUserdata => "userdata",
                Kind::Number => "number",
                Kind::String => "string",
                Kind::Table => "table",
                _ => "function",
            },
        }
    }

    /// A number, if the value is one itself.
    #[inline]
    pub(crate) fn number(&self, index: i32) -> Option<f64> {
        let index = self.index(index);
        // SAFETY: the index is of a value or above all.
        (self.kind(index) == Kind::Number).then(|| unsafe { ffi::lua_tonumber(self.lua, index) })
    }

    /// A number, if the value is one or a string that spells one.
    #[inline]
    pub(crate) fn to_number(&self, index: i32) -> Option<f64> {
        let index = self.index(index);
        // SAFETY: the index is of a value or above all; neither function changes the value.
        unsafe { (ffi::lua_isnumber(self.lua, index) != 0).then(|| ffi::lua_tonumber(self.lua, index)) }
    }

    /// Whether the value is neither nil nor false.
    #[inline]
    pub(crate) fn boolean(&self, index: i32) -> bool {
        // SAFETY: the index is of a value or above all.
        unsafe { ffi::lua_toboolean(self.lua, self.index(index)) != 0 }
    }

    /// The bytes of a string (not those that a number would have).
    #[inline]
    pub(crate) fn string(&self, index: i32) -> Option<&[u8]> {
        if self.kind(index) != Kind::String {
            return None;
        }
        // SAFETY: it is a string, which stays on the stack while the frame is borrowed.
        Some(unsafe { self.bytes(self.index(index)) })
    }

    /// The bytes of an argument that is a string or a number, which becomes one.
    #[inline]
    pub(crate) fn arg_string(&self, index: i32) -> Option<&'f [u8]> {
        if index < 1 || index > self.args || !matches!(self.kind(index), Kind::String | Kind::Number) {
            return None;
        }
        // SAFETY: it is a string or becomes one; arguments stay on the stack for as long as the frame lives.
        Some(unsafe { self.bytes(index) })
    }

    /// The bytes of a string or a number.
    ///
    /// # Safety
    /// It is one of them, and the value stays where it is during `'a`.
    #[inline]
    pub(super) unsafe fn bytes<'a>(&self, index: c_int) -> &'a [u8] {
        let mut len = 0;
        // SAFETY: the caller knows that there is a string, so the address is not null; strings never change.
        unsafe {
            let start = ffi::lua_tolstring(self.lua, index, &raw mut len);
            slice::from_raw_parts(start.cast(), len)
        }
    }

    /// The bytes of the last value if it is a string or a number, which becomes one; none otherwise.
    pub(crate) fn text_of_last(&mut self) -> Result<Vec<u8>, Raise> {
        if self.top <= self.args || !matches!(self.kind(-1), Kind::String | Kind::Number) {
            return Ok(Vec::new());
        }
        let index = self.index(-1);
        // SAFETY: it is a string or becomes one, and stays where it is while it is copied.
        let bytes = unsafe { self.bytes(index) };
        self.check_memory(bytes.len())?;
        // SAFETY: as above; a collection keeps what is on the stack.
        Ok(unsafe { self.bytes(index) }.to_vec())
    }

    /// The address of a table, function or other object; 0 for plain values.
    #[inline]
    pub(crate) fn address(&self, index: i32) -> usize {
        // SAFETY: the index is of a value or above all.
        unsafe { ffi::lua_topointer(self.lua, self.index(index)) }.addr()
    }

    /// Pushes nil.
    #[inline]
    pub(crate) fn push_nil(&mut self) -> Result<(), Raise> {
        self.grow()?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushnil(self.lua) };
        self.pushed();
        Ok(())
    }

    /// Pushes true or false.
    #[inline]
    pub(crate) fn push_boolean(&mut self, value: bool) -> Result<(), Raise> {
        self.grow()?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushboolean(self.lua, c_int::from(value)) };
        self.pushed();
        Ok(())
    }

    /// Pushes a number.
    #[inline]
    pub(crate) fn push_number(&mut self, value: f64) -> Result<(), Raise> {
        self.grow()?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushnumber(self.lua, value) };
        self.pushed();
        Ok(())
    }

    /// Pushes a string; an error where it would go beyond the interpreter's memory.
    #[inline]
    pub(crate) fn push_string(&mut self, bytes: &[u8]) -> Result<(), Raise> {
        self.grow()?;
        if self.context.memory.is_exhausted(bytes.len()) {
            return self.no_memory(bytes.len());
        }
        // SAFETY: there is room, and the allocator refuses nothing to the host.
        unsafe { ffi::lua_pushlstring_(self.lua, bytes.as_ptr().cast::<c_char>(), bytes.len()) };
        self.pushed();
        Ok(())
    }

    /// Collects what is garbage; an error if that does not make room for `more` bytes.
    #[cold]
    fn no_memory(&mut self, more: usize) -> Result<(), Raise> {
        // A collection costs as much as there is in use, so small strings must not each begin one.
        if more > self.context.memory.limit() / 64 {
            // SAFETY: the state is valid; there are no finalizers.
            unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCCOLLECT, 0) };
            if !self.context.memory.is_exhausted(more) {
                return Ok(());
            }
        }
        Err(Raise::OutOfMemory)
    }

    /// An error if so many bytes more would go beyond the interpreter's memory.
    #[inline]
    pub(crate) fn check_memory(&mut self, more: usize) -> Result<(), Raise> {
        if self.context.memory.is_exhausted(more) { self.no_memory(more) } else { Ok(()) }
    }

    /// Pushes the null address.
    pub(crate) fn push_null(&mut self) -> Result<(), Raise> {
        self.grow()?;
        // SAFETY: there is room.
        unsafe { ffi::lua_pushlightuserdata(self.lua, std::ptr::null_mut()) };
        self.pushed();
        Ok(())
    }

    /// Pushes a copy of a value.
    #[inline]
    pub(crate) fn push_value(&mut self, index: i32) -> Result<(), Raise> {
        let index = self.index(index);
        assert!(index <= self.top, "no value at {index} of {}", self.top);
        self.grow()?;
        // SAFETY: the value is there, and there is room.
        unsafe { ffi::lua_pushvalue(self.lua, index) };
        self.pushed();
        Ok(())
    }

    /// Pushes a table that only Lua's interface has an index for.
    pub(super) fn push_pseudo(&mut self, index: c_int) -> Result<(), Raise> {
        self.grow()?;
        // SAFETY: the index is one of Lua's constants, and there is room.
        unsafe { ffi::lua_pushvalue(self.lua, index) };
        self.pushed();
        Ok(())
    }

    /// Pushes one of the names that were interned when the interpreter was made.
    #[inline]
    pub(crate) fn push_name(&mut self, name: Name) -> Result<(), Raise> {
        self.push_reference(Reference::of_name(name))
    }

    /// Pushes what a reference stands for.
    #[inline]
    pub(crate) fn push_reference(&mut self, reference: Reference) -> Result<(), Raise> {
        self.grow()?;
        // SAFETY: there is room, and the registry is a table.
        unsafe { ffi::lua_rawgeti_(self.lua, ffi::LUA_REGISTRYINDEX, reference.number()) };
        self.pushed();
        Ok(())
    }

    /// Keeps the last value, which is popped, until [`Frame::forget`].
    pub(crate) fn keep(&mut self) -> Reference {
        assert!(self.top > self.args);
        // SAFETY: there is a value, and the allocator refuses nothing to the host.
        let number = unsafe { ffi::luaL_ref(self.lua, ffi::LUA_REGISTRYINDEX) };
        self.popped(1);
        Reference::new(number)
    }

    /// Lets go of what was kept.
    pub(crate) fn forget(&mut self, reference: Reference) {
        // SAFETY: the registry is a table, and the allocator refuses nothing to the host.
        unsafe { ffi::luaL_unref(self.lua, ffi::LUA_REGISTRYINDEX, reference.number()) };
    }

    /// Puts the last value, which is popped, in place of the one that is so many below it.
    pub(crate) fn replace_below(&mut self, count: i32) {
        let index = self.top - count;
        assert!(count > 0 && index > self.args);
        // SAFETY: both are there.
        unsafe { ffi::lua_replace(self.lua, index) };
        self.popped(1);
    }

    /// Exchanges the last two values.
    pub(crate) fn swap(&mut self) {
        assert!(self.top - self.args >= 2);
        // SAFETY: both are there.
        unsafe { ffi::lua_insert(self.lua, -2) };
    }

    /// Removes the last values.
    #[inline]
    pub(crate) fn pop(&mut self, count: i32) {
        assert!(count >= 0 && self.top - count >= self.args);
        // SAFETY: so many are there.
        unsafe { ffi::lua_settop(self.lua, -count - 1) };
        self.popped(count);
    }
}
