//! CLIENT UNBLOCK.

use super::{ADMIN, too_many};
use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command};
use crate::engine::Message;
use crate::error::Error;

pub(super) const UNBLOCK: Command = Command {
    name: "unblock",
    summary: "Ends the wait of a client in a blocking command.",
    since: "5.0.0",
    complexity: "O(log N) where N is the number of client connections",
    arity: -3,
    args: &[
        Arg::new("client-id", ArgKind::Integer),
        Arg::one_of("unblock-type", &[Arg::word("timeout", "TIMEOUT"), Arg::word("error", "ERROR")])
            .optional(),
    ],
    handler: unblock,
    ..ADMIN
};

fn unblock(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let with_error = match call.args.len() {
        3 => false,
        4 if call.args.is(3, "TIMEOUT") => false,
        4 if call.args.is(3, "ERROR") => true,
        4 => return Err(Error::new("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
        _ => return Err(too_many(call)),
    };
    let id = integer(call.args.at(2))?;
    let target = u64::try_from(id).ok().and_then(|id| call.engine.clients.get(id));
    // The claim decides at once whether the wait ends because of us; the client's own worker carries it out.
    let claimed = target.filter(|target| target.wait.claim());
    if let Some(target) = &claimed {
        call.engine.post(target.worker, Message::Unblock { client: target.id, with_error });
    }
    call.reply.integer(i64::from(claimed.is_some()));
    Ok(())
}
