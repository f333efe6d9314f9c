//! The section about replication. Replicas come later: until then the server is a master without any.

use ochre_config::Directive;

use super::Scene;
use super::report::Report;

pub(super) fn replication(scene: &Scene<'_>, report: &mut Report) {
    let engine = scene.engine;
    report.field("role", "master");
    report.field("connected_slaves", 0);
    if engine.lacks_replicas() {
        report.field("min_slaves_good_slaves", 0);
    }
    report.field("replicas_waiting_psync", 0);
    report.field("master_failover_state", "no-failover");
    report.field("master_replid", &engine.run_id);
    report.field("master_replid2", "0".repeat(40));
    report.field("master_repl_offset", engine.keyspace.journal.offset());
    report.field("second_repl_offset", -1);
    report.field("repl_backlog_active", 0);
    report.field("repl_backlog_size", engine.config.read().uint(Directive::ReplBacklogSize));
    report.zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}
