//! Lists: elements in the order in which they were pushed, at either end.
//!
//! `push`, `pop` and `moves` work at the ends, `read`, `position` and `change` anywhere. `blocking` has the forms of pops
//! and moves that wait until there is something. What all of them say about ends (words, events, the commands that the
//! journal has for them) is in `ends`.

mod blocking;
mod change;
mod ends;
mod moves;
mod pop;
mod position;
mod push;
mod read;
#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::ReplyWriter;
use ochre_types::list::ListLimits;

use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};
use crate::engine::Engine;
use crate::family::reply_item::{Room, reply_item};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    blocking::BLMOVE,
    blocking::BLMOVEM,
    blocking::BLMPOP,
    blocking::BLPOP,
    blocking::BRPOP,
    blocking::BRPOPLPUSH,
    read::LINDEX,
    change::LINSERT,
    read::LLEN,
    moves::LMOVE,
    moves::LMOVEM,
    pop::LMPOP,
    pop::LPOP,
    position::LPOS,
    push::LPUSH,
    push::LPUSHX,
    read::LRANGE,
    change::LREM,
    change::LSET,
    change::LTRIM,
    pop::RPOP,
    moves::RPOPLPUSH,
    push::RPUSH,
    push::RPUSHX,
];

const BASE: Command = Command { group: Group::List, acl: acl::LIST, ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];
const INSERTS: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::INSERT)];
const DELETES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::DELETE)];
const POPS: &[KeySpec] = &[KeySpec::first(POPPED)];
/// What is done to a list that elements are taken from and told.
const POPPED: u32 = key_flags::RW | key_flags::ACCESS | key_flags::DELETE;

const KEY: Arg = Arg::key("key", 0);
const ELEMENT: Arg = Arg::new("element", ArgKind::String);
const INDEX: Arg = Arg::new("index", ArgKind::Integer);
const START: Arg = Arg::new("start", ArgKind::Integer);
const STOP: Arg = Arg::new("stop", ArgKind::Integer);

/// When lists change their encoding, as configured at this moment: the only place that knows, since DEBUG has a say in it.
pub(crate) fn list_limits(engine: &Engine) -> ListLimits {
    let (settings, debug) = (&engine.settings, &engine.debug);
    ListLimits {
        max_listpack_size: settings.list_max_listpack_size.load(Relaxed),
        compress_depth: settings.list_compress_depth.load(Relaxed),
        plain_from_bytes: usize::try_from(debug.packed_threshold_bytes.load(Relaxed)).unwrap_or(usize::MAX),
    }
}

fn limits(call: &Call<'_, '_>) -> ListLimits {
    list_limits(call.engine)
}
