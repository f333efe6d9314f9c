//! Channels, as far as nobody is subscribed: what is told besides replies is in the cases and in tests of several clients.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    Rule::new("PUBLISH key value"),
    Rule::new("SPUBLISH key value"),
    Rule::new("PUBSUB CHANNELS [pattern]").weight(4),
    Rule::new("PUBSUB SHARDCHANNELS [pattern]").weight(4),
    Rule::new("PUBSUB NUMSUB [key...]").weight(4),
    Rule::new("PUBSUB SHARDNUMSUB [key...]").weight(4),
    Rule::new("PUBSUB NUMPAT").weight(2),
    Rule::new("PUBSUB word [value]").weight(2),
];
