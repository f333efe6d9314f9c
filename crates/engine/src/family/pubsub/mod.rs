//! Channels: subscribing, publishing, and asking who listens.
//!
//! Who gets what is the business of [`crate::messages`]; here are the commands. Subscribing replies once for each channel,
//! and these replies are pushes like the messages: they come even to a client that wants no replies.

mod introspect;
mod publish;
mod subscribe;

pub(crate) use subscribe::end_subscriptions;
pub(in crate::family) use subscribe::reset;

use crate::command::{Command, Group, KeySpec, flags, key_flags};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    subscribe::PSUBSCRIBE,
    publish::PUBLISH,
    introspect::PUBSUB,
    subscribe::PUNSUBSCRIBE,
    publish::SPUBLISH,
    subscribe::SSUBSCRIBE,
    subscribe::SUBSCRIBE,
    subscribe::SUNSUBSCRIBE,
    subscribe::UNSUBSCRIBE,
];

const BASE: Command = Command {
    since: "2.0.0",
    group: Group::Pubsub,
    flags: flags::PUBSUB | flags::LOADING | flags::STALE,
    ..Command::BASE
};

/// Sharded channels belong to slots, as keys do.
const SHARD_CHANNELS: &[KeySpec] = &[KeySpec::from(1, 1, key_flags::NOT_KEY)];
