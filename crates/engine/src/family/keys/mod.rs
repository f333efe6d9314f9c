//! Keys of any type: to find, remove, rename, copy, expire and count them.

mod copy;
mod database;
mod dump;
mod expire;
mod flush;
mod freeing;
mod listing;
mod migrate;
mod object;
mod presence;
mod remove;
mod rename;
mod restore;
mod scan;
#[cfg(test)]
mod tests;
mod time_to_live;
mod wait;

use crate::command::{Command, Group, acl};

pub(crate) use copy::is_copied_aside;
pub use wait::{NO_LOG, reply_to_wait_for_logs};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    copy::COPY,
    listing::DBSIZE,
    remove::DEL,
    dump::DUMP,
    presence::EXISTS,
    expire::EXPIRE,
    expire::EXPIREAT,
    time_to_live::EXPIRETIME,
    flush::FLUSHALL,
    flush::FLUSHDB,
    listing::KEYS,
    migrate::MIGRATE,
    copy::MOVE,
    object::OBJECT,
    expire::PERSIST,
    expire::PEXPIRE,
    expire::PEXPIREAT,
    time_to_live::PEXPIRETIME,
    time_to_live::PTTL,
    listing::RANDOMKEY,
    rename::RENAME,
    rename::RENAMENX,
    restore::RESTORE,
    restore::RESTORE_ASKING,
    scan::SCAN,
    database::SWAPDB,
    presence::TOUCH,
    time_to_live::TTL,
    presence::TYPE,
    remove::UNLINK,
    wait::WAIT,
    wait::WAITAOF,
];

const BASE: Command = Command { group: Group::Generic, acl: acl::KEYSPACE, ..Command::BASE };
