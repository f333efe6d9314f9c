//! From the keyspace into a file of commands: the base of an append-only file where `aof-use-rdb-preamble` is no.

use std::io::Write as _;

use ochre_keyspace::{SavedKey, SavedValue};
use ochre_persist::aof::{CommandEncoder, pinned_commands};
use ochre_persist::disk::FileWriter;
use ochre_persist::rdb::ValueRef;
use ochre_types::Pinned;

use super::gather::Recorder;
use super::save::{PART_BYTES, SaveError, WRITING};
use super::state::Watch;

/// A file of commands.
pub(super) struct CommandRecorder {
    pub(super) file: FileWriter,
    pub(super) encoder: CommandEncoder,
}

impl CommandRecorder {
    /// Writes a value in parts. No lock is held.
    fn take_pinned(
        &mut self,
        key: &[u8],
        mut pinned: Pinned,
        expire_ms: Option<i64>,
        watch: &Watch,
    ) -> Result<(), SaveError> {
        let mut parts = pinned_commands(&mut pinned);
        while !parts.write_part(&mut self.encoder, key, PART_BYTES) {
            self.flush()?;
            if watch.is_cancelled() {
                return Err(SaveError::Cancelled);
            }
        }
        self.encoder.expire(key, expire_ms);
        Ok(())
    }
}

impl Recorder for CommandRecorder {
    fn take(&mut self, saved: SavedKey<'_>, watch: &Watch) -> Result<(), SaveError> {
        let SavedKey { db, key, value, expire_ms, .. } = saved;
        self.encoder.select(db);
        let value = match value {
            SavedValue::Int(number) => ValueRef::Int(number),
            SavedValue::Bytes(bytes) => ValueRef::String(bytes),
            SavedValue::Object(object) => ValueRef::Object(object),
            SavedValue::Pinned(pinned) => return self.take_pinned(key, pinned, expire_ms, watch),
        };
        self.encoder.key(key, value, expire_ms);
        Ok(())
    }

    fn gathered_bytes(&self) -> usize {
        self.encoder.len()
    }

    fn flush(&mut self) -> Result<(), SaveError> {
        self.file.write_all(self.encoder.seal()).map_err(|error| SaveError::Io(WRITING, error))?;
        self.encoder.clear();
        Ok(())
    }

    fn finish(self) -> Result<u64, SaveError> {
        let bytes = self.file.position();
        self.file.finish().map_err(|error| SaveError::Io(WRITING, error))?;
        Ok(bytes)
    }
}
