//! Connections: how they are opened, greeted and asked a question.
//!
//! The first connections are opened and greeted one after the other, blocking, before the clock starts:
//! that gives exact error messages and keeps the set-up out of the figures. Only with `-k 0` connections
//! are opened inside the event loop, without blocking; there the greeting travels in front of the first
//! batch.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as BlockingTcp, ToSocketAddrs};
use std::os::unix::net::UnixStream as BlockingUnix;

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use ochre_resp::{ReplyLimits, ReplyParser, Value};

use crate::failure::Failure;
use crate::options::{Options, Target};
use crate::template::Template;

/// Longest reply to a question, bytes; a configuration value or an error is far shorter.
const ANSWER_LIMITS: ReplyLimits =
    ReplyLimits { depth_max: 8, bulk_len_max: 1 << 20, reply_len_max: 1 << 20 };

/// Opens connections to one server.
#[derive(Debug)]
pub struct Dialer {
    target: Target,
    addresses: Vec<SocketAddr>,
    greeting: Template,
}

impl Dialer {
    /// Resolves the server's name and prepares AUTH, HELLO, SELECT and CLIENT TRACKING as far as asked for.
    ///
    /// # Errors
    /// [`Failure::Connect`] when the name cannot be resolved.
    pub fn new(options: &Options) -> Result<Self, Failure> {
        let addresses = match &options.target {
            Target::Unix(_) => Vec::new(),
            Target::Tcp { host, port } => (host.as_str(), *port)
                .to_socket_addrs()
                .map_err(|error| Failure::Connect(options.target.clone(), error))?
                .collect(),
        };
        Ok(Self { target: options.target.clone(), addresses, greeting: greeting(options) })
    }

    /// What a new connection says first; empty when nothing is needed.
    pub fn greeting(&self) -> &Template {
        &self.greeting
    }

    /// Opens a connection and greets, waiting for both.
    ///
    /// # Errors
    /// [`Failure::Connect`], or [`Failure::Setup`] with the server's refusal.
    pub fn connect(&self) -> Result<Control, Failure> {
        let stream = self.open().map_err(|error| Failure::Connect(self.target.clone(), error))?;
        let mut control = Control { stream, parser: ReplyParser::new(ANSWER_LIMITS) };
        control.send(self.greeting.bytes())?;
        for _ in 0..self.greeting.replies() {
            control.answer().map_err(as_setup)?;
        }
        Ok(control)
    }

    fn open(&self) -> io::Result<Blocking> {
        if let Target::Unix(path) = &self.target {
            return BlockingUnix::connect(path).map(Blocking::Unix);
        }
        let stream = BlockingTcp::connect(self.addresses.as_slice())?;
        stream.set_nodelay(true)?;
        Ok(Blocking::Tcp(stream))
    }

    /// Starts to open a connection without waiting; it is ready to greet when it becomes writable.
    ///
    /// # Errors
    /// [`Failure::Connect`].
    pub fn start(&self) -> Result<Socket, Failure> {
        let opened = match (&self.target, self.addresses.first()) {
            (Target::Tcp { .. }, Some(address)) => TcpStream::connect(*address).map(Socket::Tcp),
            (Target::Tcp { .. }, None) => Err(io::ErrorKind::NotFound.into()),
            (Target::Unix(path), _) => UnixStream::connect(path).map(Socket::Unix),
        };
        opened.map_err(|error| self.failed(error))
    }

    /// The failure that stands for `error` on a connection to this server.
    pub fn failed(&self, error: io::Error) -> Failure {
        Failure::Connect(self.target.clone(), error)
    }
}

fn greeting(options: &Options) -> Template {
    let mut greeting = Template::default();
    match (&options.user, &options.password) {
        (Some(user), Some(password)) => greeting.push(&["AUTH", user, password]),
        (None, Some(password)) => greeting.push(&["AUTH", password]),
        _ => {}
    }
    if options.resp3 {
        greeting.push(&["HELLO", "3"]);
    }
    if options.database != 0 {
        greeting.push(&["SELECT", &options.database.to_string()]);
    }
    if options.tracking {
        greeting.push(&["CLIENT", "TRACKING", "ON"]);
    }
    greeting
}

fn as_setup(failure: Failure) -> Failure {
    match failure {
        Failure::Reply(text) => Failure::Setup(text),
        other => other,
    }
}

/// A greeted connection on which one question is asked at a time.
#[derive(Debug)]
pub struct Control {
    stream: Blocking,
    parser: ReplyParser,
}

impl Control {
    /// Sends one command and waits for its reply.
    ///
    /// # Errors
    /// [`Failure::Reply`] when the server answers with an error.
    pub fn ask<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<Value, Failure> {
        let mut command = Template::default();
        command.push(arguments);
        self.send(command.bytes())?;
        self.answer()
    }

    /// The same connection for an event loop.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn into_socket(self) -> Result<Socket, Failure> {
        Ok(match self.stream {
            Blocking::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                Socket::Tcp(TcpStream::from_std(stream))
            }
            Blocking::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Socket::Unix(UnixStream::from_std(stream))
            }
        })
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// The next reply; what the server pushes meanwhile is passed over.
    fn answer(&mut self) -> Result<Value, Failure> {
        let mut buffer = [0; 4096];
        loop {
            match self.parser.next_reply().map_err(|_| Failure::Protocol("an answer that is no reply"))? {
                Some(Value::Error(text)) => {
                    return Err(Failure::Reply(String::from_utf8_lossy(&text).into_owned()));
                }
                Some(Value::Push(_)) => {}
                Some(value) => return Ok(value),
                None => match self.stream.read(&mut buffer)? {
                    0 => return Err(Failure::Closed),
                    read => self.parser.feed(&buffer[..read]),
                },
            }
        }
    }
}

#[derive(Debug)]
enum Blocking {
    Tcp(BlockingTcp),
    Unix(BlockingUnix),
}

impl Read for Blocking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Blocking::Tcp(stream) => stream.read(buffer),
            Blocking::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Blocking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Blocking::Tcp(stream) => stream.write(bytes),
            Blocking::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket in an event loop.
#[derive(Debug)]
pub enum Socket {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

impl Socket {
    /// What a poller registers.
    pub fn source(&mut self) -> &mut dyn Source {
        match self {
            Socket::Tcp(stream) => stream,
            Socket::Unix(stream) => stream,
        }
    }

    /// Ends the opening of a connection: whether it succeeded.
    ///
    /// # Errors
    /// The reason why it did not.
    pub fn finish_connect(&mut self) -> io::Result<()> {
        let error = match self {
            Socket::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream.take_error()?
            }
            Socket::Unix(stream) => stream.take_error()?,
        };
        error.map_or(Ok(()), Err)
    }

    /// Reads what is there.
    ///
    /// # Errors
    /// As [`Read::read`].
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buffer),
            Socket::Unix(stream) => stream.read(buffer),
        }
    }

    /// Writes what fits.
    ///
    /// # Errors
    /// As [`Write::write`].
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            Socket::Unix(stream) => stream.write(bytes),
        }
    }
}
