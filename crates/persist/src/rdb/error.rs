//! What can be wrong with bytes that should be RDB, and with reading them.

use std::fmt;
use std::io;

use super::module::ModuleId;

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RdbError {
    /// They end too early.
    Truncated,
    /// They do not begin as a file does.
    Signature,
    /// A file of a version that is not read.
    Version(u16),
    /// A record that begins with this byte is not known.
    Type(u8),
    /// A length that begins with this byte is not known.
    Length(u8),
    /// Something contradicts itself; the text says what.
    Corrupt(&'static str),
    /// A key with nothing in it, which no server keeps. Old bugs left such keys in files; Redis skips them there.
    EmptyValue,
    /// A value that only a module can read.
    Module(ModuleId),
    /// A value of a type that Ochre does not have.
    Unsupported(&'static str),
    /// A library of functions in the form of Redis 7.0's release candidates.
    FunctionPreRelease,
    /// The sum of all bytes is another one than the file says.
    Checksum,
}

impl fmt::Display for RdbError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RdbError::Truncated => formatter.write_str("Unexpected EOF reading RDB file"),
            RdbError::Signature => formatter.write_str("Wrong signature trying to load DB from file"),
            RdbError::Version(number) => write!(formatter, "Can't handle RDB format version {number}"),
            RdbError::Type(code) => write!(formatter, "Invalid object type: {code}"),
            RdbError::Length(byte) => write!(formatter, "Unknown length encoding {byte}"),
            RdbError::Corrupt(what) => formatter.write_str(what),
            RdbError::EmptyValue => formatter.write_str("A key with an empty value"),
            RdbError::Module(id) if id.is_vector_set() => formatter.write_str(
                "Vector sets are not supported; delete the key on the server that wrote it before taking its data over",
            ),
            RdbError::Module(id) => write!(
                formatter,
                "The RDB file contains module data I can't load: no matching module type '{}' (encoding version {})",
                id.name(),
                id.version()
            ),
            RdbError::Unsupported(name) => write!(formatter, "Values of type {name} are not supported"),
            RdbError::FunctionPreRelease => formatter.write_str("Pre-release function format not supported"),
            RdbError::Checksum => formatter.write_str("RDB CRC error"),
        }
    }
}

impl std::error::Error for RdbError {}

impl RdbError {
    /// Whether it is about one value only, behind which reading can go on.
    pub fn is_of_value(self) -> bool {
        self.is_unsupported() || matches!(self, RdbError::EmptyValue)
    }

    /// Whether the value may be good, and only cannot be had here.
    pub fn is_unsupported(self) -> bool {
        matches!(self, RdbError::Module(_) | RdbError::Unsupported(_))
    }
}

/// Why reading failed.
#[derive(Debug)]
pub enum ReadError {
    /// The source did.
    Io(io::Error),
    /// The bytes are wrong.
    Rdb(RdbError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Io(error) => error.fmt(formatter),
            ReadError::Rdb(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

impl From<RdbError> for ReadError {
    fn from(error: RdbError) -> ReadError {
        ReadError::Rdb(error)
    }
}
