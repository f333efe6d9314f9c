//! LATENCY DOCTOR: the spikes of the latency monitor, explained to people, with advice.

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use crate::engine::Engine;
use crate::latency::Spikes;

/// The report.
pub(super) fn report(engine: &Engine) -> String {
    let threshold_ms = engine.settings.latency_threshold_ms.load(Relaxed);
    let events = engine.latency.all();
    if events.is_empty() {
        return match threshold_ms {
            0 => "The latency monitor of this server is off. CONFIG SET latency-monitor-threshold <milliseconds> \
                  turns it on.\n"
                .to_owned(),
            _ => "No latency spikes were seen so far. There is nothing to worry about.\n".to_owned(),
        };
    }
    let mut text = "Latency spikes were seen in this server:\n\n".to_owned();
    for (number, (name, spikes)) in events.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}. {name}: {}", number + 1, describe(spikes));
    }
    let advice = advice(engine, threshold_ms, &events);
    text.push_str("\nWhat can be done:\n\n");
    advice.iter().for_each(|line| {
        let _ = writeln!(text, "- {line}");
    });
    text
}

fn describe(spikes: &Spikes) -> String {
    let Summary { count, average_ms, deviation_ms, period_s } = Summary::of(spikes);
    format!(
        "{count} latency spikes (average {average_ms}ms, mean deviation {deviation_ms}ms, period {period_s:.2} sec). \
         Worst all time event {}ms.",
        spikes.max_ms
    )
}

#[derive(Debug, PartialEq)]
struct Summary {
    count: usize,
    average_ms: i64,
    /// How far spikes are from the average, on average.
    deviation_ms: i64,
    /// The time from one to the next, on average.
    period_s: f64,
}

impl Summary {
    fn of(spikes: &Spikes) -> Summary {
        let count = spikes.history.len();
        let divisor = count.max(1) as i64;
        let average_ms = spikes.history.iter().map(|spike| spike.1).sum::<i64>() / divisor;
        let deviation: i64 = spikes.history.iter().map(|spike| (spike.1 - average_ms).abs()).sum();
        let first = spikes.history.front().map_or(0, |spike| spike.0);
        let last = spikes.history.back().map_or(0, |spike| spike.0);
        let period_s = ((last - first).max(0) as f64 / divisor as f64).max(1.0 / divisor as f64);
        Summary { count, average_ms, deviation_ms: deviation / divisor, period_s }
    }
}

fn advice(engine: &Engine, threshold_ms: i64, events: &[(&str, Spikes)]) -> Vec<String> {
    let mut advice = Vec::new();
    let has = |beginning: &str| events.iter().any(|(name, _)| name.starts_with(beginning));
    let threshold_us = threshold_ms.saturating_mul(1000);
    if has("command") {
        let slower_than_us = engine.settings.slower_than_us.load(Relaxed);
        if slower_than_us < 0 || (threshold_us > 0 && slower_than_us > threshold_us) {
            advice.push(format!(
                "The slow log does not keep the commands that the latency monitor counts: CONFIG SET \
                 slowlog-log-slower-than {threshold_us} changes that."
            ));
        }
        advice.push("SLOWLOG GET names the commands that take too long.".to_owned());
        advice.push("Commands over large values take time in proportion: split the values.".to_owned());
    }
    if has("fast-command") {
        advice.push(
            "Commands that take constant time were slow: the machine is short of processor time or memory, look for \
             other processes, swapping, and a virtual machine that is slowed down by its host."
                .to_owned(),
        );
    }
    if has("expire") {
        advice.push(
            "Many keys expire at the same time: spread their times to live, or lower active-expire-effort."
                .to_owned(),
        );
    }
    if has("eviction") {
        advice.push(
            "Removing keys to stay below maxmemory takes long: lower maxmemory-eviction-tenacity, turn on \
             lazyfree-lazy-eviction, or give the server more memory."
                .to_owned(),
        );
    }
    if advice.is_empty() {
        advice.push("Nothing is known about these events.".to_owned());
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Harness;

    #[test]
    fn spikes_are_summed_up() {
        let history = [(100, 10), (104, 30), (110, 20)].into_iter().collect();
        let summary = Summary::of(&Spikes { history, max_ms: 30 });
        let expected = Summary { count: 3, average_ms: 20, deviation_ms: 6, period_s: 10.0 / 3.0 };
        assert_eq!(summary, expected);
    }

    #[test]
    fn advice_fits_the_events() {
        let engine = std::sync::Arc::clone(&Harness::new().executor.engine);
        assert!(report(&engine).contains("is off"));
        engine.settings.latency_threshold_ms.store(5, Relaxed);
        assert!(report(&engine).contains("nothing to worry"));
        engine.latency.add("command", 100, 30);
        let text = report(&engine);
        assert!(
            text.contains("1. command: 1 latency spikes (average 30ms, mean deviation 0ms, period 1.00 sec)")
        );
        assert!(text.contains("slowlog-log-slower-than 5000") && !text.contains("expire"), "{text}");
        engine.latency.add("expire-cycle", 100, 30);
        engine.latency.add("eviction-del", 100, 30);
        engine.latency.add("fast-command", 100, 30);
        let text = report(&engine);
        assert!(["active-expire-effort", "tenacity", "swapping"].iter().all(|word| text.contains(word)));
    }
}
