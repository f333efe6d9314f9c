//! FLUSHDB and FLUSHALL: empty tables take the place of full ones, which are freed elsewhere.
//!
//! ASYNC hands them to the reclaimer. SYNC has them freed before its client gets the reply, but after the locks are released, and
//! elsewhere if it takes long (see [`super::freeing`]): meanwhile everybody else goes on with the empty tables.

use std::sync::atomic::Ordering::Relaxed;

use super::BASE;
use super::freeing::reply_once_freed;
use crate::call::{Call, Propagation};
use crate::command::{Arg, Command, Group, acl, flags};
use crate::error::{Error, SYNTAX};

const HISTORY: &[(&str, &str)] = &[("4.0.0", "The mode `ASYNC` came."), ("6.2.0", "The mode `SYNC` came.")];

pub(super) const FLUSHDB: Command = Command {
    name: "flushdb",
    summary: "Removes all keys of the selected database.",
    group: Group::Server,
    complexity: "O(N) where N is the number of keys in the selected database",
    arity: -1,
    flags: flags::WRITE | flags::WHOLE_KEYSPACE,
    acl: acl::KEYSPACE | acl::DANGEROUS,
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    args: &[Arg::one_of(
        "flush-type",
        &[Arg::word("async", "ASYNC").since("4.0.0"), Arg::word("sync", "SYNC").since("6.2.0")],
    )
    .optional()],
    history: HISTORY,
    handler: |call| {
        let db = call.db();
        flush(call, db..db + 1)
    },
    ..BASE
};

pub(super) const FLUSHALL: Command = Command {
    name: "flushall",
    summary: "Removes all keys of all databases.",
    complexity: "O(N) where N is the total number of keys in all databases",
    handler: |call| {
        let databases = call.engine.keyspace.databases() as u32;
        flush(call, 0..databases)
    },
    ..FLUSHDB
};

fn flush(call: &mut Call<'_, '_>, databases: std::ops::Range<u32>) -> Result<(), Error> {
    let in_background = match call.args.len() {
        1 => call.engine.settings.lazy_user_flush.load(Relaxed),
        2 if call.args.is(1, "async") => true,
        2 if call.args.is(1, "sync") => false,
        _ => return Err(SYNTAX),
    };
    let (databases_len, earlier) = (databases.len(), call.view.effects().garbage.len());
    for db in databases {
        let garbage = call.view.clear(db);
        call.view.effects().garbage.extend(garbage);
    }
    call.view.note_flush();
    if databases_len == call.engine.keyspace.databases() {
        // What a snapshot shows is gone, and must not come back.
        call.engine.persistence.cancel();
        if !call.engine.config.read().save_points().is_empty() {
            call.engine.persistence.schedule();
        }
    }
    // Replicas and logs hear of it even if there was nothing to remove here.
    call.propagation = Propagation::Forced;
    match in_background {
        true => call.reply.ok(),
        false => reply_once_freed(call, earlier, b"+OK\r\n"),
    }
    Ok(())
}
