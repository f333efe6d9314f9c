//! What the log's thread tells.

use std::sync::Weak;
use std::sync::atomic::Ordering::Relaxed;

use ochre_persist::aof::{FsyncPolicy, LogListener, LogOperation};

use crate::engine::{Engine, Message, clock_ms};

/// Tells the workers, and who looks at latencies.
pub(super) struct Listener(pub(super) Weak<Engine>);

impl LogListener for Listener {
    fn advanced(&self) {
        let Some(engine) = self.0.upgrade() else { return };
        for worker in engine.aof.take_waiting() {
            engine.post(worker, Message::Durable);
        }
    }

    fn relieved(&self) {
        let Some(engine) = self.0.upgrade() else { return };
        engine.settle_restrictions();
        engine.post_all(&Message::Resume);
    }

    fn health_changed(&self, _is_healthy: bool) {
        if let Some(engine) = self.0.upgrade() {
            engine.settle_restrictions();
        }
    }

    fn took(&self, operation: LogOperation, duration_us: u64) {
        let Some(engine) = self.0.upgrade() else { return };
        let threshold_ms = engine.settings.latency_threshold_ms.load(Relaxed);
        let took_ms = (duration_us / 1000) as i64;
        if threshold_ms == 0 || took_ms < threshold_ms {
            return;
        }
        let now_s = clock_ms() / 1000;
        match operation {
            LogOperation::Write => {
                engine.latency.add("aof-write", now_s, took_ms);
                let kind = if engine.is_saving() { "aof-write-active-child" } else { "aof-write-alone" };
                engine.latency.add(kind, now_s, took_ms);
            }
            LogOperation::Sync if engine.aof.policy() == Some(FsyncPolicy::Always) => {
                engine.latency.add("aof-fsync-always", now_s, took_ms);
            }
            LogOperation::Sync => {}
        }
    }
}
