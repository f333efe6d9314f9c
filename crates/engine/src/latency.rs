//! The latency monitor: a short history of spikes by event (LATENCY HISTORY, LATEST, DOCTOR, ...).

use std::collections::{BTreeMap, VecDeque};

use parking_lot::Mutex;

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
