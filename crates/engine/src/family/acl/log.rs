//! ACL LOG: what was refused lately.

use ochre_acl::LogEntry;
use ochre_resp::ReplyWriter;

use super::{ADMIN, BASE, too_many};
use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command};
use crate::engine::clock_ms;
use crate::error::Error;

pub(super) const LOG: Command = Command {
    name: "log",
    summary: "Shows what was refused lately, or forgets it.",
    complexity: "O(N) with N being the number of entries shown.",
    arity: -2,
    flags: ADMIN,
    args: &[Arg::one_of("operation", &[Arg::new("count", ArgKind::Integer), Arg::word("reset", "RESET")])
        .optional()],
    history: &[("7.2.0", "Entries have a number, and times in ms.")],
    handler: log,
    ..BASE
};

const NEWEST: i64 = 10;

fn log(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() > 3 {
        return Err(too_many(call));
    }
    if call.args.is(2, "reset") {
        call.engine.with_refusals(ochre_acl::Log::clear);
        call.reply.ok();
        return Ok(());
    }
    let count = call.args.get(2).map_or(Ok(NEWEST), integer)?.max(0) as usize;
    let (reply, now_ms) = (&mut call.reply, clock_ms());
    call.engine.with_refusals(|log| {
        reply.array(count.min(log.entries().len()));
        log.entries().take(count).for_each(|entry| show(reply, entry, now_ms));
    });
    Ok(())
}

fn show(reply: &mut ReplyWriter<'_>, entry: &LogEntry, now_ms: i64) {
    reply.map(10);
    reply.bulk(b"count");
    reply.integer(entry.count as i64);
    let texts: [(&str, &[u8]); 4] = [
        ("reason", entry.reason.word().as_bytes()),
        ("context", entry.context.word().as_bytes()),
        ("object", &entry.object),
        ("username", &entry.user),
    ];
    for (name, text) in texts {
        reply.bulk(name.as_bytes());
        reply.bulk(text);
    }
    reply.bulk(b"age-seconds");
    reply.double((now_ms - entry.updated_ms) as f64 / 1000.0);
    reply.bulk(b"client-info");
    reply.bulk(&entry.client);
    let numbers = [
        ("entry-id", entry.id as i64),
        ("timestamp-created", entry.created_ms),
        ("timestamp-last-updated", entry.updated_ms),
    ];
    for (name, number) in numbers {
        reply.bulk(name.as_bytes());
        reply.integer(number);
    }
}
