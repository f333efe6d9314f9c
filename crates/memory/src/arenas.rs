//! For how long the allocator keeps what was freed, and which of its arenas a thread uses.
//!
//! An arena keeps freed pages, so that the next allocation finds some that have been touched, and returns them to the system
//! bit by bit: within ten seconds, unless told otherwise. Every thread has an arena of its own, so where values of megabytes
//! are overwritten by several workers, what lies idle in all of them soon exceeds the data: so they share the ten seconds.
//! What is left to each of four workers is long enough for the next value to find pages, and short enough for them not to
//! pile up: overwriting twenty values of one to eight megabytes (124 MB), four take 303 MB with ten seconds each, and 237 with one.
//!
//! Rejected: one arena for the large blocks of all threads (jemalloc's `oversize_threshold`). The allocator returns what is
//! freed there at once, whatever decay is set, and touching fresh pages is what large values cost most (150,000 page faults
//! for those four hundred values instead of 23,000).

use crate::tuning;

/// How long freed pages stay, ms: for one worker, and for many.
const DECAY_MS: (i64, i64) = (10_000, 1000);

/// Has freed pages stay for seconds, the fewer the more `workers` keep some. To be called once, before there are any.
pub fn limit_freed_pages(workers: usize) {
    let (one, many) = DECAY_MS;
    let decay_ms = (one / workers.max(1) as i64).max(many);
    // For arenas to come, and for that of the main thread. Where the allocator is another one, there is nothing to be set.
    for name in ["arenas.dirty_decay_ms", "arena.0.dirty_decay_ms"] {
        let _ = tuning::ask_integer(name, Some(decay_ms));
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
