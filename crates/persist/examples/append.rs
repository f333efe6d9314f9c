//! What appending costs: CPU time per unit of the worker and of the log's thread, under `appendfsync always` with so many
//! units in flight, and under `everysec`.
//!
//!     cargo run --release -p ochre-persist --example append -- DIRECTORY

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ochre_persist::aof::{AppendLog, FsyncPolicy, Layout, LogOptions, LogSettings, NoListener, Store};
use ochre_persist::disk::RealDisk;
use rustix::time::{ClockId, clock_gettime};

const UNIT: &[u8] = b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$8\r\nxxxxxxxx\r\n";

fn cpu_ns(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

type Failure = Box<dyn std::error::Error>;

fn measure(dir: &Path, policy: FsyncPolicy, in_flight: u64, units: u64) -> Result<(), Failure> {
    let layout = Layout { dir: dir.to_owned(), ..Layout::new("append-cost", "appendonly.aof") };
    let directory = layout.directory();
    let store = Store::open(Arc::new(RealDisk), layout)?;
    store.prepare_directory()?;
    let settings = LogSettings::default();
    settings.set_policy(policy);
    let listener = Arc::new(NoListener);
    let (log, mut sink) = AppendLog::resume(store, LogOptions::new(settings, listener))?;
    let (started, process, own) =
        (Instant::now(), cpu_ns(ClockId::ProcessCPUTime), cpu_ns(ClockId::ThreadCPUTime));
    let mut offset = 0;
    for unit in 1..=units {
        log.admission()?;
        sink.append(offset, UNIT, 1);
        offset += UNIT.len() as u64;
        while policy == FsyncPolicy::Always && unit % in_flight == 0 && log.progress().must_wait(offset) {
            std::thread::yield_now();
        }
    }
    let worker = cpu_ns(ClockId::ThreadCPUTime) - own;
    log.close(None)?;
    let all = cpu_ns(ClockId::ProcessCPUTime) - process;
    let (wall_ms, syncs) = (started.elapsed().as_millis(), log.status().syncs);
    let per_unit = |ns: i64| ns / units as i64;
    println!(
        "{policy:?}, {in_flight} in flight: worker {} ns, log {} ns a unit; {wall_ms} ms, {syncs} syncs for {units} units",
        per_unit(worker),
        per_unit(all - worker),
    );
    std::fs::remove_dir_all(directory)?;
    Ok(())
}

fn main() -> Result<(), Failure> {
    let dir = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    measure(&dir, FsyncPolicy::Always, 16_384, 400_000)?;
    measure(&dir, FsyncPolicy::Always, 1024, 200_000)?;
    measure(&dir, FsyncPolicy::EverySecond, 1, 2_000_000)
}
