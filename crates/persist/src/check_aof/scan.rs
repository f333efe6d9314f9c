//! Reading a log for the check: line by line, with what is wrong and where, in the words of redis-check-aof.

use std::io;

use crate::disk::{DiskFile, read_full_at};

/// A line of a header is not longer.
const HEADER_BYTES_MAX: usize = 127;
/// An annotation is not longer.
const ANNOTATION_BYTES_MAX: usize = 1023;
/// Of an argument, only a name is looked at.
const NAME_BYTES_MAX: usize = 16;

/// What is wrong: where reading was, and what it found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) at: u64,
    pub(super) text: String,
}

impl Fault {
    pub(super) fn line(&self) -> String {
        format!("0x{:16x}: {}\n", self.at, self.text)
    }
}

/// Why a command could not be read.
pub(super) enum Broken {
    /// The file ends where a header should begin.
    End,
    /// Something is wrong.
    Fault(Fault),
    /// The disk failed.
    Disk,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Broken {
        Broken::Disk
    }
}

/// A place in a file that is read forwards.
pub(super) struct Scan<'f> {
    file: &'f dyn DiskFile,
    pub(super) position: u64,
    pub(super) len: u64,
    /// Where the last thing was read.
    pub(super) last: u64,
    /// Ends of lines that were read, and one.
    pub(super) line: u64,
    /// The last time noted since the last frame.
    pub(super) timestamp_s: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl<'f> Scan<'f> {
    pub(super) fn new(file: &'f dyn DiskFile, position: u64, len: u64, line: u64) -> Scan<'f> {
        Scan { file, position, len, last: 0, line, timestamp_s: 0, buffer: Vec::new(), buffer_at: 0 }
    }

    /// Up to `max` bytes from the current position on.
    fn peek(&mut self, max: usize) -> io::Result<&[u8]> {
        const PIECE_BYTES: usize = 256 * 1024;
        let offset = self.position.wrapping_sub(self.buffer_at);
        let end = self.buffer_at + self.buffer.len() as u64;
        if self.position < self.buffer_at || self.position + max as u64 > end && end < self.len {
            self.buffer.resize(PIECE_BYTES, 0);
            let read = read_full_at(self.file, self.position, &mut self.buffer)?;
            self.buffer.truncate(read);
            self.buffer_at = self.position;
            return Ok(self.buffer.get(..max).unwrap_or(&self.buffer));
        }
        let rest = self.buffer.get(offset as usize..).unwrap_or_default();
        Ok(rest.get(..max).unwrap_or(rest))
    }

    /// The next byte, without passing it.
    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        Ok(self.peek(1)?.first().copied())
    }

    /// Reads a line, with its end, or as much of it as there is room for.
    fn take_line(&mut self, max: usize) -> io::Result<Vec<u8>> {
        self.last = self.position;
        let bytes = self.peek(max)?;
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        let line = bytes.get(..end).unwrap_or_default().to_vec();
        self.position += line.len() as u64;
        Ok(line)
    }

    /// Reads an annotation.
    pub(super) fn annotation(&mut self) -> io::Result<Vec<u8>> {
        self.take_line(ANNOTATION_BYTES_MAX)
    }

    /// All of the next `len` bytes, without passing them; `None` where the file ends before.
    pub(super) fn frame(&mut self, len: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(len) = usize::try_from(len).ok().filter(|_| len <= self.len.saturating_sub(self.position))
        else {
            return Ok(None);
        };
        let mut bytes = vec![0; len];
        let read = read_full_at(self.file, self.position, &mut bytes)?;
        Ok((read == len).then_some(bytes))
    }

    pub(super) fn fault(&self, text: String) -> Fault {
        Fault { at: self.last, text }
    }

    fn broken<T>(&self, text: String) -> Result<T, Broken> {
        Err(Broken::Fault(self.fault(text)))
    }

    fn newline(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        if (byte(0), byte(1)) != (b'\r', b'\n') {
            // As C shows bytes that have a sign.
            let shown = |byte: u8| i32::from(byte as i8);
            return self.broken(format!(
                "Expected \\r\\n, got: {:02x}{:02x}",
                shown(byte(0)),
                shown(byte(1))
            ));
        }
        self.line += 1;
        Ok(())
    }

    /// Reads a header.
    fn number(&mut self, mark: u8) -> Result<i64, Broken> {
        let line = self.take_line(HEADER_BYTES_MAX)?;
        match line.first() {
            None => return Err(Broken::End),
            Some(first) if *first != mark => {
                let (mark, first) = (mark as char, *first as char);
                return self.broken(format!("Expected prefix '{mark}', got: '{first}'"));
            }
            Some(_) => {}
        }
        let (number, len) = leading_number(line.get(1..).unwrap_or_default());
        self.newline(line.get(1 + len..).unwrap_or_default())?;
        Ok(number)
    }

    /// Reads an argument; its first bytes.
    fn argument(&mut self) -> Result<Vec<u8>, Broken> {
        let len = self.number(b'$')?;
        let Some(wanted) = u64::try_from(len).ok().filter(|_| len <= i64::MAX - 2).map(|len| len + 2) else {
            return self.broken(format!(
                "Expected to read string of {len} bytes, which is not in the suitable range"
            ));
        };
        self.last = self.position;
        let there = self.len.saturating_sub(self.position);
        if there < wanted {
            return self.broken(format!("Expected to read {wanted} bytes, got {there} bytes"));
        }
        let name = self.peek(NAME_BYTES_MAX)?;
        let name = name.get(..(wanted - 2) as usize).unwrap_or(name).to_vec();
        self.position += wanted - 2;
        let end = self.peek(2)?.to_vec();
        self.newline(&end)?;
        self.position += 2;
        Ok(name)
    }

    /// Reads a command; its name's first bytes.
    pub(super) fn command(&mut self) -> Result<Vec<u8>, Broken> {
        let count = self.number(b'*')?;
        let (mut name, mut at) = (Vec::new(), self.last);
        for index in 0..count {
            let argument = self.argument()?;
            if index == 0 {
                (name, at) = (argument, self.last);
            }
        }
        self.last = if count > 0 && is_transaction_mark(&name) { at } else { self.last };
        Ok(name)
    }
}

/// What is said about MULTI and EXEC points to their names.
fn is_transaction_mark(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"multi") || name.eq_ignore_ascii_case(b"exec")
}

/// The number at the start of a line, as C's strtol reads it, and its length.
pub(super) fn leading_number(line: &[u8]) -> (i64, usize) {
    let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let rest = line.get(blanks..).unwrap_or_default();
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let digits = rest.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return (0, 0);
    }
    let text = std::str::from_utf8(rest.get(..sign + digits).unwrap_or_default()).unwrap_or_default();
    let saturated = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    (text.parse().unwrap_or(saturated), blanks + sign + digits)
}
