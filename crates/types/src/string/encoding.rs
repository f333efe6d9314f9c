//! The encoding of a string value as OBJECT ENCODING names it.
//!
//! Ochre stores strings in its own way; the names are kept because clients and tests look at them. Redis 8 says
//! "embstr" when the value fits the key's own allocation of one cache line, so that the limit depends on the key: key
//! and value together have at most 41 bytes, with an expiry or without (measured on 8.6; older versions: 44 bytes of
//! value, Valkey 9: two cache lines, less with an expiry). Redis wins.

use crate::is_int_encodable;

/// The longest key and value, in bytes together, whose string is "embstr".
pub const EMBSTR_KEY_AND_VALUE_LEN_MAX: usize = 41;

/// The encoding of a string value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrEncoding {
    /// A 64-bit signed integer, its text canonical.
    Int,
    /// A short string in one allocation with its key.
    Embstr,
    /// Any other string, and every one that was changed in place (APPEND, SETRANGE, SETBIT).
    Raw,
}

impl StrEncoding {
    /// The encoding of a value that was set as a whole under a key of `key_len` bytes (SET and its relatives).
    pub fn of_new(key_len: usize, value: &[u8]) -> StrEncoding {
        if is_int_encodable(value).is_some() {
            StrEncoding::Int
        } else if key_len.saturating_add(value.len()) <= EMBSTR_KEY_AND_VALUE_LEN_MAX {
            StrEncoding::Embstr
        } else {
            StrEncoding::Raw
        }
    }

    /// Its name in replies.
    pub fn name(self) -> &'static str {
        match self {
            StrEncoding::Int => "int",
            StrEncoding::Embstr => "embstr",
            StrEncoding::Raw => "raw",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_new_values() {
        let cases: &[(usize, &str, &str)] = &[
            (3, "0", "int"),
            (3, "-1", "int"),
            (300, "9223372036854775807", "int"),
            (3, "-9223372036854775808", "int"),
            (3, "9223372036854775808", "embstr"),
            (3, "-0", "embstr"),
            (3, "01", "embstr"),
            (3, "1.0", "embstr"),
            (3, "", "embstr"),
            (41, "", "embstr"),
            (42, "", "raw"),
            (usize::MAX, "a", "raw"),
        ];
        for (key_len, value, expected) in cases {
            assert_eq!(
                StrEncoding::of_new(*key_len, value.as_bytes()).name(),
                *expected,
                "{key_len} {value:?}"
            );
        }
        // The longest embedded value by length of key, as Redis 8.6 answers.
        for (key_len, longest) in [(1, 40), (2, 39), (10, 31), (22, 19), (31, 10), (32, 9), (38, 3), (41, 0)]
        {
            let value = [b'a'; 64];
            assert_eq!(StrEncoding::of_new(key_len, &value[..longest]), StrEncoding::Embstr);
            assert_eq!(StrEncoding::of_new(key_len, &value[..longest + 1]), StrEncoding::Raw);
        }
    }
}
