//! The commands, family by family: each record beside its handler.

mod acl;
mod admin;
mod bitmap;
mod collection_scan;
mod command;
mod connection;
mod draws;
mod gathered;
mod geo;
mod hashes;
mod hyperloglog;
mod keys;
mod lists;
mod pieces;
mod pubsub;
mod reply_item;
mod reply_map;
mod scripting;
mod sequels;
mod server;
mod sets;
mod sort;
mod sorted_sets;
mod streams;
mod strings;
mod transactions;

use crate::command::Command;

pub use admin::DebugSwitches;
pub(crate) use connection::end_tracking;
pub(crate) use keys::is_copied_aside;
pub use keys::{NO_LOG, reply_to_wait_for_logs};
pub(crate) use lists::list_limits;
pub(crate) use pubsub::end_subscriptions;
pub(crate) use strings::new_string;
pub(crate) use transactions::watch_in_vain;

/// The commands of all families.
pub const ALL: &[&[Command]] = &[
    acl::COMMANDS,
    admin::COMMANDS,
    bitmap::COMMANDS,
    command::COMMANDS,
    connection::COMMANDS,
    hashes::COMMANDS,
    geo::COMMANDS,
    hyperloglog::COMMANDS,
    keys::COMMANDS,
    lists::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    sorted_sets::COMMANDS,
    sets::COMMANDS,
    sort::COMMANDS,
    streams::COMMANDS,
    strings::COMMANDS,
    transactions::COMMANDS,
];
