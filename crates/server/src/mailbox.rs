//! What other threads want a worker to do.

use std::io;
use std::sync::Arc;

use mio::{Registry, Token, Waker};
use ochre_engine::{ClientShared, Message};
use parking_lot::Mutex;

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
    letters: Mutex<Vec<Letter>>,
    waker: Waker,
}

impl Mailbox {
    /// A mailbox that wakes the poller of `registry` with `token`.
    ///
    /// # Errors
    /// Those of the poller.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Mailbox> {
        Ok(Mailbox { letters: Mutex::default(), waker: Waker::new(registry, token)? })
    }

    /// Posts a letter.
    pub fn post(&self, letter: Letter) {
        let first = {
            let mut letters = self.letters.lock();
            letters.push(letter);
            letters.len() == 1
        };
        if first && let Err(error) = self.waker.wake() {
            // The worker looks into its mailbox at every tick anyway.
            log::error!("A worker could not be woken: {error}");
        }
    }

    /// Takes all letters.
    pub fn take(&self, into: &mut Vec<Letter>) {
        std::mem::swap(&mut *self.letters.lock(), into);
    }
}
