//! Whether keys are there and what they hold: EXISTS, TYPE, TOUCH.

use ochre_keyspace::type_name;

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::Error;

pub(super) const EXISTS: Command = Command {
    name: "exists",
    summary: "Counts those of the given keys that exist; one given twice counts twice.",
    complexity: "O(N) where N is the number of keys to check.",
    arity: -2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::from(1, 1, key_flags::RO)],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    args: &[Arg::key("key", 0).multiple()],
    history: &[("3.0.3", "Several keys may be given.")],
    handler: exists,
    ..BASE
};

fn exists(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let db = call.db();
    let found = call.keys.iter().filter(|key| call.view.look(db, **key).is_some()).count();
    call.reply.integer(found as i64);
    Ok(())
}

pub(super) const TYPE: Command = Command {
    name: "type",
    summary: "Tells the type of the value that a key holds.",
    arity: 2,
    flags: flags::READONLY | flags::FAST,
    keys: &[KeySpec::first(key_flags::RO)],
    args: &[Arg::key("key", 0)],
    handler: type_of,
    ..BASE
};

fn type_of(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let name = call.view.look(call.client.db, call.key()).map_or("none", type_name);
    call.reply.simple(name);
    Ok(())
}

pub(super) const TOUCH: Command = Command {
    name: "touch",
    summary: "Marks keys as used just now and counts those that exist.",
    since: "3.2.1",
    complexity: "O(N) where N is the number of keys that will be touched.",
    handler: touch,
    history: &[],
    ..EXISTS
};

fn touch(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let db = call.db();
    // The one command whose purpose it is touches keys even for clients in no-touch mode.
    call.view.set_no_touch(false);
    let found = call.keys.iter().filter(|key| call.view.touch_key(db, **key)).count();
    call.view.set_no_touch(call.client.no_touch);
    call.reply.integer(found as i64);
    Ok(())
}
