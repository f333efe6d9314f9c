//! What is going on with snapshots, and what became of the last ones.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use ochre_persist::disk::{Disk, RealDisk};

use super::points::History;
use super::save::SaveError;
use crate::engine::Engine;

/// A snapshot that was written.
#[derive(Clone, Copy, Debug)]
pub struct Saved {
    /// Keys in it.
    pub keys: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// How far the writing of a snapshot is, and whether it is still wanted.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    cancelled: AtomicBool,
    /// Keys told so far.
    pub(crate) keys_done: AtomicU64,
}

impl Watch {
    /// Another one begins.
    pub(crate) fn begin(&self) {
        self.cancelled.store(false, Relaxed);
        self.keys_done.store(0, Relaxed);
    }

    /// Has the present one given up.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }

    /// Whether it is to be given up.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }
}

/// What is going on with snapshots. Everything may be read at any time.
#[derive(Debug)]
pub struct Persistence {
    engine: OnceLock<Weak<Engine>>,
    disk: Arc<dyn Disk>,
    saving: AtomicBool,
    /// Of the present snapshot.
    pub(super) watch: Watch,
    scheduled: AtomicBool,
    failed: AtomicBool,
    started_ms: AtomicI64,
    last_success_ms: AtomicI64,
    last_attempt_ms: AtomicI64,
    last_took_s: AtomicI64,
    saves: AtomicU64,
    failures: AtomicU64,
    keys_total: AtomicU64,
    /// Keys that the last loading put in.
    pub(crate) keys_loaded: AtomicU64,
    /// Keys that it passed over because their time had come.
    pub(crate) keys_expired: AtomicU64,
}

/// Figures of the present snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) keys_done: u64,
    pub(crate) keys_total: u64,
    pub(crate) since_ms: i64,
}

impl Persistence {
    /// Nothing was saved since the start at `now_ms`.
    pub(crate) fn new(now_ms: i64) -> Persistence {
        Persistence {
            engine: OnceLock::new(),
            disk: Arc::new(RealDisk),
            saving: AtomicBool::new(false),
            watch: Watch::default(),
            scheduled: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            started_ms: AtomicI64::new(0),
            last_success_ms: AtomicI64::new(now_ms),
            last_attempt_ms: AtomicI64::new(0),
            last_took_s: AtomicI64::new(-1),
            saves: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            keys_total: AtomicU64::new(0),
            keys_loaded: AtomicU64::new(0),
            keys_expired: AtomicU64::new(0),
        }
    }

    /// Says whose snapshots these are, for the threads that write them.
    pub fn attach(&self, engine: &Arc<Engine>) {
        let _ = self.engine.set(Arc::downgrade(engine));
    }

    /// The engine, for threads that outlive what started them.
    pub(crate) fn engine(&self) -> Option<Arc<Engine>> {
        self.weak_engine().upgrade()
    }

    pub(crate) fn weak_engine(&self) -> Weak<Engine> {
        self.engine.get().cloned().unwrap_or_default()
    }

    pub(crate) fn disk(&self) -> Arc<dyn Disk> {
        Arc::clone(&self.disk)
    }

    /// Whether a snapshot is being written.
    pub fn is_saving(&self) -> bool {
        self.saving.load(Relaxed)
    }

    /// Whether the last snapshot failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Takes the right to write a snapshot, if nobody else has it.
    pub(super) fn claim(&self, now_ms: i64) -> bool {
        if self.saving.swap(true, Relaxed) {
            return false;
        }
        self.watch.begin();
        self.saves.fetch_add(1, Relaxed);
        self.started_ms.store(now_ms, Relaxed);
        self.last_attempt_ms.store(now_ms, Relaxed);
        true
    }

    pub(super) fn unclaim(&self) {
        self.saving.store(false, Relaxed);
    }

    pub(super) fn set_total(&self, keys: usize) {
        self.keys_total.store(keys as u64, Relaxed);
    }

    /// Ends a snapshot. That one failed for which somebody waited is told to them, and stops no writes.
    pub(super) fn finish(&self, result: &Result<Saved, SaveError>, is_background: bool, now_ms: i64) {
        match result {
            Ok(_) => {
                self.last_success_ms.store(now_ms, Relaxed);
                self.failed.store(false, Relaxed);
                if is_background {
                    self.failures.store(0, Relaxed);
                }
            }
            Err(SaveError::Cancelled) => {}
            Err(_) if !is_background => {}
            Err(_) => {
                self.failures.fetch_add(1, Relaxed);
                self.failed.store(true, Relaxed);
            }
        }
        if is_background {
            self.last_took_s.store((now_ms - self.started_ms.load(Relaxed)) / 1000, Relaxed);
        }
        self.unclaim();
    }

    /// Has the present snapshot given up; whether there was one.
    pub fn cancel(&self) -> bool {
        let is_saving = self.is_saving();
        if is_saving {
            self.watch.cancel();
        }
        is_saving
    }

    /// Has a snapshot taken once the present one is over.
    pub(crate) fn schedule(&self) {
        self.scheduled.store(true, Relaxed);
    }

    /// Whether a snapshot was scheduled; it is no longer.
    pub(crate) fn take_scheduled(&self) -> bool {
        self.scheduled.swap(false, Relaxed)
    }

    pub(super) fn history(&self, now_ms: i64) -> History {
        History {
            since_success_s: (now_ms - self.last_success_ms.load(Relaxed)) / 1000,
            since_attempt_s: (now_ms - self.last_attempt_ms.load(Relaxed)) / 1000,
            is_ok: !self.has_failed(),
        }
    }

    /// When the last snapshot succeeded, unix time in s; the start, if none has.
    pub(crate) fn last_success_s(&self) -> i64 {
        self.last_success_ms.load(Relaxed) / 1000
    }

    /// How long the last snapshot in the background took, s; -1 if there was none.
    pub(crate) fn last_took_s(&self) -> i64 {
        self.last_took_s.load(Relaxed)
    }

    /// Snapshots that were begun, and failures in the background since the last success there.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.saves.load(Relaxed), self.failures.load(Relaxed))
    }

    /// How far the present snapshot is, if there is one.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.is_saving().then(|| Progress {
            keys_done: self.watch.keys_done.load(Relaxed),
            keys_total: self.keys_total.load(Relaxed),
            since_ms: self.started_ms.load(Relaxed),
        })
    }
}
