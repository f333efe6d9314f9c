//! SSCAN: the members of a set, some at each call.
//!
//! The cursor is the set's own: where it is small enough for a flat encoding, one call returns all of it.

use ochre_types::set::Set;

use super::*;
use crate::command::flags;
use crate::family::collection_scan::{self, Filter, Options};
use crate::family::gathered::{Found, Gathered};
use crate::family::sequels::portion;

pub(super) const SSCAN: Command = Command {
    name: "sscan",
    summary: "Returns the members of a set, some at each call.",
    since: "2.8.0",
    complexity: "O(1) for every call. O(N) for all calls until the cursor is 0 again, N being the number of members.",
    arity: -3,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        Arg::new("cursor", ArgKind::Integer),
        Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
        COUNT.token("COUNT").optional(),
    ],
    handler: sscan,
    ..BASE
};

fn sscan(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let cursor = collection_scan::cursor(call)?;
    let mut found = Vec::new();
    let mut members = ReplyWriter::new(&mut found, call.reply.protocol());
    let (mut count, mut next) = (0, 0);
    if let Some(set) = call.view.read_as::<Set>(call.client.db, call.keys[0])? {
        // Without a key, Redis does not get to the options.
        let options = Options::parse(call.args, None)?;
        if options.want_all_of_many(cursor, set.len()) {
            reply_all(call, options.filter());
            return Ok(());
        }
        next = set.scan(cursor, options.step(), &mut |item| {
            if options.matches(item) {
                reply_item(&mut members, item);
                count += 1;
            }
        });
    }
    collection_scan::reply(call, next, count, &found);
    Ok(())
}

/// Replies all members that are wanted, in parts.
fn reply_all(call: &mut Call<'_, '_>, filter: Filter) {
    let Some(mut pinned) = call.view.pin(call.client.db, call.keys[0], Set::pin) else { return };
    let find = move |reply: &mut ReplyWriter<'_>, bytes: usize| {
        let mut count = 0;
        let more = pinned.read(portion(bytes), &mut |member| {
            if filter.matches(member) {
                reply_item(reply, member);
                count += 1;
            }
        });
        Found { count, more }
    };
    call.promise(Box::new(Gathered::new(collection_scan::begin_last, find)));
}
