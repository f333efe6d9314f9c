//! Freeing large things away from the clients: a thread of its own takes them apart, piece by piece.
//!
//! It yields to workers where they need its core: a tenth of it is left to the thread then, so that memory comes back even
//! while all cores are busy, only later.

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

/// Once tables of so many keys are free, the system gets their memory back at once.
const MANY_KEYS: usize = 100;

/// Hands garbage to the thread that frees it.
pub struct Reclaimer {
    sender: Mutex<Option<Sender<Garbage>>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    pending: AtomicUsize,
    pending_bytes: AtomicUsize,
    freed: AtomicUsize,
}

impl Reclaimer {
    /// Starts the thread. Where that fails, everything is freed where it is handed over.
    pub fn start() -> Reclaimer {
        let (sender, receiver) = channel::<Garbage>();
        let counts = Arc::new(Counts::default());
        let theirs = Arc::clone(&counts);
        let run = move || {
            step_back(Priority::Last);
            ochre_memory::use_first_arena();
            let mut has_emptied = false;
            for garbage in receiver {
                has_emptied |= matches!(&garbage, Garbage::Table(table) if table.len() >= MANY_KEYS);
                free(garbage, &theirs);
                if has_emptied && theirs.pending.load(Relaxed) == 0 {
                    // Whoever empties a database wants the memory back, and not only once it has been idle for long.
                    ochre_memory::purge();
                    has_emptied = false;
                }
            }
        };
        let spawned = std::thread::Builder::new().name("reclaim".to_owned()).spawn(run);
        Reclaimer { sender: Mutex::new(spawned.ok().map(|_| sender)), counts }
    }

    /// Has `garbage` freed soon, elsewhere.
    pub fn hand_over(&self, garbage: Garbage) {
        self.counts.pending.fetch_add(garbage.objects(), Relaxed);
        self.counts.pending_bytes.fetch_add(garbage.bytes(), Relaxed);
        let rest = match self.sender.lock().as_ref() {
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

    /// Values freed so far (`lazyfreed_objects`).
    pub fn freed(&self) -> usize {
        self.counts.freed.load(Relaxed)
    }

    /// Starts counting `freed` anew.
    pub fn reset_freed(&self) {
        self.counts.freed.store(0, Relaxed);
    }
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
        }
        other => {
            let (objects, bytes) = (other.objects(), other.bytes());
            drop(other);
            counts.pending_bytes.fetch_sub(bytes, Relaxed);
            done(objects);
        }
    }
}
