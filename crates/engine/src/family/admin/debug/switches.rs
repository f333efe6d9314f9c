//! Switches that DEBUG throws.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use ochre_config::os_reason;
use ochre_types::parse_i64;

use super::unknown;
use crate::call::{Call, integer};
use crate::error::Error;

/// What DEBUG switched on or off, for whoever it concerns.
#[derive(Debug, Default)]
pub struct DebugSwitches {
    /// The main thread's timer does nothing, not even act on SIGTERM.
    pub cron_paused: AtomicBool,
    /// Elements of a list above this size get a node of their own, bytes; 0 is the default.
    pub packed_threshold_bytes: AtomicU64,
    /// Scripts may run commands that are not for scripts.
    pub deny_scripts_disabled: AtomicBool,
    /// RESTORE does not look at checksums.
    pub checksums_skipped: AtomicBool,
}

/// The first integer of a text, as C's `atoi` reads it: what is none is 0.
fn switch(call: &Call<'_, '_>, index: usize) -> bool {
    let arg = call.args.at(index).trim_ascii_start();
    let sign = usize::from(arg.starts_with(b"-"));
    let digits = arg[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    arg[sign..sign + digits].iter().any(|digit| *digit != b'0')
}

pub(super) fn pause_cron(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.engine.debug.cron_paused.store(switch(call, 2), Relaxed);
    call.reply.ok();
    Ok(())
}

pub(super) fn active_expire(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.engine.keyspace.settings.active_expire.store(switch(call, 2), Relaxed);
    call.reply.ok();
    Ok(())
}

pub(super) fn access_expired(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.engine.keyspace.settings.lazy_expire_disabled.store(switch(call, 2), Relaxed);
    call.reply.ok();
    Ok(())
}

pub(super) fn disable_deny_scripts(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.engine.debug.deny_scripts_disabled.store(switch(call, 2), Relaxed);
    call.reply.ok();
    Ok(())
}

pub(super) fn skip_checksums(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.engine.debug.checksums_skipped.store(switch(call, 2), Relaxed);
    call.reply.ok();
    Ok(())
}

pub(super) fn packed_threshold(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const REFUSED: Error =
        Error::new("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
    let bytes =
        ochre_config::parse_memory(call.args.at(2)).filter(|bytes| *bytes < 1 << 32).ok_or(REFUSED)?;
    call.engine.debug.packed_threshold_bytes.store(bytes, Relaxed);
    call.reply.ok();
    Ok(())
}

/// Replies have one buffer here, that is given up when it is large and empty: there is nothing to be switched, but the
/// arguments are checked.
pub(super) fn reply_buffer(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let word = call.args.at(3);
    if call.args.is(2, "peak-reset-time") {
        if !call.args.is(3, "never") && !call.args.is(3, "reset") {
            integer(word)?;
        }
    } else if !call.args.is(2, "resizing") {
        return Err(unknown(call));
    }
    call.reply.ok();
    Ok(())
}

pub(super) fn rewrite_all(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let host = call.engine.host().filter(|host| host.config_file().is_some());
    // The peers hand no path at all to the system, and show what it says to that.
    let Some(host) = host else {
        return Err(Error::new("ERR CONFIG-REWRITE-FORCE-ALL failed: Bad address"));
    };
    host.rewrite_config(&call.engine.config.read(), true).map_err(|error| {
        Error::owned(format!("ERR CONFIG-REWRITE-FORCE-ALL failed: {}", os_reason(&error)))
    })?;
    call.reply.ok();
    Ok(())
}

/// A count or a size: zero or more.
pub(super) fn positive(arg: &[u8]) -> Result<u64, Error> {
    let number = parse_i64(arg).and_then(|number| u64::try_from(number).ok());
    number.ok_or(Error::new("ERR value is out of range, must be positive"))
}
