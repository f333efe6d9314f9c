//! A value of Lua as a reply, in the protocol of the client.
//!
//! Only true and false depend on the protocol that the script asked for instead: in RESP2 they are 1 and nothing.
//! Tables say with a field what they are: `err`, `ok`, `double`, `big_number`, `verbatim_string`, `map`, `set`; without
//! any they are arrays up to their first nil. Only raw access is used, so that no metamethod runs once the script has
//! ended. What is nested too deep (a table that contains itself is) becomes an error in its place.

use ochre_resp::{Protocol, ReplyWriter};

use crate::library::to_i64;
use crate::lua::{Frame, Kind, Raise};
use crate::state::Name;

/// Tables within tables.
const DEPTH_MAX: u32 = 1000;
/// What a table takes of Lua's stack: the fields that say what it is, and a field of it with its name.
const SLOTS: i32 = 16;

/// Writes the last value, which is popped.
///
/// # Errors
/// There is no memory for what stands in between.
pub(crate) fn write_reply(frame: &mut Frame<'_>, reply: &mut ReplyWriter<'_>) -> Result<(), Raise> {
    write(frame, reply, 0)
}

fn write(frame: &mut Frame<'_>, reply: &mut ReplyWriter<'_>, depth: u32) -> Result<(), Raise> {
    if depth > DEPTH_MAX || frame.reserve(SLOTS).is_err() {
        reply.error("ERR reached lua stack limit");
        frame.pop(1);
        return Ok(());
    }
    match frame.kind(-1) {
        Kind::String => reply.bulk(frame.string(-1).unwrap_or_default()),
        Kind::Number => reply.integer(to_i64(frame.number(-1).unwrap_or_default())),
        Kind::Boolean => match (frame.boolean(-1), frame.shared().protocol.get()) {
            (true, Protocol::Resp2) => reply.integer(1),
            (false, Protocol::Resp2) => reply.null(),
            (value, Protocol::Resp3) => reply.boolean(value),
        },
        Kind::Table => return write_table(frame, reply, depth),
        _ => reply.null(),
    }
    frame.pop(1);
    Ok(())
}

fn write_table(frame: &mut Frame<'_>, reply: &mut ReplyWriter<'_>, depth: u32) -> Result<(), Raise> {
    let table = frame.top();
    if frame.get_name(table, Name::Err)? == Kind::String {
        reply.error_bytes(frame.string(-1).unwrap_or_default());
        let is_counted =
            frame.get_name(table, Name::IgnoreErrorStatsUpdate)? == Kind::Boolean && frame.boolean(-1);
        let text = frame.string(-2).unwrap_or_default();
        frame.context().with_host(|host| host.note_error(text, is_counted));
    } else if frame.get_name(table, Name::Ok)? == Kind::String {
        reply.simple(&String::from_utf8_lossy(frame.string(-1).unwrap_or_default()));
    } else if frame.get_name(table, Name::Double)? == Kind::Number {
        reply.double(frame.number(-1).unwrap_or_default());
    } else if frame.get_name(table, Name::BigNumber)? == Kind::String {
        write_big_number(frame, reply);
    } else if frame.get_name(table, Name::VerbatimString)? == Kind::Table && write_verbatim(frame, reply)? {
    } else if frame.get_name(table, Name::Map)? == Kind::Table {
        write_map(frame, reply, depth)?;
    } else if frame.get_name(table, Name::Set)? == Kind::Table {
        write_set(frame, reply, depth)?;
    } else {
        write_array(frame, reply, table, depth)?;
    }
    frame.pop(frame.top() - table + 1);
    Ok(())
}

fn write_big_number(frame: &Frame<'_>, reply: &mut ReplyWriter<'_>) {
    let mut digits = String::from_utf8_lossy(frame.string(-1).unwrap_or_default()).into_owned();
    digits.truncate(digits.find('\0').unwrap_or(digits.len()));
    reply.big_number(&digits.replace(['\r', '\n'], " "));
}

/// Writes the text of the last value, if it is one with a format.
fn write_verbatim(frame: &mut Frame<'_>, reply: &mut ReplyWriter<'_>) -> Result<bool, Raise> {
    let table = frame.top();
    if frame.get_name(table, Name::Format)? != Kind::String
        || frame.get_name(table, Name::String)? != Kind::String
    {
        return Ok(false);
    }
    let format = String::from_utf8_lossy(frame.string(-2).unwrap_or_default()).into_owned();
    reply.verbatim(&format, frame.string(-1).unwrap_or_default());
    Ok(true)
}

fn write_map(frame: &mut Frame<'_>, reply: &mut ReplyWriter<'_>, depth: u32) -> Result<(), Raise> {
    let table = frame.top();
    let header = reply.defer_map();
    let mut pairs = 0;
    frame.push_nil()?;
    while frame.next(table)? {
        frame.push_value(-2)?;
        write(frame, reply, depth + 1)?;
        write(frame, reply, depth + 1)?;
        pairs += 1;
    }
    reply.finish_map(header, pairs);
    Ok(())
}

fn write_set(frame: &mut Frame<'_>, reply: &mut ReplyWriter<'_>, depth: u32) -> Result<(), Raise> {
    let table = frame.top();
    let header = reply.defer_set();
    let mut len = 0;
    frame.push_nil()?;
    while frame.next(table)? {
        frame.pop(1);
        frame.push_value(-1)?;
        write(frame, reply, depth + 1)?;
        len += 1;
    }
    reply.finish_set(header, len);
    Ok(())
}

fn write_array(
    frame: &mut Frame<'_>,
    reply: &mut ReplyWriter<'_>,
    table: i32,
    depth: u32,
) -> Result<(), Raise> {
    let header = reply.defer_array();
    let mut len = 0;
    while frame.get_element(table, len + 1)? != Kind::Nil {
        write(frame, reply, depth + 1)?;
        len += 1;
    }
    reply.finish_array(header, len as usize);
    Ok(())
}
