//! Signals that ask the server to end, or to show what it is doing.
//!
//! A thread of its own receives SIGTERM, SIGINT and SIGALRM through signal-hook and handles them as ordinary code, so
//! logging and locks are allowed, and a second SIGINT works even when every worker is stuck. The first request is left for
//! the main loop, which is woken; the second SIGINT ends the process at once, because whoever presses Ctrl-C twice insists.
//! SIGHUP and SIGPIPE are received and dropped. SIGUSR2 belongs to `crash.rs`, which samples stacks by it; SIGUSR1 keeps
//! its default action, as in Redis.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use signal_hook::iterator::Signals;

use super::logger::{Level, logger};

/// One of `shutdown-on-sigint` and `shutdown-on-sigterm`: words that are given to SHUTDOWN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShutdownFlags {
    /// Save even without save points.
    pub save: bool,
    /// Do not save even with them.
    pub nosave: bool,
    /// Do not wait for lagging replicas.
    pub now: bool,
    /// Ignore errors of the last save.
    pub force: bool,
}

impl ShutdownFlags {
    /// Flags of the words of a setting, in any case: `default` or several of the others. The error is Redis's.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut flags = Self::default();
        for word in words {
            match word.to_ascii_lowercase().as_str() {
                "default" => {}
                "save" => flags.save = true,
                "nosave" => flags.nosave = true,
                "now" => flags.now = true,
                "force" => flags.force = true,
                _ => {
                    return Err(
                        "argument(s) must be one of the following: default, save, nosave, now, force",
                    );
                }
            }
        }
        if flags.save && flags.nosave {
            return Err("shutdown options SAVE and NOSAVE can't be used simultaneously");
        }
        Ok(flags)
    }
}

/// The signal that asked for shutdown; each has its own `shutdown-on-…` setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownSignal {
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

static REQUESTED: AtomicI32 = AtomicI32::new(0);
static LOADING: AtomicBool = AtomicBool::new(false);

/// What signals do besides leaving a request.
pub struct SignalHooks {
    /// Wakes the main loop, which then calls [`shutdown_requested`].
    pub wake: Box<dyn Fn() + Send>,
    /// Removes temporary files before the immediate end.
    pub clean_up: Box<dyn Fn() + Send>,
}

impl std::fmt::Debug for SignalHooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignalHooks").finish_non_exhaustive()
    }
}

/// Starts the thread that receives signals. Once per process, after [`daemonize`](super::daemonize).
pub fn install(hooks: SignalHooks) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGALRM])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        ochre_memory::use_first_arena();
        for signal in signals.forever() {
            match signal {
                SIGTERM | SIGINT => on_shutdown(signal, &hooks),
                SIGALRM => super::crash::log_all_stacks("\nReceived SIGALRM"),
                _ => {}
            }
        }
    })?;
    Ok(())
}

/// The request for shutdown that has come and was not withdrawn.
pub fn shutdown_requested() -> Option<ShutdownSignal> {
    match REQUESTED.load(Ordering::Acquire) {
        SIGINT => Some(ShutdownSignal::Interrupt),
        SIGTERM => Some(ShutdownSignal::Terminate),
        _ => None,
    }
}

/// Withdraws the request: the shutdown failed or was aborted, and the server goes on.
pub fn clear_shutdown_request() {
    REQUESTED.store(0, Ordering::Release);
}

/// Whether the data set is being loaded, which changes what the log says.
pub fn set_loading(loading: bool) {
    LOADING.store(loading, Ordering::Relaxed);
}

fn on_shutdown(signal: i32, hooks: &SignalHooks) {
    if signal == SIGINT && shutdown_requested().is_some() {
        logger().from_signal_handler(Level::Warning, "You insist... exiting now.");
        (hooks.clean_up)();
        std::process::exit(1);
    }
    logger().from_signal_handler(Level::Warning, shutdown_message(signal, LOADING.load(Ordering::Relaxed)));
    REQUESTED.store(signal, Ordering::Release);
    (hooks.wake)();
}

fn shutdown_message(signal: i32, loading: bool) -> &'static str {
    match signal {
        _ if loading => "Received shutdown signal during loading, scheduling shutdown.",
        SIGINT => "Received SIGINT scheduling shutdown...",
        _ => "Received SIGTERM scheduling shutdown...",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        let nowforce = ShutdownFlags { now: true, force: true, ..Default::default() };
        let cases: [(&[&str], Option<ShutdownFlags>); 5] = [
            (&["default"], Some(ShutdownFlags::default())),
            (&["NOW", "force"], Some(nowforce)),
            (&["save"], Some(ShutdownFlags { save: true, ..Default::default() })),
            (&["save", "nosave"], None),
            (&["later"], None),
        ];
        for (words, expected) in cases {
            assert_eq!(ShutdownFlags::from_words(words.iter().copied()).ok(), expected, "{words:?}");
        }
    }

    #[test]
    fn messages() {
        assert_eq!(shutdown_message(SIGINT, false), "Received SIGINT scheduling shutdown...");
        assert_eq!(shutdown_message(SIGTERM, false), "Received SIGTERM scheduling shutdown...");
        assert!(shutdown_message(SIGTERM, true).contains("during loading"));
    }
}
