//! One thread of the generator: its connections and the loop that serves them.
//!
//! Per batch the loop makes one write and, in the usual case, one read; readiness is edge-triggered, so
//! no registration changes on the way (the other tools change it twice per request). A read that does not
//! fill the buffer has drained the socket. One look at the clock per read serves as the end of one batch
//! and the beginning of the next. Invariant: a connection is in `idle` exactly when it waits for no reply
//! and has nothing to send.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::connection::Connection;
use crate::dial::{Dialer, Socket};
use crate::failure::Failure;
use crate::histogram::Histogram;
use crate::pacer::{Decision, Pacer, Turn};
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

/// What a worker has to do.
pub struct Task<'run> {
    /// The requests, ready to send.
    pub batch: Batch,
    /// Replies to one unit of the batch.
    pub replies_per_unit: usize,
    /// When to send them.
    pub pacer: Pacer<'run>,
    /// Whether a connection serves for more than one batch.
    pub keep_alive: bool,
    /// Opens the next connection when it does not.
    pub dialer: &'run Dialer,
    /// Where others look.
    pub progress: &'run Progress,
    /// One of them is set when the run shall end early: by the user, or because another worker has failed.
    pub stop: [&'run AtomicBool; 2],
}

/// A thread's connections, its task and its measurements.
pub struct Worker<'run> {
    task: Task<'run>,
    poll: Poll,
    connections: Vec<Connection>,
    idle: VecDeque<usize>,
    histogram: Histogram,
    buffer: Box<[u8]>,
}

impl<'run> Worker<'run> {
    /// A worker over connections that are open and greeted.
    ///
    /// # Errors
    /// [`Failure::Io`] when the poller or a registration is refused.
    pub fn new(sockets: Vec<Socket>, task: Task<'run>) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let mut connections = Vec::with_capacity(sockets.len());
        for (index, mut socket) in sockets.into_iter().enumerate() {
            poll.registry().register(socket.source(), Token(index), Interest::READABLE)?;
            connections.push(Connection::open(socket));
        }
        let idle = (0..connections.len()).collect();
        let buffer = vec![0; READ_SIZE].into();
        Ok(Self { task, poll, connections, idle, histogram: Histogram::default(), buffer })
    }

    /// Sends and receives until no request is left or somebody says stop. Calls `tick` whenever it has served what
    /// was ready, and at least every [`NAP`].
    ///
    /// # Errors
    /// The first thing that went wrong on any connection.
    pub fn run(mut self, mut tick: impl FnMut()) -> Result<Histogram, Failure> {
        let mut events = Events::with_capacity(self.connections.len().clamp(64, 4096));
        while !self.task.stop.iter().any(|stop| stop.load(Ordering::Relaxed)) {
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
            tick();
        }
        self.publish();
        Ok(self.histogram)
    }

    fn publish(&self) {
        self.task.progress.finished.store(self.histogram.total(), Ordering::Relaxed);
        self.task.progress.sum_us.store(self.histogram.sum_us(), Ordering::Relaxed);
    }

    /// Gives turns to idle connections; how long to sleep then, or none when all is done.
    fn fill_idle(&mut self) -> Result<Option<Duration>, Failure> {
        while let Some(&index) = self.idle.front() {
            let now = Instant::now();
            match self.task.pacer.next(now) {
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
        if !self.task.keep_alive && self.connections[index].is_used() {
            self.reconnect(index)?;
        }
        let bytes = self.task.batch.fill(turn.units);
        if !self.connections[index].begin(turn, turn.units * self.task.replies_per_unit, bytes)? {
            self.watch(index, Interest::READABLE | Interest::WRITABLE)?;
        }
        Ok(())
    }

    fn watch(&mut self, index: usize, interest: Interest) -> Result<(), Failure> {
        let source = self.connections[index].source();
        Ok(self.poll.registry().reregister(source, Token(index), interest)?)
    }

    /// An end of stream that came together with data gives no event of its own: then `closed` asks to
    /// read on to it.
    fn ready(&mut self, index: usize, writable: bool, closed: bool) -> Result<(), Failure> {
        if writable
            && self.connections[index].is_blocked()
            && self.connections[index].resume(self.task.dialer)?
        {
            self.watch(index, Interest::READABLE)?;
        }
        loop {
            let connection = &mut self.connections[index];
            let Some(read) = connection.read(&mut self.buffer)? else { return Ok(()) };
            let replies = connection.count(&self.buffer[..read])?;
            if replies > 0 {
                let now = Instant::now();
                if connection.record(&mut self.histogram, now, replies, self.task.replies_per_unit) {
                    self.next_turn(index, now)?;
                }
            }
            if read < self.buffer.len() && !closed {
                return Ok(());
            }
        }
    }

    /// A batch is complete: the connection's next turn, at once if it has one.
    fn next_turn(&mut self, index: usize, now: Instant) -> Result<(), Failure> {
        match self.task.pacer.next(now) {
            Decision::Send(turn) => self.send(index, turn),
            _ => {
                self.idle.push_back(index);
                Ok(())
            }
        }
    }

    fn reconnect(&mut self, index: usize) -> Result<(), Failure> {
        let mut fresh = Connection::opening(self.task.dialer)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().deregister(self.connections[index].source())?;
        self.poll.registry().register(fresh.source(), Token(index), interest)?;
        self.connections[index] = fresh;
        Ok(())
    }
}

/// How long to sleep when something is due in `left`: whole steps of the poller's clock, or not at all.
fn sleep_before(left: Duration) -> Duration {
    if left <= POLL_STEP { Duration::ZERO } else { (left - POLL_STEP).min(NAP) }
}
