//! The files of a log on a disk, changed in steps that a loss of power cannot halve.
//!
//! The manifest is the truth: a step makes the files it needs, durably, then replaces the manifest (written beside, synced,
//! renamed, the directory synced), and only then may anything go that the old manifest named. Where replacing fails, it is
//! not known which manifest a loss of power would bring back, so the files of both stay, and numbers are not used again.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::layout::{BaseFormat, Layout};
use super::manifest::{Entry, Manifest, ManifestError, Role};
use super::report::Report;
use crate::disk::{Access, Disk, DiskError, DiskFile, Kind, read_full_at, write_all_at};

/// A manifest larger than this is none (a line has at most 1 KiB).
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// The files of a log.
#[derive(Debug)]
pub struct Store {
    disk: Arc<dyn Disk>,
    layout: Layout,
    manifest: Manifest,
    /// Files that the step at hand made.
    made: Vec<PathBuf>,
    /// Files of steps that failed, which the manifest on disk may name or not.
    doubtful: Vec<PathBuf>,
}

/// Why there is no store.
#[derive(Debug)]
pub enum StoreError {
    /// The manifest is wrong.
    Manifest(ManifestError),
    /// The disk failed.
    Disk(DiskError),
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> StoreError {
        StoreError::Disk(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Manifest(error) => error.fmt(f),
            StoreError::Disk(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// What Redis logs about it, line by line.
    pub fn reports(&self) -> Vec<Report> {
        match self {
            StoreError::Manifest(error) => error.log_lines().into_iter().map(Report::Warning).collect(),
            StoreError::Disk(error) => vec![Report::Warning(error.to_string())],
        }
    }
}

impl Store {
    /// Reads the manifest, if there is one. A log of a version before 7.0 is moved into the directory, also where that was
    /// begun before and not finished.
    ///
    /// # Errors
    /// What is wrong with the manifest, or the disk.
    pub fn open(disk: Arc<dyn Disk>, layout: Layout) -> Result<Store, StoreError> {
        let manifest = read_manifest(&*disk, &layout)?;
        let mut store = Store { disk, layout, manifest, made: Vec::new(), doubtful: Vec::new() };
        if store.is_to_be_upgraded()? {
            store.upgrade()?;
        }
        Ok(store)
    }

    /// The disk.
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The names.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The files.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Bytes of a file, 0 where it cannot be seen.
    pub fn size_of(&self, entry: &Entry) -> u64 {
        match self.disk.kind(&self.layout.path(&entry.name)) {
            Ok(Some(Kind::File { len })) => len,
            _ => 0,
        }
    }

    /// Makes the directory, durably.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn prepare_directory(&self) -> Result<(), DiskError> {
        let path = self.layout.directory();
        let failed = DiskError::on("Can't open or create append-only dir", &path);
        self.disk.create_dir(&path).and_then(|()| self.disk.sync_dir(&self.layout.dir)).map_err(failed)
    }

    /// Removes what a process left behind that was writing when it ended. Errors are of no consequence.
    pub fn remove_temporary_files(&self) {
        let Ok(names) = self.disk.list(&self.layout.directory()) else { return };
        for name in names.iter().filter(|name| self.layout.is_temporary(name)) {
            let _ = self.disk.remove(&self.layout.path(name));
        }
    }

    /// Replaces the manifest.
    ///
    /// # Errors
    /// Those of the disk. Then the store has the manifest it had, but the disk may have either.
    pub fn replace(&mut self, manifest: Manifest) -> Result<(), DiskError> {
        match write_manifest(&*self.disk, &self.layout, &manifest) {
            Ok(()) => {
                self.manifest = manifest;
                self.made.clear();
                self.remove_doubtful();
                Ok(())
            }
            Err(Unwritten { error, may_be_there }) => {
                self.manifest.skip_numbers_of(&manifest);
                if may_be_there {
                    self.doubtful.append(&mut self.made);
                } else {
                    self.remove_made();
                }
                Err(error)
            }
        }
    }

    /// Removes the files of a step that failed before any manifest could name them.
    fn remove_made(&mut self) {
        for path in std::mem::take(&mut self.made) {
            let _ = self.disk.remove(&path);
        }
    }

    /// Removes files of steps that failed, now that it is known which manifest is on disk.
    fn remove_doubtful(&mut self) {
        for path in std::mem::take(&mut self.doubtful) {
            if !self.manifest.live().any(|entry| self.layout.path(&entry.name) == path) {
                let _ = self.disk.remove(&path);
            }
        }
    }

    /// The last incremental file, opened to be written, and its length; made first if there is none.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn open_last_incremental(
        &mut self,
        offset: Option<i64>,
    ) -> Result<(PathBuf, Box<dyn DiskFile>), DiskError> {
        let Some(entry) = self.manifest.incrementals().last() else {
            return self.create_incremental(offset);
        };
        let path = self.layout.path(&entry.name);
        let file =
            match self.disk.kind(&path).map_err(DiskError::on("Can't open the append-only file", &path))? {
                Some(_) => self.disk.open(&path, Access::Write),
                None => self.disk.create(&path),
            };
        let file = file.map_err(DiskError::on("Can't open the append-only file", &path))?;
        if entry.end_offset.is_some() {
            let mut manifest = self.manifest.clone();
            manifest.last_incremental_mut().into_iter().for_each(|entry| entry.end_offset = None);
            self.replace(manifest)?;
        }
        Ok((path, file))
    }

    /// Makes the next incremental file and names it in the manifest.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn create_incremental(
        &mut self,
        offset: Option<i64>,
    ) -> Result<(PathBuf, Box<dyn DiskFile>), DiskError> {
        let mut manifest = self.manifest.clone();
        let seq = manifest.next_incremental_seq();
        let name = self.layout.incremental_name(seq);
        manifest.push_incremental(Entry {
            start_offset: offset,
            ..Entry::new(name.clone(), seq, Role::Incremental)
        });
        let path = self.layout.path(&name);
        let file =
            self.disk.create(&path).map_err(DiskError::on("Can't open the append-only file", &path))?;
        self.made.push(path.clone());
        self.replace(manifest)?;
        Ok((path, file))
    }

    /// Makes a base out of a file in the directory that is complete and durable, and history out of what it replaces. Returns
    /// the path of an incremental file that got another name.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn adopt_base(
        &mut self,
        temporary: &OsString,
        format: BaseFormat,
        behind: Behind,
    ) -> Result<Option<PathBuf>, DiskError> {
        let mut manifest = self.manifest.clone();
        let seq = manifest.next_base_seq();
        let name = self.layout.base_name(seq, format);
        manifest.set_base(Entry::new(name.clone(), seq, Role::Base));
        self.rename(temporary, &name, &manifest)?;
        let mut path = None;
        match behind {
            Behind::Last => manifest.retire_incrementals(1),
            Behind::Nothing => manifest.retire_incrementals(0),
            Behind::Adopted(Adopted { temporary, offset }) => {
                let seq = manifest.next_incremental_seq();
                let name = self.layout.incremental_name(seq);
                manifest.retire_incrementals(0);
                let entry =
                    Entry { start_offset: offset, ..Entry::new(name.clone(), seq, Role::Incremental) };
                manifest.push_incremental(entry);
                self.rename(&temporary, &name, &manifest)?;
                path = Some(self.layout.path(&name));
            }
        }
        self.replace(manifest)?;
        Ok(path)
    }

    /// Forgets history, and says which files that was, to be removed. Errors leave the manifest as it is, which does no harm:
    /// history is not loaded.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn forget_history(&mut self) -> Result<Vec<PathBuf>, DiskError> {
        let paths: Vec<PathBuf> =
            self.manifest.history().iter().map(|entry| self.layout.path(&entry.name)).collect();
        if !paths.is_empty() {
            let mut manifest = self.manifest.clone();
            manifest.clear_history();
            self.replace(manifest)?;
        }
        Ok(paths)
    }

    /// Notes the replication offset at which the log was closed.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn close(&mut self, end_offset: i64) -> Result<(), DiskError> {
        let mut manifest = self.manifest.clone();
        let Some(entry) = manifest.last_incremental_mut() else { return Ok(()) };
        entry.end_offset = Some(end_offset);
        self.replace(manifest)
    }

    /// Gives a file its name in the manifest that is to come. Where that fails, no manifest names it, and it goes.
    fn rename(&mut self, from: &OsString, to: &OsString, next: &Manifest) -> Result<(), DiskError> {
        let (from, to) = (self.layout.path(from), self.layout.path(to));
        self.manifest.skip_numbers_of(next);
        self.made.push(to.clone());
        let renamed = self.disk.rename(&from, &to);
        let result = renamed
            .map_err(DiskError::on("Error trying to rename the temporary AOF file", &from))
            .and_then(|()| {
                let directory = self.layout.directory();
                self.disk
                    .sync_dir(&directory)
                    .map_err(DiskError::on("Fail to fsync AOF directory", &directory))
            });
        if result.is_err() {
            self.made.push(from);
            self.remove_made();
        }
        result
    }

    /// Whether there is a file of a version before 7.0 that is the log: where the manifest names nothing, or names it and
    /// nothing else while it is not in the directory.
    fn is_to_be_upgraded(&self) -> Result<bool, DiskError> {
        let is_there = |path: PathBuf| {
            let kind =
                self.disk.kind(&path).map_err(DiskError::on("Can't open the append-only file", &path))?;
            Ok(matches!(kind, Some(Kind::File { .. })))
        };
        if !is_there(self.layout.old_file())? {
            return Ok(false);
        }
        let manifest = &self.manifest;
        let begun = manifest.base().is_some_and(|base| base.name == self.layout.filename);
        Ok(manifest.is_empty()
            || begun
                && manifest.incrementals().is_empty()
                && !is_there(self.layout.path(&self.layout.filename))?)
    }

    fn upgrade(&mut self) -> Result<(), DiskError> {
        self.prepare_directory()?;
        let mut manifest = Manifest::default();
        manifest.set_base(Entry::new(self.layout.filename.clone(), 1, Role::Base));
        self.replace(manifest)?;
        let (from, to) = (self.layout.old_file(), self.layout.path(&self.layout.filename));
        let moved = self.disk.rename(&from, &to).and_then(|()| {
            self.disk.sync_dir(&self.layout.directory())?;
            self.disk.sync_dir(&self.layout.dir)
        });
        moved.map_err(DiskError::on("Error trying to move the old AOF file", &from))?;
        let (file, dir) = (self.layout.filename.display(), self.layout.dirname.display());
        let text =
            format!("Successfully migrated an old-style AOF file ({file}) into the AOF directory ({dir}).");
        Report::Notice(text).emit();
        Ok(())
    }
}

/// Where a log goes on behind a base.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Behind {
    /// In the last incremental file.
    Last,
    /// In a file that becomes the only incremental one.
    Adopted(Adopted),
    /// Nowhere: the base stands for everything.
    Nothing,
}

/// The incremental file of a log that had no base yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adopted {
    /// Its name so far.
    pub temporary: OsString,
    /// The replication offset at its start.
    pub offset: Option<i64>,
}

fn read_manifest(disk: &dyn Disk, layout: &Layout) -> Result<Manifest, StoreError> {
    let path = layout.path(layout.manifest_name());
    let failed = || DiskError::on("Fatal error: can't open the AOF manifest file for reading", &path);
    match disk.kind(&path).map_err(failed())? {
        None => return Ok(Manifest::default()),
        Some(Kind::File { len }) if len <= MANIFEST_BYTES_MAX => {}
        Some(_) => return Err(failed()(std::io::ErrorKind::InvalidData.into()).into()),
    }
    let file = disk.open(&path, Access::Read).map_err(failed())?;
    let mut text = vec![0; file.len().map_err(failed())?.min(MANIFEST_BYTES_MAX) as usize];
    let len = read_full_at(&*file, 0, &mut text).map_err(failed())?;
    text.truncate(len);
    Manifest::parse(&text).map_err(StoreError::Manifest)
}

/// A manifest that was not written.
struct Unwritten {
    error: DiskError,
    /// Whether a loss of power may bring it back all the same, or even take it away.
    may_be_there: bool,
}

fn write_manifest(disk: &dyn Disk, layout: &Layout, manifest: &Manifest) -> Result<(), Unwritten> {
    let certain = |error| Unwritten { error, may_be_there: false };
    write_temporary_manifest(disk, layout, manifest).map_err(certain)?;
    let temporary = layout.path(layout.temporary_manifest_name());
    let directory = layout.directory();
    let renamed = disk.rename(&temporary, &layout.path(layout.manifest_name()));
    let renamed =
        renamed.map_err(DiskError::on("Error trying to rename the temporary AOF manifest file", &temporary));
    renamed.map_err(certain)?;
    let synced = disk.sync_dir(&directory).map_err(DiskError::on("Fail to fsync AOF directory", &directory));
    synced.map_err(|error| Unwritten { error, may_be_there: true })
}

fn write_temporary_manifest(disk: &dyn Disk, layout: &Layout, manifest: &Manifest) -> Result<(), DiskError> {
    let temporary = layout.path(layout.temporary_manifest_name());
    let directory = layout.directory();
    let mut file =
        disk.create(&temporary).map_err(DiskError::on("Can't open the AOF manifest file", &temporary))?;
    let written = write_all_at(&mut *file, 0, &manifest.text());
    written.map_err(DiskError::on("Error trying to write the temporary AOF manifest file", &temporary))?;
    file.sync_data().map_err(DiskError::on("Fail to fsync the temp AOF file", &temporary))?;
    // What the manifest names must be there before the manifest is.
    disk.sync_dir(&directory).map_err(DiskError::on("Fail to fsync AOF directory", &directory))
}
