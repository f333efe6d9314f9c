//! A connection as its worker keeps it: socket, session, what is half received and what is not yet sent.

use std::io;
use std::sync::atomic::Ordering::Relaxed;

use ochre_engine::{Client, ClientShared, WorkerStats};
use ochre_resp::RequestParser;

use crate::group::RECEIVE_BYTES;
use crate::held::Held;
use crate::large::LargeArguments;
use crate::rest::Rest;
use crate::socket::Socket;

/// A connection for which so much waits for the log is not served, bytes.
const HELD_BYTES_MAX: usize = 1024 * 1024;
/// An output that is kept for a connection is given up above this capacity once it is empty.
const KEPT_OUTPUT_BYTES: usize = 4 * 1024;
/// So much of what waits to be sent counts as the reply buffer, which no output limit concerns; the rest is what Redis
/// calls the reply list.
const REPLY_BUFFER_BYTES: usize = 1024;

/// Where a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Requests are run as they come.
    Open,
    /// The client waits in a blocking command, for the end of a pause, or for the rest of a reply; nothing of it is run. What it sends is
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
    /// The large arguments of the same request.
    pub large: LargeArguments,
    /// What was received but has not run. While a seat serves a connection that [`owns`](Self::owns_input) its buffer, the
    /// seat's own is here instead.
    pub input: Vec<u8>,
    /// Whether the connection has a buffer of its own: from its first half-received request until it goes quiet.
    pub owns_input: bool,
    /// The most that this buffer held lately, bytes.
    pub input_peak_bytes: usize,
    /// What was replied but has not been sent.
    output: Vec<u8>,
    /// How much of it has been sent.
    sent: usize,
    /// What waits for the log before it may be sent.
    pub held: Option<Box<Held>>,
    /// What is still to come of a reply that is made in parts.
    pub rest: Option<Box<Rest>>,
    /// Since when the client has not taken enough of what is made ahead, unix time in ms.
    pub stalled_since_ms: Option<i64>,
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
    /// Whether many of what it sent last ran scripts.
    pub asks_scripts: bool,
    /// Whether a script of its client runs: the client is there, and a substitute here.
    pub in_script: bool,
    /// Whether it is to be closed once the script is over.
    pub is_doomed: bool,
    /// Where an argument that takes several turns ends in the input, once its request begins the input; 0 if there is none.
    announced_end: usize,
    /// Most bytes that waited at once, lately.
    output_peak: usize,
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
            large: LargeArguments::default(),
            input: Vec::new(),
            owns_input: false,
            input_peak_bytes: 0,
            output: Vec::new(),
            sent: 0,
            held: None,
            rest: None,
            stalled_since_ms: None,
            readable: true,
            ended: false,
            congested: false,
            queued: false,
            state: State::Open,
            asks_scripts: false,
            in_script: false,
            is_doomed: false,
            announced_end: 0,
            output_peak: 0,
            soft_limit_since_ms: None,
        }
    }

    /// Notes that a request, `received` bytes of which are here, goes on with an argument that lacks `missing` bytes.
    pub fn announce(&mut self, received: usize, missing: usize) {
        if self.large.is_receiving() {
            self.announced_end = 0;
        } else if missing >= RECEIVE_BYTES {
            self.announced_end = received + missing;
        } else if received > self.announced_end {
            self.announced_end = 0;
        }
    }

    /// Notes that a request is complete.
    #[inline]
    pub fn arrived(&mut self) {
        self.announced_end = 0;
    }

    /// Receives more, after `input` or into the large argument at hand. 0 is the end of the stream.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn receive(&mut self, input: &mut Vec<u8>) -> io::Result<usize> {
        let buffer = match self.large.is_receiving() {
            true => self.large.buffer().unwrap_or(input),
            false => {
                self.make_room(input);
                input
            }
        };
        let room = buffer.capacity() - buffer.len();
        let received = self.socket.receive(buffer)?;
        self.large.note_received(&mut self.parser);
        self.readable = received == room || self.ended;
        Ok(received)
    }

    /// Makes room to receive more after `input`: for the whole argument at hand, so that it does not have to grow step by
    /// step. The beginning of a request leaves room enough, and what a client costs must not depend on where it was cut.
    fn make_room(&self, input: &mut Vec<u8>) {
        let (len, room) = (input.len(), input.capacity() - input.len());
        if len < self.announced_end {
            if room < self.announced_end - len {
                input.reserve_exact(self.announced_end - len);
            }
        } else if room < RECEIVE_BYTES / 2 {
            input.reserve(RECEIVE_BYTES);
        }
    }

    /// Whether more is to be received now: not while the rest of a reply is being made, since nothing could run before that is
    /// sent, and whoever sends much ahead would fill the memory; nor while much waits for the log.
    #[inline]
    pub fn may_receive(&self) -> bool {
        self.readable
            && self.state != State::Draining
            && self.rest.is_none()
            && self.held.as_ref().is_none_or(|held| held.len() < HELD_BYTES_MAX)
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
            self.make_room_for_output(replies.len());
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

    /// Has what `write` writes, no more than `bytes_max` bytes, wait to be sent, behind all else. Whether nothing waited before.
    pub fn push(&mut self, bytes_max: usize, write: impl FnOnce(&Client, &mut Vec<u8>)) -> bool {
        let was_empty = self.unsent_bytes() == 0;
        if self.congested {
            self.make_room_for_output(bytes_max);
        }
        write(&self.client, &mut self.output);
        if self.congested {
            // It is not sent now, which would show it.
            self.publish_output();
        }
        was_empty
    }

    /// What waits grows by an eighth at a time: doubling would take up to twice the memory that a client is to answer for.
    fn make_room_for_output(&mut self, more: usize) {
        if self.output.capacity() - self.output.len() < more {
            self.output.reserve_exact(more.max(self.output.len() / 8));
        }
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

    /// Gives up room in a buffer of its own: all that is free if its client has gone quiet, otherwise what was not used
    /// lately. To be called now and then.
    pub fn shrink_input(&mut self, is_quiet: bool) {
        // What is on its way goes on arriving in the room that was made for it.
        let lately = self.input_peak_bytes.max(self.announced_end).max(RECEIVE_BYTES);
        let needed = if is_quiet { 0 } else { lately };
        if is_quiet || self.input.capacity() > 2 * needed {
            self.input.shrink_to(needed);
        }
        self.owns_input = self.input.capacity() > 0;
        self.input_peak_bytes = self.input.len();
        self.large.relax(is_quiet);
    }

    /// Bytes of what waits that output limits concern.
    pub fn limited_bytes(&self) -> usize {
        self.unsent_bytes().saturating_sub(REPLY_BUFFER_BYTES)
    }

    /// How much output there has to be for so many bytes to count.
    pub fn output_bytes_for(&self, limited_bytes: usize) -> usize {
        limited_bytes.saturating_add(REPLY_BUFFER_BYTES)
    }

    /// The same once `more` bytes are added.
    pub fn limited_bytes_with(&self, more: usize) -> usize {
        (self.unsent_bytes() + more).saturating_sub(REPLY_BUFFER_BYTES)
    }

    /// Bytes of memory that the connection costs. `borrowed` are those of the worker's buffers that it uses beyond what
    /// every connection may use for a turn.
    fn memory_bytes(&self, borrowed: usize) -> usize {
        size_of::<Connection>()
            + size_of::<ClientShared>()
            + borrowed
            + heap_bytes(&self.input)
            + heap_bytes(&self.output)
            + self.held.as_ref().map_or(0, |held| held.memory_bytes())
            + self.rest.as_ref().map_or(0, |rest| rest.memory_bytes())
            + self.parser.memory_bytes()
            + self.large.memory_bytes()
            + self.client.transaction.memory_bytes()
            + self.client.waiting_bytes()
            + self.client.listening_bytes()
    }

    /// Notes what the connection costs now, with so many bytes of the worker's buffers.
    pub fn account(&self, stats: &WorkerStats, borrowed: usize) {
        self.shared().account(stats, self.memory_bytes(borrowed));
    }

    /// Brings the figures of the output that others see up to date.
    pub fn publish_output(&mut self) {
        let unsent = self.unsent_bytes();
        self.output_peak = self.output_peak.max(unsent);
        let shared = self.shared();
        let listed = unsent.saturating_sub(REPLY_BUFFER_BYTES);
        shared.reply_used_bytes.store(unsent - listed, Relaxed);
        shared.reply_list_len.store(usize::from(listed > 0), Relaxed);
        shared.reply_list_bytes.store(listed, Relaxed);
        let kept = if unsent > 0 { REPLY_BUFFER_BYTES } else { usize::MAX };
        shared.reply_buffer_bytes.store(self.output.capacity().min(kept), Relaxed);
        shared.reply_buffer_peak_bytes.store(self.output_peak.min(REPLY_BUFFER_BYTES), Relaxed);
    }

    /// Bytes that `client-query-buffer-limit` concerns: as in Redis, large arguments that have come whole are none of them.
    #[inline]
    pub fn buffered_bytes(&self, input: &[u8]) -> usize {
        input.len() + self.large.current_bytes() + self.parser.supplied_bytes()
    }

    /// Bytes that were received and have not run; `input` is that of the turn.
    #[inline]
    pub fn received_bytes(&self, input: &[u8]) -> usize {
        input.len() + self.large.received_bytes()
    }

    /// Shows what a turn begins with: `input` is what was received for it. What is large counts from here on.
    pub fn publish_turn(&self, stats: &WorkerStats, input: &Vec<u8>) {
        let shared = self.shared();
        shared.query_bytes.store(input.len(), Relaxed);
        shared.query_free_bytes.store(input.capacity() - input.len(), Relaxed);
        if self.received_bytes(input) > RECEIVE_BYTES {
            // What the connection holds meanwhile is the worker's.
            self.account(stats, heap_bytes(input).saturating_sub(heap_bytes(&self.input)));
        }
    }

    /// Brings the other figures that others see up to date; to be called when a turn is over.
    pub fn publish_memory(&self, stats: &WorkerStats) {
        let shared = self.shared();
        let understood = self.parser.understood_bytes(&self.input);
        // An argument is one once its line end has come.
        let unended = self.parser.supplied_bytes();
        let query_bytes = self.input.len().saturating_sub(understood) + self.large.current_bytes() + unended;
        shared.query_bytes.store(query_bytes, Relaxed);
        let free_bytes = self.input.capacity() - self.input.len() + self.large.free_bytes();
        shared.query_free_bytes.store(free_bytes, Relaxed);
        let whole_bytes = self.large.whole_bytes().saturating_sub(unended);
        let argument_bytes = understood + self.parser.memory_bytes() + whole_bytes;
        shared.argument_bytes.store(argument_bytes, Relaxed);
        self.account(stats, 0);
    }

    /// Gives up memory that the connection has kept and does not need.
    pub fn relax(&mut self) {
        if self.unsent_bytes() == 0 && self.output.capacity() > 0 {
            self.output = Vec::new();
            self.sent = 0;
        }
        self.output_peak = self.unsent_bytes();
        self.publish_output();
    }

    /// Bytes of memory for output.
    pub fn output_capacity(&self) -> usize {
        self.output.capacity()
    }
}

/// What a buffer really takes of the allocator, bytes.
fn heap_bytes(buffer: &Vec<u8>) -> usize {
    match buffer.capacity() {
        0 => 0,
        capacity => ochre_memory::size_class(capacity, 1),
    }
}
