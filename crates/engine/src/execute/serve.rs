//! Serving clients that wait for keys.
//!
//! A step that may make a key ready for somebody holds all locks that serving takes
//! ([`try_view_to_change`](ochre_keyspace::Keyspace::try_view_to_change)), so those that it woke are served before it lets go: no
//! other step comes between, as in a server with one thread. Keys are served in the order in which they became ready, the
//! clients of each in that in which they came. Serving one may make further keys ready; they come last: a list of work, no
//! recursion. To serve a client is to run its request again, which is a step of its own in the journal; its reply goes to
//! its own worker by mail once all locks are released.
//!
//! What cannot be served now is left in the list: while clients are paused, while a script holds everything for long, and where a step that only reads has removed a
//! key whose absence is waited for. Who has let go of the locks then sees to that in a step of its own, or keeps it for the
//! end of the pause.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Key, Locks, Patience, Policy, View, Waiter};
use ochre_resp::ReplyWriter;

use crate::call::{Call, Propagation};
use crate::client::{Client, Parked};
use crate::command::{CommandEntry, flags};
use crate::engine::{Message, clock_ms};
use crate::error::{Error, OUT_OF_MEMORY};
use crate::left_behind::Left;
use crate::tick;

use super::run::{Gate, Performed, Runner};
use super::{Executor, add_keys};

/// Letters to the workers of clients that were served.
#[derive(Default)]
pub(super) struct Letters(Vec<(usize, Message)>);

/// What became of an attempt to serve a client.
enum Attempt {
    /// It is served, or somebody else has ended its wait.
    Over,
    /// There is not enough for it: it goes on waiting.
    InVain,
    /// It can be served, but not now.
    NotNow,
}

impl Runner<'_> {
    /// Serves all who wait for what a step has made ready; its own effects go into the journal first. What cannot be served
    /// now stays in the effects.
    #[cold]
    pub(super) fn serve(self, view: &mut View<'_>, letters: &mut Letters) {
        self.engine.keyspace.journal.append(&view.effects().unit);
        view.effects().unit.clear();
        // What is served is a step of its own; time has gone on, and never goes back.
        let now_ms = view.now_ms().max(clock_ms());
        view.set_now_ms(now_ms);
        let mut left = Vec::new();
        while let Some((db, name)) = view.effects().ready.pop_front() {
            if !self.serve_key(view, db, &name, letters) {
                left.push((db, name));
            }
        }
        view.effects().ready.extend(left);
    }

    /// Serves those who wait for a key for as long as there is something for them; whether that is over.
    fn serve_key(self, view: &mut View<'_>, db: u32, name: &[u8], letters: &mut Letters) -> bool {
        let key = view.key(name);
        let mut after = 0;
        while let Some(waiter) = view.next_waiter(db, key, after) {
            after = waiter.number();
            if let Attempt::NotNow = self.serve_one(view, &waiter, letters) {
                return false;
            }
        }
        true
    }

    fn serve_one(self, view: &mut View<'_>, waiter: &Arc<Waiter>, letters: &mut Letters) -> Attempt {
        let Some(parked) = Parked::of(waiter).filter(|parked| !parked.is_over.load(Relaxed)) else {
            return Attempt::Over;
        };
        let Some(entry) = self.engine.commands.get(parked.command) else { return Attempt::Over };
        let mut client = parked.stand_in(waiter.db());
        let mut keys: Vec<Key<'_>> = Vec::new();
        if self.engine.pause.holds_keys() {
            add_keys(self.engine, entry, parked.request.args(), &mut keys);
        }
        let mut gate = self.gate(&client, entry.flags, &keys, view.now_ms());
        if gate == Gate::Outdated {
            client.become_present_user(&self.engine.access);
            gate = self.gate_of_pause(entry.flags, &keys, view.now_ms());
        }
        match gate {
            Gate::Open if view.can_serve(waiter) => {}
            Gate::Killed => return Attempt::Over,
            Gate::Open | Gate::Outdated | Gate::Paused => return Attempt::NotNow,
        }
        if !parked.shared.wait.begin_service() {
            return Attempt::Over;
        }
        let mut reply = Vec::new();
        self.run_again(view, &mut client, entry, parked, &mut reply);
        let offset = self.engine.keyspace.journal.append(&view.effects().unit);
        view.effects().unit.clear();
        if client.blocked.is_some() {
            parked.shared.wait.finish_service(false);
            return Attempt::InVain;
        }
        view.forget(waiter);
        self.engine.workers[parked.shared.worker].blocked.fetch_sub(1, Relaxed);
        parked.shared.wait.finish_service(true);
        letters.0.push((parked.shared.worker, Message::Serve { client: parked.shared.id, reply, offset }));
        Attempt::Over
    }

    /// Runs a parked request; afterwards the stand-in is blocked if it has to wait on.
    fn run_again(
        self,
        view: &mut View<'_>,
        client: &mut Client,
        entry: &CommandEntry,
        parked: &Parked,
        out: &mut Vec<u8>,
    ) {
        let start_ns = tick::now_ns();
        if entry.flags & flags::DENYOOM != 0 && self.is_out_of_memory() {
            self.context.stats.command(entry.id).rejected.add(1);
            return self.write_error(&OUT_OF_MEMORY, client, out);
        }
        let args = parked.request.args();
        if !client.unrestricted
            && let Err(error) = self.engine.admit(client, entry, args)
        {
            self.context.stats.command(entry.id).rejected.add(1);
            return self.write_error(&error, client, out);
        }
        let mut keys: Vec<Key<'_>> = Vec::new();
        add_keys(self.engine, entry, args, &mut keys);
        view.set_no_touch(client.no_touch);
        view.set_import_source(client.import_source);
        let mut call = Call {
            args,
            command: entry.command,
            keys: &keys,
            view,
            reply: ReplyWriter::new(out, client.protocol),
            client,
            engine: self.engine,
            worker: self.context,
            propagation: Propagation::Verbatim,
            in_transaction: false,
            is_retry: true,
            stage: self.stage,
            has_failed: false,
        };
        let done = self.perform(&mut call, entry);
        if parked.notes_reads && call.client.blocked.is_none() {
            self.note_keys(&mut call, entry);
        }
        let spent_ns = parked.spent_ns.load(Relaxed);
        if client.blocked.is_some() {
            let more_ns = tick::now_ns().saturating_sub(start_ns);
            parked.spent_ns.store(spent_ns + more_ns, Relaxed);
        } else {
            self.account(client, entry, args, done, &mut start_ns.saturating_sub(spent_ns));
        }
    }

    /// Whether memory has run out and nothing may be evicted.
    fn is_out_of_memory(self) -> bool {
        self.engine.keyspace.settings.policy() == Policy::NoEviction && !self.has_room()
    }

    /// Serves, in steps of their own, those whom a step could not serve; what cannot be served for a pause is kept for its
    /// end. To be called without any lock.
    #[cold]
    pub(super) fn serve_left(self, effects: &mut Effects, now_ms: i64) {
        let mut held_back = Vec::new();
        while let Some((db, name)) = effects.ready.pop_front() {
            let mut letters = Letters::default();
            effects.ready.push_front((db, name.clone()));
            // Others are served with the locks of this one if they can be; they all get their turn.
            let keys = [self.engine.keyspace.key(&name)];
            let locks = (Locks::Keys(&keys), Patience::UntilHeld);
            let Some(mut view) = self.engine.keyspace.try_view_to_change(locks.0, now_ms, effects, locks.1)
            else {
                held_back.extend(std::mem::take(&mut effects.ready));
                break;
            };
            self.serve(&mut view, &mut letters);
            drop(view);
            self.post(letters);
            let is_this = |(of, other): &(u32, Box<[u8]>)| *of == db && *other == name;
            if let Some(at) = effects.ready.iter().position(is_this) {
                held_back.extend(effects.ready.remove(at));
            }
        }
        if !held_back.is_empty() {
            self.engine.held_back.add(held_back);
        }
        self.settle(effects);
    }

    /// Sends the replies of clients that were served.
    pub(super) fn post(self, letters: Letters) {
        letters.0.into_iter().for_each(|(worker, message)| self.engine.post(worker, message));
    }
}

impl Executor {
    /// Serves those who waited for the end of a pause, and sees to the end of MIGRATEs; to be called when there may be
    /// something of that, and now and then.
    pub fn serve_held_back(&mut self, now_ms: i64) {
        let Executor { engine, context, effects, .. } = self;
        if engine.is_held_up() {
            return;
        }
        Runner::new(engine, context).finish_migrations(effects, now_ms);
        let keys = engine.held_back.take();
        if !keys.is_empty() {
            effects.ready.extend(keys);
            Runner::new(engine, context).serve_left(effects, now_ms);
        }
    }

    /// Serves those who wait for keys at which there may be something for them by now.
    pub fn ring_alarms(&mut self, now_ms: i64) {
        let Executor { engine, context, effects, .. } = self;
        let keys = engine.alarms.take(now_ms);
        if !keys.is_empty() {
            effects.ready.extend(keys);
            Runner::new(engine, context).serve_left(effects, now_ms);
        }
    }

    /// When that is to be done next, unix time in ms.
    pub fn next_alarm_ms(&self) -> i64 {
        self.engine.alarms.next_ms()
    }

    /// Takes a client that waits for keys out of their queues, if nobody has yet. Its wait must have been ended, or served.
    pub fn leave_queues(&mut self, client: &mut Client) {
        let Some(waiter) = client.waiter.take() else { return };
        let keyspace = &self.engine.keyspace;
        let keys: Vec<Key<'_>> = waiter.keys().map(|name| keyspace.key(name)).collect();
        match keyspace.try_view(Locks::Keys(&keys), 0, &mut self.effects, Patience::UntilHeld) {
            Some(mut view) => view.forget(&waiter),
            None => {
                if let Some(parked) = Parked::of(&waiter) {
                    parked.is_over.store(true, Relaxed);
                }
                self.engine.left_behind.add(Left::Waiter(waiter));
            }
        }
    }

    /// Sees to what follows when a wait ends without the client being served, with an error or without, told in so many
    /// bytes: the error is counted, and so is the request if it waited for keys, whose queues the client leaves.
    pub fn end_unserved(&mut self, client: &mut Client, error: Option<&Error>, reply_bytes: usize) {
        let Executor { engine, context, .. } = self;
        let runner = Runner::new(engine, context);
        if let Some(error) = error {
            runner.count_error(error);
        }
        let Some(waiter) = client.waiter.clone() else { return };
        if let Some(parked) = Parked::of(&waiter)
            && let Some(entry) = engine.commands.get(parked.command)
        {
            let done = Performed { count: 1, failed: error.is_some(), reply_bytes };
            let mut start_ns = tick::now_ns().saturating_sub(parked.spent_ns.load(Relaxed));
            runner.account(client, entry, parked.request.args(), done, &mut start_ns);
        }
        self.leave_queues(client);
    }
}
