//! A worker: a thread with its own event loop over its own connections.
//!
//! Every round: wait for ready sockets; read the mailbox; serve the ready connections in groups (see [`crate::group`]);
//! a slice of background work. The order of one connection's requests and replies never changes; between connections
//! there is no order to keep.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::{Events, Poll, Token};
use ochre_engine::{
    BlockedOn, Client, ClientShared, Clock, Engine, Executor, Message, Outcome, PauseMode, Prepared,
    client_flags, clock_ms, tick,
};
use ochre_keyspace::Key;
use ochre_resp::{Limits, Protocol, ReplyWriter, Span};
use slab::Slab;

use crate::connection::{Connection, State};
use crate::group::{BATCH_MAX, GROUP_MAX, Item, ItemKind, RECEIVE_BYTES, Seat, parse_ahead};
use crate::limits::OutputLimits;
use crate::mailbox::{Letter, Mailbox};
use crate::process::watchdog::Heartbeat;
use crate::running::{Running, Slot};
use crate::socket::Socket;
use crate::violation;

/// The token of the mailbox.
pub const WAKE: Token = Token(usize::MAX);
/// Clients that have not authenticated may send at most this much ahead, bytes.
const STRANGERS_INPUT_BYTES: usize = 1024 * 1024;
/// A reply buffer above this size is sent before the round is over.
const EARLY_SEND_BYTES: usize = 64 * 1024;
/// A reply buffer is given up above this capacity.
const KEPT_OUT_BYTES: usize = 256 * 1024;
/// No more is received at once, however large the request.
const PIECE_BYTES_MAX: usize = 1024 * 1024;
/// A connection keeps a buffer of its own up to this size when its request is complete.
const KEPT_INPUT_BYTES: usize = 1024 * 1024;
/// A connection that receives nothing for so long gives up the room in its own buffer, ms.
const INPUT_IDLE_MS: i64 = 2_000;
/// Background work between two rounds, ns.
const SLICE_NS: u64 = 200_000;
/// A tick comes this often, ms.
const TICK_MS: i64 = 100;
/// Clients that speak HTTP are told of at most this often, ms.
const HTTP_WARNING_MS: i64 = 60_000;

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
    spans: Vec<Span>,
    items: Vec<Item>,
    deadlines: BTreeSet<(i64, usize)>,
    postponed: Vec<usize>,
    output_limits: OutputLimits,
    next_tick_ms: i64,
    sweeping: bool,
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
            spans: Vec::new(),
            items: Vec::new(),
            deadlines: BTreeSet::new(),
            postponed: Vec::new(),
            output_limits,
            next_tick_ms: 0,
            sweeping: false,
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
                self.heartbeat.beat();
                // What became ready meanwhile waits its turn; letters may not wait for a whole queue.
                if self.ready.len() > GROUP_MAX {
                    self.read_mail(&mut letters);
                }
            }
            self.background();
            let stats = &self.executor.context.stats;
            stats.loops.add(1);
            stats.loops_ns.add(tick::now_ns().saturating_sub(start_ns));
        }
        self.close_all();
    }

    fn timeout(&self) -> Duration {
        if self.sweeping || !self.ready.is_empty() {
            return Duration::ZERO;
        }
        let next_ms = self.deadlines.first().map_or(self.next_tick_ms, |(at, _)| self.next_tick_ms.min(*at));
        Duration::from_millis(next_ms.saturating_sub(clock_ms()).clamp(0, TICK_MS) as u64)
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
            && connection.readable
            && !connection.queued
            && connection.state != State::Draining
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
        let authenticated = !self.engine.settings.has_password.load(Relaxed);
        self.by_id.insert(shared.id, token);
        entry.insert(Connection::new(socket, Client::new(shared, Protocol::Resp2, authenticated)));
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
                    self.send(token, &mut bytes.to_vec());
                }
            }
            Message::Complete { client, reply } => self.complete(client, &reply),
            Message::Resume => self.resume(),
            Message::Reconfigure => {
                self.output_limits = OutputLimits::new(&self.engine.config.read());
                self.executor.relieve(clock_ms());
            }
        }
    }

    /// Serves the next connections of the queue together.
    fn serve_group(&mut self) {
        let mut seats = std::mem::take(&mut self.seats);
        let mut taken = 0;
        while taken < GROUP_MAX
            && let Some(token) = self.ready.pop_front()
        {
            if self.receive(token, &mut seats[taken]) {
                taken += 1;
            }
        }
        let group = &mut seats[..taken];
        let mut first = 0;
        while first < group.len() {
            first = self.run_batch(group, first);
        }
        for seat in group.iter_mut() {
            self.leave(seat);
        }
        self.seats = seats;
    }

    /// Receives for a connection into a seat. Whether there is anything to do.
    fn receive(&mut self, token: usize, seat: &mut Seat) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        connection.queued = false;
        seat.take(token);
        if connection.owns_input {
            std::mem::swap(&mut seat.input, &mut connection.input);
        }
        if connection.readable && connection.state != State::Draining {
            // A large request is received in large pieces, so that it costs few calls. What a client announces counts
            // once the first of it has come, and only up to a bound: an announcement costs it nothing.
            let announced = std::mem::take(&mut connection.missing_bytes);
            let wanted = seat.input.len().max(announced);
            seat.input.reserve(wanted.clamp(RECEIVE_BYTES, PIECE_BYTES_MAX));
            let room = seat.input.capacity() - seat.input.len();
            match connection.socket.receive(&mut seat.input) {
                Ok(0) => {
                    seat.broken = true;
                    connection.readable = false;
                }
                Ok(received) => {
                    connection.readable = received == room || connection.ended;
                    let stats = &self.executor.context.stats;
                    stats.net_in_bytes.add(received as u64);
                    stats.reads.add(1);
                    let shared = connection.shared();
                    shared.net_in_bytes.store(shared.net_in_bytes.load(Relaxed) + received as u64, Relaxed);
                    if self.is_too_much_input(token, seat.input.len()) {
                        seat.input = Vec::new();
                        self.close(token);
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => connection.readable = false,
                Err(_) => seat.broken = true,
            }
        }
        true
    }

    /// Whether a connection's input, with what it has queued in MULTI, has reached its limit; then that is logged.
    fn is_too_much_input(&self, token: usize, received_bytes: usize) -> bool {
        let Some(connection) = self.connections.get(token) else { return false };
        let bound = if connection.client.authenticated { usize::MAX } else { STRANGERS_INPUT_BYTES };
        let limit = self.engine.settings.query_buffer_limit.load(Relaxed).min(bound);
        if received_bytes.saturating_add(connection.client.transaction.queue_bytes) <= limit {
            return false;
        }
        log::error!(
            "Closing client that reached max query buffer length: {}",
            crate::describe(connection.shared())
        );
        self.executor.context.stats.query_limit_disconnections.add(1);
        true
    }

    /// Parses, prefetches and runs one batch of the seats from `first` on. Returns the first seat that may have more.
    fn run_batch(&mut self, seats: &mut [Seat], first: usize) -> usize {
        let (mut spans, mut items) = (std::mem::take(&mut self.spans), std::mem::take(&mut self.items));
        spans.clear();
        items.clear();
        let bulk_len_max = self.engine.settings.bulk_len_max.load(Relaxed);
        let mut next = first;
        while next < seats.len() && items.len() < BATCH_MAX {
            let seat = &mut seats[next];
            let mut more = false;
            if let Some(connection) = self.connections.get_mut(seat.token) {
                let limits = Limits::new(bulk_len_max, connection.client.authenticated);
                parse_ahead(next, seat, connection, &limits, &mut spans, &mut items);
                more = !seat.stopped && connection.state == State::Open && seat.parsed < seat.input.len();
            }
            if more {
                break;
            }
            next += 1;
        }
        self.run_items(seats, &items, &spans);
        (self.spans, self.items) = (spans, items);
        next
    }

    fn run_items(&mut self, seats: &mut [Seat], items: &[Item], spans: &[Span]) {
        // Inputs leave their seats for as long as keys point into them.
        let inputs: Vec<Vec<u8>> = seats.iter_mut().map(|seat| std::mem::take(&mut seat.input)).collect();
        let mut keys: Vec<Key<'_>> = Vec::with_capacity(items.len() * 2);
        let mut prepared: Vec<Option<Prepared>> = Vec::with_capacity(items.len());
        // A hint: should a SELECT be among the requests, what follows it is fetched when it runs.
        let db_of =
            |seat: &Seat| self.connections.get(seat.token).map_or(0, |connection| connection.client.db);
        let dbs: Vec<u32> = seats.iter().map(db_of).collect();
        let prefetches = items.len() > 1 && self.engine.settings.prefetch.load(Relaxed);
        for item in items {
            let first = keys.len();
            let args = item.args_in(&inputs[item.seat], spans);
            prepared.push(args.map(|args| self.executor.prepare(args, &mut keys)));
            if prefetches {
                self.executor.prefetch_lines(dbs[item.seat], &keys[first..]);
            }
        }
        if prefetches && !keys.is_empty() {
            let stats = &self.executor.context.stats;
            stats.prefetch_batches.add(1);
            stats.prefetched_keys.add(keys.len() as u64);
            for (item, prepared) in items.iter().zip(&prepared) {
                if let Some(prepared) = prepared {
                    self.executor.prefetch_entries(dbs[item.seat], &keys[prepared.keys()]);
                }
            }
        }
        let mut clock = Clock::read();
        for (item, prepared) in items.iter().zip(&prepared) {
            let seat = &mut seats[item.seat];
            if seat.run != item.start {
                // The connection stopped at an earlier request, which is still to run.
                continue;
            }
            match (&item.kind, prepared) {
                (ItemKind::Violation(error), _) => {
                    seat.run = inputs[item.seat].len();
                    if let Some(connection) = self.connections.get_mut(seat.token)
                        && connection.state == State::Open
                    {
                        let input = &inputs[item.seat][item.start..];
                        violation::note(&self.engine, connection.shared(), error, input);
                        if !connection.client.is_silenced() {
                            ReplyWriter::new(&mut seat.out, connection.client.protocol).protocol_error(error);
                        }
                        connection.client.close_after_reply();
                        connection.state = State::Draining;
                    }
                }
                (_, None) => {
                    seat.run = item.end;
                    if let Some(connection) = self.connections.get_mut(seat.token) {
                        connection.client.pass_over_empty();
                    }
                }
                (_, Some(prepared)) => {
                    if let Some(args) = item.args_in(&inputs[item.seat], spans) {
                        self.run_request(seat, item, args, prepared, &keys[prepared.keys()], &mut clock);
                    }
                }
            }
        }
        drop(keys);
        for (seat, input) in seats.iter_mut().zip(inputs) {
            seat.input = input;
            self.rewind(seat);
        }
    }

    fn run_request(
        &mut self,
        seat: &mut Seat,
        item: &Item,
        args: ochre_engine::Args<'_>,
        prepared: &Prepared,
        keys: &[Key<'_>],
        clock: &mut Clock,
    ) {
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        if connection.state != State::Open {
            return;
        }
        clock.refresh();
        let client = &mut connection.client;
        let running = Running { client: client.id(), args };
        let shown = self.running.show(&running);
        let outcome = self.executor.execute(client, args, prepared, keys, &mut seat.out, clock);
        drop(shown);
        match outcome {
            Outcome::Done => seat.run = item.end,
            Outcome::Close => {
                seat.run = item.end;
                connection.state = State::Draining;
            }
            Outcome::Cut => {
                seat.out.clear();
                seat.broken = true;
                connection.state = State::Draining;
                self.warn_of_http(seat.token);
            }
            Outcome::Blocked => {
                seat.run = item.end;
                connection.state = State::Waiting;
                if let Some(blocked) = connection.client.blocked {
                    self.deadlines.insert((blocked.deadline_ms, seat.token));
                    self.executor.context.stats.blocked.fetch_add(1, Relaxed);
                }
            }
            Outcome::Postponed => {
                connection.state = State::Waiting;
                connection.shared().set_flag(client_flags::POSTPONED, true);
                self.executor.context.stats.blocked.fetch_add(1, Relaxed);
                self.postponed.push(seat.token);
            }
        }
        if seat.out.len() > EARLY_SEND_BYTES {
            self.send_seat(seat);
        }
    }

    /// Tells of a client that was cut off for speaking HTTP, at most once a minute.
    #[cold]
    fn warn_of_http(&mut self, token: usize) {
        let now_ms = clock_ms();
        let Some(connection) = self.connections.get(token).filter(|_| now_ms >= self.next_http_warning_ms)
        else {
            return;
        };
        self.next_http_warning_ms = now_ms + HTTP_WARNING_MS;
        log::error!(
            "Possible SECURITY ATTACK detected. A client at {} sends POST or Host: as commands, as a browser does when a \
             page tries to reach this server through it (cross protocol scripting). Connection aborted.",
            connection.shared().address
        );
    }

    /// Forgets what was parsed ahead of where a seat's connection stopped.
    fn rewind(&mut self, seat: &mut Seat) {
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        if connection.state != State::Open && seat.run < seat.parsed {
            connection.parser.reset();
            seat.parsed = seat.run;
        }
    }

    fn send_seat(&mut self, seat: &mut Seat) {
        let mut out = std::mem::take(&mut seat.out);
        self.send(seat.token, &mut out);
        if out.capacity() > KEPT_OUT_BYTES {
            out = Vec::with_capacity(RECEIVE_BYTES);
        }
        seat.out = out;
    }

    /// Ends a connection's turn: replies sent, what has not run kept.
    fn leave(&mut self, seat: &mut Seat) {
        if !seat.out.is_empty() {
            self.send_seat(seat);
        }
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        connection.shared().last_interaction_ms.store(clock_ms(), Relaxed);
        if seat.run < seat.input.len() && connection.state != State::Draining {
            connection.input_peak_bytes = connection.input_peak_bytes.max(seat.input.len());
            keep_rest(&mut connection.input, seat);
            connection.owns_input = true;
            connection.publish_memory();
        } else if connection.owns_input {
            connection.input_peak_bytes = connection.input_peak_bytes.max(seat.input.len());
            connection.owns_input = take_back(&mut connection.input, seat);
            connection.publish_memory();
        }
        if seat.input.capacity() > KEPT_OUT_BYTES {
            seat.input = Vec::new();
        }
        if seat.broken || (connection.state == State::Draining && connection.unsent_bytes() == 0) {
            return self.close(seat.token);
        }
        self.enqueue(seat.token);
    }

    /// Sends replies to a connection; `replies` is empty afterwards.
    fn send(&mut self, token: usize, replies: &mut Vec<u8>) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        // Before anything is sent: nothing of such a reply may arrive, however quickly the client would take it.
        if self.output_limits.is_over_hard(connection, replies.len()) {
            replies.clear();
            return self.close_overcome(token, "hard limit");
        }
        let sent = connection.send(replies);
        self.after_send(token, sent);
    }

    /// Sends what waits at a connection.
    fn flush(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let sent = connection.flush();
        self.after_send(token, sent);
    }

    fn after_send(&mut self, token: usize, sent: io::Result<usize>) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Ok(sent) = sent else { return self.close(token) };
        let stats = &self.executor.context.stats;
        stats.net_out_bytes.add(sent as u64);
        stats.writes.add(1);
        let shared = connection.shared();
        shared.net_out_bytes.store(shared.net_out_bytes.load(Relaxed) + sent as u64, Relaxed);
        if connection.unsent_bytes() == 0 {
            if connection.state == State::Draining {
                self.close(token);
            }
            return;
        }
        connection.publish_memory();
        if let Some(reason) = self.output_limits.exceeded(connection, clock_ms()) {
            self.close_overcome(token, reason);
        }
    }

    /// Closes a connection that has left too much unread.
    fn close_overcome(&mut self, token: usize, reason: &str) {
        if let Some(connection) = self.connections.get(token) {
            log::error!(
                "Client {} closed for overcoming of output buffer limits ({reason}).",
                crate::describe(connection.shared())
            );
            self.executor.context.stats.output_limit_disconnections.add(1);
            self.close(token);
        }
    }

    /// Closes a connection at once.
    fn close(&mut self, token: usize) {
        let Some(mut connection) = self.connections.try_remove(token) else { return };
        connection.socket.deregister(self.poll.registry());
        self.by_id.remove(&connection.client.id());
        if let Some(blocked) = connection.client.blocked {
            self.deadlines.remove(&(blocked.deadline_ms, token));
            self.executor.context.stats.blocked.fetch_sub(1, Relaxed);
        }
        if connection.shared().has(client_flags::POSTPONED) {
            self.executor.context.stats.blocked.fetch_sub(1, Relaxed);
            self.postponed.retain(|other| *other != token);
        }
        self.ready.retain(|other| *other != token);
        self.executor.forget(&mut connection.client);
        self.engine.clients.remove(connection.client.id());
        self.executor.context.stats.clients.fetch_sub(1, Relaxed);
    }

    /// Ends the blocking of a client on somebody's order, unless the client is gone from that wait.
    fn unblock(&mut self, id: u64, with_error: bool) {
        let Some(token) = self.by_id.get(&id).copied() else { return };
        if self.connections.get(token).is_some_and(|connection| connection.shared().wait.is_claimed()) {
            self.wake(token, with_error);
        }
    }

    /// Ends the blocking of a client whose time is up; one that somebody has unblocked is left to that letter.
    fn time_out(&mut self, deadline_ms: i64, token: usize) {
        self.deadlines.remove(&(deadline_ms, token));
        if self.connections.get(token).is_some_and(|connection| connection.shared().wait.end()) {
            self.wake(token, false);
        }
    }

    /// Ends the blocking of a client: by its timeout, or with an error.
    fn wake(&mut self, token: usize, with_error: bool) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Some(blocked) = connection.client.blocked else { return };
        self.deadlines.remove(&(blocked.deadline_ms, token));
        self.executor.context.stats.blocked.fetch_sub(1, Relaxed);
        connection.client.unblock();
        connection.state = State::Open;
        let mut out = Vec::new();
        let mut reply = ReplyWriter::new(&mut out, connection.client.protocol);
        match (with_error, blocked.on) {
            (true, _) => reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK"),
            (false, BlockedOn::Replicas) => reply.integer(0),
            (false, BlockedOn::Logs) => {
                reply.array(2);
                reply.integer(0);
                reply.integer(0);
            }
            (false, BlockedOn::Completion) => {}
        }
        self.send(token, &mut out);
        self.requeue(token);
    }

    /// Answers a client that waits for a completion, and lets it go on.
    fn complete(&mut self, id: u64, reply: &[u8]) {
        let Some(token) = self.by_id.get(&id).copied() else { return };
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Some(blocked) = connection.client.blocked.filter(|one| one.on == BlockedOn::Completion) else {
            return;
        };
        self.deadlines.remove(&(blocked.deadline_ms, token));
        self.executor.context.stats.blocked.fetch_sub(1, Relaxed);
        connection.client.unblock();
        connection.state = State::Open;
        self.send(token, &mut reply.to_vec());
        self.requeue(token);
    }

    /// Lets postponed clients go on, if the pause is over.
    fn resume(&mut self) {
        for token in std::mem::take(&mut self.postponed) {
            if let Some(connection) = self.connections.get_mut(token) {
                connection.state = State::Open;
                connection.shared().set_flag(client_flags::POSTPONED, false);
                self.executor.context.stats.blocked.fetch_sub(1, Relaxed);
                self.requeue(token);
            }
        }
    }

    /// What is done between rounds: timers, expired keys, limits.
    fn background(&mut self) {
        let now_ms = clock_ms();
        while let Some((at, token)) = self.deadlines.first().copied()
            && at <= now_ms
        {
            self.time_out(at, token);
        }
        if self.sweeping {
            self.sweep(now_ms, SLICE_NS);
        }
        if now_ms >= self.next_tick_ms {
            self.next_tick_ms = now_ms + TICK_MS;
            self.tick(now_ms);
        }
    }

    fn tick(&mut self, now_ms: i64) {
        if !self.postponed.is_empty() && self.engine.pause.mode(now_ms) == PauseMode::None {
            self.resume();
        }
        if !self.sweeping {
            self.sweep(now_ms, SLICE_NS);
        }
        self.executor.relieve(now_ms);
        self.check_clients(now_ms);
    }

    /// Removes expired keys for a limited time. Goes on between rounds for as long as many of the keys looked at have
    /// expired.
    fn sweep(&mut self, now_ms: i64, budget_ns: u64) {
        let settings = &self.engine.keyspace.settings;
        if !settings.active_expire.load(Relaxed) || settings.import_mode.load(Relaxed) {
            self.sweeping = false;
            return;
        }
        let start_ns = tick::now_ns();
        let (mut looked_at, mut expired) = (0, 0);
        loop {
            let step = self.executor.sweep(now_ms);
            looked_at += step.looked_at;
            expired += step.expired;
            if step.round_ended {
                self.sweeping = false;
                break;
            }
            if tick::now_ns().saturating_sub(start_ns) > budget_ns {
                // More than a tenth has expired: there is more to be had.
                self.sweeping = expired * 10 > looked_at;
                self.executor.context.stats.expire_time_cap_reached.add(1);
                break;
            }
        }
        self.executor.context.stats.expire_ns.add(tick::now_ns().saturating_sub(start_ns));
    }

    /// Looks after a part of the connections: idle ones, soft limits, figures.
    fn check_clients(&mut self, now_ms: i64) {
        let timeout_s = self.engine.settings.timeout_s.load(Relaxed);
        let tokens: Vec<usize> = self
            .connections
            .iter()
            .map(|(token, _)| token)
            .skip_while(|token| *token < self.check_from)
            .take(200)
            .collect();
        self.check_from = tokens.last().map_or(0, |last| last + 1);
        if tokens.len() < 200 {
            self.check_from = 0;
        }
        for token in tokens {
            let Some(connection) = self.connections.get_mut(token) else { continue };
            let idle_ms = now_ms - connection.shared().last_interaction_ms.load(Relaxed);
            if connection.owns_input {
                connection.shrink_input(idle_ms > INPUT_IDLE_MS);
            }
            connection.publish_memory();
            let shared = connection.shared();
            let exempt = shared.has(client_flags::MONITOR) || connection.state == State::Waiting;
            if timeout_s > 0 && idle_ms > timeout_s * 1000 && !exempt {
                log::info!("Closing idle client");
                self.close(token);
                continue;
            }
            if let Some(reason) = self.output_limits.exceeded(connection, now_ms) {
                self.close_overcome(token, reason);
            }
        }
    }

    /// Sends what can still be sent and closes everything.
    fn close_all(&mut self) {
        let tokens: Vec<usize> = self.connections.iter().map(|(token, _)| token).collect();
        for token in tokens {
            self.flush(token);
            self.close(token);
        }
    }
}

/// Returns the buffers of a seat and of a connection to their owners, the request that was half received being complete:
/// the next one may be as large. Whether the connection still has one.
fn take_back(kept: &mut Vec<u8>, seat: &mut Seat) -> bool {
    std::mem::swap(kept, &mut seat.input);
    kept.clear();
    if kept.capacity() > KEPT_INPUT_BYTES {
        *kept = Vec::new();
    }
    kept.capacity() > 0
}

/// Keeps what has not run of a seat's input for the next time.
fn keep_rest(kept: &mut Vec<u8>, seat: &mut Seat) {
    let rest = seat.input.len() - seat.run;
    if seat.run == 0 || rest > seat.input.len() / 2 {
        seat.input.drain(..seat.run);
        std::mem::swap(kept, &mut seat.input);
        seat.input.clear();
    } else {
        kept.clear();
        kept.extend_from_slice(&seat.input[seat.run..]);
    }
}
