//! For how long the allocator keeps what was freed, and which of its arenas a thread uses.
//!
//! An arena keeps freed pages, so that the next allocation finds some that have been touched, and returns them to the system
//! bit by bit: within ten seconds, unless told otherwise. Every thread has an arena of its own, so where values of megabytes
//! are overwritten by several workers, what lies idle in all of them soon exceeds the data. A second is long enough for the
//! next value to find pages, and short enough for them not to pile up: four workers that overwrite twenty values of one to
//! eight megabytes (124 MB) take 237 MB instead of 303, and 178 instead of 271 a second later.
//!
//! Rejected: one arena for the large blocks of all threads (jemalloc's `oversize_threshold`). The allocator returns what is
//! freed there at once, whatever decay is set, and touching fresh pages is what large values cost most (150,000 page faults
//! for those four hundred values instead of 23,000).

use crate::tuning;

/// How long freed pages stay, ms.
const DECAY_MS: i64 = 1000;

/// Has freed pages stay for a second. To be called once, before there are workers.
pub fn limit_freed_pages() {
    // For arenas to come, and for that of the main thread. Where the allocator is another one, there is nothing to be set.
    for name in ["arenas.dirty_decay_ms", "arena.0.dirty_decay_ms"] {
        let _ = tuning::ask_integer(name, Some(DECAY_MS));
    }
}

/// Has the calling thread use the first arena, as the main thread does: for threads that allocate little, of which each would
/// otherwise have pages of its own.
pub fn use_first_arena() {
    let _ = tuning::ask_integer("thread.arena", Some(0));
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(feature = "jemalloc")]
    fn a_thread_changes_to_the_first_arena() {
        let change = || {
            super::use_first_arena();
            crate::tuning::ask_integer("thread.arena", None)
        };
        assert_eq!(std::thread::spawn(change).join().unwrap().unwrap(), 0);
    }
}
