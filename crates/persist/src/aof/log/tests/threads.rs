//! The log with its thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::super::store::Store;
use super::super::super::testing::unit;
use super::super::handle::{AppendLog, LogOptions};
use super::super::settings::{FsyncPolicy, LogSettings};
use super::super::status::{LogListener, NoListener};
use super::world::{layout, recover};
use crate::disk::{Seeded, TwinDisk};

fn start(
    disk: &TwinDisk,
    policy: FsyncPolicy,
    listener: Arc<dyn LogListener>,
) -> (AppendLog, super::super::LogSink) {
    let store = Store::open(Arc::new(disk.clone()), layout()).unwrap();
    store.prepare_directory().unwrap();
    let settings = LogSettings::default();
    settings.set_policy(policy);
    let options = LogOptions { replication_offset: Some(0), ..LogOptions::new(settings, listener) };
    AppendLog::resume(store, options).unwrap()
}

/// Counts what it is told.
#[derive(Default)]
struct Told(Mutex<u64>);

impl LogListener for Told {
    fn advanced(&self) {
        *self.0.lock() += 1;
    }
}

#[test]
fn workers_share_writes_and_are_told() {
    for policy in [FsyncPolicy::Always, FsyncPolicy::EverySecond] {
        let (disk, told) = (TwinDisk::default(), Arc::new(Told::default()));
        let (log, sink) = start(&disk, policy, Arc::clone(&told) as Arc<dyn LogListener>);
        // The journal's lock, its offset and the number of units.
        let journal = Mutex::new((sink, 0, 0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..40 {
                        let mut journal = journal.lock();
                        let (sink, offset, number) = &mut *journal;
                        let unit = unit(*number);
                        sink.append(*offset, &unit, 1);
                        (*offset, *number) = (*offset + unit.len() as u64, *number + 1);
                        let end = *offset;
                        drop(journal);
                        if policy == FsyncPolicy::Always {
                            wait_for(|| !log.progress().must_wait(end));
                        }
                    }
                });
            }
        });
        let (_, end, units) = *journal.lock();
        wait_for(|| !log.progress().must_wait(end));
        assert!(*told.0.lock() > 0);
        assert!(log.status().syncs <= 121 && log.progress().written() == end);
        assert_eq!(recover(&disk.crash(&mut Seeded::new(1))), Ok(units));
        log.close(Some(end as i64)).unwrap();
        assert!(log.close(None).is_err(), "it has ended");
    }
}

fn wait_for(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "it never happens");
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn closing_writes_what_waits() {
    let disk = TwinDisk::default();
    let (log, mut sink) = start(&disk, FsyncPolicy::No, Arc::new(NoListener));
    let mut offset = 0;
    for number in 0..100 {
        sink.append(offset, &unit(number), 1);
        offset += unit(number).len() as u64;
    }
    log.close(None).unwrap();
    assert_eq!(recover(&disk.crash(&mut Seeded::new(1))), Ok(100));
}
