//! A worker: a thread with its own event loop over its own connections.
//!
//! Every round: wait for ready sockets; read the mailbox; serve the ready connections in groups (see [`crate::group`]);
//! a slice of background work. The order of one connection's requests and replies never changes; between connections
//! there is no order to keep.
//!
//! Here: the loop, events and letters. In the files beside: serving requests (`serve`), replies on their way out (`output`),
//! and those that are made in parts (`parts`) or wait for the log (`durable`), scripts (`scripts`), clients that end, wait or idle
//! (`clients`), what clients are told besides replies (`news`), work between rounds (`background`).

mod background;
mod clients;
mod durable;
mod news;
mod output;
mod parts;
mod scripts;
mod serve;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::{Events, Poll, Token};
use ochre_engine::{Client, ClientShared, Engine, Executor, Message, Notice, clock_ms, messages, tick};
use ochre_resp::Protocol;
use slab::Slab;

use crate::connection::Connection;
use crate::group::{Batch, GROUP_MAX, Seat};
use crate::limits::OutputLimits;
use crate::mailbox::{Letter, Mailbox};
use crate::process::watchdog::Heartbeat;
use crate::running::Slot;
use crate::socket::Socket;

use self::scripts::Desk;

/// The token of the mailbox.
pub const WAKE: Token = Token(usize::MAX);
/// A tick comes this often, ms.
const TICK_MS: i64 = 100;

/// What a worker keeps.
pub struct Worker {
    index: usize,
    engine: Arc<Engine>,
    executor: Executor,
    poll: Poll,
    mailbox: Arc<Mailbox>,
    connections: Slab<Connection>,
    by_id: std::collections::HashMap<u64, usize>,
    ready: VecDeque<usize>,
    seats: Vec<Seat>,
    /// Kept for their memory between batches.
    batch: Batch,
    inputs: Vec<Vec<u8>>,
    deadlines: BTreeSet<(i64, usize)>,
    /// Seats whose next request runs a script, with their places.
    aside: VecDeque<(usize, Seat)>,
    /// What scripts are run with, unless one runs.
    desk: Option<Box<Desk>>,
    /// For rounds within a script.
    attended: Option<Events>,
    postponed: Vec<usize>,
    /// Dropped once those are served who went on.
    resumed: Vec<Arc<Notice>>,
    /// Those whose reply is made in parts.
    promised: VecDeque<usize>,
    /// Those who wait for the log.
    awaiting: BTreeSet<usize>,
    output_limits: OutputLimits,
    /// When the last batch ended, unix time in ms.
    now_ms: i64,
    next_tick_ms: i64,
    /// When the end of a pause was noticed last.
    pause_seen_ms: i64,
    sweeping: bool,
    has_evicted: bool,
    check_from: usize,
    next_http_warning_ms: i64,
    stopping: bool,
    heartbeat: Heartbeat,
    running: Slot,
}

impl Worker {
    /// A worker with its mailbox; `heartbeat` tells the watchdog that it goes on.
    ///
    /// # Errors
    /// Those of the poller.
    pub fn new(engine: Arc<Engine>, index: usize, heartbeat: Heartbeat) -> io::Result<Worker> {
        let poll = Poll::new()?;
        let mailbox = Arc::new(Mailbox::new(poll.registry(), WAKE)?);
        let output_limits = OutputLimits::new(&engine.config.read());
        Ok(Worker {
            index,
            executor: Executor::new(Arc::clone(&engine), index),
            engine,
            poll,
            mailbox,
            connections: Slab::new(),
            by_id: std::collections::HashMap::new(),
            ready: VecDeque::new(),
            seats: (0..GROUP_MAX).map(|_| Seat::default()).collect(),
            batch: Batch::default(),
            inputs: Vec::new(),
            deadlines: BTreeSet::new(),
            aside: VecDeque::new(),
            desk: None,
            attended: None,
            postponed: Vec::new(),
            resumed: Vec::new(),
            promised: VecDeque::new(),
            awaiting: BTreeSet::new(),
            output_limits,
            now_ms: clock_ms(),
            next_tick_ms: 0,
            pause_seen_ms: 0,
            sweeping: false,
            has_evicted: false,
            check_from: 0,
            next_http_warning_ms: 0,
            stopping: false,
            heartbeat,
            running: Slot::default(),
        })
    }

    /// Where to post letters to this worker.
    pub fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Serves until told to stop.
    pub fn run(mut self) {
        self.running.register();
        messages::enter_worker(self.index);
        let mut events = Events::with_capacity(1024);
        let mut letters = Vec::new();
        while !self.stopping {
            let timeout = self.timeout();
            self.heartbeat.idle();
            if let Err(error) = self.poll.poll(&mut events, Some(timeout))
                && error.kind() != io::ErrorKind::Interrupted
            {
                log::error!("Waiting for sockets failed: {error}");
                break;
            }
            self.heartbeat.busy();
            let start_ns = tick::now_ns();
            self.take_events(&events);
            self.read_mail(&mut letters);
            while !self.ready.is_empty() {
                self.serve_group();
                self.tell_news();
                self.heartbeat.beat();
                // What became ready meanwhile waits its turn; letters may not wait for a whole queue.
                if self.ready.len() > GROUP_MAX || self.has_evicted {
                    self.read_mail(&mut letters);
                }
            }
            self.resumed.clear();
            self.make_parts();
            self.background();
            self.tell_news();
            let stats = &self.executor.context.stats;
            stats.loops.add(1);
            stats.loops_ns.add(tick::now_ns().saturating_sub(start_ns));
        }
        self.close_all();
    }

    fn timeout(&self) -> Duration {
        if self.sweeping || !self.ready.is_empty() || self.has_parts_to_make() {
            return Duration::ZERO;
        }
        let next_ms = self.deadlines.first().map_or(self.next_tick_ms, |(at, _)| self.next_tick_ms.min(*at));
        let next_ms = next_ms.min(self.executor.next_alarm_ms()).min(self.pause_ends_ms());
        Duration::from_millis(next_ms.saturating_sub(clock_ms()).clamp(0, TICK_MS) as u64)
    }

    /// When the pause ends that this worker has not seen end yet, unix time in ms; `i64::MAX` if there is none.
    fn pause_ends_ms(&self) -> i64 {
        match self.engine.pause.until_ms() {
            until_ms if until_ms > self.pause_seen_ms => until_ms,
            _ => i64::MAX,
        }
    }

    fn take_events(&mut self, events: &Events) {
        for event in events {
            let token = event.token().0;
            let Some(connection) = self.connections.get_mut(token) else { continue };
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                connection.readable = true;
            }
            // The end may have come together with data: no other event tells of it again.
            connection.ended |= event.is_read_closed() || event.is_error();
            if event.is_writable() && connection.congested {
                connection.congested = false;
                self.flush(token);
            }
            self.enqueue(token);
        }
    }

    /// Puts a connection into the queue of those to be served, if there is something to do for it.
    fn enqueue(&mut self, token: usize) {
        if let Some(connection) = self.connections.get_mut(token)
            && connection.may_receive()
            && !connection.queued
        {
            connection.queued = true;
            self.ready.push_back(token);
        }
    }

    /// Has a connection's input looked at again although nothing new was received.
    fn requeue(&mut self, token: usize) {
        if let Some(connection) = self.connections.get_mut(token)
            && !connection.queued
        {
            connection.queued = true;
            self.ready.push_back(token);
        }
    }

    fn read_mail(&mut self, letters: &mut Vec<Letter>) {
        self.has_evicted = false;
        self.mailbox.take(letters);
        for letter in letters.drain(..) {
            match letter {
                Letter::Connection(socket, shared) => self.welcome(socket, shared),
                Letter::Engine(message) => self.obey(message),
                Letter::Stop => self.stopping = true,
            }
        }
    }

    fn welcome(&mut self, mut socket: Socket, shared: Arc<ClientShared>) {
        let entry = self.connections.vacant_entry();
        let token = entry.key();
        if let Err(error) = socket.register(self.poll.registry(), Token(token)) {
            log::error!("A connection could not be registered: {error}");
            self.engine.clients.remove(shared.id);
            self.engine.workers[self.index].clients.fetch_sub(1, Relaxed);
            return;
        }
        let access = &self.engine.access;
        // If users change right now, the client is told: others know of it already.
        let (user, authenticated) = (access.default_user(), !access.requires_authentication());
        self.by_id.insert(shared.id, token);
        shared.place.store(token, Relaxed);
        let connection = Connection::new(socket, Client::new(shared, Protocol::Resp2, user, authenticated));
        connection.publish_memory(&self.executor.context.stats);
        entry.insert(connection);
        self.enqueue(token);
    }

    fn obey(&mut self, message: Message) {
        match message {
            Message::Kill(id) => {
                if let Some(token) = self.by_id.get(&id).copied() {
                    self.close(token);
                }
            }
            Message::Unblock { client, with_error } => self.unblock(client, with_error),
            Message::Send { client, bytes } => {
                if let Some(token) = self.by_id.get(&client).copied() {
                    self.tell(token, &bytes);
                }
            }
            Message::Serve { client, reply, offset } => self.serve(client, reply, offset),
            Message::Complete { client, reply } => self.complete(client, &reply),
            Message::News => self.tell_news(),
            Message::Resume => self.resume(),
            Message::Resumed(notice) => self.resumed.push(notice),
            Message::Durable => self.look_at_log(),
            Message::Reconfigure => {
                self.output_limits = OutputLimits::new(&self.engine.config.read());
                self.evict_clients();
                self.executor.relieve(clock_ms());
                self.executor.relieve_tracking();
            }
        }
    }

    /// Sends what is no reply; not in the midst of one.
    fn tell(&mut self, token: usize, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if self.engine.aof.holds_replies() {
            // It may show what has just been changed.
            connection.client.seen_offset = self.engine.keyspace.journal.offset();
        }
        match &mut connection.rest {
            Some(rest) => rest.add(bytes),
            None => self.send(token, &mut bytes.to_vec()),
        }
    }

    /// Has clients closed if all together take too much memory. Those of this worker are closed with its next mail.
    fn evict_clients(&mut self) {
        self.has_evicted |= self.engine.evict_clients();
    }
}
