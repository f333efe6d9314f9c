//! What the allocator itself can tell: resident and active bytes, and giving memory back.

/// The allocator's own view of the process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Handed out to the program.
    pub allocated: usize,
    /// In pages that hold at least one live allocation.
    pub active: usize,
    /// Physically resident.
    pub resident: usize,
    /// Mapped but given up lazily.
    pub retained: usize,
    /// The allocator's own bookkeeping.
    pub metadata: usize,
}

/// The name that INFO shows as `mem_allocator`.
pub fn allocator_name() -> String {
    #[cfg(feature = "jemalloc")]
    {
        let version = tikv_jemalloc_ctl::version::read().unwrap_or("5");
        format!("jemalloc-{}", version.split('-').next().unwrap_or("5"))
    }
    #[cfg(not(feature = "jemalloc"))]
    "libc".to_owned()
}

/// Fresh figures; merges the statistics of all threads, so not for every command.
pub fn report() -> Report {
    #[cfg(feature = "jemalloc")]
    {
        use tikv_jemalloc_ctl::{epoch, stats};
        if epoch::advance().is_ok() {
            return Report {
                allocated: stats::allocated::read().unwrap_or(0),
                active: stats::active::read().unwrap_or(0),
                resident: stats::resident::read().unwrap_or(0),
                retained: stats::retained::read().unwrap_or(0),
                metadata: stats::metadata::read().unwrap_or(0),
            };
        }
    }
    let used = crate::used_bytes();
    Report { allocated: used, active: used, resident: used, ..Report::default() }
}

/// Asks the allocator to return its unused pages to the system.
pub fn purge() {
    #[cfg(feature = "jemalloc")]
    purge_all();
}

#[cfg(feature = "jemalloc")]
#[allow(unsafe_code)]
fn purge_all() {
    use std::ptr::null_mut;
    // 4096 stands for "all arenas" (MALLCTL_ARENAS_ALL).
    // SAFETY: the name is a C string; the command takes no value and returns none, which null pointers say.
    unsafe {
        tikv_jemalloc_sys::mallctl(c"arena.4096.purge".as_ptr(), null_mut(), null_mut(), null_mut(), 0)
    };
}

/// Has the allocator return unused pages from a thread of its own (`jemalloc-bg-thread`), not from those that free.
pub fn set_background_thread(on: bool) {
    #[cfg(feature = "jemalloc")]
    if tikv_jemalloc_ctl::background_thread::write(on).is_err() {
        // The system has no such threads: pages are returned by those that free.
    }
    #[cfg(not(feature = "jemalloc"))]
    let _ = on;
}

/// The allocator's human-readable statistics (MEMORY MALLOC-STATS).
pub fn statistics_text() -> String {
    #[cfg(feature = "jemalloc")]
    {
        let mut text = Vec::new();
        let options = tikv_jemalloc_ctl::stats_print::Options::default();
        if tikv_jemalloc_ctl::stats_print::stats_print(&mut text, options).is_ok() {
            return String::from_utf8_lossy(&text).into_owned();
        }
    }
    "Stats not supported for the current allocator".to_owned()
}
