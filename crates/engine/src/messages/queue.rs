//! What waits to be told to a worker's clients.
//!
//! A queue per worker, filled by whoever has something to tell and emptied by the worker. What concerns several workers is
//! put into all their queues at once (they are locked in order), so every worker's clients see everything in one order,
//! which is that of a server with one thread.
//!
//! A queue grows while its worker is busy. From a bound on it is *congested*: then commands that may add to it are put off
//! (`execute::admission`) until the worker has emptied it, as Redis's one thread has to finish before it publishes more.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use super::notice::Notice;

/// Bytes from which on a queue is congested.
const CONGESTED_BYTES: usize = 4 << 20;

/// Somebody to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receiver {
    /// The client's number.
    pub client: u64,
    /// Where its worker keeps it.
    pub place: usize,
}

/// One notice for some clients of a worker.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What.
    pub notice: Arc<Notice>,
    /// To whom.
    pub to: Arc<Vec<Receiver>>,
    /// The client whose command this comes from; 0 if it is nobody's.
    pub author: u64,
    /// Its place in the worker's order; given when the worker takes it.
    pub number: u64,
    /// Bytes that it takes; of several that share a notice, the first counts that.
    pub bytes: usize,
}

#[derive(Default)]
struct Waiting {
    deliveries: Vec<Delivery>,
    bytes: usize,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// Whether there is anything, readable without the lock.
    any: AtomicBool,
}

impl Delivery {
    /// A delivery that nobody has put anywhere yet.
    pub(super) fn new(notice: Arc<Notice>, to: Arc<Vec<Receiver>>, author: u64) -> Delivery {
        Delivery { notice, to, author, number: 0, bytes: 0 }
    }
}

/// The queues of all workers.
pub(super) struct Queues {
    workers: Vec<Queue>,
    /// How many are congested.
    congested: AtomicUsize,
    /// Bytes of all that was put in and has not been told.
    pending_bytes: AtomicUsize,
}

thread_local! {
    /// The worker that this thread is.
    static HERE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Says that this thread is a worker: it looks into its queue by itself after whatever it does.
pub fn enter_worker(worker: usize) {
    HERE.set(worker);
}

impl Queues {
    pub(super) fn new(workers: usize) -> Queues {
        Queues {
            workers: (0..workers).map(|_| Queue::default()).collect(),
            congested: AtomicUsize::new(0),
            pending_bytes: AtomicUsize::new(0),
        }
    }

    /// The number of workers.
    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Whether a worker has so much to tell that nothing should be added.
    #[inline]
    pub(super) fn are_congested(&self) -> bool {
        self.congested.load(Relaxed) != 0
    }

    /// Bytes of what is on its way, which will be gone soon.
    #[inline]
    pub(super) fn pending_bytes(&self) -> usize {
        self.pending_bytes.load(Relaxed)
    }

    /// Notes that so many more are on their way.
    pub(super) fn note_pending(&self, bytes: usize) {
        self.pending_bytes.fetch_add(bytes, Relaxed);
    }

    /// Notes that so many of them have been told.
    pub(super) fn note_told(&self, bytes: usize) {
        self.pending_bytes.fetch_sub(bytes, Relaxed);
    }

    /// Whether there is anything for a worker.
    #[inline]
    pub(super) fn has_any(&self, worker: usize) -> bool {
        self.workers[worker].any.load(Acquire)
    }

    /// Adds deliveries, each to the queue of its worker, all at once. `wake` is called for every worker that has to be woken
    /// to look.
    pub(super) fn put(&self, batch: SmallVec<[(usize, Delivery); 4]>, mut wake: impl FnMut(usize)) {
        let mut indexes: SmallVec<[usize; 8]> = batch.iter().map(|(worker, _)| *worker).collect();
        indexes.sort_unstable();
        indexes.dedup();
        let mut guards: SmallVec<[MutexGuard<'_, Waiting>; 8]> =
            indexes.iter().map(|index| self.workers[*index].waiting.lock()).collect();
        let were_empty: SmallVec<[bool; 8]> =
            guards.iter().map(|queue| queue.deliveries.is_empty()).collect();
        let mut last: Option<Arc<Notice>> = None;
        for (worker, mut delivery) in batch {
            let is_shared = last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &delivery.notice));
            let notice_bytes = if is_shared { 0 } else { delivery.notice.memory_bytes() };
            // A list that is nobody else's is that of this delivery alone.
            let is_own_list = Arc::strong_count(&delivery.to) == 1;
            let list_bytes = if is_own_list { delivery.to.capacity() * size_of::<Receiver>() } else { 0 };
            delivery.bytes = size_of::<Delivery>() + notice_bytes + list_bytes;
            last = Some(Arc::clone(&delivery.notice));
            if let Ok(at) = indexes.binary_search(&worker) {
                self.add(&mut guards[at], delivery);
            }
        }
        indexes.iter().for_each(|index| self.workers[*index].any.store(true, Release));
        drop(guards);
        let here = HERE.get();
        let sleepers =
            indexes.into_iter().zip(were_empty).filter(|(index, was_empty)| *was_empty && *index != here);
        sleepers.for_each(|(index, _)| wake(index));
    }

    fn add(&self, queue: &mut Waiting, delivery: Delivery) {
        let before = queue.bytes;
        self.pending_bytes.fetch_add(delivery.bytes, Relaxed);
        queue.bytes += delivery.bytes;
        if before < CONGESTED_BYTES && queue.bytes >= CONGESTED_BYTES {
            self.congested.fetch_add(1, Relaxed);
        }
        queue.deliveries.push(delivery);
    }

    /// Takes all that a worker is to tell, the oldest first. Whether nothing is congested any more because of that.
    pub(super) fn take(&self, worker: usize, into: &mut Vec<Delivery>) -> bool {
        let queue = &self.workers[worker];
        let mut waiting = queue.waiting.lock();
        into.append(&mut waiting.deliveries);
        let bytes = std::mem::take(&mut waiting.bytes);
        queue.any.store(false, Relaxed);
        bytes >= CONGESTED_BYTES && self.congested.fetch_sub(1, Relaxed) == 1
    }
}
