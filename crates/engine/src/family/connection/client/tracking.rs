//! Client-side caching as it is while nothing is tracked: TRACKING, CACHING, GETREDIR, TRACKINGINFO.

use super::{BASE, ON_OFF};
use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command};
use crate::error::{Error, SYNTAX};

pub(super) const TRACKING: Command = Command {
    name: "tracking",
    summary: "Says whether the server tracks what the client caches.",
    since: "6.0.0",
    complexity: "O(1). Some options may introduce additional complexity.",
    arity: -3,
    args: &[
        Arg::one_of("status", ON_OFF),
        Arg::new("client-id", ArgKind::Integer).token("REDIRECT").optional(),
        Arg {
            multiple_token: true,
            ..Arg::new("prefix", ArgKind::String).token("PREFIX").optional().multiple()
        },
        Arg::word("bcast", "BCAST").optional(),
        Arg::word("optin", "OPTIN").optional(),
        Arg::word("optout", "OPTOUT").optional(),
        Arg::word("noloop", "NOLOOP").optional(),
    ],
    handler: tracking,
    ..BASE
};

fn tracking(call: &mut Call<'_, '_>) -> Result<(), Error> {
    check_options(call)?;
    if call.args.is(2, "OFF") {
        call.reply.ok();
        return Ok(());
    }
    Err(if call.args.is(2, "ON") {
        Error::new("ERR CLIENT TRACKING ON is not available in this version")
    } else {
        SYNTAX
    })
}

fn check_options(call: &Call<'_, '_>) -> Result<(), Error> {
    let mut cursor = call.args.cursor(3);
    let mut redirect = 0;
    while !cursor.is_at_end() {
        if cursor.eat_with_value("REDIRECT") {
            if redirect != 0 {
                return Err(Error::new("ERR A client can only redirect to a single other client"));
            }
            redirect = integer(cursor.next_arg()?)?;
            check_target(call, redirect)?;
        } else if cursor.eat_with_value("PREFIX") {
            cursor.next_arg()?;
        } else if !["BCAST", "OPTIN", "OPTOUT", "NOLOOP"].iter().any(|word| cursor.eat(word)) {
            return Err(SYNTAX);
        }
    }
    Ok(())
}

fn check_target(call: &Call<'_, '_>, id: i64) -> Result<(), Error> {
    let target = u64::try_from(id).ok().and_then(|id| call.engine.clients.get(id));
    target.map(drop).ok_or(Error::new("ERR The client ID you want redirect to does not exist"))
}

pub(super) const CACHING: Command = Command {
    name: "caching",
    summary: "Says whether the keys of the next command are tracked.",
    since: "6.0.0",
    arity: 3,
    args: &[Arg::one_of("mode", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])],
    handler: caching,
    ..BASE
};

fn caching(_call: &mut Call<'_, '_>) -> Result<(), Error> {
    Err(Error::new(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    ))
}

pub(super) const GETREDIR: Command = Command {
    name: "getredir",
    summary: "Returns which client is told about changes of tracked keys.",
    since: "6.0.0",
    arity: 2,
    handler: getredir,
    ..BASE
};

fn getredir(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.integer(NOT_TRACKING);
    Ok(())
}

const NOT_TRACKING: i64 = -1;

pub(super) const TRACKINGINFO: Command = Command {
    name: "trackinginfo",
    summary: "Returns how the connection's keys are tracked.",
    since: "6.2.0",
    arity: 2,
    handler: trackinginfo,
    ..BASE
};

fn trackinginfo(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.map(3);
    call.reply.bulk(b"flags");
    call.reply.set(1);
    call.reply.bulk(b"off");
    call.reply.bulk(b"redirect");
    call.reply.integer(NOT_TRACKING);
    call.reply.bulk(b"prefixes");
    call.reply.array(0);
    Ok(())
}
