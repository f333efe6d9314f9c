//! The struct library: packing numbers and strings into bytes as a format says.
//!
//! Sizes in formats are numbers that a script writes; all arithmetic on them is checked, and what is read is first
//! found to be there.

use super::args::to_i64;
use crate::lua::{Frame, Outcome, Raise, Returned};

/// The widest integer.
const INTEGER_LEN_MAX: usize = 32;
/// The alignment of `!` alone.
const ALIGN_MAX: usize = 8;

/// A format that is being read: its options one by one, and what they said of order and alignment.
struct Format<'a> {
    text: &'a [u8],
    is_big_endian: bool,
    align: usize,
}

impl<'a> Format<'a> {
    fn new(text: &'a [u8]) -> Format<'a> {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        Format { text, is_big_endian: false, align: 1 }
    }

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.text.split_first()?;
        self.text = rest;
        Some(first)
    }

    /// The number that follows, or `default` if none does.
    fn number(&mut self, default: usize) -> Result<usize, Raise> {
        let digits = self.text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.text.split_at(digits);
        self.text = rest;
        if number.is_empty() {
            return Ok(default);
        }
        let value = str::from_utf8(number).ok().and_then(|number| number.parse::<i32>().ok());
        value
            .and_then(|value| usize::try_from(value).ok())
            .ok_or_else(|| Raise::text("integral size overflow"))
    }

    /// The bytes of what an option stands for; 0 for options that stand for none, or for as many as there are.
    fn size(&mut self, option: u8) -> Result<usize, Raise> {
        match option {
            b'B' | b'b' | b'x' => Ok(1),
            b'H' | b'h' => Ok(2),
            b'L' | b'l' | b'T' | b'd' => Ok(8),
            b'f' => Ok(4),
            b'c' => self.number(1),
            b'i' | b'I' => match self.number(4)? {
                size if size > INTEGER_LEN_MAX => {
                    let text = format!("integral size {size} is larger than limit of {INTEGER_LEN_MAX}");
                    Err(Raise::text(&text))
                }
                size => Ok(size),
            },
            _ => Ok(0),
        }
    }

    /// Bytes to skip before an option of a size.
    fn padding(&self, position: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let size = size.min(self.align);
        size.wrapping_sub(position & size.wrapping_sub(1)) & size.wrapping_sub(1)
    }

    /// Takes an option that stands for no bytes.
    fn control(&mut self, frame: &mut Frame<'_>, option: u8) -> Result<(), Raise> {
        match option {
            b' ' => {}
            b'>' => self.is_big_endian = true,
            b'<' => self.is_big_endian = false,
            b'!' => {
                self.align = self.number(ALIGN_MAX)?;
                if !self.align.is_power_of_two() {
                    return Err(Raise::text(&format!("alignment {} is not a power of 2", self.align)));
                }
            }
            _ => {
                let option = char::from(option);
                return Err(frame.arg_error(1, &format!("invalid format option '{option}'")));
            }
        }
        Ok(())
    }

    /// Bytes of a number in the order of the format, given with the least first.
    fn in_order<const LEN: usize>(&self, mut bytes: [u8; LEN]) -> [u8; LEN] {
        if self.is_big_endian {
            bytes.reverse();
        }
        bytes
    }
}

fn is_integer(option: u8) -> bool {
    b"bBhHlLTiI".contains(&option)
}

/// `struct.pack`
pub(crate) fn pack(frame: &mut Frame<'_>) -> Outcome {
    let mut format = Format::new(frame.check_string(1)?);
    let mut out = Vec::new();
    let mut arg = 2;
    while let Some(option) = format.next() {
        let size = format.size(option)?;
        check_present(frame, option, arg)?;
        frame.check_memory(out.len().saturating_add(size))?;
        out.resize(out.len() + format.padding(out.len(), option, size), 0);
        match option {
            b'x' => out.push(0),
            b'f' => {
                let number = frame.check_number(arg)? as f32;
                out.extend_from_slice(&format.in_order(number.to_le_bytes()));
                arg += 1;
            }
            b'd' => {
                let number = frame.check_number(arg)?;
                out.extend_from_slice(&format.in_order(number.to_le_bytes()));
                arg += 1;
            }
            b'c' | b's' => {
                pack_string(frame, arg, option, size, &mut out)?;
                arg += 1;
            }
            _ if is_integer(option) => {
                let number = frame.check_number(arg)?;
                pack_integer(&format, number, size, &mut out);
                arg += 1;
            }
            _ => format.control(frame, option)?,
        }
    }
    frame.push_string(&out)?;
    Ok(Returned::Values(1))
}

/// What follows the arguments is nil to the library that this one stands for.
fn check_present(frame: &mut Frame<'_>, option: u8, arg: i32) -> Result<(), Raise> {
    let expected = match option {
        b'c' | b's' => "string",
        b'f' | b'd' => "number",
        _ if is_integer(option) => "number",
        _ => return Ok(()),
    };
    if arg <= frame.args() {
        return Ok(());
    }
    Err(frame.arg_error(arg, &format!("{expected} expected, got nil")))
}

fn pack_string(
    frame: &mut Frame<'_>,
    arg: i32,
    option: u8,
    size: usize,
    out: &mut Vec<u8>,
) -> Result<(), Raise> {
    let text = frame.check_string(arg)?;
    let size = if size == 0 { text.len() } else { size };
    let Some(text) = text.get(..size) else {
        return Err(frame.arg_error(arg + 1, "string too short"));
    };
    frame.check_memory(out.len().saturating_add(size).saturating_mul(2))?;
    out.extend_from_slice(text);
    if option == b's' {
        out.push(0);
    }
    Ok(())
}

fn pack_integer(format: &Format<'_>, number: f64, size: usize, out: &mut Vec<u8>) {
    // As C converts: by way of a signed integer below zero, of an unsigned one above the signed ones.
    let value = if number < 0.0 || number < 9_223_372_036_854_775_808.0 {
        to_i64(number) as u64
    } else if number < 18_446_744_073_709_551_616.0 {
        number as u64
    } else {
        0
    };
    let mut bytes = [0; INTEGER_LEN_MAX];
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    let bytes = &mut bytes[..size];
    if format.is_big_endian {
        bytes.reverse();
    }
    out.extend_from_slice(bytes);
}

fn unpack_integer(format: &Format<'_>, bytes: &[u8], is_signed: bool) -> f64 {
    let mut value = 0_u64;
    let mut push = |byte: &u8| value = value << 8 | u64::from(*byte);
    if format.is_big_endian {
        bytes.iter().for_each(&mut push)
    } else {
        bytes.iter().rev().for_each(&mut push)
    }
    if !is_signed {
        return value as f64;
    }
    // What the processor does with a shift by 64 or more, it does by the rest.
    let sign = u64::MAX.wrapping_shl((bytes.len() as u32).wrapping_mul(8).wrapping_sub(1));
    if value & sign != 0 {
        value |= sign;
    }
    value as i64 as f64
}

/// `struct.unpack`
pub(crate) fn unpack(frame: &mut Frame<'_>) -> Outcome {
    let mut format = Format::new(frame.check_string(1)?);
    let data = frame.check_string(2)?;
    let position = frame.optional_i64(3, 1)?;
    if position == 0 {
        return Err(frame.arg_error(3, "offset must be 1 or greater"));
    }
    let mut position = (position as usize).wrapping_sub(1);
    let mut results = 0;
    while let Some(option) = format.next() {
        let size = format.size(option)?;
        position = position.saturating_add(format.padding(position, option, size));
        let item = take(frame, data, position, size)?;
        frame.reserve(2).map_err(|_| Raise::text("stack overflow (too many results)"))?;
        let mut used = size;
        match option {
            b'x' => {}
            b'f' => {
                push_number(frame, f64::from(f32::from_le_bytes(format.in_order(fixed(item)))), &mut results)?
            }
            b'd' => push_number(frame, f64::from_le_bytes(format.in_order(fixed(item))), &mut results)?,
            b'c' => used = unpack_counted(frame, data, position, size, &mut results)?,
            b's' => {
                let rest = &data[position..];
                let len = rest.iter().position(|&byte| byte == 0);
                let len = len.ok_or_else(|| Raise::text("unfinished string in data"))?;
                frame.push_string(&rest[..len])?;
                results += 1;
                used = len + 1;
            }
            _ if is_integer(option) => {
                let number = unpack_integer(&format, item, option.is_ascii_lowercase());
                push_number(frame, number, &mut results)?;
            }
            _ => format.control(frame, option)?,
        }
        position += used;
    }
    frame.push_number((position as f64) + 1.0)?;
    Ok(Returned::Values(results + 1))
}

fn push_number(frame: &mut Frame<'_>, number: f64, results: &mut i32) -> Result<(), Raise> {
    *results += 1;
    frame.push_number(number)
}

/// The first bytes, of which there are as many.
fn fixed<const LEN: usize>(bytes: &[u8]) -> [u8; LEN] {
    bytes.first_chunk().copied().unwrap_or([0; LEN])
}

fn take<'a>(frame: &mut Frame<'_>, data: &'a [u8], position: usize, size: usize) -> Result<&'a [u8], Raise> {
    let item = position.checked_add(size).and_then(|end| data.get(position..end));
    item.ok_or_else(|| frame.arg_error(2, "data string too short"))
}

/// `c`, or `c0` for as many bytes as the last result says.
fn unpack_counted(
    frame: &mut Frame<'_>,
    data: &[u8],
    position: usize,
    size: usize,
    results: &mut i32,
) -> Result<usize, Raise> {
    let mut size = size;
    if size == 0 {
        let last = if *results == 0 { None } else { frame.to_number(-1) };
        let last = last.ok_or_else(|| Raise::text("format 'c0' needs a previous size"))?;
        size = usize::try_from(to_i64(last)).unwrap_or(usize::MAX);
        frame.pop(1);
        *results -= 1;
    }
    let item = take(frame, data, position, size)?;
    frame.push_string(item)?;
    *results += 1;
    Ok(size)
}

/// `struct.size`
pub(crate) fn size(frame: &mut Frame<'_>) -> Outcome {
    let mut format = Format::new(frame.check_string(1)?);
    let mut position = 0_usize;
    while let Some(option) = format.next() {
        let size = format.size(option)?;
        position = position.saturating_add(format.padding(position, option, size));
        if option == b's' {
            return Err(frame.arg_error(1, "option 's' has no fixed size"));
        } else if option == b'c' && size == 0 {
            return Err(frame.arg_error(1, "option 'c0' has no fixed size"));
        }
        if !option.is_ascii_alphanumeric() {
            format.control(frame, option)?;
        }
        position = position.saturating_add(size);
    }
    frame.push_number(position as f64)?;
    Ok(Returned::Values(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_reaches_the_alignment() {
        let format = Format { text: b"", is_big_endian: false, align: 8 };
        for (position, size, padding) in [(0, 8, 0), (1, 8, 7), (1, 4, 3), (5, 2, 1), (3, 16, 5), (3, 1, 0)] {
            assert_eq!(format.padding(position, b'i', size), padding, "{position} {size}");
        }
    }
}
