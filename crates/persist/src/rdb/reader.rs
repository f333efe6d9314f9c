//! Reading a file: a source becomes events, in the order of the file.
//!
//! What is done here is what must be done in order: cutting the bytes into records, the checksum, the state that records
//! share (database, templates). Records are handed out in batches, undecoded. A value that exceeds what is held at a time is the
//! exception: it is decoded on the way, element by element, so that no more than its largest element is in memory in
//! both forms. A single string of a list or a node of a quicklist is an element; a string value is read in parts.
//!
//! Rejected: decoding in the reader and handing out values, which makes loading as slow as one core.

use std::io::Read;

use super::batch::{Batch, BigRecord, Frame};
use super::cursor::Cursor;
use super::decode::{Decoder, Limits};
use super::error::{RdbError, ReadError};
use super::format::ValueType;
use super::module::ModuleId;
use super::scan::{Item, Note, Scan, Stage};
use super::template::Templates;
use super::version::{HEADER_LEN, Version, VersionCheck};
use super::window::Window;

/// Batches that were given back and are kept for their buffers.
const SPARE_BUFFERS_MAX: usize = 16;

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    /// Bytes that are read at a time; also what a batch has about.
    pub chunk_bytes: usize,
    /// A record of more bytes is decoded on the way.
    pub record_bytes_max: usize,
    /// Which versions are read.
    pub version_check: VersionCheck,
    /// Whether the checksum is compared (`rdbchecksum`).
    pub checks_sum: bool,
    /// For values that are decoded on the way.
    pub limits: Limits,
}

impl Default for ReadOptions {
    fn default() -> ReadOptions {
        ReadOptions {
            chunk_bytes: 256 << 10,
            record_bytes_max: 16 << 20,
            version_check: VersionCheck::Strict,
            checks_sum: true,
            limits: Limits::default(),
        }
    }
}

/// What the checksum at the end said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumState {
    /// The version has none, or nobody wanted it compared.
    None,
    /// It was switched off when the file was written.
    Disabled,
    /// It is that of the bytes.
    Right,
}

/// What comes in a file.
#[derive(Debug)]
pub enum Event {
    /// A field about the file or its writer, e.g. `redis-ver`.
    Aux {
        /// Its name.
        name: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// A library of functions: its code.
    Function(Vec<u8>),
    /// The following keys are of this database.
    SelectDb(u64),
    /// How many keys the database has, and how many of them expire. A hint: nothing is to be allocated for it alone.
    Sizes {
        /// Keys.
        keys: u64,
        /// Keys that expire.
        expires: u64,
    },
    /// The same for a slot.
    SlotSizes {
        /// The slot.
        slot: u64,
        /// Keys.
        keys: u64,
        /// Keys that expire.
        expires: u64,
    },
    /// Slots that Valkey was importing when it wrote the file.
    SlotImport {
        /// The name of the import.
        job: Vec<u8>,
        /// First and last slot of each range.
        slots: Vec<(u64, u64)>,
    },
    /// What a module kept in the file beside keys; it is skipped.
    ModuleAux(ModuleId),
    /// Keys with their values, not yet decoded.
    Records(Batch),
    /// A large one, decoded.
    Big(Box<BigRecord>),
    /// The file ends here.
    End(ChecksumState),
}

/// Where reading stands, for whoever explains an error.
#[derive(Clone, Debug)]
pub struct Position {
    /// Bytes that were passed.
    pub offset: u64,
    /// What was being read.
    pub stage: Stage,
    /// The key whose value was being read.
    pub key: Option<Vec<u8>>,
    /// The type of that value.
    pub kind: Option<ValueType>,
}

/// A file that is being read.
pub struct Reader<R> {
    window: Window<R>,
    options: ReadOptions,
    version: Option<Version>,
    db: u64,
    templates: Templates,
    frames: Vec<Frame>,
    spares: Vec<(Vec<u8>, Vec<Frame>)>,
    end: Option<ChecksumState>,
    position: Position,
}

impl<R: Read> Reader<R> {
    /// A file that begins where the source does.
    pub fn new(source: R, options: ReadOptions) -> Reader<R> {
        Reader {
            window: Window::new(source, options.chunk_bytes),
            options,
            version: None,
            db: 0,
            templates: Templates::default(),
            frames: Vec::new(),
            spares: Vec::new(),
            end: None,
            position: Position { offset: 0, stage: Stage::Start, key: None, kind: None },
        }
    }

    /// Bytes of the file that were passed.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// Where an error occurred.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The version of the file, which is read first if it has not been.
    ///
    /// # Errors
    /// When the source fails, or is no file of a version that is read.
    pub fn version(&mut self) -> Result<Version, ReadError> {
        if let Some(version) = self.version {
            return Ok(version);
        }
        while self.window.bytes().len() < HEADER_LEN {
            if !self.window.read_beyond(self.window.bytes().len())? {
                return Err(self.fail(RdbError::Truncated));
            }
        }
        let header = self.window.bytes().first_chunk().copied().unwrap_or_default();
        self.window.advance(HEADER_LEN);
        let version = match Version::of_header(header, self.options.version_check) {
            Ok(version) => version,
            Err(error) => return Err(self.fail(error)),
        };
        if !version.has_checksum() || !self.options.checks_sum {
            self.window.forget_checksum();
        }
        self.version = Some(version);
        Ok(version)
    }

    /// What comes next. After the end it is the end again.
    ///
    /// # Errors
    /// When the source fails, or its bytes are wrong. There is nothing behind an error.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would have to end, and this must not be forgotten"
    )]
    pub fn next(&mut self) -> Result<Event, ReadError> {
        let version = self.version()?;
        if let Some(end) = self.end {
            return Ok(Event::End(end));
        }
        loop {
            let start = self.window.start();
            let mut scan = Scan::new(self.window.bytes(), version);
            let item = scan.item(&self.templates);
            let len = scan.at();
            match item {
                Ok(Item::Record(frame)) => {
                    self.frames.push(frame.moved_by(start));
                    self.window.advance(len);
                    if self.window.start() < self.options.chunk_bytes {
                        continue;
                    }
                }
                // Records come before whatever follows them, errors included.
                _ if !self.frames.is_empty() => {}
                Ok(Item::Note(note)) => {
                    if let Some(event) = self.take_note(note, len)? {
                        return Ok(event);
                    }
                    continue;
                }
                Err(RdbError::Truncated) => {
                    if let Some(event) = self.read_on(version)? {
                        return Ok(event);
                    }
                    continue;
                }
                Err(error) => return Err(self.fail(error)),
            }
            return Ok(Event::Records(self.take_batch()));
        }
    }

    fn take_batch(&mut self) -> Batch {
        let (buffer, mut frames) = self.spares.pop().unwrap_or_default();
        let (bytes, offset) = self.window.take(buffer);
        std::mem::swap(&mut self.frames, &mut frames);
        Batch { bytes, frames, db: self.db, templates: self.templates.clone(), offset }
    }

    /// Takes a batch back that is done with, for its memory.
    pub fn recycle(&mut self, batch: Batch) {
        if self.spares.len() < SPARE_BUFFERS_MAX && batch.bytes.len() <= 2 * self.options.chunk_bytes {
            let mut frames = batch.frames;
            frames.clear();
            self.spares.push((batch.bytes, frames));
        }
    }

    /// Passes what is no key, of `len` bytes; the event that it is, if somebody has to know.
    fn take_note(&mut self, note: Note, len: usize) -> Result<Option<Event>, ReadError> {
        if note == Note::Template {
            // The bytes were looked at already; here they are kept.
            let bytes = &self.window.bytes()[1..len];
            if let Err(error) = self.templates.add(&mut Cursor::new(bytes)) {
                return Err(self.fail(error));
            }
        }
        self.window.advance(len);
        Ok(Some(match note {
            Note::Aux { name, value } => Event::Aux { name, value },
            Note::Function(code) => Event::Function(code),
            Note::SelectDb(db) => {
                self.db = db;
                Event::SelectDb(db)
            }
            Note::Sizes { keys, expires } => Event::Sizes { keys, expires },
            Note::SlotInfo { slot, keys, expires } => Event::SlotSizes { slot, keys, expires },
            Note::SlotImport { job, slots } => Event::SlotImport { job, slots },
            Note::ModuleAux(id) => Event::ModuleAux(id),
            Note::Template => return Ok(None),
            Note::End => Event::End(self.finish()?),
        }))
    }

    /// Compares the checksum.
    fn finish(&mut self) -> Result<ChecksumState, ReadError> {
        let mut state = ChecksumState::None;
        if self.version.is_some_and(Version::has_checksum) {
            let sum = self.window.checksum();
            let stored = loop {
                if let Some(bytes) = self.window.bytes().first_chunk() {
                    break u64::from_le_bytes(*bytes);
                }
                if !self.window.read_beyond(self.window.bytes().len())? {
                    return Err(self.fail_at(Stage::Checksum, RdbError::Truncated));
                }
            };
            self.window.advance(size_of::<u64>());
            state = match sum {
                None => ChecksumState::None,
                _ if stored == 0 => ChecksumState::Disabled,
                Some(sum) if sum == stored => ChecksumState::Right,
                Some(_) => return Err(self.fail_at(Stage::Checksum, RdbError::Checksum)),
            };
        }
        self.end = Some(state);
        Ok(state)
    }

    /// Gets more of what is not all there; the record, if it is one that is too large to wait for.
    fn read_on(&mut self, version: Version) -> Result<Option<Event>, ReadError> {
        let there = self.window.bytes().len();
        if there > self.options.record_bytes_max {
            let mut scan = Scan::new(self.window.bytes(), version);
            let _ = scan.item(&self.templates);
            if let (Some(kind), Some(key_at), Some(value_at)) = (scan.kind, scan.key_at, scan.value_at) {
                let info = scan.info();
                return self.read_big(info, kind, key_at, value_at).map(Some);
            }
        }
        // Not for a byte more only: what is there has to be looked at again.
        if self.window.read_beyond(there + there / 2)? {
            Ok(None)
        } else {
            Err(self.fail(RdbError::Truncated))
        }
    }

    fn read_big(
        &mut self,
        info: super::batch::KeyInfo,
        kind: ValueType,
        key_at: usize,
        value_at: usize,
    ) -> Result<Event, ReadError> {
        let key = match Cursor::new(&self.window.bytes()[key_at..value_at]).text() {
            Ok(key) => key.into_vec(),
            Err(error) => return Err(self.fail(error)),
        };
        self.window.advance(value_at);
        self.position = Position { offset: self.offset(), stage: Stage::Value, key: None, kind: Some(kind) };
        let (limits, templates) = (self.options.limits, self.templates.clone());
        let value = match Decoder::new(kind, &limits, &templates) {
            Ok(decoder) => self.feed(decoder),
            Err(error) => Err(error.into()),
        };
        let value = match value {
            Err(ReadError::Rdb(error)) if !error.is_of_value() => {
                self.position.offset = self.offset();
                self.position.key = Some(key);
                return Err(error.into());
            }
            Err(ReadError::Rdb(error)) => Err(error),
            Err(error) => return Err(error),
            Ok(value) => Ok(value),
        };
        Ok(Event::Big(Box::new(BigRecord { db: self.db, info, kind, key, value })))
    }

    /// Decodes a value from here on.
    fn feed(&mut self, mut decoder: Decoder<'_>) -> Result<super::decode::Value<'static>, ReadError> {
        loop {
            let there = self.window.bytes().len();
            let mut cursor = Cursor::new(self.window.bytes());
            let is_complete = decoder.feed(&mut cursor)?;
            let left = cursor.remaining();
            self.window.advance(there - left);
            if is_complete {
                return Ok(decoder.finish()?);
            }
            if !self.window.read_beyond(left + left / 2)? {
                return Err(RdbError::Truncated.into());
            }
        }
    }

    /// Notes where an error is.
    fn fail(&mut self, error: RdbError) -> ReadError {
        self.position.offset = self.offset();
        if let Some(version) = self.version {
            let mut scan = Scan::new(self.window.bytes(), version);
            let _ = scan.item(&self.templates);
            let key = scan.key_at.zip(scan.value_at).and_then(|(key_at, value_at)| {
                Cursor::new(&self.window.bytes()[key_at..value_at]).text().ok()
            });
            self.position = Position {
                offset: self.offset() + scan.at() as u64,
                stage: scan.stage,
                key: key.map(super::text::Text::into_vec),
                kind: scan.kind,
            };
        }
        error.into()
    }

    fn fail_at(&mut self, stage: Stage, error: RdbError) -> ReadError {
        self.position = Position { offset: self.offset(), stage, key: None, kind: None };
        error.into()
    }

    /// The source, and what was read of it beyond the end: a log that goes on where its snapshot ends.
    pub fn into_rest(self) -> (R, Vec<u8>) {
        self.window.into_rest()
    }
}

/// Whether a file begins so; what it begins with otherwise is a log.
pub fn is_rdb(first_bytes: &[u8]) -> bool {
    first_bytes.starts_with(b"REDIS") || first_bytes.starts_with(b"VALKEY")
}
