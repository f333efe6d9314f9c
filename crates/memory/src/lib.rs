//! The counting allocator and the figures it keeps.
//!
//! Every allocation of the process passes through [`Counted`], which adds the size class that the allocator really
//! hands out to a counter of the calling thread. A thread folds its counter into the process-wide one when the two
//! differ by more than [`FOLD_BYTES`], so that the sum is exact to that many bytes per thread and no cache line is
//! shared by every allocation. Reading is one load: cheap enough to be asked before every command.
//!
//! Rejected: asking jemalloc (`stats.allocated` needs an epoch, which merges the caches of all threads: 20-100 us).

mod arenas;
mod counted;
mod jemalloc;
mod size_class;
mod tuning;

pub use arenas::{limit_freed_pages, use_first_arena};
pub use counted::{Counted, FOLD_BYTES, peak_bytes, record_peak, reset_peak, share_count, used_bytes};
pub use jemalloc::{Report, allocator_name, purge, report, set_background_thread, statistics_text};
pub use size_class::size_class;
pub use tuning::{tuning_integer, tuning_text};
