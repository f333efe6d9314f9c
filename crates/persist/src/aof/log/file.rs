//! The file that is being written, with what of it is not durable.

use std::path::PathBuf;
use std::sync::Arc;

use super::buffer::Buffer;
use crate::disk::{Access, Disk, DiskError, DiskFile, write_all_at};

/// How a file came back after a sync failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Restored {
    /// Everything was written again.
    Whole,
    /// What was not durable was not kept: nobody knows what of it is.
    WithGap,
}

/// The file that is being written.
pub(super) struct LogFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// `None` after a sync failed.
    handle: Option<Box<dyn DiskFile>>,
    /// Bytes of whole units.
    len: u64,
    /// How many of them are durable, as far as anybody knows.
    durable_len: u64,
    /// The bytes from there on, unless some were not kept.
    kept: Vec<Buffer>,
    is_kept: bool,
}

const WRITE: &str = "Error writing to the AOF file";
const SYNC: &str = "Can't persist the AOF file";

impl LogFile {
    /// A file that has `len` bytes, all of them durable.
    pub(super) fn new(disk: Arc<dyn Disk>, path: PathBuf, handle: Box<dyn DiskFile>, len: u64) -> LogFile {
        LogFile { disk, path, handle: Some(handle), len, durable_len: len, kept: Vec::new(), is_kept: true }
    }

    /// Its length.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes that are not durable.
    pub(super) fn unsynced_bytes(&self) -> u64 {
        self.len - self.durable_len
    }

    /// It has another name now.
    pub(super) fn renamed(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// Whether a sync failed and nothing was done about it.
    pub(super) fn is_poisoned(&self) -> bool {
        self.handle.is_none()
    }

    /// Writes behind all there is. Where that fails the file is as before, or at least looks so from the next write on.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        let Some(handle) = &mut self.handle else { return Err(self.poisoned()) };
        let result = write_all_at(&mut **handle, self.len, bytes);
        if result.is_err() {
            // What stays if this fails too is overwritten by the next attempt, or is a cut end to recovery.
            let _ = handle.truncate(self.len);
        }
        result.map_err(DiskError::on(WRITE, &self.path))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Keeps what was just written until it is durable.
    pub(super) fn keep(&mut self, buffer: Buffer) {
        if self.is_kept {
            self.kept.push(buffer);
        }
    }

    /// What was just written is not kept.
    pub(super) fn forgo(&mut self) {
        self.is_kept = false;
        self.kept = Vec::new();
    }

    /// Makes everything durable; a buffer to be used again.
    pub(super) fn sync(&mut self) -> Result<Option<Buffer>, DiskError> {
        let Some(handle) = &mut self.handle else { return Err(self.poisoned()) };
        if let Err(error) = handle.sync_data() {
            self.handle = None;
            return Err(DiskError::on(SYNC, &self.path)(error));
        }
        self.durable_len = self.len;
        self.is_kept = true;
        let buffer = self.kept.pop();
        self.kept.clear();
        Ok(buffer)
    }

    /// Opens the file anew after a sync failed, and writes again what is not known to be durable: the same bytes to the same
    /// places, so that it does not matter which of them are there.
    pub(super) fn restore(&mut self) -> Result<Restored, DiskError> {
        let mut handle =
            self.disk.open(&self.path, Access::Write).map_err(DiskError::on(SYNC, &self.path))?;
        if !self.is_kept {
            self.handle = Some(handle);
            return Ok(Restored::WithGap);
        }
        let mut position = self.durable_len;
        for Buffer { bytes, .. } in &self.kept {
            write_all_at(&mut *handle, position, bytes).map_err(DiskError::on(WRITE, &self.path))?;
            position += bytes.len() as u64;
        }
        debug_assert_eq!(position, self.len, "all bytes since the last sync are kept, or none");
        self.handle = Some(handle);
        Ok(Restored::Whole)
    }

    /// The error of what a failed sync may have lost.
    pub(super) fn poisoned(&self) -> DiskError {
        DiskError::on(SYNC, &self.path)(std::io::Error::other("an earlier sync of this file failed"))
    }
}
