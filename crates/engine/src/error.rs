//! The error replies that handlers return, with Redis's exact texts.

use std::borrow::Cow;

use ochre_keyspace::WrongType;

/// An error reply: its text begins with a code in capitals, without the leading `-`. Bytes, not characters: a text may
/// quote what a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Cow<'static, [u8]>);

impl Error {
    /// An error with a fixed text.
    pub const fn new(text: &'static str) -> Error {
        Error(Cow::Borrowed(text.as_bytes()))
    }

    /// An error with a text made for the occasion.
    pub fn owned(text: String) -> Error {
        Error(Cow::Owned(text.into_bytes()))
    }

    /// An error that quotes an argument of the client: as its peers do, up to the first NUL.
    #[cold]
    pub fn quoting(before: &str, arg: &[u8], after: &str) -> Error {
        let quoted = arg.split(|byte| *byte == 0).next().unwrap_or_default();
        Error(Cow::Owned([before.as_bytes(), quoted, after.as_bytes()].concat()))
    }

    /// An error with a text of bytes.
    #[cold]
    pub fn of_bytes(text: Vec<u8>) -> Error {
        Error(Cow::Owned(text))
    }

    /// The whole text.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The whole text, for people.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The code: the first word, if it is not too long for one and others follow.
    pub fn code(&self) -> &str {
        const CODE_LEN_MAX: usize = 32;
        let end = self.0.iter().take(CODE_LEN_MAX).position(|byte| *byte == b' ');
        end.and_then(|end| str::from_utf8(&self.0[..end]).ok()).unwrap_or("ERR")
    }
}

impl From<WrongType> for Error {
    fn from(_: WrongType) -> Error {
        WRONG_TYPE
    }
}

/// The value is of another type than the command works on.
pub const WRONG_TYPE: Error = Error::new("WRONGTYPE Operation against a key holding the wrong kind of value");
/// The arguments do not follow the command's grammar.
pub const SYNTAX: Error = Error::new("ERR syntax error");
/// An argument or a value is not an integer.
pub const NOT_AN_INTEGER: Error = Error::new("ERR value is not an integer or out of range");
/// An argument or a value is not a number.
pub const NOT_A_FLOAT: Error = Error::new("ERR value is not a valid float");
/// A number is beyond its limits.
pub const OUT_OF_RANGE: Error = Error::new("ERR value is out of range");
/// A number is below zero.
pub const OUT_OF_RANGE_POSITIVE: Error = Error::new("ERR value is out of range, must be positive");
/// A key that must exist does not.
pub const NO_SUCH_KEY: Error = Error::new("ERR no such key");
/// A database number is beyond `databases`.
pub const DB_OUT_OF_RANGE: Error = Error::new("ERR DB index is out of range");
/// An integer operation leaves 64 bits.
pub const INCR_OVERFLOW: Error = Error::new("ERR increment or decrement would overflow");
/// A string would become longer than `proto-max-bulk-len`.
pub const STRING_TOO_LONG: Error = Error::new("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
/// An offset is below zero.
pub const OFFSET_OUT_OF_RANGE: Error = Error::new("ERR offset is out of range");
/// Memory has run out and nothing may be evicted.
pub const OUT_OF_MEMORY: Error = Error::new("OOM command not allowed when used memory > 'maxmemory'.");
/// Fewer replicas would hear of a change than are asked for.
pub const NO_REPLICAS: Error = Error::new("NOREPLICAS Not enough good replicas to write.");
/// The client has to authenticate first.
pub const NO_AUTH: Error = Error::new("NOAUTH Authentication required.");
/// Name or password are wrong.
pub const WRONG_PASS: Error = Error::new("WRONGPASS invalid username-password pair or user is disabled.");

/// `ERR wrong number of arguments for '...' command`.
#[cold]
pub fn wrong_arity(full_name: &str) -> Error {
    Error::owned(format!("ERR wrong number of arguments for '{full_name}' command"))
}

/// `ERR invalid expire time in '...' command`.
#[cold]
pub fn invalid_expire(full_name: &str) -> Error {
    Error::owned(format!("ERR invalid expire time in '{full_name}' command"))
}
