//! The sections about the process: Server, Threads, CPU, Cluster.

use std::sync::atomic::Ordering::Relaxed;

use ochre_config::Directive;
use ochre_keyspace::access::seconds_clock;

use super::Scene;
use super::report::Report;
use crate::engine::{OCHRE_VERSION, REDIS_VERSION, clock_us};
use crate::family::server::facts::fact;

pub(super) fn server(scene: &Scene<'_>, report: &mut Report) {
    let engine = scene.engine;
    let known = |name: &str, otherwise: &str| match fact(engine, name) {
        fact if fact.is_empty() => otherwise.to_owned(),
        fact => fact,
    };
    report.field("redis_version", REDIS_VERSION);
    report.field("ochre_version", OCHRE_VERSION);
    report.field("redis_git_sha1", known("commit", "00000000"));
    report.field("redis_git_dirty", known("modified", "0"));
    report.field("redis_build_id", known("build_id", "0000000000000000"));
    report.field("redis_mode", "standalone");
    report.field("os", known("os", std::env::consts::OS));
    report.field("arch_bits", usize::BITS);
    report.field("monotonic_clock", known("monotonic_clock", "POSIX clock_gettime"));
    report.field("multiplexing_api", known("multiplexing_api", "epoll"));
    report.field("atomicvar_api", "rust-std");
    report.field("gcc_version", known("gcc_version", "0.0.0"));
    report.field("process_id", known("process_id", "0"));
    report.field("process_supervised", known("process_supervised", "no"));
    report.field("run_id", &engine.run_id);
    let uptime_s = (scene.now_ms - engine.started_ms).max(0) / 1000;
    let hz = engine.settings.hz.load(Relaxed);
    report.field("tcp_port", engine.config.read().uint(Directive::Port));
    report.field("server_time_usec", clock_us());
    report.field("uptime_in_seconds", uptime_s);
    report.field("uptime_in_days", uptime_s / 86_400);
    report.field("hz", hz);
    report.field("configured_hz", hz);
    report.field("lru_clock", seconds_clock(scene.now_ms));
    report.field("executable", fact(engine, "executable"));
    report.field("config_file", fact(engine, "config_file"));
    report.field("io_threads_active", u8::from(engine.workers.len() > 1));
    listeners(scene, report);
}

fn listeners(scene: &Scene<'_>, report: &mut Report) {
    let named = |number: usize| {
        let name = format!("listener{number}");
        scene.engine.host()?.fact(&name).map(|listener| (name, listener))
    };
    (0..).map_while(named).for_each(|(name, listener)| report.field(&name, listener));
}

pub(super) fn threads(scene: &Scene<'_>, report: &mut Report) {
    for (number, worker) in scene.engine.workers.iter().enumerate() {
        let (clients, reads, writes) =
            (worker.clients.load(Relaxed), worker.reads.get(), worker.writes.get());
        report.field(
            &format!("io_thread_{number}"),
            format_args!("clients={clients},reads={reads},writes={writes}"),
        );
    }
}

pub(super) fn cpu(scene: &Scene<'_>, report: &mut Report) {
    let names = [
        "used_cpu_sys",
        "used_cpu_user",
        "used_cpu_sys_children",
        "used_cpu_user_children",
        "used_cpu_sys_main_thread",
        "used_cpu_user_main_thread",
    ];
    for name in names {
        let seconds = fact(scene.engine, name);
        report.field(name, if seconds.is_empty() { "0.000000" } else { &seconds });
    }
    // Every worker does what a single main thread does elsewhere.
    let active_ns: u64 = scene.engine.workers.iter().map(|worker| worker.loops_ns.get()).sum();
    report.field("used_active_time_main_thread", format_args!("{:.6}", active_ns as f64 / 1e9));
}

pub(super) fn cluster(_: &Scene<'_>, report: &mut Report) {
    report.field("cluster_enabled", 0);
}
