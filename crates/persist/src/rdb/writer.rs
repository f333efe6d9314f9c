//! Writing a file: the header, what is no key, records, and the end, to any sink.
//!
//! The version stands in the first bytes, but what the values need is known at the end. A writer that may choose the
//! version begins with the oldest one and says at the end which header is the right one; the checksum is that of the
//! right one, as sums of two parts can be combined. Whoever cannot go back in a sink (a full synchronization) sets the
//! version.
//!
//! Records come from an [`Encoder`], the writer's own or others': they can be made on several threads.

use std::io::{self, Write};

use super::batch::KeyInfo;
use super::checksum::{Crc64, combine, crc64};
use super::encode::{CannotHold, EncodeOptions, Encoder, ValueRef};
use super::format::opcode;
use super::version::{HEADER_LEN, Version};

/// Bytes that are gathered before they go to the sink.
const BUFFER_BYTES: usize = 64 << 10;

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions {
    /// For which version, and whether texts are compressed.
    pub encode: EncodeOptions,
    /// Whether there is a checksum (`rdbchecksum`).
    pub has_checksum: bool,
}

impl Default for WriteOptions {
    fn default() -> WriteOptions {
        let encode = EncodeOptions { compresses: true, ..EncodeOptions::default() };
        WriteOptions { encode, has_checksum: true }
    }
}

/// Why writing failed.
#[derive(Debug)]
pub enum WriteError {
    /// The sink did.
    Io(io::Error),
    /// The version cannot hold the value. The file is as it was before.
    CannotHold(CannotHold),
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WriteError::Io(error) => error.fmt(formatter),
            WriteError::CannotHold(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> WriteError {
        WriteError::Io(error)
    }
}

impl From<CannotHold> for WriteError {
    fn from(error: CannotHold) -> WriteError {
        WriteError::CannotHold(error)
    }
}

/// A file that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// All its bytes.
    pub bytes: u64,
    /// Its version.
    pub version: Version,
    /// The header that must replace the first bytes of the sink, if the values needed a newer version than the file began
    /// with.
    pub header: Option<[u8; HEADER_LEN]>,
}

/// A file that is being written.
pub struct Writer<W> {
    sink: W,
    encoder: Encoder,
    begun_with: Version,
    needed: Version,
    /// The checksum of everything behind the header, and its length.
    checksum: Option<Crc64>,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn new(mut sink: W, options: WriteOptions) -> io::Result<Writer<W>> {
        let begun_with = options.encode.target.version();
        sink.write_all(&begun_with.header())?;
        Ok(Writer {
            sink,
            encoder: Encoder::new(options.encode),
            begun_with,
            needed: begun_with,
            checksum: options.has_checksum.then(Crc64::new),
            bytes: 0,
        })
    }

    /// Writes a field about the file.
    ///
    /// # Errors
    /// When the sink fails, as for all others.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) -> io::Result<()> {
        self.encoder.push_byte(opcode::AUX);
        self.encoder.push_text(name);
        self.encoder.push_text(value);
        self.flush_if_full()
    }

    /// Writes a library of functions.
    #[expect(clippy::missing_errors_doc, reason = "as above")]
    pub fn function(&mut self, code: &[u8]) -> io::Result<()> {
        self.need(Version::V10);
        self.encoder.push_byte(opcode::FUNCTION);
        self.encoder.push_text(code);
        self.flush_if_full()
    }

    /// Goes on with the keys of a database, and says how many there are and how many of them expire.
    #[expect(clippy::missing_errors_doc, reason = "as above")]
    pub fn select_db(&mut self, db: u64, keys: u64, expires: u64) -> io::Result<()> {
        self.encoder.push_byte(opcode::SELECT_DB);
        self.encoder.push_length(db);
        self.encoder.push_byte(opcode::RESIZE_DB);
        self.encoder.push_length(keys);
        self.encoder.push_length(expires);
        self.flush_if_full()
    }

    /// Writes a key with its value.
    ///
    /// # Errors
    /// When the sink fails, or the version cannot hold the value.
    pub fn record(&mut self, key: &[u8], info: KeyInfo, value: ValueRef<'_>) -> Result<(), WriteError> {
        self.encoder.record(key, info, value)?;
        Ok(self.flush_if_full()?)
    }

    /// Takes records that were written elsewhere for the same version, and empties their buffer.
    #[expect(clippy::missing_errors_doc, reason = "as above")]
    pub fn append(&mut self, records: &mut Encoder) -> io::Result<()> {
        self.flush()?;
        self.put(records.bytes())?;
        self.need(records.needed_version());
        records.clear();
        Ok(())
    }

    /// Writes what is gathered to the sink.
    #[expect(clippy::missing_errors_doc, reason = "as above")]
    pub fn flush(&mut self) -> io::Result<()> {
        let mut encoder = std::mem::replace(&mut self.encoder, Encoder::new(EncodeOptions::default()));
        let put = self.put(encoder.bytes());
        self.need(encoder.needed_version());
        encoder.clear();
        self.encoder = encoder;
        put
    }

    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.encoder.bytes().len() < BUFFER_BYTES { Ok(()) } else { self.flush() }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sink.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        if let Some(checksum) = &mut self.checksum {
            checksum.update(bytes);
        }
        Ok(())
    }

    fn need(&mut self, version: Version) {
        self.needed = self.needed.max(version);
    }

    /// Bytes of the file so far, those that are gathered included.
    pub fn bytes(&self) -> u64 {
        HEADER_LEN as u64 + self.bytes + self.encoder.bytes().len() as u64
    }

    /// Ends the file; the sink is given back.
    ///
    /// # Errors
    /// When the sink fails.
    pub fn finish(mut self) -> io::Result<(W, Written)> {
        self.encoder.push_byte(opcode::EOF);
        self.flush()?;
        let header = self.needed.header();
        let sum = self.checksum.as_ref().map_or(0, |body| combine(crc64(&header), body.sum(), self.bytes));
        self.sink.write_all(&sum.to_le_bytes())?;
        self.sink.flush()?;
        let written = Written {
            bytes: self.bytes() + size_of::<u64>() as u64,
            version: self.needed,
            header: (self.needed != self.begun_with).then_some(header),
        };
        Ok((self.sink, written))
    }
}
