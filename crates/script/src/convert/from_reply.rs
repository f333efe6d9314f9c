//! A command's reply as a value of Lua, pushed while its bytes are read: nothing stands in between.
//!
//! | reply | value |
//! |---|---|
//! | integer | number |
//! | string | string |
//! | status | table with `ok` |
//! | error | table with `err` and `ignore_error_stats_update` |
//! | array | table; no array, and no string, is false |
//! | null (RESP3) | nil |
//! | boolean | boolean |
//! | map, set | table with `map` or `set`; members of a set are names whose values are true |
//! | double, big number, text with a format | tables with `double`, `big_number`, `verbatim_string` |

use ochre_types::{parse_f64, parse_i64};

use crate::lua::{Frame, Kind, Raise};
use crate::state::Name;

/// Replies within replies.
const DEPTH_MAX: u32 = 128;

/// Whether a reply is an error.
pub(crate) fn is_error(reply: &[u8]) -> bool {
    reply.first() == Some(&b'-')
}

/// Pushes a reply.
///
/// # Errors
/// There is no memory, or the reply is none.
pub(crate) fn push_reply(frame: &mut Frame<'_>, reply: &[u8]) -> Result<(), Raise> {
    let mut reader = Reader { bytes: reply };
    reader.push(frame, 0)
}

/// The bytes of a reply that are left.
struct Reader<'a> {
    bytes: &'a [u8],
}

#[cold]
fn malformed() -> Raise {
    Raise::text("a reply cannot be read")
}

impl<'a> Reader<'a> {
    /// The next line, without its end.
    #[inline]
    fn line(&mut self) -> Result<&'a [u8], Raise> {
        let end = self.bytes.iter().position(|&byte| byte == b'\r').ok_or_else(malformed)?;
        let line = &self.bytes[..end];
        self.bytes = self.bytes.get(end + 2..).ok_or_else(malformed)?;
        Ok(line)
    }

    /// So many bytes, and the end of the line behind them.
    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], Raise> {
        let taken = self.bytes.get(..len).ok_or_else(malformed)?;
        self.bytes = self.bytes.get(len + 2..).ok_or_else(malformed)?;
        Ok(taken)
    }

    /// The number of a header; `None` for -1.
    #[inline]
    fn len(&mut self) -> Result<Option<usize>, Raise> {
        let number = parse_i64(self.line()?).ok_or_else(malformed)?;
        if number == -1 { Ok(None) } else { usize::try_from(number).map(Some).map_err(|_| malformed()) }
    }

    fn push(&mut self, frame: &mut Frame<'_>, depth: u32) -> Result<(), Raise> {
        if depth > DEPTH_MAX {
            return Err(malformed());
        }
        let (&mark, rest) = self.bytes.split_first().ok_or_else(malformed)?;
        self.bytes = rest;
        match mark {
            b':' => {
                let number = parse_i64(self.line()?).ok_or_else(malformed)?;
                frame.push_number(number as f64)
            }
            b'$' => match self.len()? {
                Some(len) => frame.push_string(self.take(len)?),
                None => frame.push_boolean(false),
            },
            b'*' | b'>' => match self.len()? {
                Some(len) => self.push_array(frame, len, depth),
                None => frame.push_boolean(false),
            },
            b'+' => {
                let text = self.line()?;
                push_field(frame, Name::Ok, |frame| frame.push_string(text))
            }
            b'-' => {
                let text = self.line()?;
                push_error(frame, text)
            }
            _ => self.push_new(frame, mark, depth),
        }
    }

    /// What only RESP3 has.
    fn push_new(&mut self, frame: &mut Frame<'_>, mark: u8, depth: u32) -> Result<(), Raise> {
        match mark {
            b'_' => {
                self.line()?;
                frame.push_nil()
            }
            b'#' => {
                let value = self.line()? == b"t";
                frame.push_boolean(value)
            }
            b',' => {
                let number = parse_f64(self.line()?).unwrap_or(f64::NAN);
                push_field(frame, Name::Double, |frame| frame.push_number(number))
            }
            b'(' => {
                let digits = self.line()?;
                push_field(frame, Name::BigNumber, |frame| frame.push_string(digits))
            }
            b'=' => {
                let len = self.len()?.ok_or_else(malformed)?;
                push_verbatim(frame, self.take(len)?)
            }
            b'%' => self.push_map(frame, depth),
            b'~' => self.push_set(frame, depth),
            b'|' => self.skip_attributes(frame, depth),
            _ => Err(malformed()),
        }
    }

    fn push_array(&mut self, frame: &mut Frame<'_>, len: usize, depth: u32) -> Result<(), Raise> {
        frame.push_table(len, 0)?;
        let table = frame.top();
        for number in 1..=len {
            self.push(frame, depth + 1)?;
            frame.set_element(table, number as i32);
        }
        Ok(())
    }

    /// Maps and sets grow as they are filled, as in Redis: the order in which `pairs` walks them depends on it.
    fn push_map(&mut self, frame: &mut Frame<'_>, depth: u32) -> Result<(), Raise> {
        let pairs = self.len()?.ok_or_else(malformed)?;
        frame.push_table(0, 1)?;
        frame.push_name(Name::Map)?;
        frame.push_table(0, 0)?;
        let table = frame.top();
        for _ in 0..pairs {
            self.push(frame, depth + 1)?;
            self.push(frame, depth + 1)?;
            frame.set(table);
        }
        frame.set(table - 2);
        Ok(())
    }

    fn push_set(&mut self, frame: &mut Frame<'_>, depth: u32) -> Result<(), Raise> {
        let len = self.len()?.ok_or_else(malformed)?;
        frame.push_table(0, 1)?;
        frame.push_name(Name::Set)?;
        frame.push_table(0, 0)?;
        let table = frame.top();
        for _ in 0..len {
            self.push(frame, depth + 1)?;
            frame.push_boolean(true)?;
            frame.set(table);
        }
        frame.set(table - 2);
        Ok(())
    }

    /// Scripts do not see what is said about a reply.
    fn skip_attributes(&mut self, frame: &mut Frame<'_>, depth: u32) -> Result<(), Raise> {
        let pairs = self.len()?.ok_or_else(malformed)?;
        for _ in 0..pairs.saturating_mul(2) {
            self.push(frame, depth + 1)?;
            frame.pop(1);
        }
        self.push(frame, depth + 1)
    }
}

/// Pushes a table with one field.
fn push_field(
    frame: &mut Frame<'_>,
    name: Name,
    push: impl FnOnce(&mut Frame<'_>) -> Result<(), Raise>,
) -> Result<(), Raise> {
    frame.push_table(0, 1)?;
    frame.push_name(name)?;
    push(frame)?;
    debug_assert_eq!(frame.kind(-3), Kind::Table);
    frame.set(-3);
    Ok(())
}

fn push_verbatim(frame: &mut Frame<'_>, text: &[u8]) -> Result<(), Raise> {
    let (format, text) = text.split_at_checked(4).ok_or_else(malformed)?;
    push_field(frame, Name::VerbatimString, |frame| {
        frame.push_table(0, 2)?;
        frame.push_string(text)?;
        frame.set_name(-2, Name::String)?;
        frame.push_string(&format[..3])?;
        frame.set_name(-2, Name::Format)
    })
}

/// Pushes the table of a command's error.
fn push_error(frame: &mut Frame<'_>, text: &[u8]) -> Result<(), Raise> {
    if text.contains(&b' ') {
        return frame.push_silent_error_table(text, true);
    }
    frame.push_silent_error_table(&[b"ERR ", text].concat(), true)
}
