//! Values to bytes, in the shortest form of each.
//!
//! A table is an array if its keys are 1 to n, otherwise a map. What is nested deeper than [`NESTING_MAX`] is nil, which
//! ends tables that contain themselves.

use crate::library::args::to_i64;
use crate::lua::{Frame, Kind, Outcome, Raise, Returned};

/// Tables within tables.
const NESTING_MAX: u32 = 16;

/// `cmsgpack.pack`: all arguments, one after the other.
pub(crate) fn pack(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() == 0 {
        return Err(frame.arg_error(0, "MessagePack pack needs input."));
    }
    let mut out = Vec::new();
    for arg in 1..=frame.args() {
        frame.push_value(arg)?;
        push_last(frame, &mut out, 0)?;
    }
    frame.push_string(&out)?;
    Ok(Returned::Values(1))
}

/// Appends the last value, which is popped.
fn push_last(frame: &mut Frame<'_>, out: &mut Vec<u8>, level: u32) -> Result<(), Raise> {
    frame.spend(1)?;
    match frame.kind(-1) {
        Kind::String => {
            let bytes = frame.string(-1).unwrap_or_default();
            header(
                out,
                bytes.len(),
                &[(32, 0xa0, 0), (0x100, 0xd9, 1), (0x1_0000, 0xda, 2), (usize::MAX, 0xdb, 4)],
            );
            out.extend_from_slice(bytes);
            frame.check_memory(out.len())?;
        }
        Kind::Boolean => out.push(if frame.boolean(-1) { 0xc3 } else { 0xc2 }),
        Kind::Number => push_number(out, frame.number(-1).unwrap_or_default()),
        Kind::Table if level < NESTING_MAX => match array_len(frame)? {
            Some(len) => push_array(frame, out, len, level)?,
            None => push_map(frame, out, level)?,
        },
        _ => out.push(0xc0),
    }
    frame.pop(1);
    Ok(())
}

/// Appends a length in the first form that it is short enough for: a bound, a marker, and bytes of the length that follow
/// (none: it is a part of the marker).
fn header(out: &mut Vec<u8>, len: usize, forms: &[(usize, u8, usize)]) {
    let form = forms.iter().find(|(bound, ..)| len < *bound);
    let Some(&(_, marker, bytes)) = form.or(forms.last()) else {
        return;
    };
    if bytes == 0 {
        out.push(marker | len as u8);
    } else {
        out.push(marker);
        out.extend_from_slice(&(len as u64).to_be_bytes()[8 - bytes..]);
    }
}

fn push_number(out: &mut Vec<u8>, number: f64) {
    let whole = to_i64(number);
    if number.is_finite() && whole as f64 == number {
        push_integer(out, whole);
    } else if f64::from(number as f32) == number {
        out.push(0xca);
        out.extend_from_slice(&(number as f32).to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn push_integer(out: &mut Vec<u8>, number: i64) {
    let (marker, bytes) = match number {
        -32..=127 => return out.push(number as u8),
        128..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -128..=-33 => (0xd0, 1),
        -0x8000..=-129 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    out.push(marker);
    out.extend_from_slice(&number.to_be_bytes()[8 - bytes..]);
}

/// The number of elements of the last value, a table, if its keys are 1 to that number.
fn array_len(frame: &mut Frame<'_>) -> Result<Option<usize>, Raise> {
    let table = frame.top();
    let (mut count, mut max) = (0_usize, 0.0_f64);
    frame.push_nil()?;
    while frame.next(table)? {
        frame.pop(1);
        let key = frame.number(-1).filter(|key| *key > 0.0 && f64::from(*key as i32) == *key);
        let Some(key) = key else {
            frame.pop(1);
            return Ok(None);
        };
        max = max.max(key);
        count += 1;
    }
    frame.spend(count)?;
    Ok((max == count as f64).then_some(count))
}

fn push_array(frame: &mut Frame<'_>, out: &mut Vec<u8>, len: usize, level: u32) -> Result<(), Raise> {
    let table = frame.top();
    header(out, len, &[(16, 0x90, 0), (0x1_0000, 0xdc, 2), (usize::MAX, 0xdd, 4)]);
    for number in 1..=len {
        frame.get_element(table, number as i32)?;
        push_last(frame, out, level + 1)?;
    }
    Ok(())
}

fn push_map(frame: &mut Frame<'_>, out: &mut Vec<u8>, level: u32) -> Result<(), Raise> {
    let table = frame.top();
    let mut len = 0;
    frame.push_nil()?;
    while frame.next(table)? {
        frame.pop(1);
        len += 1;
    }
    header(out, len, &[(16, 0x80, 0), (0x1_0000, 0xde, 2), (usize::MAX, 0xdf, 4)]);
    frame.push_nil()?;
    while frame.next(table)? {
        frame.push_value(-2)?;
        push_last(frame, out, level + 1)?;
        push_last(frame, out, level + 1)?;
    }
    Ok(())
}
