//! What is going on with snapshots, and what became of the last ones.
//!
//! Each snapshot is a *job* with a number. One job at most is present; cancelling takes that away from it at once, so that the
//! next one may begin, while the thread that carries the job out notices between two keys. What it did until then is
//! nobody's: only the present job may put its file in its place or say what became of it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use ochre_persist::disk::{Disk, RealDisk};
use parking_lot::Mutex;

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

/// What is going on with snapshots. Everything may be read at any time.
#[derive(Debug)]
pub struct Persistence {
    engine: OnceLock<Weak<Engine>>,
    disk: Arc<dyn Disk>,
    /// The number of the present job, 0 if there is none.
    present: AtomicU64,
    /// The number of the last one.
    jobs: AtomicU64,
    /// Jobs whose threads have not ended, those that were cancelled among them.
    running: AtomicUsize,
    /// Held by a job that puts its file in its place, so that none does so that has been followed by another.
    placing: Mutex<()>,
    scheduled: AtomicBool,
    failed: AtomicBool,
    started_ms: AtomicI64,
    last_success_ms: AtomicI64,
    last_attempt_ms: AtomicI64,
    last_took_s: AtomicI64,
    saves: AtomicU64,
    failures: AtomicU64,
    keys_total: AtomicU64,
    /// Keys told so far of the present snapshot.
    pub(crate) keys_done: AtomicU64,
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
            present: AtomicU64::new(0),
            jobs: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            placing: Mutex::new(()),
            scheduled: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            started_ms: AtomicI64::new(0),
            last_success_ms: AtomicI64::new(now_ms),
            last_attempt_ms: AtomicI64::new(0),
            last_took_s: AtomicI64::new(-1),
            saves: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            keys_total: AtomicU64::new(0),
            keys_done: AtomicU64::new(0),
            keys_loaded: AtomicU64::new(0),
            keys_expired: AtomicU64::new(0),
        }
    }

    /// Says whose snapshots these are, for the threads that write them.
    pub fn attach(&self, engine: &Arc<Engine>) {
        let _ = self.engine.set(Arc::downgrade(engine));
    }

    pub(super) fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.get()?.upgrade()
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Whether a snapshot is being written.
    pub fn is_saving(&self) -> bool {
        self.present.load(Relaxed) != 0
    }

    /// Whether no thread is at work any more, not even for a snapshot that was cancelled.
    pub fn is_idle(&self) -> bool {
        self.running.load(Relaxed) == 0
    }

    /// Whether the last snapshot failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Takes the right to write a snapshot, if nobody else has it: the number of the job.
    pub(super) fn claim(&self, now_ms: i64) -> Option<u64> {
        let job = self.jobs.fetch_add(1, Relaxed) + 1;
        self.present.compare_exchange(0, job, Relaxed, Relaxed).ok()?;
        self.running.fetch_add(1, Relaxed);
        self.keys_done.store(0, Relaxed);
        self.started_ms.store(now_ms, Relaxed);
        self.last_attempt_ms.store(now_ms, Relaxed);
        Some(job)
    }

    /// Ends a job that was claimed.
    pub(super) fn unclaim(&self, job: u64) {
        // One that was cancelled has no right to give back.
        let _ = self.present.compare_exchange(job, 0, Relaxed, Relaxed);
        self.running.fetch_sub(1, Relaxed);
    }

    /// Whether this is the present job: it has not been cancelled.
    pub(super) fn is_present(&self, job: u64) -> bool {
        self.present.load(Relaxed) == job
    }

    /// Has a job put its file in its place, unless it was cancelled before.
    pub(super) fn place<R>(&self, job: u64, put: impl FnOnce() -> R) -> Option<R> {
        let _guard = self.placing.lock();
        self.is_present(job).then(put)
    }

    pub(super) fn set_total(&self, keys: usize) {
        self.keys_total.store(keys as u64, Relaxed);
    }

    /// Ends a job, and notes what became of it if that is of any interest yet; whether it was.
    pub(super) fn finish(&self, job: u64, result: &Result<Saved, SaveError>, now_ms: i64) -> bool {
        let is_present = self.is_present(job);
        if is_present {
            self.note(result, now_ms);
        }
        self.unclaim(job);
        is_present
    }

    fn note(&self, result: &Result<Saved, SaveError>, now_ms: i64) {
        match result {
            Ok(_) => {
                self.last_success_ms.store(now_ms, Relaxed);
                self.saves.fetch_add(1, Relaxed);
                self.failures.store(0, Relaxed);
                self.failed.store(false, Relaxed);
            }
            Err(SaveError::Cancelled) => {}
            Err(_) => {
                self.failures.fetch_add(1, Relaxed);
                self.failed.store(true, Relaxed);
            }
        }
        self.last_took_s.store((now_ms - self.started_ms.load(Relaxed)) / 1000, Relaxed);
    }

    /// Has the present snapshot given up; whether there was one. There is none any more.
    pub fn cancel(&self) -> bool {
        self.present.swap(0, Relaxed) != 0
    }

    /// Has a snapshot taken as soon as none is present and there is room for another.
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

    /// How long the last snapshot took, s; -1 if there was none.
    pub(crate) fn last_took_s(&self) -> i64 {
        self.last_took_s.load(Relaxed)
    }

    /// Snapshots that succeeded, and failures since the last success.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.saves.load(Relaxed), self.failures.load(Relaxed))
    }

    /// How far the present snapshot is, if there is one.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.is_saving().then(|| Progress {
            keys_done: self.keys_done.load(Relaxed),
            keys_total: self.keys_total.load(Relaxed),
            since_ms: self.started_ms.load(Relaxed),
        })
    }
}
