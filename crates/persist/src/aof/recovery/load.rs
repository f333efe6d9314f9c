//! Loading the files that a manifest names.
//!
//! Whoever holds the data set is behind [`Load`]: it gets snapshots as files and everything else as units, each once and in
//! order. It gets nothing behind a place that is damaged. The damaged end is cut off the file before loading is called a
//! success, and durably so, because the log goes on there.

use std::ffi::OsStr;
use std::time::Instant;

use super::super::record::{Reader, Unit, disown_frame};
use super::super::report::{Report, emit_all};
use super::super::store::Store;
use super::decide::{LoadSettings, Stopped, decide};
use super::outcome::{LoadError, Loaded};
use crate::disk::{Access, DiskFile, Kind, reason};

/// The data set that is being filled.
pub trait Load {
    /// Reads the snapshot at the start of `file`, and says where it ends.
    ///
    /// # Errors
    /// What is wrong with it, to be logged.
    fn snapshot(&mut self, file: &dyn DiskFile) -> Result<u64, String>;

    /// Applies a unit of the file that was opened last. Every file starts in database 0.
    ///
    /// # Errors
    /// What is wrong with it, to be logged: an unknown command, a wrong number of arguments.
    fn unit(&mut self, unit: &Unit<'_>) -> Result<(), String>;

    /// A file begins; of all files, so many bytes were read, of so many.
    fn begin_file(&mut self, _name: &OsStr, _done_bytes: u64, _total_bytes: u64) {}

    /// So many bytes of the file are done.
    fn advance(&mut self, _file_bytes: u64) {}
}

/// A file of the manifest that is there.
struct Part {
    name: std::ffi::OsString,
    len: u64,
    is_base: bool,
    is_last: bool,
}

/// Loads what a store's manifest names.
///
/// # Errors
/// Why that is impossible. Then the data set holds a part of it and is of no use.
pub fn load(store: &Store, settings: &LoadSettings, into: &mut dyn Load) -> Result<Loaded, LoadError> {
    let parts = parts(store)?;
    let total: u64 = parts.iter().map(|part| part.len).sum();
    let mut loaded = Loaded { exists: !parts.is_empty(), ..Loaded::default() };
    let mut done = 0;
    for part in parts.iter().filter(|part| part.len > 0) {
        let started = Instant::now();
        into.begin_file(&part.name, done, total);
        load_part(store, part, settings, into, &mut loaded)?;
        done += part.len;
        let kind = if part.is_base { "base" } else { "incr" };
        let seconds = started.elapsed().as_secs_f32();
        Report::Notice(format!("DB loaded from {kind} file {}: {seconds:.3} seconds", part.name.display()))
            .emit();
    }
    loaded.base_size = parts.iter().filter(|part| part.is_base).map(|part| part.len).sum();
    loaded.size = total - loaded.discarded_bytes;
    Ok(loaded)
}

/// The files in order, with their lengths; one that is missing is fatal.
fn parts(store: &Store) -> Result<Vec<Part>, LoadError> {
    let mut parts = Vec::new();
    let base = store.manifest().base();
    for entry in store.manifest().live() {
        let name = entry.name.clone();
        let kind = store.disk().kind(&store.layout().path(&name));
        let missing = |why: &str| {
            LoadError::new(format!("Unable to obtain the AOF file {} length. stat: {why}", name.display()))
        };
        match kind {
            Ok(Some(Kind::File { len })) => {
                parts.push(Part { is_base: base == Some(entry), name, len, is_last: false });
            }
            Ok(Some(Kind::Directory)) => return Err(missing("Is a directory")),
            Ok(None) => return Err(missing("No such file or directory")),
            Err(error) => return Err(missing(&reason(&error))),
        }
    }
    let last = parts.iter().rposition(|part| part.len > 0);
    if let Some(part) = last.and_then(|last| parts.get_mut(last)) {
        part.is_last = true;
    }
    Ok(parts)
}

/// Whether a file begins with a snapshot.
fn is_snapshot(file: &dyn DiskFile) -> std::io::Result<bool> {
    let mut start = [0; 6];
    let read = crate::disk::read_full_at(file, 0, &mut start)?;
    Ok(read == 6 && (&start == b"REDIS0" || &start == b"VALKEY"))
}

fn load_part(
    store: &Store,
    part: &Part,
    settings: &LoadSettings,
    into: &mut dyn Load,
    loaded: &mut Loaded,
) -> Result<(), LoadError> {
    let name = part.name.display();
    let path = store.layout().path(&part.name);
    let file = store.disk().open(&path, Access::Read).map_err(|error| {
        let error = reason(&error);
        LoadError::new(format!("Fatal error: can't open the append log file {name} for reading: {error}"))
    })?;
    let start = load_snapshot(store, part, &*file, into)?;
    let mut reader = Reader::new(&*file, start, settings.limits).ignoring_sums(settings.ignores_sums);
    let stop = loop {
        match reader.next_unit() {
            Ok(None) => return take_unproven(store, part, (reader.short_frame(), reader.ignored_at())),
            Ok(Some(unit)) => into.unit(&unit).map_err(|error| {
                LoadError::new(format!("Error reading the append only file {name}, error: {error}"))
            })?,
            Err(stop) => break stop,
        }
        loaded.units += 1;
        into.advance(reader.given_end());
    };
    if reader.valid_end() < reader.given_end() {
        let text = format!(
            "Fatal error: the checksum at offset {} of the AOF file {name} matches bytes that make no sense",
            reader.valid_end()
        );
        return Err(LoadError::new(text));
    }
    let shown = path.display().to_string();
    let stopped = Stopped {
        name: &name.to_string(),
        path: &shown,
        valid_end: reader.valid_end(),
        len: part.len,
        is_last: part.is_last,
    };
    let decision = decide(&stopped, &stop, settings);
    let Some(cut_at) = decision.cut_at else {
        return Err(LoadError { reports: decision.reports });
    };
    emit_all(&decision.reports);
    cut(store, part, cut_at)?;
    loaded.discarded_bytes += part.len.saturating_sub(cut_at);
    decision.afterwards.iter().for_each(Report::emit);
    Ok(())
}

/// Loads what a file has of a snapshot; where its units begin.
fn load_snapshot(
    store: &Store,
    part: &Part,
    file: &dyn DiskFile,
    into: &mut dyn Load,
) -> Result<u64, LoadError> {
    let name = part.name.display();
    let failed = |text: String| LoadError::new(text);
    let unreadable = |error| {
        failed(format!("Unrecoverable error reading the append only file {name}: {}", reason(&error)))
    };
    if !is_snapshot(file).map_err(unreadable)? {
        return Ok(0);
    }
    let is_old = part.name == store.layout().filename;
    let reading = if is_old {
        "Reading RDB preamble from AOF file..."
    } else {
        "Reading RDB base file on AOF loading..."
    };
    Report::Notice(reading.to_owned()).emit();
    let end = into.snapshot(file).map_err(|error| {
        let what = if is_old { "RDB preamble of the AOF file" } else { "RDB base file" };
        let aborted = Report::Warning(format!("Error reading the {what} {name}, AOF loading aborted"));
        LoadError { reports: vec![Report::Warning(error), aborted] }
    })?;
    if is_old {
        Report::Notice("Reading the remaining AOF tail...".to_owned()).emit();
    }
    Ok(end)
}

/// Tells of units whose sums were not there or other ones, and has the next ones not be taken for theirs.
fn take_unproven(
    store: &Store,
    part: &Part,
    (short_frame, ignored_at): (Option<u64>, Option<u64>),
) -> Result<(), LoadError> {
    let name = part.name.display();
    if let Some(at) = short_frame {
        let text = format!(
            "The last checksum of the AOF file {name} is of more bytes than there are, but they end with a whole command: \
             either somebody has changed the file, or it was cut off there. They are loaded as they are"
        );
        Report::Warning(text).emit();
        change(store, part, "writing to", |file| disown_frame(file, at))?;
    }
    if let Some(at) = ignored_at {
        let text = format!(
            "Checksums of the AOF file {name} do not match, from offset {at} on, which aof-checksum no lets pass. \
             Rewrite it (BGREWRITEAOF) before that is switched on again"
        );
        Report::Warning(text).emit();
    }
    Ok(())
}

/// Cuts a file off, durably.
fn cut(store: &Store, part: &Part, len: u64) -> Result<(), LoadError> {
    change(store, part, "truncating", |file| {
        file.truncate(len)?;
        file.sync_data()
    })
}

fn change(
    store: &Store,
    part: &Part,
    doing: &str,
    how: impl FnOnce(&mut dyn DiskFile) -> std::io::Result<()>,
) -> Result<(), LoadError> {
    let opened = store.disk().open(&store.layout().path(&part.name), Access::Write);
    opened.and_then(|mut file| how(&mut *file)).map_err(|error| {
        let error = reason(&error);
        LoadError::new(format!("Error {doing} the AOF file {}: {error}", part.name.display()))
    })
}
