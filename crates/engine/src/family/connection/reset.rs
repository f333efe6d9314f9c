//! RESET: the session as it was when the connection began.

use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::Protocol;

use super::client::reset_tracking;
use super::{BASE, HANDSHAKE};
use crate::call::Call;
use crate::client::{ReplyMode, client_flags};
use crate::command::{Command, flags};
use crate::error::Error;
use crate::family::{pubsub, transactions};
use crate::monitor;

pub(super) const RESET: Command = Command {
    name: "reset",
    summary: "Brings the connection back to how it began.",
    since: "6.2.0",
    arity: 1,
    flags: HANDSHAKE | flags::NOT_QUEUED,
    handler: reset,
    ..BASE
};

fn reset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let shared = &call.client.shared;
    if shared.flags.load(Relaxed) & (client_flags::REPLICA | client_flags::PRIMARY) != 0 {
        return Err(Error::new("ERR can only reset normal client connections"));
    }
    if shared.has(client_flags::MONITOR) {
        monitor::remove(call.engine, call.client.id());
    }
    transactions::reset(call);
    pubsub::reset(call);
    reset_tracking(call);
    forget_settings(call);
    call.reply.simple("RESET");
    Ok(())
}

/// The names of its library and what it claims to understand stay: they are the program's, not the session's.
fn forget_settings(call: &mut Call<'_, '_>) {
    let client = &mut *call.client;
    call.engine.access.log_out(client);
    client.select(0);
    client.set_protocol(Protocol::Resp2);
    call.reply.set_protocol(Protocol::Resp2);
    client.no_touch = false;
    client.import_source = false;
    // A reply that is to be skipped is this one.
    if client.reply_mode != ReplyMode::Skip {
        client.reply_mode = ReplyMode::On;
    }
    let session_flags = client_flags::MONITOR
        | client_flags::NO_TOUCH
        | client_flags::NO_EVICT
        | client_flags::READONLY
        | client_flags::IMPORT_SOURCE;
    client.shared.set_flag(session_flags, false);
    client.shared.names.lock().name = None;
}
