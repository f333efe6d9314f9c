//! Snapshots in files: when one is taken, how it gets there, how it is read at the start.
//!
//! A snapshot begins in a command or a tick, with all stripes locked for an instant; from then on it is a thread's, which walks
//! over the keyspace and writes what it is told into a temporary file. Only a file that is complete and durable gets the
//! name of the last one. No process is forked: nothing of memory is doubled, and nobody waits.
//!
//! - `state`: what is going on, what became of the last one; whether writes are refused because of it
//! - `points`: when it is time for one
//! - `save`: from the keyspace into a file
//! - `load`: from a file into the keyspace
//! - `value`: between the values of files and those of keys

mod load;
mod points;
mod save;
mod state;
mod value;

pub use load::{LoadFailure, Loaded};
pub use state::{Persistence, Saved};
pub(crate) use value::{access_clock, as_written, hand_over, limits};

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Locks, Snapshot, View};

use crate::client::Client;
use crate::engine::{Engine, Message, clock_ms};
use crate::error::Error;
use crate::thread::spawn_or_run;

use save::Job;

/// Who waits for the end of a snapshot: the worker and the client.
pub(crate) type Waiting = Option<(usize, u64)>;

const IN_PROGRESS: Error = Error::new("ERR Background save already in progress");
const NO_THREAD: Error = Error::new("ERR Can't start a thread for the snapshot");

/// When a snapshot that was asked for begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begun {
    /// It has begun.
    Now,
    /// As soon as one that was cancelled has noticed.
    Later,
}

impl Engine {
    /// Begins a snapshot into the file, at this instant of a view that holds all stripes.
    pub(crate) fn begin_save(&self, view: &mut View<'_>, waiting: Waiting) -> Result<Begun, Error> {
        let persistence = &self.persistence;
        let engine = persistence.engine().ok_or(NO_THREAD)?;
        let number = persistence.claim(clock_ms()).ok_or(IN_PROGRESS)?;
        let Some(snapshot) = view.begin_snapshot() else {
            persistence.unclaim(number);
            if waiting.is_some() {
                return Err(IN_PROGRESS);
            }
            persistence.schedule();
            return Ok(Begun::Later);
        };
        let changes = view.changes();
        persistence.set_total(snapshot.keys());
        let job = Job::of(self, number);
        if waiting.is_none() {
            log::warn!("Background saving started");
        }
        let run = move || {
            let result = job.run(&engine, snapshot);
            if waiting.is_none() {
                tell_background(&result);
            }
            finish(&engine, number, result, changes, waiting);
        };
        // A thread that cannot be started gives nothing back: the snapshot must be walked all the same.
        spawn_or_run("snapshot", run);
        Ok(Begun::Now)
    }

    /// Takes a snapshot into the file and waits for it: for whoever is no worker.
    ///
    /// # Errors
    /// It could not be written, or another one is being written.
    pub fn save_now(self: &Arc<Engine>) -> Result<(), String> {
        let number = self.persistence.claim(clock_ms()).ok_or("a snapshot is being written already")?;
        let Some((snapshot, changes)) = self.snapshot_of_now() else {
            self.persistence.unclaim(number);
            return Err("there are as many snapshots as there may be".to_owned());
        };
        self.persistence.set_total(snapshot.keys());
        let result = Job::of(self, number).run(self, snapshot);
        let outcome = result.as_ref().map(|_| ()).map_err(ToString::to_string);
        finish(self, number, result, changes, None);
        outcome
    }

    fn snapshot_of_now(&self) -> Option<(Snapshot, u64)> {
        let mut effects = Effects::default();
        let mut view = self.keyspace.view(Locks::All, clock_ms(), &mut effects);
        let snapshot = view.begin_snapshot()?;
        Some((snapshot, view.changes()))
    }

    /// Takes a snapshot if a save point says so; to be called now and then.
    pub fn save_if_due(&self) {
        let persistence = &self.persistence;
        if persistence.is_saving() || self.loading.load(Relaxed) {
            return;
        }
        let now_ms = clock_ms();
        let history = persistence.history(now_ms);
        let due = points::due(self.config.read().save_points(), || self.changes_since_save(), &history);
        let scheduled = persistence.take_scheduled();
        if let Some(point) = due {
            log::warn!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
        } else if !scheduled {
            return;
        }
        let mut effects = Effects::default();
        let mut view = self.keyspace.view(Locks::All, now_ms, &mut effects);
        if let Err(error) = self.begin_save(&mut view, None) {
            log::error!("{}", String::from_utf8_lossy(error.bytes()));
        }
    }

    /// Changes since the last snapshot.
    pub fn changes_since_save(&self) -> u64 {
        self.keyspace.counters().changes.saturating_sub(self.changes_at_save.load(Relaxed))
    }

    /// Why commands that write are refused, if they are.
    pub(crate) fn why_writes_are_refused(&self) -> Option<Error> {
        let config = self.config.read();
        let is_asked = config.bool(ochre_config::Directive::StopWritesOnBgsaveError);
        let refuses = is_asked && !config.save_points().is_empty() && self.persistence.has_failed();
        refuses.then_some(MISCONF)
    }

    /// Says whether the way of a command has to look closely at what may run now.
    pub(crate) fn settle_restrictions(&self) {
        let is_restricted = self.loading.load(Relaxed) || self.persistence.has_failed();
        self.restricted.store(is_restricted, Relaxed);
    }

    /// Begins or ends loading: clients are told so meanwhile.
    pub fn set_loading(&self, is_loading: bool) {
        self.loading.store(is_loading, Relaxed);
        self.settle_restrictions();
    }
}

const MISCONF: Error = Error::new(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may \
     modify the data set are disabled, because this instance is configured to report errors during writes if RDB \
     snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
);

/// The reply to what needs the data while they are loaded.
pub(crate) const LOADING: Error = Error::new("LOADING Redis is loading the dataset in memory");

/// What DEBUG RELOAD is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reload {
    /// Whether the file is written first.
    pub(crate) saves: bool,
    /// Whether everything goes before the file is read.
    pub(crate) flushes: bool,
    /// Whether a key of the file takes the place of one that is there.
    pub(crate) merges: bool,
}

impl Engine {
    /// Begins to reload everything for a client that waits for it. Others are told meanwhile that data are being loaded.
    pub(crate) fn begin_reload(&self, reload: Reload, (worker, client): (usize, u64)) -> Result<(), Error> {
        let engine = self.persistence.engine().ok_or(NO_THREAD)?;
        spawn_or_run("snapshot", move || {
            engine.set_loading(true);
            let result = engine.reload(reload);
            engine.set_loading(false);
            let reply = result.map_or_else(|text| format!("-ERR {text}\r\n"), |()| "+OK\r\n".to_owned());
            engine.post(worker, Message::Complete { client, reply: reply.into_bytes().into() });
        });
        Ok(())
    }

    fn reload(self: &Arc<Engine>, reload: Reload) -> Result<(), String> {
        if reload.saves {
            self.save_now().map_err(|_| "Error trying to save the DB, check server logs".to_owned())?;
        }
        if reload.flushes {
            let mut effects = Effects::default();
            let mut view = self.keyspace.view(Locks::All, clock_ms(), &mut effects);
            for db in 0..self.keyspace.databases() as u32 {
                view.clear(db).into_iter().for_each(|garbage| self.keyspace.reclaimer.hand_over(garbage));
            }
        }
        match self.load(reload.merges) {
            Ok(_) => {
                log::warn!("DB reloaded by DEBUG RELOAD");
                Ok(())
            }
            Err(failure) => {
                log::error!("Reloading failed: {failure}");
                Err("Error trying to load the RDB dump, check server logs".to_owned())
            }
        }
    }
}

fn tell_background(result: &Result<Saved, save::SaveError>) {
    match result {
        Ok(_) => log::warn!("Background saving terminated with success"),
        Err(save::SaveError::Cancelled) => {}
        Err(_) => log::error!("Background saving error"),
    }
}

/// All that follows from the end of a snapshot.
fn finish(
    engine: &Engine,
    number: u64,
    result: Result<Saved, save::SaveError>,
    changes: u64,
    waiting: Waiting,
) {
    let (is_ok, persistence) = (result.is_ok(), &engine.persistence);
    match &result {
        Ok(saved) => {
            log::warn!("DB saved on disk: {} keys, {} bytes", saved.keys, saved.bytes);
            if persistence.is_present(number) {
                engine.changes_at_save.store(changes, Relaxed);
            }
        }
        Err(save::SaveError::Cancelled) => log::warn!("Snapshot cancelled"),
        Err(error) => log::error!("{error}"),
    }
    persistence.finish(number, &result, clock_ms());
    engine.settle_restrictions();
    if let Some((worker, client)) = waiting {
        let reply: &[u8] = if is_ok { b"+OK\r\n" } else { b"-ERR\r\n" };
        engine.post(worker, Message::Complete { client, reply: reply.into() });
    }
}

/// Has a client wait for the end of the snapshot that it asked for.
pub(crate) fn wait_for_save(client: &mut Client) {
    client.block(crate::client::BlockedOn::Completion, i64::MAX);
}
