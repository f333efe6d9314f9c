//! From the keyspace into a file: a snapshot, or the base of an append-only file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ochre_config::Directive;
use ochre_keyspace::access::{self, Lfu};
use ochre_keyspace::{Policy, SavedKey, SavedValue, Snapshot};
use ochre_persist::aof::{BaseFormat, CommandEncoder};
use ochre_persist::disk::{Disk, FileWriter, write_all_at};
use ochre_persist::rdb::{
    Access, CannotHold, EncodeOptions, Encoder, KeyInfo, ValueRef, WriteError, WriteOptions, Writer,
    pinned_writer,
};
use ochre_script::Library;

use super::commands::CommandRecorder;
use super::gather::{Recorder, gather};
use super::state::{Saved, Watch};
use crate::engine::{Engine, REDIS_VERSION, clock_ms};

/// Bytes of a part of a big value.
pub(super) const PART_BYTES: usize = 256 * 1024;
/// The file is made durable every so many bytes, so that the end does not have to wait for all of it.
const SYNC_BYTES: u64 = 4 * 1024 * 1024;

/// Why there is no snapshot.
#[derive(Debug)]
pub(crate) enum SaveError {
    /// The disk.
    Io(&'static str, io::Error),
    /// A value that the file's version cannot hold.
    CannotHold(CannotHold),
    /// Nobody wants it any more.
    Cancelled,
}

impl fmt::Display for SaveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SaveError::Io(action, error) => write!(formatter, "{action}: {error}"),
            SaveError::CannotHold(error) => error.fmt(formatter),
            SaveError::Cancelled => formatter.write_str("Cancelled"),
        }
    }
}

impl From<WriteError> for SaveError {
    fn from(error: WriteError) -> SaveError {
        match error {
            WriteError::Io(error) => SaveError::Io(WRITING, error),
            WriteError::CannotHold(error) => SaveError::CannotHold(error),
        }
    }
}

pub(super) const WRITING: &str = "Write error while saving DB to the disk(rdbSaveRio)";

/// Where a snapshot is written until it is complete.
fn temporary_in(dir: &Path, job: &Watch) -> PathBuf {
    let process = std::process::id();
    dir.join(match job.number {
        None => format!("temp-{process}.rdb"),
        Some(number) => format!("temp-{process}.{number}.rdb"),
    })
}

impl Engine {
    /// Removes what there is of a snapshot that is being written: for whoever ends the process at once.
    pub fn remove_unfinished_snapshot(&self) {
        let Some(job) = self.persistence.present() else { return };
        let temporary = temporary_in(&super::load::dir(&self.config.read()), &job);
        // It may have got its name by now.
        let _ = self.persistence.disk().remove(&temporary);
    }
}

/// What a snapshot is written as, and where.
struct Form {
    path: PathBuf,
    /// Whether a log goes on where it ends.
    is_base: bool,
    compresses: bool,
    has_checksum: bool,
    syncs_on_the_way: bool,
    key_delay: Duration,
    policy: Policy,
    lfu: Lfu,
    /// The libraries of functions, as they are at the instant of the snapshot.
    libraries: Vec<Arc<Library>>,
}

/// A snapshot that takes the place of the last one.
pub(super) struct Job {
    watch: Arc<Watch>,
    form: Form,
    path: PathBuf,
}

impl Job {
    /// What is to be written for a job that was claimed. To be made while the snapshot's view holds all stripes.
    pub(super) fn of(engine: &Engine, watch: Arc<Watch>) -> Job {
        let (dir, name) = {
            let config = engine.config.read();
            (super::load::dir(&config), super::load::text(&config, Directive::Dbfilename))
        };
        let form = Form::of(engine, temporary_in(&dir, &watch), false);
        Job { watch, form, path: dir.join(name) }
    }

    /// Writes a snapshot. It is walked to its end whatever happens.
    pub(super) fn run(self, engine: &Engine, snapshot: Snapshot) -> Result<Saved, SaveError> {
        let (persistence, disk) = (&engine.persistence, engine.persistence.disk());
        let result = self.form.write(engine, snapshot, &self.watch);
        match &result {
            Ok(_) => {}
            // What is left of it is of no use; that it cannot be removed changes nothing.
            Err(_) => _ = disk.remove(&self.form.path),
        }
        let saved = result?;
        let placed = persistence.place(&self.watch, || disk.rename(&self.form.path, &self.path));
        let placed = placed.ok_or(SaveError::Cancelled).and_then(|renamed| {
            renamed
                .map_err(|error| SaveError::Io("Error moving temp DB file on the final destination", error))
        });
        if let Err(error) = placed {
            _ = disk.remove(&self.form.path);
            return Err(error);
        }
        let dir = self.path.parent().unwrap_or(Path::new("."));
        disk.sync_dir(dir)
            .map_err(|error| SaveError::Io("Failed to fsync the directory of the DB", error))?;
        Ok(saved)
    }
}

/// A snapshot that a log begins with.
pub(crate) struct Base {
    form: Form,
    format: BaseFormat,
    has_sums: bool,
    has_timestamps: bool,
}

impl Base {
    /// The base in the file at `path`.
    pub(crate) fn of(engine: &Engine, path: PathBuf, format: BaseFormat) -> Base {
        let (has_sums, has_timestamps) = {
            let config = engine.config.read();
            (config.bool(Directive::AofChecksum), config.bool(Directive::AofTimestampEnabled))
        };
        Base { form: Form::of(engine, path, true), format, has_sums, has_timestamps }
    }

    /// Writes it, durably. The snapshot is walked to its end whatever happens.
    pub(crate) fn write(
        &self,
        engine: &Engine,
        snapshot: Snapshot,
        watch: &Watch,
    ) -> Result<Saved, SaveError> {
        match self.format {
            BaseFormat::Rdb => self.form.write(engine, snapshot, watch),
            BaseFormat::Aof => self.write_commands(engine, snapshot, watch),
        }
    }

    fn write_commands(&self, engine: &Engine, snapshot: Snapshot, watch: &Watch) -> Result<Saved, SaveError> {
        let mut encoder = CommandEncoder::new(self.has_sums);
        if self.has_timestamps {
            encoder.timestamp(u64::try_from(clock_ms() / 1000).unwrap_or(0));
        }
        for library in &self.form.libraries {
            encoder.command(&[b"FUNCTION", b"LOAD", library.code()]);
        }
        let file = self.form.create(&*engine.persistence.disk());
        let begun = file.map(|file| CommandRecorder { file, encoder });
        gather(&engine.keyspace, snapshot, begun, watch, self.form.key_delay)
    }
}

impl Form {
    fn of(engine: &Engine, path: PathBuf, is_base: bool) -> Form {
        let (config, settings) = (engine.config.read(), &engine.keyspace.settings);
        let syncs = match is_base {
            true => Directive::AofRewriteIncrementalFsync,
            false => Directive::RdbSaveIncrementalFsync,
        };
        Form {
            path,
            is_base,
            compresses: config.bool(Directive::Rdbcompression),
            has_checksum: config.bool(Directive::Rdbchecksum),
            syncs_on_the_way: config.bool(syncs),
            key_delay: Duration::from_micros(
                u64::try_from(config.int(Directive::RdbKeySaveDelay)).unwrap_or(0),
            ),
            policy: settings.policy(),
            lfu: settings.lfu(),
            libraries: engine.scripting.libraries(),
        }
    }

    fn write(&self, engine: &Engine, snapshot: Snapshot, watch: &Watch) -> Result<Saved, SaveError> {
        let sizes = snapshot.databases().collect();
        let begun =
            self.begin(&*engine.persistence.disk()).map(|writer| RdbRecorder::new(self, writer, sizes));
        gather(&engine.keyspace, snapshot, begun, watch, self.key_delay)
    }

    fn create(&self, disk: &dyn Disk) -> Result<FileWriter, SaveError> {
        let opening = "Failed opening the temp RDB file for saving";
        let file = disk.create(&self.path).map_err(|error| SaveError::Io(opening, error))?;
        Ok(FileWriter::new(file, self.syncs_on_the_way.then_some(SYNC_BYTES)))
    }

    fn begin(&self, disk: &dyn Disk) -> Result<Writer<FileWriter>, SaveError> {
        let file = self.create(disk)?;
        let encode = self.encode_options();
        let mut writer = Writer::new(file, WriteOptions { encode, has_checksum: self.has_checksum })
            .map_err(|error| SaveError::Io(WRITING, error))?;
        let used_bytes = ochre_memory::used_bytes().to_string();
        let fields: [(&str, &str); 5] = [
            ("redis-ver", REDIS_VERSION),
            ("redis-bits", "64"),
            ("ctime", &(clock_ms() / 1000).to_string()),
            ("used-mem", &used_bytes),
            ("aof-base", if self.is_base { "1" } else { "0" }),
        ];
        for (name, value) in fields {
            let written = writer.aux(name.as_bytes(), value.as_bytes());
            written.map_err(|error| SaveError::Io(WRITING, error))?;
        }
        for library in &self.libraries {
            writer.function(library.code()).map_err(|error| SaveError::Io(WRITING, error))?;
        }
        Ok(writer)
    }

    fn encode_options(&self) -> EncodeOptions {
        EncodeOptions { compresses: self.compresses, ..EncodeOptions::default() }
    }

    fn info(&self, expire_ms: Option<i64>, clock: u32, now_ms: i64) -> KeyInfo {
        let access = if self.policy.is_lfu() {
            Some(Access::Frequency(access::frequency(clock, now_ms, self.lfu).min(255) as u8))
        } else {
            let is_tracked = self.policy.is_lru();
            is_tracked.then(|| Access::Idle((access::idle_ms(clock, now_ms) / 1000).max(0) as u64))
        };
        KeyInfo { expire_ms, access }
    }
}

/// A snapshot file.
struct RdbRecorder<'s> {
    form: &'s Form,
    writer: Writer<FileWriter>,
    sizes: Vec<(u32, usize, usize)>,
    /// What was encoded and is not in the file yet: runs of keys of one database.
    gathered: Vec<(u32, Encoder)>,
    /// The database of the last key that is in the file.
    db: Option<u32>,
    now_ms: i64,
}

impl<'s> RdbRecorder<'s> {
    fn new(form: &'s Form, writer: Writer<FileWriter>, sizes: Vec<(u32, usize, usize)>) -> RdbRecorder<'s> {
        RdbRecorder { form, writer, sizes, gathered: Vec::new(), db: None, now_ms: clock_ms() }
    }

    /// The encoder for keys of a database.
    fn encoder(&mut self, db: u32) -> Option<&mut Encoder> {
        if self.gathered.last().is_none_or(|(of, _)| *of != db) {
            self.gathered.push((db, Encoder::new(self.form.encode_options())));
        }
        self.gathered.last_mut().map(|(_, encoder)| encoder)
    }

    /// Writes a value in parts. No lock is held.
    fn take_pinned(
        &mut self,
        db: u32,
        key: &[u8],
        info: KeyInfo,
        mut pinned: ochre_types::Pinned,
        watch: &Watch,
    ) -> Result<(), SaveError> {
        let target = self.form.encode_options().target;
        let mut parts = pinned_writer(&mut pinned, target).map_err(SaveError::CannotHold)?;
        let Some(encoder) = self.encoder(db) else { return Ok(()) };
        encoder.begin_record(key, info, &mut *parts).map_err(SaveError::CannotHold)?;
        loop {
            let Some(encoder) = self.encoder(db) else { return Ok(()) };
            if parts.write_part(encoder, PART_BYTES) {
                return Ok(());
            }
            self.flush()?;
            if watch.is_cancelled() {
                return Err(SaveError::Cancelled);
            }
        }
    }
}

impl Recorder for RdbRecorder<'_> {
    fn take(&mut self, saved: SavedKey<'_>, watch: &Watch) -> Result<(), SaveError> {
        let SavedKey { db, key, value, expire_ms, access } = saved;
        let info = self.form.info(expire_ms, access, self.now_ms);
        let Some(encoder) = self.encoder(db) else { return Ok(()) };
        let recorded = match value {
            SavedValue::Int(number) => encoder.record(key, info, ValueRef::Int(number)),
            SavedValue::Bytes(bytes) => encoder.record(key, info, ValueRef::String(bytes)),
            SavedValue::Object(object) => encoder.record(key, info, ValueRef::Object(object)),
            SavedValue::Pinned(pinned) => return self.take_pinned(db, key, info, pinned, watch),
        };
        recorded.map_err(SaveError::CannotHold)
    }

    fn gathered_bytes(&self) -> usize {
        self.gathered.iter().map(|(_, encoder)| encoder.bytes().len()).sum()
    }

    fn flush(&mut self) -> Result<(), SaveError> {
        let wrap = |error| SaveError::Io(WRITING, error);
        for (db, encoder) in &mut self.gathered {
            if self.db != Some(*db) {
                let size = self.sizes.iter().find(|(of, ..)| of == db);
                let (keys, expires) = size.map_or((0, 0), |(_, keys, expires)| (*keys, *expires));
                self.writer.select_db(u64::from(*db), keys as u64, expires as u64).map_err(wrap)?;
                self.db = Some(*db);
            }
            self.writer.append(encoder).map_err(wrap)?;
        }
        // The last buffer is used again.
        let kept = self.gathered.len().saturating_sub(1);
        self.gathered.drain(..kept);
        Ok(())
    }

    fn finish(self) -> Result<u64, SaveError> {
        let wrap = |error| SaveError::Io(WRITING, error);
        let (file, written) = self.writer.finish().map_err(wrap)?;
        let mut file = file.finish().map_err(wrap)?;
        if let Some(header) = written.header {
            write_all_at(&mut *file, 0, &header).map_err(wrap)?;
            file.sync_data().map_err(wrap)?;
        }
        Ok(written.bytes)
    }
}
