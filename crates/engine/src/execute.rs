//! The path of a request: found, checked, queued or run, journalled, counted.
//!
//! One [`Executor`] per worker. A request is first *prepared* (its command found, its keys hashed), so that the worker
//! can have a whole batch's table lines on their way before the first command runs. Then it is *executed*: checks in
//! Redis's order; the stripes of its keys locked; the handler; the effects into the journal while the stripes are still
//! locked; statistics. EXEC is the same with the union of the stripes of its queue, all locked from the check of
//! the watched keys to the last effect: that is what makes transactions serializable.
//!
//! Two things that another worker may order at any time, CLIENT PAUSE and CLIENT KILL, are looked at once the stripes are
//! locked (see [`Gate`]): a check before the locks could be passed just before the order and acted upon long after it.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Evictor, Key, Locks, SweepStep, Sweeper, View};
use ochre_resp::ReplyWriter;

use crate::call::{Args, Call, Propagation};
use crate::client::{Client, Close, Queued, ReplyMode, Transaction, client_flags};
use crate::command::{Begin, Command, CommandEntry, CommandId, Find, KeySpec, flags, key_indexes};
use crate::engine::{Engine, PauseMode, clock_ms};
use crate::error::{Error, NO_AUTH, OUT_OF_MEMORY, wrong_arity};
use crate::log::{LogEntry, LogKind, shorten};
use crate::monitor;
use crate::tick;
use crate::worker::WorkerContext;

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is done; its reply, if any, is in the output.
    Done,
    /// It has not run: clients are paused. Come again with the same request.
    Postponed,
    /// The client waits; its reply comes later.
    Blocked,
    /// The connection ends once the output is sent.
    Close,
    /// The connection ends at once, and what has been replied but not sent is lost.
    Cut,
}

/// A request whose command is found and whose keys are hashed.
#[derive(Clone, Debug)]
pub struct Prepared {
    id: Option<CommandId>,
    keys: Range<usize>,
}

impl Prepared {
    /// Its keys, within those of its batch.
    pub fn keys(&self) -> Range<usize> {
        self.keys.clone()
    }
}

/// The time of a batch: read once, and again only if its commands took long.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// The time, unix time in ms.
    pub now_ms: i64,
    /// When the previous command ended (see [`tick::now_ns`]).
    pub start_ns: u64,
    read_ns: u64,
}

impl Clock {
    /// Older than this, the time is read again, ns.
    const STALE_NS: u64 = 500_000;

    /// The present time.
    pub fn read() -> Clock {
        let start_ns = tick::now_ns();
        Clock { now_ms: clock_ms(), start_ns, read_ns: start_ns }
    }

    /// Reads the time again if the commands of the batch took long.
    #[inline]
    pub fn refresh(&mut self) {
        if self.start_ns.saturating_sub(self.read_ns) > Clock::STALE_NS {
            self.now_ms = clock_ms();
            self.read_ns = self.start_ns;
        }
    }
}

/// Runs the requests of one worker's clients.
pub struct Executor {
    /// What all workers share.
    pub engine: Arc<Engine>,
    /// What this worker has for itself.
    pub context: WorkerContext,
    effects: Cell<Option<Box<Effects>>>,
    evictor: Evictor,
    sweeper: Sweeper,
}

impl Executor {
    /// The executor of a worker.
    pub fn new(engine: Arc<Engine>, worker: usize) -> Executor {
        tick::calibrate();
        let context = engine.worker_context(worker);
        let sweeper = Sweeper::new(worker, engine.workers.len());
        let evictor = Evictor::new(tick::now_ns() ^ (worker as u64) << 32);
        Executor { engine, context, effects: Cell::default(), evictor, sweeper }
    }

    /// Finds the command of a request and hashes its keys, which are added to `keys`.
    #[inline]
    pub fn prepare<'b>(&self, args: Args<'b>, keys: &mut Vec<Key<'b>>) -> Prepared {
        let start = keys.len();
        let found = args.get(0).and_then(|name| self.engine.commands.resolve(name, args.get(1)));
        if let Some(entry) = found {
            self.add_keys(entry, args, keys);
        }
        Prepared { id: found.map(|entry| entry.id), keys: start..keys.len() }
    }

    #[inline]
    fn add_keys<'b>(&self, entry: &CommandEntry, args: Args<'b>, keys: &mut Vec<Key<'b>>) {
        let command = entry.command;
        if command.keys.is_empty() || !entry.accepts(args.len()) {
            return;
        }
        // The form that most commands have.
        if let [KeySpec { begin: Begin::Index(index), find: Find::Range { last: 0, .. }, .. }] = command.keys
        {
            keys.extend(args.get(usize::from(*index)).map(|name| self.engine.keyspace.key(name)));
            return;
        }
        if let Some(indexes) = key_indexes(command, args) {
            keys.extend(indexes.iter().map(|index| self.engine.keyspace.key(args.at(*index as usize))));
        }
    }

    /// Asks the processor for the table lines of keys.
    #[inline]
    pub fn prefetch_lines(&self, db: u32, keys: &[Key<'_>]) {
        keys.iter().for_each(|key| self.engine.keyspace.prefetch_line(db, *key));
    }

    /// Asks the processor for the entries of keys.
    #[inline]
    pub fn prefetch_entries(&self, db: u32, keys: &[Key<'_>]) {
        keys.iter().for_each(|key| self.engine.keyspace.prefetch_entries(db, *key));
    }

    /// Runs a request; the reply is appended to `out`. `keys` are those of its preparation. The `clock`
    /// is moved to when this one ended.
    pub fn execute(
        &mut self,
        client: &mut Client,
        args: Args<'_>,
        prepared: &Prepared,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
    ) -> Outcome {
        let now_ms = clock.now_ms;
        let before = out.len();
        if prepared.id.is_none() && is_web_request(args) {
            return Outcome::Cut;
        }
        if client.reply_mode == ReplyMode::SkipNext {
            client.reply_mode = ReplyMode::Skip;
        }
        // The usual case must not touch the count of the engine's owners: that would serialize the misses of a batch.
        let has_room =
            self.engine.keyspace.settings.maxmemory_bytes.load(Relaxed) == 0 || self.make_room(now_ms);
        let this = &*self;
        let entry = prepared.id.map(|id| this.engine.commands.entry(id));
        client.shared.last_command.store(prepared.id.unwrap_or(CommandId::MAX), Relaxed);
        let gate = match this.admit(client, entry, args, now_ms, has_room) {
            Ok(Admission::Run(entry)) => this.run(client, entry, args, keys, out, clock),
            Ok(Admission::Queue(entry)) => {
                queue(client, entry, args, out);
                Gate::Open
            }
            Ok(Admission::Postpone) => Gate::Paused,
            Err(error) => {
                this.reject(client, entry, args, &error, out);
                Gate::Open
            }
        };
        match gate {
            Gate::Open => this.finish(client, before, out),
            Gate::Paused => Outcome::Postponed,
            Gate::Killed => {
                client.close_after_reply();
                Outcome::Close
            }
        }
    }

    fn finish(&self, client: &mut Client, before: usize, out: &mut Vec<u8>) -> Outcome {
        match client.reply_mode {
            ReplyMode::On | ReplyMode::SkipNext => {}
            ReplyMode::Off => out.truncate(before),
            ReplyMode::Skip => {
                out.truncate(before);
                client.reply_mode = ReplyMode::On;
            }
        }
        match (client.close, client.blocked) {
            (Close::AfterReply, _) => Outcome::Close,
            (Close::No, Some(_)) => Outcome::Blocked,
            (Close::No, None) => Outcome::Done,
        }
    }

    /// All checks before a command runs, in Redis's order.
    #[inline]
    fn admit<'e>(
        &self,
        client: &Client,
        entry: Option<&'e CommandEntry>,
        args: Args<'_>,
        now_ms: i64,
        has_room: bool,
    ) -> Result<Admission<'e>, Error> {
        let Some(entry) = entry else { return Err(unknown_command(args)) };
        let command = entry.command;
        if !command.subcommands.is_empty() && args.len() > 1 {
            return Err(unknown_subcommand(command, args));
        }
        if !entry.accepts(args.len()) {
            return Err(wrong_arity(&entry.full_name));
        }
        if command.is(flags::PROTECTED) {
            self.check_protected(client, entry)?;
        }
        // A client that came while there was a password may go on once there is none.
        if !client.authenticated
            && !command.is(flags::NO_AUTH)
            && self.engine.settings.has_password.load(Relaxed)
        {
            return Err(NO_AUTH);
        }
        let in_multi = client.transaction.open;
        if in_multi && command.is(flags::NO_MULTI) {
            return Err(Error::new("ERR Command not allowed inside a transaction"));
        }
        let queued_flags = if command.is(flags::RUNS_QUEUE) { client.transaction.flags } else { 0 };
        if !has_room && (command.flags | queued_flags) & flags::DENYOOM != 0 {
            return Err(OUT_OF_MEMORY);
        }
        let touches_keys = flags::READONLY | flags::WRITE | flags::MAY_REPLICATE;
        if self.engine.monitor_count.load(Relaxed) != 0
            && command.flags & touches_keys != 0
            && client.shared.has(client_flags::MONITOR)
        {
            return Err(Error::new("ERR Replica can't interact with the keyspace"));
        }
        if !in_multi || command.is(flags::NOT_QUEUED) {
            return Ok(Admission::Run(entry));
        }
        let paused = self.engine.pause.mode(now_ms) == PauseMode::All;
        Ok(if paused { Admission::Postpone } else { Admission::Queue(entry) })
    }

    /// Whether a command with these flags may run now, asked with its stripes locked. CLIENT PAUSE is given with all
    /// stripes locked, so none that passed here before is still on its way when its reply goes out.
    #[inline]
    fn gate(&self, client: &Client, command_flags: u64, now_ms: i64) -> Gate {
        if client.shared.killed.load(Relaxed) {
            return Gate::Killed;
        }
        match self.engine.pause.mode(now_ms) {
            PauseMode::None => Gate::Open,
            PauseMode::All => Gate::Paused,
            PauseMode::Write if command_flags & (flags::WRITE | flags::MAY_REPLICATE) != 0 => Gate::Paused,
            PauseMode::Write => Gate::Open,
        }
    }

    #[cold]
    fn check_protected(&self, client: &Client, entry: &CommandEntry) -> Result<(), Error> {
        let container = entry.parent.unwrap_or(entry.command);
        let directive = match container.name {
            "module" => ochre_config::Directive::EnableModuleCommand,
            _ => ochre_config::Directive::EnableDebugCommand,
        };
        let setting = self.engine.config.read().shown(directive);
        let local = client.shared.has(client_flags::UNIX_SOCKET)
            || client.shared.address.starts_with("127.")
            || client.shared.address.starts_with("[::1]");
        if setting == b"yes" || (setting == b"local" && local) {
            return Ok(());
        }
        let (upper, lower) = (container.name.to_ascii_uppercase(), container.name);
        Err(Error::owned(format!(
            "ERR {upper} command not allowed. If the enable-{lower}-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then restart \
             the server."
        )))
    }

    #[cold]
    fn reject(
        &self,
        client: &mut Client,
        entry: Option<&CommandEntry>,
        args: Args<'_>,
        error: &Error,
        out: &mut Vec<u8>,
    ) {
        if let Some(entry) = entry {
            self.context.stats.command(entry.id).rejected.add(1);
            if entry.command.is(flags::RUNS_QUEUE) {
                return self.reject_exec(client, args, error, out);
            }
        }
        if client.transaction.open {
            client.transaction.abort();
            client.publish_transaction();
        }
        self.write_error(error, client, out);
    }

    /// EXEC itself is refused: that ends the transaction, and the reply says so even where there is none.
    fn reject_exec(&self, client: &mut Client, args: Args<'_>, error: &Error, out: &mut Vec<u8>) {
        let watched = std::mem::take(&mut client.transaction);
        self.unwatch(&watched);
        client.publish_transaction();
        let why = error.bytes();
        let why = why.strip_prefix(b"ERR ").unwrap_or(why);
        let text = Error::quoting("EXECABORT Transaction discarded because of: ", why, "");
        self.write_error(&text, client, out);
        self.show_to_monitors(client, args);
    }

    fn show_to_monitors(&self, client: &Client, args: Args<'_>) {
        if self.engine.monitor_count.load(Relaxed) != 0 {
            monitor::feed(&self.engine, client, args);
        }
    }

    fn write_error(&self, error: &Error, client: &Client, out: &mut Vec<u8>) {
        self.count_error(error);
        ReplyWriter::new(out, client.protocol).error_bytes(error.bytes());
    }

    fn count_error(&self, error: &Error) {
        self.engine.errors.count(error.code());
        self.engine.stats.error_replies.fetch_add(1, Relaxed);
    }

    /// Locks what a command needs and runs it.
    #[inline]
    fn run(
        &self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
    ) -> Gate {
        let (now_ms, start_ns) = (clock.now_ms, &mut clock.start_ns);
        if entry.command.is(flags::RUNS_QUEUE) {
            return self.run_transaction(client, entry, args, out, now_ms, start_ns);
        }
        let engine = &*self.engine;
        let mut effects = self.take_effects();
        let gate;
        {
            let mut view = engine.keyspace.view(locks_of(entry.command, keys), now_ms, &mut effects);
            gate = self.gate(client, entry.command.flags, now_ms);
            if gate == Gate::Open {
                view.set_no_touch(client.no_touch);
                view.set_import_source(client.import_source);
                let step = Step { entry, args, keys, in_transaction: false };
                self.run_one(&mut view, client, step, out, start_ns);
                engine.keyspace.journal.append(&view.effects().unit);
            }
        }
        self.settle(effects);
        gate
    }

    /// Runs one command on a view that is already locked and adds its effects to the view's.
    #[inline]
    fn run_one(
        &self,
        view: &mut View<'_>,
        client: &mut Client,
        step: Step<'_>,
        out: &mut Vec<u8>,
        start_ns: &mut u64,
    ) {
        let Step { entry, args, keys, in_transaction } = step;
        let (command, engine) = (entry.command, &*self.engine);
        let (before, dirty_before, db) = (out.len(), view.effects().dirty, client.db);
        let reply = ReplyWriter::new(out, client.protocol);
        let mut propagation = Propagation::Verbatim;
        let result = (command.handler)(&mut Call {
            args,
            command,
            keys,
            view: &mut *view,
            client: &mut *client,
            engine,
            worker: &self.context,
            reply,
            propagation: &mut propagation,
            in_transaction,
        });
        let failed = result.is_err();
        if let Err(error) = result {
            self.write_error(&error, client, out);
        }
        // Afterwards: only now is it known what has to be hidden.
        if engine.monitor_count.load(Relaxed) != 0
            && command.flags & (flags::SKIP_MONITOR | flags::ADMIN) == 0
        {
            monitor::feed(engine, client, args);
        }
        let changed = view.effects().dirty != dirty_before;
        if engine.keyspace.journal.is_active() && propagates(command, propagation, changed) {
            view.effects().unit.push(db, args.iter());
        }
        self.account(client, entry, args, failed, out.len().saturating_sub(before), start_ns);
    }

    /// Statistics and logs of a command that has run.
    #[inline]
    fn account(
        &self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        failed: bool,
        reply_bytes: usize,
        start_ns: &mut u64,
    ) {
        let end_ns = tick::now_ns();
        let took_ns = end_ns.saturating_sub(*start_ns);
        *start_ns = end_ns;
        let (engine, stats) = (&*self.engine, &*self.context.stats);
        stats.processed.add(1);
        stats.commands_ns.add(took_ns);
        let command = stats.command(entry.id);
        command.calls.add(1);
        command.time_ns.add(took_ns);
        if failed {
            command.failed.add(1);
        }
        let settings = &engine.settings;
        if settings.latency_tracking.load(Relaxed) {
            command.histogram.get_or_init(Default::default).record(took_ns);
        }
        client.shared.commands.store(client.shared.commands.load(Relaxed) + 1, Relaxed);
        if took_ns >= settings.remark_time_ns.load(Relaxed)
            || reply_bytes as u64 >= settings.remark_reply_bytes.load(Relaxed)
            || args.bytes() as u64 >= settings.remark_request_bytes.load(Relaxed)
        {
            self.note_remarkable(client, entry, args, (took_ns / 1000) as i64, reply_bytes);
        }
        if !client.redacted.is_empty() {
            client.redacted.clear();
        }
    }

    fn note_remarkable(
        &self,
        client: &Client,
        entry: &CommandEntry,
        args: Args<'_>,
        took_us: i64,
        reply_bytes: usize,
    ) {
        let settings = &self.engine.settings;
        let spike_ms = settings.latency_threshold_ms.load(Relaxed);
        if spike_ms > 0 && took_us / 1000 >= spike_ms && !entry.command.is(flags::RUNS_QUEUE) {
            let event = if entry.command.is(flags::FAST) { "fast-command" } else { "command" };
            self.engine.latency.add(event, clock_ms() / 1000, took_us / 1000);
        }
        if entry.command.is(flags::SKIP_SLOWLOG) {
            return;
        }
        let request_bytes = args.bytes() as i64;
        let limits = [
            (LogKind::Slow, took_us, &settings.slower_than_us, &settings.slow_max_len),
            (
                LogKind::LargeRequest,
                request_bytes,
                &settings.request_larger_than,
                &settings.large_request_max_len,
            ),
            (
                LogKind::LargeReply,
                reply_bytes as i64,
                &settings.reply_larger_than,
                &settings.large_reply_max_len,
            ),
        ];
        for (kind, value, threshold, max_len) in limits {
            let threshold = threshold.load(Relaxed);
            if threshold >= 0 && value >= threshold {
                self.engine.logs.add(kind, log_entry(client, args, value), max_len.load(Relaxed));
            }
        }
    }

    /// The effects of the next step, empty; [`Executor::settle`] puts them back.
    #[inline]
    fn take_effects(&self) -> Box<Effects> {
        self.effects.take().unwrap_or_default()
    }

    /// Hands on what a step left behind.
    #[inline]
    fn settle(&self, mut effects: Box<Effects>) {
        if !effects.is_clean() {
            self.clean_up(&mut effects);
        }
        self.effects.set(Some(effects));
    }

    fn clean_up(&self, effects: &mut Effects) {
        for garbage in effects.garbage.drain(..) {
            self.engine.keyspace.reclaimer.hand_over(garbage);
        }
        effects.freed_before_reply.clear();
        effects.clear();
    }

    /// EXEC.
    fn run_transaction(
        &self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        out: &mut Vec<u8>,
        now_ms: i64,
        start_ns: &mut u64,
    ) -> Gate {
        let gate = self.gate(client, entry.command.flags | client.transaction.flags, now_ms);
        if gate != Gate::Open {
            return gate;
        }
        let before = out.len();
        let refusal = match &client.transaction {
            Transaction { open: false, .. } => Some("ERR EXEC without MULTI"),
            Transaction { aborted: true, .. } => {
                Some("EXECABORT Transaction discarded because of previous errors.")
            }
            _ => None,
        };
        // Without MULTI there is nothing to end: keys that are watched stay so.
        let open = client.transaction.open;
        let transaction = if open { std::mem::take(&mut client.transaction) } else { Transaction::default() };
        if let Some(text) = refusal {
            self.unwatch(&transaction);
            self.write_error(&Error::new(text), client, out);
        } else {
            // What the queue asks about its own client is still that it is in a transaction.
            client.publish_watched();
            let gate = self.run_queue(client, &transaction, out, start_ns);
            if gate != Gate::Open {
                client.transaction = transaction;
                client.publish_transaction();
                return gate;
            }
        }
        client.publish_transaction();
        self.show_to_monitors(client, args);
        let reply_bytes = out.len().saturating_sub(before);
        self.account(client, entry, args, refusal.is_some(), reply_bytes, start_ns);
        Gate::Open
    }

    fn run_queue(
        &self,
        client: &mut Client,
        transaction: &Transaction,
        out: &mut Vec<u8>,
        start_ns: &mut u64,
    ) -> Gate {
        let engine = &*self.engine;
        let now_ms = clock_ms();
        let mut keys = Vec::new();
        let ranges: Vec<Range<usize>> = transaction
            .queue
            .iter()
            .map(|queued| {
                let start = keys.len();
                self.add_keys(engine.commands.entry(queued.command), queued.request.args(), &mut keys);
                start..keys.len()
            })
            .collect();
        keys.extend(transaction.watched.iter().map(|watched| engine.keyspace.key(&watched.key)));
        let locks = match transaction.flags & (flags::WHOLE_KEYSPACE | flags::WALKS_KEYSPACE) != 0 {
            true => Locks::All,
            false if keys.is_empty() => Locks::None,
            false => Locks::Keys(&keys),
        };
        let mut effects = self.take_effects();
        let gate;
        {
            let mut view = engine.keyspace.view(locks, now_ms, &mut effects);
            gate = self.gate(client, transaction.flags, now_ms);
            if gate == Gate::Open {
                view.set_no_touch(client.no_touch);
                view.set_import_source(client.import_source);
                let changed = watched_changed(&mut view, transaction);
                unwatch_in(&mut view, transaction);
                if changed {
                    ReplyWriter::new(out, client.protocol).null_array();
                } else {
                    ReplyWriter::new(out, client.protocol).array(transaction.queue.len());
                    for (Queued { command, request }, range) in transaction.queue.iter().zip(ranges) {
                        let (entry, keys) = (engine.commands.entry(*command), &keys[range]);
                        let step = Step { entry, args: request.args(), keys, in_transaction: true };
                        let (is_closing, before) = (client.close == Close::AfterReply, out.len());
                        self.run_one(&mut view, client, step, out, start_ns);
                        if is_closing {
                            // A client that killed itself takes no more than the reply that says so.
                            out.truncate(before);
                        }
                    }
                }
                engine.keyspace.journal.append(&view.effects().unit);
            }
        }
        self.settle(effects);
        gate
    }

    /// Stops watching.
    pub fn unwatch(&self, transaction: &Transaction) {
        unwatch(&self.engine, transaction);
    }

    /// Evicts keys until memory is below `maxmemory`, for a limited time. Whether commands that need memory may run:
    /// `false` only if memory is above the limit and nothing may be evicted.
    fn make_room(&mut self, now_ms: i64) -> bool {
        let engine = Arc::clone(&self.engine);
        let limit = engine.keyspace.settings.maxmemory_bytes.load(Relaxed) as usize;
        let exceeded = limit != 0 && ochre_memory::used_bytes() > limit;
        engine.stats.note_exceeded(exceeded, now_ms);
        if !exceeded || engine.pause.mode(now_ms) != PauseMode::None {
            return true;
        }
        let (start_ns, budget_ns) = (tick::now_ns(), eviction_budget_ns(&engine));
        let mut effects = self.take_effects();
        let mut enough = true;
        while ochre_memory::used_bytes() > limit {
            let Some(candidate) = self.evictor.choose(&engine.keyspace, now_ms, &mut effects) else {
                // What is on its way to be freed will do.
                enough = engine.keyspace.reclaimer.pending() > 0;
                break;
            };
            let key = engine.keyspace.key(&candidate.key);
            let delete_start_ns = tick::now_ns();
            {
                let keys = [key];
                let mut view = engine.keyspace.view(Locks::Keys(&keys), now_ms, &mut effects);
                // CLIENT PAUSE may have come while this waited for the stripe.
                if engine.pause.mode(now_ms) != PauseMode::None {
                    break;
                }
                view.evict(candidate.db, key);
                engine.keyspace.journal.append(&view.effects().unit);
                view.effects().clear();
            }
            engine.latency_since("eviction-del", delete_start_ns);
            for garbage in effects.garbage.drain(..) {
                engine.keyspace.reclaimer.hand_over(garbage);
            }
            if tick::now_ns().saturating_sub(start_ns) > budget_ns {
                break;
            }
        }
        self.effects.set(Some(effects));
        engine.latency_since("eviction-cycle", start_ns);
        enough
    }

    /// Goes on evicting if memory is above the limit; to be called now and then.
    pub fn relieve(&mut self, now_ms: i64) {
        self.make_room(now_ms);
    }

    /// Removes the expired keys of the next part of this worker's share of the keyspace.
    pub fn sweep(&mut self, now_ms: i64) -> SweepStep {
        let engine = Arc::clone(&self.engine);
        let mut effects = self.take_effects();
        let start_ns = tick::now_ns();
        let step = self.sweeper.step(&engine.keyspace, now_ms, &mut effects);
        self.settle(effects);
        self.context.stats.expired_in_background.add(step.expired as u64);
        engine.latency_since("expire-cycle", start_ns);
        step
    }

    /// Cleans up after a client that is gone.
    pub fn forget(&mut self, client: &mut Client) {
        self.unwatch(&std::mem::take(&mut client.transaction));
        if client.shared.has(client_flags::MONITOR) {
            monitor::remove(&self.engine, client.id());
        }
    }
}

enum Admission<'e> {
    Run(&'e CommandEntry),
    Queue(&'e CommandEntry),
    Postpone,
}

/// Whether a client that was let in goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Paused,
    Killed,
}

/// Queues a command of a transaction, unless EXEC will refuse anyway.
fn queue(client: &mut Client, entry: &CommandEntry, args: Args<'_>, out: &mut Vec<u8>) {
    if !client.transaction.aborted && !client.transaction.flag.is_raised() {
        client.transaction.push(entry, args);
        client.publish_transaction();
    }
    ReplyWriter::new(out, client.protocol).queued();
}

struct Step<'s> {
    entry: &'s CommandEntry,
    args: Args<'s>,
    keys: &'s [Key<'s>],
    in_transaction: bool,
}

#[inline]
fn locks_of<'a>(command: &Command, keys: &'a [Key<'a>]) -> Locks<'a> {
    if command.is(flags::WHOLE_KEYSPACE) {
        Locks::All
    } else if keys.is_empty() {
        Locks::None
    } else {
        Locks::Keys(keys)
    }
}

#[inline]
fn propagates(command: &Command, propagation: Propagation, changed: bool) -> bool {
    match propagation {
        Propagation::Verbatim => changed && command.is(flags::WRITE),
        Propagation::Forced => true,
        Propagation::Rewritten | Propagation::Nothing => false,
    }
}

fn watched_changed(view: &mut View<'_>, transaction: &Transaction) -> bool {
    let expired = |view: &mut View<'_>| {
        transaction.watched.iter().any(|watched| {
            let key = view.key(&watched.key);
            view.has_watched_expired(watched.db, key, &transaction.flag)
        })
    };
    transaction.flag.is_raised() || expired(view)
}

fn unwatch_in(view: &mut View<'_>, transaction: &Transaction) {
    for watched in &transaction.watched {
        let key = view.key(&watched.key);
        view.unwatch(watched.db, key, &transaction.flag);
    }
}

/// Stops watching all keys of a transaction.
pub(crate) fn unwatch(engine: &Engine, transaction: &Transaction) {
    let mut effects = Effects::default();
    for watched in &transaction.watched {
        let key = engine.keyspace.key(&watched.key);
        let keys = [key];
        engine.keyspace.view(Locks::Keys(&keys), 0, &mut effects).unwatch(watched.db, key, &transaction.flag);
    }
}

fn log_entry(client: &Client, args: Args<'_>, value: i64) -> LogEntry {
    let mut shortened = shorten(args.iter());
    for index in &client.redacted {
        if let Some(arg) = shortened.get_mut(*index) {
            *arg = b"(redacted)".to_vec();
        }
    }
    LogEntry {
        id: 0,
        time_s: clock_ms() / 1000,
        value,
        args: shortened,
        address: client.shared.address.clone(),
        name: client.shared.names.lock().name.clone().unwrap_or_default(),
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

/// Whether a browser was made to talk to the server: the first words of what it sends are `POST` and `Host:`. What
/// follows is an attacker's choice and must not run.
#[cold]
fn is_web_request(args: Args<'_>) -> bool {
    args.is(0, "post") || args.is(0, "host:")
}

#[cold]
fn unknown_command(args: Args<'_>) -> Error {
    let mut listed = Vec::new();
    for arg in args.from(1) {
        if listed.len() >= QUOTED_MAX {
            break;
        }
        let room = QUOTED_MAX - listed.len();
        listed.extend_from_slice(&[b"'", quoted(arg, room), b"' "].concat());
    }
    let name = quoted(args.get(0).unwrap_or_default(), QUOTED_MAX);
    if args.len() < 2 {
        return Error::quoting("ERR unknown command '", name, "'");
    }
    let text = [b"ERR unknown command '", name, b"', with args beginning with: ", &listed].concat();
    Error::quoting("", &text, "")
}

#[cold]
fn unknown_subcommand(command: &Command, args: Args<'_>) -> Error {
    let after = format!("'. Try {} HELP.", command.name.to_ascii_uppercase());
    Error::quoting("ERR unknown subcommand '", quoted(args.at(1), QUOTED_MAX), &after)
}

/// So many bytes of a client's words are quoted in an error.
const QUOTED_MAX: usize = 128;

fn quoted(bytes: &[u8], max: usize) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end.min(max)]
}
