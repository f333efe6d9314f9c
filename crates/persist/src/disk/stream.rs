//! Files as streams of bytes, for what is read or written from one end to the other: snapshots above all.

use std::io::{self, Read, Write};

use super::{DiskFile, write_all_at};

/// Reads a file from a position on.
pub struct FileReader<'a> {
    file: &'a dyn DiskFile,
    position: u64,
}

impl<'a> FileReader<'a> {
    /// A reader that begins at `position`.
    pub fn new(file: &'a dyn DiskFile, position: u64) -> FileReader<'a> {
        FileReader { file, position }
    }

    /// Where the next byte is read.
    pub fn position(&self) -> u64 {
        self.position
    }
}

impl Read for FileReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.position, into)?;
        self.position += read as u64;
        Ok(read)
    }
}

/// Writes a file from its start on. It has no buffer of its own: hand it large pieces.
pub struct FileWriter {
    file: Box<dyn DiskFile>,
    position: u64,
    synced: u64,
    sync_every_bytes: Option<u64>,
}

impl FileWriter {
    /// A writer of an empty file that makes it durable every so many bytes, so that the last sync finds little to do.
    pub fn new(file: Box<dyn DiskFile>, sync_every_bytes: Option<u64>) -> FileWriter {
        FileWriter { file, position: 0, synced: 0, sync_every_bytes }
    }

    /// How many bytes were written.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Makes everything durable, and gives the file back.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn finish(mut self) -> io::Result<Box<dyn DiskFile>> {
        self.file.sync_data()?;
        Ok(self.file)
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_all_at(&mut *self.file, self.position, bytes)?;
        self.position += bytes.len() as u64;
        if self.sync_every_bytes.is_some_and(|every| self.position - self.synced >= every) {
            self.file.sync_data()?;
            self.synced = self.position;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
