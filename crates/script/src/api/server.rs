//! The functions of `redis` that run no command.

use std::fmt::Write;

use ochre_resp::Protocol;
use sha1::{Digest as _, Sha1};

use crate::debug::{call_stop, note_debug, note_error};
use crate::host::{LogLevel, Replication};
use crate::library::to_i32;
use crate::lua::{Frame, Kind, Outcome, Raise, Returned};
use crate::state::Name;

/// An argument as a C `int`; what is no number is 0.
fn int(frame: &Frame<'_>, arg: i32) -> i32 {
    to_i32(frame.to_number(arg).unwrap_or_default())
}

/// `redis.log`
pub(crate) fn log(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() < 2 {
        return Err(frame.error_table(b"ERR redis.log() requires two arguments or more.", false));
    }
    if frame.to_number(1).is_none() {
        return Err(frame.error_table(b"ERR First argument must be a number (log level).", false));
    }
    let level = match int(frame, 1) {
        0 => LogLevel::Debug,
        1 => LogLevel::Verbose,
        2 => LogLevel::Notice,
        3 => LogLevel::Warning,
        _ => return Err(frame.error_table(b"ERR Invalid log level.", false)),
    };
    let mut text = Vec::new();
    for arg in 2..=frame.args() {
        if let Some(part) = frame.arg_string(arg) {
            if arg > 2 {
                text.push(b' ');
            }
            text.extend_from_slice(part);
        }
    }
    frame.context().with_host(|host| host.log(level, &text));
    Ok(Returned::Values(0))
}

/// `redis.setresp`
pub(crate) fn setresp(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() != 1 {
        return Err(frame.error_table(b"ERR redis.setresp() requires one argument.", false));
    }
    let protocol = match int(frame, 1) {
        2 => Protocol::Resp2,
        3 => Protocol::Resp3,
        _ => return Err(frame.error_table(b"ERR RESP version must be 2 or 3.", false)),
    };
    frame.shared().protocol.set(protocol);
    Ok(Returned::Values(0))
}

/// `redis.sha1hex`
pub(crate) fn sha1hex(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() != 1 {
        return Err(frame.error_table(b"ERR wrong number of arguments", false));
    }
    let mut text = String::with_capacity(40);
    for byte in Sha1::digest(frame.arg_string(1).unwrap_or_default()) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    frame.push_string(text.as_bytes())?;
    Ok(Returned::Values(1))
}

/// Pushes the error of a function whose only argument has to be a string, and is not.
fn wrong_argument(frame: &mut Frame<'_>) -> Outcome {
    frame.push_error_table(b"ERR wrong number or type of arguments", false)?;
    Ok(Returned::Values(1))
}

fn only_string<'f>(frame: &Frame<'f>) -> Option<&'f [u8]> {
    if frame.args() == 1 && frame.kind(1) == Kind::String { frame.arg_string(1) } else { None }
}

/// `redis.error_reply`: a text without a code gets `ERR`, with or without the leading dash.
pub(crate) fn error_reply(frame: &mut Frame<'_>) -> Outcome {
    let Some(text) = only_string(frame) else {
        return wrong_argument(frame);
    };
    // Texts of C end at a zero.
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let trimmed = |text: &[u8]| {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = text.iter().take_while(|byte| is_end(byte)).count();
        let end = text[start..].iter().rev().take_while(|byte| is_end(byte)).count();
        text[start..text.len() - end].to_vec()
    };
    let (code, message) = match text.iter().position(|&byte| byte == b' ') {
        Some(space) => (&text[..space], trimmed(&text[space + 1..])),
        None => (&b"ERR"[..], trimmed(text)),
    };
    let shown = [b"-", text].concat();
    note_error(frame.shared(), &shown);
    frame.push_silent_error_table(&[code, b" ", &message].concat(), false)?;
    Ok(Returned::Values(1))
}

/// `redis.status_reply`
pub(crate) fn status_reply(frame: &mut Frame<'_>) -> Outcome {
    if only_string(frame).is_none() {
        return wrong_argument(frame);
    }
    frame.push_table(0, 1)?;
    frame.push_value(1)?;
    frame.set_name(-2, Name::Ok)?;
    Ok(Returned::Values(1))
}

/// `redis.set_repl`
pub(crate) fn set_repl(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() != 1 {
        return Err(frame.error_table(b"ERR redis.set_repl() requires one argument.", false));
    }
    let flags = int(frame, 1);
    if flags & !3 != 0 {
        let text = b"ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
        return Err(frame.error_table(text, false));
    }
    let replication = Replication { to_file: flags & 1 != 0, to_replicas: flags & 2 != 0 };
    frame.context().with_host(|host| host.set_replication(replication));
    Ok(Returned::Values(0))
}

/// `redis.breakpoint`: a script that is debugged stops at its next line; whether it is.
pub(crate) fn breakpoint(frame: &mut Frame<'_>) -> Outcome {
    let is_debugged = call_stop(frame.shared());
    frame.push_boolean(is_debugged)?;
    Ok(Returned::Values(1))
}

/// `redis.debug`: shows its arguments to who debugs the script.
pub(crate) fn debug(frame: &mut Frame<'_>) -> Outcome {
    note_debug(frame)?;
    Ok(Returned::Values(0))
}

/// `redis.replicate_commands`: commands are always replicated one by one.
pub(crate) fn replicate_commands(frame: &mut Frame<'_>) -> Result<Returned, Raise> {
    frame.push_boolean(true)?;
    Ok(Returned::Values(1))
}
