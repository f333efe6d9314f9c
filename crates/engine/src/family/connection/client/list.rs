//! CLIENT ID, INFO, LIST.

use std::sync::atomic::Ordering::Relaxed;

use super::describe::describe;
use super::filter::{Filter, IdGrammar};
use super::{ADMIN, BASE};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command};
use crate::error::{Error, SYNTAX};

pub(super) const ID: Command = Command {
    name: "id",
    summary: "Returns the number of the connection.",
    since: "5.0.0",
    arity: 2,
    handler: id,
    ..BASE
};

fn id(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.integer(call.client.id() as i64);
    Ok(())
}

pub(super) const INFO: Command = Command {
    name: "info",
    summary: "Returns what there is to know of the connection.",
    since: "6.2.0",
    arity: 2,
    tips: &["nondeterministic_output"],
    handler: info,
    ..BASE
};

fn info(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut text = Vec::new();
    show_own_request(call);
    describe(&mut text, call.engine, &call.client.shared, call.now_ms());
    call.reply.verbatim("txt", &text);
    Ok(())
}

/// A client that looks at itself sees the request that it is running. Its worker takes that back with the figures that
/// follow every turn.
fn show_own_request(call: &Call<'_, '_>) {
    call.client.shared.argument_bytes.store(call.args.bytes(), Relaxed);
}

/// The documented arguments are Redis's; [`Filter`] knows those of Valkey, too.
pub(super) const LIST: Command = Command {
    name: "list",
    summary: "Lists connections.",
    since: "2.4.0",
    complexity: "O(N) where N is the number of client connections",
    arity: -2,
    tips: &["nondeterministic_output"],
    args: &[
        Arg::one_of(
            "client-type",
            &[
                Arg::word("normal", "NORMAL"),
                Arg::word("master", "MASTER"),
                Arg::word("replica", "REPLICA"),
                Arg::word("pubsub", "PUBSUB"),
            ],
        )
        .token("TYPE")
        .optional()
        .since("5.0.0"),
        Arg::new("client-id", ArgKind::Integer).token("ID").optional().multiple().since("6.2.0"),
    ],
    history: &[
        ("2.8.12", "New field: `id`."),
        ("5.0.0", "Connections can be chosen by `TYPE`."),
        ("6.0.0", "New field: `user`."),
        ("6.2.0", "New fields: `argv-mem`, `tot-mem`, `laddr`, `redir`. Connections can be chosen by `ID`."),
        ("7.0.0", "New fields: `resp`, `multi-mem`, `rbs`, `rbp`."),
        ("7.0.3", "New field: `ssub`."),
        ("7.2.0", "New fields: `lib-name`, `lib-ver`."),
        ("7.4.0", "New field: `watch`."),
        ("8.0.0", "New field: `io-thread`."),
    ],
    handler: list,
    ..ADMIN
};

fn list(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let filter = match call.args.len() {
        2 => Filter::default(),
        3 => return Err(SYNTAX),
        _ => Filter::parse(call, IdGrammar::List)?,
    };
    let now_ms = call.now_ms();
    let mut text = Vec::new();
    show_own_request(call);
    for client in filter.candidates(&call.engine.clients) {
        if filter.matches(&client, call.client.id(), now_ms) {
            describe(&mut text, call.engine, &client, now_ms);
        }
    }
    call.reply.verbatim("txt", &text);
    Ok(())
}
