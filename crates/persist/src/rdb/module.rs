//! Identifiers of types that modules bring: nine characters and a version in 64 bits.
//!
//! ```text
//! |  9 characters of 6 bits, the first in the highest bits  | version: 10 bits |
//! ```

use std::fmt;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LEN: usize = 9;
const VERSION_BITS: u32 = 10;

/// What stands between the values of a module, in front of each: which kind it is.
pub(super) mod part {
    pub(crate) const EOF: u64 = 0;
    pub(crate) const SIGNED: u64 = 1;
    pub(crate) const UNSIGNED: u64 = 2;
    pub(crate) const FLOAT: u64 = 3;
    pub(crate) const DOUBLE: u64 = 4;
    pub(crate) const STRING: u64 = 5;
}

/// The identifier of a module's type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ModuleId(pub u64);

/// Nine characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleName([u8; NAME_LEN]);

impl ModuleId {
    /// The name that the module gave its type.
    pub fn name(self) -> ModuleName {
        let mut name = [0; NAME_LEN];
        for (index, character) in name.iter_mut().rev().enumerate() {
            let bits = self.0 >> (VERSION_BITS + 6 * index as u32) & 63;
            *character = ALPHABET[bits as usize];
        }
        ModuleName(name)
    }

    /// Whether it is the type that Redis 8 brings as a module of its own.
    pub fn is_vector_set(self) -> bool {
        self.name() == ModuleName(*b"vectorset")
    }

    /// The version of the form in which the module wrote it.
    pub fn version(self) -> u16 {
        (self.0 & ((1 << VERSION_BITS) - 1)) as u16
    }
}

impl fmt::Debug for ModuleId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} version {}", self.name(), self.version())
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{}", char::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An identifier, put together by hand.
    fn id(name: &[u8; NAME_LEN], version: u64) -> ModuleId {
        let place = |character| ALPHABET.iter().position(|other| *other == character).unwrap() as u64;
        let bits = name.iter().fold(0, |bits, character| bits << 6 | place(*character));
        ModuleId(bits << 10 | version)
    }

    #[test]
    fn vector_sets_are_named_as_what_they_are() {
        use crate::rdb::RdbError;
        let text = RdbError::Module(id(b"vectorset", 1)).to_string();
        assert!(text.starts_with("Vector sets are not supported"), "{text}");
        let text = RdbError::Module(id(b"ReJSON-RL", 3)).to_string();
        assert!(text.ends_with("no matching module type 'ReJSON-RL' (encoding version 3)"), "{text}");
    }

    #[test]
    fn names_and_versions() {
        let id = id(b"test1-abc", 3);
        assert_eq!((id.name().to_string(), id.version()), ("test1-abc".to_owned(), 3));
        assert_eq!(ModuleId(0).name().to_string(), "AAAAAAAAA");
        assert_eq!(ModuleId(u64::MAX).version(), 1023);
    }
}
