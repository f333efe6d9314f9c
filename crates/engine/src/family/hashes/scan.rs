//! HSCAN: the fields of a hash, some at each call.
//!
//! The cursor is the hash's own: where it is small enough for a flat encoding, one call returns all of it.

use ochre_types::hash::{Hash, HashEntry};

use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::error::Error;
use crate::family::collection_scan::{self, Filter, Options};
use crate::family::gathered::{Found, Gathered};
use crate::family::sequels::portion;

pub(super) const HSCAN: Command = Command {
    name: "hscan",
    summary: "Returns the fields of a hash and their values, some at each call.",
    since: "2.8.0",
    complexity: "O(1) for every call. O(N) for all calls until the cursor is 0 again, N being the number of fields.",
    arity: -3,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        Arg::new("cursor", ArgKind::Integer),
        Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
        COUNT.token("COUNT").optional(),
        Arg::word("novalues", "NOVALUES").optional(),
    ],
    handler: hscan,
    ..BASE
};

fn hscan(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let cursor = collection_scan::cursor(call)?;
    let now_ms = call.view.field_clock_ms();
    let mut found = Vec::new();
    let mut fields = ReplyWriter::new(&mut found, call.reply.protocol());
    let (mut count, mut next) = (0, 0);
    if let Some(hash) = call.view.read_as::<Hash>(call.client.db, call.keys[0])? {
        // Without a key, Redis does not get to the options.
        let options = Options::parse(call.args, Some("novalues"))?;
        if options.want_all_of_many(cursor, hash.len()) {
            reply_all(call, options.filter(), options.is_bare, now_ms);
            return Ok(());
        }
        next = hash.scan(cursor, options.step(), now_ms, &mut |field| {
            if options.matches(field.name) {
                count += show(field, options.is_bare, &mut fields);
            }
        });
    }
    collection_scan::reply(call, next, count, &found);
    Ok(())
}

/// Replies all fields that are wanted, in parts.
fn reply_all(call: &mut Call<'_, '_>, filter: Filter, is_bare: bool, now_ms: i64) {
    let Some(mut pinned) = call.view.pin(call.client.db, call.keys[0], Hash::pin) else { return };
    let find = move |reply: &mut ReplyWriter<'_>, bytes: usize| {
        let mut count = 0;
        let more = pinned.read(portion(bytes), now_ms, &mut |field| {
            if filter.matches(field.name) {
                count += show(field, is_bare, reply);
            }
        });
        Found { count, more }
    };
    call.promise(Box::new(Gathered::new(collection_scan::begin_last, find)));
}

/// Replies a field; the number of elements that it takes.
fn show(field: HashEntry<'_>, is_bare: bool, reply: &mut ReplyWriter<'_>) -> usize {
    reply_item(reply, field.name);
    if is_bare {
        return 1;
    }
    reply_item(reply, field.value);
    2
}
