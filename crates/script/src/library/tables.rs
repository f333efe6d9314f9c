//! A guard before `table.insert`, and the sorting of plain values.
//!
//! Protected tables are empty ones, in which `table.remove` and `table.sort` find nothing to change.

use super::base::unless_protected;
use crate::lua::{Frame, Kind, Outcome, Raise, Returned, Stock};

/// Elements that Lua may move at once, where nobody looks.
const MOVED_MAX: i64 = 1 << 20;

/// `table.insert`
pub(crate) fn insert(frame: &mut Frame<'_>) -> Outcome {
    if frame.kind(1) == Kind::Table && frame.args() == 3 {
        let place = i64::from(frame.check_i32(2)?);
        let end = frame.length(1) as i64 + 1;
        if end - place > MOVED_MAX && !frame.is_protected(1) {
            return insert_far(frame, place as i32, end as i32);
        }
    }
    unless_protected(frame, Stock::Insert)
}

/// Moves all elements from a place on, be it below the first.
fn insert_far(frame: &mut Frame<'_>, place: i32, end: i32) -> Outcome {
    for number in (place..end).rev() {
        frame.spend(1)?;
        frame.check_memory(0)?;
        frame.get_element(1, number)?;
        frame.set_element(1, number.wrapping_add(1));
    }
    frame.push_value(3)?;
    frame.set_element(1, place);
    Ok(Returned::Values(0))
}

/// `table.sort`. Lua's own takes quadratic time for some orders, without looking at the clock where no function
/// compares; numbers and strings are sorted here, where equal ones cannot be told apart.
pub(crate) fn sort(frame: &mut Frame<'_>) -> Outcome {
    if frame.kind(1) != Kind::Table || !frame.is_missing(2) {
        return Ok(Returned::Stock(Stock::Sort));
    }
    let length = frame.length(1).min(1 << 30) as i32;
    frame.spend(length as usize)?;
    frame.check_memory(length as usize * 16)?;
    let kind = if length > 0 { element_kind(frame)? } else { Kind::Nil };
    match kind {
        Kind::Number => sort_numbers(frame, length),
        Kind::String => sort_strings(frame, length),
        _ => Ok(Returned::Stock(Stock::Sort)),
    }
}

fn element_kind(frame: &mut Frame<'_>) -> Result<Kind, Raise> {
    let kind = frame.get_element(1, 1)?;
    frame.pop(1);
    Ok(kind)
}

fn sort_numbers(frame: &mut Frame<'_>, length: i32) -> Outcome {
    let mut numbers = Vec::with_capacity(length as usize);
    for number in 1..=length {
        frame.get_element(1, number)?;
        let value = frame.number(-1).filter(|value| !value.is_nan());
        frame.pop(1);
        match value {
            Some(value) => numbers.push(value),
            // Mixed values: Lua says what is wrong with them. NaN: it says that it cannot sort.
            None => return Ok(Returned::Stock(Stock::Sort)),
        }
    }
    // Ascending and descending, in place, without a bad case.
    numbers.sort_unstable_by(f64::total_cmp);
    for (number, value) in (1..).zip(&numbers) {
        frame.push_number(*value)?;
        frame.set_element(1, number);
    }
    Ok(Returned::Values(0))
}

fn sort_strings(frame: &mut Frame<'_>, length: i32) -> Outcome {
    let mut strings = Vec::with_capacity(length as usize);
    let mut bytes = 0;
    for number in 1..=length {
        frame.get_element(1, number)?;
        let value = frame.string(-1).map(<[u8]>::to_vec);
        frame.pop(1);
        match value {
            Some(value) => {
                bytes += value.len();
                strings.push(value);
            }
            None => return Ok(Returned::Stock(Stock::Sort)),
        }
        frame.check_memory(bytes)?;
    }
    strings.sort_unstable();
    for (number, value) in (1..).zip(&strings) {
        frame.push_string(value)?;
        frame.set_element(1, number);
    }
    Ok(Returned::Values(0))
}
