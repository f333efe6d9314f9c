//! Making room: which key goes when memory has run out.
//!
//! As in Redis, the best of a few keys drawn at random goes; a small pool remembers good candidates from one draw to
//! the next, which brings sampling close to the exact order. The decision is a value ([`Candidate`]): the caller
//! removes it through the write door.

use std::sync::atomic::Ordering::Relaxed;

use crate::access::{self, Lfu};
use crate::effects::Effects;
use crate::entry::EntryRef;
use crate::keyspace::Keyspace;
use crate::random::Random;
use crate::settings::Policy;

const POOL_SIZE: usize = 16;

/// A key that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    score: u64,
    /// Its database.
    pub db: u32,
    /// Its name.
    pub key: Vec<u8>,
}

/// Finds keys to evict; each worker has its own.
#[derive(Debug)]
pub struct Evictor {
    /// Best last.
    pool: Vec<Candidate>,
    policy: Policy,
    random: Random,
}

impl Evictor {
    /// An evictor that draws from its own sequence.
    pub fn new(seed: u64) -> Evictor {
        Evictor { pool: Vec::new(), policy: Policy::NoEviction, random: Random::new(seed) }
    }

    /// The key that should go next, or `None` if there is none that may.
    pub fn choose(&mut self, keyspace: &Keyspace, now_ms: i64, effects: &mut Effects) -> Option<Candidate> {
        let policy = keyspace.settings.policy();
        if policy == Policy::NoEviction || keyspace.settings.import_mode.load(Relaxed) {
            return None;
        }
        if policy != self.policy {
            self.pool.clear();
            self.policy = policy;
        }
        let first = self.random.below(keyspace.stripes());
        for step in 0..keyspace.stripes() {
            self.draw(keyspace, (first + step) % keyspace.stripes(), now_ms, effects);
            if let Some(best) = self.pool.pop() {
                return Some(best);
            }
        }
        None
    }

    fn draw(&mut self, keyspace: &Keyspace, stripe: usize, now_ms: i64, effects: &mut Effects) {
        let settings = &keyspace.settings;
        let policy = self.policy;
        let samples = if policy.is_random() { 1 } else { settings.samples.load(Relaxed).max(1) as usize };
        let lfu = settings.lfu();
        let Some(mut view) = keyspace.try_view_stripe(stripe, now_ms, effects) else { return };
        view.sample(stripe, samples, policy.only_expiring(), &mut |db, entry| {
            self.offer(db, entry, score(policy, entry, now_ms, lfu));
        });
    }

    fn offer(&mut self, db: u32, entry: EntryRef<'_>, score: u64) {
        let full = self.pool.len() >= POOL_SIZE;
        if full && self.pool.first().is_some_and(|worst| worst.score >= score) {
            return;
        }
        if self.pool.iter().any(|known| known.db == db && known.key == entry.key()) {
            return;
        }
        if full {
            self.pool.remove(0);
        }
        let at = self.pool.partition_point(|known| known.score < score);
        self.pool.insert(at, Candidate { score, db, key: entry.key().to_vec() });
    }
}

/// How much a key deserves to go: more is sooner.
fn score(policy: Policy, entry: EntryRef<'_>, now_ms: i64, lfu: Lfu) -> u64 {
    match policy {
        Policy::VolatileTtl => u64::MAX - entry.expire_ms().unwrap_or(i64::MAX).max(0) as u64,
        _ if policy.is_random() => 0,
        _ if policy.is_lfu() => u64::from(255 - access::frequency(entry.access(), now_ms, lfu)),
        _ => access::idle_ms(entry.access(), now_ms) as u64,
    }
}
