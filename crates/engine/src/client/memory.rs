//! What clients cost, and who goes when that is too much (`maxmemory-clients`).
//!
//! Every worker accounts for its own clients: the sum is in its statistics, the part of each client at the client.
//! Both change together by one exchange, so the sums stay exact whoever changes them. Whoever finds the total above the
//! limit has the largest clients closed, whichever workers they belong to, and takes their part off the sums at once:
//! nobody else is closed, and no key evicted, because they are not gone yet (see [`Leaving`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use super::shared::{ClientShared, client_flags};
use crate::engine::{Engine, Message, clock_ms};
use crate::worker::WorkerStats;

/// A client that has sent nothing and reads its replies costs no more than this.
const IDLE_BYTES_MAX: usize = 4 * 1024;
/// What clients that were closed had comes back within this time, ms.
const BACK_WITHIN_MS: i64 = 100;
/// Where nobody could be evicted, that is believed for so long, ms, and for so much more that clients cost.
const IN_VAIN_MS: i64 = 100;
const IN_VAIN_GROWTH_BYTES: u64 = 64 * 1024;

/// Clients that were evicted, with what they cost, until their workers have let go of them.
#[derive(Default)]
pub(crate) struct Leaving {
    clients: Mutex<Vec<(Arc<ClientShared>, u64)>>,
    bytes: AtomicU64,
    /// When the last of them was evicted, unix time in ms.
    last_ms: AtomicI64,
    /// When nobody was found last who could be evicted, unix time in ms, and what all clients cost then.
    in_vain_ms: AtomicI64,
    in_vain_bytes: AtomicU64,
}

impl Leaving {
    /// Whether nobody was found a moment ago, and nobody has become much larger since: where those who stay are too much, looking
    /// through all clients must not become part of every command.
    fn is_in_vain(&self, clients_bytes: u64, now_ms: i64) -> bool {
        now_ms - self.in_vain_ms.load(Relaxed) < IN_VAIN_MS
            && clients_bytes <= self.in_vain_bytes.load(Relaxed) + IN_VAIN_GROWTH_BYTES
    }

    /// Bytes that will be free as soon as these clients are gone.
    #[inline]
    fn bytes(&self) -> u64 {
        if self.bytes.load(Relaxed) == 0 { 0 } else { self.look_again() }
    }

    #[cold]
    fn look_again(&self) -> u64 {
        let mut clients = self.clients.lock();
        // The registry and the connection hold their client, too.
        clients.retain(|(client, _)| Arc::strong_count(client) > 1);
        let bytes = clients.iter().map(|(_, bytes)| bytes).sum();
        self.bytes.store(bytes, Relaxed);
        bytes
    }
}

impl ClientShared {
    /// Notes what the client costs now; `stats` are those of its worker. A client that is being closed costs nothing
    /// any more.
    pub fn account(&self, stats: &WorkerStats, bytes: usize) {
        let bytes = if self.is_killed() { 0 } else { bytes };
        if self.memory_bytes.load(Relaxed) != bytes {
            self.exchange(stats, bytes);
        }
    }

    fn exchange(&self, stats: &WorkerStats, bytes: usize) -> usize {
        let before = self.memory_bytes.swap(bytes, Relaxed);
        stats.clients_bytes.fetch_add(bytes as i64 - before as i64, Relaxed);
        before
    }
}

impl Engine {
    /// What all clients cost together, bytes.
    pub fn clients_bytes(&self) -> u64 {
        let sum: i64 = self.workers.iter().map(|stats| stats.clients_bytes.load(Relaxed)).sum();
        sum.max(0) as u64
    }

    /// Memory in use that evicting keys can do something about, bytes.
    #[inline]
    pub(crate) fn lasting_bytes(&self) -> usize {
        // In this order: what goes between the two looks must not seem to stay.
        let passing_bytes = self.passing_bytes();
        ochre_memory::used_bytes().saturating_sub(passing_bytes)
    }

    /// Memory in use that will be free soon whatever is evicted, bytes: what is on its way to be freed, to be told, or to the
    /// append-only file, where evicting would only put more.
    #[inline]
    pub(crate) fn passing_bytes(&self) -> usize {
        let freed_soon_bytes = self.leaving.bytes() as usize + self.keyspace.reclaimer.pending_bytes();
        freed_soon_bytes + self.messages.pending_bytes() + self.aof.held.get() as usize
    }

    /// Whether clients make room for `excess_bytes`, those being evicted first who cost more than they may: whoever has made
    /// them cost that may not have come to it yet. Nor are keys to go because of clients who have just been evicted: what
    /// they had, and what they still made their workers do, is known to the byte only once they are gone.
    pub(crate) fn clients_make_room(&self, excess_bytes: usize, now_ms: i64) -> bool {
        let limit = self.settings.clients_bytes_max.load(Relaxed);
        if limit == 0 {
            return false;
        }
        if self.clients_bytes() > limit {
            // Another one who looks is waited for.
            self.evict_down_to(limit, &mut self.leaving.clients.lock());
        }
        excess_bytes as u64 <= limit && now_ms - self.leaving.last_ms.load(Relaxed) < BACK_WITHIN_MS
    }

    /// Has the largest clients closed until the others fit into `maxmemory-clients`. Those told apart by
    /// CLIENT NO-EVICT, and replicas, stay. Whether any worker got orders, maybe the caller's.
    #[inline]
    pub fn evict_clients(&self) -> bool {
        let limit = self.settings.clients_bytes_max.load(Relaxed);
        if limit == 0 || self.clients_bytes() <= limit {
            return false;
        }
        // Who looks already will see what made this worker look.
        self.leaving.clients.try_lock().is_some_and(|mut leaving| self.evict_down_to(limit, &mut leaving))
    }

    #[cold]
    fn evict_down_to(&self, limit: u64, leaving: &mut Vec<(Arc<ClientShared>, u64)>) -> bool {
        let (mut found, clients_bytes, now_ms) = (false, self.clients_bytes(), clock_ms());
        if self.leaving.is_in_vain(clients_bytes, now_ms) {
            return false;
        }
        let (candidates, bytes) = self.by_memory();
        for client in candidates {
            if self.clients_bytes() <= limit {
                break;
            }
            // Those that stay are too much, or are just about to go: idle clients cannot make up for that.
            if bytes <= limit && client.memory_bytes.load(Relaxed) <= IDLE_BYTES_MAX {
                break;
            }
            if !client.kill() {
                continue;
            }
            log::warn!("Evicting client: {}", self.describe_client(&client));
            let bytes = client.exchange(&self.workers[client.worker], 0) as u64;
            self.leaving.bytes.fetch_add(bytes, Relaxed);
            self.leaving.last_ms.store(clock_ms(), Relaxed);
            self.stats.evicted_clients.fetch_add(1, Relaxed);
            self.post(client.worker, Message::Kill(client.id));
            leaving.push((client, bytes));
            found = true;
        }
        if !found {
            self.leaving.in_vain_bytes.store(clients_bytes, Relaxed);
        }
        self.leaving.in_vain_ms.store(if found { 0 } else { now_ms }, Relaxed);
        found
    }

    /// Clients that may be evicted, the largest first, and what they cost together.
    fn by_memory(&self) -> (Vec<Arc<ClientShared>>, u64) {
        let stays = client_flags::NO_EVICT | client_flags::REPLICA | client_flags::PRIMARY;
        let mut sized: Vec<(usize, Arc<ClientShared>)> = self
            .clients
            .list()
            .into_iter()
            .filter(|client| client.flags.load(Relaxed) & stays == 0)
            .map(|client| (client.memory_bytes.load(Relaxed), client))
            .filter(|(bytes, _)| *bytes > 0)
            .collect();
        sized.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let sum = sized.iter().map(|(bytes, _)| *bytes as u64).sum();
        (sized.into_iter().map(|(_, client)| client).collect(), sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ochre_config::{Config, SetContext};

    fn engine(limit: &str) -> Engine {
        let mut config = Config::new();
        let pair: [(&[u8], &[u8]); 1] = [(b"maxmemory-clients", limit.as_bytes())];
        config.set(&pair, SetContext::default()).expect("a valid limit");
        Engine::new(config, 2, String::new(), 1)
    }

    fn client(engine: &Engine, kib: usize, flags: u64) -> Arc<ClientShared> {
        let id = engine.clients.next_id();
        let client = Arc::new(ClientShared { id, worker: id as usize % 2, ..ClientShared::default() });
        client.set_flag(flags, true);
        client.account(&engine.workers[client.worker], kib << 10);
        engine.clients.add(Arc::clone(&client));
        client
    }

    #[test]
    fn keys_stay_while_clients_go() {
        let (engine, unlimited, now_ms) = (engine("1mb"), engine("0"), clock_ms());
        let _stays = (client(&engine, 1000, 0), client(&unlimited, 5000, 0));
        assert!(!engine.clients_make_room(1, now_ms) && !unlimited.clients_make_room(1, now_ms));
        let goes = client(&engine, 2048, 0);
        assert!(engine.clients_make_room(1 << 20, now_ms), "although nobody had come to evicting it");
        assert!(goes.is_killed() && engine.leaving.bytes() == 2 << 20);
        assert!(!engine.clients_make_room((1 << 20) + 1, now_ms));
        assert!(!engine.clients_make_room(1, clock_ms() + BACK_WITHIN_MS));
    }

    #[test]
    fn the_largest_go_first_and_no_more_than_must() {
        // Limit, then (KiB, flags, whether it goes) by client, then KiB that stay.
        type Case = (&'static str, &'static [(usize, u64, bool)], u64);
        const STAYS: u64 = client_flags::NO_EVICT;
        let cases: [Case; 7] = [
            ("1mb", &[(600, 0, false), (424, 0, false)], 1024),
            ("1mb", &[(600, 0, true), (425, 0, false)], 425),
            ("1mb", &[(300, 0, false), (900, 0, true), (400, 0, false)], 700),
            ("1mb", &[(300, 0, true), (900, STAYS, false), (200, 0, true)], 900),
            ("1mb", &[(900, STAYS, false), (200, STAYS, false), (4, 0, false)], 1104),
            ("1mb", &[(900, STAYS, false), (200, STAYS, false), (5, 0, true)], 1100),
            ("0", &[(5000, 0, false)], 5000),
        ];
        for (limit, clients, rest) in cases {
            let engine = engine(limit);
            let made: Vec<_> = clients.iter().map(|(kib, flags, _)| client(&engine, *kib, *flags)).collect();
            assert_eq!(engine.evict_clients(), clients.iter().any(|(_, _, goes)| *goes));
            let gone: Vec<bool> = made.iter().map(|client| client.is_killed()).collect();
            let expected: Vec<bool> = clients.iter().map(|(_, _, goes)| *goes).collect();
            assert_eq!((gone, engine.clients_bytes()), (expected.clone(), rest << 10), "{limit} {clients:?}");
            let count = expected.iter().filter(|goes| **goes).count() as u64;
            assert_eq!(engine.stats.evicted_clients.load(Relaxed), count);
        }
    }

    #[test]
    fn who_looked_in_vain_does_not_look_again_at_once() {
        let engine = engine("1mb");
        let _stays = client(&engine, 2048, client_flags::NO_EVICT);
        assert!(!engine.evict_clients());
        let small = client(&engine, 60, 0);
        assert!(!engine.evict_clients() && !small.is_killed(), "a moment ago there was nobody");
        let larger = client(&engine, 100, 0);
        assert!(engine.evict_clients() && larger.is_killed() && small.is_killed());
        let again = client(&engine, 10, 0);
        assert!(engine.evict_clients() && again.is_killed(), "somebody was found the last time");
        assert!(!engine.evict_clients());
        let later = client(&engine, 20, 0);
        engine.leaving.in_vain_ms.fetch_sub(IN_VAIN_MS, Relaxed);
        assert!(engine.evict_clients() && later.is_killed());
    }

    #[test]
    fn who_leaves_is_discounted_until_gone() {
        let engine = engine("1mb");
        let client = client(&engine, 2048, 0);
        assert_eq!(engine.leaving.bytes(), 0);
        engine.evict_clients();
        assert_eq!(engine.leaving.bytes(), 2 << 20);
        engine.clients.remove(client.id);
        assert_eq!(engine.leaving.bytes(), 2 << 20, "its worker holds it still");
        drop(client);
        assert_eq!(engine.leaving.bytes(), 0);
    }

    #[test]
    fn what_is_being_closed_costs_nothing() {
        let engine = engine("0");
        let client = client(&engine, 100, 0);
        client.kill();
        client.account(&engine.workers[client.worker], 200 << 10);
        assert_eq!((engine.clients_bytes(), client.memory_bytes.load(Relaxed)), (0, 0));
    }
}
