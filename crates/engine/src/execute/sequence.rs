//! Requests of one client that can run one after the other without another look at the client: what a pipeline of reads
//! and writes is made of. What they have in common is set up once for all of them; each still takes its own lock, is
//! journalled by itself, and lets others in before the next. Short ones of the same kind are timed a few at a time.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Key, Lease, Locks, View};
use ochre_resp::ReplyWriter;

use crate::call::{Args, Call, Propagation};
use crate::client::Client;
use crate::command::{CommandEntry, flags};
use crate::tick;

use super::account::SMALL_BYTES;
use super::run::{Gate, Performed, Runner};
use super::serve::Letters;
use super::{Clock, Prepared};

/// More requests than this take their stripes under a lease.
const LEASED_MIN: usize = 8;

/// Prepared requests of one client, in order.
pub trait Requests {
    /// What is known of the one at an index.
    fn prepared(&self, index: usize) -> Option<Prepared>;

    /// The arguments of the one at an index; asked for when it is about to run.
    fn args(&self, index: usize) -> Args<'_>;
}

/// Whether a call is to be accounted for by itself.
#[inline]
fn is_alone(entry: &CommandEntry, done: Performed, args: Args<'_>) -> bool {
    let bytes = done.reply_bytes.max(args.bytes_max());
    entry.flags & (flags::FAST | flags::UNEVEN) != flags::FAST || done.failed || bytes >= SMALL_BYTES
}

impl Runner<'_> {
    /// Runs requests from the one at index `at` on for as long as they need no more than this; `at` is moved to the first
    /// that has not run. Stops, too, when there is more than `out_max` in the output, and when the `clock` is old.
    #[allow(clippy::too_many_arguments, reason = "as in `Runner::execute`")]
    // A function of its own: within its caller, there are too few registers for its loop.
    #[inline(never)]
    pub(super) fn run_sequence(
        self,
        client: &mut Client,
        requests: &impl Requests,
        at: &mut usize,
        keys: &[Key<'_>],
        (out, out_max): (&mut Vec<u8>, usize),
        clock: &mut Clock,
        effects: &mut Effects,
    ) {
        let Some(first) = requests.prepared(*at).filter(|first| first.is_sequential && self.has_room())
        else {
            return;
        };
        let Some(mut entry) = self.engine.commands.get(first.id) else { return };
        let _lease = self.lease_for(requests, *at);
        let mut view = self.engine.keyspace.view(Locks::None, clock.now_ms, effects);
        view.set_no_touch(client.no_touch);
        view.set_import_source(client.import_source);
        let mut call = Call {
            args: requests.args(*at),
            command: entry.command,
            keys: first.key_of(keys),
            view: &mut view,
            reply: ReplyWriter::new(out, client.protocol).limited(client.output_bytes_max),
            client,
            engine: self.engine,
            worker: self.context,
            propagation: Propagation::Verbatim,
            in_transaction: false,
            is_retry: false,
            stage: self.stage,
            has_failed: false,
        };
        let together = self.account_together();
        let is_limited = self.is_limited();
        call.client.shared.last_command.store(entry.id, Relaxed);
        let mut done = Performed { count: 0, failed: false, reply_bytes: 0 };
        loop {
            if !call.view.try_hold(call.keys[0]) || !self.may_go_on(&call, entry.flags, clock.now_ms) {
                return self.leave(&mut call, entry, done, clock);
            }
            let performed = self.perform(&mut call, entry);
            self.end_of_one(call.view, call.client, clock.now_ms);
            if call.client.waits_aside() {
                // It runs again once what it waits for is there, and not here.
                return self.leave(&mut call, entry, done, clock);
            }
            done = Performed { count: done.count + 1, ..performed };
            *at += 1;
            if call.client.has_promises() {
                return self.put_off(call.client, entry, call.args, done, &mut clock.start_ns);
            }
            let goes_on = call.reply.len() <= out_max && !clock.is_old() && (!is_limited || self.has_room());
            let next = requests.prepared(*at).filter(|next| goes_on && next.is_sequential);
            let is_last = next.is_none_or(|next| next.id != entry.id);
            if is_last || done.count >= together || is_alone(entry, done, call.args) {
                self.account(call.client, entry, call.args, done, &mut clock.start_ns);
                done.count = 0;
            }
            let Some(next) = next else { return };
            (call.args, call.propagation) = (requests.args(*at), Propagation::Verbatim);
            if next.id != entry.id {
                let Some(other) = self.engine.commands.get(next.id) else { return };
                (entry, call.command) = (other, other.command);
                call.client.shared.last_command.store(entry.id, Relaxed);
            }
            call.keys = next.key_of(keys);
        }
    }

    /// The right to take stripes without regard to others, for many requests. Nobody is kept out for long: what takes long
    /// ends the sequence, since the clock is old then.
    #[inline]
    fn lease_for(&self, requests: &impl Requests, first: usize) -> Option<Lease<'_>> {
        requests.prepared(first + LEASED_MIN).and_then(|_| self.engine.keyspace.lease())
    }

    /// Accounts for what has run before a request that does not run here; what that took so far is nobody's.
    fn leave(self, call: &mut Call<'_, '_>, entry: &CommandEntry, done: Performed, clock: &mut Clock) {
        if done.count > 0 {
            self.account(call.client, entry, call.args, done, &mut clock.start_ns);
        }
        tick::lap(&mut clock.start_ns);
    }

    /// Journals what a command of a sequence did, lets go of its stripe, and does what follows from it: for most commands,
    /// nothing.
    #[inline]
    fn end_of_one(self, view: &mut View<'_>, client: &mut Client, now_ms: i64) {
        if view.effects().is_silent() && !self.engine.keyspace.journal.is_active() {
            view.effects().dirty = 0;
            return view.let_go();
        }
        self.journal(view, client);
        view.let_go();
        self.finish(view.effects(), Letters::default(), now_ms);
    }

    /// Whether a command with these flags may run as a part of a sequence, asked with its stripe locked. Who writes where
    /// somebody waits may have to serve them, which takes more.
    #[inline]
    fn may_go_on(self, call: &Call<'_, '_>, command_flags: u64, now_ms: i64) -> bool {
        let may_wake = command_flags & flags::WRITE != 0 && call.view.has_waiters();
        !may_wake && self.gate(call.client, command_flags, call.keys, now_ms) == Gate::Open
    }

    /// Whether memory has a limit.
    #[inline]
    fn is_limited(self) -> bool {
        self.engine.keyspace.settings.maxmemory_bytes.load(Relaxed) != 0
    }

    /// Whether memory is below its limit.
    #[inline]
    pub(super) fn has_room(self) -> bool {
        let limit = self.engine.keyspace.settings.maxmemory_bytes.load(Relaxed) as usize;
        limit == 0 || self.engine.lasting_bytes() <= limit
    }
}
