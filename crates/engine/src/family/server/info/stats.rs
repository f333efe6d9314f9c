//! The sections Stats and Debug: what was counted since the start.

use std::sync::atomic::Ordering::Relaxed;

use super::Scene;
use super::report::Report;
use crate::engine::Engine;
use crate::family::server::facts::total;
use crate::messages::Kind;
use crate::stats::Rates;
use crate::worker::WorkerStats;

pub(super) fn stats(scene: &Scene<'_>, report: &mut Report) {
    traffic(scene.engine, report);
    keys(scene, report);
    messages(scene.engine, report);
    features_to_come(report);
    tracking(scene.engine, report);
    replies(scene.engine, report);
    io(scene.engine, report);
    event_loops(scene.engine, report);
    refusals(scene.engine, report);
}

fn refusals(engine: &Engine, report: &mut Report) {
    let stats = &engine.stats;
    report.field("acl_access_denied_auth", stats.acl_denied_auth.load(Relaxed));
    report.field("acl_access_denied_cmd", stats.acl_denied_command.load(Relaxed));
    report.field("acl_access_denied_key", stats.acl_denied_key.load(Relaxed));
    report.field("acl_access_denied_channel", stats.acl_denied_channel.load(Relaxed));
    report.zeros(&["acl_access_denied_tls_cert"]);
    report.field("acl_access_denied_db", stats.acl_denied_database.load(Relaxed));
}

fn traffic(engine: &Engine, report: &mut Report) {
    let (stats, rates) = (&engine.stats, engine.stats.rates.lock());
    report.field("total_connections_received", stats.connections.load(Relaxed));
    report.field("total_commands_processed", total(engine, |worker| worker.processed()));
    report.field("instantaneous_ops_per_sec", rates.commands.per_second() as u64);
    report.field("total_net_input_bytes", total(engine, |worker| worker.net_in_bytes.get()));
    report.field("total_net_output_bytes", total(engine, |worker| worker.net_out_bytes.get()));
    report.zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    report.ratio("instantaneous_input_kbps", rates.net_in.per_second() / 1024.0);
    report.ratio("instantaneous_output_kbps", rates.net_out.per_second() / 1024.0);
    report.ratio("instantaneous_input_repl_kbps", 0.0);
    report.ratio("instantaneous_output_repl_kbps", 0.0);
    report.field("rejected_connections", stats.rejected_connections.load(Relaxed));
    report.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
}

fn keys(scene: &Scene<'_>, report: &mut Report) {
    let (engine, counters) = (scene.engine, scene.figures.counters);
    report.field("expired_subkeys", counters.expired_fields);
    let in_background = total(engine, |worker| worker.expired_fields_in_background.get());
    report.field("expired_subkeys_active", in_background);
    report.field("expired_fields", counters.expired_fields);
    report.field("expired_keys", counters.expired);
    report.field("expired_keys_active", total(engine, |worker| worker.expired_in_background.get()));
    report.ratio("expired_stale_perc", 0.0);
    let capped = total(engine, |worker| worker.expire_time_cap_reached.get());
    report.field("expired_time_cap_reached_count", capped);
    let expiring_ms = total(engine, |worker| worker.expire_ns.get()) / 1_000_000;
    report.field("expire_cycle_cpu_milliseconds", expiring_ms);
    report.field("evicted_keys", counters.evicted);
    report.field("evicted_clients", engine.stats.evicted_clients.load(Relaxed));
    report.field("evicted_scripts", engine.scripting.figures().evicted);
    let since_ms = engine.stats.exceeded_since_ms.load(Relaxed);
    let current_ms = if since_ms == 0 { 0 } else { (scene.now_ms as u64).saturating_sub(since_ms) };
    let total_ms = engine.stats.exceeded_memory_ms.load(Relaxed) + current_ms;
    report.field("total_eviction_exceeded_time", total_ms);
    report.field("current_eviction_exceeded_time", current_ms);
    report.field("keyspace_hits", counters.hits);
    report.field("keyspace_misses", counters.misses);
}

fn messages(engine: &Engine, report: &mut Report) {
    report.field("pubsub_channels", engine.messages.count(Kind::Channel));
    report.field("pubsub_patterns", engine.messages.count(Kind::Pattern));
    report.field("pubsubshard_channels", engine.messages.count(Kind::ShardChannel));
}

fn tracking(engine: &Engine, report: &mut Report) {
    let counts = &engine.keyspace.reader_counts;
    report.field("tracking_total_keys", counts.keys.load(Relaxed));
    report.field("tracking_total_items", counts.notes.load(Relaxed));
    report.field("tracking_total_prefixes", engine.messages.prefix_count());
}

fn features_to_come(report: &mut Report) {
    report.zeros(&[
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ]);
}

fn replies(engine: &Engine, report: &mut Report) {
    report.zeros(&["unexpected_error_replies"]);
    report.field("total_error_replies", engine.stats.error_replies.load(Relaxed));
    report.zeros(&["dump_payload_sanitizations"]);
}

fn io(engine: &Engine, report: &mut Report) {
    let (reads, writes) =
        (|worker: &WorkerStats| worker.reads.get(), |worker: &WorkerStats| worker.writes.get());
    let beyond_first = |figure: fn(&WorkerStats) -> u64| -> u64 {
        engine.workers.iter().skip(1).map(|worker| figure(worker)).sum()
    };
    report.field("total_reads_processed", total(engine, reads));
    report.field("total_writes_processed", total(engine, writes));
    report.field("io_threaded_reads_processed", beyond_first(reads));
    report.field("io_threaded_writes_processed", beyond_first(writes));
    let (batches, keys) = (
        total(engine, |worker| worker.prefetch_batches.get()),
        total(engine, |worker| worker.prefetched_keys.get()),
    );
    report.field("io_threaded_total_prefetch_batches", batches);
    report.field("io_threaded_total_prefetch_entries", keys);
    let (query, output) = (
        total(engine, |worker| worker.query_limit_disconnections.get()),
        total(engine, |worker| worker.output_limit_disconnections.get()),
    );
    report.field("client_query_buffer_limit_disconnections", query);
    report.field("client_output_buffer_limit_disconnections", output);
    report.field("reply_buffer_shrinks", engine.stats.reply_buffer_shrinks.load(Relaxed));
    report.field("reply_buffer_expands", engine.stats.reply_buffer_expands.load(Relaxed));
}

fn event_loops(engine: &Engine, report: &mut Report) {
    report.field("eventloop_cycles", total(engine, |worker| worker.loops.get()));
    report.field("eventloop_duration_sum", total(engine, |worker| worker.loops_ns.get()) / 1000);
    report.field("eventloop_duration_cmd_sum", total(engine, |worker| worker.commands_ns()) / 1000);
    let rates = engine.stats.rates.lock();
    report.field("instantaneous_eventloop_cycles_per_sec", rates.loops.per_second() as u64);
    report.field("instantaneous_eventloop_duration_usec", round_us(&rates));
}

/// How long a round of an event loop takes.
fn round_us(rates: &Rates) -> u64 {
    let (rounds, time_ns) = (rates.loops.per_second(), rates.loops_ns.per_second());
    if rounds > 0.0 { (time_ns / rounds / 1000.0) as u64 } else { 0 }
}

pub(super) fn debug(scene: &Scene<'_>, report: &mut Report) {
    report.zeros(&["eventloop_duration_aof_sum"]);
    // What other servers do in a timer is here the removal of expired keys between the rounds.
    report.field("eventloop_duration_cron_sum", total(scene.engine, |worker| worker.expire_ns.get()) / 1000);
    report.zeros(&[
        "eventloop_duration_max",
        "eventloop_cmd_per_cycle_max",
        "allocator_allocated_lua",
        "allocator_active_lua",
        "allocator_resident_lua",
        "allocator_frag_bytes_lua",
    ]);
}
