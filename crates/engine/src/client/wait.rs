//! Who ends the wait of a blocked client.
//!
//! Four may want to: whoever has what the client waits for, the clock, CLIENT UNBLOCK on another worker, which has to answer
//! at once whether it was it, and the end of the connection. So the end is claimed in one atomic step, and only who got
//! it acts.
//!
//! Who serves a client finds out only while doing it whether there is enough for it, so there is a state for that time, which
//! is short: the others wait until it is over. Whoever serves holds all the locks that this takes and waits for nobody, so
//! they may hold locks, too.

use crate::sync::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire, Release},
};
use crate::sync::thread;

/// It does not wait, or in a way that only its own worker may end.
const NONE: u8 = 0;
/// It waits.
const OPEN: u8 = 1;
/// CLIENT UNBLOCK has ended the wait; its message is on the way.
const CLAIMED: u8 = 2;
/// Somebody tries to serve it.
const SERVING: u8 = 3;
/// Somebody has served it; the message with the reply is on the way.
const SERVED: u8 = 4;

/// The state of a client's wait.
#[derive(Debug, Default)]
pub struct Wait(AtomicU8);

impl Wait {
    /// Begins or forgets a wait; `can_be_ended`: others may end it. For the client's own worker.
    pub fn set(&self, can_be_ended: bool) {
        self.0.store(if can_be_ended { OPEN } else { NONE }, Release);
    }

    /// Ends the wait from elsewhere. Who gets `true` (only one does) must post
    /// [`Message::Unblock`](crate::Message::Unblock); nobody else will serve the client meanwhile.
    pub fn claim(&self) -> bool {
        self.take(CLAIMED)
    }

    /// Whether CLIENT UNBLOCK has ended the wait. To be asked when its message arrives.
    pub fn is_claimed(&self) -> bool {
        self.0.load(Acquire) == CLAIMED
    }

    /// Ends the wait from the client's own worker, because time is up or the connection is at its end. `false`: somebody else
    /// was first, so the client is to be left to the message that is on its way.
    pub fn end(&self) -> bool {
        self.0.load(Acquire) == NONE || self.take(NONE)
    }

    /// Begins to serve the client; whether it still waits. [`Wait::finish_service`] must follow, and soon.
    pub fn begin_service(&self) -> bool {
        self.0.compare_exchange(OPEN, SERVING, AcqRel, Acquire).is_ok()
    }

    /// Ends an attempt to serve the client. `served`: it has a reply, which must be posted as
    /// [`Message::Serve`](crate::Message::Serve); otherwise it goes on waiting.
    pub fn finish_service(&self, served: bool) {
        self.0.store(if served { SERVED } else { OPEN }, Release);
    }

    /// Whether the client has been served and only its worker does not know yet.
    pub fn is_served(&self) -> bool {
        self.0.load(Acquire) == SERVED
    }

    /// Ends an open wait.
    fn take(&self, state: u8) -> bool {
        loop {
            match self.0.compare_exchange(OPEN, state, AcqRel, Acquire) {
                Ok(_) => return true,
                Err(SERVING) => thread::yield_now(),
                Err(_) => return false,
            }
        }
    }
}
