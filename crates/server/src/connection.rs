//! A connection as its worker keeps it: socket, session, what is half received and what is not yet sent.

use std::io;
use std::sync::atomic::Ordering::Relaxed;

use ochre_engine::{Client, ClientShared};
use ochre_resp::RequestParser;

use crate::socket::Socket;

/// An output that is kept for a connection is given up above this capacity once it is empty.
const KEPT_OUTPUT_BYTES: usize = 16 * 1024;

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Requests are run as they come.
    Open,
    /// The client waits in a blocking command, or for the end of a pause; nothing of it is run. What it sends is
    /// received and kept, since only that tells whether it is still there.
    Waiting,
    /// What is left to send is sent, then the connection ends.
    Draining,
}

/// A connection.
pub struct Connection {
    /// The socket.
    pub socket: Socket,
    /// The session.
    pub client: Client,
    /// The state of a half-received request.
    pub parser: RequestParser,
    /// What was received but has not run.
    pub input: Vec<u8>,
    /// Bytes that the half-received request lacks at least, as its client announced; 0 if none is half received.
    pub missing_bytes: usize,
    /// What was replied but has not been sent.
    output: Vec<u8>,
    /// How much of it has been sent.
    sent: usize,
    /// Whether there may be more to receive.
    pub readable: bool,
    /// Whether the poller has told of the stream's end. It tells once: whoever receives goes on until the end is met.
    pub ended: bool,
    /// Whether the socket took less than it was offered.
    pub congested: bool,
    /// Whether the connection is in the worker's queue.
    pub queued: bool,
    /// Where it stands.
    pub state: State,
    /// Since when the output is above its soft limit, unix time in ms.
    pub soft_limit_since_ms: Option<i64>,
}

impl Connection {
    /// A new connection.
    pub fn new(socket: Socket, client: Client) -> Connection {
        Connection {
            socket,
            client,
            parser: RequestParser::default(),
            input: Vec::new(),
            missing_bytes: 0,
            output: Vec::new(),
            sent: 0,
            readable: true,
            ended: false,
            congested: false,
            queued: false,
            state: State::Open,
            soft_limit_since_ms: None,
        }
    }

    /// What others see.
    pub fn shared(&self) -> &ClientShared {
        &self.client.shared
    }

    /// Bytes that wait to be sent.
    pub fn unsent_bytes(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Sends replies, or keeps what the socket does not take. `replies` is empty afterwards. Returns the bytes sent.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn send(&mut self, replies: &mut Vec<u8>) -> io::Result<usize> {
        if self.unsent_bytes() > 0 || self.congested {
            self.output.append(replies);
            return self.flush();
        }
        let sent = if replies.is_empty() { 0 } else { self.offer_bytes(replies)? };
        if sent < replies.len() {
            self.output.clear();
            self.sent = 0;
            if sent == 0 && self.output.capacity() < replies.capacity() {
                std::mem::swap(&mut self.output, replies);
            } else {
                self.output.extend_from_slice(&replies[sent..]);
            }
        }
        replies.clear();
        self.publish_output();
        Ok(sent)
    }

    /// Sends of what waits as much as the socket takes. Returns the bytes sent.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn flush(&mut self) -> io::Result<usize> {
        let mut total = 0;
        while self.unsent_bytes() > 0 && !self.congested {
            let output = std::mem::take(&mut self.output);
            let sent = self.offer_bytes(&output[self.sent..]);
            self.output = output;
            let sent = sent?;
            self.sent += sent;
            total += sent;
        }
        if self.unsent_bytes() == 0 {
            self.output.clear();
            self.sent = 0;
            if self.output.capacity() > KEPT_OUTPUT_BYTES {
                self.output = Vec::new();
            }
        } else if self.sent > self.output.len() / 2 && self.sent > KEPT_OUTPUT_BYTES {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
        self.publish_output();
        Ok(total)
    }

    fn offer_bytes(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.socket.send(bytes) {
            Ok(sent) => {
                self.congested = sent < bytes.len();
                Ok(sent)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.congested = true;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives up room for more of a half-received request: its client has sent nothing for a while.
    pub fn shrink_input(&mut self) {
        if self.input.capacity() > self.input.len() {
            self.input.shrink_to_fit();
        }
    }

    /// Bytes of memory that the connection costs.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Connection>()
            + size_of::<ClientShared>()
            + self.input.capacity()
            + self.output.capacity()
            + self.parser.memory_bytes()
            + self.client.transaction.queue_bytes
    }

    /// Brings the figures of the output that others see up to date.
    pub fn publish_output(&self) {
        let shared = self.shared();
        let unsent = self.unsent_bytes();
        shared.reply_list_len.store(usize::from(unsent > 0), Relaxed);
        shared.reply_list_bytes.store(unsent, Relaxed);
    }

    /// Brings the other figures that others see up to date.
    pub fn publish_memory(&self) {
        let shared = self.shared();
        shared.query_bytes.store(self.input.len(), Relaxed);
        shared.query_free_bytes.store(self.input.capacity() - self.input.len(), Relaxed);
        shared.argument_bytes.store(self.parser.memory_bytes(), Relaxed);
        shared.memory_bytes.store(self.memory_bytes(), Relaxed);
    }
}
