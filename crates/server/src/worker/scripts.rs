//! Clients whose requests run scripts, and all others of the worker while one of these takes long.
//!
//! A script may run for as long as it likes, and from within it its worker has to serve its other clients then (see
//! [`ochre_engine::Attendant`]). So it is run where nothing of the worker is in use but what it needs: behind the group that its
//! connection came with, with an executor of its own, and with the client taken out of its connection, whose place a
//! substitute keeps. Everything else of the worker is free for the attendant, who lets rounds of its loop run within the
//! script; what they ask for is refused but for a few commands, so they take no lock and no script begins among them.
//!
//! A client that goes through a script (SCRIPT DEBUG) is heard in the same way: what it sends is received within the script, for
//! whose session it is, and others are served while it says nothing.
//!
//! A connection that has asked for one script often asks for more: the rest of what it has sent is run one by one, parsed and
//! fetched ahead as in a group. One that sends many at once is put aside before anything of it is parsed.
//!
//! Rejected: a thread of its own for every script (a switch to it and back takes as long as a short one), and one to which the
//! worker is handed over once a script turns out to be long (a script in the midst of its worker's loop leaves nothing to be
//! handed over).

use std::cell::RefCell;
use std::io;
use std::slice::from_ref;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mio::Events;
use ochre_engine::{Args, Attendant, Client, Clock, Error, Executor, Outcome, Prepared, Rehearsal, Said};
use ochre_keyspace::Key;
use ochre_resp::{Limits, ReplyWriter};

use super::Worker;
use crate::connection::State;
use crate::group::{Batch, RECEIVE_BYTES, Seat, parse_ahead};
use crate::rehearsal;
use crate::running::{Running, Slot};

/// Groups that are served at once while a script runs.
const GROUPS_AT_ONCE: usize = 4;
/// Requests of a seat that was put aside are parsed ahead; the keys of more would not stay in the nearest cache.
const AT_ONCE: usize = 16;
/// A connection that has asked for so many at once is put aside the next time.
const MANY_SCRIPTS: usize = 4;
/// For how long a client is waited for that goes through a script, before it is asked whether that is to go on.
const LISTENING: Duration = Duration::from_millis(100);

/// What scripts are run with.
pub(super) struct Desk {
    executor: Executor,
    batch: Batch,
    running: Slot,
}

impl Desk {
    fn new(executor: &Executor, running: &Slot) -> Desk {
        Desk { executor: executor.beside(), batch: Batch::default(), running: running.clone() }
    }

    /// Gives up what requests of very many arguments have made it grow by.
    pub(super) fn trim(&mut self) {
        self.batch.trim();
    }
}

/// The worker, lent to a script of one of its connections.
struct Lent<'w>(RefCell<&'w mut Worker>, usize);

impl Attendant for Lent<'_> {
    fn attend(&self) -> bool {
        self.0.try_borrow_mut().map_or(true, |mut worker| worker.attend(Duration::ZERO))
    }

    fn show(&self, reply: &[u8]) {
        if let Ok(mut worker) = self.0.try_borrow_mut() {
            worker.send(self.1, &mut reply.to_vec());
        }
    }

    fn listen(&self) -> Said {
        self.0.try_borrow_mut().map_or(Said::Nothing, |mut worker| worker.listen(self.1))
    }
}

impl Worker {
    /// Puts a seat aside whose next request runs a script; its connection stays as it is until then.
    pub(super) fn put_aside(&mut self, index: usize, seat: Seat) {
        if let Some(connection) = self.connections.get_mut(seat.token) {
            connection.queued = true;
        }
        self.aside.push_back((index, seat));
    }

    /// Serves those that were put aside.
    pub(super) fn serve_aside(&mut self) {
        while let Some((index, mut seat)) = self.aside.pop_front() {
            self.serve_one_by_one(&mut seat);
            self.leave(&mut seat);
            if let Some(place) = self.seats.get_mut(index) {
                *place = seat;
            }
        }
    }

    fn serve_one_by_one(&mut self, seat: &mut Seat) {
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        connection.queued = false;
        connection.state = State::Open;
        let desk = self.desk.take();
        let mut desk = desk.unwrap_or_else(|| Box::new(Desk::new(&self.executor, &self.running)));
        let mut clock = Clock::read();
        seat.stopped = false;
        let mut scripts = 0;
        while self.serve_next(seat, &mut desk, &mut clock, &mut scripts) {}
        self.now_ms = clock.now_ms;
        self.desk = Some(desk);
        if let Some(connection) = self.connections.get_mut(seat.token) {
            connection.asks_scripts = scripts >= MANY_SCRIPTS;
        }
    }

    /// Runs the next requests of a seat, and counts those that run scripts; whether others may follow.
    fn serve_next(
        &mut self,
        seat: &mut Seat,
        desk: &mut Desk,
        clock: &mut Clock,
        scripts: &mut usize,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(seat.token) else { return false };
        let bulk_len_max = self.engine.settings.bulk_len_max.load(Relaxed);
        let limits = Limits::new(bulk_len_max, connection.client.authenticated);
        desk.batch.clear();
        parse_ahead(0, seat, connection, &limits, &mut desk.batch, AT_ONCE);
        let Desk { executor, batch: Batch { items, spans, rare, .. }, running } = desk;
        if items.is_empty() {
            return false;
        }
        let input = std::mem::take(&mut seat.input);
        let mut keys: Vec<Key<'_>> = Vec::with_capacity(items.len() * 2);
        let texts = (from_ref(&input), spans.as_slice(), rare.as_slice());
        self.prepare(from_ref(seat), 0, items, texts, &mut keys, &mut Vec::with_capacity(1));
        let may_follow = items.iter().all(|item| {
            let Some(args) = item.args_in(&input, spans, rare) else {
                self.run_nothing(seat, item, &input, rare);
                return self.may_go_on(seat);
            };
            let prepared = item.prepared.unwrap_or_default();
            *scripts += usize::from(self.run_one(
                seat,
                (executor, &*running),
                (item.end, args, prepared),
                &keys,
                clock,
            ));
            self.may_go_on(seat)
        });
        drop(keys);
        seat.input = input;
        rare.clear();
        self.rewind(seat);
        may_follow
    }

    /// Whether the next request of a seat may run.
    fn may_go_on(&mut self, seat: &mut Seat) -> bool {
        if seat.out.len() > RECEIVE_BYTES {
            self.after_large_reply(seat);
        }
        self.connections.get(seat.token).is_some_and(|connection| connection.state == State::Open)
    }

    /// Runs a request, which ends at `end` of the input; whether it runs a script.
    fn run_one(
        &mut self,
        seat: &mut Seat,
        (executor, running): (&mut Executor, &Slot),
        (end, args, prepared): (usize, Args<'_>, Prepared),
        keys: &[Key<'_>],
        clock: &mut Clock,
    ) -> bool {
        let Some(connection) = self.connections.get_mut(seat.token) else { return false };
        let is_script = executor.is_script(&connection.client, prepared);
        let shown = Running::of(connection.client.id());
        shown.args.set(args);
        let shown = running.show(&shown);
        clock.refresh();
        let outcome = self.run_alone(seat, executor, (args, prepared), keys, clock);
        drop(shown);
        if outcome != Outcome::Postponed {
            seat.run = end;
        }
        if outcome != Outcome::Done {
            self.note_outcome(seat, outcome);
        }
        is_script
    }

    /// Runs a request, with the worker lent to it if it runs a script.
    fn run_alone(
        &mut self,
        seat: &mut Seat,
        executor: &mut Executor,
        (args, prepared): (Args<'_>, Prepared),
        keys: &[Key<'_>],
        clock: &mut Clock,
    ) -> Outcome {
        let token = seat.token;
        let Some(connection) = self.connections.get_mut(token) else { return Outcome::Done };
        connection.client.output_bytes_max = self.output_limits.too_many(connection);
        let keys = &keys[prepared.keys()];
        if executor.begins_rehearsal(&mut connection.client, args, prepared) {
            self.begin_rehearsal(seat, args);
            return Outcome::Done;
        }
        if !executor.is_script(&connection.client, prepared) {
            return executor.execute(&mut connection.client, args, prepared, keys, &mut seat.out, clock);
        }
        if connection.client.is_debugging() {
            // What the session shows comes behind what was replied before it.
            self.send_seat(seat);
        }
        let Some(connection) = self.connections.get_mut(token) else { return Outcome::Done };
        let substitute = Client::in_place_of(&connection.client);
        let mut client = std::mem::replace(&mut connection.client, substitute);
        connection.queued = true;
        connection.in_script = true;
        connection.state = State::Waiting;
        let outcome = {
            let lent = Lent(RefCell::new(self), token);
            executor.execute_script(&mut client, args, prepared, keys, &mut seat.out, clock, &lent)
        };
        let Some(connection) = self.connections.get_mut(token) else { return outcome };
        connection.client = client;
        connection.queued = false;
        connection.in_script = false;
        connection.state = State::Open;
        if std::mem::take(&mut connection.is_doomed) {
            seat.out.clear();
            self.close(token);
        }
        if self.stopping {
            // The end of the connection is the reply to a script that the server's end has cut short.
            seat.out.clear();
        }
        outcome
    }

    /// Hands a connection over to a session of the debugger on a copy of the data.
    fn begin_rehearsal(&mut self, seat: &mut Seat, args: Args<'_>) {
        if let Err(error) = self.hand_over(seat, args)
            && let Some(connection) = self.connections.get(seat.token)
        {
            ReplyWriter::new(&mut seat.out, connection.client.protocol).error_bytes(error.bytes());
        }
    }

    fn hand_over(&mut self, seat: &mut Seat, args: Args<'_>) -> Result<(), Error> {
        const UNREAD: Error = Error::new("ERR Read what was replied before debugging a script");
        const NOT_STARTED: Error = Error::new("ERR The session could not be started");
        self.send_seat(seat);
        let Some(connection) = self.connections.get(seat.token) else { return Ok(()) };
        if connection.unsent_bytes() > 0 || connection.held.is_some() {
            return Err(UNREAD);
        }
        let rehearsal = Rehearsal::new(&self.engine, &connection.client, args)?;
        let socket = connection.socket.share().map_err(|_| NOT_STARTED)?;
        rehearsal::begin(socket, rehearsal).map_err(|_| NOT_STARTED)?;
        self.close(seat.token);
        Ok(())
    }

    /// Hears what a client says that goes through a script, and serves others until it says something.
    fn listen(&mut self, token: usize) -> Said {
        let said = self.overhear(token);
        if said != Said::Nothing {
            return said;
        }
        let has_work = !self.ready.is_empty() || self.has_parts_to_make();
        if !self.attend(if has_work { Duration::ZERO } else { LISTENING }) {
            return Said::Stopping;
        }
        self.overhear(token)
    }

    /// What has come from a client that goes through a script.
    fn overhear(&mut self, token: usize) -> Said {
        let Some(connection) = self.connections.get_mut(token).filter(|connection| !connection.is_doomed)
        else {
            return Said::End;
        };
        if !connection.readable {
            return Said::Nothing;
        }
        let mut bytes = Vec::with_capacity(RECEIVE_BYTES);
        match connection.socket.receive(&mut bytes) {
            Ok(0) => Said::End,
            Ok(received) => {
                connection.readable = received == bytes.capacity() || connection.ended;
                let shared = connection.shared();
                shared.net_in_bytes.store(shared.net_in_bytes.load(Relaxed) + received as u64, Relaxed);
                let stats = &self.executor.context.stats;
                stats.net_in_bytes.add(received as u64);
                stats.reads.add(1);
                Said::Bytes(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                connection.readable = false;
                Said::Nothing
            }
            Err(_) => Said::End,
        }
    }

    /// Waits for so long until somebody is ready, and serves those who are, from within a script of another client; whether that
    /// may go on.
    fn attend(&mut self, wait: Duration) -> bool {
        // What was put aside came before what comes now.
        self.serve_aside();
        let mut events = self.attended.take().unwrap_or_else(|| Events::with_capacity(64));
        self.heartbeat.idle();
        if let Err(error) = self.poll.poll(&mut events, Some(wait))
            && error.kind() != io::ErrorKind::Interrupted
        {
            log::error!("Waiting for sockets failed: {error}");
        }
        self.heartbeat.busy();
        self.take_events(&events);
        self.attended = Some(events);
        self.read_mail(&mut Vec::new());
        for _ in 0..GROUPS_AT_ONCE {
            if self.ready.is_empty() {
                break;
            }
            self.serve_group();
        }
        if self.ready.is_empty() {
            self.resumed.clear();
        }
        self.make_parts();
        self.heartbeat.beat();
        !self.stopping
    }
}
