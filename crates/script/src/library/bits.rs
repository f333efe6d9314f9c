//! The bit library: operations on the low 32 bits of numbers, with results that have a sign.

use crate::lua::{Frame, Outcome, Returned};

/// An argument as 32 bits. Adding this constant brings the low bits of a whole number to the end of the double.
fn bits(frame: &mut Frame<'_>, arg: i32) -> Result<u32, crate::lua::Raise> {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    frame.check_number(arg).map(|number| (number + SHIFT).to_bits() as u32)
}

fn push(frame: &mut Frame<'_>, bits: u32) -> Outcome {
    frame.push_number(f64::from(bits as i32))?;
    Ok(Returned::Values(1))
}

fn fold(frame: &mut Frame<'_>, combine: impl Fn(u32, u32) -> u32) -> Outcome {
    let mut all = bits(frame, 1)?;
    for arg in (2..=frame.args()).rev() {
        all = combine(all, bits(frame, arg)?);
    }
    push(frame, all)
}

fn shift(frame: &mut Frame<'_>, shift: impl Fn(u32, u32) -> u32) -> Outcome {
    let (number, by) = (bits(frame, 1)?, bits(frame, 2)? & 31);
    push(frame, shift(number, by))
}

/// `bit.tobit`
pub(crate) fn tobit(frame: &mut Frame<'_>) -> Outcome {
    let number = bits(frame, 1)?;
    push(frame, number)
}

/// `bit.bnot`
pub(crate) fn bnot(frame: &mut Frame<'_>) -> Outcome {
    let number = bits(frame, 1)?;
    push(frame, !number)
}

/// `bit.band`
pub(crate) fn band(frame: &mut Frame<'_>) -> Outcome {
    fold(frame, |one, other| one & other)
}

/// `bit.bor`
pub(crate) fn bor(frame: &mut Frame<'_>) -> Outcome {
    fold(frame, |one, other| one | other)
}

/// `bit.bxor`
pub(crate) fn bxor(frame: &mut Frame<'_>) -> Outcome {
    fold(frame, |one, other| one ^ other)
}

/// `bit.lshift`
pub(crate) fn lshift(frame: &mut Frame<'_>) -> Outcome {
    shift(frame, |number, by| number << by)
}

/// `bit.rshift`
pub(crate) fn rshift(frame: &mut Frame<'_>) -> Outcome {
    shift(frame, |number, by| number >> by)
}

/// `bit.arshift`
pub(crate) fn arshift(frame: &mut Frame<'_>) -> Outcome {
    shift(frame, |number, by| (number as i32 >> by) as u32)
}

/// `bit.rol`
pub(crate) fn rol(frame: &mut Frame<'_>) -> Outcome {
    shift(frame, u32::rotate_left)
}

/// `bit.ror`
pub(crate) fn ror(frame: &mut Frame<'_>) -> Outcome {
    shift(frame, u32::rotate_right)
}

/// `bit.bswap`
pub(crate) fn bswap(frame: &mut Frame<'_>) -> Outcome {
    let number = bits(frame, 1)?;
    push(frame, number.swap_bytes())
}

/// `bit.tohex`: up to eight digits, large letters for a negative number of them.
pub(crate) fn tohex(frame: &mut Frame<'_>) -> Outcome {
    let number = bits(frame, 1)?;
    let digits = if frame.args() < 2 { 8 } else { bits(frame, 2)? as i32 };
    let text = if digits < 0 { format!("{number:08X}") } else { format!("{number:08x}") };
    let shown = digits.unsigned_abs().min(8) as usize;
    frame.push_string(&text.as_bytes()[8 - shown..])?;
    Ok(Returned::Values(1))
}
