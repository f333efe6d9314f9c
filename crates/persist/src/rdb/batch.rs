//! Records as they lie in the file, for whoever decodes them: another thread, if wanted.
//!
//! A batch owns a piece of the file and knows where each record in it begins. Making one costs next to nothing beyond
//! passing over lengths; decompressing, checking and building values happens in [`Record::decode`].

use super::cursor::Cursor;
use super::decode::{self, Limits, Value};
use super::error::RdbError;
use super::format::ValueType;
use super::template::Templates;
use super::text::Text;

/// What was known of the last access to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Seconds since then.
    Idle(u64),
    /// The logarithmic counter of how often it was accessed (LFU).
    Frequency(u8),
}

/// What stands in front of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyInfo {
    /// When it expires, unix time in ms.
    pub expire_ms: Option<i64>,
    /// What was known of the last access.
    pub access: Option<Access>,
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) info: KeyInfo,
    pub(super) kind: ValueType,
    pub(super) key_at: usize,
    pub(super) value_at: usize,
    pub(super) end: usize,
}

/// Records that follow each other in a file, of one database.
#[derive(Debug)]
pub struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) frames: Vec<Frame>,
    pub(super) db: u64,
    pub(super) templates: Templates,
    /// Where in the file `bytes` begin.
    pub(super) offset: u64,
}

impl Batch {
    /// The number of the database.
    pub fn db(&self) -> u64 {
        self.db
    }

    /// Number of records, at least one.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The records, in their order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.frames.iter().map(|frame| Record { batch: self, frame })
    }
}

/// A key and its value, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct Record<'b> {
    batch: &'b Batch,
    frame: &'b Frame,
}

impl<'b> Record<'b> {
    /// What stands in front of the key.
    pub fn info(&self) -> KeyInfo {
        self.frame.info
    }

    /// The type of the value.
    pub fn kind(&self) -> ValueType {
        self.frame.kind
    }

    /// The key.
    ///
    /// # Errors
    /// When it was compressed and cannot be decompressed.
    pub fn key(&self) -> Result<Text<'b>, RdbError> {
        self.cursor(self.frame.key_at, self.frame.value_at).text()
    }

    /// The value as the file has it, without its type.
    pub fn value_bytes(&self) -> &'b [u8] {
        &self.batch.bytes[self.frame.value_at..self.frame.end]
    }

    /// Where in the file the record ends.
    pub fn end_offset(&self) -> u64 {
        self.batch.offset + self.frame.end as u64
    }

    /// Builds the value, in the encoding that the limits give it.
    ///
    /// # Errors
    /// When it is none. After one for which [`RdbError::is_of_value`] holds, the other records can still be trusted.
    pub fn decode(&self, limits: &Limits) -> Result<Value<'b>, RdbError> {
        let mut cursor = self.cursor(self.frame.value_at, self.frame.end);
        decode::decode(self.frame.kind, &mut cursor, limits, &self.batch.templates)
    }

    fn cursor(&self, start: usize, end: usize) -> Cursor<'b> {
        Cursor::new(&self.batch.bytes[start..end])
    }
}

/// A key and its value, decoded while it was read because it is too large to be held in two forms at once.
#[derive(Debug)]
pub struct BigRecord {
    /// The number of the database.
    pub db: u64,
    /// What stands in front of the key.
    pub info: KeyInfo,
    /// The type of the value.
    pub kind: ValueType,
    /// The key.
    pub key: Vec<u8>,
    /// The value, or why it could not be built though the file goes on behind it.
    pub value: Result<Value<'static>, RdbError>,
}

impl Frame {
    /// The same, from the start of a buffer in which it was looked at from `start` on.
    pub(super) fn moved_by(self, start: usize) -> Frame {
        let (key_at, value_at, end) = (self.key_at + start, self.value_at + start, self.end + start);
        Frame { key_at, value_at, end, ..self }
    }
}
