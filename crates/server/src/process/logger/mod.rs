//! The server's log: Redis's levels and line formats behind the `log` facade.
//!
//! **Levels.** Redis has four, the `log` crate five. The mapping, for every crate of the workspace:
//!
//! | Redis | macro here | `log` macro in lower crates | mark |
//! |---|---|---|---|
//! | debug | `debug!` | `log::debug!`, `log::trace!` | `.` |
//! | verbose | `verbose!` | `log::info!` | `-` |
//! | notice | `notice!` | `log::warn!` | `*` |
//! | warning | `warning!` | `log::error!` | `#` |
//!
//! So a lower crate needs nothing but `log`, and a third-party crate's errors and warnings show at Redis's default level.
//!
//! **Rotation.** Redis opens and closes the file for every line, so that the file may be moved or deleted at any time.
//! Here it stays open, and each line first compares the path's inode with the open file's (`stat`, a third of the cost of
//! opening); the effect is the same. A line that cannot be written is dropped, as in Redis: a full disk must not stop
//! the server.
//!
//! The lock around the open file is given up after two seconds: a crash report must not hang on a dead thread's lock.

mod level;
mod line;
mod sink;
mod syslog;

// For the macros, so that their users need not depend on it.
#[doc(hidden)]
pub use log;

pub use level::{Format, Level, Role, TimestampFormat};
pub use line::{Line, MESSAGE_LEN_MAX};
pub use syslog::{Facility, SyslogSettings};

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use self::sink::Sink;

/// How long a line waits for the log's lock.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

/// Everything that configures the log; all of it may change while the server runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// `loglevel`: lines below it are dropped.
    pub level: Level,
    /// `logfile`; `None` (an empty setting) is standard output.
    pub file: Option<PathBuf>,
    /// `log-format`.
    pub format: Format,
    /// `log-timestamp-format`.
    pub timestamp: TimestampFormat,
    /// `syslog-enabled` with its identity and facility: lines go there too.
    pub syslog: Option<SyslogSettings>,
}

/// The log of the process; there is one, [`logger`].
#[derive(Debug)]
pub struct Logger {
    level: AtomicU8,
    role: AtomicU8,
    sink: Mutex<Sink>,
}

static LOGGER: Logger = Logger {
    level: AtomicU8::new(Level::Notice as u8),
    role: AtomicU8::new(Role::Primary as u8),
    sink: Mutex::new(Sink::new()),
};

/// The log of the process.
pub fn logger() -> &'static Logger {
    &LOGGER
}

/// Configures the log and makes it the receiver of the `log` crate's macros.
///
/// Fails when the log file cannot be opened, as Redis does at start-up. Calling it again only configures.
pub fn install(settings: &LogSettings) -> io::Result<()> {
    logger().configure(settings)?;
    // An error means that a logger is set already: this one, from an earlier call.
    let _ = log::set_logger(logger());
    Ok(())
}

impl Logger {
    /// Applies new settings. On an error (the file cannot be opened) nothing changes.
    pub fn configure(&self, settings: &LogSettings) -> io::Result<()> {
        let mut sink = self.sink.lock();
        let moved = sink.file() != settings.file.as_deref();
        sink.configure(settings)?;
        if moved {
            super::sys::set_emergency_log(settings.file.as_deref());
        }
        self.set_level(settings.level);
        Ok(())
    }

    /// Changes the level alone.
    pub fn set_level(&self, level: Level) {
        self.level.store(level as u8, Ordering::Relaxed);
        log::set_max_level(level.filter());
    }

    /// Whether a line of this level would be written.
    pub fn enabled(&self, level: Level) -> bool {
        level != Level::Nothing && level as u8 >= self.level.load(Ordering::Relaxed)
    }

    /// Changes the role that lines show.
    pub fn set_role(&self, role: Role) {
        self.role.store(role as u8, Ordering::Relaxed);
    }

    /// The file that lines go to, if not standard output.
    pub fn file(&self) -> Option<PathBuf> {
        self.sink.try_lock_for(LOCK_LIMIT)?.file().map(Path::to_path_buf)
    }

    /// Writes one line. Messages longer than [`MESSAGE_LEN_MAX`] bytes are cut, as in Redis.
    pub fn write(&self, level: Level, message: &str) {
        if !self.enabled(level) {
            return;
        }
        let line = Line {
            pid: std::process::id(),
            role: Role::from_number(self.role.load(Ordering::Relaxed)),
            level,
            time_ms: now_ms(),
            message: line::cut(message),
        };
        if let Some(mut sink) = self.sink.try_lock_for(LOCK_LIMIT) {
            sink.write_line(&line);
        }
    }

    /// Writes `text` as it is, of any length: no prefix, no newline added.
    pub fn raw(&self, level: Level, text: &str) {
        if self.enabled(level)
            && let Some(mut sink) = self.sink.try_lock_for(LOCK_LIMIT)
        {
            sink.write_raw(level, text);
        }
    }

    /// Writes a line in the form Redis's signal handlers use, which is the same in every format.
    pub fn from_signal_handler(&self, level: Level, message: &str) {
        if self.enabled(level)
            && let Some(mut sink) = self.sink.try_lock_for(LOCK_LIMIT)
        {
            let (pid, seconds) = (std::process::id(), now_ms() / 1000);
            sink.write_unlogged(format!("{pid}:signal-handler ({seconds}) {message}\n").as_bytes());
        }
    }
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.enabled(Level::from_log(metadata.level()))
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = Level::from_log(record.level());
        if !self.enabled(level) {
            return;
        }
        if let Some(text) = record.args().as_str() {
            return self.write(level, text);
        }
        let mut text = String::new();
        // Formatting into a string fails only if a value's own Display does; what came out before is still a message.
        let _ = write!(text, "{}", record.args());
        self.write(level, &text);
    }

    fn flush(&self) {}
}

/// Milliseconds since 1970; 0 for a clock set before.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Logs at Redis's `debug` level.
#[macro_export]
macro_rules! debug { ($($arg:tt)+) => { $crate::process::logger::log::debug!($($arg)+) } }

/// Logs at Redis's `verbose` level.
#[macro_export]
macro_rules! verbose { ($($arg:tt)+) => { $crate::process::logger::log::info!($($arg)+) } }

/// Logs at Redis's `notice` level.
#[macro_export]
macro_rules! notice { ($($arg:tt)+) => { $crate::process::logger::log::warn!($($arg)+) } }

/// Logs at Redis's `warning` level.
#[macro_export]
macro_rules! warning { ($($arg:tt)+) => { $crate::process::logger::log::error!($($arg)+) } }
