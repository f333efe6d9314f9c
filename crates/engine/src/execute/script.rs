//! The commands that a script calls: from the script's request to the handler, on the view that the script holds, which
//! reaches every key.
//!
//! They run on the client that called the script. What they may change of it is put back when the script is over; what they
//! reply goes to the script. Whatever keeps a command from running is an error that is counted, as a command's own errors are,
//! so the script's failure because of one is not counted again.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use ochre_acl::Context;
use ochre_keyspace::{Key, View};
use ochre_resp::{Protocol, ReplyWriter};
use ochre_script::{
    Finished, Heard, Host, Interrupt, LogLevel, Permission, Replication, Request, ScriptFlags,
};

use crate::call::{Args, Call, Propagation};
use crate::client::{Client, OwnedRequest};
use crate::command::{CommandEntry, Latest, flags};
use crate::engine::Engine;
use crate::error::{Error, NO_REPLICAS, OUT_OF_MEMORY};
use crate::scripting::{Attendant, Run, Said, Stage, log_line, report_memory, with_stage};
use crate::tick;

use super::add_keys;
use super::run::Runner;

const UNKNOWN: Error = Error::new("ERR Unknown Redis command called from script");
const WRONG_ARITY: Error = Error::new("ERR Wrong number of args calling Redis command from script");
const NOT_ALLOWED: Error = Error::new("ERR This Redis command is not allowed from script");
const READ_ONLY: Error = Error::new("ERR Write commands are not allowed from read-only scripts.");
const WITHOUT_MEMORY: Error =
    Error::new("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'");
const WRITES: Error = Error::new("ERR Can not execute a script with write flag using *_ro command.");
const CANNOT_PERSIST: Error = Error::new(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts are \
     blocked. Use 'no-writes' flag for read only scripts.",
);
/// Redis says this of functions, too.
const KILLED: &str = "Script killed by user with SCRIPT KILL...";
const SHUTTING_DOWN: &str = "The server is shutting down.";

/// A script or a function that is to run.
#[derive(Clone, Copy)]
pub(crate) struct Program<'s> {
    /// Whether it is a function.
    pub(crate) is_function: bool,
    /// Its digest, or the function's name.
    pub(crate) name: &'s [u8],
    /// What it declares; `None` for a script without a shebang.
    pub(crate) declared: Option<ScriptFlags>,
    /// Whether the command that runs it lets nothing be written.
    pub(crate) is_read_only: bool,
    /// Whether its client goes through it.
    pub(crate) is_debugged: bool,
}

impl Program<'_> {
    fn declares(&self, flag: ScriptFlags) -> bool {
        self.declared.is_some_and(|declared| declared.has(flag))
    }
}

/// Runs a script or a function for a call: `invoke` has the interpreter do it.
pub(crate) fn run_program(
    call: &mut Call<'_, '_>,
    program: Program<'_>,
    invoke: impl FnOnce(&mut Stage, &mut dyn Host, &mut ReplyWriter<'_>) -> Finished,
) -> Result<(), Error> {
    check(call, &program)?;
    let start = call.reply.len();
    let finished = with_stage(call.engine, |stage| {
        let mut host = ScriptHost::begin(
            (call.args, call.keys),
            program,
            &mut *call.client,
            &mut *call.view,
            Runner { engine: call.engine, context: call.worker, stage: call.stage },
        );
        let finished = invoke(stage, &mut host, &mut call.reply);
        let has_returned_error = host.end();
        report_memory(call.worker, stage);
        call.has_failed = has_returned_error;
        finished
    })?;
    if let Finished::Failed { is_counted } = finished {
        call.has_failed = true;
        if !is_counted {
            count_error(call, start);
        }
    }
    Ok(())
}

/// What keeps a script that declares something from running at all. Admission has seen to most of it, unless the script was
/// queued in a transaction.
fn check(call: &Call<'_, '_>, program: &Program<'_>) -> Result<(), Error> {
    if program.declared.is_none() {
        return Ok(());
    }
    let writes = !program.declares(ScriptFlags::NO_WRITES);
    if writes && call.engine.restricted.load(Relaxed) && call.engine.why_writes_are_refused().is_some() {
        return Err(CANNOT_PERSIST);
    }
    if writes && lacks_replicas(call.engine) {
        return Err(NO_REPLICAS);
    }
    if writes && program.is_read_only {
        return Err(WRITES);
    }
    match call.stage.is_out_of_memory && writes && !program.declares(ScriptFlags::ALLOW_OOM) {
        true => Err(WITHOUT_MEMORY),
        false => Ok(()),
    }
}

/// What a log says is done whoever hears of it.
fn lacks_replicas(engine: &Engine) -> bool {
    engine.lacks_replicas() && !engine.loading.load(Relaxed)
}

/// Has statistics count the error that a script has replied.
#[cold]
fn count_error(call: &Call<'_, '_>, start: usize) {
    let text = call.reply.written_since(start).strip_prefix(b"-").unwrap_or_default().to_vec();
    let runner = Runner::new(call.engine, call.worker);
    runner.count_error(&Error::of_bytes(text));
}

/// Runs what a script calls.
struct ScriptHost<'h, 'k> {
    runner: Runner<'h>,
    view: &'h mut View<'k>,
    client: &'h mut Client,
    program: Program<'h>,
    /// The request that runs the script.
    command: Args<'h>,
    /// The keys that it declares.
    declared: &'h [Key<'h>],
    latest: Latest,
    has_written: bool,
    started_ns: u64,
    /// Whether others know that this script holds everything, and whether it is busy.
    is_known: bool,
    is_busy: bool,
    is_cut_short: bool,
    has_returned_error: bool,
    /// Whether the last command was kept from running.
    has_refused: bool,
    /// Of the client, for the end.
    db: u32,
    protocol: Protocol,
}

impl<'h, 'k> ScriptHost<'h, 'k> {
    fn begin(
        (command, declared): (Args<'h>, &'h [Key<'h>]),
        program: Program<'h>,
        client: &'h mut Client,
        view: &'h mut View<'k>,
        runner: Runner<'h>,
    ) -> ScriptHost<'h, 'k> {
        client.in_script = true;
        let (db, protocol) = (client.db, client.protocol);
        let mut host = ScriptHost {
            runner,
            view,
            client,
            program,
            command,
            declared,
            latest: Latest::default(),
            has_written: false,
            started_ns: tick::now_ns(),
            is_known: false,
            is_busy: false,
            is_cut_short: false,
            has_returned_error: false,
            has_refused: false,
            db,
            protocol,
        };
        if program.is_debugged {
            host.become_known();
            host.is_busy = true;
            host.runner.engine.begin_debugging();
        }
        host
    }

    /// Puts everything back; whether the script has returned an error.
    fn end(self) -> bool {
        self.client.in_script = false;
        self.client.is_unreplicated = false;
        self.client.protocol = self.protocol;
        if self.client.db != self.db {
            self.client.select(self.db);
        }
        if self.is_known {
            self.runner.engine.end_standstill();
        }
        if self.is_cut_short {
            // Nobody is to find a part of what it did.
            self.view.effects().unit.clear();
        }
        self.has_returned_error
    }

    /// All checks before a command runs, in Redis's order; the command, if there is one.
    fn admit<'e>(&mut self, args: Args<'_>) -> (Option<&'e CommandEntry>, Result<(), Error>)
    where
        'h: 'e,
    {
        let engine = self.runner.engine;
        let found = engine.commands.resolve(args, 0, &mut self.latest);
        let Some(entry) = found.filter(|entry| entry.command.subcommands.is_empty() || args.len() == 1)
        else {
            return (None, Err(UNKNOWN));
        };
        (Some(entry), self.check(entry, args))
    }

    fn check(&mut self, entry: &CommandEntry, args: Args<'_>) -> Result<(), Error> {
        let engine = self.runner.engine;
        if !entry.accepts(args.len()) {
            return Err(WRONG_ARITY);
        }
        if entry.flags & flags::NOSCRIPT != 0 && !engine.debug.deny_scripts_disabled.load(Relaxed) {
            return Err(NOT_ALLOWED);
        }
        if !self.client.unrestricted {
            self.check_access(entry, args)?;
        }
        match entry.flags & (flags::WRITE | flags::MAY_REPLICATE) {
            0 => Ok(()),
            _ => self.check_write(entry),
        }
    }

    #[cold]
    fn check_access(&self, entry: &CommandEntry, args: Args<'_>) -> Result<(), Error> {
        let checked = self.runner.engine.check_access(self.client, entry, args, Context::Lua);
        checked.map_err(|denial| {
            let reason = denial.text(&self.client.user.name, &entry.full_name);
            Error::of_bytes([b"ERR ACL failure in script: ", reason.as_slice()].concat())
        })
    }

    /// Whether a command that writes may run, and notes that one has.
    fn check_write(&mut self, entry: &CommandEntry) -> Result<(), Error> {
        let engine = self.runner.engine;
        if self.program.is_read_only || self.program.declares(ScriptFlags::NO_WRITES) {
            return Err(READ_ONLY);
        }
        // Once it has written, it is to come to its end: nobody is to see a part of what it does. A disk may fail at any moment.
        if entry.flags & flags::WRITE == 0 || self.has_written {
            return Ok(());
        }
        if engine.restricted.load(Relaxed)
            && let Some(refusal) = engine.why_writes_are_refused()
        {
            return Err(refusal);
        }
        if lacks_replicas(engine) {
            return Err(NO_REPLICAS);
        }
        let runs_out = self.runner.stage.is_out_of_memory;
        if runs_out && entry.flags & flags::DENYOOM != 0 && !self.program.declares(ScriptFlags::ALLOW_OOM) {
            return Err(OUT_OF_MEMORY);
        }
        self.has_written = true;
        engine.scripting.standing.note_write();
        Ok(())
    }

    /// Runs a command that may run.
    fn run(&mut self, entry: &CommandEntry, args: Args<'_>, protocol: Protocol, out: &mut Vec<u8>) {
        let runner = self.runner;
        let mut start_ns = tick::now_ns();
        let (one, mut many);
        let keys: &[Key<'_>] = match entry.single_key().and_then(|index| args.get(index)) {
            Some(name) => {
                one = [self.key(name)];
                &one
            }
            None => {
                many = Vec::new();
                add_keys(runner.engine, entry, args, &mut many);
                &many
            }
        };
        if let Some(original) = runner.engine.original.get() {
            original.bring(self.view, self.client.db, entry, args, keys);
        }
        self.client.protocol = protocol;
        let mut call = Call {
            args,
            command: entry.command,
            keys,
            view: &mut *self.view,
            reply: ReplyWriter::new(out, protocol),
            client: &mut *self.client,
            engine: runner.engine,
            worker: runner.context,
            propagation: Propagation::Verbatim,
            in_transaction: true,
            is_retry: false,
            stage: Default::default(),
            has_failed: false,
        };
        let done = runner.perform(&mut call, entry);
        if call.client.listening.is_some() {
            runner.note_reads(&mut call, entry);
        }
        runner.account(self.client, entry, args, done, &mut start_ns);
    }

    /// A key that a command names. One that the script declares was hashed, and fetched ahead, with the request that runs
    /// the script.
    #[inline]
    fn key<'n>(&self, name: &'n [u8]) -> Key<'n>
    where
        'h: 'n,
    {
        const COMPARED: usize = 8;
        let declared = self.declared.iter().take(COMPARED).find(|key| key.bytes == name);
        declared.copied().unwrap_or_else(|| self.view.key(name))
    }

    /// Tells others that this script holds everything.
    #[cold]
    fn become_known(&mut self) {
        self.is_known = true;
        let run = Run {
            is_function: self.program.is_function,
            name: self.program.name.to_vec(),
            command: OwnedRequest::copy(self.command),
            since: Instant::now() - self.elapsed(),
        };
        self.runner.engine.begin_standstill(run, self.has_written);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(tick::now_ns().saturating_sub(self.started_ns))
    }

    /// Whether it has run for so long that others are told.
    fn is_due(&self) -> bool {
        let threshold_ms = self.runner.engine.settings.busy_after_ms.load(Relaxed);
        threshold_ms > 0 && self.elapsed() >= Duration::from_millis(threshold_ms)
    }
}

impl Host for ScriptHost<'_, '_> {
    fn execute(&mut self, request: Request<'_>, reply: &mut Vec<u8>) {
        let args = Args::new(request.buffer, request.spans);
        let admitted = self.admit(args);
        self.has_refused = admitted.1.is_err();
        match admitted {
            (Some(entry), Ok(())) => self.run(entry, args, request.protocol, reply),
            (entry, Err(error)) => {
                if let Some(entry) = entry {
                    self.runner.context.stats.command(entry.id).rejected.add(1);
                }
                self.runner.write_error(&error, self.client, reply);
            }
            (None, Ok(())) => {}
        }
    }

    fn has_refused(&self) -> bool {
        self.has_refused
    }

    fn show(&mut self, reply: &[u8]) {
        if let Some(attendant) = self.runner.stage.attendant {
            attendant.show(reply);
        }
    }

    fn listen(&mut self) -> Heard {
        loop {
            if self.runner.engine.scripting.standing.is_killed() {
                return Heard::Stop(KILLED);
            }
            match self.runner.stage.attendant.map_or(Said::End, Attendant::listen) {
                Said::Nothing => {}
                Said::Bytes(bytes) => return Heard::Bytes(bytes),
                Said::End => {
                    self.is_busy = false;
                    self.started_ns = tick::now_ns();
                    self.runner.engine.end_debugging();
                    return Heard::End;
                }
                Said::Stopping => {
                    self.is_cut_short = true;
                    return Heard::Stop(SHUTTING_DOWN);
                }
            }
        }
    }

    fn note_error(&mut self, text: &[u8], is_counted: bool) {
        self.has_returned_error = true;
        if !is_counted {
            self.runner.count_error(&Error::of_bytes(text.to_vec()));
        }
    }

    fn permission(&mut self, request: Request<'_>) -> Permission {
        let args = Args::new(request.buffer, request.spans);
        let engine = self.runner.engine;
        let found = engine.commands.resolve(args, 0, &mut Latest::default());
        let Some(entry) = found.filter(|entry| entry.command.subcommands.is_empty() || args.len() == 1)
        else {
            return Permission::Unknown;
        };
        if !entry.accepts(args.len()) {
            return Permission::WrongArity;
        }
        match engine.check_user(&self.client.user, entry, args, self.client.db) {
            Ok(()) => Permission::Granted,
            Err(_) => Permission::Denied,
        }
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        log_line(level, text);
    }

    fn set_replication(&mut self, replication: Replication) {
        // There is one stream for all who hear of changes.
        self.client.is_unreplicated = !replication.to_file && !replication.to_replicas;
    }

    fn interrupt(&mut self) -> Interrupt {
        if !self.is_known {
            self.become_known();
        }
        let engine = self.runner.engine;
        if !self.is_busy && self.is_due() {
            self.is_busy = true;
            engine.become_busy();
        }
        if self.is_busy
            && let Some(attendant) = self.runner.stage.attendant
            && !attendant.attend()
        {
            self.is_cut_short = true;
            return Interrupt::Stop(SHUTTING_DOWN);
        }
        if self.is_busy {
            // Else one that waits for a time to come would wait for ever. Keys stay as if no time had passed, as in Redis.
            self.view.forget_told_time();
        }
        if !engine.scripting.standing.is_killed() {
            return Interrupt::Continue;
        }
        log::warn!("{KILLED}");
        Interrupt::Stop(KILLED)
    }
}
