//! The section about clients.

use std::sync::atomic::Ordering::Relaxed;

use super::Scene;
use super::report::Report;
use crate::engine::PauseMode;

pub(super) fn clients(scene: &Scene<'_>, report: &mut Report) {
    let (engine, clients) = (scene.engine, scene.clients());
    let blocked: i64 = engine.workers.iter().map(|worker| worker.blocked.load(Relaxed)).sum();
    report.field("connected_clients", clients.connected);
    report.field("cluster_connections", 0);
    report.field("maxclients", engine.settings.max_clients.load(Relaxed));
    report.field("client_recent_max_input_buffer", clients.input_bytes_max);
    report.field("client_recent_max_output_buffer", clients.output_bytes_max);
    report.field("blocked_clients", blocked.max(0));
    report.field("tracking_clients", clients.tracking);
    report.field("pubsub_clients", clients.subscribed);
    report.field("watching_clients", clients.watching);
    let timed: i64 = engine.workers.iter().map(|worker| worker.timed.load(Relaxed)).sum();
    report.field("clients_in_timeout_table", timed.max(0));
    report.field("total_watched_keys", scene.figures.watched_keys);
    report.field("total_blocking_keys", scene.figures.awaited_keys);
    report.field("total_blocking_keys_on_nokey", scene.figures.awaited_absences);
    pause(scene, report);
}

/// CLIENT PAUSE, as Valkey shows it.
fn pause(scene: &Scene<'_>, report: &mut Report) {
    let pause = &scene.engine.pause;
    let (reason, actions) = match pause.mode(scene.now_ms) {
        PauseMode::None => ("none", "none"),
        PauseMode::Write => ("client_pause", "write"),
        PauseMode::All => ("client_pause", "all"),
    };
    let left_ms = if reason == "none" { 0 } else { (pause.until_ms() - scene.now_ms).max(0) };
    report.field("paused_reason", reason);
    report.field("paused_actions", actions);
    report.field("paused_timeout_milliseconds", left_ms);
}
