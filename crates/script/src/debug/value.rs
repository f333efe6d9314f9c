//! Values of Lua as the debugger shows them.
//!
//! A table whose fields are 1, 2, 3, ... in the order in which Lua keeps them is shown as a list, any other with its names. Once more
//! has been made than will be shown, tables within tables are no longer looked into, so a table that is in itself many times
//! costs no more than one walk over each of the tables down to the last that is shown.

use super::reply::append_text;
use crate::lua::{Frame, Kind, Raise};

/// Tables within tables.
const DEPTH_MAX: usize = 10;
/// Digits of a number that are shown.
const DIGITS: usize = 6;

/// Appends a value as a text, about `max` bytes of it.
///
/// # Errors
/// There is no memory.
pub(super) fn append_value(
    frame: &mut Frame<'_>,
    index: i32,
    out: &mut Vec<u8>,
    max: usize,
) -> Result<(), Raise> {
    append(frame, index, out, max, 0)
}

fn append(
    frame: &mut Frame<'_>,
    index: i32,
    out: &mut Vec<u8>,
    max: usize,
    depth: usize,
) -> Result<(), Raise> {
    if depth == DEPTH_MAX {
        out.extend_from_slice(b"<max recursion level reached! Nested table?>");
        return Ok(());
    }
    if out.len() > max {
        return Ok(());
    }
    match frame.kind(index) {
        Kind::String => append_text(out, frame.string(index).unwrap_or_default(), max),
        Kind::Boolean => out.extend_from_slice(if frame.boolean(index) { b"true" } else { b"false" }),
        Kind::Number => append_number(out, frame.number(index).unwrap_or_default()),
        Kind::None | Kind::Nil => out.extend_from_slice(b"nil"),
        Kind::Table => append_table(frame, index, out, max, depth)?,
        Kind::Function | Kind::LightUserdata | Kind::Other => {
            let name = match frame.kind(index) {
                Kind::LightUserdata => "light-userdata",
                _ => frame.type_name(index),
            };
            let text = match frame.address(index) {
                0 => format!("\"{name}@(nil)\""),
                address => format!("\"{name}@{address:#x}\""),
            };
            out.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}

fn append_table(
    frame: &mut Frame<'_>,
    index: i32,
    out: &mut Vec<u8>,
    max: usize,
    depth: usize,
) -> Result<(), Raise> {
    let table = if index < 0 { frame.top() + 1 + index } else { index };
    // The same elements without their names and with them: which of the two is shown is known at the end.
    let (mut list, mut map) = (Some(Vec::new()), Vec::new());
    let room = max.saturating_sub(out.len());
    let mut number = 0_u64;
    frame.push_nil()?;
    while frame.next(table)? {
        number += 1;
        if frame.number(-2) != Some(number as f64) {
            list = None;
        }
        let is_full = map.len() > room && list.as_ref().is_none_or(|list: &Vec<u8>| list.len() > room);
        if is_full && list.is_none() {
            frame.pop(2);
            break;
        }
        if !is_full {
            let mut element = Vec::new();
            append(frame, -1, &mut element, room, depth + 1)?;
            if let Some(list) = list.as_mut().filter(|list| list.len() <= room) {
                list.extend_from_slice(&element);
                list.extend_from_slice(b"; ");
            }
            if map.len() <= room {
                map.push(b'[');
                let name = frame.top() - 1;
                append(frame, name, &mut map, room, depth + 1)?;
                map.extend_from_slice(&[b"]=", element.as_slice(), b"; "].concat());
            }
        }
        frame.pop(1);
    }
    let elements = list.unwrap_or(map);
    out.push(b'{');
    out.extend_from_slice(elements.strip_suffix(b"; ").unwrap_or(&elements));
    out.push(b'}');
    Ok(())
}

/// Appends a number with six digits, as C's `%g` does.
pub(super) fn append_number(out: &mut Vec<u8>, number: f64) {
    let text = if number.is_nan() {
        if number.is_sign_negative() { "-nan".to_owned() } else { "nan".to_owned() }
    } else if number.is_infinite() {
        if number < 0.0 { "-inf".to_owned() } else { "inf".to_owned() }
    } else {
        shorten(number)
    };
    out.extend_from_slice(text.as_bytes());
}

fn shorten(number: f64) -> String {
    let scientific = format!("{number:.*e}", DIGITS - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let without_zeros = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= DIGITS as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_zeros(digits), exponent.abs());
    }
    let decimals = usize::try_from(DIGITS as i32 - 1 - exponent).unwrap_or_default();
    without_zeros(&format!("{number:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-3.0, "-3"),
            (1.5, "1.5"),
            (0.1, "0.1"),
            (100.0, "100"),
            (123_456.0, "123456"),
            (123_456.789, "123457"),
            (1_234_567.0, "1.23457e+06"),
            (1_234_565.0, "1.23456e+06"),
            (0.123_456_5, "0.123456"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1e100, "1e+100"),
            (9_007_199_254_740_992.0, "9.0072e+15"),
            (2.345_678_9, "2.34568"),
            (999_999.5, "1e+06"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut out = Vec::new();
            append_number(&mut out, number);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{number:e}");
        }
    }
}
