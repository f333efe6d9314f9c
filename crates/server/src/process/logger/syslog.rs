//! The system log, by datagrams to its local socket in the form of RFC 3164, as the C library's `syslog(3)` sends them:
//! `<priority>Mon DD HH:MM:SS ident[pid]: message` with LOG_PID, which Redis uses.
//!
//! The socket never blocks: a log daemon that has stopped reading costs lines, not the server.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Level;

/// Where the daemon listens on Linux.
const SOCKET: &str = "/dev/log";

/// `syslog-ident` and `syslog-facility`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogSettings {
    /// The name before each line.
    pub ident: String,
    /// Who the lines are from.
    pub facility: Facility,
}

/// The facilities that Redis can be set to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Facility {
    /// `user`.
    User = 1,
    /// `local0`, the default.
    #[default]
    Local0 = 16,
    /// `local1`.
    Local1 = 17,
    /// `local2`.
    Local2 = 18,
    /// `local3`.
    Local3 = 19,
    /// `local4`.
    Local4 = 20,
    /// `local5`.
    Local5 = 21,
    /// `local6`.
    Local6 = 22,
    /// `local7`.
    Local7 = 23,
}

impl Facility {
    /// The facility of a configuration name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        use Facility::*;
        let all = [
            ("user", User),
            ("local0", Local0),
            ("local1", Local1),
            ("local2", Local2),
            ("local3", Local3),
            ("local4", Local4),
            ("local5", Local5),
            ("local6", Local6),
            ("local7", Local7),
        ];
        all.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, f)| f)
    }
}

/// A connection to the daemon, opened at the first line and again after an error (the daemon was restarted).
#[derive(Debug)]
pub(super) struct Syslog {
    settings: SyslogSettings,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    pub(super) fn new(settings: SyslogSettings) -> Self {
        Self { settings, socket: None }
    }

    pub(super) fn settings(&self) -> &SyslogSettings {
        &self.settings
    }

    pub(super) fn send(&mut self, level: Level, message: &str) {
        self.send_to(Path::new(SOCKET), level, message);
    }

    fn send_to(&mut self, path: &Path, level: Level, message: &str) {
        let packet = self.packet(level, message);
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = connect(path);
            }
            let Some(socket) = &self.socket else { return };
            match socket.send(packet.as_bytes()) {
                Err(e) if e.kind() != std::io::ErrorKind::WouldBlock => self.socket = None,
                _ => return,
            }
        }
    }

    fn packet(&self, level: Level, message: &str) -> String {
        // RFC 3164's severities; Redis's "verbose" is "informational".
        let severity = match level {
            Level::Debug => 7,
            Level::Verbose => 6,
            Level::Notice => 5,
            Level::Warning | Level::Nothing => 4,
        };
        let priority = (self.settings.facility as u16) << 3 | severity;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (ident, pid) = (&self.settings.ident, std::process::id());
        format!("<{priority}>{} {ident}[{pid}]: {message}", super::line::syslog_time(now))
    }
}

fn connect(path: &Path) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_reach_the_socket_and_survive_a_restart() {
        let path = std::env::temp_dir().join(format!("ochre-syslog-{}", std::process::id()));
        let mut syslog = Syslog::new(SyslogSettings {
            ident: "ochre".into(),
            facility: Facility::from_name("LOCAL3").unwrap(),
        });
        syslog.send_to(&path, Level::Notice, "nobody listens");
        for text in ["one", "after a restart"] {
            let _ = std::fs::remove_file(&path);
            let daemon = UnixDatagram::bind(&path).unwrap();
            syslog.send_to(&path, Level::Verbose, text);
            let mut packet = [0; 200];
            let n = daemon.recv(&mut packet).unwrap();
            let packet = std::str::from_utf8(&packet[..n]).unwrap();
            assert!(packet.starts_with("<158>"), "{packet}");
            assert_eq!(packet.as_bytes()[5 + 15], b' ', "{packet}");
            assert!(packet.ends_with(&format!(" ochre[{}]: {text}", std::process::id())), "{packet}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
