//! One value by itself: what DUMP answers and RESTORE takes.
//!
//! ```text
//! | type | value | version: u16 | checksum of everything before it: u64 |      little-endian
//! ```
//!
//! A payload gets the oldest version that has its type, so that older servers take it too. As in Redis 8.6 a checksum of
//! zero stands for none, what follows the value in front of the version is not looked at, and a value that claims to be longer
//! than it is reads on into the version.

use std::fmt;

use ochre_types::Pinned;

use super::checksum::crc64;
use super::cursor::Cursor;
use super::decode::{self, Limits, Value};
use super::encode::{CannotHold, EncodeOptions, Encoder, ValueParts, ValueRef, ValueWriter, pinned_writer};
use super::error::RdbError;
use super::format::{ValueType, code, opcode};
use super::grammar;
use super::template::Templates;
use super::version::{Dialect, Version, VersionCheck};

const VERSION_LEN: usize = 2;
const CHECKSUM_LEN: usize = 8;
const FOOTER_LEN: usize = VERSION_LEN + CHECKSUM_LEN;

/// Serializes a value.
///
/// # Errors
/// When the target version cannot hold it.
pub fn dump(value: ValueRef<'_>, options: EncodeOptions) -> Result<Vec<u8>, CannotHold> {
    dump_parts(&mut ValueWriter::new(value, options.target)?, options)
}

/// The same for a pinned value that nothing has been read of yet: no lock is needed.
///
/// # Errors
/// When the target version cannot hold it.
pub fn dump_pinned(pinned: &mut Pinned, options: EncodeOptions) -> Result<Vec<u8>, CannotHold> {
    dump_parts(&mut *pinned_writer(pinned, options.target)?, options)
}

fn dump_parts(parts: &mut dyn ValueParts, options: EncodeOptions) -> Result<Vec<u8>, CannotHold> {
    let (code, version) = parts.plan(options.target)?;
    let mut encoder = Encoder::new(options);
    encoder.push_byte(code);
    while !parts.write_part(&mut encoder, usize::MAX) {}
    encoder.push_raw(&version.number().to_le_bytes());
    let sum = crc64(encoder.bytes());
    encoder.push_raw(&sum.to_le_bytes());
    Ok(encoder.into_bytes())
}

/// Serializes libraries of functions.
pub fn dump_functions<'a>(codes: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let options = EncodeOptions { compresses: true, ..EncodeOptions::default() };
    let mut encoder = Encoder::new(options);
    for code in codes {
        encoder.push_byte(opcode::FUNCTION);
        encoder.push_text(code);
    }
    encoder.push_raw(&Version::V11.number().to_le_bytes());
    let sum = crc64(encoder.bytes());
    encoder.push_raw(&sum.to_le_bytes());
    encoder.into_bytes()
}

/// Why a payload was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// It is of a version that is not read, or its checksum is not that of its bytes.
    VersionOrChecksum,
    /// It is no value.
    Value(RdbError),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::VersionOrChecksum => {
                formatter.write_str("DUMP payload version or checksum are wrong")
            }
            RestoreError::Value(_) => formatter.write_str("Bad data format"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// A payload whose version and checksum are right.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    version: Version,
}

impl<'a> Payload<'a> {
    /// Looks at version and checksum; at the latter only if `checks_sum`.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub fn verify(
        payload: &'a [u8],
        check: VersionCheck,
        checks_sum: bool,
    ) -> Result<Payload<'a>, RestoreError> {
        let error = RestoreError::VersionOrChecksum;
        let body_len = payload.len().checked_sub(FOOTER_LEN).ok_or(error)?;
        let footer = &payload[body_len..];
        let (number, sum) = footer.split_first_chunk().ok_or(error)?;
        // As in Redis, which only asks whether a version is too new, 0 is an old one.
        let version = Version::new(u16::from_le_bytes(*number).max(1), check).ok_or(error)?;
        let sum = sum.first_chunk().map_or(0, |sum| u64::from_le_bytes(*sum));
        if checks_sum && sum != 0 && sum != crc64(&payload[..body_len + VERSION_LEN]) {
            return Err(error);
        }
        Ok(Payload { bytes: payload, version })
    }

    /// The version of the server that it is from, or an older one.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The texts of the libraries of functions that it consists of.
    ///
    /// # Errors
    /// When it is something else.
    pub fn functions(&self) -> Result<Vec<Vec<u8>>, RestoreError> {
        let mut cursor = Cursor::new(&self.bytes[..self.bytes.len() - FOOTER_LEN]);
        let mut codes = Vec::new();
        while cursor.remaining() > 0 {
            match cursor.byte().map_err(RestoreError::Value)? {
                opcode::FUNCTION => codes.push(cursor.text().map_err(RestoreError::Value)?.into_vec()),
                opcode::FUNCTION_PRE_RELEASE => {
                    return Err(RestoreError::Value(RdbError::FunctionPreRelease));
                }
                other => return Err(RestoreError::Value(RdbError::Type(other))),
            }
        }
        Ok(codes)
    }

    /// The type that the value says it is of.
    pub fn kind(&self) -> Option<ValueType> {
        ValueType::new(*self.bytes.first()?, self.version.dialect())
    }

    /// Builds the value.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(&self, limits: &Limits) -> Result<Value<'a>, RdbError> {
        let mut cursor = Cursor::new(self.bytes);
        let mut first = cursor.byte()?;
        if first == opcode::KEY_META && self.version.dialect() == Dialect::Redis {
            grammar::skip_key_metadata(&mut cursor)?;
            first = cursor.byte()?;
        }
        let kind = ValueType::new(first, self.version.dialect()).ok_or(RdbError::Type(first))?;
        match kind.code {
            code::MODULE_PRE_RELEASE => Err(RdbError::Corrupt("Pre-release module format not supported")),
            // There is no template outside of a file.
            _ => decode::decode(kind, &mut cursor, limits, &Templates::default()),
        }
    }
}

/// Takes a payload apart: [`Payload::verify`] and [`Payload::decode`].
///
/// # Errors
/// When it is not taken.
pub fn restore<'a>(payload: &'a [u8], limits: &Limits) -> Result<Value<'a>, RestoreError> {
    let payload = Payload::verify(payload, VersionCheck::Strict, true)?;
    payload.decode(limits).map_err(RestoreError::Value)
}
