//! The section about what is on disk.

use std::sync::atomic::Ordering::Relaxed;

use super::Scene;
use super::report::Report;
use crate::engine::{Engine, clock_ms};

pub(super) fn persistence(scene: &Scene<'_>, report: &mut Report) {
    let engine = scene.engine;
    let changes = scene.figures.counters.changes.saturating_sub(engine.changes_at_save.load(Relaxed));
    report.field("loading", u8::from(engine.loading.load(Relaxed)));
    report.zeros(&["async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    report.ratio("current_fork_perc", 0.0);
    snapshots(engine, changes, report);
    log(engine, report);
    loading(engine, report);
}

fn log(engine: &Engine, report: &mut Report) {
    let (rewrites, status) = (engine.aof.rewrite_figures(), engine.aof.status());
    report.field("aof_enabled", u8::from(engine.aof.is_on()));
    report.field("aof_rewrite_in_progress", u8::from(rewrites.since_ms.is_some()));
    report.field("aof_rewrite_scheduled", u8::from(rewrites.is_scheduled));
    report.field("aof_last_rewrite_time_sec", rewrites.last_took_s);
    report.field("aof_current_rewrite_time_sec", rewrites.since_ms.map_or(-1, since_s));
    report.field("aof_last_bgrewrite_status", if rewrites.has_failed { "err" } else { "ok" });
    report.field("aof_rewrites", rewrites.count);
    report.field("aof_rewrites_consecutive_failures", rewrites.failures);
    let has_failed = status.as_ref().is_some_and(|status| status.error.is_some());
    report.field("aof_last_write_status", if has_failed { "err" } else { "ok" });
    report.zeros(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"]);
    let Some(status) = status else { return };
    report.field("aof_current_size", status.size);
    report.field("aof_base_size", status.base_size);
    report.field("aof_pending_rewrite", u8::from(rewrites.is_scheduled));
    report.field("aof_buffer_length", status.buffered_bytes);
    report.field("aof_pending_bio_fsync", u8::from(status.unsynced_bytes > 0));
    report.field("aof_delayed_fsync", status.delayed_syncs);
}

fn loading(engine: &Engine, report: &mut Report) {
    let Some(stand) = engine.persistence.load_progress.stand(clock_ms()) else { return };
    report.field("loading_start_time", stand.began_ms / 1000);
    report.field("loading_total_bytes", stand.total_bytes);
    report.field("loading_rdb_used_mem", stand.used_mem);
    report.field("loading_loaded_bytes", stand.done_bytes);
    report.ratio("loading_loaded_perc", stand.percent());
    report.field("loading_eta_seconds", stand.left_s);
}

fn since_s(since_ms: i64) -> i64 {
    (clock_ms() - since_ms).max(0) / 1000
}

fn snapshots(engine: &Engine, changes: u64, report: &mut Report) {
    let persistence = &engine.persistence;
    let progress = persistence.progress();
    let (saves, failures) = persistence.counts();
    report.field("current_save_keys_processed", progress.map_or(0, |progress| progress.keys_done));
    report.field("current_save_keys_total", progress.map_or(0, |progress| progress.keys_total));
    report.field("rdb_changes_since_last_save", changes);
    report.field("rdb_bgsave_in_progress", u8::from(progress.is_some()));
    report.field("rdb_last_save_time", persistence.last_success_s());
    report.field("rdb_last_bgsave_status", if persistence.has_failed() { "err" } else { "ok" });
    report.field("rdb_last_bgsave_time_sec", persistence.last_took_s());
    report.field("rdb_current_bgsave_time_sec", progress.map_or(-1, |progress| since_s(progress.since_ms)));
    report.field("rdb_saves", saves);
    report.field("rdb_saves_consecutive_failures", failures);
    report.zeros(&["rdb_last_cow_size"]);
    report.field("rdb_last_load_keys_expired", persistence.keys_expired.load(Relaxed));
    report.field("rdb_last_load_keys_loaded", persistence.keys_loaded.load(Relaxed));
}
