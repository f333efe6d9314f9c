//! The functions of Lua's base library that are not as Lua has them.
//!
//! - Guards: raw access to a table goes past the metatable that protects it, so what offers raw access looks first
//!   whether the table is a protected one, and then lets Lua's function do the work.
//! - `pcall` turns the server's error tables into strings, as before Redis 7.
//! - `xpcall` calls its handler where hooks are called.
//! - `load` and `loadstring` take text only, and `load` reads all of it before the parser runs.
//! - `unpack` counts in 64 bits: the subtraction of Lua 5.1 overflows.

use std::ffi::CString;

use crate::lua::{Frame, Kind, Outcome, Raise, Returned, Stock};
use crate::state::Name;

/// What every attempt to change a protected table ends with.
pub(crate) const READONLY: &str = "Attempt to modify a readonly table";
/// Values that may be on the stack of a function of C: Lua's own bound.
const STACK_MAX: i64 = 8000;

/// Goes on to Lua's function unless the first argument is protected.
pub(crate) fn unless_protected(frame: &mut Frame<'_>, stock: Stock) -> Outcome {
    if frame.is_protected(1) { Err(Raise::plain(READONLY)) } else { Ok(Returned::Stock(stock)) }
}

/// `rawset`
pub(crate) fn rawset(frame: &mut Frame<'_>) -> Outcome {
    unless_protected(frame, Stock::RawSet)
}

/// `setmetatable`
pub(crate) fn setmetatable(frame: &mut Frame<'_>) -> Outcome {
    unless_protected(frame, Stock::SetMetatable)
}

/// `collectgarbage`
pub(crate) fn collectgarbage(frame: &mut Frame<'_>) -> Outcome {
    frame.shared().collector_touched.set(true);
    Ok(Returned::Stock(Stock::CollectGarbage))
}

/// Pushes the table that a protected one stands for.
fn push_original(frame: &mut Frame<'_>, protected: i32) -> Result<(), Raise> {
    frame.push_metatable(protected)?;
    let metatable = frame.top();
    frame.get_name(metatable, Name::Index).map(|_| ())
}

/// `rawget`
pub(crate) fn rawget(frame: &mut Frame<'_>) -> Outcome {
    if !frame.is_protected(1) || frame.args() < 2 {
        return Ok(Returned::Stock(Stock::RawGet));
    }
    push_original(frame, 1)?;
    let table = frame.top();
    frame.push_value(2)?;
    frame.get(table);
    Ok(Returned::Values(1))
}

/// `next`
pub(crate) fn next(frame: &mut Frame<'_>) -> Outcome {
    if !frame.is_protected(1) {
        return Ok(Returned::Stock(Stock::Next));
    }
    push_original(frame, 1)?;
    let table = frame.top();
    if !frame.is_missing(2) {
        // Lua raises an error for a name that is not in the table; here it ends the walk.
        frame.push_value(2)?;
        frame.get(table);
        if frame.kind(-1) == Kind::Nil {
            return Ok(Returned::Values(1));
        }
        frame.push_value(2)?;
    } else {
        frame.push_nil()?;
    }
    if frame.next(table)? {
        return Ok(Returned::Values(2));
    }
    frame.push_nil()?;
    Ok(Returned::Values(1))
}

/// `pairs`, whose upvalue is `next`.
pub(crate) fn pairs(frame: &mut Frame<'_>) -> Outcome {
    frame.check_table(1)?;
    frame.push_upvalue(1)?;
    frame.push_value(1)?;
    frame.push_nil()?;
    Ok(Returned::Values(3))
}

/// `getmetatable`. The upvalues are what strings show instead of their own, and a table of what protected tables do.
pub(crate) fn getmetatable(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() < 1 {
        return Err(frame.arg_error(1, "value expected"));
    }
    if frame.kind(1) == Kind::String {
        frame.push_upvalue(1)?;
    } else if frame.is_protected(1) {
        frame.push_upvalue(2)?;
        let shown = frame.top();
        frame.push_value(1)?;
        frame.get(shown);
    } else if !frame.push_metatable(1)? {
        frame.push_nil()?;
    } else {
        let metatable = frame.top();
        if frame.get_field(metatable, "__metatable")? == Kind::Nil {
            frame.pop(1);
            push_shown(frame, metatable)?;
        }
    }
    Ok(Returned::Values(1))
}

/// Pushes what a metatable of ours is shown as, or the metatable if it is a script's own.
fn push_shown(frame: &mut Frame<'_>, metatable: i32) -> Result<(), Raise> {
    frame.push_upvalue(2)?;
    let shown = frame.top();
    frame.push_value(metatable)?;
    frame.get(shown);
    if frame.kind(-1) == Kind::Nil { frame.push_value(metatable) } else { Ok(()) }
}

/// `unpack`
pub(crate) fn unpack(frame: &mut Frame<'_>) -> Outcome {
    frame.check_table(1)?;
    let first = i64::from(frame.optional_i64(2, 1)? as i32);
    let length = frame.length(1) as i64;
    let last = i64::from(frame.optional_i64(3, length)? as i32);
    if first > last {
        return Ok(Returned::Values(0));
    }
    let count = last - first + 1;
    let room = i32::try_from(count).ok().filter(|_| count < STACK_MAX);
    let room = room.ok_or_else(|| Raise::text("too many results to unpack"))?;
    frame.reserve(room).map_err(|_| Raise::text("too many results to unpack"))?;
    for number in first..=last {
        frame.get_element(1, number as i32)?;
    }
    Ok(Returned::Values(room))
}

/// `pcall`: what it catches of the server's errors is their text.
pub(crate) fn pcall(frame: &mut Frame<'_>) -> Outcome {
    let args = frame.args();
    if args < 1 {
        // What Redis calls then is the place holder of its own result.
        frame.push_boolean(false)?;
        frame.push_string(b"attempt to call a boolean value")?;
        return Ok(Returned::Values(2));
    }
    frame.reserve(args + 4)?;
    frame.push_boolean(true)?;
    for arg in 1..=args {
        frame.push_value(arg)?;
    }
    match frame.call(args - 1, None, 0) {
        Ok(results) => Ok(Returned::Values(results + 1)),
        Err(_) => {
            let error = frame.top();
            if frame.kind(error) == Kind::Table && is_text(frame.get_name(error, Name::Err)?) {
                frame.push_boolean(false)?;
                frame.swap();
            } else {
                frame.push_boolean(false)?;
                frame.push_value(error)?;
            }
            Ok(Returned::Values(2))
        }
    }
}

/// `xpcall`. The handler runs when the error has been caught, not where it happened: errors that end a run are raised
/// from Lua's hook, and in a handler that runs within a hook no hook is called, so that nothing would end it.
pub(crate) fn xpcall(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() < 2 {
        return Err(frame.arg_error(2, "value expected"));
    }
    frame.push_boolean(true)?;
    frame.push_value(1)?;
    if let Ok(results) = frame.call(0, None, 0) {
        return Ok(Returned::Values(results + 1));
    }
    frame.push_boolean(false)?;
    frame.push_value(2)?;
    frame.push_value(-3)?;
    if frame.call(1, Some(1), 0).is_err() {
        frame.pop(1);
        frame.push_string(b"error in error handling")?;
    }
    Ok(Returned::Values(2))
}

fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::Number)
}

/// The function that sees the errors of a run where they happen: it makes tables of them, with their place.
pub(crate) fn error_handler(frame: &mut Frame<'_>) -> Outcome {
    if frame.kind(1) == Kind::Table {
        frame.push_value(1)?;
    } else {
        let mut text = b"ERR ".to_vec();
        describe(frame, 1, &mut text);
        frame.push_silent_error_table(&text, false)?;
    }
    let error = frame.top();
    if frame.is_protected(error) {
        return Ok(Returned::Values(1));
    }
    let place = match frame.location(1) {
        Some(place) if place.is_host => frame.location(2),
        place => place,
    };
    if let Some(place) = place {
        frame.push_string(&place.source)?;
        frame.set_name(error, Name::Source)?;
        frame.push_number(f64::from(place.line))?;
        frame.set_name(error, Name::Line)?;
    }
    Ok(Returned::Values(1))
}

/// A value as `tostring` shows it, without metamethods.
pub(crate) fn describe(frame: &mut Frame<'_>, index: i32, text: &mut Vec<u8>) {
    match frame.kind(index) {
        Kind::None | Kind::Nil => text.extend_from_slice(b"nil"),
        Kind::Boolean if frame.boolean(index) => text.extend_from_slice(b"true"),
        Kind::Boolean => text.extend_from_slice(b"false"),
        Kind::Number | Kind::String => {
            let copied = frame.push_value(index).and_then(|()| frame.text_of_last());
            text.extend_from_slice(copied.as_deref().unwrap_or_default());
            if copied.is_ok() {
                frame.pop(1);
            }
        }
        _ => {
            let name = frame.type_name(index);
            text.extend_from_slice(format!("{name}: {:#x}", frame.address(index)).as_bytes());
        }
    }
}

/// `loadstring`
pub(crate) fn loadstring(frame: &mut Frame<'_>) -> Outcome {
    let text = frame.check_string(1)?;
    let name = if frame.is_missing(2) { text } else { frame.check_string(2)? };
    compile(frame, text, name)
}

/// `load`: reads all that the function gives, then compiles.
pub(crate) fn load(frame: &mut Frame<'_>) -> Outcome {
    if frame.kind(1) != Kind::Function {
        return Err(frame.type_error(1, "function"));
    }
    let name = if frame.is_missing(2) { b"=(load)" } else { frame.check_string(2)? };
    let mut text = Vec::new();
    loop {
        frame.push_value(1)?;
        if frame.call(0, Some(1), 0).is_err() {
            frame.push_nil()?;
            frame.swap();
            return Ok(Returned::Values(2));
        }
        match frame.kind(-1) {
            Kind::Nil => break,
            Kind::String | Kind::Number => {}
            _ => {
                frame.push_nil()?;
                frame.push_string(b"reader function must return a string")?;
                return Ok(Returned::Values(2));
            }
        }
        let piece = frame.text_of_last()?;
        frame.pop(1);
        if piece.is_empty() {
            break;
        }
        text.extend_from_slice(&piece);
        frame.check_memory(text.len())?;
    }
    compile(frame, &text, name)
}

fn compile(frame: &mut Frame<'_>, text: &[u8], name: &[u8]) -> Outcome {
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = CString::new(name).unwrap_or_default();
    match frame.compile(text, &name) {
        Ok(()) => {}
        Err(Raise::Value) => {
            frame.push_nil()?;
            frame.swap();
            return Ok(Returned::Values(2));
        }
        Err(error) => return Err(error),
    }
    if let Some(environment) = frame.shared().environment.get() {
        frame.push_reference(environment)?;
        frame.set_environment(-2);
    }
    Ok(Returned::Values(1))
}

/// What a script gets for a global that is not there.
pub(crate) fn no_such_global(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() != 2 {
        return Err(Raise::text("Wrong number of arguments to luaProtectedTableError"));
    }
    let Some(name) = frame.arg_string(2) else {
        return Err(Raise::text("Second argument to luaProtectedTableError must be a string or number"));
    };
    let name = String::from_utf8_lossy(name.split(|&byte| byte == 0).next().unwrap_or_default());
    Err(Raise::text(&format!("Script attempted to access nonexistent global variable '{name}'")))
}

/// What a script gets for changing a protected table.
pub(crate) fn readonly(_frame: &mut Frame<'_>) -> Outcome {
    Err(Raise::text(READONLY))
}
