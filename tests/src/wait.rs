//! Waiting for something that will come true.

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up. Generous: only a failing test ever waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until `ready` has an answer; `None` when [`PATIENCE`] is over.
pub fn wait_for<T>(mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ready() {
            return Some(answer);
        }
        if start.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
