//! ZSCAN: the members of a sorted set, some at each call.
//!
//! The cursor is the sorted set's own: a small one is returned whole.

use ochre_types::zset::ZSet;

use super::*;
use crate::call::Call;
use crate::command::flags;
use crate::family::collection_scan::{self, Filter, Options};
use crate::family::gathered::{Found, Gathered};
use crate::family::sequels::portion;

pub(super) const ZSCAN: Command = Command {
    name: "zscan",
    summary: "Returns the members of a sorted set with their scores, some at each call.",
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
        Arg::word("noscores", "NOSCORES").optional(),
    ],
    handler: zscan,
    ..BASE
};

fn zscan(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let cursor = collection_scan::cursor(call)?;
    let mut found = Vec::new();
    let mut members = ReplyWriter::new(&mut found, call.reply.protocol());
    let (mut count, mut next) = (0, 0);
    if let Some(zset) = call.view.read_as::<ZSet>(call.client.db, call.keys[0])? {
        // Without a key, Redis does not get to the options.
        let options = Options::parse(call.args, Some("noscores"))?;
        if options.want_all_of_many(cursor, zset.len()) {
            reply_all(call, options.filter(), options.is_bare);
            return Ok(());
        }
        let mut text = Vec::new();
        next = zset.scan(cursor, options.step(), &mut |member, score| {
            if options.matches(member) {
                reply_item(&mut members, member);
                count += 1;
                if !options.is_bare {
                    text.clear();
                    zset.push_score(&mut text, score);
                    members.bulk(&text);
                    count += 1;
                }
            }
        });
    }
    collection_scan::reply(call, next, count, &found);
    Ok(())
}

/// Replies all members that are wanted, in parts.
fn reply_all(call: &mut Call<'_, '_>, filter: Filter, is_bare: bool) {
    let Some(mut pinned) = call.view.pin(call.client.db, call.keys[0], ZSet::pin) else { return };
    let mut text = Vec::new();
    let find = move |reply: &mut ReplyWriter<'_>, bytes: usize| {
        let (mut count, is_small) = (0, pinned.as_flat().is_some());
        let more = pinned.read(portion(bytes), &mut |member, score| {
            if filter.matches(member) {
                reply_item(reply, member);
                count += 1;
                if !is_bare {
                    text.clear();
                    ZSet::push_score_of(is_small, &mut text, score);
                    reply.bulk(&text);
                    count += 1;
                }
            }
        });
        Found { count, more }
    };
    call.promise(Box::new(Gathered::new(collection_scan::begin_last, find)));
}
