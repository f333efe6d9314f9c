//! PUBLISH and SPUBLISH.

use super::BASE;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, KeySpec, flags, key_flags};
use crate::error::Error;
use crate::messages::Kind;

pub(super) const PUBLISH: Command = Command {
    name: "publish",
    summary: "Sends a message to whoever is subscribed to a channel.",
    complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the number of \
                 subscribed patterns that begin as the channel does.",
    arity: 3,
    flags: BASE.flags | flags::FAST | flags::MAY_REPLICATE,
    args: &[Arg::new("channel", ArgKind::String), Arg::new("message", ArgKind::String)],
    handler: |call| publish(call, Kind::Channel),
    ..BASE
};

pub(super) const SPUBLISH: Command = Command {
    name: "spublish",
    summary: "Sends a message to whoever is subscribed to a sharded channel.",
    since: "7.0.0",
    complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
    keys: &[KeySpec::at(1, key_flags::NOT_KEY)],
    args: &[Arg::new("shardchannel", ArgKind::String), Arg::new("message", ArgKind::String)],
    handler: |call| publish(call, Kind::ShardChannel),
    ..PUBLISH
};

fn publish(call: &mut Call<'_, '_>, kind: Kind) -> Result<(), Error> {
    let author = call.client.id();
    // What the transaction or script has done before it comes before it.
    call.view.tell_events(author);
    let receivers = call.engine.messages.publish(kind, call.args.at(1), call.args.at(2), author);
    call.reply.integer(receivers as i64);
    Ok(())
}
