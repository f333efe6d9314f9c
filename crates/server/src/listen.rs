//! Listening sockets: which addresses, with which options, and Redis's messages when it fails.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use mio::net::{TcpListener, UnixListener};
use ochre_config::{Config, Directive};
use socket2::{Domain, Protocol, Socket as RawSocket, TcpKeepalive, Type};

/// A listening socket.
pub enum Listener {
    /// TCP, with the address as it was configured.
    Tcp(TcpListener),
    /// A Unix socket and its path.
    Unix(UnixListener, PathBuf),
}

/// Opens the TCP listeners of a configuration. Addresses with a leading `-` may be missing.
///
/// # Errors
/// The message to show; whatever was opened is closed again.
pub fn open_tcp(config: &Config) -> Result<Vec<TcpListener>, String> {
    let port = config.int(Directive::Port);
    let Ok(port @ 1..) = u16::try_from(port) else { return Ok(Vec::new()) };
    let backlog = config.int(Directive::TcpBacklog) as i32;
    let mut listeners = Vec::new();
    for address in config.bind_addresses() {
        let text = String::from_utf8_lossy(address);
        let (optional, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text.as_ref()),
        };
        match open_one(name, port, backlog) {
            Ok(listener) => listeners.push(listener),
            Err(error) if optional && may_be_missing(&error) => {}
            Err(error) => {
                log::error!(
                    "Warning: Could not create server TCP listening socket {name}:{port}: bind: {}",
                    crate::process_error_text(&error)
                );
                if !optional {
                    return Err(format!("Failed listening on port {port} (tcp), aborting."));
                }
            }
        }
    }
    Ok(listeners)
}

/// Errors that say that the system does not have the address or its family at all.
fn may_be_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || matches!(error.raw_os_error(), Some(97 | 93 | 94 | 92))
}

fn open_one(name: &str, port: u16, backlog: i32) -> io::Result<TcpListener> {
    let (address, both) = match name {
        "*" => (SocketAddr::from(([0, 0, 0, 0], port)), false),
        "::*" => (SocketAddr::new(IpAddr::from([0u16; 8]), port), false),
        _ => (resolve(name, port)?, false),
    };
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!both)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn resolve(name: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = (name, port).to_socket_addrs()?;
    addresses.next().ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))
}

/// Opens the Unix socket of a configuration, if it has one.
///
/// # Errors
/// The message to show.
pub fn open_unix(config: &Config) -> Result<Option<(UnixListener, PathBuf)>, String> {
    let path = config.text(Directive::Unixsocket);
    if path.is_empty() {
        return Ok(None);
    }
    let path = PathBuf::from(String::from_utf8_lossy(path).into_owned());
    // A socket left over from before is in the way.
    let _ = std::fs::remove_file(&path);
    let open = || -> io::Result<UnixListener> {
        let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(&path)?)?;
        let mode = config.int(Directive::Unixsocketperm);
        if mode != 0 {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode as u32))?;
        }
        socket.listen(config.int(Directive::TcpBacklog) as i32)?;
        socket.set_nonblocking(true)?;
        Ok(UnixListener::from_std(socket.into()))
    };
    match open() {
        Ok(listener) => Ok(Some((listener, path))),
        Err(error) => {
            log::error!("Failed opening Unix socket: bind: {}", crate::process_error_text(&error));
            Err("Failed opening Unix socket, aborting.".to_owned())
        }
    }
}

/// Sets the options of an accepted TCP connection: no delay, and keepalive probes as Redis spaces them.
pub fn tune(stream: &mio::net::TcpStream, keepalive_s: u64) {
    let socket = socket2::SockRef::from(stream);
    // A connection that is already broken will tell so when it is read.
    let _ = socket.set_tcp_nodelay(true);
    if keepalive_s > 0 {
        let interval = Duration::from_secs((keepalive_s / 3).max(1));
        let probes = TcpKeepalive::new()
            .with_time(Duration::from_secs(keepalive_s))
            .with_interval(interval)
            .with_retries(3);
        let _ = socket.set_tcp_keepalive(&probes);
    }
}
