//! Going to the background, and the file that holds the process number.
//!
//! Redis's rules: the server daemonizes if told so and not supervised; it writes a pidfile if it did, or if one is
//! named; it removes the file at a clean end, and after a crash only when it had daemonized without a supervisor.
//!
//! [`daemonize`] forks, so it comes before the first thread: before signals, crash reports and workers.

use std::io;
use std::path::{Path, PathBuf};

use super::sys::{Side, fork};

/// Where a daemon without `pidfile` puts its number.
pub const DEFAULT_PIDFILE: &str = "/var/run/ochre.pid";

/// Continues in a child process in a session of its own, with standard input, output and error on `/dev/null`; the
/// calling process ends with status 0.
///
/// Fails, and stays what it was, when other threads are running or the system refuses to fork.
pub fn daemonize() -> io::Result<()> {
    if fork()? == Side::Parent {
        std::process::exit(0);
    }
    // Fails only for a leader of a process group, which a new child is not.
    let _ = rustix::process::setsid();
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// The file with the process number, while it exists.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// The file that these settings ask for: `None` if none is wanted.
    pub fn wanted(background: bool, pidfile: Option<&Path>) -> Option<PathBuf> {
        match pidfile {
            Some(path) => Some(path.to_path_buf()),
            None => background.then(|| PathBuf::from(DEFAULT_PIDFILE)),
        }
    }

    /// Writes this process's number. A failure is logged and the server goes on, as in Redis; it still owns the path
    /// and removes whatever is there at its end.
    pub fn create(path: PathBuf) -> Self {
        if let Err(error) = std::fs::write(&path, format!("{}\n", std::process::id())) {
            crate::warning!("Failed to write PID file: {}", super::error_text(&error));
        }
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, at a clean end.
    pub fn remove(self) {
        crate::notice!("Removing the pid file.");
        // Gone already, or never written: nothing to remove either way.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_file_is_wanted() {
        let named = Path::new("/tmp/x.pid");
        let cases = [
            (false, None, None),
            (true, None, Some(DEFAULT_PIDFILE.into())),
            (false, Some(named), Some(named.to_path_buf())),
            (true, Some(named), Some(named.to_path_buf())),
        ];
        for (background, pidfile, expected) in cases {
            assert_eq!(PidFile::wanted(background, pidfile), expected);
        }
    }

    #[test]
    fn holds_the_number_and_goes() {
        let path = std::env::temp_dir().join(format!("ochre-pidfile-{}", std::process::id()));
        let file = PidFile::create(path.clone());
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), format!("{}\n", std::process::id()));
        file.remove();
        assert!(!path.exists());
    }
}
