//! DEL and UNLINK. What is large is freed by the reclaimer after UNLINK, and after DEL if `lazyfree-lazy-user-del` says
//! so. Otherwise DEL's own client waits for it, and finds its memory free (see [`super::freeing`]).

use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::event_class;

use super::BASE;
use super::freeing::reply_once_freed;
use crate::call::Call;
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::Error;

pub(super) const DEL: Command = Command {
    name: "del",
    summary: "Removes keys.",
    complexity: "O(N) where N is the number of keys and of the allocations that their values are made of.",
    arity: -2,
    flags: flags::WRITE,
    keys: &[KeySpec::from(1, 1, key_flags::RM | key_flags::DELETE)],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    args: &[Arg::key("key", 0).multiple()],
    handler: |call| {
        let in_background = call.engine.settings.lazy_user_del.load(Relaxed);
        remove(call, in_background)
    },
    ..BASE
};

pub(super) const UNLINK: Command = Command {
    name: "unlink",
    summary: "Removes keys; their values are freed in the background.",
    since: "4.0.0",
    complexity: "O(1) for each key, whatever its size. Freeing the values takes O(N) in another thread, where N is \
                 the number of allocations they were made of.",
    flags: flags::WRITE | flags::FAST,
    handler: |call| remove(call, true),
    ..DEL
};

fn remove(call: &mut Call<'_, '_>, in_background: bool) -> Result<(), Error> {
    let db = call.db();
    let earlier = call.view.effects().garbage.len();
    let mut removed = 0;
    for key in call.keys {
        if call.view.remove(db, *key) {
            call.notify(event_class::GENERIC, "del", *key);
            removed += 1;
        }
    }
    if call.view.effects().garbage.len() == earlier || in_background {
        call.reply.integer(removed);
        return Ok(());
    }
    reply_once_freed(call, earlier, format!(":{removed}\r\n").as_bytes());
    Ok(())
}
