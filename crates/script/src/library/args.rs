//! Reading arguments as Lua's own libraries do, with their errors.

use crate::lua::{Frame, Kind, Raise};

/// A number as C makes a 64-bit integer of it on the processors that Redis runs on: what does not fit is the smallest.
pub(crate) fn to_i64(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// A number as Lua's libraries make an `int` of it: the low half of [`to_i64`].
pub(crate) fn to_i32(number: f64) -> i32 {
    to_i64(number) as i32
}

impl<'f> Frame<'f> {
    /// `bad argument #n to 'f' (...)`.
    pub(crate) fn arg_error(&mut self, arg: i32, text: &str) -> Raise {
        let place = self.location(0);
        let is_method = place.as_ref().is_some_and(|place| place.is_method);
        let function = place.and_then(|place| place.function).unwrap_or_else(|| b"?".to_vec());
        let function = String::from_utf8_lossy(&function).into_owned();
        match (arg, is_method) {
            (1, true) => Raise::text(&format!("calling '{function}' on bad self ({text})")),
            (_, true) => Raise::text(&format!("bad argument #{} to '{function}' ({text})", arg - 1)),
            (_, false) => Raise::text(&format!("bad argument #{arg} to '{function}' ({text})")),
        }
    }

    /// `... (table expected, got nil)`.
    pub(crate) fn type_error(&mut self, arg: i32, expected: &str) -> Raise {
        let found = if arg > self.args() { "no value" } else { self.type_name(arg) };
        self.arg_error(arg, &format!("{expected} expected, got {found}"))
    }

    /// An argument that is a string or a number.
    pub(crate) fn check_string(&mut self, arg: i32) -> Result<&'f [u8], Raise> {
        self.arg_string(arg).ok_or_else(|| self.type_error(arg, "string"))
    }

    /// An argument that is a number or spells one.
    pub(crate) fn check_number(&mut self, arg: i32) -> Result<f64, Raise> {
        let number = if arg <= self.args() { self.to_number(arg) } else { None };
        number.ok_or_else(|| self.type_error(arg, "number"))
    }

    /// An argument as an `int`.
    pub(crate) fn check_i32(&mut self, arg: i32) -> Result<i32, Raise> {
        self.check_number(arg).map(to_i32)
    }

    /// An argument as an integer of 64 bits.
    pub(crate) fn check_i64(&mut self, arg: i32) -> Result<i64, Raise> {
        self.check_number(arg).map(to_i64)
    }

    /// An argument as an integer, or what stands for it if there is none.
    pub(crate) fn optional_i64(&mut self, arg: i32, default: i64) -> Result<i64, Raise> {
        if self.is_missing(arg) { Ok(default) } else { self.check_i64(arg) }
    }

    /// An argument that is a table.
    pub(crate) fn check_table(&mut self, arg: i32) -> Result<(), Raise> {
        if arg <= self.args() && self.kind(arg) == Kind::Table {
            return Ok(());
        }
        Err(self.type_error(arg, "table"))
    }

    /// Whether an argument is nil or not there.
    pub(crate) fn is_missing(&self, arg: i32) -> bool {
        arg > self.args() || self.kind(arg) == Kind::Nil
    }
}
