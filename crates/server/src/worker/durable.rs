//! Clients that wait for the log: for their replies, under `appendfsync always`, and in WAITAOF.
//!
//! A reply shows no more than what its client's last step could have seen (`Client::seen_offset`); once so much is durable it
//! goes out. Whoever waits is listed here, and looked at again whenever the log's thread has told of progress. What waits
//! has no bound of its own, but a client with much of it is not served until it is less.

use ochre_engine::{BlockedOn, NO_LOG, reply_to_wait_for_logs};
use ochre_resp::ReplyWriter;

use super::Worker;
use crate::connection::State;

impl Worker {
    /// Keeps replies for as long as they show what is not durable yet; whether they are kept. `replies` is empty then.
    #[cold]
    pub(super) fn hold(&mut self, token: usize, replies: &mut Vec<u8>) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        let offset = connection.client.seen_offset;
        if connection.held.is_none() && !self.engine.aof.must_hold(self.index, offset) {
            return false;
        }
        connection.held.get_or_insert_default().push(offset, replies);
        replies.clear();
        self.awaiting.insert(token);
        true
    }

    /// Looks at all who wait for the log.
    pub(super) fn look_at_log(&mut self) {
        for token in std::mem::take(&mut self.awaiting) {
            let waits = self.release(token) | self.look_at_wait(token);
            if waits && self.connections.contains(token) {
                self.awaiting.insert(token);
            }
        }
    }

    /// Sends what a connection need not keep any more; whether something is left.
    fn release(&mut self, token: usize) -> bool {
        loop {
            let Some(connection) = self.connections.get_mut(token) else { return false };
            let Some(offset) = connection.held.as_ref().and_then(|held| held.offset()) else { return false };
            let aof = &self.engine.aof;
            if aof.must_hold(self.index, offset) {
                return true;
            }
            let may_go = |offset| !aof.holds_replies() || aof.is_durable(offset);
            let mut replies = connection.held.as_mut().map_or_else(Vec::new, |held| held.take(may_go));
            if connection.held.as_ref().is_some_and(|held| held.is_empty()) {
                connection.held = None;
            }
            if !replies.is_empty() {
                self.send_now(token, &mut replies);
                self.enqueue(token);
            }
        }
    }

    /// Lists a client that has begun to wait in WAITAOF.
    pub(super) fn watch_log(&mut self, token: usize) {
        if self.look_at_wait(token) {
            self.awaiting.insert(token);
        }
    }

    /// Answers a client in WAITAOF if what it waits for is there; whether it waits on.
    fn look_at_wait(&mut self, token: usize) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        let Some(BlockedOn::Logs { local, replicas }) = connection.client.blocked.map(|blocked| blocked.on)
        else {
            return false;
        };
        let (aof, offset) = (&self.engine.aof, connection.client.changed_offset);
        if local && !aof.is_on() {
            self.end_wait(token, |reply| reply.error_bytes(NO_LOG.bytes()));
            return false;
        }
        if replicas || aof.must_wait(self.index, offset) {
            return true;
        }
        let is_local = aof.is_durable(offset);
        self.end_wait(token, |reply| reply_to_wait_for_logs(reply, is_local));
        false
    }

    /// Ends a wait with a reply, unless somebody else has ended it.
    fn end_wait(&mut self, token: usize, answer: impl FnOnce(&mut ReplyWriter<'_>)) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        if !connection.shared().wait.end() {
            return;
        }
        let mut out = Vec::new();
        answer(&mut ReplyWriter::new(&mut out, connection.client.protocol));
        self.finish_wait(token, &mut out);
    }

    /// Whether a connection is done: all is sent, and it ends.
    pub(super) fn is_drained(&self, token: usize) -> bool {
        self.connections.get(token).is_some_and(|connection| {
            connection.state == State::Draining && connection.unsent_bytes() == 0 && connection.held.is_none()
        })
    }
}
