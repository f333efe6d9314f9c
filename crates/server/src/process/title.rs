//! The process title: `set-proc-title` and `proc-title-template`.
//!
//! A template is text with `{variable}`s; `{{` is a brace. As in Redis a template is valid if all its variables exist and
//! its expansion, with an empty `{title}`, is not empty once trimmed of spaces.

use std::ffi::OsString;
use std::sync::OnceLock;

use parking_lot::Mutex;

use super::sys::ArgumentArea;

/// The server's `proc-title-template` unless set.
pub const DEFAULT_TEMPLATE: &str = "{title} {listen-addr} {server-mode}";

static AREA: OnceLock<Option<Mutex<ArgumentArea>>> = OnceLock::new();

/// What the variables stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TitleVariables {
    /// `{title}`: the name the program was called by, or what a child process does.
    pub title: String,
    /// First bind address, for `{listen-addr}`; `*` if empty.
    pub bind_address: String,
    /// `{port}`; 0 is none.
    pub port: u16,
    /// `{tls-port}`; 0 is none.
    pub tls_port: u16,
    /// `{unixsocket}`; may be empty.
    pub unix_socket: String,
    /// `{server-mode}`.
    pub mode: ServerMode,
    /// `{config-file}`; `-` if there is none.
    pub config_file: Option<String>,
}

/// How the server runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerMode {
    /// One server.
    #[default]
    Standalone,
    /// A node of a cluster.
    Cluster,
    /// A Sentinel.
    Sentinel,
}

impl ServerMode {
    /// The name in INFO and in the start-up lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Cluster => "cluster",
            Self::Sentinel => "sentinel",
        }
    }
}

impl TitleVariables {
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "title" => self.title.clone(),
            "listen-addr" => self.listen_address(),
            "server-mode" => match self.mode {
                ServerMode::Standalone => String::new(),
                mode => format!("[{}]", mode.name()),
            },
            "config-file" => self.config_file.clone().unwrap_or_else(|| "-".to_owned()),
            "port" => self.port.to_string(),
            "tls-port" => self.tls_port.to_string(),
            "unixsocket" => self.unix_socket.clone(),
            _ => return None,
        })
    }

    fn listen_address(&self) -> String {
        let port = if self.port == 0 { self.tls_port } else { self.port };
        match (port, self.bind_address.as_str()) {
            (0, _) => format!("unixsocket:{}", self.unix_socket),
            (port, "") => format!("*:{port}"),
            (port, address) => format!("{address}:{port}"),
        }
    }
}

/// The title that `template` makes; `None` if a brace is open or a variable unknown.
pub fn expand(template: &str, variables: &TitleVariables) -> Option<String> {
    let mut title = String::new();
    let mut rest = template;
    while let Some((text, after)) = rest.split_once('{') {
        title += text;
        if let Some(after) = after.strip_prefix('{') {
            title.push('{');
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}')?;
        title += &variables.value(name)?;
        rest = after;
    }
    title += rest;
    Some(title.trim_matches(' ').to_owned())
}

/// Whether CONFIG SET accepts `template`.
pub fn is_valid(template: &str, variables: &TitleVariables) -> bool {
    let untitled = TitleVariables { title: String::new(), ..variables.clone() };
    expand(template, &untitled).is_some_and(|title| !title.is_empty())
}

/// Prepares for titles and returns the program's arguments, the name it was called by first.
///
/// To be called first thing in `main`, before any thread. From the first title on `std::env::args` returns parts of the
/// title; use what is returned here.
pub fn init() -> Vec<OsString> {
    let arguments = std::env::args_os().collect();
    AREA.get_or_init(|| ArgumentArea::claim().map(Mutex::new));
    arguments
}

/// Shows `title` as the command line of this process. Does nothing before [`init`], or where the system has no way.
pub fn set(title: &str) {
    if let Some(Some(area)) = AREA.get() {
        area.lock().write(title.as_bytes());
    }
}

/// Names the calling thread for `top -H` and crash reports: 15 bytes are kept, NULs end it.
pub fn set_thread_name(name: &str) {
    let name: Vec<u8> = name.bytes().take(15).take_while(|&b| b != 0).collect();
    if let Ok(name) = std::ffi::CString::new(name) {
        // Fails only for a bad pointer, which a CString is not.
        let _ = rustix::thread::set_name(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> TitleVariables {
        TitleVariables {
            title: "ochre-server".into(),
            bind_address: "127.0.0.1".into(),
            port: 6379,
            tls_port: 6380,
            unix_socket: "/tmp/s".into(),
            mode: ServerMode::Cluster,
            config_file: None,
        }
    }

    #[test]
    fn expansions() {
        let cases = [
            (DEFAULT_TEMPLATE, Some("ochre-server 127.0.0.1:6379 [cluster]")),
            ("TEST {port} {tls-port} {unixsocket} {config-file}", Some("TEST 6379 6380 /tmp/s -")),
            ("  {{x} a}  ", Some("{x} a}")),
            ("{invalid-var}", None),
            ("{title", None),
            ("x{", None),
            ("", Some("")),
        ];
        for (template, expected) in cases {
            assert_eq!(expand(template, &variables()).as_deref(), expected, "{template}");
        }
    }

    #[test]
    fn listen_addresses() {
        let at = |bind: &str, port, tls_port| {
            let v = TitleVariables { bind_address: bind.into(), port, tls_port, ..variables() };
            expand("{listen-addr}", &v).unwrap()
        };
        assert_eq!(at("", 6379, 0), "*:6379");
        assert_eq!(at("::1", 0, 6380), "::1:6380");
        assert_eq!(at("::1", 0, 0), "unixsocket:/tmp/s");
    }

    #[test]
    fn validity() {
        let standalone = TitleVariables { mode: ServerMode::Standalone, ..variables() };
        let cases = [
            ("{title}", false),
            ("", false),
            ("{server-mode}", false),
            ("x", true),
            ("{title} {port}", true),
        ];
        for (template, expected) in cases {
            assert_eq!(is_valid(template, &standalone), expected, "{template}");
        }
        assert!(is_valid("{server-mode}", &variables()));
    }
}
