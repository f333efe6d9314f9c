//! The way out: what happens between a request for shutdown and the end of the process.
//!
//! Requests come from SHUTDOWN (through [`Control`]) and from signals; the main thread looks for both at every tick. Once
//! the decision to end has been taken, the workers send what they still can and close their connections; commands that
//! were executed have their replies. A client that waits in SHUTDOWN is answered only if the server stays.
//! Where there are save points, or SHUTDOWN says so, a last snapshot is taken before. An append-only file is made durable.
//!
//! There are no replicas yet, so `shutdown-timeout` waits for nobody, and the time between request and end is short.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use ochre_config::{
    Config, Directive, SHUTDOWN_FAILOVER, SHUTDOWN_FORCE, SHUTDOWN_NOSAVE, SHUTDOWN_NOW, SHUTDOWN_SAFE,
    SHUTDOWN_SAVE,
};
use ochre_engine::{Engine, Message, PauseMode, ShutdownRequest, clock_ms};

use crate::control::Control;
use crate::process::Supervisor;
use crate::process::signals::{self, ShutdownSignal};
use crate::unloaded;

/// Between two looks at whether a snapshot that was given up has ended.
const CANCEL_LOOK: Duration = Duration::from_millis(1);

/// Looks for a request for shutdown and carries it out; to be called by the main thread now and then.
pub fn look(engine: &Arc<Engine>, control: &Control, supervisor: &Supervisor) {
    if let Some(request) = control.take_shutdown() {
        return shut_down(engine, control, supervisor, request);
    }
    if engine.debug.cron_paused.load(Relaxed) {
        return;
    }
    if let Some(signal) = signals::shutdown_requested() {
        let request = request_of(signal, &engine.config.read());
        if engine.is_busy() && wants_save(engine, &request) {
            // As in Redis, it waits for the end of the script. SHUTDOWN NOSAVE does not.
            return;
        }
        shut_down(engine, control, supervisor, request);
    }
}

/// What a signal asks for.
fn request_of(signal: ShutdownSignal, config: &Config) -> ShutdownRequest {
    let directive = match signal {
        ShutdownSignal::Interrupt => Directive::ShutdownOnSigint,
        ShutdownSignal::Terminate => Directive::ShutdownOnSigterm,
    };
    let flags = config.flags(directive);
    let has = |flag: u32| flags & flag != 0;
    ShutdownRequest {
        save: (has(SHUTDOWN_SAVE) || has(SHUTDOWN_NOSAVE)).then(|| has(SHUTDOWN_SAVE)),
        now: has(SHUTDOWN_NOW),
        force: has(SHUTDOWN_FORCE),
        safe: has(SHUTDOWN_SAFE),
        failover: has(SHUTDOWN_FAILOVER),
        client: None,
    }
}

/// Whether a last snapshot is wanted.
fn wants_save(engine: &Engine, request: &ShutdownRequest) -> bool {
    // What is not loaded yet must not take the place of what is in the file.
    let has_data = !engine.loading.load(Relaxed);
    has_data && request.save.unwrap_or(!engine.config.read().save_points().is_empty())
}

fn shut_down(engine: &Arc<Engine>, control: &Control, supervisor: &Supervisor, request: ShutdownRequest) {
    log::warn!("User requested shutdown...");
    let has_data = !engine.loading.load(Relaxed);
    if engine.aof.is_waiting_for_base() && !request.force {
        // The data set is nowhere else.
        log::error!("Writing initial AOF, can't exit");
        signals::clear_shutdown_request();
        return refuse(engine, control.take_waiting());
    }
    give_up_snapshot(engine);
    if wants_save(engine, &request) && !save(engine) && !request.force {
        log::error!("Error trying to save the DB, can't exit.");
        signals::clear_shutdown_request();
        return refuse(engine, control.take_waiting());
    }
    if has_data {
        engine.end_log_with_server();
        if engine.aof.is_on() {
            unloaded::touch_log(&engine.config.read());
        }
    }
    supervisor.status("Shutting down");
    supervisor.stopping();
    control.end(0);
}

/// Has a snapshot that is being written come to its end, so that nothing of it stays behind. Where a busy script keeps it from
/// that, it ends with the process.
fn give_up_snapshot(engine: &Engine) {
    if engine.persistence.cancel() {
        log::warn!("There is a snapshot being written. It is given up.");
    }
    while !engine.persistence.is_idle() && !engine.is_busy() {
        std::thread::sleep(CANCEL_LOOK);
    }
    if !engine.persistence.is_idle() {
        engine.remove_unfinished_snapshot();
    }
}

/// Takes the last snapshot; whether it succeeded. Nothing is written from its instant on, unless it fails: what is
/// acknowledged is in it.
fn save(engine: &Arc<Engine>) -> bool {
    log::warn!("Saving the final RDB snapshot before exiting.");
    let was_paused = engine.pause.mode(clock_ms());
    engine.pause.start(PauseMode::Write, i64::MAX, clock_ms());
    let saved = engine.save_now();
    if saved.is_err() && was_paused == PauseMode::None {
        engine.pause.stop();
        engine.post_all(&Message::Resume);
    }
    saved.is_ok()
}

/// Answers those who wait for the end: it does not come.
fn refuse(engine: &Engine, waiting: Vec<(usize, u64)>) {
    let reply: Arc<[u8]> = (*b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n").into();
    for (worker, client) in waiting {
        engine.post(worker, Message::Complete { client, reply: Arc::clone(&reply) });
    }
}

/// Withdraws a shutdown that has not been carried out; whether there was one. Who waited for it gets an error.
pub fn abort(engine: &Arc<Engine>, control: &Control) -> bool {
    let waiting = control.cancel_shutdown();
    let signalled = signals::shutdown_requested().is_some() && !control.is_over();
    if waiting.is_none() && !signalled {
        return false;
    }
    signals::clear_shutdown_request();
    refuse(engine, waiting.unwrap_or_default());
    log::warn!("Shutdown manually aborted.");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_ask_for_what_is_configured() {
        let mut config = Config::new();
        config.assign(Directive::ShutdownOnSigint, &[b"nosave", b"now"]).unwrap();
        config.assign(Directive::ShutdownOnSigterm, &[b"save", b"force"]).unwrap();
        let none = ShutdownRequest::default();
        assert_eq!(
            request_of(ShutdownSignal::Interrupt, &config),
            ShutdownRequest { save: Some(false), now: true, ..none }
        );
        assert_eq!(
            request_of(ShutdownSignal::Terminate, &config),
            ShutdownRequest { save: Some(true), force: true, ..none }
        );
        assert_eq!(request_of(ShutdownSignal::Terminate, &Config::new()), none);
    }
}
