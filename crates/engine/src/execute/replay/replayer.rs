//! What changed the keyspace once changes it again.
//!
//! There is no client, so nothing is counted, checked or journalled, and nobody is served. Nothing expires by itself and
//! nothing is evicted: the log says when a key was gone. A file is not to be trusted: of the commands, only those run that a log
//! may contain, with arguments of which there are as many as they need.

use std::sync::Arc;

use ochre_keyspace::{Effects, Key};
use ochre_persist::aof;
use ochre_resp::{Protocol, ReplyWriter, Span};

use crate::call::{Args, Call, Propagation};
use crate::client::{Client, ClientShared, OwnedRequest};
use crate::command::{CommandEntry, Latest, flags, key_indexes};
use crate::engine::{Engine, clock_ms};
use crate::worker::{WorkerContext, WorkerStats};

use super::super::add_keys;
use super::super::run::locks_of;
use super::batch::{Batch, Placed};

/// So many commands that fail are logged.
const FAILURES_TOLD: usize = 10;
/// The processor is asked for the lines behind so many that are displaced, one after the other.
const DISPLACED_MAX: usize = 3;

/// Runs the commands of a log.
pub(crate) struct Replayer {
    engine: Arc<Engine>,
    context: WorkerContext,
    client: Client,
    effects: Effects,
    latest: Latest,
    spans: Vec<Span>,
    out: Vec<u8>,
    failures: usize,
}

impl Replayer {
    /// For a log that is about to be loaded.
    pub(crate) fn new(engine: Arc<Engine>) -> Replayer {
        let stats = Arc::new(WorkerStats::new(engine.commands.all().len()));
        let shared =
            Arc::new(ClientShared { address: "the append-only file".to_owned(), ..ClientShared::default() });
        let client = Client::new(shared, Protocol::Resp2, engine.access.default_user(), true);
        Replayer {
            engine,
            context: WorkerContext { index: 0, stats, news: Arc::default() },
            client,
            effects: Effects::default(),
            latest: Latest::default(),
            spans: Vec::new(),
            out: Vec::new(),
            failures: 0,
        }
    }

    /// Another file begins: in database 0.
    pub(crate) fn begin_file(&mut self) {
        self.client.db = 0;
    }

    /// Runs a command.
    ///
    /// # Errors
    /// Why it does not belong into a log.
    pub(crate) fn run(&mut self, command: &aof::Command<'_>) -> Result<(), String> {
        let engine = Arc::clone(&self.engine);
        self.with_args(command, |replayer, args, _| replayer.run_args(&engine, args))
    }

    /// Whether a command may be run beside those of other stripes; if so, it is added to the batch that `choose` has for its own.
    ///
    /// # Errors
    /// Why it does not belong into a log.
    pub(crate) fn place<'b>(
        &mut self,
        command: &aof::Command<'_>,
        choose: impl FnOnce(usize) -> &'b mut Batch,
    ) -> Result<bool, String> {
        if command.bytes().len() > Batch::COMMAND_BYTES_MAX {
            return Ok(false);
        }
        let engine = Arc::clone(&self.engine);
        self.with_args(command, |replayer, args, spans| {
            let placed = replayer.find_place(&engine, args)?;
            if let Some(placed) = placed {
                choose(placed.stripe).push(command.bytes(), spans, placed);
            }
            Ok(placed.is_some())
        })
    }

    fn find_place(&mut self, engine: &Engine, args: Args<'_>) -> Result<Option<Placed>, String> {
        // What is not known to the keys' specifications, or in another order than they say.
        const UNRULY: u64 = flags::WHOLE_KEYSPACE | flags::MAY_REACH_ALL | flags::RUNS_SCRIPT;
        let entry = self.find(engine, args)?;
        if entry.flags & (flags::WRITE | UNRULY) != flags::WRITE {
            return Ok(None);
        }
        let indexes = key_indexes(entry.command, args);
        let Some(&[key]) = indexes.as_deref() else { return Ok(None) };
        let position = engine.keyspace.key(args.at(key as usize)).hash.position();
        let stripe = engine.keyspace.stripe_of(position);
        Ok(Some(Placed { id: entry.id, db: self.client.db, key, stripe }))
    }

    /// Runs all commands of a batch.
    pub(crate) fn run_batch(&mut self, batch: &Batch) {
        let engine = Arc::clone(&self.engine);
        let mut keys: Vec<Key<'_>> = batch
            .commands()
            .map(|(placed, args)| engine.keyspace.key(args.at(placed.key as usize)))
            .collect();
        prefetch(&engine, batch, &mut keys);
        let db = self.client.db;
        for ((placed, args), key) in batch.commands().zip(&keys) {
            self.client.db = placed.db;
            let entry = engine.commands.entry(placed.id);
            self.perform(&engine, entry, args, std::slice::from_ref(key));
        }
        self.client.db = db;
    }

    /// Does something with the arguments of a command, and where they are in its bytes, unless it is too large for that.
    fn with_args<R>(
        &mut self,
        command: &aof::Command<'_>,
        act: impl FnOnce(&mut Replayer, Args<'_>, &[Span]) -> R,
    ) -> R {
        let mut spans = std::mem::take(&mut self.spans);
        spans.clear();
        spans.extend(command.spans().map_while(|(start, len)| {
            Some(Span { start: u32::try_from(start).ok()?, len: u32::try_from(len).ok()? })
        }));
        let result = if spans.len() == command.args().len()
            && u32::try_from(command.bytes().len()).is_ok_and(|len| len < u32::MAX - 65_536)
        {
            act(self, Args::new(command.bytes(), &spans), &spans)
        } else {
            // Too large for spans: every argument gets memory of its own.
            let parts: Vec<Vec<u8>> = command.args().map(<[u8]>::to_vec).collect();
            act(self, OwnedRequest::from_parts(&parts).args(), &[])
        };
        self.spans = spans;
        result
    }

    fn run_args(&mut self, engine: &Engine, args: Args<'_>) -> Result<(), String> {
        let entry = self.find(engine, args)?;
        let mut keys: Vec<Key<'_>> = Vec::new();
        add_keys(engine, entry, args, &mut keys);
        self.perform(engine, entry, args, &keys);
        Ok(())
    }

    /// The command of a request, if a log may contain it.
    fn find<'e>(&mut self, engine: &'e Engine, args: Args<'_>) -> Result<&'e CommandEntry, String> {
        let name = || args.get(0).unwrap_or_default().escape_ascii().to_string();
        let Some(entry) = engine.commands.resolve(args, 0, &mut self.latest) else {
            return Err(format!("unknown command '{}'", name()));
        };
        if !may_be_logged(entry) {
            return Err(format!("the command '{}' does not belong into an append only file", name()));
        }
        if !entry.accepts(args.len()) || !entry.command.subcommands.is_empty() {
            return Err(format!("wrong number of arguments for '{}'", name()));
        }
        Ok(entry)
    }

    fn perform(&mut self, engine: &Engine, entry: &CommandEntry, args: Args<'_>, keys: &[Key<'_>]) {
        self.out.clear();
        {
            let locks = locks_of(entry, args, keys);
            let mut view = engine.keyspace.view(locks, clock_ms(), &mut self.effects);
            let mut call = Call {
                args,
                command: entry.command,
                keys,
                view: &mut view,
                reply: ReplyWriter::new(&mut self.out, Protocol::Resp2),
                client: &mut self.client,
                engine,
                worker: &self.context,
                propagation: Propagation::Verbatim,
                // Nothing may wait.
                in_transaction: true,
                is_retry: false,
                stage: Default::default(),
                has_failed: false,
            };
            if let Err(error) = (entry.handler)(&mut call) {
                call.reply.error_bytes(error.bytes());
            }
        }
        if self.out.starts_with(b"-") && self.failures < FAILURES_TOLD {
            self.failures += 1;
            let (name, reply) = (&entry.full_name, self.out.trim_ascii().escape_ascii());
            log::error!("A command of the append only file failed: {name}: {reply}");
        }
        drop(self.client.take_promises());
        self.settle(engine);
    }

    /// Forgets what others would have to hear of, and frees what is to be freed.
    fn settle(&mut self, engine: &Engine) {
        let garbage = self.effects.garbage.drain(..).chain(self.effects.freed_before_reply.drain(..));
        garbage.for_each(|garbage| engine.keyspace.reclaimer.hand_over(garbage));
        self.effects.ready.clear();
        self.effects.clear();
    }
}

/// Whether a log may contain a command: what changes something, and what older servers log besides.
fn may_be_logged(entry: &CommandEntry) -> bool {
    let container = entry.parent.unwrap_or(entry.command).name;
    entry.flags & (flags::WRITE | flags::MAY_REPLICATE | flags::RUNS_SCRIPT) != 0
        || matches!(container, "select" | "ping" | "script" | "function")
}

/// Has the processor fetch what the keys of a batch need.
fn prefetch(engine: &Engine, batch: &Batch, keys: &mut [Key<'_>]) {
    let keyspace = &engine.keyspace;
    let dbs = || batch.commands().map(|(placed, _)| placed.db);
    let each = std::slice::from_mut::<Key<'_>>;
    keys.iter_mut().zip(dbs()).for_each(|(key, db)| keyspace.prefetch_words(db, each(key)));
    keys.iter().zip(dbs()).for_each(|(key, db)| keyspace.prefetch_lines(db, std::slice::from_ref(key)));
    let mut displaced = Vec::new();
    for (index, (key, db)) in keys.iter_mut().zip(dbs()).enumerate() {
        keyspace.prefetch_entries(db, each(key), |_| displaced.push((db, index)));
    }
    for _ in 0..DISPLACED_MAX {
        displaced.retain(|(db, index)| keyspace.prefetch_displaced(*db, &mut keys[*index]));
    }
}
