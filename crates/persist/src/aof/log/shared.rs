//! What the log's thread shares with everybody.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::Thread;

use parking_lot::Mutex;

use super::buffer::HeldBytes;
use super::handover::Handover;
use super::pending::Pending;
use super::progress::Progress;
use super::request::Request;
use super::settings::LogSettings;
use super::status::{LogStatus, Refusal};
use crate::disk::DiskError;

/// What the log's thread shares with everybody.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) settings: LogSettings,
    pub(super) progress: Progress,
    pub(super) handover: Handover<Pending>,
    pub(super) thread: OnceLock<Thread>,
    pub(super) is_closing: AtomicBool,
    /// What all buffers take.
    held: HeldBytes,
    buffered_bytes: AtomicU64,
    is_failing: AtomicBool,
    figures: Mutex<LogStatus>,
}

impl Shared {
    pub(super) fn new(settings: LogSettings, held: HeldBytes) -> Shared {
        Shared { settings, held, ..Shared::default() }
    }

    /// Adds a unit.
    #[inline]
    pub(super) fn push(&self, end: u64, unit: &[u8], timestamp_s: Option<u64>) {
        let (sums, mut len) = (self.settings.has_sums(), 0);
        let is_first =
            self.handover.put(|pending| len = pending.push(end, unit, timestamp_s, sums, &self.held));
        self.buffered_bytes.fetch_add(len as u64, Relaxed);
        if is_first {
            self.wake();
        }
    }

    /// Adds a request.
    pub(super) fn ask(&self, request: Request) {
        if self.handover.put(|pending| pending.place(request)) {
            self.wake();
        }
    }

    pub(super) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// So many bytes wait no more; whether that is why fewer do than may.
    pub(super) fn forget_buffered(&self, bytes: u64) -> bool {
        let (before, max) = (self.buffered_bytes.fetch_sub(bytes, Relaxed), self.settings.buffer_bytes_max());
        before >= max && before.saturating_sub(bytes) < max
    }

    /// Whether writes may be executed.
    #[inline]
    pub(super) fn admission(&self) -> Result<(), Refusal> {
        if self.is_failing.load(Relaxed) {
            return Err(self.failure());
        }
        if self.is_full() { Err(Refusal::Full) } else { Ok(()) }
    }

    /// Whether as much waits to be written as may.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.buffered_bytes.load(Relaxed) >= self.settings.buffer_bytes_max()
    }

    #[cold]
    fn failure(&self) -> Refusal {
        // Where it has just got well, there is none any more.
        Refusal::Failing(self.figures.lock().error.clone().unwrap_or_default())
    }

    /// Whether the disk fails.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Relaxed)
    }

    /// Changes figures.
    pub(super) fn update(&self, change: impl FnOnce(&mut LogStatus)) {
        change(&mut self.figures.lock());
    }

    pub(super) fn status(&self) -> LogStatus {
        let buffered_bytes = self.buffered_bytes.load(Relaxed);
        LogStatus { buffered_bytes, ..self.figures.lock().clone() }
    }

    /// Notes that the disk fails, or does not; whether that is new.
    pub(super) fn note_health(&self, error: Option<&DiskError>) -> bool {
        self.update(|figures| {
            figures.error = error.map(DiskError::reason);
            figures.errno = error.map_or(0, DiskError::errno);
        });
        self.is_failing.swap(error.is_some(), Relaxed) != error.is_some()
    }
}
