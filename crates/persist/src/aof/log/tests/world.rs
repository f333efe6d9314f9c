//! A log without a thread, whose steps and whose time the test owns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::super::super::layout::{BaseFormat, Layout};
use super::super::super::recovery::{LoadSettings, load};
use super::super::super::store::Store;
use super::super::super::testing::{Model, base, unit};
use super::super::committer::{Committer, Next};
use super::super::file::LogFile;
use super::super::handle::{LogOptions, committer};
use super::super::request::{FinishRewrite, Request};
use super::super::service::create_waiting;
use super::super::settings::{FsyncPolicy, LogSettings};
use super::super::sink::LogSink;
use super::super::status::{LogListener, Refusal};
use crate::disk::{Disk, FileWriter, TwinDisk};

pub(super) fn layout() -> Layout {
    Layout::new("appendonlydir", "appendonly.aof")
}

/// Counts how often it is told that there is room again.
#[derive(Default)]
struct Relieved(AtomicU64);

impl LogListener for Relieved {
    fn relieved(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A log and how far it is.
pub(super) struct World {
    relieved: Arc<Relieved>,
    pub(super) disk: TwinDisk,
    pub(super) committer: Committer,
    sink: LogSink,
    /// Numbers of units so far.
    pub(super) units: u64,
    /// The journal's offset at the end of each unit.
    ends: Vec<u64>,
    pub(super) now_ms: u64,
    rewrites: u32,
}

impl World {
    /// A log that goes on with what is on the disk.
    pub(super) fn resume(disk: &TwinDisk, policy: FsyncPolicy) -> World {
        World::try_resume(disk, policy).expect("a disk that works")
    }

    /// The same on a disk that may fail.
    pub(super) fn try_resume(disk: &TwinDisk, policy: FsyncPolicy) -> Result<World, String> {
        let units = recover(disk)?;
        let shown = |error: crate::disk::DiskError| error.to_string();
        let mut store =
            Store::open(Arc::new(disk.clone()), layout()).map_err(|error| format!("{error:?}"))?;
        store.prepare_directory().map_err(shown)?;
        store.remove_temporary_files();
        let (path, mut handle) = store.open_last_incremental(None).map_err(shown)?;
        handle.sync_data().map_err(|error| error.to_string())?;
        let len = handle.len().map_err(|error| error.to_string())?;
        let file = LogFile::new(Arc::clone(store.disk()), path, handle, len);
        Ok(World::start(disk, store, file, false, policy, units))
    }

    /// A log that is switched on while the server runs.
    pub(super) fn begin(disk: &TwinDisk, policy: FsyncPolicy, units: u64) -> World {
        let store = Store::open(Arc::new(disk.clone()), layout()).unwrap();
        store.prepare_directory().unwrap();
        let (path, handle) = create_waiting(&store).unwrap();
        let file = LogFile::new(Arc::clone(store.disk()), path, handle, 0);
        World::start(disk, store, file, true, policy, units)
    }

    fn start(
        disk: &TwinDisk,
        store: Store,
        file: LogFile,
        is_waiting: bool,
        policy: FsyncPolicy,
        units: u64,
    ) -> World {
        let (settings, relieved) = (LogSettings::default(), Arc::<Relieved>::default());
        settings.set_policy(policy);
        let options = LogOptions::new(settings, Arc::clone(&relieved) as Arc<dyn LogListener>);
        let remove = |disk: Arc<dyn Disk>, paths: Vec<std::path::PathBuf>| {
            paths.iter().for_each(|path| drop(disk.remove(path)));
        };
        let committer = committer(store, options, file, is_waiting, Box::new(remove));
        let sink = LogSink { shared: Arc::clone(&committer.shared), noted_s: 0 };
        World {
            relieved,
            disk: disk.clone(),
            committer,
            sink,
            units,
            ends: vec![0; units as usize],
            now_ms: 0,
            rewrites: 0,
        }
    }

    pub(super) fn settings(&self) -> &LogSettings {
        &self.committer.shared.settings
    }

    pub(super) fn admission(&self) -> Result<(), Refusal> {
        self.committer.shared.admission()
    }

    /// How often somebody was told that there is room again.
    pub(super) fn relieved(&self) -> u64 {
        self.relieved.0.load(Relaxed)
    }

    /// Adds a unit.
    pub(super) fn append(&mut self) {
        let offset = self.ends.last().copied().unwrap_or(0);
        let unit = unit(self.units);
        self.sink.append(offset, &unit, self.now_ms / 1000);
        self.ends.push(offset + unit.len() as u64);
        self.units += 1;
    }

    /// Takes a step after so many ms.
    pub(super) fn step(&mut self, ms: u64) -> Next {
        self.now_ms += ms;
        self.committer.step(self.now_ms)
    }

    /// How many units are durable.
    pub(super) fn durable_units(&self) -> u64 {
        self.count_durable()(self.committer.shared.progress.durable())
    }

    /// Counts the units before an offset.
    fn count_durable(&self) -> impl Fn(u64) -> u64 + use<> {
        let ends = self.ends.clone();
        move |durable| ends.iter().filter(|end| **end <= durable).count() as u64
    }

    /// Cuts the power before this call; [`TwinDisk::power_cut`] then tells how far the journal was durable.
    pub(super) fn cut_power_before(&self, call: u64) {
        let shared = Arc::clone(&self.committer.shared);
        self.disk.cut_power_before(call, move || shared.progress.durable());
    }

    /// How many units are durable once the journal is so far.
    pub(super) fn units_before(&self, durable: u64) -> u64 {
        self.count_durable()(durable)
    }

    pub(super) fn ask(&self, request: Request) {
        self.committer.shared.ask(request);
    }

    /// Begins a rewrite.
    pub(super) fn rotate(&mut self) {
        self.rewrites += 1;
        self.ask(Request::Rotate { offset: None, done: Box::new(|_| {}) });
    }

    /// Ends a rewrite that began when there were so many units. False where the disk fails.
    pub(super) fn finish(&self, units: u64) -> bool {
        let store = &self.committer.store;
        let temporary = store.layout().temporary_base_name(self.rewrites);
        let written = store.disk().create(&store.layout().path(&temporary)).and_then(|file| {
            let mut writer = FileWriter::new(file, Some(16));
            std::io::Write::write_all(&mut writer, &base(units))?;
            writer.finish()
        });
        if written.is_ok() {
            let rewrite = FinishRewrite { temporary, format: BaseFormat::Aof, offset: None };
            self.ask(Request::Finish { rewrite, done: Box::new(|_| {}) });
        }
        written.is_ok()
    }

    /// Lets time pass until everything is durable.
    pub(super) fn settle(&mut self) {
        for _ in 0..10 {
            self.step(1001);
        }
    }
}

/// How many units a start finds on the disk.
pub(super) fn recover(disk: &TwinDisk) -> Result<u64, String> {
    let store = Store::open(Arc::new(disk.clone()), layout()).map_err(|error| format!("{error:?}"))?;
    let mut model = Model::default();
    // What a loss of power leaves may be torn anywhere behind what is durable.
    let settings = LoadSettings { corrupt_tail_bytes_max: u64::MAX, ..LoadSettings::default() };
    load(&store, &settings, &mut model).map_err(|error| error.to_string())?;
    Ok(model.next)
}
