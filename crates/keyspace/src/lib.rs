//! The keyspace: stripes, their tables, the write door, expiry, eviction and the journal.
//!
//! A [`Keyspace`] is divided into stripes, each behind a lock. A step (a command, a transaction) names the keys it
//! needs, gets a [`View`] with their stripes locked, reads and writes through it, and leaves an [`Effects`] behind.
//! Whoever holds a view appends its effects to the [`Journal`] before letting go: that makes the order of the journal
//! the order of the history. What others want to hear of, the view tells them before it lets go ([`Audience`]).

pub mod access;
mod audience;
mod effects;
mod entry;
mod evict;
mod expire;
mod figures;
mod harvest;
mod hash;
mod hints;
mod journal;
mod keyspace;
mod kind;
mod lock;
mod priority;
mod random;
mod readers;
mod reclaim;
mod segment;
mod settings;
mod sizes;
mod slot;
mod snapshot;
mod standstill;
mod stripe;
mod sync;
mod table;
mod tables;
mod threads;
mod value;
mod view;
mod waiters;
mod watch;

pub use audience::{Audience, News, Readership, Stale};
pub use effects::{Effects, Event, event_class};
pub use entry::{Entry, EntryRef, INLINE_BYTES_MAX};
pub use evict::{Candidate, Evictor};
pub use expire::{SweepStep, Sweeper};
pub use figures::Figures;
pub use harvest::{Harvest, Withered};
pub use hash::{Hasher, Key, KeyHash, POSITION_BITS};
pub use journal::{Journal, JournalSink, Unit};
pub use keyspace::{DatabaseSize, Keyspace, Locks};
pub use lock::Lease;
pub use priority::{Priority, become_helper, prepare_helpers, step_back};
pub use random::Random;
pub use readers::ReaderCounts;
pub use reclaim::{Garbage, LAZY_FREE_EFFORT, Reclaimer};
pub use settings::{Policy, Settings};
pub use sizes::{KeySizes, SIZE_BINS, SizeBins};
pub use snapshot::{SavedKey, SavedValue, Snapshot, SnapshotSink};
pub use standstill::{Level, Patience, Standstill};
pub use stripe::Counters;
pub use table::Table;
pub use value::{NewValue, OwnedValue, ValueRef};
pub use view::{Edit, Edited, Expiry, Overwritten, Sweep, View, WrongType, object_of, type_name};
pub use waiters::{Waiter, Wish};
pub use watch::WatchFlag;
