//! Listening sockets: which addresses, with which options, and Redis's messages when it fails.
//!
//! Sockets that listen already are never opened a second time: a change of `bind` or `port` opens what is new and hands
//! over the list of what stays.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mio::net::{TcpListener, UnixListener};
use ochre_config::{Config, Directive};
use socket2::{Domain, Protocol, Socket as RawSocket, TcpKeepalive, Type};

/// A listening TCP socket.
pub struct TcpSocket {
    /// Where it listens.
    pub address: SocketAddr,
    /// The socket.
    pub listener: TcpListener,
}

/// A listening socket.
pub enum Listener {
    /// TCP.
    Tcp(TcpSocket),
    /// A Unix socket and its path.
    Unix(UnixListener, PathBuf),
}

/// An address that `bind` asks for.
struct Wanted {
    /// As it is written, without the dash.
    name: String,
    /// Whether it may be missing.
    optional: bool,
    /// Where that is, or why nobody knows.
    address: io::Result<SocketAddr>,
}

/// What came of opening listeners.
pub struct Opened {
    /// Addresses that were asked for and are open already.
    pub kept: Vec<SocketAddr>,
    /// Those that were opened.
    pub new: Vec<TcpSocket>,
}

fn wanted(config: &Config) -> Vec<Wanted> {
    let Ok(port @ 1..) = u16::try_from(config.int(Directive::Port)) else { return Vec::new() };
    let want = |address: &Vec<u8>| {
        let text = String::from_utf8_lossy(address);
        let (optional, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text.as_ref()),
        };
        Wanted { name: name.to_owned(), optional, address: resolve(name, port) }
    };
    config.bind_addresses().iter().map(want).collect()
}

/// A name with a colon is one of IPv6, any other of IPv4, as in Redis.
fn resolve(name: &str, port: u16) -> io::Result<SocketAddr> {
    let is_v6 = name.contains(':');
    match name {
        "*" => return Ok(SocketAddr::from(([0, 0, 0, 0], port))),
        "::*" => return Ok(SocketAddr::new(IpAddr::from([0u16; 8]), port)),
        _ => {}
    }
    let mut addresses = (name, port).to_socket_addrs()?;
    let found = addresses.find(|address| address.is_ipv6() == is_v6);
    found.ok_or_else(|| io::Error::other("Name or service not known"))
}

/// Opens the TCP listeners of a configuration that are not among `open`. Addresses with a leading `-` may be missing.
///
/// # Errors
/// An address that could not be opened, which the log names; whatever was opened is closed again.
pub fn open_tcp(config: &Config, open: &[SocketAddr]) -> Result<Opened, io::Error> {
    let backlog = config.int(Directive::TcpBacklog) as i32;
    let mut opened = Opened { kept: Vec::new(), new: Vec::new() };
    for Wanted { name, optional, address } in wanted(config) {
        let failure = match address {
            Ok(address) if open.contains(&address) => {
                opened.kept.push(address);
                continue;
            }
            Ok(address) => match open_address(address, backlog) {
                Ok(socket) => {
                    opened.new.push(socket);
                    continue;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        log::error!(
            "Warning: Could not create server TCP listening socket {name}:{}: bind: {}",
            config.int(Directive::Port),
            crate::process_error_text(&failure)
        );
        let missing = optional && failure.kind() == io::ErrorKind::AddrNotAvailable;
        if !missing && !is_unsupported(&failure) {
            return Err(failure);
        }
    }
    Ok(opened)
}

/// Whether the system does not have the protocol or the family at all.
fn is_unsupported(error: &io::Error) -> bool {
    use rustix::io::Errno;
    const UNSUPPORTED: [Errno; 6] = [
        Errno::NOPROTOOPT,
        Errno::PROTONOSUPPORT,
        Errno::SOCKTNOSUPPORT,
        Errno::OPNOTSUPP,
        Errno::PFNOSUPPORT,
        Errno::AFNOSUPPORT,
    ];
    UNSUPPORTED.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Whether a listener of ours that is to go is in the way of one that is wanted: the wildcard of a port conflicts with
/// every other address of that port.
pub fn is_in_own_way(config: &Config, open: &[SocketAddr]) -> bool {
    let wanted: Vec<SocketAddr> = wanted(config).into_iter().filter_map(|one| one.address.ok()).collect();
    let conflict = |a: &SocketAddr, b: &SocketAddr| {
        let wild = a.ip().is_unspecified() || b.ip().is_unspecified();
        a != b && a.port() == b.port() && a.is_ipv4() == b.is_ipv4() && wild
    };
    open.iter().any(|old| !wanted.contains(old) && wanted.iter().any(|new| conflict(old, new)))
}

/// Listens on an address.
///
/// # Errors
/// The system's.
pub fn open_address(address: SocketAddr, backlog: i32) -> io::Result<TcpSocket> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(TcpSocket { address, listener: TcpListener::from_std(socket.into()) })
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
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(path));
    // A socket left over from before is in the way.
    let _ = std::fs::remove_file(&path);
    open_unix_at(&path, config).map(|listener| Some((listener, path)))
}

fn open_unix_at(path: &Path, config: &Config) -> Result<UnixListener, String> {
    let failed = |what: &str, error: &io::Error| {
        format!("Failed opening Unix socket: {what}: {}", crate::process_error_text(error))
    };
    let bind = || -> io::Result<RawSocket> {
        let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(path)?)?;
        Ok(socket)
    };
    let socket = bind().map_err(|error| failed("bind", &error))?;
    let mode = config.int(Directive::Unixsocketperm);
    if mode != 0 {
        let permissions = std::fs::Permissions::from_mode(mode as u32);
        std::fs::set_permissions(path, permissions).map_err(|error| failed("chmod", &error))?;
    }
    let group = String::from_utf8_lossy(config.text(Directive::Unixsocketgroup)).into_owned();
    if !group.is_empty() {
        give_to_group(path, &group).map_err(|error| failed("chown", &error))?;
    }
    let listen = || -> io::Result<UnixListener> {
        socket.listen(config.int(Directive::TcpBacklog) as i32)?;
        socket.set_nonblocking(true)?;
        Ok(UnixListener::from_std(socket.into()))
    };
    listen().map_err(|error| failed("listen", &error))
}

/// Changes the group of a file. Groups are those of `/etc/group`, or given by their number.
fn give_to_group(path: &Path, group: &str) -> io::Result<()> {
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let number =
        group_number(&groups, group).ok_or_else(|| io::Error::other(format!("no group '{group}'")))?;
    rustix::fs::chown(path, None, Some(rustix::fs::Gid::from_raw(number))).map_err(io::Error::from)
}

/// The number of a group; lines are `name:password:number:members`.
fn group_number(groups: &str, group: &str) -> Option<u32> {
    let named = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(group)).then(|| fields.nth(1)?.parse().ok())?
    });
    named.or_else(|| group.parse().ok())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(bind: &[&[u8]], port: u16) -> Config {
        let mut config = Config::new();
        config.assign(Directive::Bind, bind).unwrap();
        config.assign(Directive::Port, &[port.to_string().as_bytes()]).unwrap();
        config
    }

    #[test]
    fn names_become_addresses() {
        let cases: [(&str, Option<&str>); 6] = [
            ("*", Some("0.0.0.0:7")),
            ("::*", Some("[::]:7")),
            ("127.0.0.1", Some("127.0.0.1:7")),
            ("::1", Some("[::1]:7")),
            ("localhost", Some("127.0.0.1:7")),
            ("no.such.name.invalid", None),
        ];
        for (name, address) in cases {
            assert_eq!(resolve(name, 7).ok().map(|a| a.to_string()).as_deref(), address, "{name}");
        }
    }

    #[test]
    fn wildcards_are_in_the_way() {
        let cases: [(&[&[u8]], &str, bool); 5] = [
            (&[b"*"], "127.0.0.1:7", true),
            (&[b"127.0.0.1"], "0.0.0.0:7", true),
            (&[b"127.0.0.1"], "127.0.0.2:7", false),
            (&[b"*"], "[::1]:7", false),
            (&[b"*"], "127.0.0.1:8", false),
        ];
        for (bind, open, expected) in cases {
            assert_eq!(
                is_in_own_way(&config(bind, 7), &[open.parse().unwrap()]),
                expected,
                "{bind:?} {open}"
            );
        }
    }

    #[test]
    fn groups() {
        let file = "root:x:0:\nwheel:x:10:a,b\nbroken\n";
        let cases = [("root", Some(0)), ("wheel", Some(10)), ("broken", None), ("12", Some(12)), ("x", None)];
        for (group, number) in cases {
            assert_eq!(group_number(file, group), number, "{group}");
        }
    }

    #[test]
    fn what_is_open_is_not_opened_again() {
        let first = open_address("127.0.0.1:0".parse().unwrap(), 5).unwrap();
        let address = first.listener.local_addr().unwrap();
        let config = config(&[b"127.0.0.1"], address.port());
        let opened = open_tcp(&config, &[address]).ok().unwrap();
        assert_eq!((opened.kept, opened.new.len()), (vec![address], 0));
        assert_eq!(open_tcp(&config, &[]).err().unwrap().kind(), io::ErrorKind::AddrInUse);
    }
}
