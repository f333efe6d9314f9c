//! Freeing large things away from the clients: a thread of its own takes them apart, piece by piece.
//!
//! It yields to workers where they need its core: a tenth of it is left to the thread then, so that memory comes back even
//! while all cores are busy, only later.
//!
//! What waits is no part of what `maxmemory` bounds, since evicting keys for it would only put more there; so it has a bound of
//! its own ([`Reclaimer::bound_pending_bytes`]). Above it, who brings more frees it itself; what would take long goes to a second
//! thread, which yields to nobody, until there is four times as much.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};

use parking_lot::Mutex;

use ochre_types::list::TrimmedNodes;
use ochre_types::stream::Group;

use crate::entry::Entry;
use crate::priority::{Priority, step_back};
use crate::table::Table;
use crate::value::ValueRef;

/// Values that take more than this many allocations are freed by the reclaimer.
pub const LAZY_FREE_EFFORT: usize = 64;
/// So many elements tell how large a value is, where it matters more to know that soon.
pub(crate) const SAMPLES: usize = 256;
/// Strings longer than this are freed by the reclaimer: returning their pages to the system takes time.
pub(crate) const LAZY_FREE_BYTES: usize = 1024 * 1024;

/// Something to be freed.
pub enum Garbage {
    /// The whole of a table (FLUSHALL).
    Table(Table),
    /// A single value.
    Entry(Entry),
    /// The values of a sweep.
    Entries(Vec<Entry>),
    /// What was cut off a list.
    Nodes(TrimmedNodes),
    /// A group of a stream.
    Group(Box<Group>),
    /// Anything else, of no more interest than that it takes time to free.
    Other(Box<dyn Send>),
}

impl std::fmt::Debug for Garbage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Garbage({})", self.objects())
    }
}

impl Garbage {
    /// The number of values in it.
    pub fn objects(&self) -> usize {
        match self {
            Garbage::Table(table) => table.len(),
            Garbage::Entry(_) => 1,
            // A part of a value.
            Garbage::Nodes(_) | Garbage::Group(_) | Garbage::Other(_) => 0,
            Garbage::Entries(entries) => entries.len(),
        }
    }

    /// How many allocations it is, roughly; of parts of values and of what nobody knows, very many.
    pub fn effort(&self) -> usize {
        let effort = |entry: &Entry| match entry.as_ref().value() {
            ValueRef::Object(object) => object.free_effort(),
            _ => 1,
        };
        match self {
            Garbage::Entry(entry) => effort(entry),
            Garbage::Entries(entries) => entries.iter().map(effort).fold(0, usize::saturating_add),
            Garbage::Table(table) => table.len(),
            Garbage::Nodes(_) | Garbage::Group(_) | Garbage::Other(_) => usize::MAX,
        }
    }

    /// Bytes that are known to come back with it: those of values, roughly, and nothing of what would have to be counted first.
    fn bytes(&self) -> usize {
        let bytes = |entry: &Entry| entry.as_ref().memory_bytes_estimate(SAMPLES);
        match self {
            Garbage::Entry(entry) => bytes(entry),
            Garbage::Entries(entries) => entries.iter().map(bytes).sum(),
            Garbage::Table(_) | Garbage::Nodes(_) | Garbage::Group(_) | Garbage::Other(_) => 0,
        }
    }
}

/// With more bytes waiting than this, in any case, what is brought is freed where it is brought.
const PENDING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What takes more allocations is left to a thread even then: a millisecond.
const EFFORT_IN_PLACE: usize = 16 * 1024;
/// Not even that with so many times as much waiting.
const FAR_TOO_MUCH: usize = 4;

/// Once tables of so many keys are free, the system gets their memory back at once.
const MANY_KEYS: usize = 100;

/// Hands garbage to the thread that frees it.
pub struct Reclaimer {
    patient: Mutex<Option<Sender<Garbage>>>,
    /// For what is too much and takes long.
    urgent: Mutex<Option<Sender<Garbage>>>,
    counts: Arc<Counts>,
    pending_bytes_max: AtomicUsize,
}

#[derive(Default)]
struct Counts {
    pending: AtomicUsize,
    pending_bytes: AtomicUsize,
    /// How many wait whose bytes nobody knows.
    unweighed: AtomicUsize,
    freed: AtomicUsize,
}

impl Reclaimer {
    /// Starts the thread. Where that fails, everything is freed where it is handed over.
    pub fn start() -> Reclaimer {
        let counts = Arc::new(Counts::default());
        Reclaimer {
            patient: Mutex::new(spawn("reclaim", true, &counts)),
            urgent: Mutex::new(spawn("reclaim-urgent", false, &counts)),
            counts,
            pending_bytes_max: AtomicUsize::new(PENDING_BYTES_MAX),
        }
    }

    /// Has `garbage` freed soon, elsewhere; or here, if too much waits already.
    pub fn hand_over(&self, garbage: Garbage) {
        let bytes = garbage.bytes();
        // Without this one: a single value may be as large as it likes.
        let (waiting_bytes, most) = (self.pending_bytes(), self.pending_bytes_max.load(Relaxed));
        self.counts.pending.fetch_add(garbage.objects(), Relaxed);
        self.counts.pending_bytes.fetch_add(bytes, Relaxed);
        self.counts.unweighed.fetch_add(usize::from(bytes == 0), Relaxed);
        let to = match waiting_bytes {
            _ if waiting_bytes <= most || bytes == 0 => Some(&self.patient),
            _ if garbage.effort() > EFFORT_IN_PLACE && waiting_bytes / FAR_TOO_MUCH <= most => {
                Some(&self.urgent)
            }
            _ => None,
        };
        let rest = match to.and_then(|to| to.lock().clone()) {
            Some(sender) => sender.send(garbage).err().map(|refused| refused.0),
            None => Some(garbage),
        };
        if let Some(garbage) = rest {
            free(garbage, &self.counts);
        }
    }

    /// Values that wait to be freed (`lazyfree_pending_objects`).
    pub fn pending(&self) -> usize {
        self.counts.pending.load(Relaxed)
    }

    /// Bytes of values that wait to be freed.
    #[inline]
    pub fn pending_bytes(&self) -> usize {
        self.counts.pending_bytes.load(Relaxed)
    }

    /// Bounds the bytes that wait.
    pub fn bound_pending_bytes(&self, bytes: usize) {
        self.pending_bytes_max.store(bytes.min(PENDING_BYTES_MAX), Relaxed);
    }

    /// Whether something waits of which nobody knows how much it is.
    pub fn has_unweighed(&self) -> bool {
        self.counts.unweighed.load(Relaxed) > 0
    }

    /// Values freed so far (`lazyfreed_objects`).
    pub fn freed(&self) -> usize {
        self.counts.freed.load(Relaxed)
    }

    /// Starts counting `freed` anew.
    pub fn reset_freed(&self) {
        self.counts.freed.store(0, Relaxed);
    }
}

/// A thread that frees what it is sent; `None` if the system gives none.
fn spawn(name: &str, is_patient: bool, counts: &Arc<Counts>) -> Option<Sender<Garbage>> {
    let (sender, receiver) = channel::<Garbage>();
    let counts = Arc::clone(counts);
    let run = move || {
        if is_patient {
            step_back(Priority::Last);
        }
        ochre_memory::use_first_arena();
        let mut has_emptied = false;
        for garbage in receiver {
            has_emptied |= matches!(&garbage, Garbage::Table(table) if table.len() >= MANY_KEYS);
            free(garbage, &counts);
            if has_emptied && counts.pending.load(Relaxed) == 0 {
                // Whoever empties a database wants the memory back, and not only once it has been idle for long.
                ochre_memory::purge();
                has_emptied = false;
            }
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(run).ok().map(|_| sender)
}

fn free(garbage: Garbage, counts: &Counts) {
    let done = |objects: usize| {
        counts.pending.fetch_sub(objects, Relaxed);
        counts.freed.fetch_add(objects, Relaxed);
    };
    match garbage {
        Garbage::Table(table) => {
            for segment in table.into_segments() {
                let objects = segment.len();
                drop(segment);
                done(objects);
            }
            counts.unweighed.fetch_sub(1, Relaxed);
        }
        other => {
            let (objects, bytes) = (other.objects(), other.bytes());
            drop(other);
            counts.pending_bytes.fetch_sub(bytes, Relaxed);
            counts.unweighed.fetch_sub(usize::from(bytes == 0), Relaxed);
            done(objects);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NewValue;

    /// A string of so many bytes.
    fn string(bytes: usize) -> Garbage {
        Garbage::Entry(Entry::new(b"key", NewValue::Bytes { bytes: &vec![b'x'; bytes], raw: false }, None, 0))
    }

    /// Something whose end waits until it may.
    struct Slow(Arc<Mutex<()>>);

    impl Drop for Slow {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        const BYTES: usize = 100_000;
        let (reclaimer, gate) = (Reclaimer::start(), Arc::new(Mutex::new(())));
        let closed = gate.lock();
        reclaimer.hand_over(Garbage::Other(Box::new(Slow(Arc::clone(&gate)))));
        assert!(reclaimer.has_unweighed());
        reclaimer.bound_pending_bytes(10 * BYTES);
        (0..100).for_each(|_| reclaimer.hand_over(string(BYTES)));
        // Nothing is freed by the thread meanwhile.
        let waiting_bytes = reclaimer.pending_bytes();
        assert!((9 * BYTES..12 * BYTES).contains(&waiting_bytes), "{waiting_bytes} bytes wait");
        assert!(reclaimer.freed() >= 85);
        drop(closed);
        while reclaimer.pending() > 0 || reclaimer.has_unweighed() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        assert_eq!((reclaimer.pending_bytes(), reclaimer.freed()), (0, 100));
    }
}
