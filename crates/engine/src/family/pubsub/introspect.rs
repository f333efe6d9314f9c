//! PUBSUB: which channels somebody listens to, and how many do.

use ochre_types::{Case, glob_match};

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;
use crate::family::server::reply_help;
use crate::messages::Kind;

pub(super) const PUBSUB: Command = Command {
    name: "pubsub",
    summary: "Commands about channels and their subscribers.",
    since: "2.8.0",
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: 0,
    subcommands: &[CHANNELS, HELP, NUMPAT, NUMSUB, SHARDCHANNELS, SHARDNUMSUB],
    ..BASE
};

const SUB: Command = Command { since: "2.8.0", arity: -2, ..BASE };

const CHANNELS: Command = Command {
    name: "channels",
    summary: "Lists the channels that somebody is subscribed to.",
    complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively \
                 short channels and patterns)",
    args: &[Arg::new("pattern", ArgKind::Pattern).optional()],
    handler: |call| channels(call, Kind::Channel),
    ..SUB
};

const SHARDCHANNELS: Command = Command {
    name: "shardchannels",
    summary: "Lists the sharded channels that somebody is subscribed to.",
    since: "7.0.0",
    complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern matching \
                 (relatively short shard channels).",
    handler: |call| channels(call, Kind::ShardChannel),
    ..CHANNELS
};

fn channels(call: &mut Call<'_, '_>, kind: Kind) -> Result<(), Error> {
    if call.args.len() > 3 {
        return Err(unknown(call));
    }
    let pattern = call.args.get(2);
    let is_wanted = |name: &[u8]| pattern.is_none_or(|pattern| glob_match(pattern, name, Case::Sensitive));
    let channels = call.engine.messages.channels(kind, is_wanted);
    call.reply.array(channels.len());
    channels.iter().for_each(|name| call.reply.bulk(name));
    Ok(())
}

const NUMSUB: Command = Command {
    name: "numsub",
    summary: "Tells how many clients are subscribed to channels.",
    complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
    args: &[Arg::new("channel", ArgKind::String).optional().multiple()],
    handler: |call| numsub(call, Kind::Channel),
    ..SUB
};

const SHARDNUMSUB: Command = Command {
    name: "shardnumsub",
    summary: "Tells how many clients are subscribed to sharded channels.",
    since: "7.0.0",
    complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
    args: &[Arg::new("shardchannel", ArgKind::String).optional().multiple()],
    handler: |call| numsub(call, Kind::ShardChannel),
    ..SUB
};

/// As in Redis, an array in both protocols.
fn numsub(call: &mut Call<'_, '_>, kind: Kind) -> Result<(), Error> {
    let channels = call.args.from(2);
    call.reply.array(2 * channels.len());
    for channel in channels {
        let subscribers = call.engine.messages.subscribers(kind, channel);
        call.reply.bulk(channel);
        call.reply.integer(subscribers as i64);
    }
    Ok(())
}

const NUMPAT: Command = Command {
    name: "numpat",
    summary: "Tells to how many patterns somebody is subscribed.",
    arity: 2,
    handler: |call| {
        call.reply.integer(call.engine.messages.count(Kind::Pattern) as i64);
        Ok(())
    },
    ..SUB
};

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    since: "6.2.0",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: |call| {
        reply_help(
            call,
            "PUBSUB",
            &[
                "CHANNELS [<pattern>]",
                "    Return the currently active channels matching a <pattern> (default: '*').",
                "NUMPAT",
                "    Return number of subscriptions to patterns.",
                "NUMSUB [<channel> ...]",
                "    Return the number of subscribers for the specified channels, excluding",
                "    pattern subscriptions(default: no channels).",
                "SHARDCHANNELS [<pattern>]",
                "    Return the currently active shard level channels matching a <pattern> (default: '*').",
                "SHARDNUMSUB [<shardchannel> ...]",
                "    Return the number of subscribers for the specified shard level channel(s)",
            ],
        )
    },
    ..SUB
};

fn unknown(call: &Call<'_, '_>) -> Error {
    let word = call.args.at(1);
    let before = "ERR unknown subcommand or wrong number of arguments for '";
    Error::quoting(before, &word[..word.len().min(128)], "'. Try PUBSUB HELP.")
}
