//! What a request says about when its key expires: EX, PX, EXAT, PXAT, KEEPTTL, PERSIST.
//!
//! The words exclude each other, but one may be repeated: then its last value counts. The number is looked at only
//! when all options have been read (and by GETEX only when the key is there), as the order of Redis's errors demands.

use ochre_keyspace::Expiry;

use crate::call::{Cursor, integer};
use crate::error::{Error, SYNTAX, invalid_expire};

/// Which of the words was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::family) enum ExpiryWord {
    /// None.
    #[default]
    Unsaid,
    /// Seconds from now.
    Ex,
    /// Milliseconds from now.
    Px,
    /// Unix time in seconds.
    ExAt,
    /// Unix time in milliseconds.
    PxAt,
    /// As it is.
    KeepTtl,
    /// Never.
    Persist,
}

const WORDS: [(&str, ExpiryWord); 6] = [
    ("EX", ExpiryWord::Ex),
    ("PX", ExpiryWord::Px),
    ("EXAT", ExpiryWord::ExAt),
    ("PXAT", ExpiryWord::PxAt),
    ("KEEPTTL", ExpiryWord::KeepTtl),
    ("PERSIST", ExpiryWord::Persist),
];

impl ExpiryWord {
    /// Whether a number follows.
    pub fn is_time(self) -> bool {
        matches!(self, ExpiryWord::Ex | ExpiryWord::Px) || self.is_absolute()
    }

    /// Whether the number counts from 1970, not from now.
    pub fn is_absolute(self) -> bool {
        matches!(self, ExpiryWord::ExAt | ExpiryWord::PxAt)
    }
}

/// The word and its number.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::family) struct ExpiryOption<'a> {
    /// The word.
    pub word: ExpiryWord,
    number: &'a [u8],
}

impl<'a> ExpiryOption<'a> {
    /// Goes past one of the words and its number, if that is what the cursor is at. `keyword` is the one word without
    /// a number that the command knows.
    ///
    /// # Errors
    /// Another of the words was said before.
    pub fn eat(&mut self, cursor: &mut Cursor<'a>, keyword: ExpiryWord) -> Result<bool, Error> {
        let Some(arg) = cursor.peek() else { return Ok(false) };
        let known = WORDS.iter().find(|(text, _)| arg.eq_ignore_ascii_case(text.as_bytes()));
        let Some((_, word)) = known else { return Ok(false) };
        let fits = if word.is_time() { cursor.left() >= 2 } else { *word == keyword };
        if !fits || !matches!(self.word, ExpiryWord::Unsaid) && self.word != *word {
            return Err(SYNTAX);
        }
        self.word = *word;
        cursor.next_arg()?;
        if word.is_time() {
            self.number = cursor.next_arg()?;
        }
        Ok(true)
    }

    /// What that does to a key's expiry at `now_ms`; nothing said means that the key no longer expires.
    ///
    /// # Errors
    /// The number is none, is not above zero, or leads beyond 64 bits of milliseconds.
    pub fn resolve(&self, now_ms: i64, command: &str) -> Result<Expiry, Error> {
        let word = self.word;
        if !word.is_time() {
            return Ok(if word == ExpiryWord::KeepTtl { Expiry::Keep } else { Expiry::Clear });
        }
        let number = integer(self.number)?;
        expire_ms(word, number, now_ms).map(Expiry::At).ok_or_else(|| invalid_expire(command))
    }
}

/// The time, unix time in ms, that a word and its number mean; `None` if it is no valid one.
pub(super) fn expire_ms(word: ExpiryWord, number: i64, now_ms: i64) -> Option<i64> {
    let in_seconds = matches!(word, ExpiryWord::Ex | ExpiryWord::ExAt);
    let scale = if in_seconds { 1000 } else { 1 };
    let base_ms = if word.is_absolute() { 0 } else { now_ms };
    if number > 0 { number.checked_mul(scale)?.checked_add(base_ms) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_at_their_limits() {
        use ExpiryWord::{Ex, ExAt, Px, PxAt};
        const NOW: i64 = 1_000_000;
        let cases = [
            (Ex, 1, Some(NOW + 1000)),
            (Ex, 0, None),
            (Ex, -1, None),
            (Ex, i64::MAX / 1000, None),
            (Ex, (i64::MAX - NOW) / 1000, Some((i64::MAX - NOW) / 1000 * 1000 + NOW)),
            (Ex, i64::MAX, None),
            (Ex, i64::MIN, None),
            (Px, 1, Some(NOW + 1)),
            (Px, 0, None),
            (Px, i64::MAX - NOW, Some(i64::MAX)),
            (Px, i64::MAX - NOW + 1, None),
            (ExAt, 1, Some(1000)),
            (ExAt, i64::MAX / 1000, Some(i64::MAX / 1000 * 1000)),
            (ExAt, i64::MAX / 1000 + 1, None),
            (PxAt, 1, Some(1)),
            (PxAt, 0, None),
            (PxAt, i64::MAX, Some(i64::MAX)),
        ];
        for (word, number, expected) in cases {
            assert_eq!(expire_ms(word, number, NOW), expected, "{word:?} {number}");
        }
    }
}
