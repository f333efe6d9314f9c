//! What a snapshot tells, on its way into a file, whatever it is written as there.
//!
//! The walker tells keys with a lock held, so what takes them only encodes, into memory; between two locks what was gathered
//! goes to the disk. A big value comes pinned and without a lock, and is written part after part. The first failure is
//! kept, and everything behind it is passed over: a snapshot is walked to its end all the same.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use ochre_keyspace::{Keyspace, SavedKey, Snapshot, SnapshotSink};

use super::save::SaveError;
use super::state::{Saved, Watch};

/// Bytes that are gathered before they go to the disk.
const GATHERED_BYTES: usize = 256 * 1024;
/// Whoever delays a snapshot looks this often whether it is still wanted.
const DELAY_LOOK: Duration = Duration::from_millis(10);

/// A file that a snapshot is written into.
pub(super) trait Recorder {
    /// Encodes a key. One whose value is pinned may go to the disk in parts, unless nobody wants it any more.
    fn take(&mut self, saved: SavedKey<'_>, watch: &Watch) -> Result<(), SaveError>;

    /// Bytes that were encoded and are not in the file yet.
    fn gathered_bytes(&self) -> usize;

    /// Writes them to the file.
    fn flush(&mut self) -> Result<(), SaveError>;

    /// Ends the file, durably: its bytes. All was flushed.
    fn finish(self) -> Result<u64, SaveError>;
}

/// Has a snapshot told to a file that was begun, or, where that failed, to nobody.
pub(super) fn gather<R: Recorder>(
    keyspace: &Keyspace,
    snapshot: Snapshot,
    begun: Result<R, SaveError>,
    watch: &Watch,
    key_delay: Duration,
) -> Result<Saved, SaveError> {
    let mut gatherer = Gatherer { recorder: begun, watch, key_delay, keys: 0, delayed_keys: 0 };
    keyspace.tell_snapshot(snapshot, &mut gatherer);
    let Gatherer { recorder, keys, .. } = gatherer;
    let mut recorder = recorder?;
    recorder.flush()?;
    Ok(Saved { keys, bytes: recorder.finish()? })
}

/// Takes what a snapshot tells.
struct Gatherer<'s, R> {
    /// The file, or why there is none any more.
    recorder: Result<R, SaveError>,
    watch: &'s Watch,
    key_delay: Duration,
    keys: u64,
    /// Those for which was waited.
    delayed_keys: u64,
}

impl<R: Recorder> SnapshotSink for Gatherer<'_, R> {
    fn save(&mut self, key: SavedKey<'_>) {
        let Ok(recorder) = &mut self.recorder else { return };
        match recorder.take(key, self.watch) {
            Ok(()) => {
                self.keys += 1;
                self.watch.keys_done.store(self.keys, Relaxed);
            }
            Err(error) => self.recorder = Err(error),
        }
    }

    fn goes_on(&mut self) -> bool {
        let Ok(recorder) = &mut self.recorder else { return false };
        let is_full = recorder.gathered_bytes() >= GATHERED_BYTES;
        let result = match self.watch.is_cancelled() {
            true => Err(SaveError::Cancelled),
            false if is_full => recorder.flush(),
            false => Ok(()),
        };
        // Of some ranges of keys there was none to tell.
        let keys = u32::try_from(self.keys - self.delayed_keys).unwrap_or(u32::MAX);
        self.delayed_keys = self.keys;
        match result {
            Ok(()) => delay(self.key_delay.saturating_mul(keys), self.watch),
            Err(error) => self.recorder = Err(error),
        }
        self.recorder.is_ok()
    }
}

/// Waits for `rdb-key-save-delay`, for each of some keys, or until nobody wants the snapshot any more.
fn delay(time: Duration, watch: &Watch) {
    if time.is_zero() {
        return;
    }
    let end = Instant::now() + time;
    while !watch.is_cancelled() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(DELAY_LOOK));
    }
}
