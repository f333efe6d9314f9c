//! Protected mode: without a password, only clients of the same machine are served.
#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpStream, UdpSocket};

use ochre_resp::Value;
use ochre_tests::{PATIENCE, ServerBuilder, ochre};

/// An address of this machine that is not the loopback one, if it has one. Nothing is sent: connecting a datagram socket
/// only asks for the route. The address to go to is one that documents may use.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("203.0.113.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

/// What the server says to a PING from an address, until it has said `end` or closes the connection.
fn ping(address: (IpAddr, u16), end: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Whoever is refused may be gone before it has asked.
    let _ = stream.write_all(b"PING\r\n");
    let (mut said, mut piece) = (String::new(), [0; 4096]);
    while !said.ends_with(end) {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => said.push_str(&String::from_utf8_lossy(&piece[..count])),
        }
    }
    said
}

#[test]
fn other_machines_are_refused_without_a_password() {
    let Some(ip) = own_address() else {
        eprintln!("This machine has no address but the loopback one: nothing to be tried.");
        return;
    };
    let server = ServerBuilder::new(ochre()).set("bind", "* -::*").start();
    let (mut local, remote) = (server.connect(), (ip, server.port()));
    let before = local.info("rejected_connections");
    let said = ping(remote, "accepting connections from the outside.\r\n");
    assert!(said.starts_with("-DENIED Redis is running in protected mode"), "{said}");
    assert_eq!(local.info("rejected_connections"), before + 1);
    let ok = Value::Simple(b"OK".to_vec());
    assert_eq!(local.ask("CONFIG SET protected-mode no"), ok);
    assert_eq!(ping(remote, "\r\n"), "+PONG\r\n");
    assert_eq!(local.ask("CONFIG SET protected-mode yes"), ok);
    assert!(ping(remote, "\r\n").starts_with("-DENIED "), "again");
    assert_eq!(local.ask("CONFIG SET requirepass secret"), ok);
    assert_eq!(ping(remote, "\r\n"), "-NOAUTH Authentication required.\r\n");
}
