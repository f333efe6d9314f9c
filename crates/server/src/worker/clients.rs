//! Clients that come to an end, that wait, and that are looked after now and then.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_engine::{Blocked, BlockedOn, Error, client_flags, clock_ms, reply_to_wait_for_logs};
use ochre_resp::ReplyWriter;

use super::Worker;
use crate::connection::State;

/// What CLIENT UNBLOCK ERROR has the client told.
const UNBLOCKED: Error = Error::new("UNBLOCKED client unblocked via CLIENT UNBLOCK");

/// A connection that receives nothing for so long gives up the room in its own buffer, ms.
const INPUT_IDLE_MS: i64 = 2_000;

/// So many connections are looked after at a time.
const CHECKED_AT_ONCE: usize = 200;

impl Worker {
    /// Closes a connection at once.
    pub(super) fn close(&mut self, token: usize) {
        if let Some(connection) = self.connections.get_mut(token).filter(|connection| connection.in_script) {
            connection.is_doomed = true;
            return;
        }
        let Some(mut connection) = self.connections.try_remove(token) else { return };
        connection.socket.deregister(self.poll.registry());
        self.by_id.remove(&connection.client.id());
        if let Some(blocked) = connection.client.blocked {
            connection.shared().wait.end();
            let is_served = connection.shared().wait.is_served();
            self.forget_wait(token, blocked, is_served);
        }
        if connection.shared().has(client_flags::POSTPONED) {
            self.executor.context.stats.blocked.fetch_sub(1, Relaxed);
            self.postponed.retain(|other| *other != token);
        }
        self.ready.retain(|other| *other != token);
        self.awaiting.remove(&token);
        self.forget_parts(token, &mut connection);
        self.executor.forget(&mut connection.client);
        let shared = Arc::clone(&connection.client.shared);
        shared.account(&self.executor.context.stats, 0);
        self.engine.clients.remove(shared.id);
        self.executor.context.stats.clients.fetch_sub(1, Relaxed);
        // An evicted client counts as leaving until all see that its memory is free: its last owner goes last.
        drop(connection);
        ochre_memory::share_count();
        drop(shared);
    }

    /// Takes a wait that has ended out of the books. Who has served the client has counted it already.
    fn forget_wait(&mut self, token: usize, blocked: Blocked, is_served: bool) {
        self.deadlines.remove(&(blocked.deadline_ms, token));
        let stats = &self.executor.context.stats;
        stats.timed.fetch_sub(i64::from(blocked.is_timed()), Relaxed);
        stats.blocked.fetch_sub(i64::from(!is_served), Relaxed);
    }

    /// Lets a client go on whose wait has ended, after its reply.
    fn go_on(&mut self, token: usize, reply: &mut Vec<u8>) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        connection.client.unblock();
        connection.state = State::Open;
        if connection.client.drops_late_reply() {
            reply.clear();
        }
        connection.client.take_told_after(reply);
        if !reply.is_empty() {
            self.send(token, reply);
        }
        self.requeue(token);
    }

    /// Ends the blocking of a client on somebody's order, unless the client is gone from that wait.
    pub(super) fn unblock(&mut self, id: u64, with_error: bool) {
        let Some(token) = self.by_id.get(&id).copied() else { return };
        if self.connections.get(token).is_some_and(|connection| connection.shared().wait.is_claimed()) {
            self.wake(token, with_error);
        }
    }

    /// Ends the blocking of a client whose time is up; one that somebody has unblocked is left to that letter.
    pub(super) fn time_out(&mut self, deadline_ms: i64, token: usize) {
        self.deadlines.remove(&(deadline_ms, token));
        if self.connections.get(token).is_some_and(|connection| connection.shared().wait.end()) {
            self.wake(token, false);
        }
    }

    /// Ends the blocking of a client: by its timeout, or with an error.
    pub(super) fn wake(&mut self, token: usize, with_error: bool) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Some(blocked) = connection.client.blocked else { return };
        let is_local = self.engine.aof.is_durable(connection.client.changed_offset);
        let mut out = Vec::new();
        let mut reply = ReplyWriter::new(&mut out, connection.client.protocol);
        match (with_error, blocked.on) {
            (true, _) => reply.error_bytes(UNBLOCKED.bytes()),
            (false, BlockedOn::Keys) => reply.null_array(),
            (false, BlockedOn::Replicas) => reply.integer(0),
            (false, BlockedOn::Logs { .. }) => reply_to_wait_for_logs(&mut reply, is_local),
            (false, BlockedOn::Completion) => {}
        }
        self.executor.end_unserved(&mut connection.client, with_error.then_some(&UNBLOCKED), out.len());
        self.forget_wait(token, blocked, false);
        self.go_on(token, &mut out);
    }

    /// Gives a client that waited for a key the reply that somebody else has made for it.
    pub(super) fn serve(&mut self, id: u64, mut reply: Vec<u8>, offset: u64) {
        let Some(token) = self.by_id.get(&id).copied() else { return };
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Some(blocked) = connection.client.blocked.filter(|_| connection.shared().wait.is_served()) else {
            return;
        };
        connection.client.waiter = None;
        // What served it may have changed nothing: then this is more than it waits for.
        connection.client.seen_offset = offset;
        connection.client.changed_offset = offset;
        self.forget_wait(token, blocked, true);
        self.go_on(token, &mut reply);
    }

    /// Lets a client go on whose wait this worker has ended, after its reply.
    pub(super) fn finish_wait(&mut self, token: usize, reply: &mut Vec<u8>) {
        let blocked = self.connections.get(token).and_then(|connection| connection.client.blocked);
        if let Some(blocked) = blocked {
            self.forget_wait(token, blocked, false);
            self.go_on(token, reply);
        }
    }

    /// Answers a client that waits for a completion, and lets it go on.
    pub(super) fn complete(&mut self, id: u64, reply: &[u8]) {
        let Some(token) = self.by_id.get(&id).copied() else { return };
        let Some(connection) = self.connections.get_mut(token) else { return };
        let Some(blocked) = connection.client.blocked.filter(|one| one.on == BlockedOn::Completion) else {
            return;
        };
        if self.engine.aof.holds_replies() {
            // What was completed may have changed something.
            connection.client.seen_offset = self.engine.keyspace.journal.offset();
        }
        self.forget_wait(token, blocked, false);
        self.go_on(token, &mut reply.to_vec());
    }

    /// Lets those go on that a pause kept waiting.
    pub(super) fn resume(&mut self) {
        self.executor.serve_held_back(clock_ms());
        // Before all others: what came since, perhaps from who ended the pause, takes place after them.
        for token in std::mem::take(&mut self.postponed).into_iter().rev() {
            if let Some(connection) = self.connections.get_mut(token) {
                connection.state = State::Open;
                connection.shared().set_flag(client_flags::POSTPONED, false);
                self.executor.context.stats.blocked.fetch_sub(1, Relaxed);
                if !std::mem::replace(&mut connection.queued, true) {
                    self.ready.push_front(token);
                }
            }
        }
    }

    /// Looks after a part of the connections: idle ones, soft limits, figures.
    pub(super) fn check_clients(&mut self, now_ms: i64) {
        let timeout_s = self.engine.settings.timeout_s.load(Relaxed);
        let tokens: Vec<usize> = self
            .connections
            .iter()
            .map(|(token, _)| token)
            .skip_while(|token| *token < self.check_from)
            .take(CHECKED_AT_ONCE)
            .collect();
        self.check_from = tokens.last().map_or(0, |last| last + 1);
        if tokens.len() < CHECKED_AT_ONCE {
            self.check_from = 0;
        }
        for token in tokens {
            let Some(connection) = self.connections.get_mut(token) else { continue };
            let idle_ms = now_ms - connection.shared().last_interaction_ms.load(Relaxed);
            if connection.owns_input {
                connection.shrink_input(idle_ms > INPUT_IDLE_MS);
            }
            let before = connection.output_capacity();
            connection.relax();
            connection.publish_memory(&self.executor.context.stats);
            self.note_output(token, before);
            let Some(connection) = self.connections.get_mut(token) else { continue };
            let shared = connection.shared();
            // Who listens says nothing for as long as it likes.
            let listens = shared.has(client_flags::MONITOR) || shared.has(client_flags::PUBSUB);
            let exempt = listens || connection.state == State::Waiting;
            if timeout_s > 0 && idle_ms > timeout_s * 1000 && !exempt {
                log::info!("Closing idle client");
                self.close(token);
                continue;
            }
            if self.output_limits.exceeded(connection, &self.engine.access, now_ms) {
                self.close_for_output(token);
            }
        }
        self.evict_clients();
    }

    /// Sends what can still be sent and closes everything.
    pub(super) fn close_all(&mut self) {
        let tokens: Vec<usize> = self.connections.iter().map(|(token, _)| token).collect();
        self.look_at_log();
        for token in tokens {
            self.flush(token);
            self.close(token);
        }
    }
}
