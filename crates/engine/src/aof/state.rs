//! Whether there is a log, who waits for it, and how its rewrites went.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, SeqCst},
};

use ochre_persist::aof::{AppendLog, FsyncPolicy, HeldBytes, LogStatus, Refusal, RewriteHistory};
use ochre_persist::disk::DiskError;
use parking_lot::{Mutex, RwLock};

use super::folder::Folder;
use crate::persistence::Watch;

/// A log that is being written.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) log: Arc<AppendLog>,
    /// Its number among the journal's readers.
    pub(super) reader: u64,
}

/// How rewrites went.
pub(super) struct Rewrites {
    /// When the present one began, unix time in ms.
    pub(super) since_ms: Option<i64>,
    /// Whether one is to begin as soon as possible.
    pub(super) is_scheduled: bool,
    pub(super) history: RewriteHistory,
    pub(super) has_failed: bool,
    pub(super) last_took_s: i64,
    pub(super) count: u64,
}

impl Default for Rewrites {
    fn default() -> Rewrites {
        Rewrites {
            since_ms: None,
            is_scheduled: false,
            history: RewriteHistory::default(),
            has_failed: false,
            last_took_s: -1,
            count: 0,
        }
    }
}

/// The append-only file, if there is one.
pub struct AppendOnly {
    running: RwLock<Option<Running>>,
    is_on: AtomicBool,
    holds_replies: AtomicBool,
    /// Whether it has no base yet, so that it counts for nothing.
    is_waiting_for_base: AtomicBool,
    /// Whether nothing is made durable for now (`no-appendfsync-on-rewrite`).
    is_suspended: AtomicBool,
    /// Whether each worker waits to hear of progress.
    waiting: Box<[AtomicBool]>,
    pub(super) rewrites: Mutex<Rewrites>,
    /// Of the present rewrite.
    pub(super) watch: Watch,
    /// The lock of the folder.
    pub(super) folder: Folder,
    /// What the log's buffers take.
    pub(crate) held: HeldBytes,
    /// Held by whoever begins or ends a log.
    pub(super) switching: Mutex<()>,
    /// Held by whoever changes the log and what the configuration says of it, from the first of the two to the second.
    pub(crate) configuring: Mutex<()>,
}

/// Figures of rewrites.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RewriteFigures {
    pub(crate) since_ms: Option<i64>,
    pub(crate) is_scheduled: bool,
    pub(crate) has_failed: bool,
    pub(crate) last_took_s: i64,
    pub(crate) count: u64,
    pub(crate) failures: u32,
}

impl AppendOnly {
    /// There is none yet.
    pub(crate) fn new(workers: usize) -> AppendOnly {
        AppendOnly {
            running: RwLock::new(None),
            is_on: AtomicBool::new(false),
            holds_replies: AtomicBool::new(false),
            is_waiting_for_base: AtomicBool::new(false),
            is_suspended: AtomicBool::new(false),
            waiting: (0..workers.max(1)).map(|_| AtomicBool::new(false)).collect(),
            rewrites: Mutex::default(),
            watch: Watch::default(),
            folder: Folder::default(),
            held: HeldBytes::default(),
            switching: Mutex::new(()),
            configuring: Mutex::new(()),
        }
    }

    /// Whether there is a log.
    pub fn is_on(&self) -> bool {
        self.is_on.load(Relaxed)
    }

    pub(super) fn set_running(&self, running: Option<Running>) -> Option<Running> {
        self.is_on.store(running.is_some(), Relaxed);
        let before = std::mem::replace(&mut *self.running.write(), running);
        self.settle_policy();
        before
    }

    pub(super) fn running(&self) -> Option<Running> {
        self.running.read().clone()
    }

    pub(crate) fn log(&self) -> Option<Arc<AppendLog>> {
        if !self.is_on() {
            return None;
        }
        self.running.read().as_ref().map(|running| Arc::clone(&running.log))
    }

    /// Whether there is a log that counts for nothing yet, since its first base is still being written.
    pub fn is_waiting_for_base(&self) -> bool {
        self.is_on() && self.is_waiting_for_base.load(Relaxed)
    }

    pub(super) fn set_waiting_for_base(&self, is_waiting: bool) {
        self.is_waiting_for_base.store(is_waiting, Relaxed);
        self.settle_policy();
    }

    pub(super) fn set_suspended(&self, is_suspended: bool) {
        self.is_suspended.store(is_suspended, Relaxed);
    }

    /// Follows a change of what decides whether replies wait.
    pub(super) fn settle_policy(&self) {
        let counts = !self.is_waiting_for_base.load(Relaxed) && !self.is_suspended.load(Relaxed);
        let holds = counts && self.policy() == Some(FsyncPolicy::Always);
        self.holds_replies.store(holds, Relaxed);
    }

    /// `appendfsync` of the log.
    pub(crate) fn policy(&self) -> Option<FsyncPolicy> {
        self.running.read().as_ref().map(|running| running.log.settings().policy())
    }

    /// Whether replies wait until what they show is durable.
    #[inline]
    pub fn holds_replies(&self) -> bool {
        self.holds_replies.load(Relaxed)
    }

    /// Whether a reply that shows what is before `offset` of the journal has to wait; then the worker is told once there is
    /// progress (`Message::Durable`), and must ask again.
    #[must_use]
    pub fn must_hold(&self, worker: usize, offset: u64) -> bool {
        self.holds_replies() && self.must_wait(worker, offset)
    }

    /// Whether the log is not durable up to `offset` yet; the same is to be done as for [`AppendOnly::must_hold`].
    #[must_use]
    pub fn must_wait(&self, worker: usize, offset: u64) -> bool {
        let running = self.running.read();
        let Some(running) = running.as_ref() else { return false };
        let progress = running.log.progress();
        if progress.durable() >= offset {
            return false;
        }
        if let Some(waiting) = self.waiting.get(worker) {
            // Before the log is asked: its thread looks here after it was told there that somebody waits.
            waiting.store(true, SeqCst);
        }
        progress.must_wait(offset)
    }

    /// Whether there is a log, and it is durable up to `offset`.
    pub fn is_durable(&self, offset: u64) -> bool {
        self.running.read().as_ref().is_some_and(|running| running.log.progress().durable() >= offset)
    }

    /// The workers that wait to hear of progress; they do no longer.
    pub(super) fn take_waiting(&self) -> impl Iterator<Item = usize> + use<'_> {
        let asked = self.waiting.iter().enumerate();
        asked.filter(|(_, waiting)| waiting.swap(false, SeqCst)).map(|(worker, _)| worker)
    }

    /// Why commands that write are refused, if they are.
    pub(crate) fn refusal(&self) -> Option<String> {
        let refusal = self.log()?.admission().err()?;
        matches!(refusal, Refusal::Failing(_)).then(|| refusal.to_string())
    }

    /// Whether commands that write have to wait, as too much waits to be written already.
    pub(crate) fn is_full(&self) -> bool {
        self.log().is_some_and(|log| log.admission() == Err(Refusal::Full))
    }

    /// Makes all that was appended durable and ends the log, for a process that ends or is about to be another one.
    ///
    /// # Errors
    /// Those of the disk; then some of it may be lost.
    pub(crate) fn close(&self) -> Result<(), DiskError> {
        let closed = self.log().map_or(Ok(()), |log| log.close(None));
        self.folder.hold(None);
        closed.inspect_err(|error| log::error!("Fail to fsync the AOF file: {error}"))
    }

    /// The log's figures.
    pub(crate) fn status(&self) -> Option<LogStatus> {
        Some(self.log()?.status())
    }

    /// Whether a rewrite is under way.
    pub(crate) fn is_rewriting(&self) -> bool {
        self.rewrites.lock().since_ms.is_some()
    }

    /// Figures of rewrites.
    pub(crate) fn rewrite_figures(&self) -> RewriteFigures {
        let rewrites = self.rewrites.lock();
        RewriteFigures {
            since_ms: rewrites.since_ms,
            is_scheduled: rewrites.is_scheduled,
            has_failed: rewrites.has_failed,
            last_took_s: rewrites.last_took_s,
            count: rewrites.count,
            failures: rewrites.history.consecutive_failures(),
        }
    }
}
