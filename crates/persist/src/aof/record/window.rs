//! The part of a file that is being read: a buffer that slides over it.
//!
//! It holds what begins at the first byte that is still needed, and grows to what one unit or frame takes; the reader's
//! limits bound that. Bytes are asked for by how many are needed, and read in larger pieces.

use std::io;

use crate::disk::{DiskFile, read_full_at};

/// How much is read at once.
const PIECE_BYTES: usize = 256 * 1024;
/// A buffer that grew beyond this is given back.
const KEPT_BYTES: usize = 8 * PIECE_BYTES;

pub(super) struct Window<'f> {
    file: &'f dyn DiskFile,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    origin: u64,
    /// Bytes at the start of the buffer that are no longer needed.
    passed: usize,
    at_end: bool,
}

impl<'f> Window<'f> {
    pub(super) fn new(file: &'f dyn DiskFile, position: u64) -> Window<'f> {
        Window { file, buffer: Vec::new(), origin: position, passed: 0, at_end: false }
    }

    /// Position in the file of the first byte that is needed.
    pub(super) fn position(&self) -> u64 {
        self.origin + self.passed as u64
    }

    /// What there is from that byte on.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.passed..).unwrap_or_default()
    }

    /// Has `len` bytes from that byte on in the buffer, unless the file ends before them; whether they are there.
    pub(super) fn want(&mut self, len: usize) -> io::Result<bool> {
        while self.bytes().len() < len && !self.at_end {
            self.slide();
            let start = self.buffer.len();
            let missing = len - self.bytes().len();
            // A length that is wrong must not cost memory that the file does not fill.
            let more = missing.max(PIECE_BYTES).min(start.max(PIECE_BYTES));
            self.buffer.resize(start + more, 0);
            let read = read_full_at(
                self.file,
                self.origin + start as u64,
                self.buffer.get_mut(start..).unwrap_or_default(),
            );
            self.buffer.truncate(start + *read.as_ref().unwrap_or(&0));
            self.at_end = read? < more;
        }
        Ok(self.bytes().len() >= len)
    }

    /// The first `len` bytes are no longer needed.
    pub(super) fn pass(&mut self, len: usize) {
        self.passed = (self.passed + len).min(self.buffer.len());
    }

    fn slide(&mut self) {
        self.origin += self.passed as u64;
        self.buffer.drain(..self.passed);
        self.passed = 0;
        if self.buffer.capacity() > KEPT_BYTES && self.buffer.len() < PIECE_BYTES {
            self.buffer.shrink_to(PIECE_BYTES);
        }
    }
}
