//! What other threads want a worker to do.

use std::io;
use std::sync::Arc;

use mio::{Registry, Token, Waker};
use ochre_engine::{ClientShared, Message};

use crate::inbox::Inbox;
use crate::socket::Socket;

/// A letter.
pub enum Letter {
    /// A new connection to serve.
    Connection(Socket, Arc<ClientShared>),
    /// From a command.
    Engine(Message),
    /// Finish: send what is left to send, close everything, end.
    Stop,
}

/// Where letters wait; whoever posts wakes the worker, once for as many as it finds.
pub struct Mailbox {
    letters: Inbox<Letter>,
    waker: Waker,
}

impl Mailbox {
    /// A mailbox that wakes the poller of `registry` with `token`.
    ///
    /// # Errors
    /// Those of the poller.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Mailbox> {
        Ok(Mailbox { letters: Inbox::default(), waker: Waker::new(registry, token)? })
    }

    /// Posts a letter.
    pub fn post(&self, letter: Letter) {
        if self.letters.put(letter)
            && let Err(error) = self.waker.wake()
        {
            // The worker looks into its mailbox at every tick anyway.
            log::error!("A worker could not be woken: {error}");
        }
    }

    /// Takes all letters; `into` is empty before.
    pub fn take(&self, into: &mut Vec<Letter>) {
        self.letters.take(into);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mio::{Events, Poll};

    use super::*;

    const SENDERS: u64 = 4;
    const LETTERS: u64 = 20_000;

    /// The senders' letters as they arrive; only wakes make the reader look.
    fn receive(poll: &mut Poll, mailbox: &Mailbox) -> Vec<u64> {
        let (mut events, mut letters, mut ids) = (Events::with_capacity(8), Vec::new(), Vec::new());
        while ids.len() < (SENDERS * LETTERS) as usize {
            poll.poll(&mut events, Some(Duration::from_secs(60))).unwrap();
            assert!(!events.is_empty(), "nobody woke the reader after {} letters", ids.len());
            mailbox.take(&mut letters);
            ids.extend(letters.drain(..).filter_map(|letter| match letter {
                Letter::Engine(Message::Kill(id)) => Some(id),
                _ => None,
            }));
        }
        ids
    }

    #[test]
    fn every_letter_arrives_once_in_its_senders_order() {
        let mut poll = Poll::new().unwrap();
        let mailbox = Mailbox::new(poll.registry(), Token(0)).unwrap();
        let ids = std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let mailbox = &mailbox;
                scope.spawn(move || {
                    (0..LETTERS)
                        .for_each(|n| mailbox.post(Letter::Engine(Message::Kill(sender * LETTERS + n))));
                });
            }
            receive(&mut poll, &mailbox)
        });
        for sender in 0..SENDERS {
            let own = ids.iter().filter(|id| **id / LETTERS == sender);
            assert!(own.copied().eq(sender * LETTERS..(sender + 1) * LETTERS), "sender {sender}");
        }
    }
}
