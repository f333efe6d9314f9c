//! Streams: logs of entries, and groups of consumers who share the work of reading them.
//!
//! - `arguments`: IDs, ranges and lists of them, as several commands take them
//! - `reply`: entries and IDs in replies
//! - `add`, `trim`, `delete`: what changes the entries
//! - `range`, `read`, `read_group`, `budget`, `wanted`: what returns them; the last two of the commands may wait for some
//! - `group`, `acknowledge`, `nack`, `claim`, `pending`: groups, and what they have not finished
//! - `propagation`: what the journal gets of all that
//! - `info`: how streams are doing
//! - `set_id`, `idempotency`: what is set for whole streams

mod acknowledge;
mod add;
mod arguments;
mod budget;
mod claim;
mod delete;
mod group;
mod idempotency;
mod info;
mod nack;
mod pending;
mod propagation;
mod range;
mod read;
mod read_group;
mod reply;
mod set_id;
#[cfg(test)]
mod tests;
mod trim;
mod wanted;

use std::sync::atomic::Ordering::Relaxed;

use ochre_types::stream::{IdempotencyLimits, NodeLimits};

use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};
use crate::error::Error;

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    acknowledge::XACK,
    acknowledge::XACKDEL,
    add::XADD,
    claim::XAUTOCLAIM,
    idempotency::XCFGSET,
    claim::XCLAIM,
    delete::XDEL,
    delete::XDELEX,
    group::XGROUP,
    idempotency::XIDMPRECORD,
    info::XINFO,
    range::XLEN,
    nack::XNACK,
    pending::XPENDING,
    range::XRANGE,
    read::XREAD,
    read_group::XREADGROUP,
    range::XREVRANGE,
    set_id::XSETID,
    trim::XTRIM,
];

const BASE: Command = Command { group: Group::Stream, acl: acl::STREAM, since: "5.0.0", ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];
const UPDATES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::UPDATE)];
const DELETES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::DELETE)];

const KEY: Arg = Arg::key("key", 0);
const GROUP: Arg = Arg::new("group", ArgKind::String);
const CONSUMER: Arg = Arg::new("consumer", ArgKind::String);
const ID: Arg = Arg::new("id", ArgKind::String);
const IDS: Arg = ID.multiple();
const COUNT: Arg = Arg::new("count", ArgKind::Integer).token("COUNT").optional();

/// The event of a consumer that was made because it was named.
const CONSUMER_CREATED: &str = "xgroup-createconsumer";

/// Where nodes of streams end, as configured at this moment.
fn node_limits(call: &Call<'_, '_>) -> NodeLimits {
    let settings = &call.engine.settings;
    NodeLimits {
        bytes: settings.stream_node_max_bytes.load(Relaxed),
        entries: settings.stream_node_max_entries.load(Relaxed),
    }
}

/// How much a stream is to remember of idempotent producers if it is made now. A stream keeps what was configured when it was
/// made, so this is asked for keys that may not be there yet; `None` if the key is there, or if what every stream has
/// unless it is told otherwise will do.
fn limits_of_new(call: &mut Call<'_, '_>) -> Option<IdempotencyLimits> {
    let settings = &call.engine.settings;
    let limits = IdempotencyLimits {
        duration_s: settings.stream_idmp_duration_s.load(Relaxed),
        ids_max: settings.stream_idmp_maxsize.load(Relaxed),
    };
    if limits == IdempotencyLimits::default() {
        return None;
    }
    let (db, key) = (call.db(), call.key());
    call.view.peek(db, key).is_none().then_some(limits)
}

/// `NOGROUP No such key '...' or consumer group '...'`, and what else is to be said.
#[cold]
fn no_group(key: &[u8], group: &[u8], what: &str) -> Error {
    quote_two("NOGROUP No such key '", key, "' or consumer group '", group, &format!("'{what}"))
}

/// `NOGROUP No such consumer group '...' for key name '...'`.
#[cold]
fn no_such_group(group: &[u8], key: &[u8]) -> Error {
    quote_two("NOGROUP No such consumer group '", group, "' for key name '", key, "'")
}

fn quote_two(before: &str, one: &[u8], between: &str, two: &[u8], after: &str) -> Error {
    let until_nul = |arg: &[u8]| arg.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let parts = [before.as_bytes(), &until_nul(one), between.as_bytes(), &until_nul(two), after.as_bytes()];
    Error::of_bytes(parts.concat())
}
