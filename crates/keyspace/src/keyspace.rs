//! The keyspace: all stripes, and the ways to get at them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use smallvec::SmallVec;

use crate::audience::Audience;
use crate::effects::Effects;
use crate::hash::{Hasher, Key, KeyHash, POSITION_BITS, Seen};
use crate::hints::Hints;
use crate::journal::Journal;
use crate::lock::{Lease, LockSet};
use crate::readers::ReaderCounts;
use crate::reclaim::Reclaimer;
use crate::settings::Settings;
use crate::snapshot::Slots;
use crate::standstill::{Patience, Standstill};
use crate::stripe::{AllStripes, Counters, StripeData, StripeGuard};
use crate::table::{Moved, Table};
use crate::view::{Held, View};
use crate::waiters::{Reach, reach};

/// All keys of all databases.
pub struct Keyspace {
    stripes: LockSet<StripeData>,
    /// By database; made when one first gets a key.
    hints: Box<[OnceLock<Box<Hints>>]>,
    stripe_bits: u32,
    /// Whether one thread runs all commands.
    has_one_worker: bool,
    databases: usize,
    hasher: Hasher,
    last_waiter: AtomicU64,
    /// How many names are waited for, in all stripes together.
    pub(crate) awaited_names: AtomicUsize,
    pub(crate) snapshots: Slots,
    /// Who hears of changes as they are made; nobody unless it is set.
    pub audience: OnceLock<Box<dyn Audience>>,
    /// How many keys somebody has read who wants to hear of their changes.
    pub reader_counts: ReaderCounts,
    /// The stream of effects.
    pub journal: Journal,
    /// What may change at run time.
    pub settings: Settings,
    /// Frees what is too large to be freed in place.
    pub reclaimer: Reclaimer,
    /// Whether a step holds everything for long.
    pub standstill: Standstill,
}

/// Which stripes a step needs.
#[derive(Clone, Copy, Debug)]
pub enum Locks<'a> {
    /// None.
    None,
    /// Those of these keys.
    Keys(&'a [Key<'a>]),
    /// All: the step sees and may change everything.
    All,
}

/// Numbers of stripes, each once, in the order in which they are locked.
fn in_order(indexes: impl Iterator<Item = usize>) -> SmallVec<[usize; 16]> {
    let mut indexes: SmallVec<[usize; 16]> = indexes.collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes
}

/// Figures of one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DatabaseSize {
    /// Keys.
    pub keys: usize,
    /// Keys that expire.
    pub expiring: usize,
    /// Hashes of which fields expire.
    pub timed_hashes: usize,
    /// The expiring keys' average time to live, ms, estimated.
    pub average_ttl_ms: i64,
    /// Slots of the tables.
    pub slots: usize,
    /// Bytes of the tables.
    pub table_bytes: usize,
}

/// Steps of so many keys may take all stripes.
const MANY_KEYS: usize = 2;

impl Keyspace {
    /// An empty keyspace for `workers` threads. `seed` decides where keys are; draw it at random.
    pub fn new(databases: usize, workers: usize, seed: u64) -> Keyspace {
        // So many that two workers seldom meet, even with commands of many keys; so few that looking into each does not take
        // long. One worker meets no more than those who help it.
        let stripe_bits = if workers > 1 { (workers * 64).next_power_of_two().min(4096) } else { 64 }.ilog2();
        let count = 1u64 << stripe_bits;
        let stripe = |index: u64| {
            StripeData::new(databases, stripe_bits, seed ^ (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        };
        Keyspace {
            stripes: LockSet::new((0..count).map(stripe)),
            hints: (0..databases).map(|_| OnceLock::new()).collect(),
            stripe_bits,
            has_one_worker: workers == 1,
            databases,
            hasher: Hasher::new(seed),
            last_waiter: AtomicU64::new(0),
            awaited_names: AtomicUsize::new(0),
            snapshots: Slots::default(),
            audience: OnceLock::new(),
            reader_counts: ReaderCounts::default(),
            journal: Journal::default(),
            settings: Settings::new(),
            reclaimer: Reclaimer::start(),
            standstill: Standstill::default(),
        }
    }

    /// The number of databases.
    pub fn databases(&self) -> usize {
        self.databases
    }

    /// The number of stripes.
    pub fn stripes(&self) -> usize {
        self.stripes.len()
    }

    /// The hash function.
    #[inline]
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// A key with its hash.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        self.hasher.key(bytes)
    }

    /// The stripe of the keys at a position.
    #[inline]
    pub fn stripe_of(&self, position: u64) -> usize {
        (position >> (POSITION_BITS - self.stripe_bits)) as usize
    }

    pub(crate) fn stripe_bits(&self) -> u32 {
        self.stripe_bits
    }

    /// Locks what a step needs, in index order, and gives a view that reaches no more than that. Time stands still at
    /// `now_ms` (unix time) for as long as the view lives. Effects are added to `effects`.
    #[inline]
    pub fn view<'k>(&'k self, locks: Locks<'_>, now_ms: i64, effects: &'k mut Effects) -> View<'k> {
        View::new(self, self.lock(locks), now_ms, effects)
    }

    /// The same for who does not wait for ever; `None` if it was given up.
    #[inline]
    pub fn try_view<'k>(
        &'k self,
        locks: Locks<'_>,
        now_ms: i64,
        effects: &'k mut Effects,
        patience: Patience,
    ) -> Option<View<'k>> {
        Some(View::new(self, self.try_lock(locks, patience)?, now_ms, effects))
    }

    /// The same for a step that changes keys: locks, too, what those need who wait for its keys, so that they can be served
    /// before anything else happens.
    #[inline]
    pub fn try_view_to_change<'k>(
        &'k self,
        locks: Locks<'_>,
        now_ms: i64,
        effects: &'k mut Effects,
        patience: Patience,
    ) -> Option<View<'k>> {
        let mut held = self.try_lock(locks, patience)?;
        if held.has_waiters(&self.awaited_names)
            && let Locks::Keys(keys) = locks
        {
            held = self.lock_for_waiters(held, keys, patience)?;
        }
        Some(View::new(self, held, now_ms, effects))
    }

    #[inline]
    fn lock(&self, locks: Locks<'_>) -> Held<'_> {
        if let Some(all) = self.all_instead(locks) {
            return Held::All(all);
        }
        match locks {
            Locks::None => Held::None,
            Locks::Keys([key]) => {
                let index = self.stripe_of(key.hash.position());
                Held::One(index, self.stripes.lock(index))
            }
            Locks::Keys(keys) => {
                let indexes = in_order(keys.iter().map(|key| self.stripe_of(key.hash.position())));
                Held::Some(indexes.into_iter().map(|index| (index, self.stripes.lock(index))).collect())
            }
            Locks::All => Held::All(self.stripes.lock_all()),
        }
    }

    #[inline]
    fn try_lock(&self, locks: Locks<'_>, patience: Patience) -> Option<Held<'_>> {
        if let Some(all) = self.all_instead(locks) {
            return Some(Held::All(all));
        }
        Some(match locks {
            Locks::None => Held::None,
            Locks::Keys([key]) => {
                let index = self.stripe_of(key.hash.position());
                Held::One(index, self.try_lock_stripe(index, patience)?)
            }
            Locks::Keys(keys) => {
                self.try_lock_some(keys.iter().map(|key| self.stripe_of(key.hash.position())), patience)?
            }
            Locks::All => Held::All(self.try_lock_all(patience)?),
        })
    }

    /// All stripes instead of those of several keys, where that is simpler and keeps nobody waiting: for the only worker.
    #[inline]
    fn all_instead(&self, locks: Locks<'_>) -> Option<AllStripes<'_>> {
        let is_worth_it =
            self.has_one_worker && matches!(locks, Locks::Keys(keys) if keys.len() >= MANY_KEYS);
        if is_worth_it { self.stripes.try_lock_all() } else { None }
    }

    fn try_lock_all(&self, patience: Patience) -> Option<AllStripes<'_>> {
        self.stripes.lock_all_unless(|| patience.is_over(&self.standstill))
    }

    fn try_lock_some(&self, indexes: impl Iterator<Item = usize>, patience: Patience) -> Option<Held<'_>> {
        let guard = |index| Some((index, self.try_lock_stripe(index, patience)?));
        Some(Held::Some(in_order(indexes).into_iter().map(guard).collect::<Option<_>>()?))
    }

    /// Exchanges the locks of a step for ones that reach all who wait for its keys. Waiters come and go meanwhile, so what
    /// is found with some locks held is looked at again once more are.
    #[cold]
    fn lock_for_waiters<'k>(
        &'k self,
        mut held: Held<'k>,
        keys: &[Key<'_>],
        patience: Patience,
    ) -> Option<Held<'k>> {
        const ATTEMPTS: usize = 8;
        let stripe_of = |name: &[u8]| self.stripe_of(self.key(name).hash.position());
        for _ in 0..ATTEMPTS {
            let names = keys.iter().map(|key| key.bytes);
            let Reach::Some(stripes) = reach(names, stripe_of, |index| held.waiters(index)) else { break };
            if stripes.iter().all(|index| held.waiters(*index).is_some()) {
                return Some(held);
            }
            drop(held);
            held = self.try_lock_some(stripes.into_iter(), patience)?;
        }
        drop(held);
        self.try_lock(Locks::All, patience)
    }

    /// Has the calling thread, where it is the only worker, take stripes without regard to others for as long as this lives: for
    /// some microseconds in which it takes many, one after the other. None may be held at the beginning and at the end, and nothing be
    /// waited for meanwhile that another thread does.
    #[inline]
    pub fn lease(&self) -> Option<Lease<'_>> {
        if self.has_one_worker { self.stripes.lease() } else { None }
    }

    /// A number for somebody who begins to wait. To be drawn with the stripes of the keys locked, so that every queue is in
    /// the order of numbers.
    pub(crate) fn next_waiter_number(&self) -> u64 {
        self.last_waiter.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn lock_stripe(&self, index: usize) -> StripeGuard<'_> {
        self.stripes.lock(index)
    }

    #[inline]
    pub(crate) fn try_lock_stripe(&self, index: usize, patience: Patience) -> Option<StripeGuard<'_>> {
        self.stripes.lock_unless(index, || patience.is_over(&self.standstill))
    }

    /// A view of one stripe, by number, for work in the background; `None` while everything is held for long.
    pub fn try_view_stripe<'k>(
        &'k self,
        index: usize,
        now_ms: i64,
        effects: &'k mut Effects,
    ) -> Option<View<'k>> {
        let guard = self.try_lock_stripe(index, Patience::UntilHeld)?;
        Some(View::new(self, Held::One(index, guard), now_ms, effects))
    }

    /// The same if nobody has the stripe.
    pub(crate) fn view_free_stripe<'k>(
        &'k self,
        index: usize,
        now_ms: i64,
        effects: &'k mut Effects,
    ) -> Option<View<'k>> {
        let guard = self.stripes.try_lock(index)?;
        Some(View::new(self, Held::One(index, guard), now_ms, effects))
    }

    /// Asks the processor for keys in four steps, each of which reads what the one before it has asked for: the more keys
    /// take a step before the next one begins, the more of the waiting they have in common. This is the first; it takes no
    /// lock, and does nothing where what it asks for is in the cache anyway.
    #[inline(always)]
    pub fn prefetch_words(&self, db: u32, keys: &mut [Key<'_>]) {
        if let Some(hints) = self.hints[db as usize].get().filter(|hints| hints.are_far()) {
            keys.iter_mut().for_each(|key| hints.prefetch_words(key));
        }
    }

    /// The second step: table lines. Takes no lock.
    #[inline(always)]
    pub fn prefetch_lines(&self, db: u32, keys: &[Key<'_>]) {
        match self.hints[db as usize].get() {
            Some(hints) if hints.are_far() => keys.iter().for_each(|key| hints.prefetch_line(*key)),
            Some(hints) => keys.iter().for_each(|key| hints.prefetch_near_line(*key)),
            None => {}
        }
    }

    /// The third step: entries. Notes in the keys where they are. `displaced` hears the index of each key, one in ten, that
    /// is not in the line where it is at home. The same key again and again, as where a queue is filled, is asked for once.
    #[inline(always)]
    pub fn prefetch_entries(&self, db: u32, keys: &mut [Key<'_>], mut displaced: impl FnMut(usize)) {
        let mut last = (KeyHash(0), Seen::NOWHERE);
        for (index, key) in keys.iter_mut().enumerate() {
            if key.hash == last.0 && !last.1.is_displaced() {
                key.seen = last.1;
                continue;
            }
            key.seen = match self.stripes.try_lock(self.stripe_of(key.hash.position())) {
                Some(stripe) => stripe.tables[db as usize].prefetch_entry(*key),
                None => Seen::NOWHERE,
            };
            if key.seen.is_displaced() {
                displaced(index);
            }
            last = (key.hash, key.seen);
        }
    }

    /// The fourth step, for a displaced key: the next line. Whether the step is to be taken again, because the key is not
    /// there either.
    pub fn prefetch_displaced(&self, db: u32, key: &mut Key<'_>) -> bool {
        key.seen = match self.stripes.try_lock(self.stripe_of(key.hash.position())) {
            Some(stripe) => stripe.tables[db as usize].prefetch_displaced(*key),
            None => Seen::NOWHERE,
        };
        key.seen.is_displaced()
    }

    /// Follows what a table has moved; to be called under its lock whenever it may have.
    #[inline]
    pub(crate) fn follow(&self, stripe: usize, db: u32, table: &mut Table) {
        let moved = table.take_moved();
        if moved != Moved::Nothing {
            let hints = &self.hints[db as usize];
            if !table.is_empty() || hints.get().is_some() {
                hints.get_or_init(|| Box::new(Hints::new(self.stripe_bits))).follow(stripe, table, moved);
            }
        }
    }

    /// The sums of all stripes' counters.
    pub fn counters(&self) -> Counters {
        self.each_stripe().fold(Counters::default(), |sum, stripe| sum.plus(stripe.counters))
    }

    pub(crate) fn each_stripe(&self) -> impl Iterator<Item = StripeGuard<'_>> {
        (0..self.stripes.len()).map(|index| self.stripes.lock(index))
    }

    /// Starts all counters but `changes` anew.
    pub fn reset_counters(&self) {
        self.each_stripe().for_each(|mut stripe| stripe.counters.reset());
    }

    /// The figures of a database.
    pub fn database_size(&self, db: u32) -> DatabaseSize {
        let mut size = DatabaseSize::default();
        for stripe in self.each_stripe() {
            let table = &stripe.tables[db as usize];
            size.keys += table.len();
            size.expiring += table.expiring();
            size.timed_hashes += table.timed_hashes();
            size.slots += table.slots();
            size.table_bytes += table.memory_bytes();
        }
        size
    }

    /// The number of keys that somebody watches.
    pub fn watched_keys(&self) -> usize {
        self.each_stripe().map(|stripe| stripe.watchers.len()).sum()
    }
}
