//! A reply as a value.

/// A decoded reply. Strings are bytes; numbers whose text carries information (doubles, big
/// numbers) keep that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A status line (`+`).
    Simple(Vec<u8>),
    /// An error (`-`, or the `!` of RESP3), without the marker.
    Error(Vec<u8>),
    /// An integer (`:`).
    Integer(i64),
    /// A string (`$`); `None` is the null of RESP2.
    Bulk(Option<Vec<u8>>),
    /// An array (`*`); `None` is the null array of RESP2.
    Array(Option<Vec<Value>>),
    /// The null of RESP3 (`_`).
    Null,
    /// A map (`%`), in the order it was sent.
    Map(Vec<(Value, Value)>),
    /// A set (`~`), in the order it was sent.
    Set(Vec<Value>),
    /// A message that answers no request (`>`).
    Push(Vec<Value>),
    /// A floating point number (`,`), as it was printed.
    Double(Vec<u8>),
    /// A boolean (`#`).
    Boolean(bool),
    /// An integer of any size (`(`), as it was printed.
    BigNumber(Vec<u8>),
    /// A text with its format (`=`).
    Verbatim {
        /// Three bytes, `txt` or `mkd`.
        format: [u8; 3],
        /// The text.
        text: Vec<u8>,
    },
    /// A reply with attributes (`|`).
    Attribute {
        /// What is said about the reply.
        pairs: Vec<(Value, Value)>,
        /// The reply.
        value: Box<Value>,
    },
}

impl Value {
    /// The number of a double, of an integer, or of a string that spells one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            other => str::from_utf8(other.as_bytes()?).ok()?.parse().ok(),
        }
    }

    /// The integer of an integer reply, or of a string that spells one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            other => ochre_types::parse_i64(other.as_bytes()?),
        }
    }

    /// The bytes of a status, a string, a verbatim text, or the text of a number; not of errors.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Double(text) | Self::BigNumber(text) => Some(text),
            Self::Bulk(bytes) => bytes.as_deref(),
            Self::Verbatim { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The elements of an array, a set or a push.
    pub fn as_elements(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => elements.as_deref(),
            Self::Set(elements) | Self::Push(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text of an error.
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Self::Error(text) => Some(text),
            _ => None,
        }
    }

    /// True for the nulls of both versions.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Bulk(None) | Self::Array(None))
    }
}
