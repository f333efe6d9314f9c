//! Everything around a server process: its log, its place in the system, its end.
//!
//! Each file takes plain settings and knows nothing of commands, keys or the configuration table. The order at start-up
//! matters, because a process with threads can neither fork nor move its environment:
//!
//! 1. [`title::init`] first thing in `main`;
//! 2. [`logger::install`], [`checks::warn_of_machine`];
//! 3. [`Supervisor::start`], [`daemonize`] if wanted and not supervised, [`banner::starting`], [`PidFile::create`];
//! 4. [`crash::install`] and [`signals::install`], which start threads;
//! 5. the server; then [`OomScore::apply`], [`affinity::bind_thread`] per thread.
//!
//! The thread that samples stacks for reports interrupts other threads with a signal: their system calls may return EINTR.

pub mod affinity;
pub mod banner;
pub mod build;
pub mod checks;
pub mod crash;
mod daemonize;
pub mod info;
pub mod limits;
pub mod locale;
pub mod logger;
pub mod memtest;
mod oom;
pub mod signals;
mod stack;
mod supervise;
mod sys;
pub mod title;
pub mod watchdog;

pub use daemonize::{DEFAULT_PIDFILE, PidFile, daemonize};
pub use oom::{OomScore, OomScoreAdj, OomScoreValues};
pub use supervise::{Supervised, Supervisor};

/// An error as C's `strerror` words it, without the number that Rust adds.
pub(crate) fn error_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn errors_are_worded_as_in_c() {
        assert_eq!(super::error_text(&std::io::Error::from_raw_os_error(2)), "No such file or directory");
        assert_eq!(super::error_text(&std::io::Error::other("plain")), "plain");
    }
}
