//! What can be changed while the log is written.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};

/// When the log is made durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FsyncPolicy {
    /// After every batch, before anybody is answered.
    Always,
    /// Every second.
    EverySecond,
    /// When the system likes.
    No,
}

/// The directives of a log.
#[derive(Debug)]
pub struct LogSettings {
    policy: AtomicU8,
    suspended: AtomicBool,
    timestamps: AtomicBool,
    sums: AtomicBool,
    keeps_history: AtomicBool,
    buffer_bytes_max: AtomicU64,
    unsynced_bytes_max: AtomicU64,
}

impl Default for LogSettings {
    /// Every second, with sums, at most 256 MiB unwritten and 32 MiB not durable.
    fn default() -> LogSettings {
        LogSettings {
            policy: AtomicU8::new(FsyncPolicy::EverySecond as u8),
            suspended: AtomicBool::new(false),
            timestamps: AtomicBool::new(false),
            sums: AtomicBool::new(true),
            keeps_history: AtomicBool::new(false),
            buffer_bytes_max: AtomicU64::new(256 << 20),
            unsynced_bytes_max: AtomicU64::new(32 << 20),
        }
    }
}

impl LogSettings {
    /// `appendfsync`.
    pub fn policy(&self) -> FsyncPolicy {
        let own = self.policy.load(Relaxed);
        let all = [FsyncPolicy::Always, FsyncPolicy::EverySecond, FsyncPolicy::No];
        all.into_iter().find(|policy| *policy as u8 == own).unwrap_or(FsyncPolicy::Always)
    }

    /// What holds now: the policy, or no syncs while they are suspended.
    pub(super) fn effective_policy(&self) -> FsyncPolicy {
        if self.suspended.load(Relaxed) { FsyncPolicy::No } else { self.policy() }
    }

    /// Sets `appendfsync`. Whoever does it to a running log lets it know: `AppendLog::wake`.
    pub fn set_policy(&self, policy: FsyncPolicy) {
        self.policy.store(policy as u8, Relaxed);
    }

    /// Whether syncs are suspended, as `no-appendfsync-on-rewrite` wants it during a rewrite or a snapshot.
    pub fn suspend_syncs(&self, suspended: bool) {
        self.suspended.store(suspended, Relaxed);
    }

    /// `aof-timestamp-enabled`: whether the times of units are noted.
    pub fn has_timestamps(&self) -> bool {
        self.timestamps.load(Relaxed)
    }

    /// Sets `aof-timestamp-enabled`.
    pub fn set_timestamps(&self, on: bool) {
        self.timestamps.store(on, Relaxed);
    }

    /// Whether frames get sums.
    pub fn has_sums(&self) -> bool {
        self.sums.load(Relaxed)
    }

    /// Sets whether frames get sums.
    pub fn set_sums(&self, on: bool) {
        self.sums.store(on, Relaxed);
    }

    /// `aof-disable-auto-gc`: whether history is kept.
    pub fn keeps_history(&self) -> bool {
        self.keeps_history.load(Relaxed)
    }

    /// Sets `aof-disable-auto-gc`.
    pub fn set_keeps_history(&self, on: bool) {
        self.keeps_history.store(on, Relaxed);
    }

    /// Bytes that may wait to be written before writes are refused.
    pub fn buffer_bytes_max(&self) -> u64 {
        self.buffer_bytes_max.load(Relaxed)
    }

    /// Sets how many bytes may wait to be written.
    pub fn set_buffer_bytes_max(&self, bytes: u64) {
        self.buffer_bytes_max.store(bytes, Relaxed);
    }

    /// Bytes that may be written and not durable, under `everysec`: with more, a sync does not wait for the second to end.
    pub fn unsynced_bytes_max(&self) -> u64 {
        self.unsynced_bytes_max.load(Relaxed)
    }

    /// Sets how many bytes may be written and not durable.
    pub fn set_unsynced_bytes_max(&self, bytes: u64) {
        self.unsynced_bytes_max.store(bytes, Relaxed);
    }
}
