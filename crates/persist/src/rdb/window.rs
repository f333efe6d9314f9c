//! The part of a source that is looked at: bytes that were read and are not done with yet.
//!
//! ```text
//! |  done with  |  to be looked at  |  free  |
//!               ^ start             ^ end
//! ```
//!
//! The buffer only grows when it is full of bytes that are still needed, and then doubles: nothing that a file claims makes it
//! larger than twice what was read. The checksum follows what is done with, while that is still in the caches.

use std::io::{self, Read};

use super::checksum::Crc64;

/// A source and what was read of it.
pub(super) struct Window<R> {
    source: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Where in the source `bytes` begin.
    offset: u64,
    /// How far of `bytes` the checksum has got.
    summed: usize,
    checksum: Option<Crc64>,
    chunk_bytes: usize,
    is_at_end: bool,
}

impl<R: Read> Window<R> {
    /// Nothing read yet; `chunk_bytes` are read at a time.
    pub(super) fn new(source: R, chunk_bytes: usize) -> Window<R> {
        Window {
            source,
            bytes: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            summed: 0,
            checksum: Some(Crc64::new()),
            chunk_bytes: chunk_bytes.max(1),
            is_at_end: false,
        }
    }

    /// What is to be looked at.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where in the source they begin.
    pub(super) fn offset(&self) -> u64 {
        self.offset + self.start as u64
    }

    /// Where in the buffer they begin: positions in a buffer that is taken are from its own start.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Is done with the first `len` bytes.
    pub(super) fn advance(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// Does without a checksum from now on.
    pub(super) fn forget_checksum(&mut self) {
        self.checksum = None;
    }

    /// The checksum of all that is done with.
    pub(super) fn checksum(&mut self) -> Option<u64> {
        self.sum_up();
        self.checksum.as_ref().map(Crc64::sum)
    }

    fn sum_up(&mut self) {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&self.bytes[self.summed..self.start]);
        }
        self.summed = self.start;
    }

    /// Reads until there are more than `len` bytes to look at, unless the source ends; whether there are more than there were.
    pub(super) fn read_beyond(&mut self, len: usize) -> io::Result<bool> {
        let before = self.bytes().len();
        while self.bytes().len() <= len && !self.is_at_end {
            self.make_room();
            match self.source.read(&mut self.bytes[self.end..]) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.bytes().len() > before)
    }

    fn make_room(&mut self) {
        if self.end < self.bytes.len() {
            return;
        }
        if self.start > 0 {
            self.sum_up();
            self.bytes.copy_within(self.start..self.end, 0);
            self.offset += self.start as u64;
            self.end -= self.start;
            (self.start, self.summed) = (0, 0);
        }
        if self.end == self.bytes.len() {
            self.bytes.resize((2 * self.end).max(self.chunk_bytes), 0);
        }
    }

    /// Hands over the buffer with all that is done with in it, and where in the source it begins; goes on with `spare`.
    pub(super) fn take(&mut self, mut spare: Vec<u8>) -> (Vec<u8>, u64) {
        self.sum_up();
        let rest = self.end - self.start;
        if spare.len() < rest.max(self.chunk_bytes) {
            spare.resize(rest.max(self.chunk_bytes), 0);
        }
        spare[..rest].copy_from_slice(&self.bytes[self.start..self.end]);
        let taken = (std::mem::replace(&mut self.bytes, spare), self.offset);
        self.offset += self.start as u64;
        (self.start, self.end, self.summed) = (0, rest, 0);
        taken
    }

    /// The source, and what was read of it and not looked at.
    pub(super) fn into_rest(self) -> (R, Vec<u8>) {
        let rest = self.bytes().to_vec();
        (self.source, rest)
    }
}
