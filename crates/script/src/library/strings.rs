//! The functions of Lua's string library that could take forever, or memory without end, where nobody looks.

use super::pattern::{Captured, Matcher, has_specials};
use crate::lua::{Frame, Kind, Outcome, Raise, Returned};

/// A place in a string, counted from 1, or from its end if it is negative.
fn place(place: i64, len: usize) -> i64 {
    let place = if place < 0 { place.saturating_add(len as i64 + 1) } else { place };
    place.max(0)
}

/// `string.rep`
pub(crate) fn rep(frame: &mut Frame<'_>) -> Outcome {
    let text = frame.check_string(1)?;
    let times = usize::try_from(frame.check_i32(2)?).unwrap_or(0);
    let len = text.len().checked_mul(times).ok_or(Raise::OutOfMemory)?;
    frame.check_memory(len.saturating_mul(2))?;
    frame.push_string(&text.repeat(times))?;
    Ok(Returned::Values(1))
}

/// `string.find`
pub(crate) fn find(frame: &mut Frame<'_>) -> Outcome {
    search(frame, true)
}

/// `string.match`
pub(crate) fn match_pattern(frame: &mut Frame<'_>) -> Outcome {
    search(frame, false)
}

fn search(frame: &mut Frame<'_>, is_find: bool) -> Outcome {
    let subject = frame.check_string(1)?;
    let pattern = frame.check_string(2)?;
    let start = place(frame.optional_i64(3, 1)?, subject.len()).saturating_sub(1);
    let start = usize::try_from(start).unwrap_or(0).min(subject.len());
    if is_find && (frame.boolean(4) || !has_specials(pattern)) {
        return find_plain(frame, subject, pattern, start);
    }
    let (is_anchored, pattern) = without_anchor(pattern);
    let mut matcher = Matcher::new(frame, subject, pattern);
    for start in start..=subject.len() {
        if let Some(end) = matcher.match_at(start)? {
            return push_match(&mut matcher, is_find, start, end);
        }
        if is_anchored {
            break;
        }
    }
    frame.push_nil()?;
    Ok(Returned::Values(1))
}

fn without_anchor(pattern: &[u8]) -> (bool, &[u8]) {
    match pattern.strip_prefix(b"^") {
        Some(pattern) => (true, pattern),
        None => (false, pattern),
    }
}

fn push_match(matcher: &mut Matcher<'_, '_>, is_find: bool, start: usize, end: usize) -> Outcome {
    let mut values = matcher.value_count();
    let mut first = 0;
    if is_find {
        matcher.frame().push_number(start as f64 + 1.0)?;
        matcher.frame().push_number(end as f64)?;
        first = if matcher.has_captures() { 0 } else { values };
        values += 2 - first;
    }
    for number in first..matcher.value_count() {
        matcher.push_value(number, start, end)?;
    }
    Ok(Returned::Values(values as i32))
}

fn find_plain(frame: &mut Frame<'_>, subject: &[u8], wanted: &[u8], start: usize) -> Outcome {
    match position(frame, &subject[start..], wanted)? {
        Some(found) => {
            let first = start + found;
            frame.push_number(first as f64 + 1.0)?;
            frame.push_number((first + wanted.len()) as f64)?;
            Ok(Returned::Values(2))
        }
        None => {
            frame.push_nil()?;
            Ok(Returned::Values(1))
        }
    }
}

/// Where some bytes are in others. Looks for the rarest way in, the first byte, and compares the rest there.
fn position(frame: &mut Frame<'_>, subject: &[u8], wanted: &[u8]) -> Result<Option<usize>, Raise> {
    let Some(&first) = wanted.first() else {
        return Ok(Some(0));
    };
    let mut from = 0;
    while let Some(last) = subject.len().checked_sub(wanted.len()).filter(|&last| from <= last) {
        let Some(at) = subject[from..=last].iter().position(|&byte| byte == first) else {
            break;
        };
        let here = &subject[from + at..from + at + wanted.len()];
        let same = here.iter().zip(wanted).take_while(|(one, other)| one == other).count();
        frame.spend(at / 8 + same)?;
        if same == wanted.len() {
            return Ok(Some(from + at));
        }
        from += at + 1;
    }
    Ok(None)
}

/// `string.gmatch`: a function whose upvalues are subject, pattern and the place that it has come to.
pub(crate) fn gmatch(frame: &mut Frame<'_>) -> Outcome {
    frame.check_string(1)?;
    frame.check_string(2)?;
    frame.push_value(1)?;
    frame.push_value(2)?;
    frame.push_number(0.0)?;
    frame.push_function(next_match, 3)?;
    Ok(Returned::Values(1))
}

fn next_match(frame: &mut Frame<'_>) -> Outcome {
    for number in 1..=3 {
        frame.push_upvalue(number)?;
    }
    let from = frame.number(-1).unwrap_or(0.0) as usize;
    let (Some(subject), Some(pattern)) = (frame.kept_string(-3), frame.kept_string(-2)) else {
        return Ok(Returned::Values(0));
    };
    let mut matcher = Matcher::new(frame, subject, pattern);
    for start in from..=subject.len() {
        if let Some(end) = matcher.match_at(start)? {
            let next = if end == start { end + 1 } else { end };
            matcher.frame().push_number(next as f64)?;
            matcher.frame().set_upvalue(3);
            return push_match(&mut matcher, false, start, end);
        }
    }
    Ok(Returned::Values(0))
}

/// `string.gsub`
pub(crate) fn gsub(frame: &mut Frame<'_>) -> Outcome {
    let subject = frame.check_string(1)?;
    let pattern = frame.check_string(2)?;
    let kind = frame.kind(3);
    if frame.args() < 3 || !matches!(kind, Kind::Number | Kind::String | Kind::Table | Kind::Function) {
        return Err(frame.arg_error(3, "string/function/table expected"));
    }
    let replacement = frame.arg_string(3).unwrap_or_default();
    let times_max = i64::from(frame.optional_i64(4, subject.len() as i64 + 1)? as i32);
    let (is_anchored, pattern) = without_anchor(pattern);
    let mut matcher = Matcher::new(frame, subject, pattern);
    let (mut out, mut times, mut at) = (Vec::new(), 0, 0);
    while times < times_max {
        let end = matcher.match_at(at)?;
        if let Some(end) = end {
            times += 1;
            match kind {
                Kind::Table | Kind::Function => substitute(&mut matcher, kind, at, end, &mut out)?,
                _ => expand(&mut matcher, replacement, at, end, &mut out)?,
            }
            matcher.frame().check_memory(out.len())?;
        }
        match end {
            Some(end) if end > at => at = end,
            _ => match subject.get(at) {
                Some(&byte) => {
                    out.push(byte);
                    at += 1;
                }
                None => break,
            },
        }
        if is_anchored {
            break;
        }
    }
    out.extend_from_slice(&subject[at..]);
    frame.push_string(&out)?;
    frame.push_number(times as f64)?;
    Ok(Returned::Values(2))
}

/// Appends a replacement text, in which `%` and a digit stand for what was captured.
fn expand(
    matcher: &mut Matcher<'_, '_>,
    text: &[u8],
    start: usize,
    end: usize,
    out: &mut Vec<u8>,
) -> Result<(), Raise> {
    matcher.frame().spend(text.len() / 8 + 1)?;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        // Behind a last `%` Lua reads the zero that ends every string.
        match bytes.next().unwrap_or(0) {
            b'0' => out.extend_from_slice(matcher.subject(start, end)),
            digit if digit.is_ascii_digit() => {
                let captured = matcher.value(usize::from(digit - b'1'), start, end)?;
                append(captured, out);
            }
            other => out.push(other),
        }
    }
    Ok(())
}

fn append(captured: Captured<'_>, out: &mut Vec<u8>) {
    match captured {
        Captured::Bytes(bytes) => out.extend_from_slice(bytes),
        Captured::Position(place) => out.extend_from_slice(itoa::Buffer::new().format(place).as_bytes()),
    }
}

/// Appends what the table or the function of the third argument has for a match.
fn substitute(
    matcher: &mut Matcher<'_, '_>,
    kind: Kind,
    start: usize,
    end: usize,
    out: &mut Vec<u8>,
) -> Result<(), Raise> {
    let values = matcher.value_count();
    if kind == Kind::Function {
        matcher.frame().push_value(3)?;
        for number in 0..values {
            matcher.push_value(number, start, end)?;
        }
        matcher.frame().call(values as i32, Some(1), 0)?;
    } else {
        matcher.push_value(0, start, end)?;
        matcher.frame().read_field(3)?;
    }
    let whole = matcher.subject(start, end);
    let frame = matcher.frame();
    if !frame.boolean(-1) {
        out.extend_from_slice(whole);
    } else if matches!(frame.kind(-1), Kind::String | Kind::Number) {
        out.extend_from_slice(&frame.text_of_last()?);
    } else {
        let text = format!("invalid replacement value (a {})", frame.type_name(-1));
        return Err(Raise::text(&text));
    }
    frame.pop(1);
    Ok(())
}
