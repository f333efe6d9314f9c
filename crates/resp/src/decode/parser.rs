//! The incremental reply parser.
//!
//! It owns what was received, and a stack of the aggregates that are open. Each token is read once,
//! so a reply that arrives in many pieces costs time linear in its length. Depth is bounded because
//! values are dropped and compared recursively; memory is bounded by the bytes of the reply,
//! never by a length that the other side announced.

use super::token::{Aggregate, Body, Found, Scalar, read_token};
use super::{DecodeError, Value};

/// Elements for which room is made before they arrive.
const RESERVED_MAX: usize = 1024;
/// Bytes of consumed input that are kept before the rest moves to the front.
const CONSUMED_MAX: usize = 64 * 1024;

/// Bounds on one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Most aggregates inside each other.
    pub depth_max: usize,
    /// Longest string in bytes.
    pub bulk_len_max: u64,
    /// Longest reply in bytes, as sent. Decoded it takes up to about ten times as much.
    pub reply_len_max: u64,
}

impl Default for ReplyLimits {
    /// What a client of a trusted server wants: 128 levels, strings of 4 GiB, replies of 16 GiB.
    fn default() -> Self {
        Self { depth_max: 128, bulk_len_max: 4 << 30, reply_len_max: 16 << 30 }
    }
}

/// Decodes a stream of replies that arrives in pieces.
///
/// ```
/// use ochre_resp::{ReplyParser, Value};
/// let mut parser = ReplyParser::default();
/// parser.feed(b"*2\r\n:1\r\n$3\r\nfo");
/// assert_eq!(parser.next_reply(), Ok(None));
/// parser.feed(b"o\r\n");
/// let expected = vec![Value::Integer(1), Value::Bulk(Some(b"foo".to_vec()))];
/// assert_eq!(parser.next_reply(), Ok(Some(Value::Array(Some(expected)))));
/// ```
#[derive(Debug, Default)]
pub struct ReplyParser {
    limits: ReplyLimits,
    received: Vec<u8>,
    /// Start of the first token in `received` that has not been read.
    pos: usize,
    /// Bytes from `pos` on that hold no line end.
    scanned: usize,
    /// Bytes of the reply at hand that were read.
    reply_len: u64,
    open: Vec<Frame>,
}

/// An aggregate that lacks elements.
#[derive(Debug)]
struct Frame {
    kind: Aggregate,
    missing: u64,
    values: Vec<Value>,
}

impl ReplyParser {
    /// A parser with these limits.
    pub fn new(limits: ReplyLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds bytes that were received.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.pos == self.received.len() {
            self.received.clear();
            self.pos = 0;
        } else if self.pos >= CONSUMED_MAX && self.pos >= self.received.len() / 2 {
            self.received.drain(..self.pos);
            self.pos = 0;
        }
        self.received.extend_from_slice(bytes);
    }

    /// The next reply, `None` until more bytes are fed. After an error the stream is lost, and
    /// every further call fails likewise or is meaningless.
    ///
    /// # Errors
    /// [`DecodeError`] when the stream is not made of replies within the limits.
    pub fn next_reply(&mut self) -> Result<Option<Value>, DecodeError> {
        loop {
            let input = self.received.get(self.pos..).unwrap_or_default();
            let token = match read_token(input, self.scanned)? {
                Found::Token(token) => token,
                Found::Cut { scanned, bulk_len } => {
                    self.scanned = scanned;
                    let pending = (input.len() as u64).max(bulk_len);
                    check_len(&self.limits, self.reply_len, pending, bulk_len)?;
                    return Ok(None);
                }
            };
            let len = token.len;
            let scalar = match token.body {
                Body::Scalar(kind, text) => {
                    check_len(&self.limits, self.reply_len, len as u64, text.len() as u64)?;
                    Some(scalar_value(kind, text))
                }
                Body::Open(kind, count) => {
                    check_len(&self.limits, self.reply_len, len as u64, 0)?;
                    self.push_frame(kind, count)?;
                    None
                }
            };
            self.pos += len;
            self.scanned = 0;
            self.reply_len = self.reply_len.saturating_add(len as u64);
            if let Some(reply) = self.fold(scalar) {
                self.reply_len = 0;
                return Ok(Some(reply));
            }
        }
    }

    /// True when everything that was fed belongs to replies that were returned.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty() && self.pos == self.received.len()
    }

    /// Bytes fed that belong to no token read so far.
    pub fn unread(&self) -> &[u8] {
        self.received.get(self.pos..).unwrap_or_default()
    }

    fn push_frame(&mut self, kind: Aggregate, count: u64) -> Result<(), DecodeError> {
        if self.open.len() >= self.limits.depth_max {
            return Err(DecodeError::TooDeep);
        }
        let missing = match kind {
            Aggregate::Map => count.checked_mul(2),
            // The reply that the attributes belong to comes last.
            Aggregate::Attribute => count.checked_mul(2).and_then(|pairs| pairs.checked_add(1)),
            _ => Some(count),
        };
        let missing = missing.ok_or(DecodeError::InvalidLength)?;
        let reserved = usize::try_from(missing).unwrap_or(usize::MAX).min(RESERVED_MAX);
        self.open.push(Frame { kind, missing, values: Vec::with_capacity(reserved) });
        Ok(())
    }

    /// Puts a value into the innermost aggregate and closes those that are complete. The result is
    /// the reply, once the outermost is.
    fn fold(&mut self, mut value: Option<Value>) -> Option<Value> {
        loop {
            let Some(frame) = self.open.last_mut() else {
                return value;
            };
            if let Some(value) = value.take() {
                frame.values.push(value);
                frame.missing = frame.missing.saturating_sub(1);
            }
            if frame.missing > 0 {
                return None;
            }
            value = self.open.pop().map(Frame::into_value);
        }
    }
}

impl Frame {
    fn into_value(self) -> Value {
        let mut values = self.values;
        match self.kind {
            Aggregate::Array => Value::Array(Some(values)),
            Aggregate::Set => Value::Set(values),
            Aggregate::Push => Value::Push(values),
            Aggregate::Map => Value::Map(into_pairs(values)),
            Aggregate::Attribute => {
                let value = Box::new(values.pop().unwrap_or(Value::Null));
                Value::Attribute { pairs: into_pairs(values), value }
            }
        }
    }
}

fn into_pairs(values: Vec<Value>) -> Vec<(Value, Value)> {
    let mut pairs = Vec::with_capacity(values.len() / 2);
    let mut values = values.into_iter();
    while let (Some(key), Some(value)) = (values.next(), values.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn check_len(limits: &ReplyLimits, read: u64, token: u64, bulk: u64) -> Result<(), DecodeError> {
    if bulk > limits.bulk_len_max {
        return Err(DecodeError::BulkTooLong);
    }
    if read.saturating_add(token) > limits.reply_len_max {
        return Err(DecodeError::ReplyTooLong);
    }
    Ok(())
}

fn scalar_value(kind: Scalar, text: &[u8]) -> Value {
    match kind {
        Scalar::Simple => Value::Simple(text.to_vec()),
        Scalar::Error | Scalar::BlobError => Value::Error(text.to_vec()),
        Scalar::Integer => Value::Integer(ochre_types::parse_i64(text).unwrap_or_default()),
        Scalar::Bulk => Value::Bulk(Some(text.to_vec())),
        Scalar::NullBulk => Value::Bulk(None),
        Scalar::NullArray => Value::Array(None),
        Scalar::Null => Value::Null,
        Scalar::Double => Value::Double(text.to_vec()),
        Scalar::Boolean => Value::Boolean(text == b"t"),
        Scalar::BigNumber => Value::BigNumber(text.to_vec()),
        Scalar::Verbatim => {
            let (format, text) = text.split_first_chunk::<3>().unwrap_or((b"   ", &[]));
            Value::Verbatim { format: *format, text: text.get(1..).unwrap_or_default().to_vec() }
        }
    }
}
