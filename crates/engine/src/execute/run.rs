//! Running a command: stripes locked, handler, journal, effects handed on.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ochre_keyspace::{Effects, Key, Level, Locks, Patience, View};
use ochre_resp::ReplyWriter;

use crate::call::{Args, Call, Propagation};
use crate::client::{Client, Parked};
use crate::command::{CommandEntry, flags};
use crate::engine::{Engine, PauseMode};
use crate::family::watch_in_vain;
use crate::monitor;
use crate::scripting::{ScriptStage, effective_flags};
use crate::tick;
use crate::worker::WorkerContext;

use super::Clock;
use super::serve::Letters;

/// What commands of one worker run with.
#[derive(Clone, Copy)]
pub(super) struct Runner<'r> {
    pub(super) engine: &'r Engine,
    pub(super) context: &'r WorkerContext,
    pub(super) stage: ScriptStage<'r>,
}

/// Whether a client that was let in goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Paused,
    Killed,
    /// Its user may have changed since it was let in, or a script holds everything by now: it is to be checked again.
    Outdated,
}

/// What there is to account for.
#[derive(Clone, Copy)]
pub(super) struct Performed {
    /// So many calls of one command, one after the other.
    pub(super) count: u64,
    /// Whether the last of them replied with an error.
    pub(super) failed: bool,
    /// Bytes of the last one's reply.
    pub(super) reply_bytes: usize,
}

/// A command of a step.
pub(super) struct Step<'s> {
    pub(super) entry: &'s CommandEntry,
    pub(super) args: Args<'s>,
    pub(super) keys: &'s [Key<'s>],
    pub(super) in_transaction: bool,
}

impl<'r> Runner<'r> {
    /// Runs commands, but no scripts.
    #[inline]
    pub(super) fn new(engine: &'r Engine, context: &'r WorkerContext) -> Runner<'r> {
        Runner { engine, context, stage: ScriptStage::default() }
    }

    /// Whether a command with these flags may run now, asked with its stripes locked. CLIENT PAUSE is given with all
    /// stripes locked, so none that passed here before is still on its way when its reply goes out.
    #[inline]
    pub(super) fn gate(self, client: &Client, command_flags: u64, keys: &[Key<'_>], now_ms: i64) -> Gate {
        if client.shared.is_wanted() {
            return if client.shared.is_killed() { Gate::Killed } else { Gate::Outdated };
        }
        self.gate_of_pause(command_flags, keys, now_ms)
    }

    /// The same as far as CLIENT PAUSE is concerned, and keys that are on their way to another server.
    #[inline]
    pub(super) fn gate_of_pause(self, command_flags: u64, keys: &[Key<'_>], now_ms: i64) -> Gate {
        if self.engine.pause.is_off() { Gate::Open } else { self.look_at_pause(command_flags, keys, now_ms) }
    }

    #[cold]
    fn look_at_pause(self, command_flags: u64, keys: &[Key<'_>], now_ms: i64) -> Gate {
        let is_paused = match self.engine.pause.mode(now_ms) {
            PauseMode::None => false,
            PauseMode::All => true,
            PauseMode::Write => command_flags & (flags::WRITE | flags::MAY_REPLICATE) != 0,
        };
        if is_paused || self.engine.pause.holds_keys() && self.reaches_held(command_flags, keys) {
            Gate::Paused
        } else {
            Gate::Open
        }
    }

    /// Whether a command has to do with keys that are on their way to another server.
    fn reaches_held(self, command_flags: u64, keys: &[Key<'_>]) -> bool {
        const CHANGES_ALL: u64 = flags::WRITE | flags::WHOLE_KEYSPACE;
        command_flags & CHANGES_ALL == CHANGES_ALL
            // Nobody knows which keys it will name.
            || command_flags & flags::RUNS_SCRIPT != 0
            || self.engine.migrations.held.has_any(keys.iter().map(|key| key.bytes))
    }

    /// Locks what a command needs and runs it.
    #[inline]
    #[allow(clippy::too_many_arguments, reason = "as in `Runner::execute`")]
    pub(super) fn run(
        self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
        effects: &mut Effects,
    ) -> Gate {
        let now_ms = clock.now_ms;
        let command_flags = effective_flags(self.engine, entry, args);
        let mut gate;
        let mut letters = Letters::default();
        {
            let locks = locks_of(entry, args, keys);
            let Some(mut view) = self.view_for(entry.flags, locks, now_ms, effects) else {
                return self.held_up(client, entry, args, out, &mut clock.start_ns);
            };
            gate = self.gate(client, command_flags, keys, now_ms);
            if gate == Gate::Open {
                view.set_no_touch(client.no_touch);
                view.set_import_source(client.import_source);
                if client.aside.is_some() {
                    view.set_repeat();
                }
                let step = Step { entry, args, keys, in_transaction: false };
                self.run_one(&mut view, client, step, out, &mut clock.start_ns);
                if client.waits_aside() {
                    // It has not run yet.
                    gate = Gate::Paused;
                }
                self.conclude(&mut view, client, &mut letters, clock);
            }
        }
        self.finish(effects, letters, now_ms);
        gate
    }

    /// What a step leaves to be done before its stripes are unlocked: the journal takes what it did, those who wait for its keys are
    /// served, and listeners are told.
    #[inline]
    pub(super) fn conclude(
        self,
        view: &mut View<'_>,
        client: &mut Client,
        letters: &mut Letters,
        clock: &mut Clock,
    ) {
        self.journal(view, client);
        if !view.effects().ready.is_empty() {
            self.serve(view, letters);
            clock.start_ns = tick::now_ns();
        }
        self.listen(view, client);
    }

    /// Has the journal take what a step did, and the client note what it can have seen. The step's stripes are locked.
    #[inline]
    pub(super) fn journal(self, view: &mut View<'_>, client: &mut Client) {
        if self.engine.keyspace.journal.is_active() {
            self.journal_for_readers(view, client);
        }
    }

    #[inline(never)]
    fn journal_for_readers(self, view: &mut View<'_>, client: &mut Client) {
        let has_changed = !view.effects().unit.is_empty();
        if !has_changed && view.holds_nothing() {
            return;
        }
        client.seen_offset = self.engine.keyspace.journal.append(&view.effects().unit);
        view.effects().unit.clear();
        if has_changed {
            client.changed_offset = client.seen_offset;
        }
    }

    /// What becomes of a command that finds everything held by a busy script: it is refused. The usual checks do that, except
    /// for one that passes them, and has to do with keys all the same: WATCH. No stripe can take note of what it watches,
    /// so it counts as changed, as the script may well change it: EXEC will fail, and its client tries again.
    #[cold]
    fn held_up(
        self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        out: &mut Vec<u8>,
        start_ns: &mut u64,
    ) -> Gate {
        if entry.flags & flags::ALLOW_BUSY == 0 || !self.engine.is_busy() {
            return Gate::Outdated;
        }
        if self.engine.is_debugging() {
            return Gate::Paused;
        }
        let before = out.len();
        let watched = watch_in_vain(client);
        let failed = watched.is_err();
        match watched {
            Ok(()) => ReplyWriter::new(out, client.protocol).ok(),
            Err(error) => self.write_error(&error, client, out),
        }
        let done = Performed { count: 1, failed, reply_bytes: out.len().saturating_sub(before) };
        self.account(client, entry, args, done, start_ns);
        Gate::Open
    }

    /// A view for commands with these flags, taken together. Who changes keys may have to serve those who wait for them.
    /// `None` while a script is busy. Who takes stripe after stripe waits here for one that is on its way there.
    #[inline]
    pub(super) fn view_for<'k>(
        &'k self,
        command_flags: u64,
        locks: Locks<'_>,
        now_ms: i64,
        effects: &'k mut Effects,
    ) -> Option<View<'k>> {
        let keyspace = &self.engine.keyspace;
        if command_flags & flags::WALKS_KEYSPACE != 0 && !self.waits_for_script() {
            return None;
        }
        match command_flags & flags::WRITE != 0 {
            true => keyspace.try_view_to_change(locks, now_ms, effects, Patience::UntilBusy),
            false => keyspace.try_view(locks, now_ms, effects, Patience::UntilBusy),
        }
    }

    /// Waits while a script holds everything; whether it is over, and not busy.
    #[inline]
    fn waits_for_script(self) -> bool {
        let standstill = &self.engine.keyspace.standstill;
        while standstill.level() == Level::Held {
            std::thread::sleep(STANDSTILL_PAUSE);
        }
        standstill.level() == Level::None
    }

    /// What is left to be done once a step has let go of its locks.
    #[inline]
    pub(super) fn finish(self, effects: &mut Effects, letters: Letters, now_ms: i64) {
        self.post(letters);
        if !effects.ready.is_empty() {
            self.serve_left(effects, now_ms);
        }
        self.settle(effects);
    }

    /// Runs one command on a view that is already locked and adds its effects to the view's.
    #[inline]
    pub(super) fn run_one(
        self,
        view: &mut View<'_>,
        client: &mut Client,
        step: Step<'_>,
        out: &mut Vec<u8>,
        start_ns: &mut u64,
    ) {
        let Step { entry, args, keys, in_transaction } = step;
        client.look_again();
        let mut call = Call {
            args,
            command: entry.command,
            keys,
            view,
            reply: ReplyWriter::new(out, client.protocol).limited(client.output_bytes_max),
            client,
            engine: self.engine,
            worker: self.context,
            propagation: Propagation::Verbatim,
            in_transaction,
            is_retry: false,
            stage: self.stage,
            has_failed: false,
        };
        let done = self.perform(&mut call, entry);
        if call.client.listening.is_some() {
            self.note_reads(&mut call, entry);
        }
        if call.client.waits_aside() {
            // It runs again once what it waits for is there.
            tick::lap(start_ns);
            return;
        }
        *start_ns = start_ns.saturating_sub(std::mem::take(&mut call.client.aside_ns));
        if let Some(parked) = call.client.waiter.as_deref().and_then(Parked::of) {
            // It is accounted for once it has its reply.
            parked.spent_ns.store(tick::lap(start_ns), Relaxed);
            return;
        }
        if call.client.promises.last().is_some_and(|promise| promise.bill.is_none()) {
            return self.put_off(call.client, entry, call.args, done, start_ns);
        }
        self.account(call.client, entry, call.args, done, start_ns);
    }

    /// Calls the handler, and does what follows from what it did; it is still to be accounted for.
    #[inline]
    pub(super) fn perform(self, call: &mut Call<'_, '_>, entry: &CommandEntry) -> Performed {
        let engine = self.engine;
        let (before, dirty_before, db) = (call.reply.len(), call.view.effects().dirty, call.client.db);
        let result = (entry.handler)(call);
        let failed = result.is_err() || call.has_failed;
        if let Err(error) = result {
            self.count_error(&error);
            call.reply.error_bytes(error.bytes());
        }
        // Afterwards: only now is it known what has to be hidden.
        if call.client.waits_aside() {
            return Performed { count: 0, failed: false, reply_bytes: 0 };
        }
        if engine.monitor_count.load(Relaxed) != 0
            && entry.flags & (flags::SKIP_MONITOR | flags::ADMIN) == 0
            && !call.is_retry
        {
            monitor::feed(engine, call.client, call.args);
        }
        if engine.keyspace.journal.is_active() {
            let changed = call.view.effects().dirty != dirty_before;
            if propagates(entry.flags, call.propagation, changed) && !call.client.is_unreplicated {
                call.view.effects().unit.push(db, call.args.iter());
            }
        }
        Performed { count: 1, failed, reply_bytes: call.reply.len().saturating_sub(before) }
    }

    /// Hands on what a step left behind.
    #[inline]
    pub(super) fn settle(self, effects: &mut Effects) {
        effects.dirty = 0;
        if !effects.is_clean() {
            self.clean_up(effects);
        }
    }

    fn clean_up(self, effects: &mut Effects) {
        for garbage in effects.garbage.drain(..) {
            self.engine.keyspace.reclaimer.hand_over(garbage);
        }
        effects.freed_before_reply.clear();
        effects.clear();
    }
}

/// How often somebody looks whether a script still holds everything.
const STANDSTILL_PAUSE: Duration = Duration::from_micros(50);

#[inline]
pub(super) fn locks_of<'a>(entry: &CommandEntry, args: Args<'_>, keys: &'a [Key<'a>]) -> Locks<'a> {
    if entry.needs_all(args) {
        Locks::All
    } else if keys.is_empty() {
        Locks::None
    } else {
        Locks::Keys(keys)
    }
}

#[inline]
fn propagates(command_flags: u64, propagation: Propagation, changed: bool) -> bool {
    match propagation {
        Propagation::Verbatim => changed && command_flags & flags::WRITE != 0,
        Propagation::Forced => true,
        Propagation::Rewritten | Propagation::Nothing => false,
    }
}
