//! The software watchdog (`watchdog-period`): shows all stacks when a worker stays busy for too long.
//!
//! Redis re-arms a timer in its main loop and lets its signal show the stacks. Here each worker has a counter that is odd
//! while it works; a thread looks at them and reports one that stood still, odd, for a whole period, once per stall. A
//! worker pays one store per turn of its loop, and nothing if it has no counter.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// A worker's sign of life.
#[derive(Debug, Clone, Default)]
pub struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    /// The worker has events to handle.
    pub fn busy(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) | 1, Ordering::Relaxed);
    }

    /// It goes on working.
    pub fn beat(&self) {
        self.idle();
        self.busy();
    }

    /// It is about to wait for some.
    pub fn idle(&self) {
        self.0.store((self.0.load(Ordering::Relaxed) | 1).wrapping_add(1), Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The watchdog and the workers it watches.
#[derive(Debug, Default)]
pub struct Watchdog {
    shared: Arc<Shared>,
    started: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    period: Duration,
    watched: Vec<Watched>,
    closed: bool,
}

/// What was last seen of one worker.
#[derive(Debug)]
struct Watched {
    heartbeat: Heartbeat,
    seen: u64,
    since: Instant,
    reported: bool,
}

impl Watched {
    /// Whether a report is due.
    fn look(&mut self, now: Instant, period: Duration) -> bool {
        let count = self.heartbeat.count();
        if count != self.seen || count.is_multiple_of(2) {
            (self.seen, self.since, self.reported) = (count, now, false);
            return false;
        }
        let due = !self.reported && now.duration_since(self.since) >= period;
        self.reported |= due;
        due
    }
}

impl Watchdog {
    /// Watches one more worker.
    pub fn watch(&self) -> Heartbeat {
        let heartbeat = Heartbeat::default();
        let watched =
            Watched { heartbeat: heartbeat.clone(), seen: 0, since: Instant::now(), reported: false };
        self.shared.state.lock().watched.push(watched);
        heartbeat
    }

    /// Sets the period in milliseconds; 0 stops watching. Its thread starts when first needed. Periods too short for
    /// `hz` are raised: the period in force is returned.
    pub fn set_period(&mut self, period_ms: u64, hz: u64) -> io::Result<u64> {
        let period_ms = effective_period_ms(period_ms, hz);
        if period_ms != 0 && !self.started {
            let shared = Arc::clone(&self.shared);
            std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || shared.run())?;
            self.started = true;
        }
        let mut state = self.shared.state.lock();
        state.period = Duration::from_millis(period_ms);
        let now = Instant::now();
        for watched in &mut state.watched {
            watched.since = now;
        }
        self.shared.changed.notify_all();
        Ok(period_ms)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

/// A period is at least two turns of the server's timer.
fn effective_period_ms(period_ms: u64, hz: u64) -> u64 {
    if period_ms == 0 { 0 } else { period_ms.max(1000 / hz.max(1) * 2) }
}

impl Shared {
    fn run(&self) {
        let mut state = self.state.lock();
        while !state.closed {
            if state.period.is_zero() {
                self.changed.wait(&mut state);
                continue;
            }
            let pause = (state.period / 4).max(Duration::from_millis(1));
            self.changed.wait_for(&mut state, pause);
            let (now, period) = (Instant::now(), state.period);
            let due = state.watched.iter_mut().fold(false, |due, w| w.look(now, period) | due);
            if due && !state.closed && !period.is_zero() {
                parking_lot::MutexGuard::unlocked(&mut state, || {
                    super::crash::log_all_stacks("\n--- WATCHDOG TIMER EXPIRED ---");
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_report_per_stall() {
        let heartbeat = Heartbeat::default();
        let start = Instant::now();
        let mut watched = Watched { heartbeat: heartbeat.clone(), seen: 0, since: start, reported: false };
        let period = Duration::from_millis(200);
        let mut at = |ms: u64| watched.look(start + Duration::from_millis(ms), period);
        assert!(!at(1000), "idle for ever is fine");
        heartbeat.busy();
        assert!(!at(1050));
        assert!(!at(1200));
        assert!(at(1250));
        assert!(!at(5000), "reported already");
        heartbeat.idle();
        heartbeat.busy();
        assert!(!at(5010), "another turn of the loop");
        assert!(at(5210));
    }

    #[test]
    fn periods() {
        for (period, hz, expected) in [(0, 10, 0), (100, 10, 200), (500, 10, 500), (1, 0, 2000)] {
            assert_eq!(effective_period_ms(period, hz), expected);
        }
    }

    #[test]
    fn the_thread_ends_with_the_watchdog() {
        let mut watchdog = Watchdog::default();
        let heartbeat = watchdog.watch();
        assert_eq!(watchdog.set_period(60_000, 10).unwrap(), 60_000);
        heartbeat.busy();
        let shared = Arc::downgrade(&watchdog.shared);
        drop(watchdog);
        while shared.strong_count() > 0 {
            std::thread::yield_now();
        }
    }
}
