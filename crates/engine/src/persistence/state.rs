//! What is going on with snapshots, and what became of the last ones.
//!
//! Each snapshot in a file is a *job*, of which one at most is present. Cancelling takes that away from it at once, so that the next
//! one may begin, while the thread that carries it out notices between two keys. What it did until then is nobody's:
//! only the present job may put its file in its place or say what became of it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use ochre_persist::disk::Disk;
use parking_lot::Mutex;

use super::points::History;
use super::progress::LoadProgress;
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
    /// The number of the job, if its temporary file is to be told from that of another one, which was cancelled and has not
    /// ended.
    pub(crate) number: Option<u64>,
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
    present: Mutex<Option<Arc<Watch>>>,
    /// Jobs that were ever begun.
    jobs: AtomicU64,
    /// Jobs whose threads have not ended, those that were cancelled among them.
    running: AtomicUsize,
    scheduled: AtomicBool,
    failed: AtomicBool,
    started_ms: AtomicI64,
    last_success_ms: AtomicI64,
    last_attempt_ms: AtomicI64,
    last_took_s: AtomicI64,
    saves: AtomicU64,
    failures: AtomicU64,
    keys_total: AtomicU64,
    /// How far loading has come.
    pub(crate) load_progress: LoadProgress,
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
    /// Nothing was saved since the start at `now_ms`. All files are on this disk.
    pub(crate) fn new(disk: Arc<dyn Disk>, now_ms: i64) -> Persistence {
        Persistence {
            engine: OnceLock::new(),
            disk,
            present: Mutex::new(None),
            jobs: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            scheduled: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            started_ms: AtomicI64::new(0),
            last_success_ms: AtomicI64::new(now_ms),
            last_attempt_ms: AtomicI64::new(0),
            last_took_s: AtomicI64::new(-1),
            saves: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            keys_total: AtomicU64::new(0),
            load_progress: LoadProgress::default(),
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
        self.present.lock().is_some()
    }

    /// Whether no thread is at work any more, not even for a snapshot that was cancelled.
    pub fn is_idle(&self) -> bool {
        self.running.load(Relaxed) == 0
    }

    /// The present job.
    pub(super) fn present(&self) -> Option<Arc<Watch>> {
        self.present.lock().clone()
    }

    /// Whether the last snapshot failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Relaxed)
    }

    /// Takes the right to write a snapshot, if nobody else has it.
    pub(super) fn claim(&self, now_ms: i64) -> Option<Arc<Watch>> {
        let mut present = self.present.lock();
        if present.is_some() {
            return None;
        }
        let number = self.jobs.fetch_add(1, Relaxed) + 1;
        let is_alone = self.running.fetch_add(1, Relaxed) == 0;
        let watch = Arc::new(Watch { number: (!is_alone).then_some(number), ..Watch::default() });
        *present = Some(Arc::clone(&watch));
        self.saves.fetch_add(1, Relaxed);
        self.started_ms.store(now_ms, Relaxed);
        self.last_attempt_ms.store(now_ms, Relaxed);
        Some(watch)
    }

    /// Ends a job that was claimed. One that was cancelled has no right to give back.
    pub(super) fn unclaim(&self, job: &Arc<Watch>) {
        self.present.lock().take_if(|present| Arc::ptr_eq(present, job));
        self.running.fetch_sub(1, Relaxed);
    }

    /// Has a job put its file in its place, unless it was cancelled before: none does that has been followed by another.
    pub(super) fn place<R>(&self, job: &Arc<Watch>, put: impl FnOnce() -> R) -> Option<R> {
        let present = self.present.lock();
        present.as_ref().is_some_and(|present| Arc::ptr_eq(present, job)).then(put)
    }

    /// Whether this is the present job: it has not been cancelled.
    pub(super) fn is_present(&self, job: &Arc<Watch>) -> bool {
        self.place(job, || ()).is_some()
    }

    pub(super) fn set_total(&self, keys: usize) {
        self.keys_total.store(keys as u64, Relaxed);
    }

    /// Ends a job, and notes what became of it if that is of any interest yet.
    pub(super) fn finish(
        &self,
        job: &Arc<Watch>,
        result: &Result<Saved, SaveError>,
        is_background: bool,
        now_ms: i64,
    ) {
        if self.is_present(job) {
            self.note(result, is_background, now_ms);
        }
        self.unclaim(job);
    }

    /// That one failed for which somebody waited is told to them, and stops no writes.
    fn note(&self, result: &Result<Saved, SaveError>, is_background: bool, now_ms: i64) {
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
    }

    /// Has the present snapshot given up; whether there was one. There is none any more.
    pub fn cancel(&self) -> bool {
        let present = self.present.lock().take();
        present.as_ref().inspect(|watch| watch.cancel()).is_some()
    }

    /// Has a snapshot taken as soon as none is present and there is room for another.
    pub(crate) fn schedule(&self) {
        self.scheduled.store(true, Relaxed);
    }

    /// Whether a snapshot is scheduled.
    pub(super) fn is_scheduled(&self) -> bool {
        self.scheduled.load(Relaxed)
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
        let present = self.present.lock();
        present.as_ref().map(|watch| Progress {
            keys_done: watch.keys_done.load(Relaxed),
            keys_total: self.keys_total.load(Relaxed),
            since_ms: self.started_ms.load(Relaxed),
        })
    }
}
