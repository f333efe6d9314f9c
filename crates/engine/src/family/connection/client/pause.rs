//! CLIENT PAUSE and UNPAUSE.
//!
//! Every worker looks at the pause with the stripes of its command locked. PAUSE runs with all of them locked: once its
//! reply is out, no command that it concerns is still on its way.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{ADMIN, too_many};
use crate::call::Call;
use crate::client::BlockedOn;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::engine::{Message, PauseMode};
use crate::error::Error;
use crate::notice::Notice;

pub(super) const PAUSE: Command = Command {
    name: "pause",
    summary: "Has clients wait.",
    since: "3.0.0",
    arity: -3,
    flags: ADMIN.flags | flags::WHOLE_KEYSPACE,
    args: &[
        Arg::new("timeout", ArgKind::Integer),
        Arg::one_of("mode", &[Arg::word("write", "WRITE"), Arg::word("all", "ALL")])
            .optional()
            .since("6.2.0"),
    ],
    history: &[("6.2.0", "A mode may be given: `WRITE` has only commands wait that write.")],
    handler: pause,
    ..ADMIN
};

fn pause(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mode = match call.args.len() {
        3 => PauseMode::All,
        4 if call.args.is(3, "WRITE") => PauseMode::Write,
        4 if call.args.is(3, "ALL") => PauseMode::All,
        4 => return Err(Error::new("ERR CLIENT PAUSE mode must be WRITE or ALL")),
        _ => return Err(too_many(call)),
    };
    let now_ms = call.now_ms();
    let until_ms = deadline(call.args.at(2), now_ms)?;
    call.engine.pause.start(mode, until_ms, now_ms);
    publish(call);
    call.reply.ok();
    Ok(())
}

/// Tells the keyspace, which must not remove anything of its own accord meanwhile.
fn publish(call: &Call<'_, '_>) {
    let settings = &call.engine.keyspace.settings;
    settings.expiry_paused_until_ms.store(call.engine.pause.until_ms(), Relaxed);
}

/// The time at which a wait of so many ms ends.
fn deadline(arg: &[u8], now_ms: i64) -> Result<i64, Error> {
    let timeout_ms =
        ochre_types::parse_i64(arg).ok_or(Error::new("ERR timeout is not an integer or out of range"))?;
    if timeout_ms < 0 {
        return Err(Error::new("ERR timeout is negative"));
    }
    now_ms.checked_add(timeout_ms).ok_or(Error::new("ERR timeout is out of range"))
}

pub(super) const UNPAUSE: Command = Command {
    name: "unpause",
    summary: "Has clients go on that PAUSE had wait.",
    since: "6.2.0",
    complexity: "O(N) Where N is the number of paused clients",
    arity: 2,
    handler: unpause,
    ..ADMIN
};

fn unpause(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.engine.pause.stop();
    publish(call);
    call.engine.post_all(&Message::Resume);
    let is_alone = call.in_transaction || call.client.in_script;
    match call.engine.served().filter(|_| !is_alone) {
        None => call.reply.ok(),
        Some(engine) => {
            // What its client says next comes after what the pause kept, on whichever worker that is.
            let notice = Notice::new(engine, (call.worker.index, call.client.id()), b"+OK\r\n");
            call.engine.post_all(&Message::Resumed(Arc::new(notice)));
            call.client.block(BlockedOn::Completion, i64::MAX);
        }
    }
    Ok(())
}
