//! Versions of the format, and which of them are read.
//!
//! | version | written by |
//! |---|---|
//! | 1 to 6 | Redis up to 2.8 (6: 2.6) |
//! | 7, 8, 9 | Redis 3.2, 4, 5 to 6.2 |
//! | 10, 11 | Redis 7.0, 7.2; 11 also Valkey up to 8 |
//! | 12, 13, 14 | Redis 7.4 to 8.4, 8.6, 8.8 |
//! | 15, 16 | Redis 8.10 |
//! | 80 | Valkey 9, whose files begin with VALKEY |
//!
//! Versions count up on either side of 80, so the number alone tells whose it is: DUMP payloads have nothing else.

use super::error::RdbError;

/// Whose numbers a file uses where Redis's and Valkey's differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Versions below 80.
    Redis,
    /// Versions from 80 on.
    Valkey,
}

/// A version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u16);

/// Which versions are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VersionCheck {
    /// Those that are known.
    #[default]
    Strict,
    /// Newer ones as well, up to the first record that is not known (`rdb-version-check relaxed`).
    Relaxed,
}

/// Bytes of a file before its first record.
pub const HEADER_LEN: usize = 9;

/// The first version of Valkey's own.
const VALKEY_FIRST: u16 = 80;
/// The newest that are known, and the greatest that a header can have.
const REDIS_NEWEST: u16 = 16;
const VALKEY_NEWEST: u16 = 80;
const NUMBER_MAX: u16 = 9999;

impl Version {
    /// Redis 5 to 6.2: the oldest that is written.
    pub const V9: Version = Version(9);
    /// Redis 7.0.
    pub const V10: Version = Version(10);
    /// Redis 7.2, Valkey 7.2 and 8.
    pub const V11: Version = Version(11);
    /// Redis 7.4 to 8.4: fields of hashes that expire.
    pub const V12: Version = Version(12);
    /// Redis 8.6: what streams remember of their producers.
    pub const V13: Version = Version(13);
    /// Redis 8.8: pending entries without a consumer.
    pub const V14: Version = Version(14);
    /// Valkey 9.
    pub const VALKEY_80: Version = Version(80);

    /// The version of this number, if it is one that is read.
    pub fn new(number: u16, check: VersionCheck) -> Option<Version> {
        let is_known = matches!(number, 1..=REDIS_NEWEST | VALKEY_FIRST..=VALKEY_NEWEST);
        let is_read = is_known || check == VersionCheck::Relaxed && matches!(number, 1..=NUMBER_MAX);
        is_read.then_some(Version(number))
    }

    /// The number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// Whose it is.
    pub fn dialect(self) -> Dialect {
        if self.0 < VALKEY_FIRST { Dialect::Redis } else { Dialect::Valkey }
    }

    /// Whether there was something newer when this was written.
    pub fn is_known(self) -> bool {
        Version::new(self.0, VersionCheck::Strict).is_some()
    }

    /// Whether its number is one that neither dialect has given, between those that they have.
    pub fn is_foreign(self) -> bool {
        self.0 > REDIS_NEWEST && self.0 < VALKEY_FIRST
    }

    /// Whether files end with a checksum.
    pub fn has_checksum(self) -> bool {
        self.0 >= 5
    }

    /// The bytes that a file begins with.
    pub fn header(self) -> [u8; HEADER_LEN] {
        let (magic, digits): (&[u8], usize) = match self.dialect() {
            Dialect::Redis => (b"REDIS", 4),
            Dialect::Valkey => (b"VALKEY", 3),
        };
        let mut header = [0; HEADER_LEN];
        header[..magic.len()].copy_from_slice(magic);
        let mut rest = self.0;
        for digit in header[HEADER_LEN - digits..].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        header
    }

    /// The version of a file that begins so.
    ///
    /// # Errors
    /// When these are no such file's first bytes, or the version is not read.
    pub fn of_header(header: [u8; HEADER_LEN], check: VersionCheck) -> Result<Version, RdbError> {
        let (dialect, digits) = if header.starts_with(b"VALKEY") {
            (Dialect::Valkey, &header[6..])
        } else if header.starts_with(b"REDIS") {
            (Dialect::Redis, &header[5..])
        } else {
            return Err(RdbError::Signature);
        };
        let number = leading_number(digits);
        let version = Version::new(number, check).filter(|version| version.dialect() == dialect);
        version.ok_or(RdbError::Version(number))
    }
}

/// The number that the first digits are, as C's atoi reads it.
fn leading_number(text: &[u8]) -> u16 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u16::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use VersionCheck::{Relaxed, Strict};

    #[test]
    fn headers_there_and_back() {
        for number in (1..=16).chain([80]) {
            let version = Version::new(number, Strict).unwrap();
            assert_eq!(Version::of_header(version.header(), Strict), Ok(version));
        }
        assert_eq!(&Version::V11.header(), b"REDIS0011");
        assert_eq!(&Version::VALKEY_80.header(), b"VALKEY080");
    }

    #[test]
    fn versions_that_are_read() {
        type Read = Result<u16, RdbError>;
        let cases: [(&[u8; 9], Read, Read); 9] = [
            (b"REDIS0001", Ok(1), Ok(1)),
            (b"REDIS0000", Err(RdbError::Version(0)), Err(RdbError::Version(0))),
            (b"REDIS0017", Err(RdbError::Version(17)), Ok(17)),
            (b"REDIS0080", Err(RdbError::Version(80)), Err(RdbError::Version(80))),
            (b"VALKEY011", Err(RdbError::Version(11)), Err(RdbError::Version(11))),
            (b"VALKEY987", Err(RdbError::Version(987)), Ok(987)),
            (b"REDIS12x4", Ok(12), Ok(12)),
            (b"REDISxxxx", Err(RdbError::Version(0)), Err(RdbError::Version(0))),
            (b"SIDER0011", Err(RdbError::Signature), Err(RdbError::Signature)),
        ];
        for (header, strict, relaxed) in cases {
            let read = |check| Version::of_header(*header, check).map(Version::number);
            assert_eq!((read(Strict), read(Relaxed)), (strict, relaxed), "{}", header.escape_ascii());
        }
    }
}
