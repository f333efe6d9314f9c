//! The section about what is on disk. Saving comes later: until then nothing was saved since the start.

use std::sync::atomic::Ordering::Relaxed;

use super::Scene;
use super::report::Report;

pub(super) fn persistence(scene: &Scene<'_>, report: &mut Report) {
    let engine = scene.engine;
    let changes = scene.figures.counters.changes.saturating_sub(engine.changes_at_save.load(Relaxed));
    report.field("loading", u8::from(engine.loading.load(Relaxed)));
    report.zeros(&["async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    report.ratio("current_fork_perc", 0.0);
    report.zeros(&["current_save_keys_processed", "current_save_keys_total"]);
    report.field("rdb_changes_since_last_save", changes);
    report.zeros(&["rdb_bgsave_in_progress"]);
    report.field("rdb_last_save_time", engine.started_ms / 1000);
    report.field("rdb_last_bgsave_status", "ok");
    report.field("rdb_last_bgsave_time_sec", -1);
    report.field("rdb_current_bgsave_time_sec", -1);
    report.zeros(&[
        "rdb_saves",
        "rdb_saves_consecutive_failures",
        "rdb_last_cow_size",
        "rdb_last_load_keys_expired",
        "rdb_last_load_keys_loaded",
        "aof_enabled",
        "aof_rewrite_in_progress",
        "aof_rewrite_scheduled",
    ]);
    report.field("aof_last_rewrite_time_sec", -1);
    report.field("aof_current_rewrite_time_sec", -1);
    report.field("aof_last_bgrewrite_status", "ok");
    report.zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    report.field("aof_last_write_status", "ok");
    report.zeros(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"]);
}
