//! The server as commands see it: everything that all workers share.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use ochre_config::{Changes, Config, SetError};
use ochre_keyspace::Keyspace;
use ochre_persist::disk::{Disk, RealDisk};
use parking_lot::{Mutex, RwLock};

use crate::access::AccessControl;
use crate::aof::AppendOnly;
use crate::client::Registry;
use crate::command::CommandTable;
use crate::family;
use crate::log::CommandLogs;
use crate::messages::{KeyspaceListener, Messages};
use crate::notice::Notice;
use crate::persistence::Persistence;
use crate::settings::Settings;
use crate::stats::{ErrorStats, ServerStats};
use crate::worker::{WorkerContext, WorkerStats};

/// Something for another worker to do.
#[derive(Clone, Debug)]
pub enum Message {
    /// Close a client; its shared side is already marked as killed.
    Kill(u64),
    /// End a client's blocking, if [`Wait::is_claimed`](crate::Wait::is_claimed) still holds.
    Unblock {
        /// Which client.
        client: u64,
        /// With an error instead of the reply of a timeout.
        with_error: bool,
    },
    /// Send these bytes to a client as they are (MONITOR, ready replies).
    Send {
        /// Which client.
        client: u64,
        /// What.
        bytes: Arc<[u8]>,
    },
    /// The reply to a client that waited for a key and was served; it goes on after that.
    Serve {
        /// Which client.
        client: u64,
        /// What.
        reply: Vec<u8>,
        /// The journal's offset behind what it can have seen.
        offset: u64,
    },
    /// The reply to a client that waits for a completion; it goes on after that.
    Complete {
        /// Which client.
        client: u64,
        /// What.
        reply: Arc<[u8]>,
    },
    /// Tell clients what there is to be told.
    News,
    /// Look again at what was postponed (CLIENT UNPAUSE).
    Resume,
    /// Drop this once those have gone on whom the letters before let go on.
    Resumed(Arc<Notice>),
    /// More of the log is durable, or it need not be: look again at what waits for that.
    Durable,
    /// Settings that the event loop keeps a copy of were changed.
    Reconfigure,
}

/// What SHUTDOWN was asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownRequest {
    /// Save although there is no save point (`Some(true)`), or do not although there is.
    pub save: Option<bool>,
    /// Do not wait for replicas.
    pub now: bool,
    /// Go even if saving fails.
    pub force: bool,
    /// Stay if the cluster would suffer (Valkey's SAFE).
    pub safe: bool,
    /// Hand over to a replica first, in a cluster (Valkey's FAILOVER).
    pub failover: bool,
    /// Who asked: the worker and the client, who waits for the end of the connection. `None`: a signal.
    pub client: Option<(usize, u64)>,
}

/// What the process around the engine does for it.
pub trait Host: Send + Sync {
    /// Has another worker do something.
    fn post(&self, worker: usize, message: Message);
    /// Brings what the process itself keeps (listeners, log file, process limits) in line with a new configuration.
    ///
    /// # Errors
    /// Something could not be applied; everything is then as before. What the system made of a value (the absolute
    /// `dir`) is put into `new`. The caller holds the lock of the configuration: it must not be asked for.
    fn apply(&self, changes: &Changes, old: &Config, new: &mut Config) -> Result<(), SetError>;
    /// Begins to stop. The client that asked gets no reply unless this fails.
    ///
    /// # Errors
    /// The text of the error reply.
    fn shutdown(&self, request: ShutdownRequest) -> Result<(), String>;
    /// Takes back a shutdown that has begun; whether there was one.
    fn abort_shutdown(&self) -> bool;
    /// Facts about the process that INFO shows, by field name.
    fn fact(&self, name: &str) -> Option<String>;
    /// Ends the process in some violent way (DEBUG SEGFAULT, PANIC, ...), by the word of the subcommand.
    fn crash(&self, how: &str);
    /// The file that CONFIG REWRITE writes to, if the server was started with one.
    fn config_file(&self) -> Option<std::path::PathBuf>;
    /// Writes the configuration into that file; with `all`, directives at their defaults, too.
    ///
    /// # Errors
    /// What the system said; the file is as it was.
    fn rewrite_config(&self, config: &Config, all: bool) -> std::io::Result<()>;
    /// Starts the program anew with the arguments it had, after a pause. Returns only if that fails.
    fn restart(&self, delay_ms: u64);
}

/// Which commands wait while clients are paused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PauseMode {
    /// None.
    None,
    /// Those that write.
    Write,
    /// All.
    All,
}

/// What has clients wait: CLIENT PAUSE, and keys that are on their way to another server.
#[derive(Debug, Default)]
pub struct Pause {
    mode: AtomicU8,
    holds_keys: AtomicBool,
    until_ms: AtomicI64,
}

impl Pause {
    /// What is paused at `now_ms`.
    #[inline]
    pub fn mode(&self, now_ms: i64) -> PauseMode {
        match self.mode.load(Relaxed) {
            0 => PauseMode::None,
            _ if self.until_ms.load(Relaxed) <= now_ms => PauseMode::None,
            1 => PauseMode::Write,
            _ => PauseMode::All,
        }
    }

    /// Whether there may be anything to wait for.
    #[inline]
    pub(crate) fn is_off(&self) -> bool {
        self.mode.load(Relaxed) == 0 && !self.holds_keys()
    }

    /// Whether there are keys that are on their way to another server. To be asked with stripes locked: it is set with
    /// those of the keys locked.
    #[inline]
    pub(crate) fn holds_keys(&self) -> bool {
        self.holds_keys.load(Relaxed)
    }

    pub(crate) fn set_holds_keys(&self, holds_keys: bool) {
        self.holds_keys.store(holds_keys, Relaxed);
    }

    /// When the pause ends, unix time in ms.
    pub fn until_ms(&self) -> i64 {
        self.until_ms.load(Relaxed)
    }

    /// Pauses: a pause that is under way never gets shorter nor milder.
    pub fn start(&self, mode: PauseMode, until_ms: i64, now_ms: i64) {
        if self.mode(now_ms) == PauseMode::None {
            self.mode.store(mode as u8, Relaxed);
            self.until_ms.store(until_ms, Relaxed);
            return;
        }
        self.mode.fetch_max(mode as u8, Relaxed);
        self.until_ms.fetch_max(until_ms, Relaxed);
    }

    /// Ends the pause.
    pub fn stop(&self) {
        self.mode.store(0, Relaxed);
        self.until_ms.store(0, Relaxed);
    }
}

/// Everything that all workers share.
pub struct Engine {
    /// The commands.
    pub commands: CommandTable,
    /// Who may do what.
    pub access: AccessControl,
    /// The data.
    pub keyspace: Keyspace,
    /// The configuration.
    pub config: RwLock<Config>,
    /// What the hot path needs of it.
    pub settings: Settings,
    /// Who is connected.
    pub clients: Arc<Registry>,
    /// What clients are told besides replies.
    pub messages: Arc<Messages>,
    /// Clients that were evicted and may not be gone yet.
    pub(crate) leaving: crate::client::Leaving,
    /// Statistics by worker.
    pub workers: Vec<Arc<WorkerStats>>,
    /// Statistics that are not by worker.
    pub stats: ServerStats,
    /// Error replies by code.
    pub errors: ErrorStats,
    /// Slow commands, large requests, large replies.
    pub logs: CommandLogs,
    /// Latency spikes.
    pub latency: crate::latency::LatencyMonitor,
    /// CLIENT PAUSE.
    pub pause: Pause,
    /// Scripts and functions.
    pub scripting: crate::scripting::Scripting,
    /// Computes what takes long.
    pub(crate) helper: crate::aside::Helper,
    /// What could not be tidied up because a script held everything.
    pub(crate) left_behind: crate::left_behind::LeftBehind,
    /// What was not served because of it.
    pub(crate) held_back: crate::held_back::HeldBack,
    /// Keys on their way to other servers.
    pub(crate) migrations: crate::migration::Migrations,
    /// Keys at which those who wait are to look again at some time.
    pub(crate) alarms: crate::alarms::Alarms,
    /// Clients that read MONITOR's stream: (worker, client).
    pub monitors: Mutex<Vec<(usize, u64)>>,
    /// Their number, readable without the lock.
    pub monitor_count: AtomicU32,
    /// When the server started, unix time in ms.
    pub started_ms: i64,
    /// 40 hexadecimal digits, new at every start.
    pub run_id: String,
    /// Whether data are being loaded: see [`Engine::set_loading`].
    pub loading: AtomicBool,
    /// Whether there is something that may keep a command from running whoever asks: loading, a snapshot that failed.
    pub(crate) restricted: AtomicBool,
    /// Snapshots in files.
    pub persistence: Persistence,
    /// The append-only file.
    pub aof: AppendOnly,
    /// Whether a million things changed since the last save: `changes` at that time.
    pub changes_at_save: AtomicU64,
    /// What DEBUG switched on or off.
    pub debug: family::DebugSwitches,
    /// Where the keys come from, if this is the engine of a session of the debugger.
    pub(crate) original: OnceLock<crate::scripting::Original>,
    host: OnceLock<Arc<dyn Host>>,
}

/// The version of Redis whose behaviour is promised to clients that ask.
pub const REDIS_VERSION: &str = "8.6.3";
/// The version of Valkey whose commands are there, too.
pub const VALKEY_VERSION: &str = "9.1.2";
/// Our own.
pub const OCHRE_VERSION: &str = env!("CARGO_PKG_VERSION");

impl Engine {
    /// An engine for `workers` workers. `run_id` and `seed` are random.
    pub fn new(config: Config, workers: usize, run_id: String, seed: u64) -> Engine {
        let commands = CommandTable::new(family::ALL);
        let databases = config.uint(ochre_config::Directive::Databases) as usize;
        let keyspace = Keyspace::new(databases.max(1), workers, seed);
        let settings = Settings::default();
        settings.refresh(&config, &keyspace);
        let restricted = AtomicBool::new(settings.lacks_replicas.load(Relaxed));
        let count = commands.all().len();
        let clients = Arc::<Registry>::default();
        let access = AccessControl::new(&commands, config.text(ochre_config::Directive::Requirepass));
        Engine {
            workers: (0..workers.max(1)).map(|_| Arc::new(WorkerStats::new(count))).collect(),
            commands,
            access,
            keyspace,
            config: RwLock::new(config),
            settings,
            messages: Arc::new(Messages::new(workers.max(1), Arc::clone(&clients))),
            clients,
            leaving: crate::client::Leaving::default(),
            stats: ServerStats::default(),
            errors: ErrorStats::default(),
            logs: CommandLogs::default(),
            latency: crate::latency::LatencyMonitor::default(),
            pause: Pause::default(),
            scripting: crate::scripting::Scripting::default(),
            helper: crate::aside::Helper::default(),
            left_behind: crate::left_behind::LeftBehind::default(),
            held_back: crate::held_back::HeldBack::default(),
            migrations: crate::migration::Migrations::default(),
            alarms: crate::alarms::Alarms::default(),
            monitors: Mutex::default(),
            monitor_count: AtomicU32::new(0),
            started_ms: clock_ms(),
            run_id,
            loading: AtomicBool::new(false),
            restricted,
            persistence: Persistence::new(Arc::new(RealDisk), clock_ms()),
            aof: AppendOnly::new(workers),
            changes_at_save: AtomicU64::new(0),
            debug: family::DebugSwitches::default(),
            original: OnceLock::new(),
            host: OnceLock::new(),
        }
    }

    /// The same engine with its files on another disk than that of this machine.
    #[must_use]
    pub fn with_disk(self, disk: Arc<dyn Disk>) -> Engine {
        Engine { persistence: Persistence::new(disk, clock_ms()), ..self }
    }

    /// Says who does what the engine cannot; only the first call counts.
    pub fn set_host(&self, host: Box<dyn Host>) {
        self.stats.startup_bytes.store(ochre_memory::used_bytes(), Relaxed);
        let host: Arc<dyn Host> = host.into();
        self.messages.set_host(Arc::clone(&host));
        let listener = KeyspaceListener(Arc::clone(&self.messages));
        drop(self.keyspace.audience.set(Box::new(listener)));
        drop(self.host.set(host));
    }

    /// Whether there is a server around the engine, whose workers come back to what waits.
    pub(crate) fn has_server(&self) -> bool {
        self.served().is_some()
    }

    /// The engine, to be kept by what a server's client waits for; `None` without a server around it.
    pub(crate) fn served(&self) -> Option<Arc<Engine>> {
        self.persistence.engine().filter(|_| self.host.get().is_some())
    }

    /// Who does what the engine cannot; `None` in tests of the engine alone.
    pub fn host(&self) -> Option<&dyn Host> {
        self.host.get().map(AsRef::as_ref)
    }

    /// Has another worker do something.
    pub fn post(&self, worker: usize, message: Message) {
        if let Some(host) = self.host() {
            host.post(worker, message);
        }
    }

    /// Has every worker do something.
    pub fn post_all(&self, message: &Message) {
        (0..self.workers.len()).for_each(|worker| self.post(worker, message.clone()));
    }

    /// What a worker passes to handlers.
    pub fn worker_context(&self, index: usize) -> WorkerContext {
        WorkerContext { index, stats: Arc::clone(&self.workers[index]), news: Arc::default() }
    }

    /// Takes a sample of all rates and of memory's peak; to be called ten times a second.
    pub fn sample_rates(&self) {
        let now_ms = clock_ms();
        let sum =
            |counter: fn(&WorkerStats) -> u64| self.workers.iter().map(|stats| counter(stats)).sum::<u64>();
        let mut rates = self.stats.rates.lock();
        rates.commands.sample(now_ms, sum(|stats| stats.processed()));
        rates.net_in.sample(now_ms, sum(|stats| stats.net_in_bytes.get()));
        rates.net_out.sample(now_ms, sum(|stats| stats.net_out_bytes.get()));
        rates.loops.sample(now_ms, sum(|stats| stats.loops.get()));
        rates.loops_ns.sample(now_ms, sum(|stats| stats.loops_ns.get()));
        self.stats.note_peak(now_ms);
    }

    /// The time, unix time in ms.
    pub fn now_ms(&self) -> i64 {
        clock_ms()
    }
}

/// The system's clock, unix time in ms.
pub fn clock_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// The system's clock, unix time in us.
pub fn clock_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}
