//! From the keyspace into a file of commands: the base of an append-only file where `aof-use-rdb-preamble` is no.
//!
//! As for a snapshot (`save`): what is told with a lock held is only encoded, and goes to the disk between two locks.

use std::io::Write as _;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ochre_keyspace::{SavedKey, SavedValue, SnapshotSink};
use ochre_persist::aof::{CommandEncoder, pinned_commands};
use ochre_persist::disk::FileWriter;
use ochre_persist::rdb::ValueRef;
use ochre_types::Pinned;

use super::save::{GATHERED_BYTES, PART_BYTES, SaveError, WRITING, delay};
use super::state::{Saved, Watch};

/// Takes what a snapshot tells.
pub(super) struct CommandSink<'s> {
    watch: &'s Watch,
    key_delay: Duration,
    file: Option<FileWriter>,
    failure: Option<SaveError>,
    encoder: CommandEncoder,
    keys: u64,
}

impl<'s> CommandSink<'s> {
    /// For a file that was made; where it could not be, everything is passed over.
    pub(super) fn new(
        file: Result<FileWriter, SaveError>,
        encoder: CommandEncoder,
        watch: &'s Watch,
        key_delay: Duration,
    ) -> CommandSink<'s> {
        let (file, failure) = match file {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(error)),
        };
        CommandSink { watch, key_delay, file, failure, encoder, keys: 0 }
    }

    fn flush(&mut self) -> Result<(), SaveError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(self.encoder.seal()).map_err(|error| SaveError::Io(WRITING, error))?;
        self.encoder.clear();
        Ok(())
    }

    fn take(&mut self, saved: SavedKey<'_>) -> Result<(), SaveError> {
        let SavedKey { db, key, value, expire_ms, .. } = saved;
        self.encoder.select(db);
        let value = match value {
            SavedValue::Int(number) => ValueRef::Int(number),
            SavedValue::Bytes(bytes) => ValueRef::String(bytes),
            SavedValue::Object(object) => ValueRef::Object(object),
            SavedValue::Pinned(pinned) => return self.take_pinned(key, pinned, expire_ms),
        };
        self.encoder.key(key, value, expire_ms);
        Ok(())
    }

    /// Writes a value in parts. No lock is held.
    fn take_pinned(
        &mut self,
        key: &[u8],
        mut pinned: Pinned,
        expire_ms: Option<i64>,
    ) -> Result<(), SaveError> {
        let mut parts = pinned_commands(&mut pinned);
        while !parts.write_part(&mut self.encoder, key, PART_BYTES) {
            self.flush()?;
            if self.watch.is_cancelled() {
                return Err(SaveError::Cancelled);
            }
        }
        self.encoder.expire(key, expire_ms);
        Ok(())
    }

    /// Ends the file, durably.
    pub(super) fn finish(mut self) -> Result<Saved, SaveError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.flush()?;
        let Some(file) = self.file.take() else { return Err(SaveError::Cancelled) };
        let bytes = file.position();
        file.finish().map_err(|error| SaveError::Io(WRITING, error))?;
        Ok(Saved { keys: self.keys, bytes })
    }
}

impl SnapshotSink for CommandSink<'_> {
    fn save(&mut self, key: SavedKey<'_>) {
        if self.failure.is_some() {
            return;
        }
        match self.take(key) {
            Ok(()) => {
                self.keys += 1;
                self.watch.keys_done.store(self.keys, Relaxed);
            }
            Err(error) => self.failure = Some(error),
        }
    }

    fn goes_on(&mut self) -> bool {
        if self.failure.is_none() && self.watch.is_cancelled() {
            self.failure = Some(SaveError::Cancelled);
        }
        if self.failure.is_none()
            && self.encoder.len() >= GATHERED_BYTES
            && let Err(error) = self.flush()
        {
            self.failure = Some(error);
        }
        if self.failure.is_none() {
            delay(self.key_delay, self.watch);
        }
        self.failure.is_none()
    }
}
