//! Work that is no client's: eviction and the removal of expired keys.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Candidate, Locks, Patience, SweepStep};

use crate::engine::{Engine, PauseMode};
use crate::tick;

use super::Executor;
use super::run::Runner;
use super::serve::Letters;

impl Executor {
    /// Evicts keys until memory is below `maxmemory`, for a limited time. Whether commands that need memory may run:
    /// `false` only if memory is above the limit and nothing may be evicted.
    #[inline(never)]
    pub(super) fn make_room(&mut self, now_ms: i64) -> bool {
        let engine = Arc::clone(&self.engine);
        let limit = engine.keyspace.settings.maxmemory_bytes.load(Relaxed) as usize;
        let excess_bytes = if limit == 0 { 0 } else { engine.lasting_bytes().saturating_sub(limit) };
        engine.stats.note_exceeded(excess_bytes != 0, now_ms);
        let is_paused = engine.pause.mode(now_ms) != PauseMode::None;
        if excess_bytes == 0 || is_paused || engine.loading.load(Relaxed) || engine.is_held_up() {
            return true;
        }
        if engine.settings.import_mode.load(Relaxed) {
            return false;
        }
        if engine.clients_make_room(excess_bytes, now_ms) {
            return true;
        }
        let (start_ns, budget_ns) = (tick::now_ns(), eviction_budget_ns(&engine));
        let (mut freed_bytes, mut enough) = (0, true);
        // Memory of more than keys changes meanwhile: what clients are told of the keys that go is on its way to them. It
        // must not make more keys go.
        while freed_bytes < excess_bytes && engine.lasting_bytes() > limit {
            let Some(candidate) = self.evictor.choose(&engine.keyspace, now_ms, &mut self.effects) else {
                // What is on its way to be freed will do.
                enough = engine.keyspace.reclaimer.has_unweighed();
                break;
            };
            let Some(bytes) = self.evict(&candidate, now_ms) else { break };
            freed_bytes += bytes;
            if tick::now_ns().saturating_sub(start_ns) > budget_ns {
                break;
            }
        }
        engine.latency_since("eviction-cycle", start_ns);
        enough
    }

    /// Removes a key to make room, and says how many bytes come back; `None` if that has to wait.
    fn evict(&mut self, candidate: &Candidate, now_ms: i64) -> Option<usize> {
        let Executor { engine, context, effects, .. } = self;
        let engine = &**engine;
        let key = engine.keyspace.key(&candidate.key);
        let start_ns = tick::now_ns();
        let freed_bytes = {
            let keys = [key];
            let mut view =
                engine.keyspace.try_view(Locks::Keys(&keys), now_ms, effects, Patience::UntilHeld)?;
            // CLIENT PAUSE may have come while this waited for the stripe.
            if engine.pause.mode(now_ms) != PauseMode::None {
                return None;
            }
            let freed_bytes = view.evict(candidate.db, key);
            engine.keyspace.journal.append(&view.effects().unit);
            view.tell(0);
            view.effects().clear();
            freed_bytes
        };
        engine.latency_since("eviction-del", start_ns);
        for garbage in effects.garbage.drain(..) {
            engine.keyspace.reclaimer.hand_over(garbage);
        }
        if !effects.ready.is_empty() {
            Runner::new(engine, context).serve_left(effects, now_ms);
        }
        // Another worker that makes room at the same time is not to free as much again.
        ochre_memory::share_count();
        Some(freed_bytes.unwrap_or(0))
    }

    /// Goes on evicting if memory is above the limit; to be called now and then.
    pub fn relieve(&mut self, now_ms: i64) {
        if !self.engine.is_held_up() {
            self.engine.left_behind.tidy(&self.engine);
            self.make_room(now_ms);
        }
    }

    /// Removes the expired keys, and fields of hashes, of the next part of this worker's share of the keyspace.
    pub fn sweep(&mut self, now_ms: i64) -> SweepStep {
        let Executor { engine, context, effects, sweeper, .. } = self;
        let start_ns = tick::now_ns();
        let step = sweeper.step(&engine.keyspace, now_ms, effects);
        Runner::new(engine, context).finish(effects, Letters::default(), now_ms);
        context.stats.expired_in_background.add(step.expired as u64);
        context.stats.expired_fields_in_background.add(step.fields as u64);
        engine.latency_since("expire-cycle", start_ns);
        step
    }
}

/// How long evicting may take before a command, ns: as Redis defines `maxmemory-eviction-tenacity`.
fn eviction_budget_ns(engine: &Engine) -> u64 {
    let tenacity = engine.keyspace.settings.tenacity.load(Relaxed);
    match tenacity {
        0..=10 => 50_000 * u64::from(tenacity),
        11..100 => (500_000.0 * 1.15_f64.powi(tenacity as i32 - 10)) as u64,
        _ => u64::MAX,
    }
}
