//! What belongs to one worker: its number and its statistics.

use std::sync::atomic::{AtomicI64, AtomicUsize};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::command::CommandId;
use crate::counter::Counter;
use crate::histogram::Histogram;
use crate::messages::Backlog;

/// The statistics of one command.
#[derive(Debug, Default)]
pub struct CommandStats {
    /// How often it ran.
    pub calls: Counter,
    /// How long it ran in total, ns.
    pub time_ns: Counter,
    /// How often it was refused before it ran.
    pub rejected: Counter,
    /// How often it replied with an error.
    pub failed: Counter,
    /// How long it took each time.
    pub histogram: OnceLock<Box<Histogram>>,
}

/// The statistics of one worker. Written by it alone, read by anybody.
#[derive(Debug, Default)]
pub struct WorkerStats {
    /// By command number.
    pub commands: Vec<CommandStats>,
    /// Bytes received.
    pub net_in_bytes: Counter,
    /// Bytes sent.
    pub net_out_bytes: Counter,
    /// Rounds of the event loop.
    pub loops: Counter,
    /// Time in those rounds, ns.
    pub loops_ns: Counter,
    /// Times data were received.
    pub reads: Counter,
    /// Times data were sent.
    pub writes: Counter,
    /// Batches of requests whose keys were prefetched.
    pub prefetch_batches: Counter,
    /// Those keys.
    pub prefetched_keys: Counter,
    /// Clients connected.
    pub clients: AtomicI64,
    /// Clients that wait in blocking commands.
    pub blocked: AtomicI64,
    /// Those of them that do not wait for ever.
    pub timed: AtomicI64,
    /// Clients closed because they sent more than `client-query-buffer-limit`.
    pub query_limit_disconnections: Counter,
    /// Clients closed because they took too little of their replies.
    pub output_limit_disconnections: Counter,
    /// Time spent on removing expired keys, ns.
    pub expire_ns: Counter,
    /// Times that work was cut short by its time limit.
    pub expire_time_cap_reached: Counter,
    /// Expired keys that it found in the background.
    pub expired_in_background: Counter,
    /// Expired fields of hashes that it found in the background.
    pub expired_fields_in_background: Counter,
    /// Memory of its clients, bytes.
    pub clients_bytes: AtomicI64,
    /// Memory of its interpreter, bytes.
    pub interpreter_bytes: AtomicUsize,
}

impl WorkerStats {
    /// Statistics over this many commands.
    pub fn new(commands: usize) -> WorkerStats {
        WorkerStats {
            commands: (0..commands).map(|_| CommandStats::default()).collect(),
            ..WorkerStats::default()
        }
    }

    /// Commands run.
    pub fn processed(&self) -> u64 {
        self.commands.iter().map(|command| command.calls.get()).sum()
    }

    /// Time spent in commands, ns.
    pub fn commands_ns(&self) -> u64 {
        self.commands.iter().map(|command| command.time_ns.get()).sum()
    }

    /// The statistics of a command.
    #[inline]
    pub fn command(&self, id: CommandId) -> &CommandStats {
        &self.commands[usize::from(id)]
    }
}

/// What a handler may know of the worker that runs it.
#[derive(Clone, Debug)]
pub struct WorkerContext {
    /// Its number, from 0.
    pub index: usize,
    /// Its statistics.
    pub stats: Arc<WorkerStats>,
    /// What its clients are still to be told.
    pub news: Arc<Mutex<Backlog>>,
}
