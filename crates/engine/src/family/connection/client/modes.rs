//! How a client is treated: REPLY, NO-EVICT, NO-TOUCH, CAPA, IMPORT-SOURCE.

use std::sync::atomic::Ordering::Relaxed;

use ochre_config::Directive;

use super::{ADMIN, BASE, ON_OFF, on_or_off};
use crate::call::Call;
use crate::client::{ReplyMode, capability, client_flags};
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::{Error, SYNTAX};

pub(super) const REPLY: Command = Command {
    name: "reply",
    summary: "Says whether the connection wants replies.",
    since: "3.2.0",
    arity: 3,
    args: &[Arg::one_of(
        "action",
        &[Arg::word("on", "ON"), Arg::word("off", "OFF"), Arg::word("skip", "SKIP")],
    )],
    handler: reply,
    ..BASE
};

fn reply(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.is(2, "ON") {
        call.client.reply_mode = ReplyMode::On;
        call.reply.ok();
    } else if call.args.is(2, "OFF") {
        call.client.reply_mode = ReplyMode::Off;
    } else if !call.args.is(2, "SKIP") {
        return Err(SYNTAX);
    } else if call.client.reply_mode != ReplyMode::Off {
        call.client.reply_mode = ReplyMode::SkipNext;
    }
    Ok(())
}

pub(super) const NO_EVICT: Command = Command {
    name: "no-evict",
    summary: "Says whether the connection may be closed to save memory.",
    since: "7.0.0",
    arity: 3,
    args: &[Arg::one_of("enabled", ON_OFF)],
    handler: no_evict,
    ..ADMIN
};

fn no_evict(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let on = on_or_off(call)?;
    call.client.shared.set_flag(client_flags::NO_EVICT, on);
    call.reply.ok();
    Ok(())
}

pub(super) const NO_TOUCH: Command = Command {
    name: "no-touch",
    summary: "Says whether the connection's reads move the access clocks of keys.",
    since: "7.2.0",
    arity: 3,
    flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
    args: &[Arg::one_of("enabled", ON_OFF)],
    handler: no_touch,
    ..BASE
};

fn no_touch(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let on = on_or_off(call)?;
    call.client.no_touch = on;
    call.client.shared.set_flag(client_flags::NO_TOUCH, on);
    call.reply.ok();
    Ok(())
}

pub(super) const CAPA: Command = Command {
    name: "capa",
    summary: "Tells what the client understands.",
    since: "8.0.0",
    arity: -3,
    flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::ALLOW_BUSY,
    args: &[Arg::new("capability", ArgKind::String).multiple()],
    handler: capa,
    ..BASE
};

fn capa(call: &mut Call<'_, '_>) -> Result<(), Error> {
    // Words of the future are no error: they claim something that will not be used.
    if call.args.from(2).any(|word| word.eq_ignore_ascii_case(b"redirect")) {
        call.client.shared.capabilities.fetch_or(capability::REDIRECT, Relaxed);
    }
    call.reply.ok();
    Ok(())
}

pub(super) const IMPORT_SOURCE: Command = Command {
    name: "import-source",
    summary: "Marks the connection as one that imports data.",
    since: "8.1.0",
    arity: 3,
    flags: flags::NOSCRIPT | flags::LOADING | flags::STALE,
    args: &[Arg::one_of("enabled", ON_OFF)],
    handler: import_source,
    ..BASE
};

fn import_source(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if !call.args.is(2, "OFF") && !call.engine.config.read().bool(Directive::ImportMode) {
        return Err(Error::new("ERR Server is not in import mode"));
    }
    let on = on_or_off(call)?;
    call.client.import_source = on;
    call.client.shared.set_flag(client_flags::IMPORT_SOURCE, on);
    call.reply.ok();
    Ok(())
}
