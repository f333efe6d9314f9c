//! SAVE, BGSAVE, LASTSAVE: snapshots that a client asks for. None of them keeps others waiting.

use super::BASE;
use crate::aof::RewriteAsked;
use crate::call::Call;
use crate::command::{Arg, Command, acl, flags};
use crate::error::{Error, SYNTAX};
use crate::persistence::{Begun, wait_for_save};

const SAVES: u64 = flags::ADMIN | flags::NOSCRIPT | flags::NO_ASYNC_LOADING | flags::WHOLE_KEYSPACE;

pub(super) const SAVE: Command = Command {
    name: "save",
    summary: "Saves the data set to disk and replies once that is done.",
    complexity: "O(N) where N is the total number of keys in all databases",
    arity: 1,
    flags: SAVES | flags::NO_MULTI,
    handler: |call| {
        let waiting = (call.worker.index, call.client.id());
        call.engine.begin_save(call.view, Some(waiting))?;
        wait_for_save(call.client);
        Ok(())
    },
    ..BASE
};

pub(super) const BGSAVE: Command = Command {
    name: "bgsave",
    summary: "Saves the data set to disk in the background.",
    complexity: "O(1)",
    arity: -1,
    flags: SAVES,
    args: &[Arg::one_of(
        "operation",
        &[Arg::word("schedule", "SCHEDULE").since("3.2.2"), Arg::word("cancel", "CANCEL").since("8.1.0")],
    )
    .optional()],
    history: &[("3.2.2", "Added the `SCHEDULE` option.")],
    handler: bgsave,
    ..BASE
};

fn bgsave(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let schedules = match call.args.get(1) {
        None => false,
        Some(_) if call.args.len() > 2 => return Err(SYNTAX),
        // What it waits for is a rewrite of the log; a snapshot that is being written is no reason to wait.
        Some(word) if word.eq_ignore_ascii_case(b"schedule") => true,
        Some(word) if word.eq_ignore_ascii_case(b"cancel") => return cancel(call),
        Some(_) => return Err(SYNTAX),
    };
    call.reply.simple(match call.engine.ask_for_save(call.view, schedules, call.in_transaction)? {
        Begun::Now => "Background saving started",
        Begun::Later => "Background saving scheduled",
    });
    Ok(())
}

fn cancel(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let persistence = &call.engine.persistence;
    if persistence.take_scheduled() {
        call.reply.simple("Scheduled background saving cancelled");
    } else if persistence.cancel() {
        call.reply.simple("Background saving cancelled");
    } else {
        return Err(Error::new("ERR Background saving is currently not in progress or scheduled"));
    }
    Ok(())
}

pub(super) const BGREWRITEAOF: Command = Command {
    name: "bgrewriteaof",
    summary: "Rewrites the append-only file in the background, so that it is as short as the data allow.",
    complexity: "O(1)",
    arity: 1,
    flags: SAVES,
    handler: |call| {
        call.reply.simple(match call.engine.ask_for_rewrite(call.view, call.in_transaction)? {
            RewriteAsked::Started => "Background append only file rewriting started",
            RewriteAsked::Scheduled => "Background append only file rewriting scheduled",
        });
        Ok(())
    },
    ..BASE
};

pub(super) const LASTSAVE: Command = Command {
    name: "lastsave",
    summary: "Returns the time of the last successful save, in Unix seconds.",
    complexity: "O(1)",
    arity: 1,
    flags: flags::LOADING | flags::STALE | flags::FAST,
    acl: acl::ADMIN | acl::DANGEROUS,
    tips: &["nondeterministic_output"],
    handler: |call| {
        call.reply.integer(call.engine.persistence.last_success_s());
        Ok(())
    },
    ..BASE
};
