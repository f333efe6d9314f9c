//! `redis.call` and its like: from Lua's arguments to a request, and from the reply to a value.
//!
//! This is the path that scripts are made of, so it allocates nothing: arguments and reply have buffers that are used
//! again.

use ochre_resp::Span;
use ochre_types::push_f64;

use crate::convert::{is_error, push_reply};
use crate::debug::{note_reply, note_request};
use crate::host::{Permission, Request};
use crate::lua::{Frame, Kind, Outcome, Raise, Returned};
use crate::state::Arguments;

/// What a buffer may keep between calls.
const BUFFER_LEN_MAX: usize = 64 * 1024;

/// `redis.call`
pub(crate) fn call(frame: &mut Frame<'_>) -> Outcome {
    let is_error = execute(frame)?;
    if is_error { Err(Raise::Value) } else { Ok(Returned::Values(1)) }
}

/// `redis.pcall`
pub(crate) fn pcall(frame: &mut Frame<'_>) -> Outcome {
    match execute(frame) {
        Ok(_) | Err(Raise::Value) => Ok(Returned::Values(1)),
        Err(error) => Err(error),
    }
}

/// Runs a command and pushes its reply; tells whether that is an error. What cannot be a command is one, too: its table is
/// pushed, as [`Raise::Value`].
fn execute(frame: &mut Frame<'_>) -> Result<bool, Raise> {
    let shared = frame.shared();
    let mut arguments = shared.arguments.borrow_mut();
    gather(frame, &mut arguments)?;
    let mut reply = shared.reply.borrow_mut();
    reply.clear();
    let request =
        Request { buffer: &arguments.buffer, spans: &arguments.spans, protocol: shared.protocol.get() };
    let is_debugged = shared.is_debugged.get();
    if is_debugged {
        note_request(shared, request);
    }
    let ran = frame.context().with_host(|host| host.execute(request, &mut reply));
    if is_debugged {
        let is_refused = frame.context().with_host(|host| host.has_refused());
        note_reply(shared, &reply, is_refused.unwrap_or_default());
    }
    if ran.is_none() {
        return Err(
            frame.error_table(b"ERR redis.call/pcall can only be called inside a script invocation", false)
        );
    }
    push_reply(frame, &reply)?;
    let is_error = is_error(&reply);
    if reply.capacity() > BUFFER_LEN_MAX {
        *reply = Vec::new();
    }
    Ok(is_error)
}

/// Gathers the arguments of the function.
#[inline]
fn gather(frame: &mut Frame<'_>, arguments: &mut Arguments) -> Result<(), Raise> {
    const NONE: &[u8] = b"ERR Please specify at least one argument for this redis lib call";
    const WRONG: &[u8] = b"ERR Lua redis lib command arguments must be strings or integers";
    if arguments.buffer.capacity() > BUFFER_LEN_MAX {
        arguments.buffer = Vec::new();
    }
    arguments.buffer.clear();
    arguments.spans.clear();
    if frame.args() == 0 {
        return Err(frame.error_table(NONE, false));
    }
    for arg in 1..=frame.args() {
        let start = arguments.buffer.len();
        match frame.kind(arg) {
            Kind::String => arguments.buffer.extend_from_slice(frame.string(arg).unwrap_or_default()),
            Kind::Number => push_number(&mut arguments.buffer, frame.number(arg).unwrap_or_default()),
            _ => return Err(frame.error_table(WRONG, false)),
        }
        let len = arguments.buffer.len() - start;
        let (Ok(start), Ok(len)) = (u32::try_from(start), u32::try_from(len)) else {
            return Err(Raise::OutOfMemory);
        };
        arguments.spans.push(Span { start, len });
    }
    Ok(())
}

/// Appends a number as commands get it: whole ones without an exponent.
fn push_number(out: &mut Vec<u8>, number: f64) {
    const WHOLE_MAX: f64 = (i64::MAX / 2) as f64;
    if number.abs() <= WHOLE_MAX && number.fract() == 0.0 {
        out.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
    } else {
        push_f64(out, number);
    }
}

/// `redis.acl_check_cmd`
pub(crate) fn acl_check_cmd(frame: &mut Frame<'_>) -> Outcome {
    let shared = frame.shared();
    let mut arguments = shared.arguments.borrow_mut();
    gather(frame, &mut arguments)?;
    let request =
        Request { buffer: &arguments.buffer, spans: &arguments.spans, protocol: shared.protocol.get() };
    let permission = frame.context().with_host(|host| host.permission(request));
    let is_granted = match permission.unwrap_or(Permission::Denied) {
        Permission::Granted => true,
        Permission::Denied => false,
        Permission::Unknown => {
            return Err(frame.error_table(b"ERR Invalid command passed to redis.acl_check_cmd()", false));
        }
        Permission::WrongArity => {
            return Err(frame.error_table(b"ERR Wrong number of args for redis.acl_check_cmd()", false));
        }
    };
    frame.push_boolean(is_granted)?;
    Ok(Returned::Values(1))
}
