//! Sets: members without order, each of them once.
//!
//! What a set is and does is `ochre_types::set`'s; here are the requests and replies. Commands over several sets look at
//! each key once in the way that counts (see [`sets_of`]), and then at all of them together.

mod cardinality;
mod combine;
mod members;
mod random;
mod scan;
#[cfg(test)]
mod tests;

use ochre_keyspace::Key;
use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;
use ochre_types::set::Set;

use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, KeySpec, acl, key_flags};
use crate::error::Error;
use crate::family::reply_item::{Room, reply_item};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    members::SADD,
    members::SCARD,
    members::SISMEMBER,
    members::SMEMBERS,
    members::SMISMEMBER,
    members::SMOVE,
    members::SREM,
    combine::SDIFF,
    combine::SDIFFSTORE,
    combine::SINTER,
    combine::SINTERSTORE,
    combine::SUNION,
    combine::SUNIONSTORE,
    cardinality::SDIFFCARD,
    cardinality::SINTERCARD,
    cardinality::SUNIONCARD,
    random::SPOP,
    random::SRANDMEMBER,
    scan::SSCAN,
];

const BASE: Command = Command { group: Group::Set, acl: acl::SET, ..Command::BASE };

const READS: &[KeySpec] = &[KeySpec::first(key_flags::RO | key_flags::ACCESS)];
const ASKS: &[KeySpec] = &[KeySpec::first(key_flags::RO)];

const KEY: Arg = Arg::key("key", 0);
const MEMBER: Arg = Arg::new("member", ArgKind::String);
const COUNT: Arg = Arg::new("count", ArgKind::Integer);

/// The sets of several keys, in their order; `None` for a key that is not there.
///
/// # Errors
/// One of the keys holds another type.
fn sets_of<'v>(call: &'v mut Call<'_, '_>, keys: &[Key<'_>]) -> Result<Vec<Option<&'v Set>>, Error> {
    let db = call.db();
    for key in keys {
        call.view.read_as::<Set>(db, *key)?;
    }
    let view = &*call.view;
    keys.iter().map(|key| Ok(view.glance_as(db, *key)?)).collect()
}
