//! The reasons for which a run ends without its figures.

use std::fmt;
use std::io;

use crate::options::Target;

/// Why the load generator gave up. Its text is the whole line that the user reads.
#[derive(Debug)]
pub enum Failure {
    /// The command line makes no sense; the text names the option.
    Usage(String),
    /// No connection to the server.
    Connect(Target, io::Error),
    /// The server refused to set the connection up (AUTH, HELLO, SELECT); its error text.
    Setup(String),
    /// The server answered a request of the benchmark with this error.
    Reply(String),
    /// The server sent bytes that are no reply.
    Protocol(&'static str),
    /// The server closed a connection that still waited for replies.
    Closed,
    /// The operating system refused something else.
    Io(io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(text) => write!(out, "{text}"),
            Failure::Connect(target, error) => {
                write!(out, "Could not connect to server at {target}: {}", plain(error))
            }
            Failure::Setup(text) => write!(out, "Server replied with error:\n{text}"),
            Failure::Reply(text) => write!(out, "Error from server: {text}"),
            Failure::Protocol(what) => write!(out, "Error: Protocol error, {what}"),
            Failure::Closed => write!(out, "Error: Server closed the connection"),
            Failure::Io(error) => write!(out, "Error: {}", plain(error)),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

/// The error's text without the "(os error N)" that Rust appends: the other tools' messages have none.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_reads_like_the_other_tools() {
        let target = Target::Tcp { host: "127.0.0.1".to_owned(), port: 1 };
        let refused = io::Error::from_raw_os_error(111);
        let text = Failure::Connect(target, refused).to_string();
        assert_eq!(text, "Could not connect to server at 127.0.0.1:1: Connection refused");
    }
}
