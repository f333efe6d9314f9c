//! MULTI's queue and EXEC.

use std::ops::Range;
use std::sync::Arc;

use ochre_keyspace::{Effects, Key, Locks, Patience, View, WatchFlag};
use ochre_resp::ReplyWriter;
use smallvec::SmallVec;

use crate::call::Args;
use crate::client::{Client, Close, Queued, ReplyMode, Transaction, Watched};
use crate::command::{CommandEntry, flags};
use crate::engine::{Engine, clock_ms};
use crate::error::Error;
use crate::left_behind::Left;

use super::run::{Gate, Performed, Runner, Step};
use super::serve::Letters;
use super::{Clock, add_keys};

impl Runner<'_> {
    /// EXEC.
    pub(super) fn run_transaction(
        self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        out: &mut Vec<u8>,
        clock: &mut Clock,
        effects: &mut Effects,
    ) -> Gate {
        let gate = self.gate(client, entry.flags | client.transaction.flags, &[], clock.now_ms);
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
            unwatch(self.engine, &transaction);
            self.write_error(&Error::new(text), client, out);
            if client.is_muted() {
                out.truncate(before);
            }
        } else {
            // What the queue asks about its own client is still that it is in a transaction.
            client.publish_watched();
            let gate = self.run_queue(client, &transaction, out, clock, effects);
            if gate != Gate::Open {
                client.transaction = transaction;
                client.publish_transaction();
                return gate;
            }
        }
        client.publish_transaction();
        self.show_to_monitors(client, args);
        let reply_bytes = out.len().saturating_sub(before);
        let done = Performed { count: 1, failed: refusal.is_some(), reply_bytes };
        self.account(client, entry, args, done, &mut clock.start_ns);
        Gate::Open
    }

    /// Checks a command of the queue once more: the rules may have changed since, also by one before it.
    #[inline]
    fn admit_queued(self, client: &mut Client, entry: &CommandEntry, args: Args<'_>) -> Result<(), Error> {
        if client.shared.is_summoned() {
            self.engine.access.refresh(client);
        }
        if client.unrestricted { Ok(()) } else { self.engine.admit_late(client, entry, args) }
    }

    fn run_queue(
        self,
        client: &mut Client,
        transaction: &Transaction,
        out: &mut Vec<u8>,
        clock: &mut Clock,
        effects: &mut Effects,
    ) -> Gate {
        let engine = self.engine;
        let now_ms = clock_ms();
        // Most are short.
        let mut keys: SmallVec<[Key<'_>; 8]> = SmallVec::new();
        let ranges: SmallVec<[Range<usize>; 8]> = transaction
            .queue
            .iter()
            .map(|queued| {
                let start = keys.len();
                add_keys(engine, engine.commands.entry(queued.command), queued.request.args(), &mut keys);
                start..keys.len()
            })
            .collect();
        keys.extend(transaction.watched.iter().map(|watched| engine.keyspace.key(&watched.key)));
        let locks = match transaction.flags & (flags::WHOLE_KEYSPACE | flags::WALKS_KEYSPACE) != 0 {
            true => Locks::All,
            false if keys.is_empty() => Locks::None,
            false => Locks::Keys(&keys),
        };
        let gate;
        let mut letters = Letters::default();
        {
            let Some(mut view) = self.view_for(transaction.flags, locks, now_ms, effects) else {
                return Gate::Outdated;
            };
            // Others' messages do not come between its own.
            let _turn = (transaction.flags & flags::PUBSUB != 0).then(|| engine.messages.exclusive());
            gate = self.gate(client, transaction.flags, &keys, now_ms);
            if gate == Gate::Open {
                view.set_no_touch(client.no_touch);
                view.set_import_source(client.import_source);
                let changed = watched_changed(&mut view, transaction);
                unwatch_in(&mut view, transaction);
                if changed {
                    write_unless_muted(client, out, |reply| reply.null_array());
                } else {
                    let queue =
                        transaction.queue.iter().zip(ranges).map(|(queued, range)| (queued, &keys[range]));
                    self.run_queued(&mut view, client, queue, out, &mut clock.start_ns);
                }
                self.conclude(&mut view, client, &mut letters, clock);
            }
        }
        self.finish(effects, letters, now_ms);
        gate
    }

    /// Runs the commands of the queue, each with its keys. Whether one is answered is settled when it has run: CLIENT
    /// REPLY may stand in the queue, too. What it is to skip is the command after EXEC, as in Redis.
    fn run_queued<'q>(
        self,
        view: &mut View<'_>,
        client: &mut Client,
        queue: impl ExactSizeIterator<Item = (&'q Queued, &'q [Key<'q>])>,
        out: &mut Vec<u8>,
        start_ns: &mut u64,
    ) {
        write_unless_muted(client, out, |reply| reply.array(queue.len()));
        let full_at = out.len().saturating_add(client.output_bytes_max);
        let mut skips_next = false;
        for (Queued { command, request }, keys) in queue {
            let entry = self.engine.commands.entry(*command);
            let step = Step { entry, args: request.args(), keys, in_transaction: true };
            let is_closing = client.close == Close::AfterReply;
            let before = (out.len(), client.promises.len());
            match self.admit_queued(client, entry, step.args) {
                Ok(()) => self.run_one(view, client, step, out, start_ns),
                Err(error) => self.write_error(&error, client, out),
            }
            skips_next |= client.reply_mode == ReplyMode::SkipNext;
            if is_closing || client.is_muted() || before.0 >= full_at {
                // A client that killed itself takes no more than the reply that says so; one that left too much takes nothing.
                client.take_back(out, before);
            }
        }
        if skips_next && client.reply_mode == ReplyMode::On {
            client.reply_mode = ReplyMode::SkipNext;
        }
    }
}

/// Writes a part of EXEC's reply if the client wants replies now.
fn write_unless_muted(client: &Client, out: &mut Vec<u8>, write: impl FnOnce(&mut ReplyWriter<'_>)) {
    if !client.is_muted() {
        write(&mut ReplyWriter::new(out, client.protocol));
    }
}

/// Queues a command of a transaction, with its flags as they are with these arguments, unless EXEC will refuse anyway. `selected`
/// is the database that it selects, if any.
pub(super) fn queue(
    client: &mut Client,
    entry: &CommandEntry,
    args: Args<'_>,
    (command_flags, selected): (u64, Option<u32>),
    out: &mut Vec<u8>,
) {
    if !client.transaction.aborted && !client.transaction.is_broken() {
        client.transaction.push(entry, args, command_flags);
        client.transaction.selected = selected.or(client.transaction.selected);
        client.publish_transaction();
    }
    ReplyWriter::new(out, client.protocol).queued();
}

fn watched_changed(view: &mut View<'_>, transaction: &Transaction) -> bool {
    let Some(flag) = &transaction.flag else { return false };
    let expired = |view: &mut View<'_>| {
        transaction.watched.iter().any(|watched| {
            let key = view.key(&watched.key);
            view.has_watched_expired(watched.db, key, flag)
        })
    };
    flag.is_raised() || expired(view)
}

fn unwatch_in(view: &mut View<'_>, transaction: &Transaction) {
    let Some(flag) = &transaction.flag else { return };
    for watched in &transaction.watched {
        let key = view.key(&watched.key);
        view.unwatch(watched.db, key, flag);
    }
}

/// Stops watching all keys of a transaction.
pub(crate) fn unwatch(engine: &Engine, transaction: &Transaction) {
    if let Some(flag) = &transaction.flag {
        unwatch_keys(engine, &transaction.watched, flag);
    }
}

/// Stops watching keys.
pub(crate) fn unwatch_keys(engine: &Engine, keys: &[Watched], flag: &Arc<WatchFlag>) {
    let mut effects = Effects::default();
    for watched in keys {
        let key = engine.keyspace.key(&watched.key);
        let keys = [key];
        match engine.keyspace.try_view(Locks::Keys(&keys), 0, &mut effects, Patience::UntilHeld) {
            Some(mut view) => view.unwatch(watched.db, key, flag),
            None => {
                let flag = Arc::clone(flag);
                engine.left_behind.add(Left::Watched { db: watched.db, key: watched.key.clone(), flag });
            }
        }
    }
}
