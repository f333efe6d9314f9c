//! The libraries that scripts see, where they are not as Lua has them, and those that Lua does not have.

mod args;
mod base;
mod bits;
mod json;
mod msgpack;
mod pattern;
mod random;
mod strings;
mod structs;
mod tables;

pub(crate) use args::{to_i32, to_i64};
pub(crate) use base::{error_handler, no_such_global, readonly};
pub(crate) use json::JsonSettings;
pub(crate) use random::Random;

use crate::lua::{Frame, Raise};

/// The field of the metatable of arrays that cjson has read.
pub(crate) const ARRAY_MARK: &str = "__is_cjson_array";
/// Which upvalue of cjson's functions that metatable is; the first is the settings.
pub(crate) const ARRAY_METATABLE_UPVALUE: i32 = 2;

/// Sets fields of the last value, a table, to functions.
macro_rules! functions {
    ($frame:expr, { $($name:literal => $function:path),* $(,)? }) => {
        $(
            $frame.push_function($function, 0)?;
            $frame.set_field(-2, $name)?;
        )*
    };
}
pub(crate) use functions;

/// Puts our functions into Lua's libraries: `globals` is the index of its table of globals.
pub(crate) fn replace_functions(frame: &mut Frame<'_>, globals: i32) -> Result<(), Raise> {
    for name in ["dofile", "loadfile", "print", "newproxy", "getfenv", "setfenv"] {
        frame.push_nil()?;
        frame.set_field(globals, name)?;
    }
    frame.push_value(globals)?;
    functions!(frame, {
        "rawget" => base::rawget,
        "rawset" => base::rawset,
        "setmetatable" => base::setmetatable,
        "collectgarbage" => base::collectgarbage,
        "next" => base::next,
        "unpack" => base::unpack,
        "pcall" => base::pcall,
        "xpcall" => base::xpcall,
        "load" => base::load,
        "loadstring" => base::loadstring,
    });
    frame.get_field(-1, "next")?;
    frame.push_function(base::pairs, 1)?;
    frame.set_field(-2, "pairs")?;
    frame.get_field(-1, "string")?;
    functions!(frame, {
        "rep" => strings::rep,
        "find" => strings::find,
        "match" => strings::match_pattern,
        "gmatch" => strings::gmatch,
        "gfind" => strings::gmatch,
        "gsub" => strings::gsub,
    });
    frame.pop(1);
    frame.get_field(-1, "table")?;
    functions!(frame, {
        "insert" => tables::insert,
        "sort" => tables::sort,
    });
    frame.pop(1);
    frame.get_field(-1, "math")?;
    functions!(frame, {
        "random" => random::random,
        "randomseed" => random::randomseed,
    });
    frame.pop(1);
    keep_clock_only(frame)?;
    frame.pop(1);
    Ok(())
}

/// Replaces `os` in the last value, the globals, by a table with its clock.
fn keep_clock_only(frame: &mut Frame<'_>) -> Result<(), Raise> {
    frame.get_field(-1, "os")?;
    frame.push_table(0, 1)?;
    frame.get_field(-2, "clock")?;
    frame.set_field(-2, "clock")?;
    frame.set_field(-3, "os")?;
    frame.pop(1);
    Ok(())
}

/// `getmetatable`, with the last two values as what it shows: see there.
pub(crate) fn push_getmetatable(frame: &mut Frame<'_>) -> Result<(), Raise> {
    frame.push_function(base::getmetatable, 2)
}

/// Pushes the bit library.
pub(crate) fn push_bit(frame: &mut Frame<'_>) -> Result<(), Raise> {
    frame.push_table(0, 12)?;
    functions!(frame, {
        "tobit" => bits::tobit,
        "bnot" => bits::bnot,
        "band" => bits::band,
        "bor" => bits::bor,
        "bxor" => bits::bxor,
        "lshift" => bits::lshift,
        "rshift" => bits::rshift,
        "arshift" => bits::arshift,
        "rol" => bits::rol,
        "ror" => bits::ror,
        "bswap" => bits::bswap,
        "tohex" => bits::tohex,
    });
    Ok(())
}

/// Pushes the struct library.
pub(crate) fn push_struct(frame: &mut Frame<'_>) -> Result<(), Raise> {
    frame.push_table(0, 3)?;
    functions!(frame, {
        "pack" => structs::pack,
        "unpack" => structs::unpack,
        "size" => structs::size,
    });
    Ok(())
}

/// Pushes the cmsgpack library.
pub(crate) fn push_msgpack(frame: &mut Frame<'_>) -> Result<(), Raise> {
    frame.push_table(0, 8)?;
    functions!(frame, {
        "pack" => msgpack::pack,
        "unpack" => msgpack::unpack,
        "unpack_one" => msgpack::unpack_one,
        "unpack_limit" => msgpack::unpack_limit,
    });
    let texts = [
        ("_NAME", "cmsgpack"),
        ("_VERSION", "lua-cmsgpack 0.4.0"),
        ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
        ("_DESCRIPTION", "MessagePack C implementation for Lua"),
    ];
    set_texts(frame, &texts)
}

fn set_texts(frame: &mut Frame<'_>, texts: &[(&str, &str)]) -> Result<(), Raise> {
    for (name, text) in texts {
        frame.push_string(text.as_bytes())?;
        frame.set_field(-2, name)?;
    }
    Ok(())
}

/// Pushes an instance of the cjson library; `settings` and `metatable` are the indices of its settings and of the metatable
/// of arrays.
pub(crate) fn push_json(frame: &mut Frame<'_>, settings: i32, metatable: i32) -> Result<(), Raise> {
    /// Sets fields of the last value to functions that share settings and metatable.
    macro_rules! instance {
        ({ $($name:literal => $function:path),* $(,)? }) => {
            $(
                frame.push_value(settings)?;
                frame.push_value(metatable)?;
                frame.push_function($function, 2)?;
                frame.set_field(-2, $name)?;
            )*
        };
    }
    frame.push_table(0, 16)?;
    instance!({
        "encode" => json::encode,
        "decode" => json::decode,
        "encode_sparse_array" => json::encode_sparse_array,
        "encode_max_depth" => json::encode_max_depth,
        "decode_max_depth" => json::decode_max_depth,
        "encode_number_precision" => json::encode_number_precision,
        "encode_keep_buffer" => json::encode_keep_buffer,
        "encode_invalid_numbers" => json::encode_invalid_numbers,
        "decode_invalid_numbers" => json::decode_invalid_numbers,
        "decode_array_with_array_mt" => json::decode_array_with_array_mt,
        "new" => new_json,
    });
    frame.push_null()?;
    frame.set_field(-2, "null")?;
    set_texts(frame, &[("_NAME", "cjson"), ("_VERSION", "2.1.0")])
}

/// `cjson.new`
fn new_json(frame: &mut Frame<'_>) -> crate::lua::Outcome {
    frame.push_table(10, 0)?;
    let settings = frame.top();
    JsonSettings::reset(frame, settings)?;
    frame.push_upvalue(ARRAY_METATABLE_UPVALUE)?;
    let metatable = frame.top();
    push_json(frame, settings, metatable)?;
    Ok(crate::lua::Returned::Values(1))
}
