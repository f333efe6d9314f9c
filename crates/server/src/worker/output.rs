//! Replies on their way out, and what becomes of clients that leave too many of them unread.

use std::io;
use std::sync::atomic::Ordering::Relaxed;

use ochre_engine::clock_ms;

use super::Worker;
use crate::connection::Connection;
use crate::group::{RECEIVE_BYTES, Seat};

/// A reply buffer above this size is sent before the round is over.
const EARLY_SEND_BYTES: usize = 64 * 1024;

/// A reply buffer is given up above this capacity.
pub(super) const KEPT_OUT_BYTES: usize = 64 * 1024;

impl Worker {
    /// Counts replies before the turn is over, and if they are many, sends them, unless they may turn out to be more than
    /// the client may have.
    #[cold]
    pub(super) fn after_large_reply(&mut self, seat: &mut Seat) {
        let Some(connection) = self.connections.get(seat.token) else { return };
        let is_cut = seat.out.len() >= connection.client.output_bytes_max;
        if is_cut || self.output_limits.would_exceed(connection, seat.out.len()) {
            // Before it counts: nobody else is to go for what is given up at once.
            seat.out.clear();
            return self.close_for_output(seat.token);
        }
        if seat.out.len() > EARLY_SEND_BYTES && !self.output_limits.is_hard(connection) {
            return self.send_seat(seat);
        }
        connection.account(&self.executor.context.stats, seat.out.capacity());
        self.evict_clients();
    }

    pub(super) fn send_seat(&mut self, seat: &mut Seat) {
        let mut out = std::mem::take(&mut seat.out);
        self.send(seat.token, &mut out);
        if out.capacity() > KEPT_OUT_BYTES {
            out = Vec::with_capacity(RECEIVE_BYTES);
        }
        seat.out = out;
    }

    /// Sends replies to a connection, or keeps them for as long as what they show is not durable; `replies` is empty
    /// afterwards.
    pub(super) fn send(&mut self, token: usize, replies: &mut Vec<u8>) {
        let is_behind = self.connections.get(token).is_some_and(|connection| connection.held.is_some());
        if (is_behind || self.engine.aof.holds_replies()) && self.hold(token, replies) {
            return;
        }
        self.send_now(token, replies);
    }

    /// Sends replies to a connection that need not wait for the log; `replies` is empty afterwards.
    pub(super) fn send_now(&mut self, token: usize, replies: &mut Vec<u8>) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if self.output_limits.would_exceed(connection, replies.len()) {
            replies.clear();
            return self.close_for_output(token);
        }
        let before = connection.output_capacity();
        let sent = connection.send(replies);
        self.note_output(token, before);
        self.after_send(token, sent);
    }

    /// Counts what became of a connection's own buffer for output, which had `before` bytes.
    pub(super) fn note_output(&self, token: usize, before: usize) {
        let now = self.connections.get(token).map_or(before, Connection::output_capacity);
        let stats = &self.engine.stats;
        match now.cmp(&before) {
            std::cmp::Ordering::Greater => stats.reply_buffer_expands.fetch_add(1, Relaxed),
            std::cmp::Ordering::Less => stats.reply_buffer_shrinks.fetch_add(1, Relaxed),
            std::cmp::Ordering::Equal => 0,
        };
    }

    /// Closes a connection that has left too much unread.
    pub(super) fn close_for_output(&mut self, token: usize) {
        let Some(connection) = self.connections.get(token) else { return };
        log::error!(
            "Client {} closed for overcoming of output buffer limits.",
            self.engine.describe_client(connection.shared())
        );
        self.executor.context.stats.output_limit_disconnections.add(1);
        self.close(token);
    }

    /// Sends what waits at a connection.
    pub(super) fn flush(&mut self, token: usize) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let before = connection.output_capacity();
        let sent = connection.flush();
        self.note_output(token, before);
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
            if self.is_drained(token) {
                self.close(token);
            }
            return;
        }
        if self.output_limits.exceeded(connection, &self.engine.access, clock_ms()) {
            return self.close_for_output(token);
        }
        connection.account(stats, 0);
        self.evict_clients();
    }
}
