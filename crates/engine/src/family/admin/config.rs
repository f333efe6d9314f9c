//! CONFIG: reading and changing the configuration while the server runs.
//!
//! CONFIG SET changes all of its directives or none. It works on a clone: the table checks and sets (`Config::set`),
//! the copies of the hot path follow (`Settings::refresh`), the process applies (`Host::apply`), and only then the
//! clone becomes the configuration. If applying fails the copies are refreshed from the old one. One CONFIG SET runs at
//! a time, readers go on meanwhile: that is what the upgradable lock is for.

use std::sync::atomic::Ordering::Relaxed;

use ochre_config::{Changes, Config, Directive, SetContext, SetError, os_reason};
use parking_lot::{RwLockUpgradableReadGuard, RwLockWriteGuard};

use super::{ADMIN, ALL_NODES, BASE};
use crate::aof::SwitchError;
use crate::call::Call;
use crate::client::client_flags;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::engine::{Engine, Message};
use crate::error::{Error, SYNTAX};
use crate::family::server::reply_help;
use crate::missing::warn_of_missing;

pub(super) const CONFIG: Command = Command {
    name: "config",
    summary: "Works on the configuration.",
    since: "2.0.0",
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: 0,
    subcommands: &[GET, HELP, RESETSTAT, REWRITE, SET],
    ..BASE
};

const GET: Command = Command {
    name: "get",
    summary: "Shows the values of directives.",
    since: "2.0.0",
    complexity: "O(N) when N is the number of configuration parameters provided",
    arity: -3,
    args: &[Arg::new("parameter", ArgKind::String).multiple()],
    history: &[("7.0.0", "Several patterns can be given.")],
    handler: get,
    ..BASE
};

fn get(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let patterns: Vec<&[u8]> = call.args.from(2).collect();
    let found = call.engine.config.read().get(&patterns);
    call.reply.map(found.len());
    for (name, value) in found {
        call.reply.bulk(&name);
        call.reply.bulk(&value);
    }
    Ok(())
}

const SET: Command = Command {
    name: "set",
    summary: "Changes directives while the server runs.",
    since: "2.0.0",
    complexity: "O(N) when N is the number of configuration parameters provided",
    arity: -4,
    tips: ALL_NODES,
    args: &[Arg::block(
        "data",
        &[
            Arg::new("parameter", ArgKind::String).display("parameter"),
            Arg::new("value", ArgKind::String).display("value"),
        ],
    )
    .multiple()],
    history: &[("7.0.0", "Several directives can be set at once.")],
    handler: set,
    ..BASE
};

fn set(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let args: Vec<&[u8]> = call.args.from(2).collect();
    let (pairs, []) = args.as_chunks::<2>() else { return Err(SYNTAX) };
    let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|[name, value]| (*name, *value)).collect();
    let secret = |at: &usize| Config::is_sensitive(pairs[*at].0);
    call.client.redacted.extend((0..pairs.len()).filter(secret).map(|at| at * 2 + 3));
    let context = SetContext { loading: call.engine.loading.load(Relaxed), local_client: is_local(call) };
    let change = || change(call.engine, &pairs, context).map_err(|error| refusal(&error));
    match wanted_log(call.engine, &pairs, context) {
        // A transaction holds stripes, and a log begins and ends with all of them: that is done right after it.
        Some(wanted) if !call.in_transaction => switch_log(call.engine, wanted, change)?,
        _ => change()?,
    }
    call.reply.ok();
    Ok(())
}

/// Whether there is to be an append-only file afterwards, if that is to change.
fn wanted_log(engine: &Engine, pairs: &[(&[u8], &[u8])], context: SetContext) -> Option<bool> {
    let names_it =
        |(name, _): &(&[u8], &[u8])| name.eq_ignore_ascii_case(Directive::Appendonly.name().as_bytes());
    if !pairs.iter().any(names_it) {
        return None;
    }
    let mut new = Config::clone(&engine.config.read());
    new.set(pairs, context).ok()?;
    let wanted = new.bool(Directive::Appendonly);
    (wanted != engine.aof.is_on()).then_some(wanted)
}

/// Begins or ends the append-only file, and changes the configuration; both or neither.
fn switch_log(
    engine: &Engine,
    wanted: bool,
    change: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    let _configuring = engine.aof.configuring.lock();
    if let Err(why) = engine.switch_log(wanted) {
        if let (SwitchError::Busy, Some(busy)) = (&why, engine.why_busy()) {
            return Err(busy);
        }
        log::error!("Unable to turn on AOF: {why}");
        let reason = "Unable to turn on AOF. Check server logs.".to_owned();
        return Err(refusal(&SetError::failed(Directive::Appendonly.name(), reason)));
    }
    change().inspect_err(|_| {
        if let Err(why) = engine.switch_log(!wanted) {
            log::error!("The append-only file is not what it was: {why}");
        }
    })
}

fn refusal(error: &SetError) -> Error {
    if let SetError::Unknown(name) = error {
        return Error::quoting("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'");
    }
    Error::owned(format!("{} {error}", error.code()))
}

/// Whether the client is on this machine: `local` in `enable-protected-configs` asks for that.
fn is_local(call: &Call<'_, '_>) -> bool {
    let shared = &call.client.shared;
    shared.has(client_flags::UNIX_SOCKET)
        || shared.address.starts_with("127.")
        || shared.address.starts_with("[::1]")
}

/// Sets all directives or none.
fn change(engine: &Engine, pairs: &[(&[u8], &[u8])], context: SetContext) -> Result<(), SetError> {
    let old = engine.config.upgradable_read();
    let mut new = Config::clone(&old);
    let changes = new.set(pairs, context)?;
    engine.settings.refresh(&new, &engine.keyspace);
    if let Some(host) = engine.host()
        && let Err(error) = host.apply(&changes, &old, &mut new)
    {
        engine.settings.refresh(&old, &engine.keyspace);
        return Err(error);
    }
    let mut current = RwLockUpgradableReadGuard::upgrade(old);
    *current = new;
    let current = RwLockWriteGuard::downgrade(current);
    note(&changes, &current);
    let concerns_log = [
        Directive::Appendfsync,
        Directive::NoAppendfsyncOnRewrite,
        Directive::AofTimestampEnabled,
        Directive::AofDisableAutoGc,
        Directive::AofChecksum,
        Directive::AofBufferLimit,
    ];
    let is_about_log = concerns_log.iter().any(|directive| changes.contains(*directive));
    if changes.contains(Directive::Requirepass) {
        engine.access.set_default_password(current.text(Directive::Requirepass), &engine.clients);
    }
    drop(current);
    if is_about_log {
        engine.refresh_log();
    }
    // Writes may be refused now, or no longer.
    engine.settle_restrictions();
    // Before the reply: who lowered the limit is to find its clients below it.
    engine.evict_clients();
    // Workers keep copies of some settings, and evict if there is less memory now.
    engine.post_all(&Message::Reconfigure);
    Ok(())
}

/// Says in the log what the operator should know of a change.
fn note(changes: &Changes, config: &Config) {
    for directive in &changes.ignored {
        log::info!("The directive '{}' is accepted but has no meaning for Ochre.", directive.name());
    }
    warn_of_missing(config, |directive| changes.contains(directive));
    let (limit, used) = (config.uint(Directive::Maxmemory), ochre_memory::used_bytes() as u64);
    if changes.contains(Directive::Maxmemory) && limit != 0 && limit < used {
        log::error!(
            "WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than the current memory usage \
             ({used}). This will result in key eviction and/or the inability to accept new write commands depending \
             on the maxmemory-policy."
        );
    }
}

const REWRITE: Command = Command {
    name: "rewrite",
    summary: "Writes the configuration in force into its file.",
    since: "2.8.0",
    arity: 2,
    tips: ALL_NODES,
    handler: rewrite,
    ..BASE
};

fn rewrite(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let host = call.engine.host().filter(|host| host.config_file().is_some());
    let Some(host) = host else { return Err(Error::new("ERR The server is running without a config file")) };
    match host.rewrite_config(&call.engine.config.read(), false) {
        Ok(()) => {
            log::warn!("CONFIG REWRITE executed with success.");
            call.reply.ok();
            Ok(())
        }
        Err(error) => {
            let reason = os_reason(&error);
            log::error!("CONFIG REWRITE failed: {reason}");
            Err(Error::owned(format!("ERR Rewriting config file: {reason}")))
        }
    }
}

const RESETSTAT: Command = Command {
    name: "resetstat",
    summary: "Starts the statistics anew.",
    since: "2.0.0",
    arity: 2,
    tips: ALL_NODES,
    flags: ADMIN | flags::WALKS_KEYSPACE,
    handler: reset_statistics,
    ..BASE
};

fn reset_statistics(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.engine.reset_statistics(call.view);
    call.reply.ok();
    Ok(())
}

const HELP: Command = Command {
    name: "help",
    summary: "Tells about the subcommands.",
    since: "5.0.0",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: help,
    ..BASE
};

const HELP_LINES: &[&str] = &[
    "GET <pattern> [<pattern> ...]",
    "    Show the directives that match any of the glob-like patterns, with their values.",
    "SET <directive> <value> [<directive> <value> ...]",
    "    Change directives, all of them or none.",
    "RESETSTAT",
    "    Start the statistics that INFO shows anew.",
    "REWRITE",
    "    Write the configuration in force into the file it came from.",
];

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    reply_help(call, "CONFIG", HELP_LINES)
}
