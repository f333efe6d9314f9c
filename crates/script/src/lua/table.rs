//! Tables on a frame's stack.
//!
//! Access is raw: metatables are not asked, so nothing here runs code of a script, except [`Frame::read_field`].

use std::ffi::c_int;

use mlua_sys as ffi;

use super::frame::{Frame, Kind};
use super::function::Raise;
use crate::state::Name;

impl Frame<'_> {
    /// The index of a table. Tables are only used after their kind was looked at, so another value is our mistake.
    #[inline]
    pub(super) fn table(&self, index: i32) -> c_int {
        let index = self.index(index);
        assert!(self.kind(index) == Kind::Table, "no table at {index} of {}", self.top);
        index
    }

    /// Whether the value is a table that scripts must not change.
    #[inline]
    pub(crate) fn is_protected(&mut self, index: i32) -> bool {
        let index = self.index(index);
        // SAFETY: the index is of a value or above all; room for the metatable is there or made.
        if self.kind(index) != Kind::Table || unsafe { ffi::lua_checkstack(self.lua, 1) } == 0 {
            return false;
        }
        // SAFETY: as above. All protected tables have metatables, most others have none.
        let has_metatable = unsafe { ffi::lua_getmetatable(self.lua, index) } != 0;
        if has_metatable {
            // SAFETY: the metatable is the last value.
            unsafe { ffi::lua_settop(self.lua, -2) };
        }
        has_metatable && self.context.is_protected(self.address(index))
    }

    /// The length of a string or a table (without metamethods).
    #[inline]
    pub(crate) fn length(&self, index: i32) -> usize {
        // A number would be turned into a string.
        match self.kind(index) {
            // SAFETY: the index is of a value.
            Kind::Table | Kind::String => unsafe { ffi::lua_objlen(self.lua, self.index(index)) },
            _ => 0,
        }
    }

    /// Pushes a table with room for so many elements and fields.
    #[inline]
    pub(crate) fn push_table(&mut self, elements: usize, fields: usize) -> Result<(), Raise> {
        self.grow()?;
        let bytes = elements.saturating_mul(16).saturating_add(fields.saturating_mul(40));
        self.check_memory(bytes)?;
        let size = |count: usize| c_int::try_from(count.min(1 << 26)).unwrap_or_default();
        // SAFETY: there is room, the allocator refuses nothing to the host, and the sizes are within what Lua can have.
        unsafe { ffi::lua_createtable(self.lua, size(elements), size(fields)) };
        self.pushed();
        Ok(())
    }

    /// Pushes the value of the field whose name is the last value, which is popped.
    #[inline]
    pub(crate) fn get(&mut self, table: i32) {
        let table = self.table(table);
        assert!(self.top > self.args);
        // SAFETY: there are a table and a key; raw access calls no metamethods.
        unsafe { ffi::lua_rawget_(self.lua, table) };
    }

    /// Pushes the value of a field.
    #[inline]
    pub(crate) fn get_name(&mut self, table: i32, name: Name) -> Result<Kind, Raise> {
        let table = self.table(table);
        self.push_name(name)?;
        self.get(table);
        Ok(self.kind(-1))
    }

    /// Pushes the value of a field.
    pub(crate) fn get_field(&mut self, table: i32, name: &str) -> Result<Kind, Raise> {
        let table = self.table(table);
        self.push_string(name.as_bytes())?;
        self.get(table);
        Ok(self.kind(-1))
    }

    /// Pushes an element.
    #[inline]
    pub(crate) fn get_element(&mut self, table: i32, number: i32) -> Result<Kind, Raise> {
        let table = self.table(table);
        self.grow()?;
        // SAFETY: it is a table, and there is room.
        unsafe { ffi::lua_rawgeti_(self.lua, table, number) };
        self.pushed();
        Ok(self.kind(-1))
    }

    /// Pushes the value of a field of any table, whatever its metatable does; the name is the last value, which is popped.
    ///
    /// # Errors
    /// What a metamethod raised.
    pub(crate) fn read_field(&mut self, table: i32) -> Result<(), Raise> {
        let table = self.table(table);
        let Some(reader) = self.shared().reader.get() else {
            self.get(table);
            return Ok(());
        };
        if !self.push_metatable(table)? {
            self.get(table);
            return Ok(());
        }
        self.pop(1);
        self.push_reference(reader)?;
        self.swap();
        self.push_value(table)?;
        self.swap();
        self.call(2, Some(1), 0).map(|_| ())
    }

    /// Sets a field; name and value are the last two values, which are popped. Names that no table can have set nothing.
    #[inline]
    pub(crate) fn set(&mut self, table: i32) {
        let table = self.table(table);
        assert!(self.top - self.args >= 2);
        let is_key = match self.kind(-2) {
            Kind::Nil => false,
            Kind::Number => self.number(-2).is_some_and(|number| !number.is_nan()),
            _ => true,
        };
        // SAFETY: there are a table, a value and a key that is neither nil nor NaN, so this cannot raise.
        unsafe {
            match is_key {
                true => ffi::lua_rawset(self.lua, table),
                false => ffi::lua_settop(self.lua, -3),
            }
        }
        self.popped(2);
    }

    /// Sets a field to the last value, which is popped.
    pub(crate) fn set_field(&mut self, table: i32, name: &str) -> Result<(), Raise> {
        let table = self.table(table);
        self.push_string(name.as_bytes())?;
        self.swap();
        self.set(table);
        Ok(())
    }

    /// Sets a field to the last value, which is popped.
    pub(crate) fn set_name(&mut self, table: i32, name: Name) -> Result<(), Raise> {
        let table = self.table(table);
        self.push_name(name)?;
        self.swap();
        self.set(table);
        Ok(())
    }

    /// Sets an element to the last value, which is popped.
    #[inline]
    pub(crate) fn set_element(&mut self, table: i32, number: i32) {
        let table = self.table(table);
        assert!(self.top > self.args);
        // SAFETY: there are a table and a value, and the allocator refuses nothing to the host.
        unsafe { ffi::lua_rawseti_(self.lua, table, number) };
        self.popped(1);
    }

    /// Goes on to the next field of a table: the name before it is the last value (nil at first), which is popped; its
    /// name and value are pushed. False, with nothing pushed, when there is none.
    ///
    /// The table must not be changed in between.
    #[inline]
    pub(crate) fn next(&mut self, table: i32) -> Result<bool, Raise> {
        let table = self.table(table);
        assert!(self.top > self.args);
        self.grow()?;
        // SAFETY: there are a table and a key of it: the one that the last call gave, and nothing was removed since.
        let has_next = unsafe { ffi::lua_next(self.lua, table) } != 0;
        self.popped(1);
        if has_next {
            self.pushed();
            self.pushed();
        }
        Ok(has_next)
    }

    /// Pushes the metatable of a value; false, with nothing pushed, if it has none.
    pub(crate) fn push_metatable(&mut self, index: i32) -> Result<bool, Raise> {
        self.grow()?;
        // SAFETY: the index is of a value or above all, and there is room.
        let has_metatable = unsafe { ffi::lua_getmetatable(self.lua, self.index(index)) } != 0;
        if has_metatable {
            self.pushed();
        }
        Ok(has_metatable)
    }

    /// Gives a value the last value, a table, as metatable; it is popped.
    pub(crate) fn set_metatable(&mut self, index: i32) {
        let index = self.index(index);
        self.table(-1);
        assert!(index < self.top);
        // SAFETY: the value and the table are there.
        unsafe { ffi::lua_setmetatable(self.lua, index) };
        self.popped(1);
    }

    /// Has scripts never change this table: guards of raw access look here.
    pub(crate) fn protect(&mut self, index: i32) {
        let index = self.table(index);
        self.context.protected.borrow_mut().push(self.address(index));
    }
}
