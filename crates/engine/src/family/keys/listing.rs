//! The keys of a whole database: KEYS, RANDOMKEY, DBSIZE.
//!
//! KEYS shows one instant. Where there are many keys, that is the instant of a snapshot, which is told aside (see [`crate::aside`]): all
//! stripes are locked to begin it, and then one at a time.

use ochre_keyspace::{SavedKey, SnapshotSink};
use ochre_types::{Case, glob_match, has_wildcards};

use super::BASE;
use crate::aside::Compute;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, acl, flags};
use crate::error::Error;
use crate::family::pieces::Pieces;
use crate::sequel::ELEMENTS_AT_ONCE;

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
    let (db, pattern) = (call.db(), call.args.at(1));
    if !has_wildcards(pattern) {
        return one_key(call);
    }
    let here = |call: &mut Call<'_, '_>| {
        let mut names = Names::new(call);
        call.view.visit_all(db, &mut |entry| names.look_at(entry.key()));
        Ok(names)
    };
    let Some(Names { found, .. }) = call.make(&[], listed_aside, here)? else { return Ok(()) };
    call.reply.array(found.count());
    found.reply(call);
    Ok(())
}

/// So many keys are looked at in one go: some milliseconds.
const KEYS_AT_ONCE: usize = if cfg!(debug_assertions) { ELEMENTS_AT_ONCE } else { 4 * ELEMENTS_AT_ONCE };

/// Has a snapshot told aside, if there are many keys, unless several are told already.
fn listed_aside(call: &mut Call<'_, '_>) -> Option<Compute<Names>> {
    if call.view.len(call.client.db) <= KEYS_AT_ONCE {
        return None;
    }
    let engine = call.engine.persistence.engine()?;
    let mut names = Names::new(call);
    let snapshot = call.view.begin_brief_snapshot()?;
    Some(Box::new(move || {
        engine.keyspace.tell_snapshot(snapshot, &mut names);
        names
    }))
}

/// Names that match the pattern, as they will be replied.
struct Names {
    found: Pieces,
    /// `None` to match all.
    pattern: Option<Vec<u8>>,
    db: u32,
    /// Keys whose time has come by then are not shown, unix time in ms.
    live_ms: i64,
}

impl Names {
    fn new(call: &Call<'_, '_>) -> Names {
        Names {
            found: Pieces::new(call.reply.protocol()),
            pattern: Some(call.args.at(1)).filter(|pattern| *pattern != b"*").map(<[u8]>::to_vec),
            db: call.client.db,
            live_ms: if call.view.sees_expired() { i64::MIN } else { call.view.now_ms() },
        }
    }

    fn look_at(&mut self, name: &[u8]) {
        let matches = |pattern: &[u8]| glob_match(pattern, name, Case::Sensitive);
        if self.pattern.as_deref().is_none_or(matches) {
            self.found.add(|reply| reply.bulk(name));
        }
    }
}

/// What a snapshot tells.
impl SnapshotSink for Names {
    fn save(&mut self, key: SavedKey<'_>) {
        let is_live = key.expire_ms.is_none_or(|expire_ms| expire_ms > self.live_ms);
        if key.db == self.db && is_live {
            self.look_at(key.key);
        }
    }

    fn goes_on(&mut self) -> bool {
        true
    }

    fn wants_values(&self) -> bool {
        false
    }
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
