//! What HEXPIRE, HGETEX and HSETEX have in common: times, and options in any order, FIELDS with its fields among them.

use std::ops::Range;

use crate::call::{Args, integer};
use crate::error::{Error, SYNTAX, invalid_expire, wrong_arity};

/// Fields expire before this, unix time in ms: files have so many bits for it.
const TIME_MAX_MS: i64 = (1 << 46) - 1;

pub(super) const WRONG_NUMBER: Error = Error::new("ERR wrong number of arguments");
pub(super) const FIELDS_TWICE: Error = Error::new("ERR FIELDS keyword specified multiple times");

pub(super) fn unknown_argument(word: &[u8]) -> Error {
    Error::quoting("ERR unknown argument: ", word, "")
}

/// When a field is to expire, unix time in ms, where `arg` counts from `base_ms` in units of `unit_ms`.
///
/// # Errors
/// It is no integer, is below zero, or leads beyond [`TIME_MAX_MS`].
pub(super) fn time_ms(arg: &[u8], base_ms: i64, unit_ms: i64, command: &str) -> Result<i64, Error> {
    let number = integer(arg)?;
    if number < 0 {
        return Err(Error::new("ERR invalid expire time, must be >= 0"));
    }
    let at_ms = number.checked_mul(unit_ms).and_then(|time_ms| time_ms.checked_add(base_ms));
    at_ms.filter(|at_ms| *at_ms <= TIME_MAX_MS).ok_or_else(|| invalid_expire(command))
}

/// The arguments behind FIELDS at an index: its number, then `width` arguments for each. Gives the range of indexes of the
/// latter. `not_a_number` is the error for a number that is none, or not above zero.
pub(super) fn fields_behind(
    args: Args<'_>,
    index: usize,
    width: usize,
    not_a_number: Error,
) -> Result<Range<usize>, Error> {
    let number = args.get(index + 1).ok_or(WRONG_NUMBER)?;
    let number = ochre_types::parse_i64(number).and_then(|number| i32::try_from(number).ok());
    let number = number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
    let (first, count) = (index + 2, number.ok_or(not_a_number)?.saturating_mul(width));
    if count > args.len().saturating_sub(first) {
        return Err(WRONG_NUMBER);
    }
    Ok(first..first + count)
}

/// What becomes of the times of fields that are read or written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum FieldTime {
    /// Nothing was said.
    #[default]
    Unsaid,
    /// They stay.
    KeepTtl,
    /// They are taken away.
    Persist,
    /// They become this, unix time in ms.
    At(i64),
}

/// Options of HGETEX or HSETEX.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// What becomes of times.
    pub(super) time: FieldTime,
    /// Where the word and the number of a time are that would mean another one if it were read later.
    pub(super) relative_at: Option<usize>,
    /// Only if the key exists (`true`), or does not.
    pub(super) key_exists: Option<bool>,
    /// Where that was said.
    pub(super) key_conditions: Vec<usize>,
    /// Only if none of the fields exists.
    pub(super) only_new: bool,
    /// Only if all of them exist.
    pub(super) only_old: bool,
    /// Indexes of the arguments that are the fields, with their values in turn if there are any.
    pub(super) fields: Range<usize>,
}

/// The command whose options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    GetEx,
    SetEx,
}

impl Of {
    /// Whether a word is an option of the other command only.
    fn lacks(self, word: &[u8]) -> bool {
        match self {
            Of::GetEx => [&b"FNX"[..], b"FXX", b"KEEPTTL"].contains(&word),
            Of::SetEx => word == b"PERSIST",
        }
    }
}

const TIMES: [(&str, bool, i64); 4] =
    [("EX", true, 1000), ("PX", true, 1), ("EXAT", false, 1000), ("PXAT", false, 1)];

impl Options {
    /// Reads all arguments behind the key. What only the other command knows is refused when all the rest is right.
    pub(super) fn parse(args: Args<'_>, of: Of, now_ms: i64, command: &str) -> Result<Options, Error> {
        let (mut options, mut index, mut is_foreign) = (Options::default(), 2, false);
        while let Some(word) = args.get(index) {
            let word = word.to_ascii_uppercase();
            is_foreign |= of.lacks(&word);
            index = match word.as_slice() {
                b"FIELDS" => options.parse_fields(args, index, of, command)?,
                b"NX" | b"XX" if of == Of::SetEx => options.parse_key_condition(args, index)?,
                b"FNX" | b"FXX" => options.parse_condition(args, index)?,
                b"KEEPTTL" => options.set_time(FieldTime::KeepTtl, of, index)?,
                b"PERSIST" => options.set_time(FieldTime::Persist, of, index)?,
                word => options.parse_time(args, index, word, of, now_ms, command)?,
            };
        }
        match () {
            () if options.fields.is_empty() => Err(Error::new("ERR missing FIELDS argument")),
            () if is_foreign => Err(Error::new("ERR unknown argument")),
            () => Ok(options),
        }
    }

    fn parse_fields(&mut self, args: Args<'_>, index: usize, of: Of, command: &str) -> Result<usize, Error> {
        if !self.fields.is_empty() {
            return Err(FIELDS_TWICE);
        }
        if index + 1 == args.len() {
            return Err(wrong_arity(command));
        }
        let width = if of == Of::SetEx { 2 } else { 1 };
        self.fields = fields_behind(args, index, width, Error::new("ERR invalid number of fields"))?;
        Ok(self.fields.end)
    }

    /// Valkey's: Redis knows conditions on fields only.
    fn parse_key_condition(&mut self, args: Args<'_>, index: usize) -> Result<usize, Error> {
        let exists = args.is(index, "XX");
        if self.key_exists == Some(!exists) {
            return Err(SYNTAX);
        }
        self.key_exists = Some(exists);
        self.key_conditions.push(index);
        Ok(index + 1)
    }

    fn parse_condition(&mut self, args: Args<'_>, index: usize) -> Result<usize, Error> {
        if self.only_new || self.only_old {
            return Err(Error::new("ERR Only one of FXX or FNX arguments can be specified"));
        }
        self.only_new = args.is(index, "FNX");
        self.only_old = !self.only_new;
        Ok(index + 1)
    }

    /// Takes note of what becomes of times, once; the index of the next argument. Of KEEPTTL and PERSIST each command knows
    /// only one, which is what is said when both are there.
    fn set_time(&mut self, time: FieldTime, of: Of, index: usize) -> Result<usize, Error> {
        let are_both = matches!(
            (self.time, time),
            (FieldTime::KeepTtl, FieldTime::Persist) | (FieldTime::Persist, FieldTime::KeepTtl)
        );
        if self.time != FieldTime::Unsaid && !are_both {
            return Err(Error::new(match of {
                Of::GetEx => "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
                Of::SetEx => "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
            }));
        }
        self.time = time;
        Ok(index + 1)
    }

    fn parse_time(
        &mut self,
        args: Args<'_>,
        index: usize,
        word: &[u8],
        of: Of,
        now_ms: i64,
        command: &str,
    ) -> Result<usize, Error> {
        let known = TIMES.iter().find(|(name, ..)| name.as_bytes() == word);
        let (name, is_relative, unit_ms) = known.ok_or_else(|| unknown_argument(args.at(index)))?;
        self.set_time(FieldTime::At(0), of, index)?;
        let arg = args.get(index + 1).ok_or(Error::new("ERR missing expire time"))?;
        let base_ms = if *is_relative { now_ms } else { 0 };
        self.time = FieldTime::At(time_ms(arg, base_ms, *unit_ms, command)?);
        self.relative_at = (*name != "PXAT").then_some(index);
        Ok(index + 2)
    }
}
