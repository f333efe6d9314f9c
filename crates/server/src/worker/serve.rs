//! Serving a group of ready connections: received, parsed, prefetched, run, sent (see [`crate::group`]).

use std::io;
use std::sync::atomic::Ordering::Relaxed;

use ochre_engine::{Args, BlockedOn, Clock, Outcome, Prepared, Requests, client_flags, clock_ms};
use ochre_keyspace::Key;
use ochre_resp::{Limits, ReplyWriter, Span};

use super::Worker;
use super::output::KEPT_OUT_BYTES;
use crate::connection::State;
use crate::group::{
    BATCH_ARGS_MAX, BATCH_MAX, Batch, GROUP_MAX, Item, Kind, RECEIVE_BYTES, Rare, Seat, parse_ahead,
};
use crate::running::Running;
use crate::violation;

/// Clients that have not authenticated may send at most this much ahead, bytes.
const STRANGERS_INPUT_BYTES: usize = 1024 * 1024;
/// A connection keeps a buffer of its own up to this size when its request is complete.
const KEPT_INPUT_BYTES: usize = 1024 * 1024;
/// Clients that speak HTTP are told of at most this often, ms.
const HTTP_WARNING_MS: i64 = 60_000;

/// Keys are fetched ahead up to so many lines from where they are at home; further away hardly any is.
const DISPLACED_MAX: usize = 3;

/// The requests of one connection within a batch.
pub(super) struct Run {
    seat: usize,
    db: u32,
    items: std::ops::Range<usize>,
    keys: std::ops::Range<usize>,
}

/// The requests at the beginning of some items; each is shown to the crash report when it is taken.
struct Shown<'b> {
    items: &'b [Item],
    input: &'b [u8],
    spans: &'b [Span],
    rare: &'b [Rare],
    running: &'b Running<'b>,
}

impl Requests for Shown<'_> {
    #[inline]
    fn prepared(&self, index: usize) -> Option<Prepared> {
        self.items.get(index)?.prepared
    }

    #[inline]
    fn args(&self, index: usize) -> Args<'_> {
        // Only what has arguments was prepared.
        let args = self.items[index].args_in(self.input, self.spans, self.rare).unwrap_or_default();
        self.running.args.set(args);
        args
    }
}

impl Worker {
    /// Serves the next connections of the queue together.
    pub(super) fn serve_group(&mut self) {
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
        let mut batch = std::mem::take(&mut self.batch);
        let mut first = 0;
        while first < group.len() {
            first = self.run_batch(group, first, &mut batch);
        }
        self.batch = batch;
        for (index, seat) in group.iter_mut().enumerate() {
            match seat.has_script {
                true => self.put_aside(index, std::mem::take(seat)),
                false => self.leave(seat),
            }
        }
        self.seats = seats;
        if !self.aside.is_empty() {
            self.serve_aside();
        }
        self.evict_clients();
    }

    /// Receives for a connection into a seat. Whether there is anything to do.
    fn receive(&mut self, token: usize, seat: &mut Seat) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        connection.queued = false;
        seat.take(token);
        if connection.owns_input {
            std::mem::swap(&mut seat.input, &mut connection.input);
        }
        if connection.may_receive() {
            match connection.receive(&mut seat.input) {
                Ok(0) => {
                    seat.broken = true;
                    connection.readable = false;
                }
                Ok(received) => {
                    let stats = &self.executor.context.stats;
                    stats.net_in_bytes.add(received as u64);
                    stats.reads.add(1);
                    let shared = connection.shared();
                    shared.net_in_bytes.store(shared.net_in_bytes.load(Relaxed) + received as u64, Relaxed);
                    let received_bytes = connection.received_bytes(&seat.input);
                    let buffered_bytes = connection.buffered_bytes(&seat.input);
                    if self.is_too_much_input(token, buffered_bytes) {
                        seat.input = Vec::new();
                        self.close(token);
                        return false;
                    }
                    if let Some(connection) = self.connections.get_mut(token) {
                        connection.publish_turn(&self.executor.context.stats, &seat.input);
                    }
                    if received_bytes > RECEIVE_BYTES {
                        // What a client has sent counts before it runs.
                        self.evict_clients();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => connection.readable = false,
                Err(_) => seat.broken = true,
            }
        }
        if let Some(connection) = self.connections.get_mut(token)
            && connection.asks_scripts
            && connection.state == State::Open
            && !seat.input.is_empty()
        {
            seat.has_script = true;
            connection.state = State::Waiting;
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
    fn run_batch(&mut self, seats: &mut [Seat], first: usize, batch: &mut Batch) -> usize {
        batch.clear();
        let bulk_len_max = self.engine.settings.bulk_len_max.load(Relaxed);
        let mut next = first;
        while next < seats.len() && batch.items.len() < BATCH_MAX && batch.spans.len() < BATCH_ARGS_MAX {
            let seat = &mut seats[next];
            let mut more = false;
            if let Some(connection) = self.connections.get_mut(seat.token) {
                let limits = Limits::new(bulk_len_max, connection.client.authenticated);
                parse_ahead(next, seat, connection, &limits, batch, BATCH_MAX);
                more = !seat.stopped && connection.state == State::Open && seat.parsed < seat.input.len();
            }
            if more {
                break;
            }
            next += 1;
        }
        let last = seats.len().min(next + 1);
        self.run_items(&mut seats[..last], first, batch);
        next
    }

    /// Runs the batch, whose seats begin with `first`.
    fn run_items(&mut self, seats: &mut [Seat], first: usize, batch: &mut Batch) {
        // Inputs leave their seats for as long as keys point into them.
        let mut inputs = std::mem::take(&mut self.inputs);
        inputs.clear();
        inputs.extend(seats[first..].iter_mut().map(|seat| std::mem::take(&mut seat.input)));
        let Batch { items, spans, rare, .. } = batch;
        let mut keys: Vec<Key<'_>> = Vec::with_capacity(items.len() * 2);
        let mut runs: Vec<Run> = Vec::with_capacity(GROUP_MAX);
        self.prepare(seats, first, items, (&inputs, spans, rare), &mut keys, &mut runs);
        let mut clock = Clock::read();
        for run in &runs {
            let (seat, input) = (&mut seats[run.seat], &inputs[run.seat - first]);
            self.run_requests(seat, &items[run.items.clone()], (input, spans, rare), &keys, &mut clock);
        }
        self.now_ms = clock.now_ms;
        drop(keys);
        rare.clear();
        for (seat, input) in seats[first..].iter_mut().zip(inputs.drain(..)) {
            seat.input = input;
            self.rewind(seat);
        }
        self.inputs = inputs;
    }

    /// Finds the commands and keys of a batch, and has what they need fetched. Inlined in both places, with all its steps: as
    /// a function of its own it takes 14 ns more for each key.
    #[inline(always)]
    pub(super) fn prepare<'b>(
        &mut self,
        seats: &[Seat],
        first: usize,
        items: &mut [Item],
        (inputs, spans, rare): (&'b [Vec<u8>], &'b [Span], &'b [Rare]),
        keys: &mut Vec<Key<'b>>,
        runs: &mut Vec<Run>,
    ) {
        let mut at = 0;
        while at < items.len() {
            let (seat, first_item, first_key) = (items[at].seat, at, keys.len());
            let input = &inputs[seat - first][..];
            while let Some(item) = items.get_mut(at).filter(|item| item.seat == seat) {
                if let Some(args) = item.args_in(input, spans, rare) {
                    let prepared = item.prepared.insert(Prepared::default());
                    self.executor.prepare_in_place(args, item.head, keys, prepared);
                }
                at += 1;
            }
            // A hint: should a SELECT be among the requests, what follows it is fetched when it runs.
            let db = self.connections.get(seats[seat].token).map_or(0, |connection| connection.client.db);
            runs.push(Run { seat, db, items: first_item..at, keys: first_key..keys.len() });
        }
        if items.len() > 1 && !keys.is_empty() && self.engine.settings.prefetch.load(Relaxed) {
            self.prefetch(runs, keys);
        }
    }

    /// Has the processor fetch what the keys of a batch need.
    #[inline(always)]
    fn prefetch(&self, runs: &[Run], keys: &mut [Key<'_>]) {
        let stats = &self.executor.context.stats;
        stats.prefetch_batches.add(1);
        stats.prefetched_keys.add(keys.len() as u64);
        let keyspace = &self.engine.keyspace;
        runs.iter().for_each(|run| keyspace.prefetch_words(run.db, &mut keys[run.keys.clone()]));
        runs.iter().for_each(|run| keyspace.prefetch_lines(run.db, &keys[run.keys.clone()]));
        let _lease = keyspace.lease();
        let mut displaced = Vec::new();
        for run in runs {
            let first = run.keys.start;
            let note = |index| displaced.push((run.db, first + index));
            keyspace.prefetch_entries(run.db, &mut keys[run.keys.clone()], note);
        }
        for _ in 0..DISPLACED_MAX {
            displaced.retain(|(db, index)| keyspace.prefetch_displaced(*db, &mut keys[*index]));
        }
    }

    /// Runs the requests of one connection, in order, until one of them keeps the others from being run.
    fn run_requests(
        &mut self,
        seat: &mut Seat,
        mut items: &[Item],
        (input, spans, rare): (&[u8], &[Span], &[Rare]),
        keys: &[Key<'_>],
        clock: &mut Clock,
    ) {
        while let Some(first) = items.first().filter(|item| item.start == seat.run) {
            if first.kind != Kind::Request && first.kind != Kind::Owned {
                self.run_nothing(seat, first, input, rare);
                items = &items[1..];
                continue;
            }
            let (ran, outcome) = self.run_until(seat, items, (input, spans, rare), keys, clock);
            items = &items[ran..];
            if outcome != Outcome::Done {
                self.note_outcome(seat, outcome);
            }
            if seat.out.len() > RECEIVE_BYTES {
                self.after_large_reply(seat);
            }
            if ran == 0 {
                return;
            }
        }
    }

    /// Runs requests of one connection until one of them leaves something to be done. Returns how many are over, and what
    /// became of the last.
    fn run_until(
        &mut self,
        seat: &mut Seat,
        items: &[Item],
        (input, spans, rare): (&[u8], &[Span], &[Rare]),
        keys: &[Key<'_>],
        clock: &mut Clock,
    ) -> (usize, Outcome) {
        let Some(connection) = self.connections.get_mut(seat.token) else { return (0, Outcome::Done) };
        if connection.state != State::Open {
            return (0, Outcome::Done);
        }
        // Who is to be closed must make no more replies: they count nowhere any more. Nor may it keep what it has sent, which
        // would be looked at again and again.
        if connection.shared().is_killed() {
            connection.client.close_after_reply();
            return (0, Outcome::Close);
        }
        connection.client.output_bytes_max = self.output_limits.too_many(connection);
        let client = &mut connection.client;
        let running = Running::of(client.id());
        let shown = self.running.show(&running);
        let requests = Shown { items, input, spans, rare, running: &running };
        let out = (&mut seat.out, RECEIVE_BYTES);
        let (over, outcome) = self.executor.execute_all(client, &requests, keys, out, clock);
        drop(shown);
        if let Some(last) = over.checked_sub(1).and_then(|index| items.get(index)) {
            seat.run = last.end;
        }
        (over, outcome)
    }

    /// What an item is for that is no request: an empty one, or bytes that are none.
    #[cold]
    pub(super) fn run_nothing(&mut self, seat: &mut Seat, item: &Item, input: &[u8], rare: &[Rare]) {
        seat.run = item.end;
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        let Some(Rare::Violation(error)) = rare.get(item.rare).filter(|_| item.kind == Kind::Violation)
        else {
            return connection.client.pass_over_empty();
        };
        seat.run = input.len();
        if connection.state == State::Open {
            violation::note(&self.engine, connection.shared(), error, &input[item.start..]);
            if !connection.client.is_silenced() {
                ReplyWriter::new(&mut seat.out, connection.client.protocol).protocol_error(error);
            }
            connection.client.close_after_reply();
            connection.state = State::Draining;
        }
    }

    /// What follows from a request that did not simply end with its reply.
    #[cold]
    pub(super) fn note_outcome(&mut self, seat: &mut Seat, outcome: Outcome) {
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        let stats = &self.executor.context.stats;
        match outcome {
            Outcome::Done => {}
            Outcome::Close => connection.state = State::Draining,
            Outcome::IsScript => {
                seat.has_script = true;
                connection.state = State::Waiting;
            }
            Outcome::Continues => self.promise(seat.token, &mut seat.out),
            Outcome::Cut => {
                seat.out.clear();
                seat.broken = true;
                connection.state = State::Draining;
                self.warn_of_http(seat.token);
            }
            Outcome::Blocked => {
                connection.state = State::Waiting;
                if let Some(blocked) = connection.client.blocked {
                    self.deadlines.insert((blocked.deadline_ms, seat.token));
                    stats.blocked.fetch_add(1, Relaxed);
                    stats.timed.fetch_add(i64::from(blocked.is_timed()), Relaxed);
                    if let BlockedOn::Logs { .. } = blocked.on {
                        self.watch_log(seat.token);
                    }
                }
            }
            Outcome::Postponed => {
                connection.state = State::Waiting;
                connection.shared().set_flag(client_flags::POSTPONED, true);
                stats.blocked.fetch_add(1, Relaxed);
                self.postponed.push(seat.token);
            }
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
    pub(super) fn rewind(&mut self, seat: &mut Seat) {
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        let is_undone = seat.run < seat.parsed;
        connection.large.settle(&mut seat.input, seat.run, is_undone);
        if is_undone {
            connection.parser.reset();
            seat.parsed = seat.run;
        }
    }

    /// Ends a connection's turn: replies sent, what has not run kept.
    pub(super) fn leave(&mut self, seat: &mut Seat) {
        if !seat.out.is_empty() {
            self.send_seat(seat);
        }
        let Some(connection) = self.connections.get_mut(seat.token) else { return };
        connection.shared().last_interaction_ms.store(self.now_ms, Relaxed);
        if seat.run < seat.input.len() && connection.state != State::Draining {
            connection.input_peak_bytes = connection.input_peak_bytes.max(seat.input.len());
            keep_rest(&mut connection.input, seat);
            connection.owns_input = true;
        } else if connection.owns_input {
            connection.input_peak_bytes = connection.input_peak_bytes.max(seat.input.len());
            connection.owns_input = take_back(&mut connection.input, seat);
        }
        if seat.input.capacity() > KEPT_OUT_BYTES {
            seat.input = Vec::new();
        }
        connection.publish_memory(&self.executor.context.stats);
        if seat.broken || self.is_drained(seat.token) {
            return self.close(seat.token);
        }
        self.enqueue(seat.token);
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
