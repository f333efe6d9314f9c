//! The buffer that commands are written to.
//!
//! With sums, what is in the buffer between two calls of [`CommandEncoder::seal`] is a frame (`record/frame.rs`): nobody cuts a
//! base off, so frames need not be small. Its header comes before its first command and is filled in by `seal`. The
//! string that does not fit into the buffer is a frame by itself, summed up where it is.

use std::ops::Range;

use ochre_types::listpack::Item;
use ochre_types::stream::StreamId;
use ochre_types::{ObjectRef, Portion, push_f64};

use super::elements::{FieldCommands, ItemCommands, PlainElements, ScoreCommands};
use super::runs::ELEMENTS_MAX;
use super::stream::StreamCommands;
use super::text::TextCommands;
use super::value::CommandParts;
use crate::aof::record::{push_frame_header, push_frame_header_of, push_timestamp, write_frame_header};
use crate::rdb::{PlainFields, PlainMembers, PlainScored, ValueRef};

/// What ends a line.
pub(super) const LINE_END: &[u8] = b"\r\n";

/// Bytes of commands, as they come.
#[derive(Debug)]
pub struct CommandEncoder {
    bytes: Vec<u8>,
    db: Option<u32>,
    has_sums: bool,
    /// Where the header of the frame belongs that is not sealed.
    frame_at: Option<usize>,
    /// The timestamp right before the next frame, 0 without one.
    seed: u64,
    /// A number as text, whose length comes before it.
    number: Vec<u8>,
}

impl CommandEncoder {
    /// No bytes yet, and no database selected; whether there are sums, which peers skip.
    pub fn new(has_sums: bool) -> CommandEncoder {
        let (bytes, number) = (Vec::new(), Vec::new());
        CommandEncoder { bytes, db: None, has_sums, frame_at: None, seed: 0, number }
    }

    /// Bytes in the buffer.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Ends the frame at hand; what is in the buffer can be written then.
    pub fn seal(&mut self) -> &[u8] {
        if let Some(header_at) = self.frame_at.take() {
            let end = self.bytes.len();
            write_frame_header(&mut self.bytes, header_at, end, self.seed);
            self.seed = 0;
        }
        &self.bytes
    }

    /// Takes what is in the buffer, with its memory.
    pub fn take(&mut self) -> Vec<u8> {
        self.seal();
        std::mem::take(&mut self.bytes)
    }

    /// Empties the buffer, once that was written; its memory stays, and so does the database that is selected.
    pub fn clear(&mut self) {
        self.seal();
        self.bytes.clear();
    }

    /// Says when the commands that follow are written, in seconds (`aof-timestamp-enabled`).
    pub fn timestamp(&mut self, seconds: u64) {
        self.seal();
        push_timestamp(&mut self.bytes, seconds);
        self.seed = seconds;
    }

    /// Has the keys that follow be in this database.
    pub fn select(&mut self, db: u32) {
        if self.db != Some(db) {
            self.db = Some(db);
            self.begin(2, "SELECT");
            self.push_int(db.into());
        }
    }

    /// Writes a key with its value and the time when it expires, unix time in ms.
    pub fn key(&mut self, key: &[u8], value: ValueRef<'_>, expire_ms: Option<i64>) {
        match value {
            ValueRef::String(text) => self.set(key, Item::Bytes(text)),
            ValueRef::Int(int) => self.set(key, Item::Int(int)),
            ValueRef::Object(object) => self.object(key, object),
        }
        self.expire(key, expire_ms);
    }

    /// Has a key that was written expire, if it ever does.
    pub fn expire(&mut self, key: &[u8], expire_ms: Option<i64>) {
        if let Some(expire_ms) = expire_ms {
            self.begin(3, "PEXPIREAT");
            self.push_text(key);
            self.push_int(expire_ms);
        }
    }

    /// Writes a command, its name first.
    pub fn command(&mut self, args: &[&[u8]]) {
        self.open();
        self.push_header(b'*', args.len());
        args.iter().for_each(|arg| self.push_text(arg));
    }

    /// Writes a string.
    pub(super) fn set(&mut self, key: &[u8], value: Item<'_>) {
        self.begin(3, "SET");
        self.push_text(key);
        self.push_item(value);
    }

    fn object(&mut self, key: &[u8], object: ObjectRef<'_>) {
        match object {
            ObjectRef::String(string) => self.all_of(key, TextCommands::new(string)),
            ObjectRef::List(list) => self.all_of(key, ItemCommands::new("RPUSH", PlainElements::new(list))),
            ObjectRef::Set(set) => self.all_of(key, ItemCommands::new("SADD", PlainMembers::new(set))),
            ObjectRef::Hash(hash) => self.all_of(key, FieldCommands::new(PlainFields::new(hash))),
            ObjectRef::ZSet(zset) => self.all_of(key, ScoreCommands::new(PlainScored::new(zset))),
            ObjectRef::Stream(stream) => self.all_of(key, StreamCommands::new(stream)),
        }
    }

    fn all_of(&mut self, key: &[u8], mut parts: impl CommandParts) {
        while !parts.write_part(self, key, usize::MAX) {}
    }

    /// What to ask a source of elements for, if there is room for more.
    pub(super) fn portion(&self, bytes: usize) -> Option<Portion> {
        let room = bytes.saturating_sub(self.bytes.len());
        (room > 0).then_some(Portion { elements: ELEMENTS_MAX, bytes: room })
    }

    /// Has there be a frame for the command that follows.
    pub(super) fn open(&mut self) {
        if self.has_sums && self.frame_at.is_none() {
            self.frame_at = Some(self.bytes.len());
            push_frame_header(&mut self.bytes);
        }
    }

    /// Begins a SET of which the value and the end of its line are to be written raw, over several parts.
    pub(super) fn begin_set(&mut self, key: &[u8], value: &[u8]) {
        let mut head = CommandEncoder::new(false);
        head.begin(3, "SET");
        head.push_text(key);
        head.push_header(b'$', value.len());
        self.seal();
        if self.has_sums {
            push_frame_header_of(&mut self.bytes, &[&head.bytes, value, LINE_END], self.seed);
            self.seed = 0;
        }
        self.bytes.extend_from_slice(&head.bytes);
    }

    /// Begins a command of so many arguments, its name included.
    pub(super) fn begin(&mut self, args: usize, name: &str) {
        self.open();
        self.push_header(b'*', args);
        self.push_text(name.as_bytes());
    }

    /// Puts something in the place of bytes that were written.
    pub(super) fn replace(&mut self, range: Range<usize>, by: &[u8]) {
        self.bytes.splice(range, by.iter().copied());
    }

    pub(super) fn push_raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes the line before an array or a text.
    pub(super) fn push_header(&mut self, mark: u8, len: usize) {
        self.bytes.push(mark);
        self.bytes.extend_from_slice(itoa::Buffer::new().format(len).as_bytes());
        self.bytes.extend_from_slice(LINE_END);
    }

    pub(super) fn push_text(&mut self, text: &[u8]) {
        self.push_header(b'$', text.len());
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(LINE_END);
    }

    pub(super) fn push_word(&mut self, word: &str) {
        self.push_text(word.as_bytes());
    }

    pub(super) fn push_int(&mut self, int: i64) {
        self.push_text(itoa::Buffer::new().format(int).as_bytes());
    }

    /// Writes a number that a signed one may have no room for as the largest of those.
    pub(super) fn push_count(&mut self, count: u64) {
        self.push_int(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn push_item(&mut self, item: Item<'_>) {
        match item {
            Item::Int(int) => self.push_int(int),
            Item::Bytes(text) => self.push_text(text),
        }
    }

    /// Writes a score with as many digits as it takes to get the same one back.
    pub(super) fn push_score(&mut self, score: f64) {
        self.push_number(|out| push_f64(out, score));
    }

    pub(super) fn push_id(&mut self, id: StreamId) {
        self.push_number(|out| {
            out.extend_from_slice(itoa::Buffer::new().format(id.ms).as_bytes());
            out.push(b'-');
            out.extend_from_slice(itoa::Buffer::new().format(id.seq).as_bytes());
        });
    }

    fn push_number(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut number = std::mem::take(&mut self.number);
        number.clear();
        write(&mut number);
        self.push_text(&number);
        self.number = number;
    }
}
