//! What clients are told besides their replies: messages of channels, keys that have changed.
//!
//! The bytes are there, once for all; they are copied behind what waits at each connection, and when all is copied, each
//! connection is sent what it has got. Between rounds no reply is on its way, so nothing is torn apart; what a client was
//! told amid its replies is not told again, and a client whose reply another worker has made is told behind that.

use ochre_engine::messages::{Delivery, Receiver};

use super::Worker;
use crate::connection::State;

/// Where so much waits, it is sent before the rest is copied, bytes.
const EARLY_SEND_BYTES: usize = 256 * 1024;

impl Worker {
    /// Tells this worker's clients all that there is to be told.
    #[inline]
    pub(super) fn tell_news(&mut self) {
        while self.executor.has_news() {
            self.tell_all();
        }
    }

    fn tell_all(&mut self) {
        let news = self.executor.take_news();
        let mut told = Vec::new();
        let bytes: usize = news.iter().map(|delivery| delivery.bytes).sum();
        let copied_bytes =
            news.iter().map(|delivery| delivery.notice.memory_bytes() * delivery.to.len()).sum();
        self.engine.messages.note_pending(copied_bytes);
        for delivery in &news {
            for receiver in delivery.to.iter() {
                self.tell_one(delivery, *receiver, &mut told);
            }
        }
        for token in told {
            self.flush(token);
        }
        drop(news);
        self.engine.messages.note_told(bytes + copied_bytes);
        self.evict_clients();
    }

    /// Copies a notice to a connection; adds it to those that are `told` if nothing waited there before.
    #[inline]
    fn tell_one(&mut self, delivery: &Delivery, receiver: Receiver, told: &mut Vec<usize>) {
        let token = receiver.place;
        let Some(connection) = self.connections.get_mut(token) else { return };
        let client = &connection.client;
        if client.id() != receiver.client
            || client.heard >= delivery.number
            || connection.state == State::Draining
        {
            return;
        }
        if connection.client.awaits_reply() {
            return connection.client.tell_after_reply(&delivery.notice);
        }
        if connection.rest.is_some() || connection.held.is_some() || self.engine.aof.holds_replies() {
            let mut bytes = Vec::new();
            delivery.notice.write(&connection.client, &mut bytes);
            return self.tell(token, &bytes);
        }
        let bytes_max = delivery.notice.memory_bytes();
        if connection.push(bytes_max, |client, out| delivery.notice.write(client, out)) {
            told.push(token);
        } else if connection.congested {
            connection.account(&self.executor.context.stats, 0);
        }
        if self.output_limits.would_exceed(connection, 0) {
            self.close_for_output(token);
        } else if connection.unsent_bytes() > EARLY_SEND_BYTES {
            self.flush(token);
            told.push(token);
        }
    }
}
