//! The work of the log's thread, as steps that take the time and say when the next one is due.
//!
//! A step takes what was handed over, writes it, and makes it durable where the policy says so. A failure ends the step; the
//! next one, a second later, goes on exactly where it was.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::super::report::Report;
use super::super::store::Store;
use super::buffer::Buffer;
use super::file::{LogFile, Restored};
use super::pending::{Item, PIECE_BYTES, Pending};
use super::request::Request;
use super::settings::FsyncPolicy;
use super::shared::Shared;
use super::status::{LogListener, LogOperation};
use crate::disk::{Disk, DiskError};

/// How long a batch is gathered where nobody waits for it to be durable.
const GATHER_MS: u64 = 1;
/// Between two attempts while the disk fails.
const RETRY_MS: u64 = 1000;
/// Between two syncs under `everysec`.
const SYNC_MS: u64 = 1000;
/// Between two lines in the log about writes that fail.
const REPORT_MS: u64 = 30_000;
/// A sync that takes longer is counted as delayed.
const DELAYED_US: u64 = 2_000_000;

/// When the next step is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// After so many ms, whatever happens meanwhile.
    After(u64),
    /// After so many ms at most, or when something was handed over.
    AtMost(u64),
    /// When something was handed over.
    Idle,
    /// Never: the log is closed.
    Closed,
}

/// Removes files, in its own time.
pub(super) type Remover = Box<dyn Fn(Arc<dyn Disk>, Vec<PathBuf>) + Send>;

pub(super) enum Work {
    Write { buffer: Buffer, end: u64 },
    Request(Request),
}

/// What is unknown of what is durable after a sync failed for bytes that were not kept.
#[derive(Clone, Copy)]
pub(super) struct Gap {
    /// Whether the log goes on in another file since.
    pub(super) is_rotated: bool,
}

pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Store,
    pub(super) file: LogFile,
    pub(super) listener: Arc<dyn LogListener>,
    pub(super) remover: Remover,
    /// Whether there is no base yet, and the file is a temporary one.
    pub(super) is_waiting: bool,
    /// The journal's offset behind what was written.
    pub(super) written: u64,
    pub(super) times: Times,
    pub(super) queue: VecDeque<Work>,
    buffer: Buffer,
    pub(super) gap: Option<Gap>,
    /// Whether a rotation succeeded that no base was taken for.
    pub(super) is_rotated: bool,
    /// Whether the file is without value, as its first base could not be taken: what comes before the next rotation with a new
    /// base is not written.
    pub(super) is_void: bool,
    /// Whether removing history failed since the last rewrite.
    pub(super) is_history_tried: bool,
    pub(super) is_closed: bool,
}

/// Moments in ms.
#[derive(Default)]
pub(super) struct Times {
    synced_ms: u64,
    retry_ms: Option<u64>,
    reported_ms: Option<u64>,
}

impl Committer {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Store,
        file: LogFile,
        listener: Arc<dyn LogListener>,
        remover: Remover,
    ) -> Committer {
        Committer {
            shared,
            store,
            file,
            listener,
            remover,
            is_waiting: false,
            written: 0,
            times: Times::default(),
            queue: VecDeque::new(),
            buffer: Buffer::default(),
            gap: None,
            is_rotated: false,
            is_void: false,
            is_history_tried: false,
            is_closed: false,
        }
    }

    /// Does what is due at this time.
    pub(super) fn step(&mut self, now_ms: u64) -> Next {
        let is_closing = self.shared.is_closing.load(Relaxed);
        match self.times.retry_ms {
            Some(retry_ms) if now_ms < retry_ms && !is_closing => return Next::After(retry_ms - now_ms),
            _ => {}
        }
        let result = self.advance(now_ms);
        if self.is_closed {
            return Next::Closed;
        }
        match result {
            Ok(next) => {
                self.recovered();
                next
            }
            Err(error) => {
                self.failed(&error, now_ms);
                if is_closing {
                    self.close_in_vain(&error);
                    return Next::Closed;
                }
                Next::After(RETRY_MS)
            }
        }
    }

    fn advance(&mut self, now_ms: u64) -> Result<Next, DiskError> {
        self.restore()?;
        self.take();
        let had_work = !self.queue.is_empty();
        while let Some(work) = self.queue.pop_front() {
            self.do_work(work)?;
            if self.is_closed {
                return Ok(Next::Closed);
            }
            if self.keeps_much() {
                self.sync()?;
                self.times.synced_ms = now_ms;
            }
        }
        if self.is_sync_due(now_ms) {
            self.sync()?;
            self.times.synced_ms = now_ms;
        }
        self.remove_history();
        self.show();
        Ok(self.next(had_work, now_ms))
    }

    fn next(&self, had_work: bool, now_ms: u64) -> Next {
        let is_dirty = self.file.unsynced_bytes() > 0;
        match self.shared.settings.effective_policy() {
            FsyncPolicy::Always if had_work => Next::After(0),
            FsyncPolicy::EverySecond | FsyncPolicy::No if had_work => Next::After(GATHER_MS),
            FsyncPolicy::EverySecond if is_dirty => {
                Next::AtMost((self.times.synced_ms + SYNC_MS).saturating_sub(now_ms).max(1))
            }
            _ => Next::Idle,
        }
    }

    fn is_sync_due(&self, now_ms: u64) -> bool {
        match self.shared.settings.effective_policy() {
            _ if self.file.unsynced_bytes() == 0 || self.is_void => false,
            FsyncPolicy::Always => true,
            FsyncPolicy::EverySecond => now_ms >= self.times.synced_ms + SYNC_MS,
            FsyncPolicy::No => false,
        }
    }

    /// Whether as much is kept because it is not durable as may be.
    fn keeps_much(&self) -> bool {
        let settings = &self.shared.settings;
        let is_kept = !self.is_void && settings.effective_policy() != FsyncPolicy::No;
        is_kept && self.file.unsynced_bytes() >= settings.unsynced_bytes_max()
    }

    /// Takes what was handed over.
    pub(super) fn take(&mut self) {
        let mut taken = Pending::with_buffer(std::mem::take(&mut self.buffer));
        self.shared.handover.take(&mut taken);
        for item in taken.into_items() {
            match item {
                Item::Request(request) => self.queue.push_back(Work::Request(request)),
                Item::Piece(piece) => match piece.seal() {
                    (buffer, _) if buffer.bytes.is_empty() => self.reuse(Some(buffer)),
                    (buffer, end) => self.queue.push_back(Work::Write { buffer, end }),
                },
            }
        }
    }

    /// Does a piece of work; a write that fails stays at the front of the queue.
    fn do_work(&mut self, work: Work) -> Result<(), DiskError> {
        match work {
            Work::Write { buffer, end } if self.is_void => {
                self.wrote(buffer, end);
                Ok(())
            }
            Work::Write { buffer, end } => match self.write(&buffer.bytes) {
                Ok(()) => {
                    self.wrote(buffer, end);
                    Ok(())
                }
                Err(error) => {
                    self.queue.push_front(Work::Write { buffer, end });
                    Err(error)
                }
            },
            Work::Request(Request::Rotate { offset, done }) => self.rotate(offset, done),
            Work::Request(Request::Finish { rewrite, done }) => self.finish(&rewrite, done),
            Work::Request(Request::Close { offset, done }) => self.close(offset, done),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        let started = Instant::now();
        let result = self.file.write(bytes);
        self.listener.took(LogOperation::Write, micros(started));
        result
    }

    fn wrote(&mut self, buffer: Buffer, end: u64) {
        let len = buffer.bytes.len() as u64;
        if self.shared.forget_buffered(len) {
            self.listener.relieved();
        }
        self.written = end;
        self.shared.progress.publish_written(end);
        if self.is_void || self.shared.settings.effective_policy() == FsyncPolicy::No {
            self.file.forgo();
            self.reuse(Some(buffer));
        } else {
            self.file.keep(buffer);
        }
        self.shared.update(|figures| {
            figures.writes += 1;
            figures.size += len;
        });
    }

    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        let started = Instant::now();
        let result = self.file.sync();
        let took_us = micros(started);
        self.listener.took(LogOperation::Sync, took_us);
        self.shared.update(|figures| {
            figures.syncs += 1;
            figures.delayed_syncs += u64::from(took_us > DELAYED_US);
        });
        let buffer = result?;
        self.reuse(buffer);
        self.publish();
        Ok(())
    }

    /// Everything written is durable, if it has a base, and nothing before it is in doubt.
    pub(super) fn publish(&mut self) {
        if self.is_waiting || self.gap.is_some() || self.file.unsynced_bytes() > 0 {
            return;
        }
        if self.shared.progress.publish_durable(self.written) {
            self.listener.advanced();
        }
    }

    fn reuse(&mut self, buffer: Option<Buffer>) {
        let Some(mut buffer) = buffer.filter(|buffer| buffer.bytes.capacity() <= PIECE_BYTES) else {
            return;
        };
        if buffer.bytes.capacity() > self.buffer.bytes.capacity() {
            buffer.bytes.clear();
            self.buffer = buffer;
        }
    }

    /// After a failed sync: writes again what may be lost.
    pub(super) fn restore(&mut self) -> Result<(), DiskError> {
        if !self.file.is_poisoned() || self.is_void {
            return Ok(());
        }
        if self.file.restore()? == Restored::WithGap && self.gap.is_none() {
            self.gap = Some(Gap { is_rotated: false });
            let text = "The AOF can't be made durable after a failed fsync() until it is rewritten";
            Report::Warning(text.to_owned()).emit();
        }
        Ok(())
    }

    /// Shows what cannot be seen otherwise.
    pub(super) fn show(&self) {
        let (unsynced_bytes, is_waiting) = (self.file.unsynced_bytes(), self.is_waiting);
        let needs_rewrite = self.gap.is_some();
        self.shared.update(|figures| {
            (figures.unsynced_bytes, figures.is_waiting) = (unsynced_bytes, is_waiting);
            figures.needs_rewrite = needs_rewrite;
        });
    }

    fn failed(&mut self, error: &DiskError, now_ms: u64) {
        self.times.retry_ms = Some(now_ms + RETRY_MS);
        if self.times.reported_ms.is_none_or(|reported_ms| now_ms >= reported_ms + REPORT_MS) {
            self.times.reported_ms = Some(now_ms);
            Report::Warning(error.to_string()).emit();
        }
        self.failed_at_once(error);
        self.show();
    }

    pub(super) fn failed_at_once(&mut self, error: &DiskError) {
        if self.shared.note_health(Some(error)) {
            self.listener.health_changed(false);
        }
    }

    fn recovered(&mut self) {
        self.times.retry_ms = None;
        self.times.reported_ms = None;
        if self.shared.is_failing() && self.shared.note_health(None) {
            let text = "AOF write error looks solved. The server can write again.";
            Report::Notice(text.to_owned()).emit();
            self.listener.health_changed(true);
        }
    }

    /// Sets the figures of a log that begins.
    pub(super) fn begin(&mut self, base_size: u64) {
        self.measure();
        self.shared.update(|figures| figures.base_size = base_size);
        self.show();
    }
}

fn micros(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}
