//! Bytes of the log that are in memory, counted for as long as they are: what `maxmemory` is about is not made less by
//! evicting keys where it is the log's, which would only make it more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many bytes the buffers of a log take.
#[derive(Clone, Debug, Default)]
pub struct HeldBytes(Arc<AtomicU64>);

impl HeldBytes {
    /// The sum at this moment.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Bytes, counted once they have grown.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    counted: u64,
    /// Where it is counted, if it has any room.
    sum: Option<HeldBytes>,
}

impl Buffer {
    /// Takes note of how much room there is by now.
    #[inline]
    pub(super) fn count(&mut self, sum: &HeldBytes) {
        if self.bytes.capacity() as u64 != self.counted {
            self.count_anew(sum);
        }
    }

    fn count_anew(&mut self, sum: &HeldBytes) {
        self.forget();
        self.counted = self.bytes.capacity() as u64;
        sum.0.fetch_add(self.counted, Relaxed);
        self.sum = Some(sum.clone());
    }

    fn forget(&mut self) {
        if let Some(sum) = &self.sum {
            sum.0.fetch_sub(self.counted, Relaxed);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_count_for_as_long_as_they_live() {
        let sum = HeldBytes::default();
        let mut buffer = Buffer::default();
        buffer.bytes.resize(1000, 1);
        buffer.count(&sum);
        assert_eq!(sum.get(), buffer.bytes.capacity() as u64);
        let other = std::mem::take(&mut buffer);
        assert_eq!(sum.get(), other.bytes.capacity() as u64);
        drop((other, buffer));
        assert_eq!(sum.get(), 0);
    }
}
