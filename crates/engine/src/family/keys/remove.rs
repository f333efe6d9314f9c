//! DEL and UNLINK. They differ in name only: what is large is always freed by the reclaimer, so that no client waits for
//! it (`lazyfree-lazy-user-del` is what makes Redis's DEL do the same).

use ochre_keyspace::event_class;

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::Error;

pub(super) const DEL: Command = Command {
    name: "del",
    summary: "Removes keys.",
    complexity: "O(N) where N is the number of keys. What a large value takes to be freed is not paid by the client.",
    arity: -2,
    flags: flags::WRITE,
    keys: &[KeySpec::from(1, 1, key_flags::RM | key_flags::DELETE)],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    args: &[Arg::key("key", 0).multiple()],
    handler: remove,
    ..BASE
};

pub(super) const UNLINK: Command = Command {
    name: "unlink",
    summary: "Removes keys; their values are freed in the background.",
    since: "4.0.0",
    complexity: "O(1) for each key, whatever its size. Freeing the values takes O(N) in another thread, where N is \
                 the number of allocations they were made of.",
    flags: flags::WRITE | flags::FAST,
    ..DEL
};

fn remove(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let db = call.db();
    let mut removed = 0;
    for key in call.keys {
        if call.view.remove(db, *key) {
            call.notify(event_class::GENERIC, "del", *key);
            removed += 1;
        }
    }
    call.reply.integer(removed);
    Ok(())
}
