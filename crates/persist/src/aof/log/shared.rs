//! What the log's thread shares with everybody.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::Thread;

use parking_lot::Mutex;

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
    buffered_bytes: AtomicU64,
    is_failing: AtomicBool,
    figures: Mutex<LogStatus>,
}

impl Shared {
    pub(super) fn new(settings: LogSettings) -> Shared {
        Shared { settings, ..Shared::default() }
    }

    /// Adds a unit.
    #[inline]
    pub(super) fn push(&self, end: u64, unit: &[u8], timestamp_s: Option<u64>) {
        let (sums, mut len) = (self.settings.has_sums(), 0);
        let is_first = self.handover.put(|pending| len = pending.push(end, unit, timestamp_s, sums));
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

    pub(super) fn forget_buffered(&self, bytes: u64) {
        self.buffered_bytes.fetch_sub(bytes, Relaxed);
    }

    /// Whether writes may be executed.
    #[inline]
    pub(super) fn admission(&self) -> Result<(), Refusal> {
        let buffered = self.buffered_bytes.load(Relaxed);
        if self.is_failing.load(Relaxed) || buffered >= self.settings.buffer_bytes_max() {
            return Err(self.refusal(buffered));
        }
        Ok(())
    }

    #[cold]
    fn refusal(&self, buffered: u64) -> Refusal {
        let failure = self.figures.lock().error.clone();
        let slow = || format!("the disk is too slow, {buffered} bytes wait to be written");
        Refusal { reason: failure.unwrap_or_else(slow) }
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
