//! The path of a request: found, checked, queued or run, journalled, counted.
//!
//! One [`Executor`] per worker. A request is first *prepared* (its command found, its keys hashed), so that the worker
//! can have a whole batch's table lines on their way before the first command runs. Then it is *executed*: checks in
//! Redis's order (`admission`); the stripes of its keys locked, the handler, the effects into the journal while the
//! stripes are still locked (`run`); statistics (`account`). EXEC is the same with the union of the stripes of its queue,
//! all locked from the check of the watched keys to the last effect (`transaction`): that is what makes transactions
//! serializable; one that a client sent as a whole is not even queued (`at_once`). The commands that a script calls come in through `script`.
//!
//! Two things that another worker may order at any time, CLIENT PAUSE and CLIENT KILL, are looked at once the stripes are
//! locked (see [`Gate`](run::Gate)): a check before the locks could be passed just before the order and acted upon long
//! after it.

mod account;
mod admission;
mod at_once;
mod listen;
mod migrate;
mod replay;
mod run;
mod script;
mod sequence;
mod serve;
mod transaction;
mod upkeep;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Evictor, Garbage, Key, Sweeper};

use crate::aside;
use crate::call::Args;
use crate::client::{Client, Close, Debugging, ReplyMode, client_flags};
use crate::command::{CommandEntry, CommandId, Latest, flags, key_indexes};
use crate::engine::{Engine, clock_ms};
use crate::monitor;
use crate::scripting::{Attendant, ScriptStage, effective_flags};
use crate::sequel::Promise;
use crate::tick;
use crate::worker::WorkerContext;

use self::admission::Admission;
use self::run::{Gate, Runner};

pub(crate) use listen::set_public;
pub(crate) use replay::{Batch, Replayer};
pub(crate) use script::{Program, run_program};
pub use sequence::Requests;
pub(crate) use transaction::{unwatch, unwatch_keys};

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is done; its reply, if any, is in the output.
    Done,
    /// It has not run: clients are paused. Come again with the same request.
    Postponed,
    /// The client waits; its reply comes later.
    Blocked,
    /// It is done, but for the rest of its reply: see [`Client::take_promises`].
    Continues,
    /// It has not run: it runs a script, for which [`Executor::execute_script`] is there.
    IsScript,
    /// The connection ends once the output is sent.
    Close,
    /// The connection ends at once, and what has been replied but not sent is lost.
    Cut,
}

/// A request whose command is found and whose keys are hashed.
#[derive(Clone, Copy, Debug)]
pub struct Prepared {
    first_key: u32,
    keys: u32,
    /// [`Prepared::UNKNOWN`] if there is no such command.
    id: CommandId,
    /// Whether it may be a part of a sequence (see [`sequence`]): it has one key and the right number of arguments.
    is_sequential: bool,
}

impl Default for Prepared {
    /// Of what there is no such command.
    fn default() -> Prepared {
        Prepared { first_key: 0, keys: 0, id: Prepared::UNKNOWN, is_sequential: false }
    }
}

impl Prepared {
    const UNKNOWN: CommandId = CommandId::MAX;

    /// Its keys, within those of its batch.
    #[inline]
    pub fn keys(&self) -> Range<usize> {
        self.first_key as usize..(self.first_key + self.keys) as usize
    }

    /// Its one key.
    #[inline]
    fn key_of<'k>(&self, keys: &'k [Key<'k>]) -> &'k [Key<'k>] {
        std::slice::from_ref(&keys[self.first_key as usize])
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

    /// Whether the commands of the batch took long.
    #[inline]
    pub fn is_old(&self) -> bool {
        self.start_ns.saturating_sub(self.read_ns) > Clock::STALE_NS
    }

    /// Reads the time again if the commands of the batch took long.
    #[inline]
    pub fn refresh(&mut self) {
        if self.is_old() {
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
    /// Those of the present step; empty between steps.
    effects: Effects,
    /// The command that was looked up last.
    latest: Latest,
    evictor: Evictor,
    sweeper: Sweeper,
}

impl Executor {
    /// The executor of a worker.
    pub fn new(engine: Arc<Engine>, worker: usize) -> Executor {
        tick::calibrate();
        let context = engine.worker_context(worker);
        Executor::in_context(engine, context)
    }

    /// Another one of the same worker: what its clients are still to be told is the same to both.
    #[must_use]
    pub fn beside(&self) -> Executor {
        Executor::in_context(Arc::clone(&self.engine), self.context.clone())
    }

    fn in_context(engine: Arc<Engine>, context: WorkerContext) -> Executor {
        let worker = context.index;
        let sweeper = Sweeper::new(worker, engine.workers.len());
        let evictor = Evictor::new(tick::now_ns() ^ (worker as u64) << 32);
        Executor { engine, context, effects: Effects::default(), latest: Latest::default(), evictor, sweeper }
    }

    /// Finds the command of a request and hashes its keys, which are added to `keys`. Requests with the same name have the
    /// same `head`, which is not 0, if that is known of them.
    #[inline]
    pub fn prepare<'b>(&mut self, args: Args<'b>, head: u32, keys: &mut Vec<Key<'b>>) -> Prepared {
        let mut prepared = Prepared::default();
        self.prepare_in_place(args, head, keys, &mut prepared);
        prepared
    }

    /// The same for what stays where it is: to read at once, as a whole, what was put together from pieces takes a processor
    /// longer than all else that is done here.
    #[inline(never)]
    pub fn prepare_in_place<'b>(
        &mut self,
        args: Args<'b>,
        head: u32,
        keys: &mut Vec<Key<'b>>,
        prepared: &mut Prepared,
    ) {
        prepared.first_key = keys.len() as u32;
        let Some(entry) = self.engine.commands.resolve(args, head, &mut self.latest) else {
            return;
        };
        prepared.id = entry.id;
        // The form that most requests have.
        if entry.accepts(args.len())
            && let Some(name) = entry.single_key().and_then(|index| args.get(index))
        {
            keys.push(self.engine.keyspace.key(name));
            prepared.keys = 1;
            prepared.is_sequential = entry.is_sequential();
            return;
        }
        add_keys(&self.engine, entry, args, keys);
        prepared.keys = keys.len() as u32 - prepared.first_key;
    }

    /// Runs requests of one client, in order, until one of them leaves something to be done or there is more than `out_max`
    /// in the output. `keys` are those of their batch. Returns how many are over, and what became of the last; one that
    /// is postponed is not over.
    pub fn execute_all(
        &mut self,
        client: &mut Client,
        requests: &impl Requests,
        keys: &[Key<'_>],
        (out, out_max): (&mut Vec<u8>, usize),
        clock: &mut Clock,
    ) -> (usize, Outcome) {
        let mut at = 0;
        loop {
            clock.refresh();
            let Executor { engine, context, effects, .. } = self;
            let runner = Runner::new(engine, context);
            let is_usual =
                client.is_usual() && !engine.restricted.load(Relaxed) && !engine.messages.are_congested();
            if is_usual && engine.monitor_count.load(Relaxed) == 0 {
                runner.run_sequence(client, requests, &mut at, keys, (out, out_max), clock, effects);
                if client.has_promises() {
                    return (at, Outcome::Continues);
                }
                if client.waits_aside() {
                    return (at, Outcome::Postponed);
                }
                // Not before anything has run: what is in the output may be of others before these.
                if at > 0 && out.len() > out_max {
                    return (at, Outcome::Done);
                }
                if let Some(next) = runner.run_at_once(client, requests, at, keys, out, clock, effects) {
                    at = next;
                    if client.has_promises() {
                        return (at, Outcome::Continues);
                    }
                    continue;
                }
            }
            let Some(prepared) = requests.prepared(at) else { return (at, Outcome::Done) };
            if self.is_script(client, prepared) {
                return (at, Outcome::IsScript);
            }
            let (args, own) = (requests.args(at), &keys[prepared.keys()]);
            match self.execute(client, args, prepared, own, out, clock) {
                Outcome::Done => at += 1,
                Outcome::Postponed => return (at, Outcome::Postponed),
                outcome => return (at + 1, outcome),
            }
            if out.len() > out_max {
                return (at, Outcome::Done);
            }
        }
    }

    /// Whether a request runs a script, or a queue in which there is one.
    #[inline]
    pub fn is_script(&self, client: &Client, prepared: Prepared) -> bool {
        const EITHER: u64 = flags::RUNS_SCRIPT | flags::RUNS_QUEUE;
        let Some(entry) = self.engine.commands.get(prepared.id).filter(|entry| entry.flags & EITHER != 0)
        else {
            return false;
        };
        match entry.flags & flags::RUNS_QUEUE {
            0 => !client.transaction.open,
            _ => client.transaction.flags & flags::RUNS_SCRIPT != 0,
        }
    }

    /// Whether a request is a script that its client goes through on a copy of the data: a [`Rehearsal`](crate::Rehearsal) is there
    /// for that. What may not run now is refused, or put off, in the usual way.
    pub fn begins_rehearsal(&self, client: &mut Client, args: Args<'_>, prepared: Prepared) -> bool {
        let entry = self.engine.commands.get(prepared.id);
        if client.debugging != Debugging::Yes
            || !entry.is_some_and(|entry| matches!(entry.command.name, "eval" | "eval_ro"))
        {
            return false;
        }
        if client.shared.is_summoned() {
            self.engine.access.refresh(client);
        }
        let runner = Runner::new(&self.engine, &self.context);
        let admitted = runner.admit(client, entry, args, clock_ms());
        !client.shared.is_killed() && matches!(admitted, Ok(Admission::Run(_)))
    }

    /// Runs a request; the reply is appended to `out`. `keys` are those of its preparation. The `clock`
    /// is moved to when this one ended.
    pub fn execute(
        &mut self,
        client: &mut Client,
        args: Args<'_>,
        prepared: Prepared,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
    ) -> Outcome {
        self.execute_with(client, args, prepared, keys, out, clock, None)
    }

    /// The same for one that runs a script: while that takes long, the `attendant` serves others.
    #[allow(clippy::too_many_arguments, reason = "as in `Runner::execute`")]
    pub fn execute_script(
        &mut self,
        client: &mut Client,
        args: Args<'_>,
        prepared: Prepared,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
        attendant: &dyn Attendant,
    ) -> Outcome {
        self.execute_with(client, args, prepared, keys, out, clock, Some(attendant))
    }

    #[inline]
    #[allow(clippy::too_many_arguments, reason = "as in `Runner::execute`")]
    fn execute_with(
        &mut self,
        client: &mut Client,
        args: Args<'_>,
        prepared: Prepared,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
        attendant: Option<&dyn Attendant>,
    ) -> Outcome {
        // The usual case must not touch the count of the engine's owners: that would serialize the misses of a batch.
        let has_room =
            self.engine.keyspace.settings.maxmemory_bytes.load(Relaxed) == 0 || self.make_room(clock.now_ms);
        let Executor { engine, context, effects, .. } = self;
        client.shared.last_command.store(prepared.id, Relaxed);
        let stage = ScriptStage { attendant, is_out_of_memory: !has_room };
        Runner { engine, context, stage }.execute(client, prepared.id, args, keys, out, clock, effects)
    }

    /// Accounts for a command whose reply is complete, or wanted no more; what its promise kept is freed elsewhere.
    pub fn settle(&mut self, mut promise: Promise) {
        let Executor { engine, context, .. } = self;
        if let Some(bill) = promise.settle() {
            Runner::new(engine, context).settle_bill(bill);
        }
        self.engine.keyspace.reclaimer.hand_over(Garbage::Other(promise.into_kept()));
    }

    /// Cleans up after a client that is gone.
    pub fn forget(&mut self, client: &mut Client) {
        self.leave_queues(client);
        unwatch(&self.engine, &std::mem::take(&mut client.transaction));
        if client.shared.has(client_flags::MONITOR) {
            monitor::remove(&self.engine, client.id());
        }
        self.stop_listening(client);
        aside::give_up(&self.engine, client);
    }
}

impl Runner<'_> {
    #[allow(
        clippy::too_many_arguments,
        reason = "the step's whole world; a struct of it would be built for every command"
    )]
    fn execute(
        self,
        client: &mut Client,
        id: CommandId,
        args: Args<'_>,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
        effects: &mut Effects,
    ) -> Outcome {
        let entry = self.engine.commands.get(id);
        let start = out.len();
        // What the client gets whatever it wants of this command's reply.
        let mut before = (out.len(), 0);
        if entry.is_none() && admission::is_web_request(args) {
            return Outcome::Cut;
        }
        if client.reply_mode == ReplyMode::SkipNext {
            client.reply_mode = ReplyMode::Skip;
        }
        let gate = loop {
            if client.shared.is_summoned() {
                self.engine.access.refresh(client);
            }
            let (gate, is_queue) = self.admit_and_run(client, entry, args, keys, out, clock, effects);
            if is_queue {
                // It has seen itself to which of its replies the client wants.
                before = (out.len(), client.promises.len());
            }
            if gate != Gate::Outdated {
                break gate;
            }
        };
        let outcome = end(client, gate, before, out);
        if client.aside.is_some() && outcome != Outcome::Postponed {
            aside::give_up(self.engine, client);
        }
        if client.listening.is_some() {
            self.tell_around(client, entry, out, start);
        }
        outcome
    }

    /// Runs a request that may run; also whether it was the queue of a transaction.
    #[inline]
    #[allow(clippy::too_many_arguments, reason = "as in `Runner::execute`")]
    fn admit_and_run(
        self,
        client: &mut Client,
        entry: Option<&CommandEntry>,
        args: Args<'_>,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
        effects: &mut Effects,
    ) -> (Gate, bool) {
        let gate = match self.admit(client, entry, args, clock.now_ms) {
            Ok(Admission::Run(entry)) => self.run(client, entry, args, keys, out, clock, effects),
            Ok(Admission::RunQueue(entry)) => {
                return (self.run_transaction(client, entry, args, out, clock, effects), true);
            }
            Ok(Admission::Queue(entry)) => {
                let selected = self.engine.selected_by(entry, args);
                let command_flags = effective_flags(self.engine, entry, args);
                transaction::queue(client, entry, args, (command_flags, selected), out);
                Gate::Open
            }
            Ok(Admission::Postpone) => Gate::Paused,
            Err(error) => {
                self.reject(client, entry, args, &error, out);
                Gate::Open
            }
        };
        (gate, false)
    }
}

/// What became of a request before whose reply there were so many bytes and promises.
fn end(client: &mut Client, gate: Gate, before: (usize, usize), out: &mut Vec<u8>) -> Outcome {
    match gate {
        Gate::Open | Gate::Outdated => {}
        Gate::Paused => return Outcome::Postponed,
        Gate::Killed => {
            client.close_after_reply();
            return Outcome::Close;
        }
    }
    match client.reply_mode {
        // The reply is still to come.
        _ if client.waiter.is_some() => {}
        ReplyMode::On | ReplyMode::SkipNext => {}
        ReplyMode::Off => client.take_back(out, before),
        ReplyMode::Skip => {
            client.take_back(out, before);
            client.reply_mode = ReplyMode::On;
        }
    }
    match (client.close, client.blocked) {
        _ if client.has_promises() => Outcome::Continues,
        (Close::AfterReply, _) => Outcome::Close,
        (Close::No, Some(_)) => Outcome::Blocked,
        (Close::No, None) => Outcome::Done,
    }
}

/// Hashes the keys of a request that has not just one, as its command's specifications say.
fn add_keys<'b>(engine: &Engine, entry: &CommandEntry, args: Args<'b>, keys: &mut impl Extend<Key<'b>>) {
    if entry.accepts(args.len())
        && !entry.command.keys.is_empty()
        && let Some(indexes) = key_indexes(entry.command, args)
    {
        keys.extend(indexes.iter().map(|index| engine.keyspace.key(args.at(*index as usize))));
    }
}
