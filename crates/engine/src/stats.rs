//! Statistics that are not by worker: connections, errors, samples over time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use ochre_keyspace::View;
use parking_lot::Mutex;

use crate::engine::Engine;
use crate::worker::{CommandStats, WorkerStats};

/// As many different error codes are counted; more are counted as one.
const ERROR_CODES_MAX: usize = 128;

/// Counters that all workers share; none is touched by an ordinary command.
#[derive(Debug, Default)]
pub struct ServerStats {
    /// Whether INFO has told of hashes with fields that expire.
    pub(crate) has_told_of_fields: std::sync::atomic::AtomicBool,
    /// Connections accepted.
    pub connections: AtomicU64,
    /// Connections refused because of `maxclients`.
    pub rejected_connections: AtomicU64,
    /// Clients closed to make room for others (`maxmemory-clients`).
    pub evicted_clients: AtomicU64,
    /// Failed attempts to authenticate.
    pub acl_denied_auth: AtomicU64,
    /// Commands refused because the user may not run them.
    pub acl_denied_command: AtomicU64,
    /// Commands refused because of a key.
    pub acl_denied_key: AtomicU64,
    /// Commands refused because of a channel.
    pub acl_denied_channel: AtomicU64,
    /// Commands refused because of a database.
    pub acl_denied_database: AtomicU64,
    /// Error replies, and of these such that no client should get.
    pub error_replies: AtomicU64,
    /// Time that memory was above `maxmemory`, ms in total.
    pub exceeded_memory_ms: AtomicU64,
    /// Since when it is (unix time in ms), 0 if it is not.
    pub exceeded_since_ms: AtomicU64,
    /// Reply buffers made larger.
    pub reply_buffer_expands: AtomicU64,
    /// Reply buffers made smaller.
    pub reply_buffer_shrinks: AtomicU64,
    /// Memory in use when the server was ready, bytes.
    pub startup_bytes: AtomicUsize,
    /// The highest use of memory that was seen, bytes.
    pub peak_bytes: AtomicUsize,
    /// When that was, unix time in ms.
    pub peak_ms: AtomicI64,
    /// Samples of rates.
    pub rates: Mutex<Rates>,
}

impl ServerStats {
    /// Notes when memory is higher than ever before.
    pub fn note_peak(&self, now_ms: i64) {
        let peak_bytes = ochre_memory::peak_bytes();
        if self.peak_bytes.swap(peak_bytes, Relaxed) < peak_bytes {
            self.peak_ms.store(now_ms, Relaxed);
        }
    }

    /// Notes whether memory is above `maxmemory`.
    pub fn note_exceeded(&self, exceeded: bool, now_ms: i64) {
        let now_ms = now_ms.max(1) as u64;
        if exceeded {
            // Whoever is first says since when.
            let _ = self.exceeded_since_ms.compare_exchange(0, now_ms, Relaxed, Relaxed);
        } else if self.exceeded_since_ms.load(Relaxed) != 0 {
            let since_ms = self.exceeded_since_ms.swap(0, Relaxed);
            if since_ms != 0 {
                self.exceeded_memory_ms.fetch_add(now_ms.saturating_sub(since_ms), Relaxed);
            }
        }
    }

    fn reset(&self) {
        let counters = [
            &self.connections,
            &self.rejected_connections,
            &self.evicted_clients,
            &self.acl_denied_auth,
            &self.acl_denied_command,
            &self.acl_denied_key,
            &self.acl_denied_channel,
            &self.acl_denied_database,
            &self.error_replies,
            &self.exceeded_memory_ms,
            &self.exceeded_since_ms,
            &self.reply_buffer_expands,
            &self.reply_buffer_shrinks,
        ];
        counters.iter().for_each(|counter| counter.store(0, Relaxed));
        *self.rates.lock() = Rates::default();
    }
}

impl Engine {
    /// Starts all statistics anew (CONFIG RESETSTAT). Logs, latency spikes, memory's peak and what says how much there
    /// is to save stay. The command that asks for this needs [`WALKS_KEYSPACE`](crate::flags::WALKS_KEYSPACE).
    pub fn reset_statistics(&self, view: &mut View<'_>) {
        view.reset_counters();
        self.keyspace.reclaimer.reset_freed();
        self.stats.reset();
        self.errors.reset();
        self.scripting.reset_statistics();
        self.workers.iter().for_each(|worker| reset_worker(worker));
    }
}

fn reset_worker(worker: &WorkerStats) {
    let counters = [
        &worker.net_in_bytes,
        &worker.net_out_bytes,
        &worker.loops,
        &worker.loops_ns,
        &worker.reads,
        &worker.writes,
        &worker.prefetch_batches,
        &worker.prefetched_keys,
        &worker.query_limit_disconnections,
        &worker.output_limit_disconnections,
        &worker.expire_ns,
        &worker.expire_time_cap_reached,
        &worker.expired_in_background,
        &worker.expired_fields_in_background,
    ];
    counters.iter().for_each(|counter| counter.reset());
    worker.commands.iter().for_each(reset_command);
}

fn reset_command(command: &CommandStats) {
    [&command.calls, &command.time_ns, &command.rejected, &command.failed]
        .iter()
        .for_each(|counter| counter.reset());
    if let Some(histogram) = command.histogram.get() {
        histogram.reset();
    }
}

/// How often each error code was replied.
#[derive(Debug, Default)]
pub struct ErrorStats {
    counts: Mutex<BTreeMap<String, u64>>,
    disabled: std::sync::atomic::AtomicBool,
}

impl ErrorStats {
    /// Counts one; clients cannot make the table grow without bound.
    pub fn count(&self, code: &str) {
        if self.disabled.load(Relaxed) {
            return;
        }
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(code) {
            *count += 1;
        } else if counts.len() < ERROR_CODES_MAX {
            counts.insert(code.to_owned(), 1);
        } else {
            // As in Redis: when scripts make up codes, the codes are no longer told apart.
            counts.clear();
            counts.insert("ERRORSTATS_DISABLED".to_owned(), 1);
            self.disabled.store(true, Relaxed);
        }
    }

    /// The counts by code.
    pub fn list(&self) -> Vec<(String, u64)> {
        self.counts.lock().iter().map(|(code, count)| (code.clone(), *count)).collect()
    }

    /// Starts anew.
    pub fn reset(&self) {
        self.counts.lock().clear();
        self.disabled.store(false, Relaxed);
    }
}

const SAMPLES: usize = 16;

/// A rate from the last 16 samples of a counter.
#[derive(Debug, Default, Clone)]
pub struct Rate {
    last: Option<(i64, u64)>,
    samples: Vec<f64>,
    next: usize,
}

impl Rate {
    /// Adds a sample of a counter.
    pub fn sample(&mut self, now_ms: i64, count: u64) {
        if let Some((before_ms, before)) = self.last {
            let elapsed_ms = (now_ms - before_ms).max(1);
            let rate = count.saturating_sub(before) as f64 * 1000.0 / elapsed_ms as f64;
            if self.samples.len() < SAMPLES {
                self.samples.push(rate);
            } else {
                self.samples[self.next % SAMPLES] = rate;
            }
            self.next += 1;
        }
        self.last = Some((now_ms, count));
    }

    /// The average, per second.
    pub fn per_second(&self) -> f64 {
        if self.samples.is_empty() {
            0.0
        } else {
            self.samples.iter().sum::<f64>() / self.samples.len() as f64
        }
    }
}

/// The rates that INFO shows.
#[derive(Debug, Default)]
pub struct Rates {
    /// Commands.
    pub commands: Rate,
    /// Bytes received.
    pub net_in: Rate,
    /// Bytes sent.
    pub net_out: Rate,
    /// Rounds of event loops.
    pub loops: Rate,
    /// Nanoseconds in those rounds.
    pub loops_ns: Rate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_cannot_grow_without_bound() {
        let errors = ErrorStats::default();
        (0..ERROR_CODES_MAX).for_each(|number| errors.count(&format!("E{number}")));
        errors.count("E0");
        assert_eq!((errors.list().len(), errors.list()[0].clone()), (ERROR_CODES_MAX, ("E0".into(), 2)));
        errors.count("ONE-TOO-MANY");
        errors.count("E0");
        assert_eq!(errors.list(), [("ERRORSTATS_DISABLED".to_owned(), 1)]);
        errors.reset();
        errors.count("E0");
        assert_eq!(errors.list(), [("E0".to_owned(), 1)]);
    }

    #[test]
    fn rates_forget_what_is_long_past() {
        let mut rate = Rate::default();
        (0..=20).for_each(|step| rate.sample(step * 100, 7 * step as u64));
        assert!((rate.per_second() - 70.0).abs() < 1e-9);
        (21..=36).for_each(|step| rate.sample(step * 100, 140));
        assert!(rate.per_second().abs() < 1e-9);
    }

    #[test]
    fn time_above_the_limit_adds_up() {
        let stats = ServerStats::default();
        for (exceeded, now_ms) in
            [(true, 1_000), (true, 1_500), (false, 3_000), (false, 4_000), (true, 5_000)]
        {
            stats.note_exceeded(exceeded, now_ms);
        }
        let (total_ms, since_ms) = (&stats.exceeded_memory_ms, &stats.exceeded_since_ms);
        assert_eq!((total_ms.load(Relaxed), since_ms.load(Relaxed)), (2_000, 5_000));
    }
}
