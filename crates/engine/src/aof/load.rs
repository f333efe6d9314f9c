//! From the log's files into the keyspace.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use ochre_config::Directive;
use ochre_keyspace::{Effects, Locks};
use ochre_persist::aof::{self, Load, LoadSettings, Loaded, ReadLimits, Report, Store, Unit, emit_all};
use ochre_persist::disk::DiskFile;

use super::spread::Spread;
use super::switch::layout;
use crate::engine::{Engine, clock_ms};
use crate::error::Error;

/// So many units are loaded before the clock is looked at again.
const UNITS_BETWEEN_LOOKS: u64 = 1024;

struct Loader<'e> {
    engine: &'e Engine,
    spread: Spread,
    units: u64,
}

impl Load for Loader<'_> {
    fn snapshot(&mut self, file: &dyn DiskFile) -> Result<u64, String> {
        self.engine.load_base(file).map_err(|failure| failure.to_string())
    }

    fn unit(&mut self, unit: &Unit<'_>) -> Result<(), String> {
        unit.commands().try_for_each(|command| self.spread.run(&command))
    }

    fn begin_file(&mut self, _name: &OsStr, done_bytes: u64, total_bytes: u64) {
        self.spread.begin_file();
        self.engine.persistence.load_progress.begin_file(done_bytes, total_bytes);
    }

    fn advance(&mut self, file_bytes: u64) {
        self.units += 1;
        let progress = &self.engine.persistence.load_progress;
        progress.advance(file_bytes);
        if self.units.is_multiple_of(UNITS_BETWEEN_LOOKS) {
            progress.tell();
        }
    }
}

/// Logs reports but the last, which says what is fatal, and gives its text.
pub(super) fn last_of(mut reports: Vec<Report>) -> String {
    let last = reports.pop();
    emit_all(&reports);
    last.map_or_else(String::new, |report| report.text().to_owned())
}

impl Engine {
    /// Loads the log; `None` if there is none. Nothing may be attached to the journal, or else it hears nothing of this.
    ///
    /// # Errors
    /// It cannot be loaded; part of it may have been. What there is to say before the text has been logged.
    pub fn load_log(self: &Arc<Engine>) -> Result<Option<Loaded>, String> {
        let (layout, settings) = {
            let config = self.config.read();
            let limits = ReadLimits::default();
            let load_truncated = config.bool(Directive::AofLoadTruncated);
            let corrupt_tail_bytes_max = config.uint(Directive::AofLoadCorruptTailMaxSize);
            let ignores_sums = !config.bool(Directive::AofChecksum);
            (layout(&config), LoadSettings { load_truncated, corrupt_tail_bytes_max, ignores_sums, limits })
        };
        let store = Store::open(self.persistence.disk(), layout).map_err(|error| last_of(error.reports()))?;
        let mut loader = Loader { engine: self, spread: Spread::new(self), units: 0 };
        let loaded = aof::load(&store, &settings, &mut loader);
        loader.spread.end();
        let loaded = loaded.map_err(|error| last_of(error.reports))?;
        self.changes_at_save.store(self.keyspace.counters().changes, Relaxed);
        Ok(Some(loaded).filter(|loaded| loaded.exists))
    }

    /// Begins to load the log anew for a client that waits for it (DEBUG LOADAOF).
    pub(crate) fn begin_reload_of_log(&self, client: (usize, u64)) -> Result<(), Error> {
        self.load_for(client, Engine::reload_log)
    }

    fn reload_log(self: &Arc<Engine>) -> Result<(), String> {
        let start = Instant::now();
        {
            let mut effects = Effects::default();
            let mut view = self.keyspace.view(Locks::All, clock_ms(), &mut effects);
            self.write_log_out();
            self.drop_everything(&mut view);
        }
        self.load_log().map_err(|why| {
            log::error!("{why}");
            "Error trying to load the AOF files, check server logs".to_owned()
        })?;
        log::warn!("Append Only File loaded by DEBUG LOADAOF: {:.3} seconds", start.elapsed().as_secs_f64());
        Ok(())
    }
}
