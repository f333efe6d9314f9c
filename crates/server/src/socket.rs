//! A client's socket: TCP or Unix, non-blocking.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendFlags};

/// A connected socket.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// Unix domain.
    Unix(UnixStream),
}

impl Socket {
    /// Receives into the spare capacity of `buffer`. 0 is the end of the stream.
    ///
    /// # Errors
    /// Those of recv(2); `WouldBlock` if nothing is there.
    pub fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            match rustix::net::recv(self.fd(), spare_capacity(buffer), RecvFlags::empty()) {
                Ok((received, _)) => return Ok(received),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends what the socket takes now.
    ///
    /// # Errors
    /// Those of send(2); `WouldBlock` if it takes nothing.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::net::send(self.fd(), bytes, SendFlags::NOSIGNAL) {
                Ok(sent) => return Ok(sent),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The same connection for somebody else, who has it once this is closed.
    ///
    /// # Errors
    /// Those of dup(2).
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.fd().try_clone_to_owned()
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }

    /// Has the poller tell when there is something to receive or room to send.
    ///
    /// # Errors
    /// Those of the poller.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self {
            Socket::Tcp(stream) => stream.register(registry, token, interest),
            Socket::Unix(stream) => stream.register(registry, token, interest),
        }
    }

    /// Has the poller forget the socket.
    pub fn deregister(&mut self, registry: &Registry) {
        // Closing the descriptor would do, too: an error changes nothing.
        let _ = match self {
            Socket::Tcp(stream) => stream.deregister(registry),
            Socket::Unix(stream) => stream.deregister(registry),
        };
    }
}
