//! Transactions that a client sent as a whole: MULTI, commands that each read or write one key, EXEC, all of them here.
//!
//! Nothing is queued then. The replies that queueing would have given are written, and the commands run where they lie, with
//! the keys that were hashed and fetched ahead: half of what queueing, copying and looking for the keys once more takes. What
//! can be seen of it is the same, since all that could make a difference is looked at first: then, and wherever the end of the
//! transaction has not been received yet, the usual way is taken, from MULTI on.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, Key, Locks};
use ochre_resp::ReplyWriter;

use crate::call::Args;
use crate::client::Client;
use crate::command::CommandEntry;

use super::Clock;
use super::run::{Gate, Performed, Runner, Step};
use super::sequence::Requests;
use super::serve::Letters;

/// A transaction that is here as a whole.
struct Whole<'e> {
    multi: &'e CommandEntry,
    exec: &'e CommandEntry,
    /// The requests between the two; there is at least one.
    requests: Range<usize>,
    /// Their keys, one for each.
    keys: Range<usize>,
    /// The flags of their commands together.
    flags: u64,
}

impl<'r> Runner<'r> {
    /// Runs the transaction that the request at an index begins, if it can be run at once, for a client that may run what it
    /// likes. Returns the index behind it.
    #[allow(clippy::too_many_arguments, reason = "as in `Runner::execute`")]
    pub(super) fn run_at_once(
        self,
        client: &mut Client,
        requests: &impl Requests,
        at: usize,
        keys: &[Key<'_>],
        out: &mut Vec<u8>,
        clock: &mut Clock,
        effects: &mut Effects,
    ) -> Option<usize> {
        let whole = self.whole_transaction(client, requests, at)?;
        let (keys, now_ms) = (&keys[whole.keys.clone()], clock.now_ms);
        let mut letters = Letters::default();
        {
            let mut view = self.view_for(whole.flags, Locks::Keys(keys), now_ms, effects)?;
            if self.gate(client, whole.flags, keys, now_ms) != Gate::Open {
                return None;
            }
            view.set_no_touch(client.no_touch);
            view.set_import_source(client.import_source);
            self.reply_queued(client, &whole, requests.args(at), out, &mut clock.start_ns);
            let before = out.len();
            ReplyWriter::new(out, client.protocol).array(keys.len());
            let full_at = out.len().saturating_add(client.output_bytes_max);
            for (index, key) in whole.requests.clone().zip(keys) {
                let entry = self.engine.commands.entry(requests.prepared(index)?.id);
                let keys = std::slice::from_ref(key);
                let step = Step { entry, args: requests.args(index), keys, in_transaction: true };
                let before = (out.len(), client.promises.len());
                self.run_one(&mut view, client, step, out, &mut clock.start_ns);
                if before.0 >= full_at {
                    client.take_back(out, before);
                }
            }
            self.conclude(&mut view, client, &mut letters, clock);
            client.shared.last_command.store(whole.exec.id, Relaxed);
            let done = Performed { count: 1, failed: false, reply_bytes: out.len().saturating_sub(before) };
            self.account(client, whole.exec, requests.args(whole.requests.end), done, &mut clock.start_ns);
        }
        self.finish(effects, letters, now_ms);
        Some(whole.requests.end + 1)
    }

    /// What MULTI and the commands behind it are answered.
    fn reply_queued(
        self,
        client: &mut Client,
        whole: &Whole<'_>,
        multi_args: Args<'_>,
        out: &mut Vec<u8>,
        start_ns: &mut u64,
    ) {
        let before = out.len();
        let mut reply = ReplyWriter::new(out, client.protocol);
        reply.ok();
        let done = Performed { count: 1, failed: false, reply_bytes: reply.len() - before };
        whole.requests.clone().for_each(|_| reply.queued());
        self.account(client, whole.multi, multi_args, done, start_ns);
    }

    /// The transaction that the request at an index begins, if all of it is here, nothing is watched and none of its
    /// commands needs more than its key.
    fn whole_transaction(self, client: &Client, requests: &impl Requests, at: usize) -> Option<Whole<'r>> {
        let commands = &self.engine.commands;
        let multi = commands.get(requests.prepared(at)?.id).filter(|entry| entry.opens_transaction())?;
        if client.transaction.flag.is_some() || !self.has_room() || !multi.accepts(requests.args(at).len()) {
            return None;
        }
        let (first, mut end, mut flags) = (requests.prepared(at + 1)?, at + 1, 0);
        let exec = loop {
            let next = requests.prepared(end)?;
            let entry = commands.get(next.id)?;
            if !next.is_sequential {
                break entry;
            }
            flags |= entry.flags;
            end += 1;
        };
        let is_whole = end > at + 1 && exec.runs_queue() && exec.accepts(requests.args(end).len());
        let keys = first.keys().start..first.keys().start + (end - at - 1);
        is_whole.then_some(Whole { multi, exec, requests: at + 1..end, keys, flags })
    }
}
