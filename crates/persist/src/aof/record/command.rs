//! The grammar of one command, by which whole, cut off and wrong are told apart exactly.
//!
//! The request parser of `ochre-resp` is not used: it gives a client that is slow the benefit of the doubt, so a wrong byte in
//! a header without an end counts as cut off, and its positions have 32 bits.

use super::stop::Defect;

/// Where an argument is, from the start of what was parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ArgSpan {
    start: usize,
    len: usize,
}

/// What stands at the start of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Parsed {
    /// A command of so many bytes.
    Whole(usize),
    /// The start of one: so many bytes are needed at least to know more.
    Cut(usize),
    /// None: what is wrong at this position.
    Wrong(usize, Defect),
}

/// A command of a log.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    bytes: &'a [u8],
    args: &'a [ArgSpan],
}

impl<'a> Command<'a> {
    pub(super) fn new(bytes: &'a [u8], args: &'a [ArgSpan]) -> Command<'a> {
        Command { bytes, args }
    }

    /// Its arguments, the name first; at least one.
    pub fn args(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.args.iter().map(move |span| bytes.get(span.start..span.start + span.len).unwrap_or_default())
    }

    /// Its bytes, in which its arguments are.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where its arguments begin in its bytes, and how long they are.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = (usize, usize)> + use<'a> {
        self.args.iter().map(|span| (span.start, span.len))
    }

    /// The name.
    pub fn name(&self) -> &'a [u8] {
        self.args().next().unwrap_or_default()
    }
}

/// The longest header: a mark, nineteen digits, the end of the line.
const HEADER_BYTES_MAX: usize = 22;

enum Header {
    Number { value: u64, len: usize },
    Cut,
    Wrong(Defect),
}

/// Reads a header at the start of `bytes`. A prefix of one is cut, anything else is wrong.
fn header(bytes: &[u8], mark: u8, unmarked: Defect) -> Header {
    match bytes.first() {
        None => return Header::Cut,
        Some(first) if *first != mark => return Header::Wrong(unmarked),
        Some(_) => {}
    }
    let digits = bytes.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits + 3 > HEADER_BYTES_MAX {
        return Header::Wrong(Defect::Header);
    }
    match (digits, bytes.get(digits + 1..).unwrap_or_default()) {
        (_, []) => Header::Cut,
        (1.., [b'\r']) => Header::Cut,
        (1.., [b'\r', b'\n', ..]) => {
            let number = bytes.iter().skip(1).take(digits);
            let value = number.fold(0, |value: u64, digit| value * 10 + u64::from(digit - b'0'));
            Header::Number { value, len: digits + 3 }
        }
        _ => Header::Wrong(Defect::Header),
    }
}

/// Where parsing a command is, so that a command which is cut is not read from its start again.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Progress {
    position: usize,
    remaining: Option<u64>,
}

/// Parses the command at the start of `bytes` and appends its arguments to `args`, from where `progress` is on.
pub(super) fn parse(bytes: &[u8], len_max: u64, progress: &mut Progress, args: &mut Vec<ArgSpan>) -> Parsed {
    if progress.remaining.is_none() {
        match header(bytes, b'*', Defect::NoCommand) {
            Header::Number { value: 0, .. } => return Parsed::Wrong(0, Defect::NoArguments),
            Header::Number { value, len } => *progress = Progress { position: len, remaining: Some(value) },
            Header::Cut => return Parsed::Cut(bytes.len() + 1),
            Header::Wrong(defect) => return Parsed::Wrong(0, defect),
        }
    }
    while let Some(remaining) = progress.remaining.filter(|remaining| *remaining > 0) {
        match argument(bytes, progress.position, len_max) {
            Ok((span, end)) => {
                args.push(span);
                *progress = Progress { position: end, remaining: Some(remaining - 1) };
            }
            Err(parsed) => return parsed,
        }
    }
    Parsed::Whole(progress.position)
}

/// The argument at `at`, and where it ends.
fn argument(bytes: &[u8], at: usize, len_max: u64) -> Result<(ArgSpan, usize), Parsed> {
    let rest = bytes.get(at..).unwrap_or_default();
    let (value, header_len) = match header(rest, b'$', Defect::NoArgument) {
        Header::Number { value, len } => (value, len),
        Header::Cut => return Err(Parsed::Cut(bytes.len() + 1)),
        Header::Wrong(defect) => return Err(Parsed::Wrong(at, defect)),
    };
    let len = usize::try_from(value).ok().filter(|_| value <= len_max);
    let len = len.ok_or(Parsed::Wrong(at, Defect::TooLong))?;
    let start = at + header_len;
    let end = start.checked_add(len).and_then(|end| end.checked_add(2));
    let end = end.ok_or(Parsed::Wrong(at, Defect::TooLong))?;
    let line_end = bytes.get(start + len..).unwrap_or_default();
    match line_end {
        [b'\r', b'\n', ..] => Ok((ArgSpan { start, len }, end)),
        [] | [b'\r'] => Err(Parsed::Cut(end)),
        _ => Err(Parsed::Wrong(start + len, Defect::LineEnd)),
    }
}
