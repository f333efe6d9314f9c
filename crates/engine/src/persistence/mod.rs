//! Snapshots in files: when one is taken, how it gets there, how it is read at the start.
//!
//! A snapshot begins in a command or a tick, with all stripes locked for an instant; from then on it is a thread's, which walks
//! over the keyspace and writes what it is told into a temporary file. Only a file that is complete and durable gets the
//! name of the last one. No process is forked: nothing of memory is doubled, and nobody waits.
//!
//! - `state`: what is going on, what became of the last one; whether writes are refused because of it
//! - `points`: when it is time for one
//! - `gather`: what is told of the keyspace, on its way into a file of either kind
//! - `save`: from the keyspace into a file
//! - `commands`: from the keyspace into a base of the append-only file that consists of commands
//! - `load`: from a file into the keyspace
//! - `value`: between the values of files and those of keys

mod commands;
mod gather;
mod load;
mod points;
mod progress;
mod save;
mod state;
#[cfg(test)]
mod tests;
mod value;

pub use load::{LoadFailure, Loaded};
pub(crate) use load::{dir, text};
pub(crate) use save::Base;
pub(crate) use state::Watch;
pub use state::{Persistence, Saved};
pub(crate) use value::{access_clock, as_written, hand_over, limits};

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Locks, Patience, Snapshot, View};

use crate::client::Client;
use crate::engine::{Engine, Message, clock_ms};
use crate::error::Error;
use crate::scripting::FunctionsChange;
use crate::thread::{spawn_or_run, spawn_waiting};

use save::Job;

/// Who waits for the end of a snapshot: the worker and the client.
pub(crate) type Waiting = Option<(usize, u64)>;

const IN_PROGRESS: Error = Error::new("ERR Background save already in progress");
const REWRITING: Error = Error::new(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE \
     whenever possible.",
);
const NO_THREAD: Error = Error::new("ERR Can't start a thread for the snapshot");

/// When a snapshot that was asked for begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Begun {
    /// It has begun.
    Now,
    /// As soon as nothing else is being written.
    Later,
}

impl Engine {
    /// BGSAVE. While the log is rewritten it is refused, or scheduled if that is wanted; in a transaction, as in Redis, it is
    /// only ever scheduled. (It could begin at once here, but nobody who knows Redis expects to see both at a time.)
    pub(crate) fn ask_for_save(
        &self,
        view: &mut View<'_>,
        schedules: bool,
        in_transaction: bool,
    ) -> Result<Begun, Error> {
        if self.persistence.is_saving() {
            return Err(IN_PROGRESS);
        }
        if !in_transaction && !self.aof.is_rewriting() {
            return self.begin_save(view, None);
        }
        if !schedules && !in_transaction {
            return Err(REWRITING);
        }
        self.persistence.schedule();
        Ok(Begun::Later)
    }

    /// Begins a snapshot into the file, at this instant of a view that holds all stripes.
    pub(crate) fn begin_save(&self, view: &mut View<'_>, waiting: Waiting) -> Result<Begun, Error> {
        let persistence = &self.persistence;
        let engine = persistence.engine().ok_or(NO_THREAD)?;
        let watch = persistence.claim(clock_ms()).ok_or(IN_PROGRESS)?;
        let (job, changes, claimed) = (Job::of(self, Arc::clone(&watch)), view.changes(), Arc::clone(&watch));
        // First the thread, then the snapshot: one that nobody walks would never end.
        let thread = spawn_waiting("snapshot", move |snapshot| {
            engine.settle_log();
            let result = job.run(&engine, snapshot);
            if waiting.is_none() {
                tell_background(&result);
            }
            finish(&engine, &watch, result, changes, waiting);
        });
        let Ok(thread) = thread else {
            persistence.unclaim(&claimed);
            return Err(NO_THREAD);
        };
        let Some(snapshot) = view.begin_snapshot() else {
            persistence.unclaim(&claimed);
            if waiting.is_some() {
                return Err(IN_PROGRESS);
            }
            persistence.schedule();
            return Ok(Begun::Later);
        };
        persistence.set_total(snapshot.keys());
        if waiting.is_none() {
            log::warn!("Background saving started");
        }
        // It waits for nothing else.
        let _ = thread.send(snapshot);
        Ok(Begun::Now)
    }

    /// Takes a snapshot into the file and waits for it: for whoever is no worker.
    ///
    /// # Errors
    /// It could not be written, or another one is being written.
    pub fn save_now(self: &Arc<Engine>) -> Result<(), String> {
        let watch = self.persistence.claim(clock_ms()).ok_or("a snapshot is being written already")?;
        let Some((snapshot, changes, job)) = self.snapshot_of_now(&watch) else {
            self.persistence.unclaim(&watch);
            return Err("a script is busy, or there are as many snapshots as there may be".to_owned());
        };
        self.persistence.set_total(snapshot.keys());
        let result = job.run(self, snapshot);
        let outcome = result.as_ref().map(|_| ()).map_err(ToString::to_string);
        // Whoever waits for it is told, as with SAVE.
        finish_job(self, &watch, result, changes, false);
        outcome
    }

    fn snapshot_of_now(&self, watch: &Arc<Watch>) -> Option<(Snapshot, u64, Job)> {
        let mut effects = Effects::default();
        let patience = Patience::UntilBusy;
        let mut view = self.keyspace.try_view(Locks::All, clock_ms(), &mut effects, patience)?;
        let snapshot = view.begin_snapshot()?;
        Some((snapshot, view.changes(), Job::of(self, Arc::clone(watch))))
    }

    /// Takes a snapshot if a save point says so; to be called now and then.
    pub fn save_if_due(&self) {
        let persistence = &self.persistence;
        if self.is_saving() || self.loading.load(Relaxed) || self.is_held_up() {
            return;
        }
        let now_ms = clock_ms();
        let history = persistence.history(now_ms);
        // A copy: who changes the configuration may hold stripes.
        let save_points = self.config.read().save_points().to_vec();
        let due = points::due(&save_points, || self.changes_since_save(), &history);
        if due.is_none() && !persistence.is_scheduled() {
            return;
        }
        let mut effects = Effects::default();
        let patience = Patience::UntilHeld;
        let Some(mut view) = self.keyspace.try_view(Locks::All, now_ms, &mut effects, patience) else {
            return;
        };
        if let Some(point) = due {
            log::warn!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
        }
        persistence.take_scheduled();
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
        if let Some(why) = self.aof.refusal() {
            return Some(Error::owned(why));
        }
        let config = self.config.read();
        let is_asked = config.bool(ochre_config::Directive::StopWritesOnBgsaveError);
        let refuses = is_asked && !config.save_points().is_empty() && self.persistence.has_failed();
        refuses.then_some(MISCONF)
    }

    /// Whether writes are refused because fewer replicas would hear of them than are asked for.
    pub(crate) fn lacks_replicas(&self) -> bool {
        self.settings.lacks_replicas.load(Relaxed)
    }

    /// Says whether the way of a command has to look closely at what may run now.
    pub(crate) fn settle_restrictions(&self) {
        let is_refusing =
            || self.persistence.has_failed() || self.aof.refusal().is_some() || self.aof.is_full();
        let is_restricted =
            || self.loading.load(Relaxed) || self.lacks_replicas() || self.is_busy() || is_refusing();
        self.restricted.store(is_restricted(), Relaxed);
        // Somebody may have found a reason meanwhile, and said so before this did not.
        if is_restricted() {
            self.restricted.store(true, Relaxed);
        }
    }

    /// Whether a snapshot or a base of the log is being written.
    pub(crate) fn is_saving(&self) -> bool {
        self.persistence.is_saving() || self.aof.is_rewriting()
    }

    /// Begins or ends loading: clients are told so meanwhile.
    pub fn set_loading(&self, is_loading: bool) {
        self.loading.store(is_loading, Relaxed);
        match is_loading {
            true => self.persistence.load_progress.begin(),
            false => self.persistence.load_progress.end(),
        }
        self.keyspace.settings.loading.store(is_loading, Relaxed);
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
    pub(crate) fn begin_reload(&self, reload: Reload, client: (usize, u64)) -> Result<(), Error> {
        self.load_for(client, move |engine| engine.reload(reload))
    }

    /// Has something loaded on a thread of its own, for a client that waits for it.
    pub(crate) fn load_for(
        &self,
        (worker, client): (usize, u64),
        load: impl FnOnce(&Arc<Engine>) -> Result<(), String> + Send + 'static,
    ) -> Result<(), Error> {
        let engine = self.persistence.engine().ok_or(NO_THREAD)?;
        spawn_or_run("loading", move || {
            engine.set_loading(true);
            let result = load(&engine);
            engine.set_loading(false);
            let reply = result.map_or_else(|text| format!("-ERR {text}\r\n"), |()| "+OK\r\n".to_owned());
            engine.post(worker, Message::Complete { client, reply: reply.into_bytes().into() });
        });
        Ok(())
    }

    /// Drops all keys and functions, which nobody is told of: they are about to be loaded. The view holds all stripes.
    pub(crate) fn drop_everything(&self, view: &mut View<'_>) {
        // Without any, nothing can fail.
        _ = self.scripting.change_functions(FunctionsChange::Flush);
        for db in 0..self.keyspace.databases() as u32 {
            view.clear(db).into_iter().for_each(|garbage| self.keyspace.reclaimer.hand_over(garbage));
        }
    }

    fn reload(self: &Arc<Engine>, reload: Reload) -> Result<(), String> {
        if reload.saves {
            self.save_now().map_err(|_| "Error trying to save the DB, check server logs".to_owned())?;
        }
        // A file that is none, or of a version that is not read, must not cost the data.
        if let Err(failure) = self.look_at_snapshot() {
            return Err(reload_failed(&failure));
        }
        if reload.flushes {
            let mut effects = Effects::default();
            self.drop_everything(&mut self.keyspace.view(Locks::All, clock_ms(), &mut effects));
        }
        match self.load(reload.merges) {
            Ok(_) => {
                log::warn!("DB reloaded by DEBUG RELOAD");
                Ok(())
            }
            Err(failure) => Err(reload_failed(&failure)),
        }
    }
}

fn reload_failed(failure: &LoadFailure) -> String {
    log::error!("Reloading failed: {failure}");
    "Error trying to load the RDB dump, check server logs".to_owned()
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
    job: &Arc<Watch>,
    result: Result<Saved, save::SaveError>,
    changes: u64,
    waiting: Waiting,
) {
    let is_ok = result.is_ok();
    finish_job(engine, job, result, changes, waiting.is_none());
    if let Some((worker, client)) = waiting {
        let reply: &[u8] = if is_ok { b"+OK\r\n" } else { b"-ERR\r\n" };
        engine.post(worker, Message::Complete { client, reply: reply.into() });
    }
}

fn finish_job(
    engine: &Engine,
    job: &Arc<Watch>,
    result: Result<Saved, save::SaveError>,
    changes: u64,
    is_background: bool,
) {
    match &result {
        Ok(saved) => {
            log::warn!("DB saved on disk: {} keys, {} bytes", saved.keys, saved.bytes);
            if engine.persistence.is_present(job) {
                engine.changes_at_save.store(changes, Relaxed);
            }
        }
        Err(save::SaveError::Cancelled) => log::warn!("Snapshot cancelled"),
        Err(error) => log::error!("{error}"),
    }
    engine.persistence.finish(job, &result, is_background, clock_ms());
    engine.settle_restrictions();
    engine.settle_log();
}

/// Has a client wait for the end of the snapshot that it asked for.
pub(crate) fn wait_for_save(client: &mut Client) {
    client.block(crate::client::BlockedOn::Completion, i64::MAX);
}
