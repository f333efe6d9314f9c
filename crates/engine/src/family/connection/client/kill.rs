//! CLIENT KILL.
//!
//! A killed client is marked first, and its worker looks at the mark with the stripes of a command locked: whoever sees
//! the reply of KILL will see no later effect of that client. Closing the socket follows when the message arrives.

use super::ADMIN;
use super::filter::{Filter, IdGrammar};
use crate::call::Call;
use crate::client::ClientShared;
use crate::command::{Arg, ArgKind, Command};
use crate::engine::Message;
use crate::error::Error;

/// The documented arguments are Redis's; [`Filter`] knows those of Valkey, too.
pub(super) const KILL: Command = Command {
    name: "kill",
    summary: "Closes connections.",
    since: "2.4.0",
    complexity: "O(N) where N is the number of client connections",
    arity: -3,
    args: &[Arg::one_of(
        "filter",
        &[
            Arg { deprecated_since: "2.8.12", ..Arg::new("old-format", ArgKind::String).display("ip:port") },
            Arg::one_of("new-format", FILTERS).multiple(),
        ],
    )],
    history: &[
        ("2.8.12", "Connections can be chosen by several filters."),
        ("2.8.12", "Connections can be chosen by `ID`."),
        ("3.2.0", "`TYPE` knows `master`."),
        ("5.0.0", "`TYPE` knows `replica`; `slave` means the same."),
        ("6.2.0", "Connections can be chosen by `LADDR`."),
        ("7.4.0", "Connections can be chosen by `MAXAGE`."),
    ],
    handler: kill,
    ..ADMIN
};

const FILTERS: &[Arg] = &[
    Arg::new("client-id", ArgKind::Integer).token("ID").optional().since("2.8.12"),
    Arg::one_of(
        "client-type",
        &[
            Arg::word("normal", "NORMAL"),
            Arg::word("master", "MASTER").since("3.2.0"),
            Arg::word("slave", "SLAVE"),
            Arg::word("replica", "REPLICA").since("5.0.0"),
            Arg::word("pubsub", "PUBSUB"),
        ],
    )
    .token("TYPE")
    .optional()
    .since("2.8.12"),
    Arg::new("username", ArgKind::String).token("USER").optional(),
    Arg::new("addr", ArgKind::String).token("ADDR").display("ip:port").optional(),
    Arg::new("laddr", ArgKind::String).token("LADDR").display("ip:port").optional().since("6.2.0"),
    Arg::one_of("skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")]).token("SKIPME").optional(),
    Arg::new("maxage", ArgKind::Integer).token("MAXAGE").optional().since("7.4.0"),
];

fn kill(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let is_old_form = call.args.len() == 3;
    let filter =
        if is_old_form { Filter::of_address(call.args.at(2)) } else { Filter::parse(call, IdGrammar::Kill)? };
    let (me, now_ms) = (call.client.id(), call.now_ms());
    let mut killed = 0;
    for client in filter.candidates(&call.engine.clients) {
        if filter.matches(&client, me, now_ms) {
            killed += i64::from(kill_one(call, &client));
        }
    }
    match (is_old_form, killed) {
        (true, 0) => return Err(Error::new("ERR No such client")),
        (true, _) => call.reply.ok(),
        (false, killed) => call.reply.integer(killed),
    }
    Ok(())
}

/// Whether it was alive. One's own connection still takes the reply.
pub(in crate::family) fn kill_one(call: &mut Call<'_, '_>, client: &ClientShared) -> bool {
    if client.id == call.client.id() {
        call.client.close_after_reply();
        return true;
    }
    let was_alive = client.kill();
    if was_alive {
        call.engine.post(client.worker, Message::Kill(client.id));
    }
    was_alive
}
