//! The section about databases.

use super::Scene;
use super::report::Report;

pub(super) fn keyspace(scene: &Scene<'_>, report: &mut Report) {
    for (db, size) in scene.figures.databases.iter().enumerate().filter(|(_, size)| size.keys > 0) {
        let (keys, expires, ttl_ms) = (size.keys, size.expiring, size.average_ttl_ms);
        let subexpiry = size.timed_hashes;
        report.field(
            &format!("db{db}"),
            format_args!("keys={keys},expires={expires},avg_ttl={ttl_ms},subexpiry={subexpiry}"),
        );
    }
}
