//! Requests of one client that can run one after the other without another look at the client: what a pipeline of reads
//! and writes is made of. What they have in common is set up once for all of them; each still takes its own lock, is
//! journalled by itself, and lets others in before the next. Short ones of the same kind are timed a few at a time.

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Key, Locks};
use ochre_resp::ReplyWriter;

use crate::call::{Args, Call, Propagation};
use crate::client::Client;
use crate::command::{CommandEntry, flags};

use super::account::SMALL_BYTES;
use super::run::{Gate, Performed, Runner};
use super::{Clock, Prepared};

/// Prepared requests of one client, in order.
pub trait Requests {
    /// The one at an index; asked for when it is about to run.
    fn get(&self, index: usize) -> Option<(Args<'_>, Prepared)>;
}

impl Runner<'_> {
    /// Runs requests from the one at index `at` on for as long as they need no more than this; `at` is moved to the first
    /// that has not run. Stops, too, when there is more than `out_max` in the output, and when the `clock` is old.
    #[allow(clippy::too_many_arguments, reason = "as in `Runner::execute`")]
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
        let Some((args, own, mut entry)) = self.next_of_sequence(requests, keys, *at) else { return };
        let mut view = self.engine.keyspace.view(Locks::None, clock.now_ms, effects);
        view.set_no_touch(client.no_touch);
        view.set_import_source(client.import_source);
        let mut call = Call {
            args,
            command: entry.command,
            keys: own,
            view: &mut view,
            reply: ReplyWriter::new(out, client.protocol),
            client,
            engine: self.engine,
            worker: self.context,
            propagation: Propagation::Verbatim,
            in_transaction: false,
        };
        let together = self.account_together();
        let mut done = Performed { count: 0, failed: false, reply_bytes: 0 };
        loop {
            call.view.hold(call.keys[0]);
            if self.gate(call.client, entry.flags, clock.now_ms) != Gate::Open {
                if done.count > 0 {
                    self.account(call.client, entry, call.args, done, &mut clock.start_ns);
                }
                return;
            }
            call.client.shared.last_command.store(entry.id, Relaxed);
            done = Performed { count: done.count + 1, ..self.perform(&mut call, entry) };
            self.engine.keyspace.journal.append(&call.view.effects().unit);
            call.view.let_go();
            self.settle(call.view.effects());
            *at += 1;
            let goes_on = call.reply.len() <= out_max && !clock.is_old();
            let next = if goes_on { self.next_of_sequence(requests, keys, *at) } else { None };
            let is_alone = entry.flags & flags::FAST == 0
                || done.count >= together
                || done.failed
                || done.reply_bytes.max(call.args.bytes_max()) >= SMALL_BYTES;
            if is_alone || next.is_none_or(|(_, _, other)| other.id != entry.id) {
                self.account(call.client, entry, call.args, done, &mut clock.start_ns);
                done.count = 0;
            }
            let Some(next) = next else { return };
            (call.args, call.keys, entry) = next;
            call.command = entry.command;
            call.propagation = Propagation::Verbatim;
        }
    }

    /// The request at an index with its one key, if it can run in a sequence.
    #[inline]
    fn next_of_sequence<'s>(
        &'s self,
        requests: &'s impl Requests,
        keys: &'s [Key<'s>],
        at: usize,
    ) -> Option<(Args<'s>, &'s [Key<'s>], &'s CommandEntry)> {
        let (args, prepared) = requests.get(at)?;
        let entry = self.engine.commands.get(prepared.id)?;
        let own = keys.get(prepared.keys()).filter(|own| own.len() == 1)?;
        (entry.is_sequential() && entry.accepts(args.len()) && self.has_room()).then_some((args, own, entry))
    }

    /// Whether memory is below its limit.
    #[inline]
    fn has_room(self) -> bool {
        let limit = self.engine.keyspace.settings.maxmemory_bytes.load(Relaxed) as usize;
        limit == 0 || self.engine.lasting_bytes() <= limit
    }
}
