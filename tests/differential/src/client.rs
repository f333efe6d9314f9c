//! A client that shows replies as the bytes they are: it sends what it is given and cuts the answer into replies.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use crate::reply::{Broken, Reply};

/// How long a reply may take before the server counts as hanging.
const REPLY_LIMIT: Duration = Duration::from_secs(20);

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    at: usize,
}

impl Client {
    /// Connects to `address`.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        stream.set_write_timeout(Some(REPLY_LIMIT))?;
        Ok(Self { stream, buffer: Vec::new(), at: 0 })
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The bytes of the next reply. Errors: `UnexpectedEof` when the server closed the connection, `TimedOut` when it
    /// stayed silent, `InvalidData` when it sent something that is no reply.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match Reply::length(&self.buffer[self.at..]) {
                Ok(length) => {
                    let reply = self.buffer[self.at..self.at + length].to_vec();
                    self.at += length;
                    return Ok(reply);
                }
                Err(Broken::Incomplete) => self.fill()?,
                Err(Broken::Malformed) => {
                    let start =
                        crate::text::escape(&self.buffer[self.at..self.buffer.len().min(self.at + 80)]);
                    return Err(io::Error::new(ErrorKind::InvalidData, format!("not a reply: {start}")));
                }
            }
        }
    }

    /// Sends one command and returns its reply as a tree.
    pub fn call(&mut self, arguments: &[&[u8]]) -> io::Result<Reply> {
        let mut bytes = Vec::new();
        encode(arguments, &mut bytes);
        self.send(&bytes)?;
        let reply = self.receive()?;
        Reply::read(&reply).map(|(reply, _)| reply).map_err(|_| io::Error::from(ErrorKind::InvalidData))
    }

    /// Ends the sending side and returns everything the server still says until it closes. A reset counts as a close.
    pub fn finish(mut self) -> io::Result<Vec<u8>> {
        // The server may have closed already, which is an answer like any other.
        let _ = self.stream.shutdown(Shutdown::Write);
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) =>
                {
                    return Ok(self.buffer.split_off(self.at));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        let mut chunk = [0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
            Err(error) => Err(error),
        }
    }
}

/// Appends a command as an array of bulk strings.
pub fn encode<A: AsRef<[u8]>>(arguments: &[A], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments {
        let argument = argument.as_ref();
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}
