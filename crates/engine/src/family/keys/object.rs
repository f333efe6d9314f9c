//! OBJECT: what the server knows of a value besides its content. Looking at it leaves no trace.

use ochre_keyspace::ValueRef;
use ochre_keyspace::access;

use super::BASE;
use crate::call::{Call, unknown_subcommand};
use crate::command::{Arg, Command, KeySpec, flags, key_flags};
use crate::error::Error;
use crate::family::server::reply_help;

pub(super) const OBJECT: Command = Command {
    name: "object",
    summary: "Tells what the server knows of a value besides its content.",
    since: "2.2.3",
    complexity: "Depends on subcommand.",
    arity: -2,
    acl: 0,
    subcommands: &[ENCODING, FREQ, HELP, IDLETIME, REFCOUNT],
    handler: unknown_subcommand,
    ..BASE
};

const ENCODING: Command = Command {
    name: "encoding",
    summary: "Tells how a value is stored.",
    since: "2.2.3",
    arity: 3,
    flags: flags::READONLY,
    keys: &[KeySpec::at(2, key_flags::RO)],
    tips: &["nondeterministic_output"],
    args: &[Arg::key("key", 0)],
    handler: encoding,
    ..BASE
};

fn encoding(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let name = call.view.look_quietly(call.client.db, call.key()).map(|entry| match entry.value() {
        ValueRef::Int(_) => "int",
        ValueRef::Bytes { raw: false, .. } => "embstr",
        ValueRef::Bytes { raw: true, .. } => "raw",
        ValueRef::Object(object) => object.encoding_name(),
    });
    match name {
        Some(name) => call.reply.bulk(name.as_bytes()),
        None => call.reply.null(),
    }
    Ok(())
}

const FREQ: Command = Command {
    name: "freq",
    summary: "Tells how often a value was used, on a logarithmic scale.",
    since: "4.0.0",
    handler: frequency,
    ..ENCODING
};

fn frequency(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let Some(clock) = access_clock(call) else { return Ok(()) };
    let settings = &call.engine.keyspace.settings;
    if !settings.policy().is_lfu() {
        return Err(Error::new(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    call.reply.integer(i64::from(access::frequency(clock, call.view.now_ms(), settings.lfu())));
    Ok(())
}

const IDLETIME: Command = Command {
    name: "idletime",
    summary: "Tells for how many seconds a value has not been used.",
    handler: idle_time,
    ..ENCODING
};

fn idle_time(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let Some(clock) = access_clock(call) else { return Ok(()) };
    if call.engine.keyspace.settings.policy().is_lfu() {
        return Err(Error::new(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    call.reply.integer(access::idle_ms(clock, call.view.now_ms()) / 1000);
    Ok(())
}

/// The access clock of the key; where there is no such key, null is the reply.
fn access_clock(call: &mut Call<'_, '_>) -> Option<u32> {
    let clock = call.view.look_quietly(call.client.db, call.key()).map(|entry| entry.access());
    if clock.is_none() {
        call.reply.null();
    }
    clock
}

const REFCOUNT: Command = Command {
    name: "refcount",
    summary: "Tells how many refer to a value: always one, values are not shared.",
    handler: |call| {
        match call.view.look_quietly(call.client.db, call.key()) {
            Some(_) => call.reply.integer(1),
            None => call.reply.null(),
        }
        Ok(())
    },
    ..ENCODING
};

const HELP: Command = Command {
    name: "help",
    summary: "Lists the subcommands.",
    since: "6.2.0",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: |call| reply_help(call, "OBJECT", HELP_LINES),
    ..BASE
};

const HELP_LINES: &[&str] = &[
    "ENCODING <key>",
    "    Tell how the value of <key> is stored.",
    "FREQ <key>",
    "    Tell how often <key> was used lately, on a logarithmic scale (only under an LFU policy).",
    "IDLETIME <key>",
    "    Tell for how many seconds <key> has not been used (not under an LFU policy).",
    "REFCOUNT <key>",
    "    Tell how many refer to the value of <key>.",
];
