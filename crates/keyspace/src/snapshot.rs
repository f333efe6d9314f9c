//! Snapshots: the whole keyspace as it is at one instant, told key by key while everybody goes on.
//!
//! A snapshot begins with all stripes locked: every table takes note that there is one ([`Walks`]), and the locks are let
//! go. From then on a walker visits the tables, a segment and a lock at a time, and tells a [`SnapshotSink`] what it finds.
//! Whoever changes or removes a key that the walker has not met yet first keeps a copy of what it was: that is done by the
//! table itself, in all the ways there are to change an entry, so nobody can forget it. What is big is not copied but
//! pinned, and told in parts once the lock is released.
//!
//! Whether a key was told is a bit of its entry, a *mark*. It has been told if the bit is as the table says; what is new is
//! marked as told when it is put in. The next snapshot turns the table's bit around, so nothing has to be reset. There are
//! five bits, hence five snapshots at a time: two for files, and three brief ones for commands, which so never keep each other
//! waiting.
//!
//! A table that is emptied meanwhile (FLUSHALL) is handed to the walker as it is. Databases that are exchanged take the notes
//! of their tables along. A snapshot that nobody wants any more is walked to its end all the same, telling nothing: otherwise
//! the marks would not be what the next one expects.
//!
//! Memory: a copy of each key that is changed before the walker has come to it, for as long as the sink takes.
//!
//! Rejected: keeping the whole segment of a key that is changed (a writer of random keys would tell nearly the whole keyspace
//! itself, and faster than a disk takes it); a set of the keys that were changed (twice the memory, and a look-up for
//! every change).

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use ochre_types::{ObjectRef, Pinned};
use parking_lot::Mutex;

use crate::entry::{EntryMut, EntryRef};
use crate::keyspace::Keyspace;
use crate::reclaim::{Garbage, LAZY_FREE_EFFORT};
use crate::table::Table;
use crate::value::ValueRef;
use crate::view::View;

/// Snapshots for files that there may be at a time.
const LASTING_MAX: usize = 2;
/// Brief ones that there may be beside them.
const BRIEF_MAX: usize = 3;
/// Snapshots that there may be at a time.
pub(crate) const SNAPSHOTS_MAX: usize = LASTING_MAX + BRIEF_MAX;
/// Values with more memory of their own than this are pinned rather than copied or told under the lock, bytes.
const BIG_BYTES: usize = 64 * 1024;

/// A key as a snapshot tells it.
#[derive(Debug)]
pub struct SavedKey<'a> {
    /// The database it was in.
    pub db: u32,
    /// Its name.
    pub key: &'a [u8],
    /// Its value.
    pub value: SavedValue<'a>,
    /// When it expires, unix time in ms.
    pub expire_ms: Option<i64>,
    /// Its access clock.
    pub access: u32,
}

/// A value as a snapshot tells it.
#[derive(Debug)]
pub enum SavedValue<'a> {
    /// A string that is the canonical form of an integer.
    Int(i64),
    /// A string of bytes.
    Bytes(&'a [u8]),
    /// A small value of a type: a lock is held meanwhile.
    Object(ObjectRef<'a>),
    /// A value that may be read in parts.
    Pinned(Pinned),
}

/// Takes what a snapshot tells.
pub trait SnapshotSink {
    /// Takes a key.
    fn save(&mut self, key: SavedKey<'_>);

    /// Whether there is any use in going on; asked between keys, with no lock held. A sink that is to wait for something does so
    /// here.
    fn goes_on(&mut self) -> bool;

    /// Whether it looks at values at all; if not, big ones are not pinned for it.
    fn wants_values(&self) -> bool {
        true
    }
}

/// Something kept for a snapshot.
enum Kept {
    Key(KeptKey),
    /// What was a database of a stripe; all who have still to walk it share it.
    Table(Arc<Mutex<Table>>),
}

/// A copy of a key.
struct KeptKey {
    db: u32,
    key: Box<[u8]>,
    value: KeptValue,
    expire_ms: Option<i64>,
    access: u32,
}

enum KeptValue {
    Int(i64),
    Bytes(Box<[u8]>),
    Pinned(Pinned),
}

impl KeptKey {
    fn of(db: u32, entry: EntryMut<'_>) -> KeptKey {
        let look = entry.as_ref();
        let (key, expire_ms, access) = (look.key().into(), look.expire_ms(), look.access());
        let plain = match look.value() {
            ValueRef::Int(number) => Some(KeptValue::Int(number)),
            ValueRef::Bytes { bytes, .. } => Some(KeptValue::Bytes(bytes.into())),
            ValueRef::Object(_) => None,
        };
        let pinned = || entry.into_object().map(|object| KeptValue::Pinned(object.pin()));
        let value = plain.or_else(pinned).unwrap_or(KeptValue::Int(0));
        KeptKey { db, key, value, expire_ms, access }
    }

    fn tell(self, sink: &mut dyn SnapshotSink) {
        let KeptKey { db, key, value, expire_ms, access } = self;
        let mut save =
            |value: SavedValue<'_>| sink.save(SavedKey { db, key: &key, value, expire_ms, access });
        match value {
            KeptValue::Int(number) => save(SavedValue::Int(number)),
            KeptValue::Bytes(bytes) => save(SavedValue::Bytes(&bytes)),
            KeptValue::Pinned(pinned) => save(SavedValue::Pinned(pinned)),
        }
    }
}

/// Where tables put what they keep for a snapshot.
type Inbox = Arc<Mutex<VecDeque<Kept>>>;

/// What a table notes for one snapshot.
struct Walk {
    /// The database that the table was when the snapshot began.
    db: u32,
    /// The walker has been at every position below this one.
    done_to: u64,
    inbox: Inbox,
}

/// What a table notes of snapshots.
#[derive(Default)]
pub(crate) struct Walks {
    /// By snapshot: whether the walker has still to come.
    active: u8,
    /// By snapshot: the bit of entries that have been told.
    marks: u8,
    walks: Option<Box<[Option<Walk>; SNAPSHOTS_MAX]>>,
}

impl Walks {
    /// Whether there may be anything to keep.
    #[inline]
    pub(crate) fn are_active(&self) -> bool {
        self.active != 0
    }

    /// The marks of what is put in.
    #[inline]
    pub(crate) fn marks(&self) -> u8 {
        self.marks
    }

    /// Keeps an entry that is about to be changed for those snapshots that it has not been told to.
    pub(crate) fn keep(&self, mut entry: EntryMut<'_>) {
        let untold = (entry.as_ref().marks() ^ self.marks) & self.active;
        for walk in self.of(untold) {
            let kept = Kept::Key(KeptKey::of(walk.db, entry.reborrow()));
            walk.inbox.lock().push_back(kept);
        }
        entry.set_marks(entry.as_ref().marks() ^ untold);
    }

    fn of(&self, snapshots: u8) -> impl Iterator<Item = &Walk> {
        let walks = self.walks.iter().flat_map(|walks| walks.iter().enumerate());
        walks.filter(move |(slot, _)| snapshots >> slot & 1 != 0).filter_map(|(_, walk)| walk.as_ref())
    }

    fn begin(&mut self, slot: usize, db: u32, inbox: Inbox) {
        self.marks ^= 1 << slot;
        self.active |= 1 << slot;
        let walks = self.walks.get_or_insert_default();
        walks[slot] = Some(Walk { db, done_to: 0, inbox });
    }

    fn walk(&mut self, slot: usize) -> Option<&mut Walk> {
        let is_active = self.active >> slot & 1 != 0;
        self.walks.as_mut().filter(|_| is_active)?[slot].as_mut()
    }

    fn end(&mut self, slot: usize) {
        self.active &= !(1 << slot);
        if self.active == 0 {
            self.walks = None;
        } else if let Some(walks) = &mut self.walks {
            walks[slot] = None;
        }
    }

    /// Those of the snapshots whose walkers have still to come.
    fn inboxes(&self) -> Vec<Inbox> {
        self.of(self.active).map(|walk| Arc::clone(&walk.inbox)).collect()
    }
}

impl Table {
    /// Tells a snapshot the next segment of what it was not told yet; `big` gets what is to be told later. Whether that was
    /// the last.
    fn tell_segment(
        &mut self,
        slot: usize,
        big: &mut Vec<KeptKey>,
        sink: Option<&mut dyn SnapshotSink>,
    ) -> bool {
        let bit = 1u8 << slot;
        let marks = self.walks.marks & bit;
        let Some(Walk { db, done_to, .. }) = self.walks.walk(slot) else { return true };
        let (db, position) = (*db, *done_to);
        let mut sink = sink;
        let next = self.visit_segment_mut(position, &mut |mut entry: EntryMut<'_>| {
            let marks_of = entry.as_ref().marks();
            if marks_of & bit == marks {
                return;
            }
            entry.set_marks(marks_of ^ bit);
            match &mut sink {
                Some(sink) if sink.wants_values() && is_big(entry.as_ref()) => {
                    big.push(KeptKey::of(db, entry))
                }
                Some(sink) => tell(db, entry.as_ref(), *sink),
                None => {}
            }
        });
        match (next, self.walks.walk(slot)) {
            (Some(next), Some(walk)) => walk.done_to = next,
            _ => self.walks.end(slot),
        }
        next.is_none()
    }

    /// Hands over a table that is in the keyspace no longer to those who have still to walk it, or returns it if nobody has.
    pub(crate) fn hand_to_walkers(self) -> Option<Table> {
        let inboxes = self.walks.inboxes();
        if inboxes.is_empty() {
            return Some(self);
        }
        let shared = Arc::new(Mutex::new(self));
        inboxes.iter().for_each(|inbox| inbox.lock().push_back(Kept::Table(Arc::clone(&shared))));
        None
    }
}

fn is_big(entry: EntryRef<'_>) -> bool {
    match entry.value() {
        ValueRef::Object(object) => {
            object.free_effort() > LAZY_FREE_EFFORT || object.heap_bytes() > BIG_BYTES
        }
        _ => false,
    }
}

fn tell(db: u32, entry: EntryRef<'_>, sink: &mut dyn SnapshotSink) {
    let value = match entry.value() {
        ValueRef::Int(number) => SavedValue::Int(number),
        ValueRef::Bytes { bytes, .. } => SavedValue::Bytes(bytes),
        ValueRef::Object(object) => SavedValue::Object(object),
    };
    let (key, expire_ms, access) = (entry.key(), entry.expire_ms(), entry.access());
    sink.save(SavedKey { db, key, value, expire_ms, access });
}

/// Which snapshots there are.
#[derive(Default)]
pub(crate) struct Slots(AtomicU8);

impl Slots {
    /// Takes one of some. All stripes are locked, so nobody else takes one at the same time.
    fn take(&self, mut of: Range<usize>) -> Option<usize> {
        let slot = of.find(|slot| self.0.load(Relaxed) >> slot & 1 == 0)?;
        self.0.fetch_or(1 << slot, Relaxed);
        Some(slot)
    }

    fn give_back(&self, slot: usize) {
        self.0.fetch_and(!(1 << slot), Relaxed);
    }
}

/// A snapshot that has begun: it has to be told ([`Keyspace::tell_snapshot`]), whether or not anybody still wants it.
#[must_use = "a snapshot that is never told keeps a copy of everything that is changed"]
pub struct Snapshot {
    slot: usize,
    inbox: Inbox,
    /// By database: keys, and how many of them expire.
    sizes: Vec<(usize, usize)>,
}

impl Snapshot {
    /// The databases that have keys, with their number and how many of them expire.
    pub fn databases(&self) -> impl Iterator<Item = (u32, usize, usize)> {
        let numbered = self.sizes.iter().enumerate();
        numbered
            .filter(|(_, (keys, _))| *keys > 0)
            .map(|(db, (keys, expiring))| (db as u32, *keys, *expiring))
    }

    /// Keys of all databases.
    pub fn keys(&self) -> usize {
        self.sizes.iter().map(|(keys, _)| keys).sum()
    }
}

impl View<'_> {
    /// Begins a snapshot of this instant. Needs all stripes. `None` if there are as many as there may be.
    pub fn begin_snapshot(&mut self) -> Option<Snapshot> {
        let slot = self.keyspace().snapshots.take(0..LASTING_MAX)?;
        Some(self.begin_snapshot_in(slot))
    }

    /// The same for what is told in no time, and not to a disk.
    pub fn begin_brief_snapshot(&mut self) -> Option<Snapshot> {
        let slot = self.keyspace().snapshots.take(LASTING_MAX..SNAPSHOTS_MAX)?;
        Some(self.begin_snapshot_in(slot))
    }

    fn begin_snapshot_in(&mut self, slot: usize) -> Snapshot {
        let databases = self.keyspace().databases();
        debug_assert!(self.holds_all(), "a snapshot is of one instant");
        let inbox = Inbox::default();
        let mut sizes = vec![(0, 0); databases];
        for stripe in self.every_stripe() {
            for (db, table) in stripe.tables.iter_mut().enumerate().filter(|(_, table)| !table.is_empty()) {
                sizes[db].0 += table.len();
                sizes[db].1 += table.expiring();
                table.walks.begin(slot, db as u32, Arc::clone(&inbox));
            }
        }
        Snapshot { slot, inbox, sizes }
    }
}

impl Keyspace {
    /// Tells a snapshot, all of it, to a sink, unless that wants no more. Databases come one after the other, but for what was
    /// changed meanwhile, which comes at any time. Takes as long as the sink does; to be called where nobody waits for it.
    pub fn tell_snapshot(&self, snapshot: Snapshot, sink: &mut dyn SnapshotSink) {
        let mut teller = Teller { keyspace: self, snapshot, sink, goes_on: true };
        for db in 0..teller.snapshot.sizes.len() {
            if teller.snapshot.sizes[db].0 > 0 {
                (0..self.stripes()).for_each(|stripe| teller.tell_part(db as u32, stripe));
            }
        }
        teller.tell_kept();
        self.snapshots.give_back(teller.snapshot.slot);
    }
}

struct Teller<'t> {
    keyspace: &'t Keyspace,
    snapshot: Snapshot,
    sink: &'t mut dyn SnapshotSink,
    goes_on: bool,
}

impl Teller<'_> {
    /// Who is to be told, if anybody.
    fn sink(&mut self) -> Option<&mut dyn SnapshotSink> {
        if self.goes_on { Some(&mut *self.sink) } else { None }
    }

    /// Tells a stripe's part of a database.
    fn tell_part(&mut self, db: u32, stripe: usize) {
        let slot = self.snapshot.slot;
        let mut big = Vec::new();
        loop {
            let is_over = {
                let mut stripe = self.keyspace.lock_stripe(stripe);
                let is_asked = |table: &mut Table| table.walks.walk(slot).is_some_and(|walk| walk.db == db);
                // Wherever it is by now: databases may have been exchanged.
                match stripe.tables.iter_mut().find_map(|table| is_asked(table).then_some(table)) {
                    Some(table) => table.tell_segment(slot, &mut big, self.sink()),
                    None => true,
                }
            };
            big.drain(..).for_each(|kept| self.tell_key(kept));
            self.tell_kept();
            if is_over {
                return;
            }
        }
    }

    fn tell_key(&mut self, kept: KeptKey) {
        self.goes_on = self.goes_on && self.sink.goes_on();
        if self.goes_on {
            kept.tell(self.sink);
        }
    }

    /// Tells what was kept so far.
    fn tell_kept(&mut self) {
        self.goes_on = self.goes_on && self.sink.goes_on();
        loop {
            let Some(kept) = self.snapshot.inbox.lock().pop_front() else { return };
            match kept {
                Kept::Key(kept) => self.tell_key(kept),
                Kept::Table(table) => self.tell_table(table),
            }
        }
    }

    fn tell_table(&mut self, table: Arc<Mutex<Table>>) {
        let mut big = Vec::new();
        loop {
            let slot = self.snapshot.slot;
            let is_over = table.lock().tell_segment(slot, &mut big, self.sink());
            big.drain(..).for_each(|kept| self.tell_key(kept));
            self.goes_on = self.goes_on && self.sink.goes_on();
            if is_over {
                break;
            }
        }
        // The last one to have told it.
        if let Some(table) = Arc::into_inner(table) {
            self.keyspace.reclaimer.hand_over(Garbage::Table(table.into_inner()));
        }
    }
}
