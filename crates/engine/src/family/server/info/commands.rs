//! The sections about commands: how often, how long, which errors.

use std::fmt::Write;

use super::Scene;
use super::report::{Report, safe_name};
use crate::command::CommandEntry;
use crate::engine::Engine;
use crate::histogram::Snapshot;
use crate::worker::CommandStats;

fn total(engine: &Engine, entry: &CommandEntry, figure: impl Fn(&CommandStats) -> u64) -> u64 {
    engine.workers.iter().map(|worker| figure(worker.command(entry.id))).sum()
}

pub(super) fn command_stats(scene: &Scene<'_>, report: &mut Report) {
    for entry in scene.engine.commands.all() {
        let sum = |figure: fn(&CommandStats) -> u64| total(scene.engine, entry, figure);
        let (calls, time_us) = (sum(|of| of.calls.get()), sum(|of| of.time_ns.get()) / 1000);
        let (rejected, failed) = (sum(|of| of.rejected.get()), sum(|of| of.failed.get()));
        if calls == 0 && rejected == 0 && failed == 0 {
            continue;
        }
        let per_call_us = if calls == 0 { 0.0 } else { time_us as f64 / calls as f64 };
        report.field(
            &format!("cmdstat_{}", entry.full_name),
            format_args!(
                "calls={calls},usec={time_us},usec_per_call={per_call_us:.2},rejected_calls={rejected},\
                 failed_calls={failed}"
            ),
        );
    }
}

pub(super) fn error_stats(scene: &Scene<'_>, report: &mut Report) {
    for (code, count) in scene.engine.errors.list() {
        report.field(&format!("errorstat_{}", safe_name(&code)), format_args!("count={count}"));
    }
}

/// The times of a command, of all workers together.
pub(in crate::family::server) fn times(engine: &Engine, entry: &CommandEntry) -> Snapshot {
    let mut sum = Snapshot::default();
    for worker in &engine.workers {
        if let Some(histogram) = worker.command(entry.id).histogram.get() {
            histogram.add_to(&mut sum);
        }
    }
    sum
}

pub(super) fn latency_stats(scene: &Scene<'_>, report: &mut Report) {
    let percentiles = scene.engine.config.read().latency_percentiles().to_vec();
    for entry in scene.engine.commands.all() {
        let has_times = |of: &CommandStats| u64::from(of.histogram.get().is_some());
        if total(scene.engine, entry, has_times) == 0 {
            continue;
        }
        let times = times(scene.engine, entry);
        if times.total() > 0 {
            let name = format!("latency_percentiles_usec_{}", entry.full_name);
            report.field(&name, percentile_list(&times, &percentiles));
        }
    }
}

fn percentile_list(times: &Snapshot, percentiles: &[f64]) -> String {
    let mut list = String::new();
    for percent in percentiles {
        let comma = if list.is_empty() { "" } else { "," };
        let time_us = times.percentile_ns(*percent) as f64 / 1000.0;
        // Writing to a string cannot fail.
        let _ = write!(list, "{comma}p{percent}={time_us:.3}");
    }
    list
}
