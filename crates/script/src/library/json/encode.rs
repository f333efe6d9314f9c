//! Values to JSON.

use super::number::push_general;
use super::settings::JsonSettings;
use crate::lua::{Frame, Kind, Outcome, Raise, Returned};

/// The depth that no setting exceeds: each level is a frame of ours and some slots of Lua's stack.
const DEPTH_MAX: i32 = 2000;

/// `cjson.encode`
pub(crate) fn encode(frame: &mut Frame<'_>) -> Outcome {
    if frame.args() != 1 {
        return Err(frame.arg_error(1, "expected 1 argument"));
    }
    let settings = JsonSettings::of_function(frame)?;
    let mut encoder = Encoder { settings, out: Vec::new() };
    frame.push_value(1)?;
    encoder.push_last(frame, 0)?;
    frame.push_string(&encoder.out)?;
    Ok(Returned::Values(1))
}

struct Encoder {
    settings: JsonSettings,
    out: Vec<u8>,
}

/// `Cannot serialise table: ...`
fn refusal(frame: &Frame<'_>, index: i32, reason: &str) -> Raise {
    Raise::text(&format!("Cannot serialise {}: {reason}", frame.type_name(index)))
}

impl Encoder {
    /// Appends the last value, which stays.
    fn push_last(&mut self, frame: &mut Frame<'_>, depth: i32) -> Result<(), Raise> {
        frame.spend(1)?;
        match frame.kind(-1) {
            Kind::String => {
                let text = frame.string(-1).unwrap_or_default();
                push_text(&mut self.out, text);
                frame.check_memory(self.out.len())?;
            }
            Kind::Number => self.push_number(frame, -1)?,
            Kind::Boolean if frame.boolean(-1) => self.out.extend_from_slice(b"true"),
            Kind::Boolean => self.out.extend_from_slice(b"false"),
            Kind::Nil => self.out.extend_from_slice(b"null"),
            Kind::LightUserdata if frame.address(-1) == 0 => self.out.extend_from_slice(b"null"),
            Kind::Table => self.push_table(frame, depth + 1)?,
            _ => return Err(refusal(frame, -1, "type not supported")),
        }
        Ok(())
    }

    fn push_table(&mut self, frame: &mut Frame<'_>, depth: i32) -> Result<(), Raise> {
        if depth > self.settings.encode_max_depth.min(DEPTH_MAX) || frame.reserve(5).is_err() {
            return Err(Raise::text(&format!("Cannot serialise, excessive nesting ({depth})")));
        }
        if is_marked_array(frame)? {
            let len = frame.length(-1);
            return self.push_array(frame, len, depth);
        }
        match self.array_len(frame)? {
            Some(len) if len > 0 => self.push_array(frame, len, depth),
            _ => self.push_object(frame, depth),
        }
    }

    /// The largest place of the last value, a table whose names are all places; `None` if it is to be an object.
    fn array_len(&mut self, frame: &mut Frame<'_>) -> Result<Option<usize>, Raise> {
        let table = frame.top();
        let (mut max, mut items) = (0_i64, 0_i64);
        frame.push_nil()?;
        while frame.next(table)? {
            frame.pop(1);
            let place = frame.number(-1).filter(|place| *place >= 1.0 && place.floor() == *place);
            let Some(place) = place else {
                frame.pop(1);
                return Ok(None);
            };
            // Places are counted as C's `int`.
            if place > max as f64 {
                max = if place < 2_147_483_648.0 { place as i64 } else { i64::from(i32::MIN) };
            }
            items += 1;
        }
        frame.spend(items as usize)?;
        let (ratio, safe) = (i64::from(self.settings.sparse_ratio), i64::from(self.settings.sparse_safe));
        if ratio > 0 && max > items * ratio && max > safe {
            if !self.settings.sparse_convert {
                return Err(refusal(frame, -1, "excessively sparse array"));
            }
            return Ok(None);
        }
        Ok(usize::try_from(max).ok())
    }

    fn push_array(&mut self, frame: &mut Frame<'_>, len: usize, depth: i32) -> Result<(), Raise> {
        let table = frame.top();
        self.out.push(b'[');
        for place in 1..=len {
            if place > 1 {
                self.out.push(b',');
            }
            frame.get_element(table, place as i32)?;
            self.push_last(frame, depth)?;
            frame.pop(1);
        }
        self.out.push(b']');
        frame.check_memory(self.out.len())
    }

    fn push_object(&mut self, frame: &mut Frame<'_>, depth: i32) -> Result<(), Raise> {
        let table = frame.top();
        self.out.push(b'{');
        let mut is_first = true;
        frame.push_nil()?;
        while frame.next(table)? {
            if !std::mem::take(&mut is_first) {
                self.out.push(b',');
            }
            match frame.kind(-2) {
                Kind::String => push_text(&mut self.out, frame.string(-2).unwrap_or_default()),
                Kind::Number => {
                    self.out.push(b'"');
                    self.push_number(frame, -2)?;
                    self.out.push(b'"');
                }
                _ => return Err(refusal(frame, -2, "table key must be a number or string")),
            }
            self.out.push(b':');
            self.push_last(frame, depth)?;
            frame.pop(1);
        }
        self.out.push(b'}');
        frame.check_memory(self.out.len())
    }

    fn push_number(&mut self, frame: &Frame<'_>, index: i32) -> Result<(), Raise> {
        let number = frame.number(index).unwrap_or_default();
        if !number.is_finite() {
            match self.settings.encode_invalid {
                0 => return Err(refusal(frame, index, "must not be NaN or Inf")),
                1 if number.is_nan() => self.out.extend_from_slice(b"nan"),
                1 => push_general(&mut self.out, number, self.settings.precision as usize),
                _ => self.out.extend_from_slice(b"null"),
            }
            return Ok(());
        }
        push_general(&mut self.out, number, self.settings.precision as usize);
        Ok(())
    }
}

/// Whether the last value, a table, has a metatable that says that it is an array.
fn is_marked_array(frame: &mut Frame<'_>) -> Result<bool, Raise> {
    if !frame.push_metatable(-1)? {
        return Ok(false);
    }
    let metatable = frame.top();
    let is_shown = frame.is_protected(metatable);
    let mut pushed = 1;
    if is_shown && frame.push_metatable(metatable)? {
        frame.get_name(metatable + 1, crate::state::Name::Index)?;
        pushed += 2;
    }
    let mut is_array = false;
    if frame.kind(-1) == Kind::Table {
        frame.get_field(frame.top(), super::super::ARRAY_MARK)?;
        is_array = frame.boolean(-1);
        pushed += 1;
    }
    frame.pop(pushed);
    Ok(is_array)
}

/// Appends a string in quotes.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
        out.extend_from_slice(&rest[..at]);
        push_escape(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'/' | b'\\' | 0x7f)
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        b'"' | b'/' | b'\\' => byte,
        _ => return out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    };
    out.extend_from_slice(&[b'\\', short]);
}
