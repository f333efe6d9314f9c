//! Settings of an instance, and the functions that read and change them.

use crate::lua::{Frame, Kind, Outcome, Raise, Returned};

/// The settings, by their places in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JsonSettings {
    /// Whether sparse arrays are encoded as objects.
    pub(crate) sparse_convert: bool,
    /// From so many times as many places as elements on an array is sparse; 0 for never.
    pub(crate) sparse_ratio: i32,
    /// Arrays up to this length never are.
    pub(crate) sparse_safe: i32,
    /// Tables within tables.
    pub(crate) encode_max_depth: i32,
    /// Arrays and objects within each other.
    pub(crate) decode_max_depth: i32,
    /// 0: NaN and infinity are errors; 1: they are written; 2: they are null.
    pub(crate) encode_invalid: i32,
    /// Whether numbers that JSON does not have are read.
    pub(crate) decode_invalid: bool,
    /// Kept for scripts that ask; the buffer is short-lived either way.
    pub(crate) keep_buffer: bool,
    /// Digits of numbers.
    pub(crate) precision: i32,
    /// Whether arrays that are read get a metatable that says so.
    pub(crate) array_mt: bool,
}

/// Places in the table.
const SPARSE_CONVERT: i32 = 1;
const SPARSE_RATIO: i32 = 2;
const SPARSE_SAFE: i32 = 3;
const ENCODE_MAX_DEPTH: i32 = 4;
const DECODE_MAX_DEPTH: i32 = 5;
const ENCODE_INVALID: i32 = 6;
const DECODE_INVALID: i32 = 7;
const KEEP_BUFFER: i32 = 8;
const PRECISION: i32 = 9;
const ARRAY_MT: i32 = 10;

/// What an instance begins with, by place.
const DEFAULTS: [i32; 10] = [0, 2, 10, 1000, 1000, 0, 1, 1, 14, 0];

impl JsonSettings {
    /// Sets the table of settings at an index to the defaults.
    pub(crate) fn reset(frame: &mut Frame<'_>, table: i32) -> Result<(), Raise> {
        for (place, value) in (1..).zip(DEFAULTS) {
            frame.push_number(f64::from(value))?;
            frame.set_element(table, place);
        }
        Ok(())
    }

    /// The settings of the instance whose function runs; their table stays pushed.
    pub(crate) fn of_function(frame: &mut Frame<'_>) -> Result<JsonSettings, Raise> {
        frame.push_upvalue(1)?;
        let mut values = DEFAULTS;
        if frame.kind(-1) == Kind::Table {
            for (place, value) in (1..).zip(&mut values) {
                *value = get(frame, place)?;
            }
        }
        let [
            convert,
            ratio,
            safe,
            encode_depth,
            decode_depth,
            encode_invalid,
            decode_invalid,
            keep,
            precision,
            mt,
        ] = values;
        Ok(JsonSettings {
            sparse_convert: convert != 0,
            sparse_ratio: ratio,
            sparse_safe: safe,
            encode_max_depth: encode_depth,
            decode_max_depth: decode_depth,
            encode_invalid,
            decode_invalid: decode_invalid != 0,
            keep_buffer: keep != 0,
            precision,
            array_mt: mt != 0,
        })
    }
}

/// A setting of the table that is the last value.
fn get(frame: &mut Frame<'_>, place: i32) -> Result<i32, Raise> {
    frame.get_element(-1, place)?;
    let value = frame.number(-1).unwrap_or_default() as i32;
    frame.pop(1);
    Ok(value)
}

fn set(frame: &mut Frame<'_>, place: i32, value: i32) -> Result<(), Raise> {
    frame.shared().json_touched.set(true);
    frame.push_number(f64::from(value))?;
    frame.set_element(-2, place);
    Ok(())
}

fn begin(frame: &mut Frame<'_>, args_max: i32) -> Result<(), Raise> {
    if frame.args() > args_max {
        return Err(frame.arg_error(args_max + 1, "found too many arguments"));
    }
    frame.push_upvalue(1)
}

/// Takes a whole number between bounds if there is one, and returns the setting.
fn integer(frame: &mut Frame<'_>, arg: i32, place: i32, min: i32, max: i32) -> Result<i32, Raise> {
    if !frame.is_missing(arg) {
        let value = frame.check_i32(arg)?;
        if !(min..=max).contains(&value) {
            return Err(frame.arg_error(1, &format!("expected integer between {min} and {max}")));
        }
        set(frame, place, value)?;
    }
    get(frame, place)
}

/// Takes one of some words, or a boolean for the first two, if there is one, and returns the setting.
fn choice(frame: &mut Frame<'_>, arg: i32, place: i32, words: &[&str]) -> Result<i32, Raise> {
    if !frame.is_missing(arg) {
        let value = if frame.kind(arg) == Kind::Boolean {
            i32::from(frame.boolean(arg))
        } else {
            let word = frame.check_string(arg)?;
            match words.iter().position(|candidate| candidate.as_bytes() == word) {
                Some(number) => number as i32,
                None => {
                    let word = String::from_utf8_lossy(word).into_owned();
                    return Err(frame.arg_error(arg, &format!("invalid option '{word}'")));
                }
            }
        };
        set(frame, place, value)?;
    }
    get(frame, place)
}

fn integer_setting(frame: &mut Frame<'_>, place: i32, max: i32) -> Outcome {
    begin(frame, 1)?;
    let value = integer(frame, 1, place, 1, max)?;
    frame.push_number(f64::from(value))?;
    Ok(Returned::Values(1))
}

fn switch(frame: &mut Frame<'_>, place: i32) -> Outcome {
    begin(frame, 1)?;
    let value = choice(frame, 1, place, &["off", "on"])?;
    frame.push_boolean(value != 0)?;
    Ok(Returned::Values(1))
}

/// `cjson.encode_sparse_array`
pub(crate) fn encode_sparse_array(frame: &mut Frame<'_>) -> Outcome {
    begin(frame, 3)?;
    let convert = choice(frame, 1, SPARSE_CONVERT, &["off", "on"])?;
    let ratio = integer(frame, 2, SPARSE_RATIO, 0, i32::MAX)?;
    let safe = integer(frame, 3, SPARSE_SAFE, 0, i32::MAX)?;
    frame.push_boolean(convert != 0)?;
    frame.push_number(f64::from(ratio))?;
    frame.push_number(f64::from(safe))?;
    Ok(Returned::Values(3))
}

/// `cjson.encode_max_depth`
pub(crate) fn encode_max_depth(frame: &mut Frame<'_>) -> Outcome {
    integer_setting(frame, ENCODE_MAX_DEPTH, i32::MAX)
}

/// `cjson.decode_max_depth`
pub(crate) fn decode_max_depth(frame: &mut Frame<'_>) -> Outcome {
    integer_setting(frame, DECODE_MAX_DEPTH, i32::MAX)
}

/// `cjson.encode_number_precision`
pub(crate) fn encode_number_precision(frame: &mut Frame<'_>) -> Outcome {
    integer_setting(frame, PRECISION, 14)
}

/// `cjson.encode_keep_buffer`
pub(crate) fn encode_keep_buffer(frame: &mut Frame<'_>) -> Outcome {
    switch(frame, KEEP_BUFFER)
}

/// `cjson.encode_invalid_numbers`
pub(crate) fn encode_invalid_numbers(frame: &mut Frame<'_>) -> Outcome {
    begin(frame, 1)?;
    match choice(frame, 1, ENCODE_INVALID, &["off", "on", "null"])? {
        2 => frame.push_string(b"null")?,
        value => frame.push_boolean(value != 0)?,
    }
    Ok(Returned::Values(1))
}

/// `cjson.decode_invalid_numbers`
pub(crate) fn decode_invalid_numbers(frame: &mut Frame<'_>) -> Outcome {
    switch(frame, DECODE_INVALID)
}

/// `cjson.decode_array_with_array_mt`
pub(crate) fn decode_array_with_array_mt(frame: &mut Frame<'_>) -> Outcome {
    switch(frame, ARRAY_MT)
}
