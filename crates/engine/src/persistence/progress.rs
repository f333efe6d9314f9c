//! How far loading has come, for INFO and the log.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use crate::engine::clock_ms;

/// So often the log tells how far it is, ms.
const TELL_EVERY_MS: i64 = 5000;

/// How far loading has come; all of it is nothing while nothing is loaded.
#[derive(Debug, Default)]
pub struct LoadProgress {
    began_ms: AtomicI64,
    total_bytes: AtomicU64,
    /// Of the files before the present one.
    before_bytes: AtomicU64,
    done_bytes: AtomicU64,
    told_ms: AtomicI64,
    /// What the server that wrote the snapshot used, as the file says.
    used_mem: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoadStand {
    /// Since when, unix time in ms.
    pub(crate) began_ms: i64,
    pub(crate) total_bytes: u64,
    pub(crate) done_bytes: u64,
    pub(crate) used_mem: u64,
    /// How long it will take, s.
    pub(crate) left_s: u64,
}

impl LoadStand {
    fn new(began_ms: i64, now_ms: i64, (done_bytes, total_bytes): (u64, u64), used_mem: u64) -> LoadStand {
        let done_bytes = done_bytes.min(total_bytes);
        // A second at least, so that nothing is divided by next to nothing.
        let took_s = ((now_ms - began_ms).max(0) as u64 / 1000).max(1);
        let left_s = match done_bytes {
            0 => 1,
            _ => (u128::from(took_s) * u128::from(total_bytes - done_bytes) / u128::from(done_bytes)) as u64,
        };
        LoadStand { began_ms, total_bytes, done_bytes, used_mem, left_s }
    }

    /// How much of it is done, 0 to 100.
    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.done_bytes as f64 / self.total_bytes.max(1) as f64
    }
}

impl LoadProgress {
    /// Loading begins.
    pub(crate) fn begin(&self) {
        let now_ms = clock_ms();
        for figure in [&self.total_bytes, &self.before_bytes, &self.done_bytes, &self.used_mem] {
            figure.store(0, Relaxed);
        }
        self.told_ms.store(now_ms, Relaxed);
        self.began_ms.store(now_ms, Relaxed);
    }

    /// It is over.
    pub(crate) fn end(&self) {
        self.began_ms.store(0, Relaxed);
    }

    /// A file begins, before which so many bytes are done, of so many in all.
    pub(crate) fn begin_file(&self, before_bytes: u64, total_bytes: u64) {
        self.total_bytes.store(total_bytes, Relaxed);
        self.before_bytes.store(before_bytes, Relaxed);
        self.done_bytes.store(before_bytes, Relaxed);
    }

    /// The file says how much memory the server used that wrote it.
    pub(crate) fn note_used_mem(&self, bytes: u64) {
        self.used_mem.store(bytes, Relaxed);
    }

    /// So many bytes of the present file are done. Tells the log now and then.
    #[inline]
    pub(crate) fn advance(&self, bytes: u64) {
        self.done_bytes.store(self.before_bytes.load(Relaxed) + bytes, Relaxed);
    }

    /// Tells the log how far it is, if that is due.
    pub(crate) fn tell(&self) {
        let now_ms = clock_ms();
        if now_ms - self.told_ms.load(Relaxed) < TELL_EVERY_MS {
            return;
        }
        self.told_ms.store(now_ms, Relaxed);
        if let Some(stand) = self.stand(now_ms) {
            log::warn!(
                "Loading: {:.1} % of {} bytes, about {} seconds left",
                stand.percent(),
                stand.total_bytes,
                stand.left_s
            );
        }
    }

    /// How far it is, while something is loaded.
    pub(crate) fn stand(&self, now_ms: i64) -> Option<LoadStand> {
        let began_ms = self.began_ms.load(Relaxed);
        let bytes = (self.done_bytes.load(Relaxed), self.total_bytes.load(Relaxed));
        (began_ms != 0).then(|| LoadStand::new(began_ms, now_ms, bytes, self.used_mem.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_is_done() {
        let cases = [
            // Done, of so much, after so long: percent, seconds left.
            ((0, 1000), 0, 0.0, 1),
            ((0, 0), 9000, 0.0, 1),
            ((250, 1000), 10_000, 25.0, 30),
            ((1000, 1000), 10_000, 100.0, 0),
            ((2000, 1000), 10_000, 100.0, 0),
            ((1, u64::MAX), 1000, 0.0, u64::MAX - 1),
        ];
        for (bytes, took_ms, percent, left_s) in cases {
            let stand = LoadStand::new(5000, 5000 + took_ms, bytes, 7);
            assert!((stand.percent() - percent).abs() < 1e-9, "{bytes:?}");
            assert_eq!((stand.left_s, stand.used_mem), (left_s, 7), "{bytes:?}");
        }
    }

    #[test]
    fn files_follow_each_other() {
        let progress = LoadProgress::default();
        assert_eq!(progress.stand(1), None);
        progress.begin();
        progress.begin_file(0, 300);
        progress.advance(50);
        progress.begin_file(100, 300);
        progress.advance(20);
        let stand = progress.stand(clock_ms()).expect("something is loaded");
        assert_eq!((stand.done_bytes, stand.total_bytes), (120, 300));
        progress.end();
        assert_eq!(progress.stand(1), None);
    }
}
