//! From a file into the keyspace, on all cores: one thread cuts the file into records, the others decode them and put them
//! in.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use ochre_config::{Config, Directive, RdbVersionCheck};
use ochre_keyspace::{Effects, Locks, Policy};
use ochre_persist::disk::{Access as FileAccess, DiskFile, FileReader};
use ochre_persist::rdb::{
    Batch, Event, KeyInfo, Limits, RdbError, ReadError, ReadOptions, Reader, Value, ValueType, Version,
    VersionCheck,
};

use super::progress::LoadProgress;
use super::value::{access_clock, hand_over, limits};
use crate::engine::{Engine, clock_ms};

/// Batches that may wait for a thread that decodes them.
const BATCHES_AHEAD: usize = 8;

/// Why a file was not loaded.
#[derive(Debug)]
pub enum LoadFailure {
    /// It cannot be read.
    Io(io::Error),
    /// It is damaged, or holds what cannot be loaded.
    Rdb(RdbError),
    /// So is the value of this key, which says that it is of this type.
    Value(Vec<u8>, ValueType, RdbError),
    /// It has a record of this type, which is not known, and is itself of this version, which is not known either.
    Foreign(u8, Version),
    /// It has more databases than are configured.
    Database(u64),
    /// It has a key twice.
    Duplicate(Vec<u8>),
    /// A library of functions in it cannot be loaded.
    Library(Vec<u8>),
}

impl fmt::Display for LoadFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadFailure::Io(error) => error.fmt(formatter),
            LoadFailure::Rdb(RdbError::Type(code)) => {
                write!(
                    formatter,
                    "Unknown type or opcode when loading DB. Unrecoverable error, aborting now. ({code})"
                )
            }
            LoadFailure::Rdb(error) => error.fmt(formatter),
            LoadFailure::Value(key, _, error) if error.is_unsupported() => {
                write!(formatter, "Key '{}': {error}", key.escape_ascii())
            }
            LoadFailure::Value(key, kind, error) => write!(
                formatter,
                "Key '{}': {} integrity check failed: {error}",
                key.escape_ascii(),
                kind.structure()
            ),
            LoadFailure::Foreign(code, version) => write!(
                formatter,
                "Can't handle foreign type or opcode {code} in RDB with version {}",
                version.number()
            ),
            LoadFailure::Database(db) => write!(
                formatter,
                "FATAL: Data file was created with a Redis server configured to handle more than {db} databases"
            ),
            LoadFailure::Duplicate(key) => {
                write!(formatter, "RDB has duplicated key '{}'", key.escape_ascii())
            }
            LoadFailure::Library(text) => {
                write!(formatter, "Failed creating the library: {}", String::from_utf8_lossy(text))
            }
        }
    }
}

impl From<ReadError> for LoadFailure {
    fn from(error: ReadError) -> LoadFailure {
        match error {
            ReadError::Io(error) => LoadFailure::Io(error),
            ReadError::Rdb(error) => LoadFailure::Rdb(error),
        }
    }
}

/// What was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Keys that were put in.
    pub keys: u64,
    /// Keys that were passed over because their time had come.
    pub expired: u64,
    /// Keys that were passed over because there was nothing in them.
    pub empty: u64,
}

/// The bytes of a directive that is a text, as a path.
pub(crate) fn text(config: &Config, directive: Directive) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(config.shown(directive)).into()
}

/// The working directory.
pub(crate) fn dir(config: &Config) -> PathBuf {
    let dir = text(config, Directive::Dir);
    if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir }
}

/// What of a file is taken.
#[derive(Clone, Copy)]
struct Taking {
    /// A key that is there gives way to that of the file.
    merges: bool,
    /// Keys whose time has come are taken like any other.
    keeps_expired: bool,
}

/// What is the same for all keys of a file.
struct Context<'l> {
    engine: &'l Engine,
    limits: Limits,
    policy: Policy,
    now_ms: i64,
    delay: Duration,
    taking: Taking,
    empty: AtomicU64,
    failure: Mutex<Option<LoadFailure>>,
    has_failed: AtomicBool,
}

impl Engine {
    /// Loads the snapshot file, if there is one.
    ///
    /// # Errors
    /// The file cannot be loaded; part of it may have been.
    pub fn load_snapshot(&self) -> Result<Option<Loaded>, LoadFailure> {
        self.load(false)
    }

    /// The same; with `merges`, a key that is there gives way to that of the file.
    pub(super) fn load(&self, merges: bool) -> Result<Option<Loaded>, LoadFailure> {
        let (path, options, delay_us) = {
            let config = self.config.read();
            let path = dir(&config).join(text(&config, Directive::Dbfilename));
            (path, self.read_options(&config), config.int(Directive::KeyLoadDelay))
        };
        let file = match self.persistence.disk().open(&path, FileAccess::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LoadFailure::Io(error)),
        };
        self.persistence.load_progress.begin_file(0, file.len().unwrap_or(0));
        let loaded = self.load_file(&*file, options, delay_us, Taking { merges, keeps_expired: false })?.0;
        self.changes_at_save.store(self.keyspace.counters().changes, Relaxed);
        Ok(Some(loaded))
    }

    /// Loads the base of a log, which begins in `file`; where it ends. What has expired is loaded, too: the log says when it was
    /// gone.
    pub(crate) fn load_base(&self, file: &dyn DiskFile) -> Result<u64, LoadFailure> {
        let (options, delay_us) = {
            let config = self.config.read();
            (self.read_options(&config), config.int(Directive::KeyLoadDelay))
        };
        let taking = Taking { merges: false, keeps_expired: true };
        Ok(self.load_file(file, options, delay_us, taking)?.1)
    }

    /// Loads a file; what of it, and where it ends.
    fn load_file(
        &self,
        file: &dyn DiskFile,
        options: ReadOptions,
        delay_us: i64,
        taking: Taking,
    ) -> Result<(Loaded, u64), LoadFailure> {
        let (keys, expired) = (&self.persistence.keys_loaded, &self.persistence.keys_expired);
        keys.store(0, Relaxed);
        expired.store(0, Relaxed);
        let context = Context {
            engine: self,
            limits: options.limits,
            policy: self.keyspace.settings.policy(),
            now_ms: clock_ms(),
            delay: Duration::from_micros(u64::try_from(delay_us).unwrap_or(0)),
            taking,
            empty: AtomicU64::new(0),
            failure: Mutex::new(None),
            has_failed: AtomicBool::new(false),
        };
        let end = context.load(Reader::new(FileReader::new(file, 0), options))?;
        let loaded = Loaded {
            keys: keys.load(Relaxed),
            expired: expired.load(Relaxed),
            empty: context.empty.load(Relaxed),
        };
        Ok((loaded, end))
    }

    /// Whether there is no file, or one of a version that is read.
    ///
    /// # Errors
    /// As for [`load_snapshot`](Engine::load_snapshot).
    pub(super) fn look_at_snapshot(&self) -> Result<(), LoadFailure> {
        let (path, options) = {
            let config = self.config.read();
            (dir(&config).join(text(&config, Directive::Dbfilename)), self.read_options(&config))
        };
        match self.persistence.disk().open(&path, FileAccess::Read) {
            Ok(file) => Ok(Reader::new(FileReader::new(&*file, 0), options).version().map(drop)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(LoadFailure::Io(error)),
        }
    }

    fn read_options(&self, config: &Config) -> ReadOptions {
        let version_check = match config.choice::<RdbVersionCheck>(Directive::RdbVersionCheck) {
            RdbVersionCheck::Strict => VersionCheck::Strict,
            RdbVersionCheck::Relaxed => VersionCheck::Relaxed,
        };
        ReadOptions {
            version_check,
            checks_sum: config.bool(Directive::Rdbchecksum),
            limits: limits(self),
            ..ReadOptions::default()
        }
    }
}

impl Context<'_> {
    fn load(&self, reader: Reader<FileReader<'_>>) -> Result<u64, LoadFailure> {
        let decoders = self.engine.workers.len().max(1);
        let (sender, receiver) = sync_channel::<Batch>(BATCHES_AHEAD);
        let receiver = Mutex::new(receiver);
        let read = std::thread::scope(|scope| {
            for _ in 0..decoders {
                scope.spawn(|| self.decode_all(&receiver));
            }
            self.read(reader, sender)
        });
        let failure = self.failure.lock().map_or(None, |mut failure| failure.take());
        failure.map_or(read, Err)
    }

    /// Cuts the file into batches of records; where it ends.
    fn read(
        &self,
        mut reader: Reader<FileReader<'_>>,
        sender: SyncSender<Batch>,
    ) -> Result<u64, LoadFailure> {
        loop {
            if self.has_failed.load(Relaxed) {
                return Ok(0);
            }
            let event = reader.next().map_err(|error| explain(error, &mut reader))?;
            self.engine.persistence.load_progress.advance(reader.offset());
            self.engine.persistence.load_progress.tell();
            match event {
                Event::End(_) => return Ok(reader.offset()),
                Event::SelectDb(db) if db >= self.engine.keyspace.databases() as u64 => {
                    return Err(LoadFailure::Database(self.engine.keyspace.databases() as u64));
                }
                // Nobody receives once loading has failed; then the reason is told there.
                Event::Records(batch) => _ = sender.send(batch),
                Event::Big(big) => match big.value {
                    Ok(value) => self.put(big.db, &big.key, big.info, value)?,
                    Err(RdbError::EmptyValue) => self.note_empty(&big.key),
                    Err(error) => return Err(LoadFailure::Value(big.key, big.kind, error)),
                },
                Event::Aux { name, value } => note_aux(&name, &value, &self.engine.persistence.load_progress),
                Event::ModuleAux(id) => return Err(LoadFailure::Rdb(RdbError::Module(id))),
                Event::Function(code) => {
                    let loaded = self.engine.scripting.load_from_file(self.engine, &code, self.taking.merges);
                    loaded.map_err(LoadFailure::Library)?;
                }
                Event::SelectDb(_)
                | Event::Sizes { .. }
                | Event::SlotSizes { .. }
                | Event::SlotImport { .. } => {}
            }
        }
    }

    fn decode_all(&self, receiver: &Mutex<Receiver<Batch>>) {
        loop {
            let Ok(Ok(batch)) = receiver.lock().map(|receiver| receiver.recv()) else { return };
            if self.has_failed.load(Relaxed) {
                continue;
            }
            if let Err(failure) = self.decode(&batch)
                && let Ok(mut first) = self.failure.lock()
            {
                first.get_or_insert(failure);
                self.has_failed.store(true, Relaxed);
            }
        }
    }

    fn decode(&self, batch: &Batch) -> Result<(), LoadFailure> {
        for record in batch.records() {
            let key = record.key().map_err(LoadFailure::Rdb)?;
            match record.decode(&self.limits) {
                Ok(value) => key.with_bytes(|key| self.put(batch.db(), key, record.info(), value))?,
                Err(RdbError::EmptyValue) => key.with_bytes(|key| self.note_empty(key)),
                Err(error) => return Err(LoadFailure::Value(key.into_vec(), record.kind(), error)),
            }
        }
        Ok(())
    }

    fn note_empty(&self, key: &[u8]) {
        self.empty.fetch_add(1, Relaxed);
        log::warn!("rdbLoadObject skipping empty key: {}", key.escape_ascii());
    }

    fn put(&self, db: u64, name: &[u8], info: KeyInfo, value: Value<'_>) -> Result<(), LoadFailure> {
        let persistence = &self.engine.persistence;
        let has_expired = |expire_ms| expire_ms < self.now_ms;
        if !self.taking.keeps_expired && info.expire_ms.is_some_and(has_expired) {
            persistence.keys_expired.fetch_add(1, Relaxed);
            return Ok(());
        }
        let (keyspace, db) = (&self.engine.keyspace, db as u32);
        let (key, mut effects) = (keyspace.key(name), Effects::default());
        let keys = [key];
        let mut view = keyspace.view(Locks::Keys(&keys), self.now_ms, &mut effects);
        if self.taking.merges {
            view.remove(db, key);
        }
        let is_new = hand_over(value, name.len(), |value| view.load(db, key, value, info.expire_ms));
        if !is_new {
            return Err(LoadFailure::Duplicate(name.to_vec()));
        }
        if let Some(clock) = info.access.and_then(|used| access_clock(used, self.policy, self.now_ms)) {
            view.set_access(db, key, clock);
        }
        persistence.keys_loaded.fetch_add(1, Relaxed);
        if !self.delay.is_zero() {
            drop(view);
            std::thread::sleep(self.delay);
        }
        Ok(())
    }
}

/// What a failure to read means: numbers above those that are known are other servers' in files of their versions.
fn explain(error: ReadError, reader: &mut Reader<FileReader<'_>>) -> LoadFailure {
    match (error, reader.version()) {
        (ReadError::Rdb(RdbError::Type(code)), Ok(version)) if version.is_foreign() => {
            LoadFailure::Foreign(code, version)
        }
        (error, _) => error.into(),
    }
}

/// Tells of what a file says about itself.
fn note_aux(name: &[u8], value: &[u8], progress: &LoadProgress) {
    let number = || std::str::from_utf8(value).ok()?.parse().ok();
    if name == b"used-mem" {
        progress.note_used_mem(number().unwrap_or(0));
    }
    let value = value.escape_ascii();
    match name {
        b"redis-ver" => log::warn!("Loading RDB produced by version {value}"),
        b"valkey-ver" => log::warn!("Loading RDB produced by Valkey version {value}"),
        b"ctime" => log::warn!("RDB created at {value} (unix time in seconds)"),
        b"used-mem" => log::warn!("RDB memory usage when created: {value} bytes"),
        _ => {}
    }
}
