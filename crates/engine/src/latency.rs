//! The latency monitor: a short history of spikes by event (LATENCY HISTORY, LATEST, DOCTOR, ...).

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;

use crate::engine::{Engine, clock_ms};
use crate::tick;

/// Spikes kept per event.
pub const HISTORY_LEN: usize = 160;
/// Events kept; their names come from the server, never from clients.
const EVENTS_MAX: usize = 64;

/// The spikes of one event.
#[derive(Clone, Debug, Default)]
pub struct Spikes {
    /// (unix time in s, ms), oldest first.
    pub history: VecDeque<(i64, i64)>,
    /// The worst ever, ms.
    pub max_ms: i64,
}

impl Engine {
    /// Notes a spike if what began at `start_ns` (see [`tick::now_ns`]) took as long as `latency-monitor-threshold`.
    #[inline]
    pub fn latency_since(&self, event: &'static str, start_ns: u64) {
        let threshold_ms = self.settings.latency_threshold_ms.load(Relaxed);
        if threshold_ms > 0 {
            let took_ms = (tick::now_ns().saturating_sub(start_ns) / 1_000_000) as i64;
            if took_ms >= threshold_ms {
                self.latency.add(event, clock_ms() / 1000, took_ms);
            }
        }
    }
}

/// All events.
#[derive(Debug, Default)]
pub struct LatencyMonitor {
    events: Mutex<BTreeMap<&'static str, Spikes>>,
}

impl LatencyMonitor {
    /// Notes a spike. Several within one second count as the worst of them.
    pub fn add(&self, event: &'static str, now_s: i64, latency_ms: i64) {
        let mut events = self.events.lock();
        if events.len() >= EVENTS_MAX && !events.contains_key(event) {
            return;
        }
        let spikes = events.entry(event).or_default();
        spikes.max_ms = spikes.max_ms.max(latency_ms);
        match spikes.history.back_mut() {
            Some((second, worst)) if *second == now_s => *worst = (*worst).max(latency_ms),
            _ => {
                if spikes.history.len() == HISTORY_LEN {
                    spikes.history.pop_front();
                }
                spikes.history.push_back((now_s, latency_ms));
            }
        }
    }

    /// The spikes of an event.
    pub fn event(&self, name: &str) -> Option<Spikes> {
        self.events.lock().get(name).cloned()
    }

    /// The spikes of all events.
    pub fn all(&self) -> Vec<(&'static str, Spikes)> {
        self.events.lock().iter().map(|(name, spikes)| (*name, spikes.clone())).collect()
    }

    /// Forgets an event, or all of them; how many were forgotten.
    pub fn reset(&self, event: Option<&str>) -> usize {
        let mut events = self.events.lock();
        match event {
            Some(event) => usize::from(events.remove(event).is_some()),
            None => std::mem::take(&mut *events).len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Harness;

    #[test]
    fn spikes_of_one_second_are_one() {
        let monitor = LatencyMonitor::default();
        (0..200).for_each(|second| monitor.add("command", second, second + 1));
        monitor.add("command", 199, 5);
        let spikes = monitor.event("command").unwrap_or_default();
        assert_eq!((spikes.history.len(), spikes.max_ms), (HISTORY_LEN, 200));
        assert_eq!(spikes.history.back(), Some(&(199, 200)));
    }

    #[test]
    fn only_what_takes_long_is_noted() {
        let engine = std::sync::Arc::clone(&Harness::new().executor.engine);
        let start_ns = tick::now_ns();
        while tick::now_ns() - start_ns < 1_100_000 {}
        engine.latency_since("expire-cycle", start_ns);
        assert!(engine.latency.all().is_empty(), "the monitor is off");
        engine.settings.latency_threshold_ms.store(1, Relaxed);
        engine.latency_since("expire-cycle", start_ns);
        engine.settings.latency_threshold_ms.store(100_000, Relaxed);
        engine.latency_since("eviction-del", start_ns);
        let events: Vec<&str> = engine.latency.all().iter().map(|(name, _)| *name).collect();
        assert_eq!(events, ["expire-cycle"]);
    }
}
