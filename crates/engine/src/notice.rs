//! Word to a client that waits for something to be done: it goes out when the last of those who had to do it drops it.

use std::fmt;
use std::sync::Arc;

use crate::engine::{Engine, Message};

/// Answers a client that waits for a completion ([`BlockedOn::Completion`](crate::BlockedOn)) when it is dropped.
pub struct Notice {
    engine: Arc<Engine>,
    worker: usize,
    client: u64,
    reply: Arc<[u8]>,
}

impl Notice {
    /// To a client of a worker: what it gets then.
    pub(crate) fn new(engine: Arc<Engine>, (worker, client): (usize, u64), reply: &[u8]) -> Notice {
        Notice { engine, worker, client, reply: reply.into() }
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        let message = Message::Complete { client: self.client, reply: Arc::clone(&self.reply) };
        self.engine.post(self.worker, message);
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice").field("client", &self.client).finish_non_exhaustive()
    }
}
