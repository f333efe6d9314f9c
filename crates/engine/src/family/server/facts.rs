//! Figures that several commands of this family show.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::DatabaseSize;

use crate::client::client_flags;
use crate::engine::Engine;
use crate::worker::WorkerStats;

/// A figure summed over all workers.
pub(super) fn total(engine: &Engine, figure: impl Fn(&WorkerStats) -> u64) -> u64 {
    engine.workers.iter().map(|worker| figure(worker)).sum()
}

/// A fact about the process; empty if nobody knows it.
pub(super) fn fact(engine: &Engine, name: &str) -> String {
    engine.host().and_then(|host| host.fact(name)).unwrap_or_default()
}

/// The clients together.
#[derive(Debug, Default)]
pub(super) struct ClientFigures {
    pub(super) connected: usize,
    pub(super) tracking: usize,
    pub(super) subscribed: usize,
    pub(super) watching: usize,
    pub(super) input_bytes_max: usize,
    pub(super) output_bytes_max: usize,
    pub(super) normal_bytes: usize,
    pub(super) replica_bytes: usize,
}

impl ClientFigures {
    /// Looks at every client once.
    pub(super) fn collect(engine: &Engine) -> ClientFigures {
        let mut sum = ClientFigures::default();
        for client in engine.clients.list() {
            let counts = |bits| usize::from(client.has(bits));
            sum.connected += 1;
            sum.tracking += counts(client_flags::TRACKING);
            sum.subscribed += counts(client_flags::PUBSUB);
            sum.watching += usize::from(client.watched.load(Relaxed) > 0);
            let input = client.query_bytes.load(Relaxed) + client.query_free_bytes.load(Relaxed);
            let output = client.reply_buffer_bytes.load(Relaxed) + client.reply_list_bytes.load(Relaxed);
            sum.input_bytes_max = sum.input_bytes_max.max(input);
            sum.output_bytes_max = sum.output_bytes_max.max(output);
            let bytes = match client.has(client_flags::REPLICA) {
                true => &mut sum.replica_bytes,
                false => &mut sum.normal_bytes,
            };
            *bytes += client.memory_bytes.load(Relaxed);
        }
        sum
    }
}

/// Memory, in bytes, as INFO and MEMORY show it.
#[derive(Debug, Default)]
pub(super) struct MemoryFigures {
    pub(super) used: u64,
    pub(super) peak: u64,
    pub(super) startup: u64,
    /// Everything that is no data: what was used at start, clients, tables.
    pub(super) overhead: u64,
    pub(super) resident: u64,
    pub(super) clients: u64,
    pub(super) client_count: usize,
    pub(super) keys: usize,
    /// Slots of the tables, in bytes.
    pub(super) slots: u64,
    pub(super) allocator: ochre_memory::Report,
}

impl MemoryFigures {
    /// Asks the allocator and the system. `used_bytes` are those in use before anybody asked.
    pub(super) fn collect(
        engine: &Engine,
        used_bytes: usize,
        databases: &[DatabaseSize],
        clients: &ClientFigures,
    ) -> MemoryFigures {
        let allocator = ochre_memory::report();
        let used = used_bytes as u64;
        let startup = engine.stats.startup_bytes.load(Relaxed) as u64;
        let tables: usize = databases.iter().map(|size| size.table_bytes).sum();
        let clients_bytes = clients.normal_bytes + clients.replica_bytes;
        let programs = engine.scripting.figures();
        let scripts_bytes = programs.script_bytes + programs.function_bytes + engine.interpreter_bytes();
        let slots: usize = databases.iter().map(|size| size.slots * size_of::<u64>()).sum();
        MemoryFigures {
            used,
            peak: ochre_memory::peak_bytes() as u64,
            startup,
            overhead: startup + (tables + clients_bytes + scripts_bytes) as u64,
            resident: fact(engine, "used_memory_rss").parse().unwrap_or(allocator.resident as u64),
            clients: clients_bytes as u64,
            client_count: clients.connected,
            keys: databases.iter().map(|size| size.keys).sum(),
            slots: slots as u64,
            allocator,
        }
    }

    /// What the data take.
    pub(super) fn dataset(&self) -> u64 {
        self.used.saturating_sub(self.overhead)
    }

    /// Their share of what was taken since the start.
    pub(super) fn dataset_percent(&self) -> f64 {
        percent(self.dataset(), self.used.saturating_sub(self.startup))
    }

    /// The present use as a share of the highest.
    pub(super) fn peak_percent(&self) -> f64 {
        percent(self.used, self.peak)
    }

    /// What is resident of what is used.
    pub(super) fn fragmentation(&self) -> Excess {
        Excess::of(self.resident, self.used)
    }

    /// What is in active pages of what is handed out.
    pub(super) fn allocator_fragmentation(&self) -> Excess {
        Excess::of(self.allocator.active as u64, self.allocator.allocated as u64)
    }

    /// What the allocator has resident of what is in active pages.
    pub(super) fn allocator_resident(&self) -> Excess {
        Excess::of(self.allocator.resident as u64, self.allocator.active as u64)
    }

    /// What the process has resident of what the allocator has.
    pub(super) fn resident_overhead(&self) -> Excess {
        Excess::of(self.resident, self.allocator.resident as u64)
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// By how much one figure exceeds another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Excess {
    /// The one divided by the other; 0 if the other is.
    pub(super) ratio: f64,
    /// The difference.
    pub(super) bytes: i64,
}

impl Excess {
    fn of(more: u64, less: u64) -> Excess {
        Excess { ratio: percent(more, less) / 100.0, bytes: more as i64 - less as i64 }
    }
}
