//! Transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
//!
//! The queue lives in the client, EXEC itself in the dispatcher (it locks for the whole queue); here is the rest.

use crate::call::Call;
use crate::client::{Client, Transaction};
use crate::command::{Arg, Command, Group, KeySpec, acl, flags, key_flags};
use crate::error::Error;
use crate::execute::unwatch;

/// The family's commands.
pub const COMMANDS: &[Command] = &[DISCARD, EXEC, MULTI, UNWATCH, WATCH];

const BASE: Command =
    Command { group: Group::Transactions, acl: acl::TRANSACTION, flags: QUICK, ..Command::BASE };
const QUICK: u64 = flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST | flags::ALLOW_BUSY;

const MULTI: Command = Command {
    name: "multi",
    summary: "Starts a transaction: the commands that follow are queued.",
    since: "1.2.0",
    arity: 1,
    flags: QUICK | flags::NOT_QUEUED,
    handler: multi,
    ..BASE
};

fn multi(call: &mut Call<'_, '_>) -> Result<(), Error> {
    // Refused, but what is queued already stays good; the same goes for WATCH.
    if call.client.transaction.open {
        return Err(Error::new("ERR MULTI calls can not be nested"));
    }
    call.client.transaction.open = true;
    call.client.publish_transaction();
    call.reply.ok();
    Ok(())
}

const DISCARD: Command = Command {
    name: "discard",
    summary: "Forgets the queue of a transaction and ends it.",
    since: "2.0.0",
    complexity: "O(N), when N is the number of queued commands",
    arity: 1,
    flags: QUICK | flags::NOT_QUEUED,
    handler: discard,
    ..BASE
};

fn discard(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if !call.client.transaction.open {
        return Err(Error::new("ERR DISCARD without MULTI"));
    }
    reset(call);
    call.reply.ok();
    Ok(())
}

/// Ends the client's transaction and stops watching.
pub(super) fn reset(call: &mut Call<'_, '_>) {
    let transaction = std::mem::take(&mut call.client.transaction);
    unwatch(call.engine, &transaction);
    call.client.publish_transaction();
}

const EXEC: Command = Command {
    name: "exec",
    summary: "Runs all commands of a transaction.",
    since: "1.2.0",
    complexity: "Depends on commands in the transaction",
    arity: 1,
    flags: flags::NOSCRIPT
        | flags::LOADING
        | flags::STALE
        | flags::SKIP_SLOWLOG
        | flags::NOT_QUEUED
        | flags::RUNS_QUEUE,
    ..BASE
};

const WATCH: Command = Command {
    name: "watch",
    summary: "Makes the next EXEC depend on keys staying as they are.",
    since: "2.2.0",
    complexity: "O(1) for every key.",
    arity: -2,
    flags: QUICK | flags::NOT_QUEUED,
    keys: &[KeySpec::from(1, 1, key_flags::RO)],
    args: &[Arg::key("key", 0).multiple()],
    handler: watch,
    ..BASE
};

const INSIDE_MULTI: Error = Error::new("ERR WATCH inside MULTI is not allowed");

fn watch(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.client.transaction.open {
        return Err(INSIDE_MULTI);
    }
    let db = call.db();
    for key in call.keys {
        let transaction = &mut call.client.transaction;
        if call.view.watch(db, *key, transaction.flag.get_or_insert_default()) {
            transaction.watch(db, key.bytes);
        }
    }
    call.client.publish_transaction();
    call.reply.ok();
    Ok(())
}

/// Has the next EXEC of a client fail, since what it wants to watch cannot be watched at present.
///
/// # Errors
/// The client is in a transaction.
pub(crate) fn watch_in_vain(client: &mut Client) -> Result<(), Error> {
    if client.transaction.open {
        return Err(INSIDE_MULTI);
    }
    client.transaction.flag.get_or_insert_default().raise();
    client.publish_transaction();
    Ok(())
}

const UNWATCH: Command = Command {
    name: "unwatch",
    summary: "Forgets all watched keys.",
    since: "2.2.0",
    arity: 1,
    handler: unwatch_all,
    ..BASE
};

fn unwatch_all(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if !call.in_transaction {
        let watched = Transaction {
            watched: std::mem::take(&mut call.client.transaction.watched),
            flag: std::mem::take(&mut call.client.transaction.flag),
            ..Transaction::default()
        };
        call.client.transaction.watched_bytes = 0;
        unwatch(call.engine, &watched);
        call.client.publish_transaction();
    }
    call.reply.ok();
    Ok(())
}
