//! How far the log is on disk, and who waits for it.
//!
//! One thread publishes, any may look. Who has to wait says so and looks again under the lock that the publisher takes after
//! it has published: so either the waiter sees the new offset, or the publisher sees that somebody waits.
//! `tests/interleavings` tries all orders.

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Offsets of the journal up to which the log has come.
#[derive(Debug, Default)]
pub struct Progress {
    written: AtomicU64,
    durable: AtomicU64,
    is_awaited: Mutex<bool>,
}

impl Progress {
    /// Up to where it was handed to the system: what survives the process.
    #[inline]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Up to where it is durable: what survives a loss of power.
    #[inline]
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Whether `offset` is not durable yet; then the listener will be told once there is progress, and must look again.
    #[must_use]
    pub fn must_wait(&self, offset: u64) -> bool {
        if self.durable() >= offset {
            return false;
        }
        let mut is_awaited = self.is_awaited.lock();
        let waits = self.durable() < offset;
        *is_awaited |= waits;
        waits
    }

    /// Publishes what was written.
    pub fn publish_written(&self, offset: u64) {
        self.written.store(offset, Ordering::Release);
    }

    /// Publishes what is durable; whether somebody waits for progress.
    #[must_use]
    pub fn publish_durable(&self, offset: u64) -> bool {
        self.durable.store(offset, Ordering::Release);
        std::mem::replace(&mut *self.is_awaited.lock(), false)
    }
}
