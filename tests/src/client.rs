//! A connection that hides nothing: bytes out as they are, replies in as they come.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use ochre_resp::{ReplyParser, Value, encode_request};

use crate::PATIENCE;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A port of 127.0.0.1.
    Tcp(u16),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// The arguments that make a server listen there and nowhere else.
    pub fn arguments(&self) -> Vec<String> {
        match self {
            Address::Tcp(port) => vec!["--port".to_owned(), port.to_string()],
            Address::Unix(path) => {
                ["--port", "0", "--unixsocket", &path.to_string_lossy()].map(str::to_owned).to_vec()
            }
        }
    }
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A client of one connection. Reads give up after [`PATIENCE`].
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    parser: ReplyParser,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn connect(address: &Address) -> io::Result<Client> {
        let stream = match address {
            Address::Tcp(port) => {
                let stream = TcpStream::connect(("127.0.0.1", *port))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                Stream::Tcp(stream)
            }
            Address::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                Stream::Unix(stream)
            }
        };
        Ok(Client { stream, parser: ReplyParser::default() })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Says that nothing more will be sent; replies can still be read.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn finish_sending(&mut self) -> io::Result<()> {
        match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    /// The next reply.
    ///
    /// # Errors
    /// Those of the operating system; `UnexpectedEof` when the server closed the connection; `InvalidData` when what it
    /// sent is no reply.
    pub fn read(&mut self) -> io::Result<Value> {
        loop {
            if let Some(value) = self.parser.next_reply().map_err(invalid)? {
                return Ok(value);
            }
            let mut bytes = [0; 16 * 1024];
            let len = self.receive(&mut bytes)?;
            if len == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.parser.feed(bytes.get(..len).unwrap_or_default());
        }
    }

    /// Everything up to the end of the connection, the bytes of half a reply included.
    ///
    /// # Errors
    /// Those of the operating system, but not that the server closed in the middle of something.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        let mut all = self.parser.unread().to_vec();
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.receive(&mut bytes) {
                Ok(0) => return Ok(all),
                Ok(len) => all.extend_from_slice(bytes.get(..len).unwrap_or_default()),
                Err(error) if is_closed(&error) => return Ok(all),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a request and reads its reply.
    ///
    /// # Errors
    /// As [`send`](Client::send) and [`read`](Client::read).
    pub fn request<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<Value> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        let mut bytes = Vec::new();
        encode_request(&mut bytes, &args);
        self.send(&bytes)?;
        self.read()
    }

    /// The reply to a request of words that blanks separate.
    ///
    /// # Panics
    /// When there is none.
    pub fn ask(&mut self, words: &str) -> Value {
        let args: Vec<&str> = words.split_whitespace().collect();
        self.request(&args).unwrap_or_else(|error| panic!("no reply to {words}: {error}"))
    }

    /// A number out of INFO.
    ///
    /// # Panics
    /// When INFO has no such field.
    pub fn info(&mut self, field: &str) -> i64 {
        let reply = self.ask("INFO everything");
        let text = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.and_then(|value| value.trim().parse().ok())
            .unwrap_or_else(|| panic!("{field} is not in INFO:\n{text}"))
    }

    fn receive(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let received = match &mut self.stream {
                Stream::Tcp(stream) => stream.read(bytes),
                Stream::Unix(stream) => stream.read(bytes),
            };
            // Where reads have a timeout, stopping a process and letting it go on interrupts them.
            match received {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => return received,
            }
        }
    }
}

/// Whether an error says that the other side closed the connection.
#[must_use]
pub fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn invalid(error: ochre_resp::DecodeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
