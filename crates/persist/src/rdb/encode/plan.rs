//! Which type a value gets in a file of some version, and what a version cannot hold.
//!
//! An encoding that a version does not have is replaced by a plain one, and figures that it does not have (how many
//! entries were ever added to a stream) are left out: the server that reads the file does without. What clients would miss
//! is refused: times of fields, pending entries without a consumer, the memory of producers.

use std::fmt;

use super::super::format::code;
use super::super::version::{Dialect, Version};

/// For which version values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// This one, from 9 to 14 or 80.
    Exactly(Version),
    /// This one of Redis's, or a newer one as far as the values need it.
    AtLeast(Version),
}

impl Default for Target {
    /// What most servers read: Redis 7.2 and all newer ones, Valkey.
    fn default() -> Target {
        Target::AtLeast(Version::V11)
    }
}

/// A version cannot hold a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CannotHold {
    what: &'static str,
    version: Version,
}

impl fmt::Display for CannotHold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RDB version {} cannot hold {}", self.version.number(), self.what)
    }
}

impl std::error::Error for CannotHold {}

/// A type, and the oldest version that has it.
pub(super) type Plan = (u8, Version);

impl Target {
    /// The version that a file has at least.
    pub fn version(self) -> Version {
        match self {
            Target::Exactly(version) | Target::AtLeast(version) => version,
        }
    }

    /// Whether types of a version of Redis's can be used without making the file newer than wanted.
    fn has(self, version: Version) -> bool {
        self.version() >= version
    }

    fn is_valkey(self) -> bool {
        self.version().dialect() == Dialect::Valkey
    }

    /// A type without which values cannot be held.
    fn require(self, code: u8, since: Version, what: &'static str) -> Result<Plan, CannotHold> {
        match self {
            Target::Exactly(version) if self.is_valkey() || version < since => {
                Err(CannotHold { what, version })
            }
            _ => Ok((code, since)),
        }
    }

    /// One of two, where the first is not in all versions.
    fn prefer(self, code: u8, since: Version, otherwise: u8) -> Plan {
        if self.has(since) { (code, since) } else { (otherwise, Version::V9) }
    }

    /// A list of nodes, or of texts.
    pub(super) fn list(self) -> Plan {
        self.prefer(code::LIST_QUICKLIST_2, Version::V10, code::LIST)
    }

    pub(super) fn set(self, encoding: &str) -> Plan {
        match encoding {
            "intset" => (code::SET_INTSET, Version::V9),
            "listpack" => self.prefer(code::SET_LISTPACK, Version::V11, code::SET),
            _ => (code::SET, Version::V9),
        }
    }

    pub(super) fn zset(self, encoding: &str) -> Plan {
        match encoding {
            "listpack" => self.prefer(code::ZSET_LISTPACK, Version::V10, code::ZSET_2),
            _ => (code::ZSET_2, Version::V9),
        }
    }

    /// A hash; `has_times` if one of its fields may expire.
    pub(super) fn hash(self, encoding: &str, has_times: bool) -> Result<Plan, CannotHold> {
        const TIMES: &str = "fields of hashes that expire";
        match encoding {
            _ if has_times && self.is_valkey() => Ok((code::HASH_2, Version::VALKEY_80)),
            "listpackex" if has_times || self.has(Version::V12) && !self.is_valkey() => {
                self.require(code::HASH_LISTPACK_EX, Version::V12, TIMES)
            }
            _ if has_times => self.require(code::HASH_METADATA, Version::V12, TIMES),
            "hashtable" => Ok((code::HASH, Version::V9)),
            _ => Ok(self.prefer(code::HASH_LISTPACK, Version::V10, code::HASH)),
        }
    }

    pub(super) fn stream(self, has_unowned: bool, has_idempotency: bool) -> Result<Plan, CannotHold> {
        if has_unowned {
            return self.require(
                code::STREAM_5,
                Version::V14,
                "pending entries of streams without a consumer",
            );
        }
        if has_idempotency {
            return self.require(code::STREAM_4, Version::V13, "what streams remember of their producers");
        }
        Ok(match self {
            _ if self.has(Version::V11) => (code::STREAM_3, Version::V11),
            _ if self.has(Version::V10) => (code::STREAM_2, Version::V10),
            _ => (code::STREAM, Version::V9),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_version_cannot_hold_is_refused_or_written_otherwise() {
        let exactly = Target::Exactly;
        let oldest = Target::default();
        assert_eq!(exactly(Version::V9).list().0, code::LIST);
        assert_eq!(exactly(Version::V10).set("listpack").0, code::SET);
        assert_eq!(oldest.set("listpack"), (code::SET_LISTPACK, Version::V11));
        assert_eq!(exactly(Version::V9).hash("listpack", false), Ok((code::HASH, Version::V9)));
        assert_eq!(oldest.hash("listpackex", false), Ok((code::HASH_LISTPACK, Version::V10)));
        assert_eq!(oldest.hash("listpackex", true), Ok((code::HASH_LISTPACK_EX, Version::V12)));
        assert_eq!(oldest.hash("hashtable", true), Ok((code::HASH_METADATA, Version::V12)));
        let valkey = exactly(Version::VALKEY_80);
        assert_eq!(valkey.hash("listpackex", true), Ok((code::HASH_2, Version::VALKEY_80)));
        assert_eq!(valkey.hash("listpackex", false), Ok((code::HASH_LISTPACK, Version::V10)));
        assert_eq!(oldest.stream(true, true), Ok((code::STREAM_5, Version::V14)));
        let error = exactly(Version::V11).hash("listpackex", true).unwrap_err();
        assert_eq!(error.to_string(), "RDB version 11 cannot hold fields of hashes that expire");
        for version in [Version::V13, Version::VALKEY_80] {
            assert!(exactly(version).stream(true, false).is_err());
        }
        assert!(valkey.stream(false, true).is_err());
    }
}
