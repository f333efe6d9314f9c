//! The section about databases.

use std::sync::atomic::Ordering::Relaxed;

use super::Scene;
use super::report::Report;

pub(super) fn keyspace(scene: &Scene<'_>, report: &mut Report) {
    for (db, size) in scene.figures.databases.iter().enumerate().filter(|(_, size)| size.keys > 0) {
        let (keys, expires, ttl_ms) = (size.keys, size.expiring, size.average_ttl_ms);
        // The name that Redis has for it, and the one that Valkey has: not before there is something to tell, since widespread
        // exporters of metrics pass over a line of more than four fields.
        let timed = size.timed_hashes;
        let told = &scene.engine.stats.has_told_of_fields;
        let tells = timed > 0 || told.load(Relaxed);
        told.store(tells, Relaxed);
        let also = if tells { format!(",keys_with_volatile_items={timed}") } else { String::new() };
        report.field(
            &format!("db{db}"),
            format_args!("keys={keys},expires={expires},avg_ttl={ttl_ms},subexpiry={timed}{also}"),
        );
    }
}
