//! Who runs scripts: what an interpreter asks of the server around it.

use ochre_resp::{Protocol, Span};

/// A command that a script calls.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Where the arguments lie.
    pub buffer: &'a [u8],
    /// The arguments, the command's name among them; there is at least one.
    pub spans: &'a [Span],
    /// The protocol that the script asked for with `redis.setresp`.
    pub protocol: Protocol,
}

impl<'a> Request<'a> {
    /// The arguments.
    pub fn args(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let buffer = self.buffer;
        self.spans.iter().map(move |span| span.of(buffer))
    }
}

/// Whether a user may run a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permission {
    /// Yes.
    Granted,
    /// No.
    Denied,
    /// There is no such command.
    Unknown,
    /// The command has another number of arguments.
    WrongArity,
}

/// How urgent a line of the log is; the numbers are those that scripts give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    /// 0
    Debug,
    /// 1
    Verbose,
    /// 2
    Notice,
    /// 3
    Warning,
}

/// Where the effects of a script's commands go (`redis.set_repl`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replication {
    /// Into the append-only file.
    pub to_file: bool,
    /// To replicas.
    pub to_replicas: bool,
}

/// Whether a script goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Interrupt {
    /// It does.
    Continue,
    /// It ends with this error, which it cannot catch; `ERR` is put before the text.
    Stop(&'static str),
}

/// What the client of a script that is being debugged says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Bytes, some of a command or more than one.
    Bytes(Vec<u8>),
    /// Nothing any more: it is gone, or will say nothing else. The script runs on.
    End,
    /// The script has to end with this error.
    Stop(&'static str),
}

/// The server, as a running script sees it.
pub trait Host {
    /// Runs a command and appends its reply, in the protocol that the request names.
    ///
    /// What scripts may not call, what is unknown and what has a wrong number of arguments are error replies too; their
    /// texts are the host's.
    fn execute(&mut self, request: Request<'_>, reply: &mut Vec<u8>);

    /// Whether the last command was kept from running, so that its reply is the host's own error.
    fn has_refused(&self) -> bool {
        false
    }

    /// Sends the client of a script that is being debugged a reply.
    fn show(&mut self, reply: &[u8]) {
        let _ = reply;
    }

    /// Waits for what that client says next. There is nobody where scripts cannot be debugged.
    fn listen(&mut self) -> Heard {
        Heard::End
    }

    /// A script has returned an error as, or within, its value; `is_counted` says that statistics have it already, since a
    /// command brought it.
    fn note_error(&mut self, text: &[u8], is_counted: bool) {
        let _ = (text, is_counted);
    }

    /// Whether the user of the script may run a command (`redis.acl_check_cmd`).
    fn permission(&mut self, request: Request<'_>) -> Permission;

    /// Writes a line into the server's log.
    fn log(&mut self, level: LogLevel, text: &[u8]);

    /// Where the effects of the commands that follow go.
    fn set_replication(&mut self, replication: Replication);

    /// Asked about every tenth of a millisecond of a script's time. This is where others are served while it is busy.
    fn interrupt(&mut self) -> Interrupt;
}
