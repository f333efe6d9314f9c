//! What a worker has taken out of its queue and has not told all whom it concerns.
//!
//! Everything has a number. A client remembers up to which it has been told: while its commands run, it may be ahead of the
//! others.

use super::hub::Messages;
use super::queue::Delivery;
use crate::client::Client;

/// What is left to be told.
#[derive(Debug, Default)]
pub struct Backlog {
    deliveries: Vec<Delivery>,
    last: u64,
}

impl Backlog {
    /// Whether there is anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Takes all that has come. Returns the number of the last of it before anything of this author.
    pub(crate) fn refill(&mut self, messages: &Messages, worker: usize, author: u64) -> u64 {
        if !messages.has_any(worker) {
            return self.last;
        }
        let first = self.deliveries.len();
        messages.take(worker, &mut self.deliveries);
        let before = self.last;
        let mut limit = None;
        for (delivery, number) in self.deliveries[first..].iter_mut().zip(before + 1..) {
            delivery.number = number;
            self.last = number;
            if delivery.author == author && limit.is_none() {
                limit = Some(number - 1);
            }
        }
        limit.unwrap_or(self.last)
    }

    /// Tells a client what is before its reply, which begins at `at` in the output: everything up to number `until` that it has
    /// not been told.
    pub(crate) fn tell_before(&self, client: &mut Client, until: u64, out: &mut Vec<u8>, at: usize) {
        let mut told = Vec::new();
        let id = client.id();
        for delivery in &self.deliveries {
            let is_due = delivery.number > client.heard && delivery.number <= until;
            if is_due && delivery.to.iter().any(|receiver| receiver.client == id) {
                delivery.notice.write(client, &mut told);
            }
        }
        client.heard = client.heard.max(until);
        if !told.is_empty() {
            let len = told.len();
            out.splice(at..at, told);
            client.replies_moved(at, len);
        }
    }

    /// Takes all that is left, to be told. It counts as pending until the caller says that it is told.
    pub(crate) fn take(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries)
    }
}
