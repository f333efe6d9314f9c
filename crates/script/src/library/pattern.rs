//! Lua's patterns, matched with a bound.
//!
//! Lua 5.1 matches by calling itself, as deep as the pattern is long and without looking at the time: a pattern of a
//! megabyte runs over the end of the stack (`string.find(("a"):rep(2e5), ("a?"):rep(2e5))` ends the peers), and one of
//! twenty letters takes years where it backtracks. So the matcher is ours. It counts its steps, asks the host from time
//! to time, and goes no deeper than [`DEPTH_MAX`]. What it matches is what Lua 5.1 matches; a pattern ends at its first
//! zero byte, as there.

use crate::lua::{Frame, Raise};

/// Captures of one pattern.
const CAPTURES_MAX: usize = 32;
/// How deep repetitions and captures may follow each other.
const DEPTH_MAX: u32 = 1000;
/// The character that begins a class.
const ESCAPE: u8 = b'%';

/// What a capture holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Extent {
    /// It has not ended yet.
    Open,
    /// It is a place, `()`.
    Position,
    /// So many bytes.
    Len(usize),
}

/// A capture: where it begins, and what it holds.
#[derive(Clone, Copy, Debug)]
struct Capture {
    start: usize,
    extent: Extent,
}

/// What a capture gives to a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Captured<'a> {
    /// A place, counted from 1.
    Position(usize),
    /// Bytes of the subject.
    Bytes(&'a [u8]),
}

/// A pattern and what it is matched against.
pub(crate) struct Matcher<'m, 'f> {
    frame: &'m mut Frame<'f>,
    subject: &'f [u8],
    pattern: &'f [u8],
    captures: [Capture; CAPTURES_MAX],
    count: usize,
    depth: u32,
}

/// The pattern without what follows its first zero.
pub(crate) fn cut_at_zero(pattern: &[u8]) -> &[u8] {
    pattern.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Whether a pattern has characters that mean anything but themselves.
pub(crate) fn has_specials(pattern: &[u8]) -> bool {
    cut_at_zero(pattern).iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

impl<'m, 'f> Matcher<'m, 'f> {
    /// A matcher for a pattern (without the `^` that binds it to a place).
    pub(crate) fn new(frame: &'m mut Frame<'f>, subject: &'f [u8], pattern: &'f [u8]) -> Matcher<'m, 'f> {
        let captures = [Capture { start: 0, extent: Extent::Open }; CAPTURES_MAX];
        Matcher { frame, subject, pattern: cut_at_zero(pattern), captures, count: 0, depth: 0 }
    }

    /// The frame, between matches.
    pub(crate) fn frame(&mut self) -> &mut Frame<'f> {
        self.frame
    }

    /// Where a match that begins here ends.
    ///
    /// # Errors
    /// The pattern is malformed, or the run has to end.
    pub(crate) fn match_at(&mut self, start: usize) -> Result<Option<usize>, Raise> {
        self.count = 0;
        self.depth = 0;
        self.step(start, 0)
    }

    /// The number of values that a match gives: its captures, or all of it if there are none.
    pub(crate) fn value_count(&self) -> usize {
        self.count.max(1)
    }

    /// Whether the match has captures.
    pub(crate) fn has_captures(&self) -> bool {
        self.count > 0
    }

    /// A part of the subject.
    pub(crate) fn subject(&self, start: usize, end: usize) -> &'f [u8] {
        &self.subject[start..end]
    }

    /// One of the values of the match from `start` to `end`.
    ///
    /// # Errors
    /// There is no such capture, or it never ended.
    pub(crate) fn value(&self, number: usize, start: usize, end: usize) -> Result<Captured<'f>, Raise> {
        if number >= self.count {
            return match number {
                0 => Ok(Captured::Bytes(&self.subject[start..end])),
                _ => Err(Raise::text("invalid capture index")),
            };
        }
        let capture = self.captures[number];
        match capture.extent {
            Extent::Open => Err(Raise::text("unfinished capture")),
            Extent::Position => Ok(Captured::Position(capture.start + 1)),
            Extent::Len(len) => Ok(Captured::Bytes(&self.subject[capture.start..capture.start + len])),
        }
    }

    /// Pushes a value of the match.
    pub(crate) fn push_value(&mut self, number: usize, start: usize, end: usize) -> Result<(), Raise> {
        match self.value(number, start, end)? {
            Captured::Position(place) => self.frame.push_number(place as f64),
            Captured::Bytes(bytes) => self.frame.push_string(bytes),
        }
    }

    /// The byte of the pattern at a place; zero at its end, as Lua reads it.
    fn at(&self, place: usize) -> u8 {
        self.pattern.get(place).copied().unwrap_or(0)
    }

    /// Matches the pattern from `pattern` on against the subject from `subject` on.
    fn step(&mut self, mut subject: usize, mut pattern: usize) -> Result<Option<usize>, Raise> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Raise::text("pattern too complex"));
        }
        let end = loop {
            self.frame.spend(1)?;
            match self.advance(subject, pattern)? {
                Step::On(next_subject, next_pattern) => (subject, pattern) = (next_subject, next_pattern),
                Step::End(end) => break end,
            }
        };
        self.depth -= 1;
        Ok(end)
    }

    /// Goes past one item of the pattern.
    fn advance(&mut self, subject: usize, pattern: usize) -> Result<Step, Raise> {
        match (self.at(pattern), self.at(pattern + 1)) {
            (b'(', b')') => self.open(subject, pattern + 2, Extent::Position),
            (b'(', _) => self.open(subject, pattern + 1, Extent::Open),
            (b')', _) => self.close(subject, pattern + 1),
            (ESCAPE, b'b') => {
                let end = self.balanced(subject, pattern + 2)?;
                Ok(end.map_or(Step::End(None), |end| Step::On(end, pattern + 4)))
            }
            (ESCAPE, b'f') => self.frontier(subject, pattern + 2),
            (ESCAPE, digit) if digit.is_ascii_digit() => {
                let end = self.repeated(subject, digit)?;
                Ok(end.map_or(Step::End(None), |end| Step::On(end, pattern + 2)))
            }
            (0, _) => Ok(Step::End(Some(subject))),
            (b'$', 0) => Ok(Step::End((subject == self.subject.len()).then_some(subject))),
            _ => self.single(subject, pattern),
        }
    }

    /// A single character with what follows it.
    fn single(&mut self, subject: usize, pattern: usize) -> Result<Step, Raise> {
        let after = self.class_end(pattern)?;
        let matches = self.matches_single(subject, pattern, after);
        let end = match self.at(after) {
            b'?' => {
                if matches && let Some(end) = self.step(subject + 1, after + 1)? {
                    Some(end)
                } else {
                    return Ok(Step::On(subject, after + 1));
                }
            }
            b'*' => self.longest(subject, pattern, after)?,
            b'+' if matches => self.longest(subject + 1, pattern, after)?,
            b'+' => None,
            b'-' => self.shortest(subject, pattern, after)?,
            _ if matches => return Ok(Step::On(subject + 1, after)),
            _ => None,
        };
        Ok(Step::End(end))
    }

    fn longest(&mut self, subject: usize, pattern: usize, after: usize) -> Result<Option<usize>, Raise> {
        let mut count = 0;
        while self.matches_single(subject + count, pattern, after) {
            count += 1;
        }
        self.frame.spend(count)?;
        loop {
            if let Some(end) = self.step(subject + count, after + 1)? {
                return Ok(Some(end));
            }
            match count.checked_sub(1) {
                Some(fewer) => count = fewer,
                None => return Ok(None),
            }
        }
    }

    fn shortest(&mut self, mut subject: usize, pattern: usize, after: usize) -> Result<Option<usize>, Raise> {
        loop {
            if let Some(end) = self.step(subject, after + 1)? {
                return Ok(Some(end));
            }
            if !self.matches_single(subject, pattern, after) {
                return Ok(None);
            }
            subject += 1;
        }
    }

    fn open(&mut self, subject: usize, pattern: usize, extent: Extent) -> Result<Step, Raise> {
        if self.count >= CAPTURES_MAX {
            return Err(Raise::text("too many captures"));
        }
        self.captures[self.count] = Capture { start: subject, extent };
        self.count += 1;
        let end = self.step(subject, pattern)?;
        if end.is_none() {
            self.count -= 1;
        }
        Ok(Step::End(end))
    }

    fn close(&mut self, subject: usize, pattern: usize) -> Result<Step, Raise> {
        let open = self.captures[..self.count].iter().rposition(|capture| capture.extent == Extent::Open);
        let open = open.ok_or_else(|| Raise::text("invalid pattern capture"))?;
        self.captures[open].extent = Extent::Len(subject - self.captures[open].start);
        let end = self.step(subject, pattern)?;
        if end.is_none() {
            self.captures[open].extent = Extent::Open;
        }
        Ok(Step::End(end))
    }

    /// `%bxy`
    fn balanced(&mut self, subject: usize, pattern: usize) -> Result<Option<usize>, Raise> {
        let (open, close) = (self.at(pattern), self.at(pattern + 1));
        if open == 0 || close == 0 {
            return Err(Raise::text("unbalanced pattern"));
        }
        if self.subject.get(subject) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1_usize;
        for (place, &byte) in self.subject.iter().enumerate().skip(subject + 1) {
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    self.frame.spend(place - subject)?;
                    return Ok(Some(place + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        self.frame.spend(self.subject.len() - subject)?;
        Ok(None)
    }

    /// `%f[set]`
    fn frontier(&mut self, subject: usize, pattern: usize) -> Result<Step, Raise> {
        if self.at(pattern) != b'[' {
            return Err(Raise::text("missing '[' after '%f' in pattern"));
        }
        let after = self.class_end(pattern)?;
        let byte =
            |place: Option<usize>| place.and_then(|place| self.subject.get(place)).copied().unwrap_or(0);
        let before = byte(subject.checked_sub(1));
        let here = byte(Some(subject));
        let crosses = !self.in_set(before, pattern, after - 1) && self.in_set(here, pattern, after - 1);
        Ok(if crosses { Step::On(subject, after) } else { Step::End(None) })
    }

    /// `%1`: what a capture holds, once more.
    fn repeated(&mut self, subject: usize, digit: u8) -> Result<Option<usize>, Raise> {
        let number = usize::from(digit).checked_sub(usize::from(b'1')).filter(|&number| number < self.count);
        let capture = number.map(|number| self.captures[number]);
        match capture {
            Some(Capture { start, extent: Extent::Len(len) }) => {
                self.frame.spend(len)?;
                let held = &self.subject[start..start + len];
                Ok(self.subject[subject..].starts_with(held).then_some(subject + len))
            }
            Some(Capture { extent: Extent::Position, .. }) => Ok(None),
            _ => Err(Raise::text("invalid capture index")),
        }
    }

    /// Where a class ends.
    fn class_end(&mut self, pattern: usize) -> Result<usize, Raise> {
        match self.at(pattern) {
            ESCAPE if self.at(pattern + 1) == 0 => Err(Raise::text("malformed pattern (ends with '%')")),
            ESCAPE => Ok(pattern + 2),
            b'[' => self.set_end(pattern + 1),
            _ => Ok(pattern + 1),
        }
    }

    fn set_end(&mut self, start: usize) -> Result<usize, Raise> {
        let mut place = start + usize::from(self.at(start) == b'^');
        loop {
            match self.at(place) {
                0 => return Err(Raise::text("malformed pattern (missing ']')")),
                ESCAPE if self.at(place + 1) != 0 => place += 2,
                _ => place += 1,
            }
            if self.at(place) == b']' {
                self.frame.spend((place - start) / 8)?;
                return Ok(place + 1);
            }
        }
    }

    fn matches_single(&self, subject: usize, pattern: usize, after: usize) -> bool {
        let Some(&byte) = self.subject.get(subject) else {
            return false;
        };
        match self.at(pattern) {
            b'.' => true,
            ESCAPE => in_class(byte, self.at(pattern + 1)),
            b'[' => self.in_set(byte, pattern, after - 1),
            own => own == byte,
        }
    }

    /// Whether a byte is in the set between the brackets at two places.
    fn in_set(&self, byte: u8, open: usize, close: usize) -> bool {
        let is_negated = self.at(open + 1) == b'^';
        let mut place = open + 1 + usize::from(is_negated);
        while place < close {
            if self.at(place) == ESCAPE {
                place += 1;
                if in_class(byte, self.at(place)) {
                    return !is_negated;
                }
            } else if self.at(place + 1) == b'-' && place + 2 < close {
                if (self.at(place)..=self.at(place + 2)).contains(&byte) {
                    return !is_negated;
                }
                place += 2;
            } else if self.at(place) == byte {
                return !is_negated;
            }
            place += 1;
        }
        is_negated
    }
}

/// How the matching goes on.
enum Step {
    /// From these places of subject and pattern.
    On(usize, usize),
    /// It has ended, with a match up to a place or without.
    End(Option<usize>),
}

/// Whether a byte is in the class of a letter; the class of anything else is itself.
fn in_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return byte == class,
    };
    is_in != class.is_ascii_uppercase()
}
