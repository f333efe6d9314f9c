//! The keys of a whole database: KEYS, RANDOMKEY, DBSIZE.

use ochre_types::{Case, glob_match, has_wildcards};

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, acl, flags};
use crate::error::Error;

pub(super) const KEYS: Command = Command {
    name: "keys",
    summary: "Returns all keys whose names match a pattern.",
    complexity: "O(N) with N being the number of keys in the database, as long as names and pattern are short.",
    arity: 2,
    flags: flags::READONLY | flags::WHOLE_KEYSPACE,
    acl: acl::KEYSPACE | acl::DANGEROUS,
    tips: &["request_policy:all_shards", "nondeterministic_output_order"],
    args: &[Arg::new("pattern", ArgKind::Pattern)],
    handler: keys,
    ..BASE
};

fn keys(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let db = call.db();
    let pattern = call.args.at(1);
    if !has_wildcards(pattern) {
        return one_key(call);
    }
    let (all, reply) = (pattern == b"*", &mut call.reply);
    let deferred = reply.defer_array();
    let mut found = 0;
    call.view.visit_all(db, &mut |entry| {
        if all || glob_match(pattern, entry.key(), Case::Sensitive) {
            reply.bulk(entry.key());
            found += 1;
        }
    });
    reply.finish_array(deferred, found);
    Ok(())
}

/// A pattern that matches nothing but itself is looked up. Like the walk this leaves no trace: an expired key is passed
/// over, not removed.
fn one_key(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let db = call.db();
    let name = call.args.at(1);
    let key = call.view.key(name);
    if call.view.is_expired(db, key) || call.view.peek(db, key).is_none() {
        call.reply.array(0);
    } else {
        call.reply.array(1);
        call.reply.bulk(name);
    }
    Ok(())
}

pub(super) const RANDOMKEY: Command = Command {
    name: "randomkey",
    summary: "Returns a key of the database at random.",
    arity: 1,
    flags: flags::READONLY | flags::WHOLE_KEYSPACE,
    tips: &["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
    handler: random_key,
    ..BASE
};

/// So many expired keys that cannot be removed are passed over before one is returned.
const HIDDEN_ATTEMPTS: u32 = 100;

fn random_key(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, now_ms) = (call.db(), call.now_ms());
    let mut attempts_left = HIDDEN_ATTEMPTS;
    // A miss removes an expired key, so this ends; in import mode and during a pause it does not, so an expired key has
    // to do in the end.
    while let Some(name) = call.view.random_key(db) {
        let key = call.view.key(&name);
        let is_there = call.view.exists(db, key);
        attempts_left -= u32::from(!is_there && call.engine.keyspace.settings.hides_expired(now_ms));
        if is_there || attempts_left == 0 {
            call.reply.bulk(&name);
            return Ok(());
        }
    }
    call.reply.null();
    Ok(())
}

pub(super) const DBSIZE: Command = Command {
    name: "dbsize",
    summary: "Tells how many keys the database has.",
    group: Group::Server,
    arity: 1,
    flags: flags::READONLY | flags::FAST | flags::WHOLE_KEYSPACE,
    tips: &["request_policy:all_shards", "response_policy:agg_sum"],
    handler: size,
    ..BASE
};

fn size(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let len = call.view.len(call.client.db);
    call.reply.integer(len as i64);
    Ok(())
}
