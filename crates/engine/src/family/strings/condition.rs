//! What must hold for SET, MSETEX and DELEX to do something.
//!
//! Conditions exclude each other; one may be repeated, then the last counts. Redis 8.6 lets NX and XX through after an IF
//! word, though not before it; 8.10 refuses that in either order, and so do we.

use ochre_keyspace::EntryRef;
use ochre_types::Digest;

use super::value::StringRef;
use crate::call::Cursor;
use crate::error::{Error, SYNTAX};

/// A digest in an argument has the wrong length.
const NOT_A_DIGEST: Error = Error::new("ERR must be exactly 16 hexadecimal characters");

/// A condition.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Condition<'a> {
    /// None.
    #[default]
    Always,
    /// The key is not there.
    Missing,
    /// The key is there.
    Exists,
    /// The value is this.
    Equal(&'a [u8]),
    /// The value is not this.
    NotEqual(&'a [u8]),
    /// The value has this digest.
    DigestEqual(&'a [u8]),
    /// The value does not have this digest.
    DigestNotEqual(&'a [u8]),
}

impl<'a> Condition<'a> {
    /// The condition of one of the words IFEQ, IFNE, IFDEQ, IFDNE and the argument after it.
    pub fn of_word(word: &[u8], operand: &'a [u8]) -> Option<Condition<'a>> {
        let is = |text: &str| word.eq_ignore_ascii_case(text.as_bytes());
        Some(match () {
            () if is("IFEQ") => Condition::Equal(operand),
            () if is("IFNE") => Condition::NotEqual(operand),
            () if is("IFDEQ") => Condition::DigestEqual(operand),
            () if is("IFDNE") => Condition::DigestNotEqual(operand),
            () => return None,
        })
    }

    /// Goes past NX or XX, if that is what the cursor is at.
    ///
    /// # Errors
    /// Another condition was read before.
    pub fn eat_existence(&mut self, cursor: &mut Cursor<'a>) -> Result<bool, Error> {
        if cursor.eat("NX") {
            return self.add(Condition::Missing);
        }
        if cursor.eat("XX") {
            return self.add(Condition::Exists);
        }
        Ok(false)
    }

    /// Goes past one of the IF words and its argument, if that is what the cursor is at.
    ///
    /// # Errors
    /// Another condition was read before, or nothing follows the word.
    pub fn eat_comparison(&mut self, cursor: &mut Cursor<'a>) -> Result<bool, Error> {
        let mut ahead = *cursor;
        let word = ahead.next_arg()?;
        let Some(operand) = ahead.peek() else { return Ok(false) };
        let Some(condition) = Condition::of_word(word, operand) else { return Ok(false) };
        ahead.next_arg()?;
        *cursor = ahead;
        self.add(condition)
    }

    fn add(&mut self, condition: Condition<'a>) -> Result<bool, Error> {
        let (old, new) = (std::mem::discriminant(self), std::mem::discriminant(&condition));
        if !matches!(self, Condition::Always) && old != new {
            return Err(SYNTAX);
        }
        *self = condition;
        Ok(true)
    }

    /// Whether the condition says anything.
    pub fn is_some(self) -> bool {
        !matches!(self, Condition::Always)
    }

    /// Whether it asks for the value of a key.
    pub fn compares(self) -> bool {
        !matches!(self, Condition::Always | Condition::Exists | Condition::Missing)
    }

    /// Whether it holds for a key; a key that is not there has neither any given value nor any given digest.
    ///
    /// # Errors
    /// A comparison with a value of another type, or with a digest of the wrong length.
    pub fn holds(self, entry: Option<EntryRef<'_>>) -> Result<bool, Error> {
        let Some(entry) = entry else {
            return Ok(!matches!(self, Condition::Exists | Condition::Equal(_) | Condition::DigestEqual(_)));
        };
        let value = || StringRef::of(entry);
        Ok(match self {
            Condition::Always | Condition::Exists => true,
            Condition::Missing => false,
            Condition::Equal(other) => value()?.with(|bytes| bytes == other),
            Condition::NotEqual(other) => value()?.with(|bytes| bytes != other),
            Condition::DigestEqual(digest) => has_digest(value()?, digest)?,
            Condition::DigestNotEqual(digest) => !has_digest(value()?, digest)?,
        })
    }
}

fn has_digest(value: StringRef<'_>, digest: &[u8]) -> Result<bool, Error> {
    let digest = Digest::parse(digest).map_err(|_| NOT_A_DIGEST)?;
    Ok(value.with(Digest::of) == digest)
}
