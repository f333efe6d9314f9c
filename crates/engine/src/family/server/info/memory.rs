//! The section about memory.

use std::sync::atomic::Ordering::Relaxed;

use super::Scene;
use super::report::{Report, human_bytes};
use crate::engine::Engine;
use crate::family::server::facts::{Excess, MemoryFigures, fact};

pub(super) fn memory(scene: &Scene<'_>, report: &mut Report) {
    let (engine, memory) = (scene.engine, scene.memory());
    engine.stats.note_peak(scene.now_ms);
    use_of_memory(memory, engine.stats.peak_ms.load(Relaxed) / 1000, report);
    let system = fact(engine, "total_system_memory").parse().unwrap_or(0);
    report.bytes("total_system_memory", system);
    scripts(engine, report);
    report.bytes("maxmemory", engine.keyspace.settings.maxmemory_bytes.load(Relaxed));
    report.field("maxmemory_policy", engine.keyspace.settings.policy().name());
    excesses(memory, report);
    report.field("mem_not_counted_for_evict", engine.passing_bytes());
    report.zeros(&[
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_replica_full_sync_buffer",
    ]);
    report.field("mem_clients_slaves", scene.clients().replica_bytes);
    report.field("mem_clients_normal", scene.clients().normal_bytes);
    report.zeros(&[
        "mem_cluster_slot_migration_output_buffer",
        "mem_cluster_slot_migration_input_buffer",
        "mem_cluster_slot_migration_input_buffer_peak",
        "mem_cluster_links",
    ]);
    let log = engine.aof.status();
    report.field("mem_aof_buffer", log.map_or(0, |log| log.buffered_bytes + log.unsynced_bytes));
    report.field("mem_allocator", ochre_memory::allocator_name());
    report.zeros(&["mem_overhead_db_hashtable_rehashing", "active_defrag_running"]);
    report.field("lazyfree_pending_objects", engine.keyspace.reclaimer.pending());
    report.field("lazyfreed_objects", engine.keyspace.reclaimer.freed());
}

fn use_of_memory(memory: &MemoryFigures, peak_s: i64, report: &mut Report) {
    report.bytes("used_memory", memory.used);
    report.bytes("used_memory_rss", memory.resident);
    report.bytes("used_memory_peak", memory.peak);
    report.field("used_memory_peak_time", peak_s);
    report.field("used_memory_peak_perc", format_args!("{:.2}%", memory.peak_percent()));
    report.field("used_memory_overhead", memory.overhead);
    report.field("used_memory_startup", memory.startup);
    report.field("used_memory_dataset", memory.dataset());
    report.field("used_memory_dataset_perc", format_args!("{:.2}%", memory.dataset_percent()));
    report.field("allocator_allocated", memory.allocator.allocated);
    report.field("allocator_active", memory.allocator.active);
    report.field("allocator_resident", memory.allocator.resident);
    report.zeros(&["allocator_muzzy"]);
}

/// One interpreter of each worker runs scripts and functions alike, so all are shown as those of scripts.
fn scripts(engine: &Engine, report: &mut Report) {
    let interpreters = engine.interpreter_bytes();
    let figures = engine.scripting.figures();
    report.field("used_memory_lua", interpreters);
    report.field("used_memory_vm_eval", interpreters);
    report.field("used_memory_lua_human", human_bytes(interpreters as u64));
    report.field("used_memory_scripts_eval", figures.script_bytes);
    report.field("number_of_cached_scripts", figures.scripts);
    report.field("number_of_functions", figures.functions);
    report.field("number_of_libraries", figures.libraries);
    report.zeros(&["used_memory_vm_functions"]);
    report.bytes("used_memory_vm_total", interpreters as u64);
    report.field("used_memory_functions", figures.function_bytes);
    report.bytes("used_memory_scripts", (figures.script_bytes + figures.function_bytes) as u64);
}

fn excesses(memory: &MemoryFigures, report: &mut Report) {
    let mut show = |ratio: &str, bytes: &str, excess: Excess| {
        report.ratio(ratio, excess.ratio);
        report.field(bytes, excess.bytes);
    };
    show("allocator_frag_ratio", "allocator_frag_bytes", memory.allocator_fragmentation());
    show("allocator_rss_ratio", "allocator_rss_bytes", memory.allocator_resident());
    show("rss_overhead_ratio", "rss_overhead_bytes", memory.resident_overhead());
    show("mem_fragmentation_ratio", "mem_fragmentation_bytes", memory.fragmentation());
}
