//! One connection of the event loop: the batch it waits for, what the kernel has not taken yet, where its
//! replies are.

use std::io;
use std::time::{Duration, Instant};

use mio::event::Source;

use crate::dial::{Dialer, Socket};
use crate::failure::Failure;
use crate::histogram::Histogram;
use crate::pacer::Turn;
use crate::skipper::Skipper;

/// A connection and its present batch.
pub struct Connection {
    socket: Socket,
    skipper: Skipper,
    /// Nothing can be written or read before the connection is open.
    opening: bool,
    /// Replies to the greeting, which come before those of the batch.
    owed_greeting: usize,
    turn: Turn,
    /// Replies of the batch: all of them, and those that came.
    expected: usize,
    received: usize,
    /// Bytes that could not be written, and how many of them have been since.
    unsent: Vec<u8>,
    sent: usize,
}

impl Connection {
    /// A connection that is open and greeted.
    pub fn open(socket: Socket) -> Self {
        Self {
            socket,
            skipper: Skipper::default(),
            opening: false,
            owed_greeting: 0,
            turn: Turn { units: 0, due: Instant::now(), interval: Duration::ZERO },
            expected: 0,
            received: 0,
            unsent: Vec::new(),
            sent: 0,
        }
    }

    /// A connection that is being opened; the greeting waits to be sent in front of the first batch.
    ///
    /// # Errors
    /// [`Failure::Connect`].
    pub fn opening(dialer: &Dialer) -> Result<Self, Failure> {
        let greeting = dialer.greeting();
        Ok(Self {
            opening: true,
            owed_greeting: greeting.replies(),
            unsent: greeting.bytes().to_vec(),
            ..Self::open(dialer.start()?)
        })
    }

    /// What a poller registers.
    pub fn source(&mut self) -> &mut dyn Source {
        self.socket.source()
    }

    /// Whether it has had a batch.
    pub fn is_used(&self) -> bool {
        self.expected > 0
    }

    /// Whether it waits for the socket to become writable.
    pub fn is_blocked(&self) -> bool {
        self.opening || !self.unsent.is_empty()
    }

    /// Sends a batch that `expected` replies answer; false when a part of it has to wait for the socket.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn begin(&mut self, turn: Turn, expected: usize, bytes: &[u8]) -> Result<bool, Failure> {
        (self.turn, self.expected, self.received) = (turn, expected, 0);
        let written = if self.is_blocked() { 0 } else { write_all(&mut self.socket, bytes)? };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(!self.is_blocked())
    }

    /// Goes on where the socket blocked; false when it blocks again.
    ///
    /// # Errors
    /// [`Failure::Connect`] or [`Failure::Io`].
    pub fn resume(&mut self, dialer: &Dialer) -> Result<bool, Failure> {
        if self.opening {
            self.socket.finish_connect().map_err(|error| dialer.failed(error))?;
            self.opening = false;
        }
        self.sent += write_all(&mut self.socket, &self.unsent[self.sent..])?;
        if self.sent < self.unsent.len() {
            return Ok(false);
        }
        self.unsent.clear();
        self.sent = 0;
        Ok(true)
    }

    /// Reads into `buffer`; none when nothing is there.
    ///
    /// # Errors
    /// [`Failure::Closed`] at the end of the stream, or [`Failure::Io`].
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Failure> {
        while !self.opening {
            match self.socket.read(buffer) {
                Ok(0) => return Err(Failure::Closed),
                Ok(read) => return Ok(Some(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// How many requests of the batch `bytes` answer.
    ///
    /// # Errors
    /// The server's error, or [`Failure::Protocol`].
    pub fn count(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let replies = self.skipper.feed(bytes)?;
        let greeted = replies.min(self.owed_greeting);
        if let Some(error) = self.skipper.take_error() {
            return Err(if greeted > 0 { Failure::Setup(error) } else { Failure::Reply(error) });
        }
        self.owed_greeting -= greeted;
        if replies - greeted > self.expected - self.received {
            return Err(Failure::Protocol("a reply to no request"));
        }
        Ok(replies - greeted)
    }

    /// Records the latency of the next `replies` replies, which came at `now`; whether the batch is complete.
    pub fn record(
        &mut self,
        histogram: &mut Histogram,
        now: Instant,
        replies: usize,
        replies_per_unit: usize,
    ) -> bool {
        let Turn { due, interval, .. } = self.turn;
        if interval.is_zero() {
            histogram.record(elapsed_us(due, now), replies as u64);
        } else {
            for reply in self.received..self.received + replies {
                histogram.record(elapsed_us(due + interval * (reply / replies_per_unit) as u32, now), 1);
            }
        }
        self.received += replies;
        self.received == self.expected
    }
}

/// Writes until the socket blocks; how many bytes it took.
fn write_all(socket: &mut Socket, bytes: &[u8]) -> Result<usize, Failure> {
    let mut written = 0;
    while written < bytes.len() {
        match socket.write(&bytes[written..]) {
            Ok(0) => return Err(Failure::Closed),
            Ok(step) => written += step,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(written)
}

fn elapsed_us(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}
