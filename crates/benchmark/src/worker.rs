//! One thread of the generator: its connections and the loop that serves them.
//!
//! Per batch the loop makes one write and, in the usual case, one read; readiness is edge-triggered, so no registration
//! changes on the way (the other tools change it twice per request). A read that does not fill the buffer has
//! drained the socket. One look at the clock per read serves as the end of one batch and the beginning of the next.
//! Invariant: a connection is in `idle` exactly when it waits for no reply and has nothing to send.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::dial::{Dialer, Socket};
use crate::failure::Failure;
use crate::histogram::Histogram;
use crate::pacer::{Decision, Pacer, Turn};
use crate::skipper::Skipper;
use crate::template::Batch;

/// Longest sleep: how soon a request to stop is heard.
const NAP: Duration = Duration::from_millis(100);
/// The poller's clock is this coarse; nearer deadlines are met by polling without sleep.
const POLL_STEP: Duration = Duration::from_millis(1);
const READ_SIZE: usize = 64 * 1024;

/// What others may see of a running worker.
#[derive(Debug, Default)]
pub struct Progress {
    /// Requests answered.
    pub finished: AtomicU64,
    /// Sum of their latencies, microseconds.
    pub sum_us: AtomicU64,
}

struct Connection {
    socket: Socket,
    skipper: Skipper,
    /// Waits for the connection to be opened before anything is written.
    connecting: bool,
    /// Greeting replies to come before those of the batch.
    owed_greeting: usize,
    turn: Turn,
    /// Replies of the batch: all of them, and those that came.
    expected: usize,
    received: usize,
    unsent: Vec<u8>,
}

/// A thread's connections, requests and measurements.
pub struct Worker<'run> {
    poll: Poll,
    connections: Vec<Connection>,
    idle: VecDeque<usize>,
    batch: Batch,
    replies_per_unit: usize,
    pacer: Pacer<'run>,
    dialer: &'run Dialer,
    keep_alive: bool,
    histogram: Histogram,
    progress: &'run Progress,
    stop: &'run AtomicBool,
    buffer: Box<[u8]>,
}

impl<'run> Worker<'run> {
    /// A worker over connections that are open and greeted.
    ///
    /// # Errors
    /// [`Failure::Io`] when the poller or a registration is refused.
    #[expect(clippy::too_many_arguments, reason = "each is one part of the run, and there is one caller")]
    pub fn new(
        sockets: Vec<Socket>,
        batch: Batch,
        replies_per_unit: usize,
        pacer: Pacer<'run>,
        dialer: &'run Dialer,
        keep_alive: bool,
        progress: &'run Progress,
        stop: &'run AtomicBool,
    ) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(sockets.len());
        for (index, mut socket) in sockets.into_iter().enumerate() {
            poll.registry().register(socket.source(), Token(index), Interest::READABLE)?;
            connections.push(Connection::new(socket));
        }
        Ok(Self {
            poll,
            idle: (0..connections.len()).collect(),
            connections,
            batch,
            replies_per_unit,
            pacer,
            dialer,
            keep_alive,
            histogram: Histogram::default(),
            progress,
            stop,
            buffer: vec![0; READ_SIZE].into(),
        })
    }

    /// Sends and receives until no request is left or somebody says stop.
    ///
    /// # Errors
    /// The first thing that went wrong on any connection.
    pub fn run(mut self) -> Result<Histogram, Failure> {
        let mut events = Events::with_capacity(self.connections.len().clamp(64, 4096));
        while !self.stop.load(Ordering::Relaxed) {
            let Some(sleep) = self.fill_idle()? else { break };
            match self.poll.poll(&mut events, Some(sleep)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            if events.is_empty() && sleep.is_zero() {
                std::thread::yield_now();
            }
            for event in &events {
                self.ready(event.token().0, event.is_writable(), event.is_read_closed())?;
            }
            self.publish();
        }
        self.publish();
        Ok(self.histogram)
    }

    fn publish(&self) {
        self.progress.finished.store(self.histogram.total(), Ordering::Relaxed);
        self.progress.sum_us.store(self.histogram.sum_us(), Ordering::Relaxed);
    }

    /// Gives turns to idle connections; how long to sleep then, or none when all is done.
    fn fill_idle(&mut self) -> Result<Option<Duration>, Failure> {
        while let Some(&index) = self.idle.front() {
            let now = Instant::now();
            match self.pacer.next(now) {
                Decision::Send(turn) => {
                    self.idle.pop_front();
                    self.send(index, turn)?;
                }
                Decision::Wait(until) => return Ok(Some(sleep_before(until.duration_since(now)))),
                Decision::Done => {
                    let all_idle = self.idle.len() == self.connections.len();
                    return Ok(if all_idle { None } else { Some(NAP) });
                }
            }
        }
        Ok(Some(NAP))
    }

    fn send(&mut self, index: usize, turn: Turn) -> Result<(), Failure> {
        if !self.keep_alive && self.connections[index].expected > 0 {
            self.reconnect(index)?;
        }
        let connection = &mut self.connections[index];
        connection.turn = turn;
        connection.expected = turn.units * self.replies_per_unit;
        connection.received = 0;
        let bytes = self.batch.fill(turn.units);
        if connection.write(bytes)? {
            self.watch(index, Interest::READABLE | Interest::WRITABLE)?;
        }
        Ok(())
    }

    fn watch(&mut self, index: usize, interest: Interest) -> Result<(), Failure> {
        let source = self.connections[index].socket.source();
        Ok(self.poll.registry().reregister(source, Token(index), interest)?)
    }

    /// An end of stream that came together with data gives no event of its own: then `closed` asks to read on to it.
    fn ready(&mut self, index: usize, writable: bool, closed: bool) -> Result<(), Failure> {
        if writable && !self.connections[index].unsent.is_empty() {
            self.resume(index)?;
        }
        if self.connections[index].connecting {
            return Ok(());
        }
        loop {
            let read = match self.connections[index].socket.read(&mut self.buffer) {
                Ok(0) => return Err(Failure::Closed),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let complete = self.received(index, read)?;
            if let Some(now) = complete {
                self.next_turn(index, now)?;
            }
            let replaced = self.connections[index].connecting;
            if replaced || (read < self.buffer.len() && !closed) {
                return Ok(());
            }
        }
    }

    /// The connection can take bytes again (or for the first time).
    fn resume(&mut self, index: usize) -> Result<(), Failure> {
        let connection = &mut self.connections[index];
        if connection.connecting {
            connection.socket.finish_connect().map_err(|error| self.dialer.failed(error))?;
            connection.connecting = false;
        }
        let unsent = std::mem::take(&mut connection.unsent);
        if !connection.write(&unsent)? {
            self.watch(index, Interest::READABLE)?;
        }
        Ok(())
    }

    /// Counts what the first `read` bytes of the buffer answer; when the batch became complete, if it did.
    fn received(&mut self, index: usize, read: usize) -> Result<Option<Instant>, Failure> {
        let connection = &mut self.connections[index];
        let mut replies = connection.skipper.feed(&self.buffer[..read])?;
        let greeted = replies.min(connection.owed_greeting);
        if let Some(error) = connection.skipper.take_error() {
            return Err(if greeted > 0 { Failure::Setup(error) } else { Failure::Reply(error) });
        }
        connection.owed_greeting -= greeted;
        replies -= greeted;
        if replies == 0 {
            return Ok(None);
        }
        if connection.received + replies > connection.expected {
            return Err(Failure::Protocol("a reply to no request"));
        }
        let now = Instant::now();
        connection.record(&mut self.histogram, now, replies, self.replies_per_unit);
        Ok((connection.received == connection.expected).then_some(now))
    }

    /// A batch is complete: the connection's next turn, at once if it has one.
    fn next_turn(&mut self, index: usize, now: Instant) -> Result<(), Failure> {
        match self.pacer.next(now) {
            Decision::Send(turn) => self.send(index, turn),
            _ => {
                self.idle.push_back(index);
                Ok(())
            }
        }
    }

    fn reconnect(&mut self, index: usize) -> Result<(), Failure> {
        let greeting = self.dialer.greeting();
        let mut fresh = Connection::new(self.dialer.start()?);
        fresh.connecting = true;
        fresh.owed_greeting = greeting.replies();
        fresh.unsent.extend_from_slice(greeting.bytes());
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().deregister(self.connections[index].socket.source())?;
        self.poll.registry().register(fresh.socket.source(), Token(index), interest)?;
        self.connections[index] = fresh;
        Ok(())
    }
}

impl Connection {
    fn new(socket: Socket) -> Self {
        let turn = Turn { units: 0, due: Instant::now(), interval: Duration::ZERO };
        Self {
            socket,
            skipper: Skipper::default(),
            connecting: false,
            owed_greeting: 0,
            turn,
            expected: 0,
            received: 0,
            unsent: Vec::new(),
        }
    }

    /// Writes, or keeps what cannot be written yet; whether something is kept.
    fn write(&mut self, mut bytes: &[u8]) -> Result<bool, Failure> {
        while !self.connecting && self.unsent.is_empty() && !bytes.is_empty() {
            match self.socket.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent.extend_from_slice(bytes);
        Ok(!self.unsent.is_empty())
    }

    fn record(&mut self, histogram: &mut Histogram, now: Instant, replies: usize, replies_per_unit: usize) {
        let turn = self.turn;
        if turn.interval.is_zero() {
            histogram.record(elapsed_us(turn.due, now), replies as u64);
            self.received += replies;
            return;
        }
        for _ in 0..replies {
            let unit = (self.received / replies_per_unit) as u32;
            histogram.record(elapsed_us(turn.due + turn.interval * unit, now), 1);
            self.received += 1;
        }
    }
}

fn elapsed_us(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

/// How long to sleep when something is due in `left`: whole steps of the poller's clock, or not at all.
fn sleep_before(left: Duration) -> Duration {
    if left <= POLL_STEP { Duration::ZERO } else { (left - POLL_STEP).min(NAP) }
}
