//! How Lua calls us, and how an error of ours becomes one of Lua's.
//!
//! A callback is a function of Rust without state, so its type alone says what to call: the trampoline is compiled once
//! for each. A panic in a callback cannot cross Lua's frames: it ends the process, as panics do anywhere in a worker.

use std::ffi::{c_char, c_int};
use std::mem;
use std::ptr::{self, NonNull};

use mlua_sys as ffi;

use super::context::{Context, Stock};
use super::frame::Frame;
use crate::debug::visit;
use crate::state::HOOK_INSTRUCTIONS;

/// What a callback ends with.
pub(crate) type Outcome = Result<Returned, Raise>;

/// How a callback goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Returned {
    /// The last so many values are its results.
    Values(i32),
    /// Lua's own function does the rest, with the stack as it is.
    Stock(Stock),
}

/// An error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Raise {
    /// The last value.
    Value,
    /// A text, behind the place where the callback was called.
    Text(Vec<u8>),
    /// A text as it is.
    Plain(Vec<u8>),
    /// Lua's message about memory.
    OutOfMemory,
}

impl Raise {
    /// An error with a text, behind the place where the callback was called.
    pub(crate) fn text(text: &str) -> Raise {
        Raise::Text(text.as_bytes().to_vec())
    }

    /// An error with a text as it is.
    pub(crate) fn plain(text: &str) -> Raise {
        Raise::Plain(text.as_bytes().to_vec())
    }
}

/// Ends the process when it is dropped: somebody panicked.
struct NoUnwinding;

impl Drop for NoUnwinding {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// The context of an interpreter, from any of its threads.
///
/// # Safety
/// `lua` is a thread of a [`Machine`](super::Machine) that lives during `'c`.
#[inline]
unsafe fn context<'c>(lua: *mut ffi::lua_State) -> &'c Context {
    let mut context = ptr::null_mut();
    // SAFETY: machines give the allocator their context, which lives as long as they do.
    unsafe {
        ffi::lua_getallocf(lua, &raw mut context);
        &*context.cast::<Context>()
    }
}

/// What Lua calls for the callback `F`.
///
/// # Safety
/// `lua` is a thread of a machine, and is calling this.
pub(super) unsafe extern "C-unwind" fn trampoline<F>(lua: *mut ffi::lua_State) -> c_int
where
    F: Fn(&mut Frame<'_>) -> Outcome + Copy + 'static,
{
    const { assert!(mem::size_of::<F>() == 0, "a callback has no state") };
    // SAFETY: Lua calls with a valid thread of the machine that the callback was registered with.
    let context = unsafe { context(lua) };
    let before = context.memory.enter_host();
    // SAFETY: nobody else uses the stack until this returns. A type of no bytes has its values anywhere.
    let next = unsafe {
        let callback = NonNull::<F>::dangling().as_ref();
        run(lua, context, callback)
    };
    context.memory.leave_host(before);
    // From here on nothing is owned, so it does not matter that an error jumps out of this frame.
    match next {
        Next::Return(count) => count,
        // SAFETY: the function is one of Lua's own, with the stack that it was called with; the error is pushed.
        Next::Stock(function) => unsafe { function(lua) },
        // SAFETY: as above.
        Next::Raise => unsafe { ffi::lua_error(lua) },
    }
}

/// What a trampoline does last.
enum Next {
    Return(c_int),
    Stock(ffi::lua_CFunction),
    Raise,
}

/// Runs a callback, and pushes its error if there is one.
///
/// # Safety
/// As for [`Frame::new`].
#[inline]
unsafe fn run(
    lua: *mut ffi::lua_State,
    context: &Context,
    callback: impl Fn(&mut Frame<'_>) -> Outcome,
) -> Next {
    let guard = NoUnwinding;
    // SAFETY: the caller's promise.
    let mut frame = unsafe { Frame::new(lua, context) };
    let next = match callback(&mut frame) {
        Ok(Returned::Values(count)) => {
            debug_assert!(count <= frame.top());
            Next::Return(count)
        }
        Ok(Returned::Stock(stock)) => match context.stock[stock as usize].get() {
            Some(function) => Next::Stock(function),
            None => Next::Return(0),
        },
        Err(raise) => {
            push_error(&mut frame, raise);
            Next::Raise
        }
    };
    mem::forget(guard);
    next
}

/// Pushes the value of an error.
#[cold]
fn push_error(frame: &mut Frame<'_>, raise: Raise) {
    let text = match raise {
        Raise::Value => return,
        Raise::Text(text) => match frame.location(1) {
            Some(place) if place.line > 0 => {
                [place.short_source(), b":", place.line.to_string().as_bytes(), b": ", &text].concat()
            }
            _ => text,
        },
        Raise::Plain(text) => text,
        Raise::OutOfMemory => b"not enough memory".to_vec(),
    };
    // SAFETY: Lua keeps some slots for errors beyond the limit that it tells others; the allocator refuses nothing.
    unsafe {
        ffi::lua_checkstack(frame.lua, 1);
        ffi::lua_pushlstring_(frame.lua, text.as_ptr().cast::<c_char>(), text.len());
    }
}

/// Has the hook called every so many instructions.
pub(super) fn set_hook(lua: *mut ffi::lua_State, instructions: c_int) {
    // SAFETY: setting a hook changes some fields of the thread, which is valid while a frame or its machine is.
    unsafe { ffi::lua_sethook(lua, Some(hook), ffi::LUA_MASKCOUNT, instructions) };
}

/// Has the hook called at every line, too.
pub(super) fn hook_lines(lua: *mut ffi::lua_State) {
    let events = ffi::LUA_MASKCOUNT | ffi::LUA_MASKLINE;
    // SAFETY: as in `set_hook`.
    unsafe { ffi::lua_sethook(lua, Some(hook), events, HOOK_COUNT) };
}

/// What Lua calls every [`HOOK_INSTRUCTIONS`]: the host may end the run here, and memory is looked at. While a script is
/// debugged, also at every line.
///
/// # Safety
/// `lua` is a thread of a machine.
unsafe extern "C-unwind" fn hook(lua: *mut ffi::lua_State, event: *mut ffi::lua_Debug) {
    // SAFETY: Lua calls with a valid thread of a machine, and a record of which this is filled in.
    let (context, is_line) = unsafe { (context(lua), (*event).event == ffi::LUA_HOOKLINE) };
    let before = context.memory.enter_host();
    // SAFETY: nobody else uses the stack until this returns; a hook has room as a function has.
    let next = unsafe { run(lua, context, |frame| interrupt(frame, is_line)) };
    context.memory.leave_host(before);
    if let Next::Raise = next {
        // SAFETY: the error is pushed, and nothing is owned.
        unsafe { ffi::lua_error(lua) };
    }
}

fn interrupt(frame: &mut Frame<'_>, is_line: bool) -> Outcome {
    if frame.shared().is_debugged.get() {
        visit(frame, is_line)?;
        if is_line {
            return Ok(Returned::Values(0));
        }
    }
    frame.collect_if_nearly_full();
    frame.shared().poll(frame.context()).map_err(|error| frame.abort(error)).map(|()| Returned::Values(0))
}

/// The default of how often the hook is called.
pub(super) const HOOK_COUNT: c_int = HOOK_INSTRUCTIONS;

/// Lua gives up: an error outside of everything that catches errors, which nothing here leads to.
///
/// # Safety
/// None is needed: nothing is touched.
pub(super) unsafe extern "C-unwind" fn panicked(_lua: *mut ffi::lua_State) -> c_int {
    eprintln!("an error of Lua was caught by nobody");
    std::process::abort();
}
