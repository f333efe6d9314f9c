//! Connections: greeting, identity, databases. What changes the flow of replies is in the raw sessions instead.

use super::{Known, Rule};
use crate::compare::Tolerance::{Hello, Shape};

pub(super) const RULES: &[Rule] = &[
    Rule::new("PING [value]"),
    Rule::new("ECHO value"),
    Rule::new("SELECT db").weight(6),
    Rule::new("HELLO [protocol [AUTH name value] [SETNAME name]]").weight(6).tolerance(Hello),
    Rule::new("AUTH value [value]").weight(2),
    Rule::new("RESET").weight(2),
    Rule::new("CLIENT SETNAME name").weight(3),
    Rule::new("CLIENT GETNAME").weight(3),
    Rule::new("CLIENT SETINFO (LIB-NAME|LIB-VER|word) name").weight(2),
    Rule::new("CLIENT ID").weight(2).tolerance(Shape),
    Rule::new("CLIENT INFO").weight(1).tolerance(Shape),
    Rule::new("CLIENT LIST [TYPE (NORMAL|PUBSUB|MASTER|REPLICA|word)] [ID small...]")
        .weight(1)
        .tolerance(Shape),
    Rule::new("CLIENT NO-EVICT (ON|OFF|word)").weight(2),
    Rule::new("CLIENT NO-TOUCH (ON|OFF|word)").weight(2),
    Rule::new("CLIENT GETREDIR").weight(2),
    Rule::new("CLIENT TRACKINGINFO").weight(2),
    Rule::new("CLIENT TRACKING OFF [BCAST] [OPTIN] [OPTOUT] [NOLOOP] [REDIRECT word]").weight(1),
    Rule::new("CLIENT TRACKING (word|ON) BCAST (OPTIN|OPTOUT) [PREFIX key]").weight(1),
    Rule::new("CLIENT CACHING (YES|NO|word)").weight(1),
    Rule::new("CLIENT UNBLOCK small [TIMEOUT|ERROR|word]").weight(1),
    Rule::new("CLIENT HELP").weight(1).tolerance(Shape),
    Rule::new("CLIENT CAPA word...").weight(1).only(Known::Valkey),
    Rule::new("CLIENT word [value]").weight(1),
];
