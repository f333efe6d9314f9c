//! The shards of the process. A thread starts its hashes in the shard that it got when it first needed one, so a worker
//! is nearly always alone with its lock and with the reference counts of its shapes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::names::Shape;
use super::shard::Shard;

const SHARDS: usize = 16;

/// A shard with its lock, on cache lines of its own.
#[repr(align(128))]
struct Locked(Mutex<Shard>);

static REGISTRY: [Locked; SHARDS] = [const { Locked(Mutex::new(Shard::new())) }; SHARDS];
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OWN_SHARD: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS;
}

fn lock(shard: usize) -> MutexGuard<'static, Shard> {
    REGISTRY[shard % SHARDS].0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The shape that has the names of `from` (none, for `None`) and then `names`, if there is one or should be one.
/// Names that `from` has, or that come twice, have none. O(names).
#[inline]
pub(in crate::hash) fn follow<'a>(
    from: Option<&Shape>,
    names: impl Iterator<Item = &'a [u8]> + Clone,
) -> Option<Arc<Shape>> {
    let (shard, node) = match from {
        Some(shape) => (shape.shard(), shape.node()),
        // A thread that is ending has no shard any more; any will do.
        None => (OWN_SHARD.try_with(|shard| *shard).unwrap_or(0), 0),
    };
    lock(shard).follow(shard as u8, node, names)
}

/// Lets the shapes go that no hash uses any more.
pub(in crate::hash) fn release_unused() {
    (0..SHARDS).for_each(|shard| lock(shard).release_unused());
}

/// Bytes that all shapes take.
pub(in crate::hash) fn heap_bytes() -> usize {
    (0..SHARDS).map(|shard| lock(shard).heap_bytes()).sum()
}
