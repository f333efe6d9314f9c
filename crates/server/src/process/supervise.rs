//! Service managers: `supervised no|upstart|systemd|auto`.
//!
//! systemd is told by datagrams to the socket named in NOTIFY_SOCKET (`sd_notify(3)`): a path, or with a leading `@` a
//! name in Linux's abstract space. Upstart is told by stopping: it continues the process once it has noticed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Who supervises the process: the setting, and (never `Auto`) the finding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Supervised {
    /// Nobody.
    #[default]
    No,
    /// Whoever the environment shows.
    Auto,
    /// systemd.
    Systemd,
    /// Upstart.
    Upstart,
}

impl Supervised {
    /// The mode of a configuration name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::No, Self::Auto, Self::Systemd, Self::Upstart]
            .into_iter()
            .find(|m| m.name().eq_ignore_ascii_case(name))
    }

    /// The name, in the configuration and in INFO's `process_supervised`.
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Auto => "auto",
            Self::Systemd => "systemd",
            Self::Upstart => "upstart",
        }
    }

    /// What `Auto` means in this environment.
    fn detect(self, upstart: bool, systemd: bool) -> Self {
        match self {
            Self::Auto if upstart => Self::Upstart,
            Self::Auto if systemd => Self::Systemd,
            Self::Auto => Self::No,
            mode => mode,
        }
    }
}

/// The supervisor found at start-up, and the way to it.
#[derive(Debug)]
pub struct Supervisor {
    mode: Supervised,
    socket: Option<OsString>,
}

impl Supervisor {
    /// Finds and greets the supervisor. With Upstart this stops the process until Upstart continues it.
    pub fn start(setting: Supervised) -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET");
        let mode = setting.detect(std::env::var_os("UPSTART_JOB").is_some(), socket.is_some());
        let mut this = Self { mode, socket };
        let found = match mode {
            Supervised::Upstart => start_upstart(),
            Supervised::Systemd => this.start_systemd(),
            Supervised::No | Supervised::Auto => false,
        };
        if !found {
            this.mode = Supervised::No;
        }
        this
    }

    /// Who supervises; a server that somebody supervises does not daemonize.
    pub fn mode(&self) -> Supervised {
        self.mode
    }

    /// A line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.tell(&format!("STATUS={text}\n"));
    }

    /// Start-up is over.
    pub fn ready(&self) {
        self.tell("READY=1\n");
    }

    /// Shutdown has begun.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\n");
    }

    fn start_systemd(&self) -> bool {
        if !self.tell("STATUS=Ochre is loading...\n") {
            return false;
        }
        crate::notice!(
            "Supervised by systemd. The unit's TimeoutStartSec and TimeoutStopSec must leave time for loading and saving."
        );
        true
    }

    fn tell(&self, message: &str) -> bool {
        if self.mode != Supervised::Systemd {
            return false;
        }
        let Some(socket) = &self.socket else {
            crate::warning!("systemd supervision error: NOTIFY_SOCKET not found!");
            return false;
        };
        match notify(socket, message) {
            Ok(()) => true,
            Err(error) => {
                crate::warning!("systemd supervision error: sd_notify: {error}");
                false
            }
        }
    }
}

fn start_upstart() -> bool {
    if std::env::var_os("UPSTART_JOB").is_none() {
        crate::warning!("upstart supervision requested, but UPSTART_JOB not found!");
        return false;
    }
    crate::notice!("supervised by upstart, will stop to signal readiness.");
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP).is_ok()
}

/// Sends one notification to the socket of that name.
fn notify(socket: &OsStr, message: &str) -> io::Result<()> {
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address(socket)?).map(drop)
}

fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(socket),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a path nor an abstract name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_auto_means() {
        use Supervised::*;
        let cases = [
            (Auto, true, true, Upstart),
            (Auto, false, true, Systemd),
            (Auto, false, false, No),
            (No, true, true, No),
            (Systemd, true, false, Systemd),
        ];
        for (setting, upstart, systemd, expected) in cases {
            assert_eq!(setting.detect(upstart, systemd), expected);
        }
        for mode in [No, Auto, Systemd, Upstart] {
            assert_eq!(Supervised::from_name(mode.name()), Some(mode));
        }
    }

    #[test]
    fn notifications_arrive() {
        let path = std::env::temp_dir().join(format!("ochre-notify-{}", std::process::id()));
        let by_path = UnixDatagram::bind(&path).unwrap();
        let mut sockets = vec![(path.clone().into_os_string(), by_path)];
        #[cfg(target_os = "linux")]
        {
            let name = format!("ochre-notify-{}", std::process::id());
            let address =
                <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name).unwrap();
            sockets.push((format!("@{name}").into(), UnixDatagram::bind_addr(&address).unwrap()));
        }
        for (name, socket) in sockets {
            let supervisor = Supervisor { mode: Supervised::Systemd, socket: Some(name) };
            supervisor.status("Ready");
            supervisor.ready();
            supervisor.stopping();
            for expected in ["STATUS=Ready\n", "READY=1\n", "STOPPING=1\n"] {
                let mut buffer = [0; 64];
                let n = socket.recv(&mut buffer).unwrap();
                assert_eq!(&buffer[..n], expected.as_bytes());
            }
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn bad_addresses_are_errors() {
        for socket in ["", "relative", "/nonexistent/socket", "@nobody-listens-here"] {
            assert!(notify(OsStr::new(socket), "READY=1\n").is_err(), "{socket:?}");
        }
        assert!(!Supervisor { mode: Supervised::Systemd, socket: None }.start_systemd());
    }
}
