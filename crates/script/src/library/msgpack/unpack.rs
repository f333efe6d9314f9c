//! Bytes to values.
//!
//! Lengths are the sender's claims: nothing is reserved for them, and what they say is there is looked for.

use crate::lua::{Frame, Kind, Outcome, Raise, Returned};

/// Values within values.
const NESTING_MAX: u32 = 1000;

/// Bytes that are being read.
struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Raise> {
        let (taken, rest) =
            self.bytes.split_at_checked(len).ok_or_else(|| Raise::text("Missing bytes in input."))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, len: usize) -> Result<u64, Raise> {
        Ok(self.take(len)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, len: usize) -> Result<i64, Raise> {
        let shift = 64 - 8 * len as u32;
        Ok((self.unsigned(len)? << shift) as i64 >> shift)
    }
}

/// `cmsgpack.unpack`: all values.
pub(crate) fn unpack(frame: &mut Frame<'_>) -> Outcome {
    let bytes = frame.check_string(1)?;
    let mut input = Input { bytes };
    let mut values = 0;
    while !input.bytes.is_empty() {
        push_value(frame, &mut input, 0)?;
        values += 1;
    }
    Ok(Returned::Values(values))
}

/// `cmsgpack.unpack_one`: where the next value begins, and a value.
pub(crate) fn unpack_one(frame: &mut Frame<'_>) -> Outcome {
    let offset = frame.optional_i64(2, 0)?;
    unpack_some(frame, 1, offset)
}

/// `cmsgpack.unpack_limit`: where the next value begins, and so many values.
pub(crate) fn unpack_limit(frame: &mut Frame<'_>) -> Outcome {
    let limit = frame.check_i64(2)?;
    let offset = frame.optional_i64(3, 0)?;
    if limit == 0 && offset == 0 { unpack(frame) } else { unpack_some(frame, limit, offset) }
}

fn unpack_some(frame: &mut Frame<'_>, limit: i64, offset: i64) -> Outcome {
    let bytes = frame.check_string(1)?;
    let (offset32, len32) = (offset as i32, bytes.len() as i32);
    let (Ok(limit), Ok(start)) = (u64::try_from(limit), usize::try_from(offset)) else {
        let text = format!("Invalid request to unpack with offset of {offset32} and limit of {len32}.");
        return Err(Raise::text(&text));
    };
    let Some(rest) = bytes.get(start..) else {
        let text = format!("Start offset {offset32} greater than input length {len32}.");
        return Err(Raise::text(&text));
    };
    // The place of the next value comes first, and is known last.
    frame.push_nil()?;
    let mut input = Input { bytes: rest };
    let mut values = 0;
    while !input.bytes.is_empty() && values < limit {
        push_value(frame, &mut input, 0)?;
        values += 1;
    }
    let next = if input.bytes.is_empty() { -1.0 } else { (bytes.len() - input.bytes.len()) as f64 };
    frame.push_number(next)?;
    frame.replace_below(values as i32 + 1);
    Ok(Returned::Values(values as i32 + 1))
}

/// Reads a value and pushes it.
fn push_value(frame: &mut Frame<'_>, input: &mut Input<'_>, level: u32) -> Result<(), Raise> {
    const TOO_MANY: &str =
        "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)";
    if level > NESTING_MAX || frame.reserve(3).is_err() {
        return Err(Raise::text(TOO_MANY));
    }
    frame.spend(1)?;
    let marker = input.take(1)?[0];
    match marker {
        0x00..=0x7f => frame.push_number(f64::from(marker)),
        0xe0..=0xff => frame.push_number(f64::from(marker as i8)),
        0xc0 => frame.push_nil(),
        0xc2 | 0xc3 => frame.push_boolean(marker == 0xc3),
        // An unsigned integer goes by way of a signed one, as wide.
        0xcc..=0xcf => frame.push_number(input.unsigned(1 << (marker - 0xcc))? as i64 as f64),
        0xd0..=0xd3 => frame.push_number(input.signed(1 << (marker - 0xd0))? as f64),
        0xca => frame.push_number(f64::from(f32::from_bits(input.unsigned(4)? as u32))),
        0xcb => frame.push_number(f64::from_bits(input.unsigned(8)?)),
        0xa0..=0xbf => push_string(frame, input, u64::from(marker & 0x1f)),
        0xd9..=0xdb => {
            let len = input.unsigned(1 << (marker - 0xd9))?;
            push_string(frame, input, len)
        }
        0x90..=0x9f => push_array(frame, input, u64::from(marker & 0xf), level),
        0x80..=0x8f => push_map(frame, input, u64::from(marker & 0xf), level),
        0xdc | 0xdd => {
            let len = input.unsigned(if marker == 0xdc { 2 } else { 4 })?;
            push_array(frame, input, len, level)
        }
        0xde | 0xdf => {
            let len = input.unsigned(if marker == 0xde { 2 } else { 4 })?;
            push_map(frame, input, len, level)
        }
        _ => Err(Raise::text("Bad data format in input.")),
    }
}

fn push_string(frame: &mut Frame<'_>, input: &mut Input<'_>, len: u64) -> Result<(), Raise> {
    let bytes = input.take(len as usize)?;
    frame.push_string(bytes)
}

fn push_array(frame: &mut Frame<'_>, input: &mut Input<'_>, len: u64, level: u32) -> Result<(), Raise> {
    frame.push_table(0, 0)?;
    let table = frame.top();
    for number in 1..=len {
        push_value(frame, input, level + 1)?;
        frame.set_element(table, number as i32);
        frame.check_memory(0)?;
    }
    Ok(())
}

fn push_map(frame: &mut Frame<'_>, input: &mut Input<'_>, len: u64, level: u32) -> Result<(), Raise> {
    frame.push_table(0, 0)?;
    let table = frame.top();
    for _ in 0..len {
        push_value(frame, input, level + 1)?;
        push_value(frame, input, level + 1)?;
        match frame.kind(-2) {
            Kind::Nil => return Err(Raise::plain("table index is nil")),
            Kind::Number if frame.number(-2).is_some_and(f64::is_nan) => {
                return Err(Raise::plain("table index is NaN"));
            }
            _ => frame.set(table),
        }
        frame.check_memory(0)?;
    }
    Ok(())
}
