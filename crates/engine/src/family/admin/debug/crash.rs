//! DEBUG SLEEP, RESTART, SEGFAULT and others: a server that does not serve.

use std::time::Duration;

use crate::call::{Call, integer};
use crate::engine::{Message, PauseMode, clock_ms};
use crate::error::Error;

/// Sleeps as a server with one thread would: nothing is answered meanwhile.
///
/// All stripes are locked, so no other worker can touch a key; and clients are paused, so that commands without keys
/// wait, too. What still happens: connections are accepted (they wait like the others), commands that were under way end,
/// timeouts of blocked clients come, and SIGTERM is noted.
pub(super) fn sleep(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let text = String::from_utf8_lossy(call.args.at(2));
    // As `strtod`: what is no number is none at all.
    let seconds = text.trim().parse::<f64>().unwrap_or(0.0);
    let time = Duration::try_from_secs_f64(seconds.clamp(0.0, f64::from(u32::MAX))).unwrap_or_default();
    let (engine, now_ms) = (call.engine, clock_ms());
    let earlier = (engine.pause.mode(now_ms), engine.pause.until_ms());
    engine.pause.start(PauseMode::All, i64::MAX, now_ms);
    std::thread::sleep(time);
    engine.pause.stop();
    if earlier.0 != PauseMode::None {
        engine.pause.start(earlier.0, earlier.1, now_ms);
    }
    engine.post_all(&Message::Resume);
    call.reply.ok();
    Ok(())
}

/// Ends the process, or at least tries.
pub(super) fn crash(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if let Some(host) = call.engine.host() {
        host.crash(&String::from_utf8_lossy(call.args.at(1)));
    }
    call.reply.ok();
    Ok(())
}

/// Starts the program anew: RESTART writes the configuration first, CRASH-AND-RECOVER just goes.
pub(super) fn restart(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const FAILED: Error = Error::new("ERR failed to restart the server. Check server logs.");
    let delay_ms = call.args.get(2).map_or(Ok(0), integer)?.max(0).unsigned_abs();
    let host = call.engine.host().ok_or(FAILED)?;
    if call.args.is(1, "restart")
        && host.config_file().is_some()
        && let Err(error) = host.rewrite_config(&call.engine.config.read(), false)
    {
        log::error!("Can't restart: configuration rewrite process failed: {error}");
        return Err(FAILED);
    }
    if call.args.is(1, "restart") {
        let _ = call.engine.aof.close();
    }
    host.restart(delay_ms);
    Err(FAILED)
}
